// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are kept open: what a client sees of changes, and that it is one version of a file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use http::{Answer, Client, Live, get, noise};
use std::fs;
use std::os::unix::fs::symlink;

const CONFIG: &str = "worker_processes 1; server { listen 127.0.0.1:0; root www; }";

/// The same with names that are looked up once and never again.
const LAZY: &str = "worker_processes 1; open_file_cache_valid 1d; open_file_cache_errors on;
    server { listen 127.0.0.1:0; root www; gzip_static on; error_page 404 /none.html; }";

/// Has a link, perhaps a new one, lead to another file at once.
fn lead(server: &Live, link: &str, to: &str) {
    let new = server.path("new-link");
    symlink(to, &new).unwrap();
    fs::rename(new, server.path("www").join(link)).unwrap();
}

#[test]
fn each_version_is_seen_by_who_asks_after_it_was_written() {
    let server = Live::from_file(CONFIG, &[("www/file", b"")]);
    let (mut one, mut other) = (server.connect(), server.connect());
    let sizes = [0, 1, 1000, 16_384, 16_385, 100_000, 3];
    let mut tags = Vec::new();
    for round in 0..10 {
        for size in sizes {
            let content = noise(size + round);
            // Written into the file, or put in its place.
            if round % 2 == 0 {
                fs::write(server.path("www/file"), &content).unwrap();
            } else {
                fs::write(server.path("new"), &content).unwrap();
                fs::rename(server.path("new"), server.path("www/file")).unwrap();
            }
            for client in [&mut one, &mut other] {
                let answer = client.ask(get("/file")).expect(200);
                assert!(answer.body == content, "{round} {size}: {} bytes", answer.body.len());
                tags.push(answer.only("etag").unwrap().to_owned());
            }
        }
    }
    let seen = tags.len();
    tags.dedup();
    assert_eq!(tags.len(), seen / 2);
}

#[test]
fn what_goes_and_comes_back_is_seen_so() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www; gzip_static on;
        index a.html b.html; error_page 404 /none.html; }";
    let server = Live::from_file(config, &[("www/folder/b.html", b"b"), ("www/none.html", b"1")]);
    let mut client = server.connect();
    let mut ask = |target: &str| {
        client.ask(format!("GET {target} HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n"))
    };
    let write = |name: &str, content: &str| fs::write(server.path(name), content).unwrap();
    let remove = |name: &str| fs::remove_file(server.path(name)).unwrap();
    for _ in 0..3 {
        assert_eq!(ask("/folder/").expect(200).text(), "b");
        write("www/folder/a.html", "a");
        assert_eq!(ask("/folder/").expect(200).text(), "a");
        write("www/folder/a.html.gz", "coded");
        let answer = ask("/folder/").expect(200);
        assert_eq!((answer.text(), answer.only("content-encoding")), ("coded", Some("gzip")));
        assert_eq!(answer.only("content-type"), Some("text/html"));
        remove("www/folder/a.html.gz");
        assert_eq!(ask("/folder/").expect(200).text(), "a");
        remove("www/folder/a.html");
        assert_eq!(ask("/nothing").expect(404).text(), "1");
        write("www/none.html", "another");
        assert_eq!(ask("/nothing").expect(404).text(), "another");
        write("www/nothing", "something");
        assert_eq!(ask("/nothing").expect(200).text(), "something");
        remove("www/nothing");
        write("www/none.html", "1");
        fs::rename(server.path("www/folder"), server.path("www/moved")).unwrap();
        ask("/folder/").expect(404);
        ask("/folder/b.html").expect(404);
        fs::rename(server.path("www/moved"), server.path("www/folder")).unwrap();
    }
}

#[test]
fn within_the_validity_names_lead_where_they_led() {
    let files: &[(&str, &[u8])] = &[("www/old", b"old"), ("www/new", b"newer")];
    let server = Live::from_file(LAZY, files);
    let mut client = server.connect();
    lead(&server, "link", "old");
    lead(&server, "none.html", "old");
    assert_eq!(client.ask(get("/link")).expect(200).text(), "old");
    assert_eq!(client.ask(get("/later")).expect(404).text(), "old");
    lead(&server, "link", "new");
    lead(&server, "none.html", "new");
    fs::write(server.path("www/later"), "later").unwrap();
    assert_eq!(client.ask(get("/link")).expect(200).text(), "old");
    assert_eq!(client.ask(get("/later")).expect(404).text(), "old");
    // What was not asked for yet is as it is now.
    lead(&server, "other", "new");
    assert_eq!(client.ask(get("/other")).expect(200).text(), "newer");
}

#[test]
fn a_file_that_is_replaced_while_it_is_sent_comes_whole_and_then_the_new_one() {
    let (old, new) = (noise(8 * 1024 * 1024), vec![b'n'; 3 * 1024 * 1024]);
    for config in [CONFIG, LAZY] {
        let server = Live::from_file(config, &[("www/large", &old), ("new", &new)]);
        let mut slow = Client::connect_with(&server.address, |socket| {
            socket.set_recv_buffer_size(4096).unwrap();
        });
        slow.send(get("/large") + &get("/large"));
        let head = slow.answer_to_head().expect(200);
        fs::rename(server.path("new"), server.path("www/large")).unwrap();
        let mut other = server.connect();
        // The worker may have looked just before, but not in the turn after this one.
        other.ask(get("/nothing")).expect(404);
        assert!(other.ask(get("/large")).expect(200).body == new);
        assert!(slow.take(old.len()) == old);
        let next = slow.answer().expect(200);
        assert!(next.body == new);
        assert_ne!(head.only("etag"), next.only("etag"));
    }
}

#[test]
fn parts_and_conditions_are_of_the_version_that_is_there() {
    let server = Live::from_file(CONFIG, &[("www/file", b"first")]);
    let mut client = server.connect();
    let mut ask = |fields: &str| -> Answer {
        client.ask(format!("GET /file HTTP/1.1\r\nHost: h\r\n{fields}\r\n"))
    };
    let tag = ask("").only("etag").unwrap().to_owned();
    assert_eq!(ask("Range: bytes=1-2\r\n").expect(206).text(), "ir");
    ask(&format!("If-None-Match: {tag}\r\n")).expect(304);
    fs::write(server.path("www/file"), "second").unwrap();
    ask(&format!("If-None-Match: {tag}\r\n")).expect(200);
    ask(&format!("If-Match: {tag}\r\n")).expect(412);
    let answer = ask(&format!("Range: bytes=1-2\r\nIf-Range: {tag}\r\n")).expect(200);
    assert_eq!(answer.text(), "second");
    let answer = ask("Range: bytes=5-\r\n").expect(206);
    assert_eq!((answer.text(), answer.only("content-range")), ("d", Some("bytes 5-5/6")));
    assert_eq!(ask("Range: bytes=6-\r\n").expect(416).only("content-range"), Some("bytes */6"));
}

#[test]
fn without_a_cache_answers_are_the_same() {
    let with = |directive: &str| {
        let config = format!("{directive} {CONFIG}");
        let large = noise(100_000);
        let files: &[(&str, &[u8])] =
            &[("www/small", b"small"), ("www/large", &large), ("www/folder/index.html", b"i")];
        let server = Live::from_file(&config, files);
        ["/small", "/large", "/folder/", "/folder", "/nothing"].map(|target| {
            let mut answer = server.get(target).timeless();
            // They tell when the test ran.
            answer.fields.retain(|(name, _)| name != "etag" && name != "last-modified");
            answer
        })
    };
    assert!(with("open_file_cache off;") == with(""));
    assert!(with("open_file_cache max=1;") == with(""));
    assert!(with("open_file_cache_min_uses 5;") == with(""));
}

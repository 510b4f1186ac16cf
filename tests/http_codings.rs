// SPDX-License-Identifier: MIT OR Apache-2.0
//! Content codings (RFC 9110 sections 8.4 and 12.5.3): files that lie there coded, and gzip on the fly.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{Body, Exchange, Handler, Outcome, Pull};
use flate2::read::GzDecoder;
use http::{Answer, Client, Live, noise, text};
use std::fs::File;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// A server with these directives for its files.
fn server(directives: &str, files: &[(&str, &[u8])]) -> Live {
    let config =
        format!("worker_processes 1; server {{ listen 127.0.0.1:0; root www; {directives} }}");
    Live::from_file(&config, files)
}

/// Asks with this `Accept-Encoding`, and with further lines.
fn ask(client: &mut Client, target: &str, accept: &str, lines: &str) -> Answer {
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: h\r\nAccept-Encoding: {accept}\r\n{lines}\r\n");
    client.ask(request)
}

fn gunzipped(answer: &Answer) -> Vec<u8> {
    let mut content = Vec::new();
    GzDecoder::new(&answer.body[..]).read_to_end(&mut content).unwrap();
    content
}

/// Text that compresses well.
fn prose(length: usize) -> Vec<u8> {
    b"All work and no play makes a dull server. ".iter().copied().cycle().take(length).collect()
}

const TWINS: &str = "gzip_static on; brotli_static on; zstd_static on;";

#[test]
fn the_twin_that_the_client_likes_best_is_sent() {
    let files: &[(&str, &[u8])] = &[
        ("www/a.css", b"plain"),
        ("www/a.css.gz", b"as gz"),
        ("www/a.css.br", b"as br"),
        ("www/a.css.zst", b"aszst"),
    ];
    let server = server(TWINS, files);
    // Alike in size and time, they still have to have tags of their own.
    for (name, _) in files {
        let file = File::options().write(true).open(server.path(name)).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(784_111_777)).unwrap();
    }
    let mut client = server.connect();
    let mut tags = Vec::new();
    for (accept, coding, text) in [
        ("gzip, deflate, br, zstd", Some("br"), "as br"),
        ("gzip, zstd", Some("zstd"), "aszst"),
        ("gzip", Some("gzip"), "as gz"),
        ("br;q=0.5, gzip", Some("gzip"), "as gz"),
        ("br;q=0, *", Some("zstd"), "aszst"),
        ("deflate", None, "plain"),
        ("identity, gzip;q=0.9", None, "plain"),
        ("gzip;q=0", None, "plain"),
        ("", None, "plain"),
    ] {
        let answer = ask(&mut client, "/a.css", accept, "").expect(200);
        assert_eq!(answer.text(), text, "{accept}");
        assert_eq!(answer.only("content-encoding"), coding, "{accept}");
        assert_eq!(answer.only("content-type"), Some("text/css"), "{accept}");
        assert_eq!(answer.only("vary"), Some("Accept-Encoding"), "{accept}");
        let tag = answer.only("etag").unwrap().to_owned();
        assert!(tag.starts_with('"'), "{tag}");
        tags.push((coding, tag));
    }
    for (coding, tag) in &tags {
        assert!(tags.iter().all(|(other, same)| (other == coding) == (same == tag)), "{tags:?}");
    }
    let without = client.ask("GET /a.css HTTP/1.1\r\nHost: h\r\n\r\n").expect(200);
    assert_eq!(without.text(), "plain");
    let old = client.ask("GET /a.css HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n").expect(200);
    assert_eq!((old.text(), old.only("content-encoding")), ("plain", None));
}

#[test]
fn twins_have_conditions_and_ranges_of_their_own() {
    let files: &[(&str, &[u8])] = &[("www/a", b"plain"), ("www/a.gz", b"0123456789")];
    let server = server("gzip_static on;", files);
    let mut client = server.connect();
    let tag = ask(&mut client, "/a", "gzip", "").only("etag").unwrap().to_owned();
    let condition = format!("If-None-Match: {tag}\r\n");
    let same = ask(&mut client, "/a", "gzip", &condition).expect(304);
    assert_eq!(same.only("etag"), Some(tag.as_str()));
    assert_eq!(same.only("vary"), Some("Accept-Encoding"));
    ask(&mut client, "/a", "br", &condition).expect(200);
    let part = ask(&mut client, "/a", "gzip", "Range: bytes=2-3\r\n").expect(206);
    assert_eq!((part.text(), part.only("content-range")), ("23", Some("bytes 2-3/10")));
    assert_eq!(part.only("content-encoding"), Some("gzip"));
    let head = "HEAD /a HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n";
    let head = client.ask(head).expect(200);
    assert_eq!(head.only("content-length"), Some("10"));
    assert_eq!(head.only("content-encoding"), Some("gzip"));
}

#[test]
fn a_twin_may_stand_alone_but_is_never_taken_for_a_folder_or_asked_for_by_a_switch_that_is_off() {
    let files: &[(&str, &[u8])] = &[
        ("www/alone.gz", b"alone"),
        ("www/folder.gz", b"archive"),
        ("www/folder/index.html", b"index"),
        ("www/folder/.gz", b"dot"),
        ("www/a", b"plain"),
        ("www/a.br", b"br"),
    ];
    let server = server("gzip_static on;", files);
    let mut client = server.connect();
    assert_eq!(ask(&mut client, "/alone", "gzip", "").expect(200).text(), "alone");
    ask(&mut client, "/alone", "br", "").expect(404);
    ask(&mut client, "/folder", "gzip", "").expect(301);
    assert_eq!(ask(&mut client, "/folder/", "gzip", "").expect(200).text(), "index");
    ask(&mut client, "/nothing/", "gzip", "").expect(404);
    assert_eq!(ask(&mut client, "/a", "br, gzip", "").expect(200).text(), "plain");
    assert_eq!(ask(&mut client, "/a.br", "br", "").expect(200).text(), "br");
}

#[test]
fn gzip_compresses_while_it_sends() {
    let large = [prose(1024 * 1024), noise(256 * 1024)].concat();
    let files: &[(&str, &[u8])] =
        &[("www/small.html", b"twenty bytes of text"), ("www/l.html", &large)];
    let server = server("gzip on;", files);
    let mut client = server.connect();
    for (target, content) in [("/small.html", &b"twenty bytes of text"[..]), ("/l.html", &large)] {
        for _ in 0..2 {
            let answer = ask(&mut client, target, "gzip", "").expect(200);
            assert!(gunzipped(&answer) == content, "{target}");
            assert_eq!(answer.only("content-encoding"), Some("gzip"));
            assert_eq!(answer.only("transfer-encoding"), Some("chunked"));
            assert_eq!(answer.only("vary"), Some("Accept-Encoding"));
            assert_eq!(answer.only("accept-ranges"), None);
        }
    }
    assert!(ask(&mut client, "/l.html", "gzip", "").body.len() < 512 * 1024);
}

#[test]
fn files_that_lie_there_coded_are_not_coded_again() {
    let files: &[(&str, &[u8])] =
        &[("www/a.html", &prose(5000)), ("www/a.html.br", b"br is what this is")];
    let server = server("gzip on; brotli_static on; gzip_static on;", files);
    let mut client = server.connect();
    for (accept, coding) in [("br, gzip", Some("br")), ("gzip", Some("gzip")), ("", None)] {
        let answer = ask(&mut client, "/a.html", accept, "").expect(200);
        assert_eq!(answer.only("content-encoding"), coding, "{accept}");
        assert_eq!(answer.only("vary"), Some("Accept-Encoding"), "{accept}");
        if coding == Some("gzip") {
            assert_eq!(gunzipped(&answer), prose(5000));
        }
    }
}

#[test]
fn what_gzip_leaves_as_it_is() {
    let files: &[(&str, &[u8])] = &[
        ("www/a.html", &prose(5000)),
        ("www/b.png", &prose(5000)),
        ("www/c.html", b"nineteen bytes long"),
    ];
    let server = server("gzip on; location /off/ { alias www/; gzip off; }", files);
    let mut client = server.connect();
    for (target, accept, lines, vary) in [
        ("/a.html", "br", "", true),
        ("/a.html", "gzip;q=0", "", true),
        ("/b.png", "gzip", "", false),
        ("/c.html", "gzip", "", false),
        ("/off/a.html", "gzip", "", false),
    ] {
        let answer = ask(&mut client, target, accept, lines).expect(200);
        assert_eq!(answer.only("content-encoding"), None, "{target} {accept}");
        assert_eq!(answer.only("vary").is_some(), vary, "{target} {accept}");
        assert!(answer.only("content-length").is_some() && answer.only("accept-ranges").is_some());
        assert!(answer.only("etag").unwrap().starts_with('"'), "{target} {accept}");
    }
    let part = ask(&mut client, "/a.html", "gzip", "Range: bytes=0-2\r\n").expect(206);
    assert_eq!((part.text(), part.only("content-encoding")), ("All", None));
    let old = client.ask("GET /a.html HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n").expect(200);
    assert_eq!(
        (old.body, old.fields.iter().any(|(name, _)| name == "content-encoding")),
        (prose(5000), false)
    );
}

#[test]
fn what_gzip_makes_has_the_weak_form_of_the_tag() {
    let server = server("gzip on;", &[("www/a.html", &prose(5000))]);
    let mut client = server.connect();
    let strong = ask(&mut client, "/a.html", "", "").only("etag").unwrap().to_owned();
    let weak = ask(&mut client, "/a.html", "gzip", "").only("etag").unwrap().to_owned();
    assert_eq!(weak, format!("W/{strong}"));
    for tag in [&strong, &weak] {
        let condition = format!("If-None-Match: {tag}\r\n");
        let same = ask(&mut client, "/a.html", "gzip", &condition).expect(304);
        assert_eq!(same.only("etag"), Some(weak.as_str()));
        assert_eq!(same.only("vary"), Some("Accept-Encoding"));
        let same = ask(&mut client, "/a.html", "", &condition).expect(304);
        assert_eq!(same.only("etag"), Some(strong.as_str()));
    }
    let lines = format!("If-Range: {weak}\r\nRange: bytes=0-2\r\n");
    assert_eq!(gunzipped(&ask(&mut client, "/a.html", "gzip", &lines).expect(200)), prose(5000));
    let lines = format!("If-Match: {strong}\r\n");
    ask(&mut client, "/a.html", "gzip", &lines).expect(200);
}

#[test]
fn gzip_types_min_length_and_level_are_directives() {
    let content = prose(100_000);
    let files: &[(&str, &[u8])] =
        &[("www/a.css", &content), ("www/a.png", &content), ("www/a.html", &content)];
    let size = |directives: &str, name: &str| {
        let server = server(&format!("gzip on; {directives}"), files);
        let answer = ask(&mut server.connect(), name, "gzip", "").expect(200);
        match answer.only("content-encoding") {
            Some(_) => {
                assert!(gunzipped(&answer) == content);
                Some(answer.body.len())
            }
            None => None,
        }
    };
    assert_eq!(size("", "/a.css"), None);
    assert!(size("gzip_types text/plain TEXT/CSS;", "/a.css").is_some());
    assert!(size("gzip_types text/css;", "/a.html").is_some());
    assert_eq!(size("gzip_types text/css;", "/a.png"), None);
    assert!(size("gzip_types *;", "/a.png").is_some());
    assert_eq!(size("gzip_min_length 100001;", "/a.html"), None);
    assert!(size("gzip_min_length 100000;", "/a.html").is_some());
    assert!(size("gzip_comp_level 9;", "/a.html") <= size("gzip_comp_level 1;", "/a.html"));
}

/// Lines, one for each pull.
struct Lines(u32);

impl Body for Lines {
    fn pull(&mut self, out: &mut Vec<u8>) -> std::io::Result<Pull> {
        self.0 += 1;
        out.extend_from_slice(format!("line {}\n", self.0).as_bytes());
        Ok(if self.0 == 1000 { Pull::End } else { Pull::More })
    }
}

/// Answers with this type and coding what `leave` leaves.
fn typed(coding: Option<&'static str>, leave: fn(&mut Exchange<'_>)) -> Box<dyn Handler> {
    Box::new(move |x: &mut Exchange<'_>| {
        x.response.header("content-type", b"text/html; charset=utf-8").unwrap();
        if let Some(coding) = coding {
            x.response.header("Content-Encoding", coding.as_bytes()).unwrap();
        }
        leave(x);
        Ok(Outcome::Answered)
    })
}

#[test]
fn what_handlers_answer_is_compressed_too_unless_it_has_a_coding_already() {
    let config = "worker_processes 1; gzip on; server { listen 127.0.0.1:0; root www; }";
    let server = Live::from_file_with(config, &[], |server| {
        let routes = [
            ("/whole", typed(None, |x| x.response.write(&prose(100_000)))),
            ("/lines", typed(None, |x| x.response.stream(Box::new(Lines(0))))),
            (
                "/sized",
                typed(None, |x| {
                    x.response.write(b"before\n");
                    x.response.stream_sized(13, Box::new(Lines(0)));
                }),
            ),
            ("/coded", typed(Some("br"), |x| x.response.write(&prose(100)))),
            ("/untyped", text("text that is long enough for gzip")),
            ("/nothing", typed(None, |x| x.response.set_status(204).unwrap())),
        ];
        for (path, handler) in routes {
            server.route("GET", path, handler).unwrap();
        }
    });
    let mut client = server.connect();
    let lines: String = (1..=1000).map(|line| format!("line {line}\n")).collect();
    for (target, content) in [
        ("/whole", prose(100_000)),
        ("/lines", lines.into_bytes()),
        ("/sized", b"before\nline 1\nline 2".to_vec()),
    ] {
        let answer = ask(&mut client, target, "gzip", "").expect(200);
        assert!(gunzipped(&answer) == content, "{target}");
    }
    let coded = ask(&mut client, "/coded", "gzip", "").expect(200);
    assert_eq!((coded.body.len(), coded.only("content-encoding")), (100, Some("br")));
    assert_eq!(ask(&mut client, "/untyped", "gzip", "").only("content-encoding"), None);
    assert_eq!(ask(&mut client, "/nothing", "gzip", "").expect(204).only("content-encoding"), None);
    let missing = ask(&mut client, "/missing", "gzip", "").expect(404);
    assert!(gunzipped(&missing).starts_with(b"<"));
    let head = "HEAD /lines HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n";
    assert_eq!(client.ask(head).expect(200).only("content-encoding"), Some("gzip"));
}

/// Something, and more only when it is told that the first has arrived.
struct Waiting(Arc<AtomicBool>, bool);

impl Body for Waiting {
    fn pull(&mut self, out: &mut Vec<u8>) -> std::io::Result<Pull> {
        if !self.1 {
            self.1 = true;
            out.extend_from_slice(b"first, ");
        } else if self.0.load(Ordering::Acquire) {
            out.extend_from_slice(b"then more");
            return Ok(Pull::End);
        }
        Ok(Pull::More)
    }
}

#[test]
fn what_is_streamed_is_not_held_back_by_gzip() {
    let arrived = Arc::new(AtomicBool::new(false));
    let config = "worker_processes 1; gzip on; server { listen 127.0.0.1:0; }";
    let server = Live::from_file_with(config, &[], |server| {
        let arrived = Arc::clone(&arrived);
        let handler = move |x: &mut Exchange<'_>| {
            x.response.header("Content-Type", b"text/html").unwrap();
            x.response.stream(Box::new(Waiting(Arc::clone(&arrived), false)));
            Ok(Outcome::Answered)
        };
        server.route("GET", "/", Box::new(handler)).unwrap();
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
    client.answer_to_head().expect(200);
    let mut decoder = flate2::write::GzDecoder::new(Vec::new());
    while decoder.get_ref() != b"first, " {
        let size = client.line();
        let size = usize::from_str_radix(&size, 16).unwrap();
        decoder.write_all(&client.take(size)).unwrap();
        client.take(2);
        decoder.flush().unwrap();
    }
    arrived.store(true, Ordering::Release);
    while client.line() != "0" {}
}

#[test]
fn the_location_that_answers_says_whether_gzip_is_on() {
    let directives = "error_page 404 /why.html; location = / { gzip on; }
        location = /index.html { gzip off; } location = /why.html { gzip on; }";
    let page = prose(1000);
    let server = server(directives, &[("www/index.html", &page), ("www/why.html", &page)]);
    let mut client = server.connect();
    assert_eq!(ask(&mut client, "/", "gzip", "").expect(200).only("content-encoding"), None);
    let missing = ask(&mut client, "/missing", "gzip", "").expect(404);
    assert_eq!(gunzipped(&missing), page);
}

#[test]
fn a_sized_stream_has_its_length_and_is_cut_where_it_is_shorter() {
    let server = Live::with_routes([
        ("GET", "/exact", typed(None, |x| x.response.stream_sized(8893, Box::new(Lines(0))))),
        ("GET", "/more", typed(None, |x| x.response.stream_sized(10, Box::new(Lines(0))))),
        ("GET", "/less", typed(None, |x| x.response.stream_sized(9000, Box::new(Lines(0))))),
    ]);
    let mut client = server.connect();
    for (target, length) in [("/exact", "8893"), ("/more", "10")] {
        let answer = ask(&mut client, target, "", "").expect(200);
        assert_eq!(answer.only("content-length"), Some(length));
        assert!(answer.text().starts_with("line 1\nlin"), "{target}");
    }
    let cut = server.connect_and_drain("GET /less HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(!cut.is_empty() && cut.len() < 9000 + 300, "{}", cut.len());
}

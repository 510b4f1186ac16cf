// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules of RFC 9110 and 9112 that no other file is about, and the manual's list of all of them: each
//! test that `docs/http.md` names is there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{Exchange, Handler, Outcome};
use http::{Live, get, text};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file, a folder, routes and every kind of answer from the configuration.
fn server() -> Live {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www;
        location = /to { return 302 /elsewhere; } location = /text { return 200 text; } }";
    let files: &[(&str, &[u8])] = &[("www/file", b"0123456789"), ("www/folder/x", b"x")];
    Live::from_file_with(config, files, |server| {
        let reset = |x: &mut Exchange<'_>| {
            x.response.set_status(205).unwrap();
            x.response.write(b"not to be sent");
            Ok(Outcome::Answered)
        };
        let routes: [(&str, &str, Box<dyn Handler>); 2] =
            [("POST", "/post", text("posted")), ("GET", "/reset", Box::new(reset))];
        for (method, path, handler) in routes {
            server.route(method, path, handler).unwrap();
        }
    })
}

/// Requests to that server, and their statuses.
fn requests() -> Vec<(String, u16)> {
    let with =
        |target: &str, field: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n");
    vec![
        (get("/file"), 200),
        (get("/text"), 200),
        ("OPTIONS /file HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 204),
        (with("/file", "Range: bytes=0-1"), 206),
        (with("/file", "Range: bytes=0-1,4-5"), 206),
        (get("/folder"), 301),
        (get("/to"), 302),
        (with("/file", "If-None-Match: *"), 304),
        ("nonsense\r\n\r\n".to_owned(), 400),
        (get("/folder/"), 403),
        (get("/missing"), 404),
        ("PUT /file HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 405),
        (with("/file", "If-Match: \"x\""), 412),
        (with("/file", "Range: bytes=99-"), 416),
        ("BREW / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 501),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n".to_owned(), 505),
    ]
}

#[test]
fn every_final_answer_has_a_date_and_an_interim_one_has_none() {
    let server = server();
    for (request, status) in requests() {
        let answer = server.ask(&request).expect(status);
        let date = answer.only("date").unwrap_or_else(|| panic!("no date: {answer:?}"));
        assert!(date.len() == 29 && date.ends_with(" GMT"), "{status}: {date}");
    }
    let mut client = server.connect();
    let expecting = "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n";
    client.send(format!("POST /post HTTP/1.1\r\nHost: h\r\n{expecting}"));
    assert_eq!(client.answer_to_head().expect(100).only("date"), None);
}

/// The client of the tests takes no line that does not fit.
#[test]
fn each_line_of_an_answer_fits_the_grammar_and_no_field_comes_twice() {
    let server = server();
    for (request, status) in requests() {
        let answer = server.ask(&request).expect(status);
        let names: BTreeSet<&str> = answer.fields.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(names.len(), answer.fields.len(), "{answer:?}");
    }
}

/// RFC 9110 section 13.2.1: conditions are about an answer that would succeed, and about a selected
/// representation.
#[test]
fn conditions_say_nothing_where_the_answer_would_be_no_success_or_the_method_selects_nothing() {
    let server = server();
    let mut client = server.connect();
    let never = "If-Match: \"never\"\r\nIf-None-Match: *\r\n";
    for (request, status) in [
        ("GET /missing", 404),
        ("GET /folder", 301),
        ("GET /folder/", 403),
        ("GET /to", 302),
        ("PUT /file", 405),
        ("DELETE /post", 405),
        ("OPTIONS /file", 204),
        ("OPTIONS *", 204),
        ("TRACE /file", 405),
    ] {
        client.ask(format!("{request} HTTP/1.1\r\nHost: h\r\n{never}\r\n")).expect(status);
    }
}

#[test]
fn if_range_says_nothing_without_a_range() {
    let server = server();
    for value in ["\"never\"", "Sun, 06 Nov 1994 08:49:37 GMT", "nonsense"] {
        let request = format!("GET /file HTTP/1.1\r\nHost: h\r\nIf-Range: {value}\r\n\r\n");
        assert_eq!(server.ask(request).expect(200).text(), "0123456789", "{value}");
    }
}

#[test]
fn a_part_has_the_validators_of_the_whole() {
    let server = server();
    let whole = server.get("/file").expect(200);
    for range in ["0-1", "0-1,4-5"] {
        let request = format!("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes={range}\r\n\r\n");
        let part = server.ask(request).expect(206);
        for name in ["etag", "last-modified"] {
            assert_eq!(part.only(name), whole.only(name), "{range}");
        }
        assert!(part.only("content-length").is_some(), "{range}");
    }
}

#[test]
fn an_offer_to_upgrade_is_passed_over() {
    let server = server();
    let mut client = server.connect();
    for offer in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        "Connection: upgrade\r\nUpgrade: TLS/1.0",
        "Upgrade: websocket",
    ] {
        let answer = client.ask(format!("GET /text HTTP/1.1\r\nHost: h\r\n{offer}\r\n\r\n"));
        assert_eq!(answer.expect(200).only("upgrade"), None, "{offer}");
    }
}

#[test]
fn a_205_has_content_without_a_byte() {
    let server = server();
    let mut client = server.connect();
    let answer = client.ask(get("/reset")).expect(205);
    assert_eq!((answer.only("content-length"), answer.text()), (Some("0"), ""));
    assert_eq!(client.ask(get("/text")).expect(200).text(), "text");
}

#[test]
fn names_of_fields_and_of_connection_options_have_no_case() {
    let server = server();
    let request =
        "POST /post HTTP/1.1\r\nhOsT: h\r\nCONTENT-length: 1\r\nconnection: CLOSE\r\n\r\nx";
    assert!(server.ask(request).expect(200).closes());
    server.ask("get /text HTTP/1.1\r\nHost: h\r\n\r\n").expect(501);
}

#[test]
fn nothing_is_done_before_the_whole_head_is_there() {
    let server = server();
    let mut client = server.connect();
    let request = get("/text");
    for byte in &request.as_bytes()[..request.len() - 1] {
        client.send([*byte]);
    }
    assert!(client.is_silent_for(std::time::Duration::from_millis(50)));
    client.send("\n");
    assert_eq!(client.answer().expect(200).text(), "text");
}

/// Every test in the sources and in the tests' own folder.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![root.join("src"), root.join("tests")];
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let functions = text.split("#[test]").skip(1);
                let functions =
                    functions.filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
                names.extend(functions.map(|(name, _)| name.to_owned()));
            }
        }
    }
    names
}

#[test]
fn every_test_that_the_manual_names_is_there() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/http.md");
    let page = fs::read_to_string(path).unwrap();
    let tests = tests();
    let mut rules = 0;
    for row in page.lines().filter(|line| line.starts_with("| 9")) {
        let held_by = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let names: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty() || held_by.trim().len() > 3, "held by nothing: {row}");
        for name in names {
            assert!(tests.contains(name), "there is no test {name}: {row}");
        }
        rules += 1;
    }
    assert!(rules > 80, "only {rules} rules are read");
}

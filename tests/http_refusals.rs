// SPDX-License-Identifier: MIT OR Apache-2.0
//! Malformed requests on the wire: each gets one well-formed refusal, then the end of the
//! connection, and hurts nobody else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;
#[path = "common/refusals.rs"]
mod refusals;

use http::{Live, echo};
use refusals::refusals;
use std::collections::HashSet;

fn server() -> Live {
    Live::with_routes([
        ("GET", "/{path...}", echo()),
        ("POST", "/{path...}", echo()),
        ("*", "/", echo()),
    ])
}

const GOOD: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn each_row_is_refused_once_and_the_connection_closed() {
    let server = server();
    let mut rows = 0;
    for row in refusals() {
        let name = format!("{} ({})", row.name, row.why);
        let mut client = server.connect();
        client.send_regardless(&row.bytes);
        let answer = client.answer();
        assert_eq!(answer.status, row.status, "{name}: {answer:?}");
        assert!(answer.closes(), "{name}: {answer:?}");
        assert!(!answer.reason.is_empty(), "{name}: {answer:?}");
        assert_eq!(answer.only("content-type"), Some("text/html; charset=utf-8"), "{name}");
        client.end();
        rows += 1;
    }
    assert!(rows >= 300, "only {rows} rows");
    assert_eq!(server.ask(GOOD).text(), "ok");
}

#[test]
fn no_row_is_there_twice() {
    let mut names = HashSet::new();
    let mut requests = HashSet::new();
    for row in refusals() {
        assert!(names.insert(row.name), "two rows are called {}", row.name);
        assert!(!row.why.is_empty(), "{} does not say why", row.name);
        assert!(requests.insert(row.bytes), "{} repeats another row", row.name);
    }
}

#[test]
fn a_refusal_comes_after_the_answers_before_it() {
    let server = server();
    for row in refusals() {
        let mut client = server.connect();
        client.send_regardless([GOOD.as_bytes(), &row.bytes].concat());
        assert_eq!(client.answer().expect(200).text(), "ok", "{}", row.name);
        let answer = client.answer();
        assert_eq!(answer.status, row.status, "{}: {answer:?}", row.name);
        assert!(answer.closes(), "{}: {answer:?}", row.name);
        client.end();
    }
}

#[test]
fn what_follows_a_refusal_is_never_answered() {
    let server = server();
    for row in refusals() {
        let mut client = server.connect();
        client.send_regardless([&row.bytes, GOOD.as_bytes()].concat());
        assert_eq!(client.answer().status, row.status, "{}", row.name);
        client.end();
    }
}

#[test]
fn a_refusal_does_not_depend_on_how_its_bytes_are_cut() {
    let server = server();
    for row in refusals().filter(|row| row.bytes.len() < 200) {
        let mut client = server.connect();
        for byte in &row.bytes {
            client.send_regardless([*byte]);
        }
        assert_eq!(client.answer().status, row.status, "{}", row.name);
        client.end();
    }
}

#[test]
fn a_client_that_leaves_within_its_request_hurts_nobody() {
    let server = server();
    for row in refusals().step_by(7) {
        let mut client = server.connect();
        client.send_regardless(&row.bytes[..row.bytes.len() / 2]);
        client.reset();
    }
    assert_eq!(server.ask(GOOD).text(), "ok");
}

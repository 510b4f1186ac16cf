// SPDX-License-Identifier: MIT OR Apache-2.0
//! Preconditions and ranges on a file (RFC 9110 sections 13 and 14).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use http::{Answer, Client, Live, get, noise};
use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

/// When the file was modified: Sun, 06 Nov 1994 08:49:37 GMT.
const MODIFIED: u64 = 784_111_777;
const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

fn server(content: &[u8]) -> Live {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www; }";
    let server = Live::from_file(config, &[("www/file", content), ("www/empty", b"")]);
    let file = File::options().write(true).open(server.path("www/file")).unwrap();
    // Parts of a second are no part of an HTTP date, but of the entity tag.
    file.set_modified(UNIX_EPOCH + Duration::from_millis(MODIFIED * 1000 + 700)).unwrap();
    server
}

fn ask(client: &mut Client, method: &str, fields: &str) -> Answer {
    client.ask(format!("{method} /file HTTP/1.1\r\nHost: h\r\n{fields}\r\n"))
}

#[test]
fn a_file_has_validators() {
    let answer = server(b"0123456789").get("/file").expect(200);
    assert_eq!(answer.only("last-modified"), Some(SAME));
    assert_eq!(answer.only("etag"), Some("\"2ebc98a1-a-29b92700\""));
    assert_eq!(answer.only("accept-ranges"), Some("bytes"));
}

/// Fields, in which `TAG`, `SAME`, `EARLIER` and `LATER` stand for the file's, and the status.
const CONDITIONS: &[(&str, u16)] = &[
    ("If-None-Match: TAG", 304),
    ("If-None-Match: W/TAG", 304),
    ("If-None-Match: \"other\", TAG", 304),
    ("If-None-Match: \"other\",W/TAG,\"x\"", 304),
    ("If-None-Match: \"other\"\r\nIf-None-Match: TAG", 304),
    ("If-None-Match: *", 304),
    ("If-None-Match: \"other\"", 200),
    ("If-None-Match: other", 200),
    ("If-None-Match:", 200),
    ("If-Modified-Since: SAME", 304),
    ("If-Modified-Since: LATER", 304),
    ("If-Modified-Since: EARLIER", 200),
    ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", 304),
    ("If-Modified-Since: Sun Nov  6 08:49:37 1994", 304),
    ("If-Modified-Since: yesterday", 200),
    ("If-Modified-Since: SAME\r\nIf-Modified-Since: SAME", 200),
    ("If-Match: TAG", 200),
    ("If-Match: \"other\", TAG", 200),
    ("If-Match: *", 200),
    ("If-Match: W/TAG", 412),
    ("If-Match: \"other\"", 412),
    ("If-Unmodified-Since: SAME", 200),
    ("If-Unmodified-Since: LATER", 200),
    ("If-Unmodified-Since: EARLIER", 412),
    ("If-Unmodified-Since: nonsense", 200),
    ("If-Match: TAG\r\nIf-Unmodified-Since: EARLIER", 200),
    ("If-Match: \"other\"\r\nIf-Unmodified-Since: LATER", 412),
    ("If-Match: \"other\"\r\nIf-None-Match: TAG", 412),
    ("If-Match: TAG\r\nIf-None-Match: TAG", 304),
    ("If-Unmodified-Since: EARLIER\r\nIf-None-Match: TAG", 412),
    ("If-None-Match: \"other\"\r\nIf-Modified-Since: LATER", 200),
    ("If-None-Match: TAG\r\nIf-Modified-Since: EARLIER", 304),
    ("If-None-Match: TAG\r\nRange: bytes=0-1", 304),
    ("If-Match: \"other\"\r\nRange: bytes=0-1", 412),
    ("If-Match: TAG\r\nRange: bytes=0-1", 206),
    ("If-None-Match: TAG\r\nRange: bytes=99-", 304),
];

fn filled(fields: &str, tag: &str) -> String {
    let fields = fields.replace("TAG", tag).replace("SAME", SAME);
    let fields = fields.replace("EARLIER", EARLIER).replace("LATER", LATER);
    if fields.is_empty() { fields } else { fields + "\r\n" }
}

#[test]
fn conditions_are_evaluated_in_their_order() {
    let server = server(b"0123456789");
    let tag = server.get("/file").only("etag").unwrap().to_owned();
    let mut client = server.connect();
    for (fields, status) in CONDITIONS {
        let sent = filled(fields, &tag);
        let answer = ask(&mut client, "GET", &sent);
        assert_eq!(answer.status, *status, "{fields}");
        if *status == 304 {
            assert!(answer.body.is_empty(), "{fields}");
            assert_eq!(answer.only("etag"), Some(tag.as_str()), "{fields}");
            assert_eq!(answer.only("last-modified"), Some(SAME), "{fields}");
            assert_eq!(answer.only("content-length"), None, "{fields}");
        }
        let head = ask(&mut client, "HEAD", &sent);
        let expected = if *status == 206 { 200 } else { *status };
        assert_eq!(head.status, expected, "HEAD: {fields}");
    }
    ask(&mut client, "GET", "").expect(200);
}

#[test]
fn the_tag_changes_with_the_content() {
    let server = server(b"0123456789");
    let before = server.get("/file").only("etag").unwrap().to_owned();
    std::fs::write(server.path("www/file"), b"more than before").unwrap();
    let mut client = server.connect();
    let answer = ask(&mut client, "GET", &format!("If-None-Match: {before}\r\n")).expect(200);
    assert_ne!(answer.only("etag").unwrap(), before);
}

/// A `Range`, and what comes of ten bytes `0123456789`: the part, or `None` for 416.
const RANGES: &[(&str, Option<&str>)] = &[
    ("bytes=0-0", Some("0")),
    ("bytes=0-4", Some("01234")),
    ("bytes=3-5", Some("345")),
    ("bytes=9-9", Some("9")),
    ("bytes=5-", Some("56789")),
    ("bytes=9-", Some("9")),
    ("bytes=0-", Some("0123456789")),
    ("bytes=0-9", Some("0123456789")),
    ("bytes=5-99", Some("56789")),
    ("bytes=5-99999999999999999999999999", Some("56789")),
    ("bytes=-1", Some("9")),
    ("bytes=-3", Some("789")),
    ("bytes=-10", Some("0123456789")),
    ("bytes=-99", Some("0123456789")),
    ("BYTES=0-1", Some("01")),
    ("bytes= 0-1", Some("01")),
    ("bytes=10-", None),
    ("bytes=10-20", None),
    ("bytes=99999999999999999999999999-", None),
    ("bytes=-0", None),
];

#[test]
fn a_single_range_is_sent_as_a_part() {
    let server = server(b"0123456789");
    let mut client = server.connect();
    for (range, part) in RANGES {
        let answer = ask(&mut client, "GET", &format!("Range: {range}\r\n"));
        match part {
            Some(part) => {
                assert_eq!(answer.status, 206, "{range}");
                assert_eq!(answer.text(), *part, "{range}");
                let first: usize = part[..1].parse().unwrap();
                let expected = format!("bytes {first}-{}/10", first + part.len() - 1);
                assert_eq!(answer.only("content-range"), Some(expected.as_str()), "{range}");
            }
            None => {
                assert_eq!(answer.status, 416, "{range}");
                assert_eq!(answer.only("content-range"), Some("bytes */10"), "{range}");
            }
        }
    }
}

/// Fields that ask for no part: the whole is the answer.
const NO_RANGES: &[&str] = &[
    "Range: bytes=5-4",
    "Range: bytes=",
    "Range: bytes=-",
    "Range: bytes=a-b",
    "Range: bytes=+1-2",
    "Range: bytes=1-2x",
    "Range: bytes=0-1,a-b",
    "If-Range: \"other\"\r\nRange: bytes=0-1,3-4",
    "Range: bytes 0-1",
    "Range: items=0-1",
    "Range: 0-1",
    "Range:",
    "Range: bytes=0-0\r\nRange: bytes=1-1",
    "If-Range: \"other\"\r\nRange: bytes=0-1",
    "If-Range: W/TAG\r\nRange: bytes=0-1",
    "If-Range: EARLIER\r\nRange: bytes=0-1",
    "If-Range: LATER\r\nRange: bytes=0-1",
    "If-Range: nonsense\r\nRange: bytes=0-1",
    "If-Range: \"other\"\r\nRange: bytes=99-",
];

#[test]
fn what_asks_for_no_part_gets_the_whole() {
    let server = server(b"0123456789");
    let tag = server.get("/file").only("etag").unwrap().to_owned();
    let mut client = server.connect();
    for fields in NO_RANGES {
        let answer = ask(&mut client, "GET", &filled(fields, &tag));
        assert_eq!(answer.status, 200, "{fields}");
        assert_eq!(answer.text(), "0123456789", "{fields}");
        assert_eq!(answer.only("content-range"), None, "{fields}");
    }
}

#[test]
fn if_range_with_the_present_validator_lets_the_range_be() {
    let server = server(b"0123456789");
    let tag = server.get("/file").only("etag").unwrap().to_owned();
    let mut client = server.connect();
    for fields in ["If-Range: TAG\r\nRange: bytes=2-3", "If-Range: SAME\r\nRange: bytes=2-3"] {
        assert_eq!(ask(&mut client, "GET", &filled(fields, &tag)).expect(206).text(), "23");
    }
    ask(&mut client, "GET", &filled("If-Range: TAG\r\nRange: bytes=99-", &tag)).expect(416);
}

#[test]
fn a_range_is_for_get_only() {
    let server = server(b"0123456789");
    let head = ask(&mut server.connect(), "HEAD", "Range: bytes=0-1\r\n").expect(200);
    assert_eq!(head.only("content-length"), Some("10"));
    assert_eq!(head.only("content-range"), None);
}

/// The parts of a `multipart/byteranges` answer: each one's range and content.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let form = answer.only("content-type").unwrap();
    let boundary = form.strip_prefix("multipart/byteranges; boundary=").expect(form);
    let body = [b"\r\n", &answer.body[..]].concat();
    let mark = format!("\r\n--{boundary}");
    let marks: Vec<usize> =
        (0..body.len()).filter(|&at| body[at..].starts_with(mark.as_bytes())).collect();
    assert_eq!(&body[marks[marks.len() - 1] + mark.len()..], b"--\r\n");
    let part = |pair: &[usize]| {
        let text = &body[pair[0] + mark.len()..pair[1]];
        let end = text.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&text[..end]).unwrap();
        let range = head
            .strip_prefix("\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ")
            .expect(head);
        (range.to_owned(), text[end + 4..].to_vec())
    };
    marks.windows(2).map(part).collect()
}

/// A `Range`, and the parts of ten bytes `0123456789` that it gives.
const SEVERAL: &[(&str, &[(&str, &str)])] = &[
    ("bytes=0-1,4-5", &[("0-1/10", "01"), ("4-5/10", "45")]),
    ("bytes=4-5,0-1", &[("4-5/10", "45"), ("0-1/10", "01")]),
    ("bytes=0-0, -1", &[("0-0/10", "0"), ("9-9/10", "9")]),
    ("bytes=8-,0-1,20-", &[("8-9/10", "89"), ("0-1/10", "01")]),
    ("bytes=0-2,1-3,6-7", &[("0-3/10", "0123"), ("6-7/10", "67")]),
];

#[test]
fn several_ranges_come_as_parts_in_their_order() {
    let server = server(b"0123456789");
    let mut client = server.connect();
    for (range, expected) in SEVERAL {
        let answer = ask(&mut client, "GET", &format!("Range: {range}\r\n")).expect(206);
        assert_eq!(answer.only("content-range"), None, "{range}");
        assert!(answer.only("etag").is_some() && answer.only("last-modified").is_some());
        let found = parts(&answer);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(range, content)| (range.as_str(), std::str::from_utf8(content).unwrap()))
            .collect();
        assert_eq!(found, *expected, "{range}");
    }
}

#[test]
fn ranges_that_become_one_are_no_multipart() {
    let server = server(b"0123456789");
    let mut client = server.connect();
    for (range, text, part) in [
        ("bytes=0-1,2-3", "0123", "bytes 0-3/10"),
        ("bytes=3-4,10-", "34", "bytes 3-4/10"),
        ("bytes=0-5,-9", "0123456789", "bytes 0-9/10"),
    ] {
        let answer = ask(&mut client, "GET", &format!("Range: {range}\r\n")).expect(206);
        assert_eq!((answer.text(), answer.only("content-range")), (text, Some(part)), "{range}");
    }
    ask(&mut client, "GET", "Range: bytes=10-,-0,11-12\r\n").expect(416);
}

#[test]
fn max_ranges_is_the_number_of_ranges_that_a_request_may_have() {
    let config = |line: &str| {
        format!("worker_processes 1; server {{ listen 127.0.0.1:0; root www; {line} }}")
    };
    let content = noise(1000);
    let list = |count: usize| {
        let ranges: Vec<String> = (0..count).map(|at| format!("{0}-{0}", 2 * at)).collect();
        format!("Range: bytes={}\r\n", ranges.join(","))
    };
    for (line, most) in [("", 64), ("max_ranges 3;", 3), ("max_ranges 1;", 1)] {
        let server = Live::from_file(&config(line), &[("www/file", &content)]);
        let mut client = server.connect();
        ask(&mut client, "GET", &list(most)).expect(206);
        assert!(ask(&mut client, "GET", &list(most + 1)).expect(200).body == content);
    }
    let server = Live::from_file(&config("max_ranges 0;"), &[("www/file", &content)]);
    let answer = ask(&mut server.connect(), "GET", "Range: bytes=0-0\r\n").expect(200);
    assert_eq!(answer.only("accept-ranges"), None);
}

#[test]
fn many_large_parts_come_byte_for_byte() {
    let content = noise(5 * 1024 * 1024);
    let server = server(&content);
    let mut client = server.connect();
    let fields = "Range: bytes=1000000-2999999,-1,0-99999,4000000-4000000\r\n";
    let expected: Vec<&[u8]> = vec![
        &content[1_000_000..3_000_000],
        &content[content.len() - 1..],
        &content[..100_000],
        &content[4_000_000..=4_000_000],
    ];
    let answer = ask(&mut client, "GET", fields).expect(206);
    let found = parts(&answer);
    assert!(found.iter().map(|(_, content)| &content[..]).eq(expected));
    assert_eq!(client.ask(get("/empty")).expect(200).text(), "");
}

#[test]
fn an_empty_file_has_no_range() {
    let server = server(b"x");
    let request = "GET /empty HTTP/1.1\r\nHost: h\r\nRange: bytes=0-\r\n\r\n";
    let answer = server.ask(request).expect(416);
    assert_eq!(answer.only("content-range"), Some("bytes */0"));
    assert_eq!(server.get("/empty").expect(200).text(), "");
}

#[test]
fn large_parts_come_byte_for_byte() {
    let content = noise(5 * 1024 * 1024);
    let server = server(&content);
    let mut client = server.connect();
    let inline = 16 * 1024;
    for (first, last) in [
        (0, inline - 1),
        (0, inline),
        (1, inline + 1),
        (123_456, 4_000_000),
        (content.len() - inline - 1, content.len() - 1),
        (0, content.len() - 1),
    ] {
        let range = format!("Range: bytes={first}-{last}\r\n");
        let answer = ask(&mut client, "GET", &range).expect(206);
        assert!(answer.body == content[first..=last], "{range}");
    }
    assert!(client.ask(get("/file")).expect(200).body == content);
}

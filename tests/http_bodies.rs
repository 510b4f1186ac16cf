// SPDX-License-Identifier: MIT OR Apache-2.0
//! Content in both directions: how a request's body reaches a handler, and how answers are framed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{Body, Exchange, Handler, Options, Outcome, Pull};
use http::{Client, Live, echo, get, noise, one_worker, shown, text};
use std::io;

/// Answers with the trailers that reached the handler.
fn trailers() -> Box<dyn Handler> {
    Box::new(|x: &mut Exchange<'_>| {
        for (name, value) in x.request.trailers() {
            for piece in [name, b"=", value, b";"] {
                x.response.write(piece);
            }
        }
        Ok(Outcome::Answered)
    })
}

/// Gives its pieces, then ends as it is told to.
struct Pieces {
    pieces: std::vec::IntoIter<Vec<u8>>,
    breaks: bool,
}

impl Body for Pieces {
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<Pull> {
        match self.pieces.next() {
            Some(piece) => out.extend(piece),
            None if self.breaks => return Err(io::Error::other("broken")),
            None => return Ok(Pull::End),
        }
        Ok(Pull::More)
    }
}

/// Streams these pieces after what was written.
fn stream(written: &'static str, pieces: Vec<Vec<u8>>, breaks: bool) -> Box<dyn Handler> {
    Box::new(move |x: &mut Exchange<'_>| {
        let pieces = pieces.clone().into_iter();
        x.response.write(written.as_bytes());
        x.response.stream(Box::new(Pieces { pieces, breaks }));
        Ok(Outcome::Answered)
    })
}

fn pieces(pieces: &[&str]) -> Vec<Vec<u8>> {
    pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect()
}

fn server() -> Live {
    let large: Vec<Vec<u8>> = noise(3 * 1024 * 1024).chunks(5000).map(Vec::from).collect();
    Live::with_routes([
        ("POST", "/echo", echo()),
        ("POST", "/trailers", trailers()),
        ("GET", "/only", text("x")),
        ("GET", "/stream", stream("", pieces(&["one", "", "two"]), false)),
        ("GET", "/prefixed", stream("zero", pieces(&["one"]), false)),
        ("GET", "/empty", stream("", Vec::new(), false)),
        ("GET", "/broken", stream("", pieces(&["one"]), true)),
        ("GET", "/broken/at/once", stream("", Vec::new(), true)),
        ("GET", "/large", stream("", large, false)),
    ])
}

const CHUNKED: &str = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Name, what follows the head, and the content.
const CODINGS: &[(&str, &str, &str)] = &[
    ("no chunk", "0\r\n\r\n", ""),
    ("one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"),
    ("chunks of a byte", "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "abc"),
    ("a size of two digits", "10\r\n0123456789abcdef\r\n0\r\n\r\n", "0123456789abcdef"),
    ("an upper-case size", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ("a lower-case size", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ("leading zeros", "00005\r\nhello\r\n000\r\n\r\n", "hello"),
    ("an extension", "5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello"),
    ("a quoted extension", "5;a=\"b;\\\"c\"\r\nhello\r\n0\r\n\r\n", "hello"),
    ("line ends in the data", "6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", "\r\n0\r\n\r"),
    ("a trailer", "5\r\nhello\r\n0\r\nA: b\r\n\r\n", "hello"),
    ("several trailers", "5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n", "hello"),
];

#[test]
fn chunked_bodies_come_whole_and_the_next_request_after_them() {
    let server = server();
    let mut client = server.connect();
    for (name, coded, content) in CODINGS {
        let answer = client.ask(format!("{CHUNKED}{coded}")).expect(200);
        assert_eq!(answer.text(), *content, "{name}");
        assert_eq!(client.ask(get("/only")).expect(200).text(), "x", "{name}");
    }
}

#[test]
fn chunked_bodies_may_be_cut_anywhere() {
    let server = server();
    for (name, coded, content) in CODINGS {
        let request = format!("{CHUNKED}{coded}");
        let mut client = server.connect();
        for cut in 1..request.len() {
            client.send(&request[..cut]);
            client.send(&request[cut..]);
            assert_eq!(client.answer().expect(200).text(), *content, "{name}, cut at {cut}");
        }
        for byte in request.bytes() {
            client.send([byte]);
        }
        assert_eq!(client.answer().expect(200).text(), *content, "{name}, byte by byte");
    }
}

#[test]
fn bodies_with_a_length_may_be_cut_anywhere() {
    let server = server();
    let request = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01\r\n\r\n6789";
    let mut client = server.connect();
    for cut in 1..request.len() {
        client.send(&request[..cut]);
        client.send(&request[cut..]);
        assert_eq!(client.answer().expect(200).text(), "01\r\n\r\n6789", "cut at {cut}");
    }
}

#[test]
fn a_large_body_comes_back_byte_for_byte() {
    let body = noise(1024 * 1024);
    let server = server();
    let mut client = server.connect();
    client
        .send(format!("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len()));
    client.send(&body);
    assert!(client.answer().expect(200).body == body);
    client.send(CHUNKED);
    for chunk in body.chunks(10_007) {
        client.send(format!("{:x}\r\n", chunk.len()));
        client.send(chunk);
        client.send("\r\n");
    }
    client.send("0\r\n\r\n");
    assert!(client.answer().expect(200).body == body);
}

#[test]
fn content_length_zero_is_an_empty_body() {
    let server = server();
    let mut client = server.connect();
    for length in ["0", "00"] {
        let head = format!("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        let answer = client.ask(head).expect(200);
        assert_eq!(answer.only("content-length"), Some("0"));
    }
    assert_eq!(client.ask("POST /echo HTTP/1.1\r\nHost: h\r\n\r\n").expect(200).text(), "");
}

#[test]
fn trailers_reach_the_handler_but_for_those_that_may_not() {
    let request = "POST /trailers HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
        1\r\nx\r\n0\r\nDigest: a=b\r\nContent-Length: 9\r\nHost: evil\r\n\
        Transfer-Encoding: chunked\r\nX-Last:  z \r\nAuthorization: me\r\n\r\n";
    let server = server();
    let mut client = server.connect();
    for byte in request.bytes() {
        client.send([byte]);
    }
    assert_eq!(client.answer().expect(200).text(), "Digest=a=b;X-Last=z;");
    let none = "POST /trailers HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(client.ask(none).expect(200).text(), "");
}

#[test]
fn expect_100_is_answered_when_the_body_is_wanted() {
    let server = server();
    let mut client = server.connect();
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        let head =
            format!("POST /echo HTTP/1.1\r\nHost: h\r\n{framing}\r\nExpect: 100-continue\r\n\r\n");
        client.send(head);
        let interim = client.answer_to_head().expect(100);
        assert!(interim.fields.is_empty(), "{interim:?}");
        let is_chunked = framing.ends_with("chunked");
        client.send(if is_chunked { "5\r\nhello\r\n0\r\n\r\n" } else { "hello" });
        let answer = client.answer().expect(200);
        assert_eq!(answer.text(), "hello");
        assert!(!answer.closes());
    }
}

#[test]
fn expect_100_waits_for_the_answers_before_it() {
    let server = server();
    let mut client = server.connect();
    let expecting =
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    client.send(get("/large") + expecting);
    assert_eq!(client.answer().expect(200).body.len(), 3 * 1024 * 1024);
    client.answer_to_head().expect(100);
    client.send("ok");
    assert_eq!(client.answer().expect(200).text(), "ok");
}

#[test]
fn expect_100_is_answered_finally_when_the_body_is_not_wanted() {
    let server = server();
    for (target, length, status) in
        [("/missing", 5, 404), ("/only", 5, 405), ("/echo", 9_999_999, 413)]
    {
        let mut client = server.connect();
        let head = format!("POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n");
        let answer = client.ask(head + "Expect: 100-continue\r\n\r\n").expect(status);
        assert!(answer.closes(), "{target}");
        client.end();
    }
}

#[test]
fn expect_100_means_nothing_without_a_body_or_in_1_0() {
    let server = server();
    let mut client = server.connect();
    for framing in ["", "Content-Length: 0\r\n"] {
        let head =
            format!("POST /echo HTTP/1.1\r\nHost: h\r\n{framing}Expect: 100-continue\r\n\r\n");
        client.ask(head).expect(200);
    }
    client.send("POST /echo HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert!(server.connect().is_silent_for(std::time::Duration::from_millis(50)));
    client.send("ok");
    assert_eq!(client.answer().expect(200).text(), "ok");
}

#[test]
fn an_unknown_expectation_is_refused() {
    let server = server();
    let mut client = server.connect();
    let head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: tea\r\n\r\n";
    assert!(client.ask(head).expect(417).closes());
    client.end();
}

#[test]
fn bodies_that_nobody_wants_are_skipped() {
    let server = server();
    let mut client = server.connect();
    for (target, status) in [("/missing", 404), ("/only", 405)] {
        let length = format!("POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n");
        client.send(length + &"GET /only ".repeat(20_000));
        client.answer().expect(status);
        let chunked =
            format!("POST {target} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(chunked + "3\r\nGET\r\n0\r\nA: b\r\n\r\n");
        client.answer().expect(status);
        assert_eq!(client.ask(get("/only")).expect(200).text(), "x");
    }
}

#[test]
fn a_stream_is_chunked_to_1_1() {
    let server = server();
    let mut client = server.connect();
    for (target, content) in [("/stream", "onetwo"), ("/prefixed", "zeroone"), ("/empty", "")] {
        let answer = client.ask(get(target)).expect(200);
        assert_eq!(answer.only("transfer-encoding"), Some("chunked"));
        assert_eq!(answer.text(), content, "{target}");
    }
    client.send(get("/stream") + &get("/only"));
    let head = client.answer_to_head();
    assert_eq!(head.only("transfer-encoding"), Some("chunked"));
    let body = b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";
    assert_eq!(client.take(body.len()), body);
    assert_eq!(client.answer().text(), "x");
}

#[test]
fn a_stream_to_1_0_ends_with_the_connection() {
    let server = server();
    for request in
        ["GET /stream HTTP/1.0\r\n\r\n", "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"]
    {
        let mut client = server.connect();
        let answer = client.ask(request).expect(200);
        assert_eq!(answer.only("transfer-encoding"), None);
        assert_eq!(answer.only("content-length"), None);
        assert!(answer.closes());
        assert_eq!(answer.text(), "onetwo");
    }
}

#[test]
fn a_large_stream_comes_byte_for_byte_to_a_slow_reader() {
    let server = server();
    let mut client = Client::connect_with(&server.address, |socket| {
        socket.set_recv_buffer_size(4096).unwrap();
    });
    assert!(client.ask(get("/large")).expect(200).body == noise(3 * 1024 * 1024));
    assert_eq!(client.ask(get("/only")).text(), "x");
}

#[test]
fn an_error_in_a_stream_cuts_the_answer() {
    let server = server();
    let mut client = server.connect();
    client.send(get("/broken"));
    assert_eq!(client.answer_to_head().expect(200).only("transfer-encoding"), Some("chunked"));
    let rest = client.rest_or_reset();
    assert!(rest == b"3\r\none\r\n" || rest.is_empty(), "{}", shown(&rest));
    let mut client = server.connect();
    client.send(get("/broken/at/once") + &get("/only"));
    let all = client.rest_or_reset();
    assert!(!all.ends_with(b"0\r\n\r\n") && !all.ends_with(b"x"), "{}", shown(&all));
    assert_eq!(server.get("/only").text(), "x");
}

#[test]
fn a_stream_with_an_error_in_the_middle_of_much_data_has_no_last_chunk() {
    let much: Vec<Vec<u8>> = noise(2 * 1024 * 1024).chunks(5000).map(Vec::from).collect();
    let server = Live::start(Options { workers: 1, ..one_worker() }, |server| {
        server.route("GET", "/", stream("", much.clone(), true)).unwrap();
    });
    let all = server.connect_and_drain(&get("/"));
    assert!(all.len() > 1024 * 1024, "{}", all.len());
    assert!(!all.ends_with(b"0\r\n\r\n"), "{}", shown(&all));
}

/// Where the connection's end is to be the answer's, only a reset shows that it is not.
#[test]
fn an_error_in_a_stream_to_1_0_resets_the_connection() {
    let server = server();
    for target in ["/broken", "/broken/at/once"] {
        let mut client = server.connect();
        client.send(format!("GET {target} HTTP/1.0\r\n\r\n"));
        assert!(client.is_reset(), "{target}");
    }
    let mut client = server.connect();
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    assert!(!client.is_reset());
}

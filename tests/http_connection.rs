// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a connection lives and in which order its answers come (RFC 9112 section 9).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{Body, Exchange, Handler, Options, Outcome, Pull};
use http::{Answer, Client, Live, echo, get, noise, one_worker, text};
use std::time::Duration;

/// Counts down, a line for each pull.
struct Countdown(u32);

impl Body for Countdown {
    fn pull(&mut self, out: &mut Vec<u8>) -> std::io::Result<Pull> {
        out.extend_from_slice(format!("{}\n", self.0).as_bytes());
        self.0 -= 1;
        Ok(if self.0 == 0 { Pull::End } else { Pull::More })
    }
}

fn countdown(from: u32) -> Box<dyn Handler> {
    Box::new(move |x: &mut Exchange<'_>| {
        x.response.stream(Box::new(Countdown(from)));
        Ok(Outcome::Answered)
    })
}

fn path() -> Box<dyn Handler> {
    Box::new(|x: &mut Exchange<'_>| {
        x.response.write(x.request.path());
        Ok(Outcome::Answered)
    })
}

fn server() -> Live {
    Live::with_routes([
        ("GET", "/", text("hello")),
        ("POST", "/echo", echo()),
        ("GET", "/count", countdown(3)),
        ("GET", "/path/{rest...}", path()),
    ])
}

/// Name, the request, and whether the connection is to live on after it.
type Persistence = (&'static str, &'static str, bool);

const PERSISTENCE: &[Persistence] = &[
    ("1.1", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
    ("1.1 with close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false),
    ("1.1 with Close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", false),
    ("1.1 with keep-alive", "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", true),
    ("1.1 with a list", "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, close ,y\r\n\r\n", false),
    ("1.1 with both", "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n", false),
    (
        "1.1 with close in a second field",
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
        false,
    ),
    ("1.1 with another option", "GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", true),
    ("1.1 with an empty list", "GET / HTTP/1.1\r\nHost: h\r\nConnection: , ,\r\n\r\n", true),
    ("1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", true),
    ("1.0", "GET / HTTP/1.0\r\n\r\n", false),
    ("1.0 with Host", "GET / HTTP/1.0\r\nHost: h\r\n\r\n", false),
    ("1.0 with close", "GET / HTTP/1.0\r\nConnection: close\r\n\r\n", false),
    ("1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
    ("1.0 with Keep-Alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ("1.0 with both", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
];

#[test]
fn a_connection_lives_on_as_version_and_connection_field_say() {
    let server = server();
    for &(name, request, persists) in PERSISTENCE {
        let mut client = server.connect();
        let answer = client.ask(request).expect(200);
        assert_eq!(answer.text(), "hello", "{name}");
        let is_1_0 = request.contains("HTTP/1.0");
        let connection = match (persists, is_1_0) {
            (false, _) => Some("close"),
            (true, true) => Some("keep-alive"),
            (true, false) => None,
        };
        assert_eq!(answer.only("connection"), connection, "{name}");
        if persists {
            assert_eq!(client.ask(get("/")).expect(200).text(), "hello", "{name}");
        } else {
            client.end();
        }
    }
}

#[test]
fn many_requests_come_one_after_the_other() {
    let server = server();
    let mut client = server.connect();
    for number in 0..900 {
        let target = format!("/path/{number}");
        assert_eq!(client.ask(get(&target)).text(), target);
    }
}

#[test]
fn empty_lines_before_a_request_are_passed_over() {
    let server = server();
    let mut client = server.connect();
    for lines in 0..=4 {
        let request = format!("{}{}", "\r\n".repeat(lines), get("/"));
        assert_eq!(client.ask(request).expect(200).text(), "hello", "{lines}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = server();
    let mut client = server.connect();
    let requests: String = (0..900).map(|number| get(&format!("/path/{number}"))).collect();
    client.send(requests);
    for number in 0..900 {
        assert_eq!(client.answer().text(), format!("/path/{number}"));
    }
}

#[test]
fn pipelined_requests_may_be_cut_anywhere() {
    let server = server();
    let requests = [
        get("/path/a"),
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nbytes".to_owned(),
        get("/count"),
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
            .to_owned(),
        get("/path/z"),
    ]
    .concat();
    let expected = ["/path/a", "bytes", "3\n2\n1\n", "abc", "/path/z"];
    for cut in 1..requests.len() {
        let mut client = server.connect();
        client.send(&requests[..cut]);
        client.send(&requests[cut..]);
        for text in expected {
            assert_eq!(client.answer().expect(200).text(), text, "cut at {cut}");
        }
    }
    let mut client = server.connect();
    for byte in requests.bytes() {
        client.send([byte]);
    }
    for text in expected {
        assert_eq!(client.answer().expect(200).text(), text);
    }
}

#[test]
fn files_and_streams_keep_their_place_among_pipelined_answers() {
    let (large, small) = (noise(3 * 1024 * 1024), noise(100));
    let server = Live::from_file_with(
        "worker_processes 1; server { listen 127.0.0.1:0; root .; }",
        &[("large", &large), ("small", &small)],
        |server| {
            server.route("GET", "/count", countdown(3)).unwrap();
            server.route("GET", "/path/{rest...}", path()).unwrap();
        },
    );
    let mut client = server.connect();
    let round: String =
        ["/large", "/path/a", "/count", "/small", "/missing", "/path/b"].map(get).concat();
    for _ in 0..4 {
        client.send(&round);
    }
    for _ in 0..4 {
        assert!(client.answer().expect(200).body == large);
        assert_eq!(client.answer().expect(200).text(), "/path/a");
        assert_eq!(client.answer().expect(200).text(), "3\n2\n1\n");
        assert_eq!(client.answer().expect(200).body, small);
        client.answer().expect(404);
        assert_eq!(client.answer().expect(200).text(), "/path/b");
    }
}

#[test]
fn what_is_pipelined_behind_a_last_request_is_not_answered() {
    let server = server();
    for last in ["GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"]
    {
        let mut client = server.connect();
        client.send(format!("{last}{}", get("/path/never")));
        assert!(client.answer().expect(200).closes());
        client.end();
    }
}

#[test]
fn what_is_pipelined_behind_a_last_large_answer_does_not_reset_it_away() {
    let large = noise(10 * 1024 * 1024);
    let server = Live::from_file(
        "worker_processes 1; server { listen 127.0.0.1:0; root .; }",
        &[("large", &large)],
    );
    let mut client = server.connect();
    client.send("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let first = client.take(1);
    client.send(get("/large").repeat(2000));
    let rest = client.rest();
    assert_eq!(first, b"H");
    assert!(rest.ends_with(&large), "{} bytes came", rest.len());
}

fn requests_served(mut client: Client) -> usize {
    for count in 1.. {
        if client.ask(get("/")).expect(200).closes() {
            client.end();
            return count;
        }
    }
    unreachable!()
}

#[test]
fn keepalive_requests_is_the_number_of_requests_on_a_connection() {
    for limit in [1, 2, 7] {
        let options = Options { keepalive_requests: limit, ..one_worker() };
        let server = Live::start(options, |server| server.route("GET", "/", text("x")).unwrap());
        assert_eq!(requests_served(server.connect()) as u64, limit);
    }
}

#[test]
fn keepalive_requests_counts_pipelined_requests_too() {
    let options = Options { keepalive_requests: 5, ..one_worker() };
    let server = Live::start(options, |server| server.route("GET", "/", text("x")).unwrap());
    let mut client = server.connect();
    client.send(get("/").repeat(9));
    let last: Vec<bool> = (0..5).map(|_| client.answer().expect(200).closes()).collect();
    assert_eq!(last, [false, false, false, false, true]);
    client.end();
}

#[test]
fn a_thousand_requests_are_served_by_default() {
    assert_eq!(requests_served(server().connect()), 1000);
}

#[test]
fn keepalive_timeout_zero_closes_after_each_answer() {
    let options = Options { keepalive_timeout: Duration::ZERO, ..one_worker() };
    let server = Live::start(options, |server| server.route("GET", "/", text("x")).unwrap());
    assert_eq!(requests_served(server.connect()), 1);
    let mut client = server.connect();
    assert!(client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").closes());
    client.end();
}

#[test]
fn a_client_that_shuts_its_sending_side_still_gets_its_answers() {
    let server = server();
    let chunked =
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    for (requests, expected) in [
        (get("/"), vec!["hello"]),
        (get("/").repeat(3), vec!["hello"; 3]),
        (chunked.to_owned(), vec!["ab"]),
        (get("/count") + &get("/"), vec!["3\n2\n1\n", "hello"]),
        ("GET /count HTTP/1.0\r\n\r\n".to_owned(), vec!["3\n2\n1\n"]),
    ] {
        let mut client = server.connect();
        client.send(requests);
        client.shut_down();
        for text in expected {
            assert_eq!(client.answer().expect(200).text(), text);
        }
        client.end();
    }
}

#[test]
fn a_large_answer_still_comes_after_the_client_shut_its_sending_side() {
    let large = noise(10 * 1024 * 1024);
    let server = Live::from_file(
        "worker_processes 1; server { listen 127.0.0.1:0; root .; }",
        &[("large", &large)],
    );
    let mut client = server.connect();
    client.send(get("/large").repeat(2));
    client.shut_down();
    assert!(client.answer().expect(200).body == large);
    assert!(client.answer().expect(200).body == large);
    client.end();
}

#[test]
fn a_client_that_ends_within_its_request_is_closed() {
    let server = server();
    for part in [
        "",
        "G",
        "GET / HTTP/1.1\r\nHost: h\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ] {
        let mut client = server.connect();
        client.send(part);
        client.shut_down();
        let rest = client.rest();
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 400 "), "{part:?}: {rest:?}");
    }
}

#[test]
fn a_client_that_leaves_at_any_byte_hurts_nobody() {
    let server = server();
    let request = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nbytes";
    for cut in 0..=request.len() {
        let mut client = server.connect();
        client.send(&request[..cut]);
        client.reset();
    }
    assert_eq!(server.ask(request).text(), "bytes");
}

#[test]
fn a_large_unread_body_does_not_reset_the_refusal_away() {
    let server = server();
    let body = vec![b'x'; 8 * 1024 * 1024];
    let refused: [(&str, u16); 3] = [
        ("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n", 413),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n800000\r\n", 413),
        ("POST /echo HTTP/1.1\r\nContent-Length: 8388608\r\n\r\n", 400),
    ];
    for (head, status) in refused {
        let mut client = server.connect();
        client.send(head);
        client.send(&body);
        let answer: Answer = client.answer().expect(status);
        assert!(answer.closes());
        client.end();
    }
}

#[test]
fn a_unix_socket_serves_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("s").display());
    let server = evl::server::Server::new(one_worker()).unwrap();
    server.listen(&address).unwrap();
    let peer = |x: &mut Exchange<'_>| {
        x.response.write(x.request.peer().as_bytes());
        Ok(Outcome::Answered)
    };
    server.route("GET", "/peer", Box::new(peer)).unwrap();
    server.start().unwrap();
    assert_eq!(server.address(0).unwrap(), address);
    let mut client = Client::connect(&address);
    client.send(get("/peer").repeat(2));
    assert_eq!(client.answer().expect(200).text(), "unix:");
    assert_eq!(client.answer().expect(200).text(), "unix:");
}

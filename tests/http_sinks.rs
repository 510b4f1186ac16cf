// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handlers that take a request's body as it comes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{Exchange, Handler, Outcome, Reject, Sink, Status};
use http::{Live, get, noise, text};
use std::sync::mpsc::{Receiver, Sender, channel};

/// What a sink saw.
#[derive(Debug, PartialEq, Eq)]
enum Saw {
    Head(String),
    Piece(Vec<u8>),
    Dropped,
}

/// Tells of the body as it comes, and answers with its length and the trailers. It refuses pieces that
/// begin with `refuse`, and requests with a field `Refuse`.
struct Counter(Sender<Saw>);

impl Handler for Counter {
    fn handle(&self, x: &mut Exchange<'_>) -> Result<Outcome, Reject> {
        x.response.write(b"no body");
        Ok(Outcome::Answered)
    }

    fn receive(&self, x: &mut Exchange<'_>) -> Result<Option<Box<dyn Sink>>, Reject> {
        x.response.header("X-Dropped", b"1").unwrap();
        assert!(x.request.body().is_empty() && x.request.param("name").is_some());
        if x.request.header("refuse").is_some() {
            return Err(Reject::new(Status::FORBIDDEN, "as asked for"));
        }
        if x.request.header("whole").is_some() {
            return Ok(None);
        }
        let head = format!("{} {}", x.request.method(), x.request.peer().starts_with("127."));
        self.0.send(Saw::Head(head)).unwrap();
        Ok(Some(Box::new(Count { length: 0, saw: self.0.clone() })))
    }
}

struct Count {
    length: usize,
    saw: Sender<Saw>,
}

impl Sink for Count {
    fn take(&mut self, piece: &[u8]) -> Result<(), Reject> {
        assert!(!piece.is_empty());
        self.length += piece.len();
        self.saw.send(Saw::Piece(piece.to_vec())).unwrap();
        if piece.starts_with(b"refuse") {
            return Err(Reject::new(Status::new(422).unwrap(), "as asked for"));
        }
        Ok(())
    }

    fn end(self: Box<Self>, x: &mut Exchange<'_>) -> Result<(), Reject> {
        let name = x.request.param("name").unwrap();
        x.response.write(format!("{name} {}", self.length).as_bytes());
        for (name, value) in x.request.trailers() {
            x.response.write(&[b" ", name, b"=", value].concat());
        }
        Ok(())
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        let _ = self.saw.send(Saw::Dropped);
    }
}

fn server(config: &str) -> (Live, Receiver<Saw>) {
    let (sender, saw) = channel();
    let config = format!("worker_processes 1; {config} server {{ listen 127.0.0.1:0; }}");
    let server = Live::from_file_with(&config, &[], |server| {
        server.route("*", "/in/{name}", Box::new(Counter(sender))).unwrap();
        server.route("GET", "/", text("alive")).unwrap();
    });
    (server, saw)
}

const CHUNKED: &str = "PUT /in/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn pieces_come_as_they_are_sent_and_before_the_whole_is_there() {
    let (server, saw) = server("");
    let mut client = server.connect();
    client.send("POST /in/some HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n");
    assert_eq!(saw.recv().unwrap(), Saw::Head("POST true".to_owned()));
    for piece in ["ab", "c", "def"] {
        client.send(piece);
        assert_eq!(saw.recv().unwrap(), Saw::Piece(piece.into()));
    }
    let answer = client.answer().expect(200);
    assert_eq!(answer.text(), "some 6");
    assert_eq!(answer.only("x-dropped"), None);
    assert_eq!(saw.recv().unwrap(), Saw::Dropped);

    client.send(CHUNKED);
    assert_eq!(saw.recv().unwrap(), Saw::Head("PUT true".to_owned()));
    for (chunk, piece) in [("2\r\nab\r\n", "ab"), ("3;e=f\r\ncde", "cde")] {
        client.send(chunk);
        assert_eq!(saw.recv().unwrap(), Saw::Piece(piece.into()));
    }
    client.send("\r\n0\r\nX-Sum: 9\r\nHost: evil\r\n\r\n".to_owned() + &get("/"));
    assert_eq!(client.answer().expect(200).text(), "x 5 X-Sum=9");
    assert_eq!(client.answer().expect(200).text(), "alive");
}

#[test]
fn without_a_body_there_is_no_sink_and_with_none_the_body_is_whole() {
    let (server, saw) = server("");
    let mut client = server.connect();
    assert_eq!(client.ask(get("/in/x")).expect(200).text(), "no body");
    let whole = "PUT /in/x HTTP/1.1\r\nHost: h\r\nWhole: 1\r\nContent-Length: 2\r\n\r\nab";
    assert_eq!(client.ask(whole).expect(200).text(), "no body");
    let empty = "PUT /in/x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(client.ask(empty).expect(200).text(), "x 0");
    assert_eq!(saw.recv().unwrap(), Saw::Head("PUT true".to_owned()));
}

#[test]
fn a_body_is_asked_for_when_the_sink_wants_it_and_refused_at_once_otherwise() {
    let (server, _saw) = server("");
    let head = |line: &str| {
        let fields = "Content-Length: 2\r\nExpect: 100-continue\r\n";
        format!("PUT /in/x HTTP/1.1\r\nHost: h\r\n{fields}{line}\r\n")
    };
    let mut client = server.connect();
    client.send(head(""));
    client.answer_to_head().expect(100);
    assert_eq!(client.ask("ab").expect(200).text(), "x 2");
    assert!(client.ask(head("Refuse: 1\r\n")).expect(403).closes());
    client.end();
    let mut client = server.connect();
    let refused = "PUT /in/x HTTP/1.1\r\nHost: h\r\nRefuse: 1\r\nContent-Length: 2\r\n\r\n";
    assert!(!client.ask(refused).expect(403).closes());
    assert_eq!(client.ask("ab".to_owned() + &get("/")).expect(200).text(), "alive");
}

#[test]
fn a_sink_that_refuses_a_piece_ends_the_request() {
    let (server, saw) = server("");
    let mut client = server.connect();
    client.send(CHUNKED.to_owned() + "6\r\nrefuse\r\n5\r\nmore");
    assert!(client.answer().expect(422).closes());
    client.end();
    let seen: Vec<Saw> = saw.iter().take(3).collect();
    assert_eq!(seen[1..], [Saw::Piece(b"refuse".into()), Saw::Dropped]);
}

#[test]
fn a_sink_is_dropped_when_its_body_is_not_completed() {
    let (server, saw) = server("client_max_body_size 4;");
    for rest in ["5\r\nabcde\r\n0\r\n\r\n", "x\r\n"] {
        let mut client = server.connect();
        client.send(CHUNKED.to_owned() + rest);
        let status = client.answer().status;
        assert_eq!(status, if rest.starts_with('5') { 413 } else { 400 });
        assert_eq!(saw.iter().nth(1), Some(Saw::Dropped));
    }
    let mut client = server.connect();
    client.send(CHUNKED.to_owned() + "2\r\nab");
    assert_eq!(saw.iter().nth(1), Some(Saw::Piece(b"ab".into())));
    client.reset();
    assert_eq!(saw.recv().unwrap(), Saw::Dropped);
}

#[test]
fn a_large_body_comes_byte_for_byte_and_with_trailers_only_after_it() {
    let body = noise(8 * 1024 * 1024);
    let (server, saw) = server("client_max_body_size 0;");
    let mut client = server.connect();
    client.send(format!("PUT /in/x HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len()));
    client.send(&body);
    assert_eq!(client.answer().expect(200).text(), "x 8388608");
    let mut came = Vec::new();
    for seen in saw.iter().skip(1) {
        let Saw::Piece(piece) = seen else { break };
        came.extend(piece);
    }
    assert!(came == body);
}

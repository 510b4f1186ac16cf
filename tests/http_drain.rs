// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server is stopped while clients of every kind are at it: nobody who was let in is let down.
//!
//! A request has failed if part of its answer came and the rest did not, or if it was the first on its
//! connection and got no answer. A client whose connection ends between two requests, before anything of
//! the next answer came, asks again elsewhere (RFC 9112 section 9.3.1), as does one that was refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{AcceptPolicy, Exchange, Options, Outcome};
use http::{Client, Live, PATIENCE, get, text};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const POLICIES: [AcceptPolicy; 3] =
    [AcceptPolicy::ReusePort, AcceptPolicy::Shared, AcceptPolicy::RoundRobin];

/// Of the answers under load: more than one segment, less than a socket's buffer.
const BODY: usize = 20_000;

/// A connection of a client that expects its end.
struct Visit {
    stream: TcpStream,
    came: Vec<u8>,
    answered: usize,
}

impl Visit {
    /// `None` if the server refuses.
    fn begin(address: &str) -> Option<Self> {
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_nodelay(true).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                Some(Self { stream, came: Vec::new(), answered: 0 })
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => None,
            Err(error) => panic!("connecting: {error}"),
        }
    }

    /// Whether the request could be sent: a connection that has ended need not take it.
    fn send(&mut self, request: &str) -> bool {
        match self.stream.write_all(request.as_bytes()) {
            Ok(()) => true,
            Err(error) => {
                assert!(self.answered > 0, "a new connection takes no request: {error}");
                false
            }
        }
    }

    /// The head of the next answer if it came whole with its body; `None` if the connection has ended
    /// before it.
    fn answer(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.came.windows(4).position(|window| window == b"\r\n\r\n") {
                let whole = end + 4 + BODY;
                if self.came.len() >= whole {
                    let head = String::from_utf8(self.came[..end].to_vec()).unwrap();
                    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
                    assert!(head.contains(&format!("Content-Length: {BODY}")), "{head}");
                    self.came.drain(..whole);
                    self.answered += 1;
                    return Some(head);
                }
            }
            let mut buffer = [0; 64 * 1024];
            let why = match self.stream.read(&mut buffer) {
                Ok(0) => "the end".to_owned(),
                Ok(count) => {
                    self.came.extend_from_slice(&buffer[..count]);
                    continue;
                }
                Err(error) => error.to_string(),
            };
            let (count, answered) = (self.came.len(), self.answered);
            assert!(self.came.is_empty(), "{count} bytes of an answer, then {why}");
            assert!(answered > 0, "no answer on a new connection, but {why}");
            return None;
        }
    }
}

/// Asks one after the other on a connection that is kept as long as the server keeps it.
fn keep(visit: &mut Visit, answers: &AtomicU64) {
    loop {
        let answer = visit.send(&get("/")).then(|| visit.answer()).flatten();
        let Some(head) = answer else { return };
        answers.fetch_add(1, Ordering::Relaxed);
        if head.contains("Connection: close") {
            return;
        }
    }
}

/// Asks once.
fn ask_once(visit: &mut Visit, answers: &AtomicU64) {
    visit.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    visit.answer().unwrap();
    answers.fetch_add(1, Ordering::Relaxed);
}

/// Asks eight times at once. The server may answer fewer: then the last answer says so.
fn pipeline(visit: &mut Visit, answers: &AtomicU64) {
    const DEPTH: usize = 8;
    loop {
        if !visit.send(&get("/").repeat(DEPTH)) {
            return;
        }
        for asked in 0..DEPTH {
            let Some(head) = visit.answer() else {
                assert_eq!(asked, 0, "nothing has announced the end");
                return;
            };
            answers.fetch_add(1, Ordering::Relaxed);
            if head.contains("Connection: close") {
                return;
            }
        }
    }
}

/// Stops a server under load.
fn drain(policy: AcceptPolicy, workers: usize) {
    const CLIENTS: usize = 12;
    let options = Options { accept_policy: policy, workers, ..Options::default() };
    let server = Live::start(options, |server| {
        let body = vec![b'x'; BODY];
        let answer = move |x: &mut Exchange<'_>| {
            x.response.write(&body);
            Ok(Outcome::Answered)
        };
        server.route("GET", "/", Box::new(answer)).unwrap();
    });
    let answers = AtomicU64::new(0);
    let habits = [keep, ask_once, pipeline, ask_once];
    thread::scope(|scope| {
        for habit in habits.iter().cycle().take(CLIENTS) {
            scope.spawn(|| {
                while let Some(mut visit) = Visit::begin(&server.address) {
                    habit(&mut visit, &answers);
                }
            });
        }
        while answers.load(Ordering::Relaxed) < 1000 {
            thread::yield_now();
        }
        server.server.stop(PATIENCE).unwrap();
    });
}

#[test]
fn no_request_fails_while_a_server_stops() {
    thread::scope(|scope| {
        for policy in POLICIES {
            for workers in [1, 3] {
                scope.spawn(move || drain(policy, workers));
            }
        }
    });
}

/// Nothing of a lingering connection is left to be done but to wait for the client.
#[test]
fn stop_waits_no_longer_than_a_second_for_clients_that_do_not_close() {
    let server = Live::with_routes([("GET", "/", text("x"))]);
    let mut clients: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    for client in &mut clients {
        // More than the answer needs has come: the connection lingers.
        client.send("nonsense\r\n\r\nand more");
        client.answer().expect(400);
    }
    let begun = Instant::now();
    server.server.stop(PATIENCE).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    for client in &mut clients {
        client.end();
    }
}

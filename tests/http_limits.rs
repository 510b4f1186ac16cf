// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every limit and time-out by its directive, crossed with a small value.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{Body, Exchange, Outcome, Pull};
use http::{Client, Live, echo, get, noise, text};
use std::time::{Duration, Instant};

/// What the tests set a time-out to.
const SHORT: Duration = Duration::from_secs(1);
/// Long before it.
const PAUSE: Duration = Duration::from_millis(40);

/// A server with one more line of configuration.
fn server(directives: &str) -> Live {
    let config =
        format!("worker_processes 1; {directives} server {{ listen 127.0.0.1:0; root .; }}");
    Live::from_file_with(&config, &[("large", &noise(16 * 1024 * 1024))], |server| {
        server.route("GET", "/", text("hello")).unwrap();
        server.route("POST", "/echo", echo()).unwrap();
        let endless = |x: &mut Exchange<'_>| {
            x.response.stream(Box::new(Endless));
            Ok(Outcome::Answered)
        };
        server.route("GET", "/endless", Box::new(endless)).unwrap();
    })
}

struct Endless;

impl Body for Endless {
    fn pull(&mut self, out: &mut Vec<u8>) -> std::io::Result<Pull> {
        out.resize(out.len() + 4096, b'x');
        Ok(Pull::More)
    }
}

/// Sends the bytes one by one with pauses, until the server says something or ends the connection.
fn drip(client: &mut Client, bytes: &[u8]) -> usize {
    for (count, byte) in bytes.iter().enumerate() {
        client.send([*byte]);
        if !client.is_silent_for(PAUSE) {
            return count + 1;
        }
    }
    panic!("all {} bytes were taken, however slowly", bytes.len());
}

#[test]
fn client_header_timeout_is_for_the_whole_head_and_not_for_each_byte() {
    let server = server("client_header_timeout 1s;");
    let begun = Instant::now();
    let mut client = server.connect();
    let count = drip(&mut client, get("/a-path-that-takes-its-time").as_bytes());
    assert!(begun.elapsed() >= SHORT, "cut after {count} bytes and {:?}", begun.elapsed());
    assert!(client.answer().expect(408).closes());
    client.end();
}

#[test]
fn client_header_timeout_is_for_each_request_of_a_connection() {
    let server = server("client_header_timeout 1s; keepalive_timeout 10s;");
    let mut client = server.connect();
    client.ask(get("/")).expect(200);
    assert!(client.is_silent_for(SHORT * 2), "the pause between requests is keepalive_timeout's");
    client.ask(get("/")).expect(200);
    drip(&mut client, get("/a-path-that-takes-its-time").as_bytes());
    assert!(client.answer().expect(408).closes());
    client.end();
}

#[test]
fn client_header_timeout_closes_a_client_that_says_nothing() {
    let server = server("client_header_timeout 1s;");
    let begun = Instant::now();
    server.connect().end();
    assert!(begun.elapsed() >= SHORT);
}

#[test]
fn client_header_timeout_counts_anew_for_a_pipelined_part() {
    let server = server("client_header_timeout 1s; keepalive_timeout 10s;");
    let mut client = server.connect();
    client.send(get("/") + "GET / HTTP/1.1\r\n");
    client.answer().expect(200);
    assert!(client.answer().expect(408).closes());
    client.end();
}

#[test]
fn client_body_timeout_is_for_pauses_in_a_body() {
    let server = server("client_body_timeout 1s; client_body_min_rate 0;");
    for head in [
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n",
    ] {
        let mut client = server.connect();
        client.send(head);
        let begun = Instant::now();
        for _ in 0..30 {
            client.send("x");
            assert!(client.is_silent_for(PAUSE));
        }
        assert!(begun.elapsed() > SHORT);
        assert!(client.answer().expect(408).closes());
        client.end();
    }
}

#[test]
fn client_body_min_rate_ends_a_body_that_comes_too_slowly() {
    let server = server("client_body_timeout 1s; client_body_min_rate 1000;");
    for target in ["/echo", "/large"] {
        let mut client = server.connect();
        client.send(format!("POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n"));
        let begun = Instant::now();
        if target == "/large" {
            client.answer().expect(405);
        }
        drip(&mut client, &[b'x'; 200]);
        assert!(begun.elapsed() >= SHORT, "{target}: {:?}", begun.elapsed());
        if target == "/echo" {
            assert!(client.answer().expect(408).closes());
        }
        client.end();
    }
}

#[test]
fn client_body_min_rate_is_an_average_that_client_body_timeout_is_granted_on_top_of() {
    let server = server("client_body_timeout 1s; client_body_min_rate 1000;");
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5030\r\n\r\n");
    client.send([b'x'; 5000]);
    let begun = Instant::now();
    for _ in 0..30 {
        assert!(client.is_silent_for(PAUSE * 2));
        client.send("x");
    }
    assert!(begun.elapsed() > SHORT * 2);
    assert_eq!(client.answer().expect(200).body.len(), 5030);
}

#[test]
fn client_body_min_rate_has_a_default_that_no_body_of_a_few_bytes_a_second_meets() {
    let server = server("client_body_timeout 1s;");
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n");
    drip(&mut client, &[b'x'; 200]);
    assert!(client.answer().expect(408).closes());
}

#[test]
fn client_body_buffer_size_is_what_of_a_body_is_kept_in_memory() {
    let upload = |server: &Live, length: usize| {
        let body = noise(length);
        let mut client = server.connect();
        client.send(format!("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n"));
        client.send_regardless(&body);
        let answer = client.answer();
        assert!(answer.status != 200 || answer.body == body);
        answer.status
    };
    // A folder that is not there takes no file.
    for (directive, most) in [("", 16 * 1024), ("client_body_buffer_size 1000;", 1000)] {
        let server = server(&format!("{directive} client_body_temp_path nowhere;"));
        assert_eq!(upload(&server, most), 200);
        assert_eq!(upload(&server, most + 1), 500);
    }
    let server = server("client_body_buffer_size 1000; client_body_temp_path .;");
    for length in [1000, 1001, 65_536, 1024 * 1024] {
        assert_eq!(upload(&server, length), 200);
    }
    let left: Vec<_> = std::fs::read_dir(server.path(".")).unwrap().collect();
    assert_eq!(left.len(), 2, "only the configuration and its file: {left:?}");
}

/// A client that goes on sending after its last answer.
#[test]
fn lingering_time_and_lingering_timeout_bound_how_long_a_closed_connection_is_read() {
    let refused = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n";
    let linger = |directives: &str, sends: bool| {
        let server = server(directives);
        let mut client = server.connect();
        client.ask(refused).expect(413);
        let begun = Instant::now();
        client.end();
        // The server has shut its side, and reads on until it closes: then sending is answered by a
        // reset.
        while client.send_if_taken("x") {
            if !sends {
                break;
            }
            assert!(begun.elapsed() < SHORT * 20, "{directives}");
            std::thread::park_timeout(PAUSE);
        }
        begun.elapsed()
    };
    let bounded = linger("lingering_time 2s; lingering_timeout 1s;", true);
    assert!(bounded >= SHORT * 2, "{bounded:?}");
    let server = server("lingering_time 10s; lingering_timeout 1s;");
    let mut client = server.connect();
    client.ask(refused).expect(413);
    client.end();
    let begun = Instant::now();
    let mut others = server.connect();
    assert!(others.is_silent_for(SHORT * 3));
    client.send_if_taken("x");
    std::thread::park_timeout(PAUSE);
    assert!(!client.send_if_taken("x"), "still read after {:?}", begun.elapsed());
}

#[test]
fn client_body_timeout_ends_a_body_that_nobody_wants() {
    let server = server("client_body_timeout 1s;");
    let mut client = server.connect();
    client.send("POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nx");
    client.answer().expect(405);
    client.end();
}

#[test]
fn send_timeout_cuts_a_client_that_never_reads() {
    let server = server("send_timeout 1s;");
    for target in ["/large", "/endless"] {
        let mut client = Client::connect_with(&server.address, |socket| {
            socket.set_recv_buffer_size(4096).unwrap();
        });
        client.send(get(target).repeat(3));
        // What others get meanwhile is how this test lets time pass.
        let begun = Instant::now();
        while begun.elapsed() < SHORT * 4 {
            server.get("/").expect(200);
        }
        let came = client.rest_or_reset().len();
        assert!(came < 16 * 1024 * 1024, "{target}: {came} bytes");
    }
}

#[test]
fn send_timeout_is_for_pauses_and_not_for_the_whole_answer() {
    let server = server("send_timeout 1s;");
    let mut client = Client::connect_with(&server.address, |socket| {
        socket.set_recv_buffer_size(64 * 1024).unwrap();
    });
    let begun = Instant::now();
    client.send(get("/large"));
    let mut rest = 16 * 1024 * 1024;
    let mut idle = server.connect();
    while rest > 0 {
        let piece = rest.min(512 * 1024);
        client.take(piece);
        rest -= piece;
        assert!(idle.is_silent_for(PAUSE * 2));
    }
    assert!(begun.elapsed() > Duration::from_secs(1));
}

#[test]
fn keepalive_timeout_closes_an_idle_connection() {
    let server = server("keepalive_timeout 1s;");
    for target in ["/", "/missing", "/large"] {
        let mut client = server.connect();
        let begun = Instant::now();
        client.ask(get(target));
        client.end();
        assert!(begun.elapsed() >= SHORT, "{target}: {:?}", begun.elapsed());
    }
}

#[test]
fn keepalive_timeout_begins_after_each_answer() {
    let server = server("keepalive_timeout 1s;");
    let mut client = server.connect();
    for _ in 0..30 {
        client.ask(get("/")).expect(200);
        assert!(client.is_silent_for(PAUSE));
    }
    client.end();
}

#[test]
fn client_max_body_size_counts_the_content() {
    let server = server("client_max_body_size 10;");
    let length = |length: usize, body: &str| {
        format!("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let chunked = |body: &str| {
        format!("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
    };
    let mut client = server.connect();
    assert_eq!(client.ask(length(10, "0123456789")).expect(200).text(), "0123456789");
    assert_eq!(client.ask(length(0, "")).expect(200).text(), "");
    let small = chunked("4\r\nabcd\r\n6\r\nefghij\r\n0\r\n\r\n");
    assert_eq!(client.ask(small).expect(200).text(), "abcdefghij");
    for refused in [
        length(11, ""),
        length(11, "0123456789a"),
        length(usize::MAX, ""),
        chunked("b\r\n"),
        chunked("4\r\nabcd\r\n7\r\n"),
        chunked("4\r\nabcd\r\n6\r\nefghij\r\n1\r\nk\r\n0\r\n\r\n"),
    ] {
        let mut client = server.connect();
        let answer = client.ask(&refused).expect(413);
        assert!(answer.closes(), "{refused:?}");
        client.end();
    }
}

#[test]
fn client_max_body_size_holds_for_bodies_that_nobody_wants() {
    let server = server("client_max_body_size 10;");
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789");
    client.answer().expect(200);
    client.ask("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n").expect(413);
    client.end();
}

/// Nothing but its end, or its limit, tells how large a chunked body is.
#[test]
fn client_max_body_size_holds_for_chunked_bodies_that_nobody_wants() {
    let config = "worker_processes 1; client_max_body_size 10; server { listen 127.0.0.1:0; root .;
                  location = /text { return 200 text; } location = /any { return 200 any;
                  client_max_body_size 0; } }";
    let server = Live::from_file(config, &[("file", b"file")]);
    let head = |target: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    };
    for target in ["/text", "/file", "/missing"] {
        let mut client = server.connect();
        client.send(head(target) + "a\r\n0123456789\r\n");
        assert!(client.is_silent_for(PAUSE), "{target}");
        client.send("1\r\n");
        assert!(client.answer().expect(413).closes(), "{target}");
        client.end();
    }
    let mut client = server.connect();
    let small = "a\r\n0123456789\r\n0\r\nA: b\r\n\r\n";
    assert_eq!(client.ask(head("/text") + small).expect(200).text(), "text");
    assert_eq!(client.ask(head("/file") + small).expect(200).text(), "file");
    client.ask(head("/any")).expect(200);
    client.send("fff\r\n");
}

#[test]
fn client_max_body_size_zero_is_no_limit() {
    let server = server("client_max_body_size 0;");
    let body = noise(3 * 1024 * 1024);
    let mut client = server.connect();
    client
        .send(format!("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len()));
    client.send(&body);
    assert!(client.answer().expect(200).body == body);
}

#[test]
fn client_max_body_size_is_one_mebibyte_by_default_and_can_differ_by_location() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root .;
                  location /small/ { client_max_body_size 4; } }";
    let server = Live::from_file_with(config, &[], |server| {
        server.route("POST", "/small/echo", echo()).unwrap();
        server.route("POST", "/echo", echo()).unwrap();
    });
    let request = |path: &str, length: usize| {
        let body = "x".repeat(length);
        format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let mebibyte = 1024 * 1024;
    let mut client = server.connect();
    assert_eq!(client.ask(request("/echo", mebibyte)).expect(200).body.len(), mebibyte);
    client.ask(request("/small/echo", 4)).expect(200);
    client.ask(request("/echo", 5)).expect(200);
    client.ask(request("/small/echo", 5)).expect(413);
    server.ask(request("/echo", mebibyte + 1)).expect(413);
    let chunked = |path: &str, chunk: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}")
    };
    server.ask(chunked("/small/echo", "5\r\n")).expect(413);
    server.ask(chunked("/echo", "5\r\nabcde\r\n0\r\n\r\n")).expect(200);
}

#[test]
fn large_client_header_buffers_bound_the_request_line() {
    let server = server("large_client_header_buffers 2 256;");
    let request = |length: usize| {
        let line = "GET / HTTP/1.1\r\n".len();
        format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(length - line))
    };
    server.ask(request(256)).expect(404);
    server.ask(request(257)).expect(414);
    server.ask(format!("GET /{}", "a".repeat(300))).expect(414);
}

#[test]
fn large_client_header_buffers_bound_the_head() {
    let server = server("large_client_header_buffers 2 256;");
    let request = |length: usize| {
        let rest = "GET / HTTP/1.1\r\nHost: h\r\nA: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n\r\n", "a".repeat(length - rest))
    };
    server.ask(request(512)).expect(200);
    server.ask(request(513)).expect(431);
    let many = "A: b\r\n".repeat(90);
    server.ask(format!("GET / HTTP/1.1\r\nHost: h\r\n{many}\r\n")).expect(431);
}

#[test]
fn a_hundred_fields_are_taken_by_default() {
    let server = server("");
    let request =
        |count: usize| format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "A: b\r\n".repeat(count - 1));
    server.ask(request(100)).expect(200);
    server.ask(request(101)).expect(431);
    let trailers = |count: usize| {
        let head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
        format!("{head}{}\r\n", "A: b\r\n".repeat(count))
    };
    server.ask(trailers(100)).expect(200);
    server.ask(trailers(101)).expect(431);
}

#[test]
fn max_headers_is_the_number_of_fields() {
    let request =
        |count: usize| format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "A: b\r\n".repeat(count - 1));
    for limit in [1, 7, 256] {
        let server = server(&format!("max_headers {limit};"));
        server.ask(request(limit)).expect(200);
        server.ask(request(limit + 1)).expect(431);
    }
}

#[test]
fn a_client_that_pipelines_and_does_not_read_is_not_read_from() {
    let config = "worker_processes 1; keepalive_requests 1000000; server {
                  listen 127.0.0.1:0; root .; location = /kib { return 200 $args; } }";
    let server = Live::from_file(config, &[]);
    let target = format!("/kib?{}", "x".repeat(1024));
    let requests = get(&target).repeat(64 * 1024);
    let mut client = server.connect();
    let sent = client.send_until_full(requests.as_bytes(), Duration::from_millis(500));
    assert!(sent < requests.len(), "the server took {sent} bytes of requests");
    server.get(&target).expect(200);
    let count = sent / get(&target).len();
    for _ in 0..count {
        assert_eq!(client.answer().expect(200).body.len(), 1024);
    }
    client.send(&requests.as_bytes()[sent..(count + 1) * get(&target).len()]);
    assert_eq!(client.answer().expect(200).body.len(), 1024);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `benches/count` counts the instructions and system calls of: `costs <case> <times>` does one thing
//! so many times, on its first thread. Two runs with different times tell what one of them takes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench fails by panic")]
#![allow(dead_code, unused_imports, unreachable_pub, reason = "little of the layer is measured")]

#[path = "../src/http/mod.rs"]
mod http;

use evl::server::{Exchange, Options, Outcome, Server};
use http::h1::decoder::{Decoder, Limits, Step};
use http::h1::encoder::{self, BodyFraming, ResponseHead};
use http::h1::head::{Head, Version};
use http::status::Status;
use std::env;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const SHORT: &str = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// What a browser sends.
const BROWSER: &str = "GET /hello HTTP/1.1\r\n\
    Host: 127.0.0.1:8080\r\n\
    Connection: keep-alive\r\n\
    Cache-Control: max-age=0\r\n\
    sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/124.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Sec-Fetch-Site: none\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-US,en;q=0.9\r\n\r\n";

const UPLOAD: &str = "POST /echo HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: 1024\r\n\r\n";

/// Requests that are sent at once.
const PIPELINED: usize = 16;

/// Answers of one connection.
const UNLIMITED: u64 = u64::MAX;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [case, times, address @ ..] = &arguments[..] else {
        println!("benches/count runs this");
        return;
    };
    let times = times.parse().unwrap();
    match case.as_str() {
        "decode" => decode(SHORT, times),
        "decode-browser" => decode(BROWSER, times),
        "encode" => encode(times),
        client @ ("request" | "request-browser" | "pipelined" | "upload" | "connection") => {
            match address {
                [address] => ask(client, address, times),
                _ => serve(client, times),
            }
        }
        other => panic!("no case is named {other}"),
    }
}

fn decode(bytes: &str, times: usize) {
    let limits = Limits { request_line: 8192, head: 32_768, headers: 100, body: 1 << 20 };
    let (mut decoder, mut head) = (Decoder::new(), Head::default());
    for _ in 0..times {
        let bytes = black_box(bytes.as_bytes());
        assert_eq!(decoder.step(bytes, &limits, &mut head), Ok((bytes.len(), Step::Head)));
        assert_eq!(decoder.step(&[], &limits, &mut head), Ok((0, Step::End)));
    }
}

fn encode(times: usize) {
    let answer = ResponseHead {
        version: Version::Http11,
        status: Status::OK,
        common: b"Server: evl/0.1.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        framing: BodyFraming::Length(13),
        persistent: true,
        fields: b"Content-Type: text/plain\r\n",
    };
    let mut out = Vec::new();
    for _ in 0..times {
        encoder::head(black_box(&mut out), black_box(&answer));
        out.clear();
    }
}

/// Answers so many requests, which another process sends one after the other.
fn serve(case: &str, times: usize) {
    let options = Options {
        workers: 1,
        caller_threads: true,
        keepalive_requests: UNLIMITED,
        ..Options::default()
    };
    let server = Arc::new(Server::new(options).unwrap());
    let hello = |x: &mut Exchange<'_>| {
        x.response.write(b"Hello, World!");
        Ok(Outcome::Answered)
    };
    let echo = |x: &mut Exchange<'_>| {
        x.response.write(x.request.body());
        Ok(Outcome::Answered)
    };
    server.route("GET", "/hello", Box::new(hello)).unwrap();
    server.route("POST", "/echo", Box::new(echo)).unwrap();
    server.listen("127.0.0.1:0").unwrap();
    server.start().unwrap();
    let mut client = Command::new(env::current_exe().unwrap());
    client.args([case, &times.to_string(), &server.address(0).unwrap()]);
    let ending = Arc::clone(&server);
    let end = thread::spawn(move || {
        let status = client.status();
        ending.stop(Duration::ZERO).unwrap();
        assert!(status.unwrap().success());
    });
    server.work(0).unwrap();
    end.join().unwrap();
}

fn ask(case: &str, address: &str, times: usize) {
    let request = match case {
        "request-browser" => BROWSER.to_owned(),
        "upload" => format!("{UPLOAD}{}", "x".repeat(1024)),
        "pipelined" => SHORT.repeat(PIPELINED),
        "connection" => SHORT.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
        _ => SHORT.to_owned(),
    };
    let end: &[u8] = if case == "upload" { b"xxxx" } else { b"World!" };
    let mut room = [0; 8192];
    let mut connection = None;
    for _ in 0..times {
        let mut stream = connection.take().unwrap_or_else(|| TcpStream::connect(address).unwrap());
        stream.write_all(request.as_bytes()).unwrap();
        let count = stream.read(&mut room).unwrap();
        assert!(room[..count].ends_with(end));
        assert_eq!(count % if case == "pipelined" { PIPELINED } else { 1 }, 0);
        if case == "connection" {
            assert_eq!(stream.read(&mut room).unwrap(), 0);
        } else {
            connection = Some(stream);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many clients that send or read as slowly as they may: others are served as if they were not there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use http::{Client, Live, echo, get, noise, text};

/// Of each kind.
const SLOW: usize = 100;
const LARGE: usize = 4 * 1024 * 1024;

fn server() -> Live {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root .; }";
    Live::from_file_with(config, &[("large", &noise(LARGE))], |server| {
        server.route("GET", "/", text("hello")).unwrap();
        server.route("POST", "/echo", echo()).unwrap();
    })
}

/// A client that has asked this, with little room for what comes.
fn slow(server: &Live, request: &str) -> Client {
    let mut client = Client::connect_with(&server.address, |socket| {
        socket.set_recv_buffer_size(4096).unwrap();
    });
    client.send(request);
    client
}

#[test]
fn an_honest_client_is_served_beside_slow_ones() {
    let server = server();
    let head = "GET / HTTP/1.1\r\nHost: h\r\n";
    let body = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx";
    let requests = ["", head, body, &get("/large")];
    let mut clients = Vec::new();
    for _ in 0..SLOW {
        clients.extend(requests.map(|request| slow(&server, request)));
        assert_eq!(server.get("/").expect(200).text(), "hello");
    }
    // They go on, byte by byte, and so does the honest one.
    for piece in ["X", "-", "A", ":", "b"] {
        for client in clients.chunks_exact_mut(requests.len()) {
            client[1].send(piece);
            client[2].send(piece);
            assert_eq!(client[3].take(10).len(), 10);
        }
        assert_eq!(server.ask(get("/large")).expect(200).body.len(), LARGE);
    }
    // None of them was cut for being slow within its time.
    for client in clients.chunks_exact_mut(requests.len()) {
        client[1].send("\r\n\r\n");
        assert_eq!(client[1].answer().expect(200).text(), "hello");
    }
}

/// What the kernel keeps for the client at this port and has no acknowledgement for, in bytes
/// (proc(5), `/proc/net/tcp`).
#[cfg(target_os = "linux")]
fn unacknowledged(client_port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let peer = format!(":{client_port:04X}");
    let connection = table
        .lines()
        .find(|line| line.split_whitespace().nth(2).is_some_and(|remote| remote.ends_with(&peer)));
    let queues = connection.unwrap().split_whitespace().nth(4).unwrap();
    usize::from_str_radix(queues.split(':').next().unwrap(), 16).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn little_is_kept_in_the_kernel_for_a_client_that_never_reads() {
    let server = server();
    let mut port = 0;
    let mut client = Client::connect_with(&server.address, |socket| {
        socket.set_recv_buffer_size(4096).unwrap();
        let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        port = socket.local_addr().unwrap().as_socket().unwrap().port();
    });
    client.send(get("/large"));
    // Who is asked after it is answered after the turn in which it is sent what there is room for.
    while unacknowledged(port) == 0 {
        server.get("/").expect(200);
    }
    (0..10).for_each(|_| drop(server.get("/").expect(200)));
    let kept = unacknowledged(port);
    assert!(kept < 400 * 1024, "{kept} bytes");
}

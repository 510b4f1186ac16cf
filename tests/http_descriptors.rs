// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors run out, and come back: a server in a process of its own, looked at from outside.
//!
//! [`serve`] is not a test of its own: it is what the others run as that process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use http::{Client, Live, PATIENCE, get, noise, write_file};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Tells the process that it is to serve.
const ROLE: &str = "EVL_TEST_SERVE";

#[test]
fn serve() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www; autoindex on;
        location /anew/ { alias www/; open_file_cache off; } }";
    let large = noise(100_000);
    let server = Live::from_file(config, &[("www/small", b"small"), ("www/large", &large)]);
    for number in 0..HUGE {
        let name = format!("www/huge/{number}");
        write_file(&server.path(&name), b"");
        fs::File::create(server.path(&name)).unwrap().set_len(1 << 30).unwrap();
    }
    println!("\nserving {}", server.address);
    // The parent ends this process when it has seen enough.
    std::io::stdin().lines().for_each(drop);
}

/// How many huge files there are.
const HUGE: usize = 100;

/// A process that serves, ended with this.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts one that may have at most this many descriptors.
    fn start(descriptors: usize) -> Self {
        let script = format!("ulimit -n {descriptors} && exec \"$0\" --exact serve --nocapture");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| Some(line.ok()?.strip_prefix("serving ")?.to_owned()));
        Self { child, address: address.unwrap() }
    }

    fn connect(&self) -> Client {
        Client::connect(&self.address)
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Waits until the process has no more than this many descriptors.
    fn settles_at(&self, descriptors: usize) {
        let begun = Instant::now();
        while self.descriptors() > descriptors {
            assert!(begun.elapsed() < PATIENCE, "{} descriptors are open", self.descriptors());
            std::thread::yield_now();
        }
    }

    /// The processor time that the process has used, in hundredths of a second (proc(5)).
    fn processor_time(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = stat.rsplit_once(") ").unwrap().1;
        let fields: Vec<&str> = after_name.split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn thousands_of_connections_leave_nothing_open() {
    let process = Process::start(1024);
    let mut first = process.connect();
    first.ask(get("/small")).expect(200);
    first.ask(get("/large")).expect(200);
    let before = process.descriptors() - 1;
    drop(first);
    for _ in 0..500 {
        process.connect().ask(get("/small")).expect(200);
        process.connect().ask(get("/large")).expect(200);
        process.connect().ask(get("/anew/large")).expect(200);
        process.connect().ask("HEAD /anew/large HTTP/1.1\r\nHost: h\r\n\r\n").expect(200);
        process.connect().ask(get("/")).expect(200);
        process.connect().ask(get("/missing")).expect(404);
        let mut refused = process.connect();
        refused.send("nonsense\r\n\r\n");
        refused.answer().expect(400);
        let mut leaves = process.connect();
        leaves.send(get("/anew/large"));
        leaves.reset();
        drop(process.connect());
    }
    process.settles_at(before);
}

#[test]
fn an_answer_to_head_keeps_no_file_open() {
    let process = Process::start(1024);
    let mut client = process.connect();
    client.ask(get("/small")).expect(200);
    let before = process.descriptors();
    client.ask("HEAD /anew/large HTTP/1.1\r\nHost: h\r\n\r\n").expect(200);
    process.settles_at(before);
}

#[test]
fn a_server_out_of_descriptors_serves_on_and_recovers() {
    const MOST: usize = 40;
    let process = Process::start(MOST);
    let mut first = process.connect();
    first.ask(get("/small")).expect(200);
    let mut waiting = Vec::new();
    for _ in 0..MOST * 2 {
        let mut client = process.connect();
        client.send("GET / HTTP/1.1\r\n");
        waiting.push(client);
    }
    while process.descriptors() < MOST {
        std::thread::yield_now();
    }
    let used = process.processor_time();
    let mut last = waiting.pop().unwrap();
    assert!(last.is_silent_for(Duration::from_secs(1)), "accepted beyond the limit");
    let used = process.processor_time() - used;
    assert!(used < 30, "{used} hundredths of a second of one were spent on waiting");
    // The idle one made room; those that were accepted are served all the while, if not with files.
    first.end();
    let mut accepted = waiting.remove(0);
    accepted.send("Host: h\r\n\r\n");
    assert_eq!(accepted.answer().expect(503).only("retry-after"), Some("1"));
    drop(waiting);
    last.send("Host: h\r\n\r\n");
    last.answer().expect(200);
    process.connect().ask(get("/large")).expect(200);
}

/// Connections at rest hold every descriptor.
#[test]
fn idle_connections_make_room_for_new_ones_the_oldest_first() {
    const MOST: usize = 40;
    let process = Process::start(MOST);
    let mut idle: Vec<Client> = Vec::new();
    for _ in 0..MOST * 3 {
        let mut client = process.connect();
        client.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").expect(204);
        idle.push(client);
    }
    let mut youngest = idle.pop().unwrap();
    // A file needs one more.
    if youngest.ask(get("/small")).status == 503 {
        youngest.ask(get("/small")).expect(200);
    }
    for client in idle.iter_mut().take(MOST) {
        client.end();
    }
    // A few at a time have to go.
    for client in idle.iter_mut().rev().take(MOST / 4) {
        client.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").expect(204);
    }
}

/// With the last descriptor in use the server waits like any other.
#[test]
fn a_server_without_a_descriptor_to_spare_spends_nothing_on_waiting() {
    const MOST: usize = 40;
    let process = Process::start(MOST);
    let mut clients = Vec::new();
    while process.descriptors() < MOST {
        let mut client = process.connect();
        client.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").expect(204);
        clients.push(client);
    }
    let used = process.processor_time();
    assert!(clients[0].is_silent_for(Duration::from_secs(1)));
    let used = process.processor_time() - used;
    assert!(used < 30, "{used} hundredths of a second of one were spent on waiting");
}

/// Files that are kept for the next request make room for all else.
#[test]
fn files_that_are_kept_open_are_the_first_to_go() {
    const MOST: usize = 40;
    let process = Process::start(MOST);
    let mut clients: Vec<Client> = (0..MOST / 4).map(|_| process.connect()).collect();
    for number in 0..HUGE {
        let request = format!("HEAD /huge/{number} HTTP/1.1\r\nHost: h\r\n\r\n");
        clients[0].ask(request).expect(200);
    }
    clients[0].ask(get("/large")).expect(200);
    clients.extend((0..MOST / 4).map(|_| process.connect()));
    for client in &mut clients {
        client.ask(get("/small")).expect(200);
    }
}

/// Files that nobody reads hold the descriptors that idle connections leave.
#[test]
fn a_file_that_no_descriptor_is_left_for_can_be_asked_for_again() {
    const MOST: usize = 40;
    let process = Process::start(MOST);
    let mut clients: Vec<Client> = (0..MOST / 2).map(|_| process.connect()).collect();
    for client in &mut clients {
        client.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").expect(204);
    }
    let refused = clients.iter_mut().rev().enumerate().find_map(|(number, client)| {
        client.send(get(&format!("/huge/{number}")));
        let answer = client.answer_to_head();
        (answer.status == 503).then_some((client, answer))
    });
    let (client, answer) = refused.unwrap();
    assert_eq!(answer.only("retry-after"), Some("1"));
    assert!(!answer.closes());
    client.take(answer.only("content-length").unwrap().parse().unwrap());
    client.ask(get("/small")).expect(200);
    clients[0].end();
}

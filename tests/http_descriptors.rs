// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors run out, and come back: a server in a process of its own, looked at from outside.
//!
//! [`serve`] is not a test of its own: it is what the others run as that process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{Exchange, Outcome, Server};
use http::{Client, Live, PATIENCE, get, noise, write_file};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Tells the process that it is to serve, and gives the first lines of its configuration.
const ROLE: &str = "EVL_TEST_SERVE";

/// The server of the process that serves.
static SERVER: OnceLock<Arc<Server>> = OnceLock::new();

#[test]
fn serve() {
    let Ok(lines) = std::env::var(ROLE) else { return };
    let config = format!(
        "{lines} server {{ listen 127.0.0.1:0; root www; autoindex on;
        location /anew/ {{ alias www/; open_file_cache off; }} }}"
    );
    let large = noise(100_000);
    let files: [(&str, &[u8]); 2] = [("www/small", b"small"), ("www/large", &large)];
    let server = Live::from_file_with(&config, &files, |server| {
        let turns = |x: &mut Exchange<'_>| {
            let server = SERVER.get().unwrap();
            let workers = 0..server.workers().unwrap();
            let turns: u64 = workers.map(|it| server.counters(it).unwrap().turns).sum();
            x.response.write(turns.to_string().as_bytes());
            Ok(Outcome::Answered)
        };
        server.route("GET", "/turns", Box::new(turns)).unwrap();
    });
    SERVER.set(Arc::clone(&server.server)).ok().unwrap();
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
    /// Starts one with one worker that may have at most this many descriptors.
    fn start(descriptors: usize) -> Self {
        Self::start_with(descriptors, "worker_processes 1;")
    }

    /// As [`start`](Self::start), with these lines before its `server`.
    fn start_with(descriptors: usize, lines: &str) -> Self {
        let script = format!("ulimit -n {descriptors} && exec \"$0\" --exact serve --nocapture");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env(ROLE, lines)
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

/// Of several workers, one may have the idle connection and another no room.
#[test]
fn a_server_out_of_descriptors_serves_on_and_recovers() {
    std::thread::scope(|scope| {
        for policy in ["reuseport", "shared", "round_robin"] {
            for workers in [1, 3] {
                let lines = format!("worker_processes {workers}; accept_policy {policy};");
                scope.spawn(move || run_out_and_recover(&lines));
            }
        }
    });
}

fn run_out_and_recover(lines: &str) {
    const MOST: usize = 60;
    let process = Process::start_with(MOST, lines);
    let turns = |client: &mut Client| client.answer().expect(200).text().parse::<u64>().unwrap();
    let mut first = process.connect();
    first.ask(get("/anew/small")).expect(200);
    let begin = |mut client: Client, target: &str| {
        client.send(format!("GET {target} HTTP/1.1\r\n"));
        client
    };
    // Three that are accepted for certain, and more than can be.
    let [mut before, mut after, mut accepted] = ["/turns", "/turns", "/anew/small"].map(|target| {
        let mut client = process.connect();
        client.ask(get("/anew/small")).expect(200);
        begin(client, target)
    });
    let mut waiting: Vec<Client> =
        (0..MOST * 2).map(|_| begin(process.connect(), "/turns")).collect();
    // The idle one makes room.
    first.end();
    let mut last = waiting.pop().unwrap();
    before.send("Host: h\r\n\r\n");
    let used = turns(&mut before);
    // It has fallen idle, too.
    before.end();
    assert!(last.is_silent_for(Duration::from_secs(1)), "{lines} accepted beyond the limit");
    after.send("Host: h\r\n\r\n");
    let used = turns(&mut after) - used;
    assert!(used < 500, "{lines} woke up {used} times in a second");
    after.end();
    // Those that were accepted are served all the while, if not with files.
    // A descriptor that one worker let go of is free until another has accepted with it. With the next
    // request begun, the connection is never idle.
    let ask = |_| {
        accepted.send("Host: h\r\n\r\nGET /anew/small HTTP/1.1\r\n");
        accepted.answer()
    };
    let answer = (0..1000).map(ask).find(|answer| answer.status != 200).unwrap();
    assert_eq!((answer.status, answer.only("retry-after")), (503, Some("1")), "{lines}");
    drop(waiting);
    last.send("Host: h\r\n\r\n");
    last.answer().expect(200);
    process.settles_at(MOST / 2);
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
    let turns = |client: &mut Client| client.ask(get("/turns")).text().parse::<u64>().unwrap();
    let used = turns(&mut clients[0]);
    assert!(clients[0].is_silent_for(Duration::from_secs(1)));
    let used = turns(&mut clients[0]) - used;
    assert!(used < 100, "woke up {used} times in a second");
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

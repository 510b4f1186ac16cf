// SPDX-License-Identifier: MIT OR Apache-2.0
//! How connections come to the workers, how many a worker takes, and what it counts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::{AcceptPolicy, Counters, Exchange, Options, Outcome, Server};
use http::{Client, Live, PATIENCE, get, text};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const POLICIES: [AcceptPolicy; 3] =
    [AcceptPolicy::ReusePort, AcceptPolicy::Shared, AcceptPolicy::RoundRobin];

/// The beginning of a request, after which a connection is not idle.
const BEGUN: &str = "GET / HTTP/1.1\r\n";
/// Its end.
const ENDED: &str = "Host: h\r\n\r\n";

fn options(policy: AcceptPolicy, workers: usize, worker_connections: u64) -> Options {
    Options { accept_policy: policy, workers, worker_connections, ..Options::default() }
}

/// A server that answers `x` at `/`.
fn serve(policy: AcceptPolicy, workers: usize, worker_connections: u64) -> Live {
    Live::start(options(policy, workers, worker_connections), |server| {
        server.route("GET", "/", text("x")).unwrap();
    })
}

fn counters(server: &Server) -> Vec<Counters> {
    (0..server.workers().unwrap()).map(|worker| server.counters(worker).unwrap()).collect()
}

/// The counters of all workers, as soon as they are so.
fn counters_once(server: &Server, expected: impl Fn(&[Counters]) -> bool) -> Vec<Counters> {
    let begun = Instant::now();
    loop {
        let counters = counters(server);
        if expected(&counters) {
            return counters;
        }
        assert!(begun.elapsed() < PATIENCE, "{counters:?}");
        thread::yield_now();
    }
}

fn sum(counters: &[Counters], what: impl Fn(&Counters) -> u64) -> u64 {
    counters.iter().map(what).sum()
}

fn begin(server: &Live) -> Client {
    let mut client = server.connect();
    client.send(BEGUN);
    client
}

#[test]
fn workers_take_turns_exactly() {
    let server = serve(AcceptPolicy::RoundRobin, 4, 0);
    let mut clients: Vec<Client> = (0..40).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.ask(get("/")).expect(200);
    }
    let all = |counters: &[Counters]| sum(counters, |it| it.requests) == 40;
    for worker in counters_once(&server.server, all) {
        assert_eq!((worker.accepted, worker.open, worker.requests, worker.shed), (10, 10, 10, 0));
    }
    drop(clients);
    counters_once(&server.server, |counters| sum(counters, |it| it.open) == 0);
    for _ in 0..40 {
        server.get("/").expect(200);
    }
    let all = |counters: &[Counters]| sum(counters, |it| it.requests) == 80;
    for worker in counters_once(&server.server, all) {
        assert_eq!((worker.accepted, worker.requests), (20, 20));
    }
}

#[test]
fn every_policy_counts_each_connection_once() {
    for policy in POLICIES {
        let server = serve(policy, 3, 0);
        let mut clients: Vec<Client> = (0..60).map(|_| server.connect()).collect();
        for client in &mut clients {
            for _ in 0..2 {
                assert_eq!(client.ask(get("/")).expect(200).text(), "x", "{policy:?}");
            }
        }
        let all = |counters: &[Counters]| sum(counters, |it| it.requests) == 120;
        let counters = counters_once(&server.server, all);
        let sums = [
            sum(&counters, |it| it.accepted),
            sum(&counters, |it| it.open),
            sum(&counters, |it| it.shed),
        ];
        assert_eq!(sums, [60, 60, 0], "{policy:?}: {counters:?}");
        assert!(sum(&counters, |it| it.turns) > 60, "{policy:?}: {counters:?}");
    }
}

/// The kernel's hash gives none of three workers nothing of 300 connections.
#[cfg(target_os = "linux")]
#[test]
fn own_listeners_get_a_share_each() {
    let server = serve(AcceptPolicy::ReusePort, 3, 0);
    for _ in 0..300 {
        server.get("/").expect(200);
    }
    let all = |counters: &[Counters]| sum(counters, |it| it.accepted) == 300;
    let counters = counters_once(&server.server, all);
    assert!(counters.iter().all(|it| it.accepted > 30), "{counters:?}");
}

#[test]
fn a_shared_queue_is_served_while_a_worker_is_held_up() {
    let (entered, is_entered) = channel();
    let gate = Arc::new(Barrier::new(2));
    let (held, entered) = (Arc::clone(&gate), Mutex::new(entered));
    let server = Live::start(options(AcceptPolicy::Shared, 2, 0), |server| {
        server.route("GET", "/", text("x")).unwrap();
        let hold = move |x: &mut Exchange<'_>| {
            entered.lock().unwrap().send(()).unwrap();
            held.wait();
            x.response.write(b"held");
            Ok(Outcome::Answered)
        };
        server.route("GET", "/hold", Box::new(hold)).unwrap();
    });
    let mut slow = server.connect();
    slow.send(get("/hold"));
    is_entered.recv_timeout(PATIENCE).unwrap();
    for _ in 0..50 {
        assert_eq!(server.get("/").expect(200).text(), "x");
    }
    gate.wait();
    assert_eq!(slow.answer().expect(200).text(), "held");
}

/// How many sets of epoll in this process watch a listening socket so that one of them is woken at a
/// time, by what proc(5) tells.
#[cfg(target_os = "linux")]
fn exclusive_watches(address: &str) -> usize {
    use std::fs;
    let port = address.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
    let listens = format!(" 0100007F:{port:04X} 00000000:0000 0A ");
    let line = sockets.lines().find(|line| line.contains(&listens)).unwrap();
    let inode: u64 = line.split_whitespace().nth(9).unwrap().parse().unwrap();
    let socket = format!("ino:{inode:x}");
    let is_one = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let events = words.iter().skip_while(|word| **word != "events:").nth(1);
        words.contains(&socket.as_str())
            && events.is_some_and(|mask| mask.len() == 8 && mask.starts_with('1'))
    };
    // Other tests open and close descriptors meanwhile.
    let infos = fs::read_dir("/proc/self/fdinfo").unwrap().filter_map(Result::ok);
    let texts = infos.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    texts.map(|text| text.lines().filter(|line| is_one(line)).count()).sum()
}

#[cfg(target_os = "linux")]
#[test]
fn a_connection_wakes_one_of_those_who_share_the_queue() {
    if std::env::var_os("EVL_BACKEND").is_some_and(|backend| backend != "epoll") {
        eprintln!("skipped: only epoll can wake one of many");
        return;
    }
    let server = serve(AcceptPolicy::Shared, 3, 1);
    assert_eq!(exclusive_watches(&server.address), 3);
    let busy: Vec<Client> = (0..3).map(|_| begin(&server)).collect();
    let mut waiting = server.connect();
    waiting.send(get("/"));
    let begun = Instant::now();
    // Who is full does not watch.
    while exclusive_watches(&server.address) > 0 {
        assert!(begun.elapsed() < PATIENCE);
    }
    drop(busy);
    waiting.answer().expect(200);
    while exclusive_watches(&server.address) < 3 {
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[test]
fn every_policy_serves_a_unix_path() {
    for policy in POLICIES {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:{}", folder.path().join("s").display());
        let server = Server::new(options(policy, 3, 0)).unwrap();
        server.listen(&address).unwrap();
        server.route("GET", "/", text("x")).unwrap();
        server.start().unwrap();
        for _ in 0..30 {
            assert_eq!(Client::connect(&address).ask(get("/")).expect(200).text(), "x");
        }
        server.stop(PATIENCE).unwrap();
        assert!(!folder.path().join("s").exists(), "{policy:?}");
    }
}

#[test]
fn at_the_limit_the_connection_that_was_idle_the_longest_makes_room() {
    let server = serve(AcceptPolicy::default(), 1, 4);
    let mut idle: Vec<Client> = (0..4)
        .map(|_| {
            let mut client = server.connect();
            client.ask(get("/")).expect(200);
            client
        })
        .collect();
    let mut fifth = server.connect();
    fifth.ask(get("/")).expect(200);
    idle[0].end();
    for client in &mut idle[1..] {
        client.ask(get("/")).expect(200);
    }
    let counters = counters_once(&server.server, |counters| sum(counters, |it| it.requests) == 8);
    assert_eq!((counters[0].open, counters[0].shed), (4, 1));
}

/// Workers that are full wait for one of two things: that a connection ends, or that it falls idle.
#[test]
fn at_the_limit_new_connections_wait_until_there_is_room() {
    for policy in POLICIES {
        let workers = if policy == AcceptPolicy::ReusePort { 1 } else { 2 };
        let server = serve(policy, workers, 4 / workers as u64);
        let mut busy: Vec<Client> = (0..4).map(|_| begin(&server)).collect();
        let full = |counters: &[Counters]| sum(counters, |it| it.open) == 4;
        let before = counters_once(&server.server, full);
        let mut waiting = server.connect();
        waiting.send(get("/"));
        assert!(waiting.is_silent_for(Duration::from_millis(500)), "{policy:?}");
        let after = counters(&server.server);
        let turns = sum(&after, |it| it.turns) - sum(&before, |it| it.turns);
        assert!(turns < 100, "{policy:?}: {turns} turns while nothing happened");
        assert_eq!(sum(&after, |it| it.open), 4, "{policy:?}");

        let mut leaving = busy.pop().unwrap();
        leaving.send("Connection: close\r\n");
        leaving.send(ENDED);
        leaving.answer().expect(200);
        leaving.end();
        waiting.answer().expect(200);

        // Full again, with one that is idle; then with none, until one falls idle.
        let mut begun = begin(&server);
        let is_shed = |counters: &[Counters]| sum(counters, |it| it.shed) == 1;
        counters_once(&server.server, is_shed);
        waiting.end();
        let mut last = server.connect();
        last.send(get("/"));
        begun.send(ENDED);
        begun.answer().expect(200);
        last.answer().expect(200);
        begun.end();
        for client in &mut busy {
            client.send(ENDED);
            client.answer().expect(200);
        }
    }
}

#[test]
fn who_has_connected_and_says_nothing_makes_room_in_the_end() {
    for policy in POLICIES {
        let workers = if policy == AcceptPolicy::ReusePort { 1 } else { 2 };
        let server = serve(policy, workers, 4 / workers as u64);
        let silent: Vec<Client> = (0..4).map(|_| server.connect()).collect();
        counters_once(&server.server, |counters| sum(counters, |it| it.open) == 4);
        server.get("/").expect(200);
        drop(silent);
    }
}

#[test]
fn those_that_are_full_are_passed_over() {
    let server = serve(AcceptPolicy::RoundRobin, 3, 4);
    let mut busy: Vec<Client> = (0..12).map(|_| begin(&server)).collect();
    let open = |counters: &[Counters]| counters.iter().map(|it| it.open).collect::<Vec<_>>();
    counters_once(&server.server, |counters| open(counters) == [4, 4, 4]);
    // The second worker's four end, and get four others.
    for index in (0..4).rev() {
        let mut client = busy.remove(index * 3 + 1);
        client.send(ENDED);
        client.answer().expect(200);
    }
    counters_once(&server.server, |counters| open(counters) == [4, 0, 4]);
    busy.extend((0..4).map(|_| begin(&server)));
    let counters = counters_once(&server.server, |counters| open(counters) == [4, 4, 4]);
    assert_eq!(sum(&counters, |it| it.shed), 0, "{counters:?}");
}

#[test]
fn a_file_says_how_connections_come_and_how_many() {
    for block in [
        "accept_policy round_robin; worker_connections 2;",
        "events { accept_policy round_robin; worker_connections 2; }",
    ] {
        let config =
            format!("worker_processes 2; {block} server {{ listen 127.0.0.1:0; return 200 x; }}");
        let server = Live::from_file(&config, &[]);
        let mut idle: Vec<Client> = (0..4).map(|_| server.connect()).collect();
        for client in &mut idle {
            client.ask(get("/")).expect(200);
        }
        let full = |counters: &[Counters]| counters.iter().all(|it| it.open == 2);
        assert_eq!(counters_once(&server.server, full).len(), 2);
        server.get("/").expect(200);
        counters_once(&server.server, |counters| sum(counters, |it| it.shed) == 1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_can_have_listeners_of_the_workers_own() {
    for (word, shared) in [("", 2), (" reuseport", 0)] {
        let config = format!(
            "worker_processes 2; accept_policy shared; \
             server {{ listen 127.0.0.1:0{word}; return 200 x; }}"
        );
        let server = Live::from_file(&config, &[]);
        if std::env::var_os("EVL_BACKEND").is_none_or(|backend| backend == "epoll") {
            assert_eq!(exclusive_watches(&server.address), shared);
        }
        assert_eq!(server.get("/").expect(200).text(), "x");
    }
}

#[test]
fn counters_are_there_from_the_start_and_after_the_stop() {
    let server = serve(AcceptPolicy::default(), 1, 0);
    assert_eq!(server.server.counters(0).unwrap().accepted, 0);
    assert_eq!(server.server.counters(1).unwrap_err().errno(), Some(libc::EINVAL));
    server.get("/").expect(200);
    server.server.stop(PATIENCE).unwrap();
    let Counters { accepted, open, requests, .. } = server.server.counters(0).unwrap();
    assert_eq!((accepted, open, requests), (1, 0, 1));
    let unstarted = Server::new(Options::default()).unwrap();
    assert!(unstarted.counters(0).is_err());
}

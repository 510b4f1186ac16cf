// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which driver a server has. What it does is the other `http_*` tests' business, which run on both:
//! `EVL_IO=uring`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::reactor::BackendKind;
use evl::server::{Io, Options};
use http::{Live, get, noise, one_worker, text};
use std::fs;

/// How many io_urings this process has.
fn rings() -> usize {
    let is_ring = |entry: fs::DirEntry| {
        fs::read_link(entry.path())
            .is_ok_and(|target| target.as_os_str() == "anon_inode:[io_uring]")
    };
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten();
    entries.filter_map(|entry| entry.ok().map(is_ring)).filter(|is_ring| *is_ring).count()
}

fn start(io: Io, backend: Option<BackendKind>) -> Live {
    Live::start(Options { io: Some(io), backend, ..one_worker() }, |server| {
        server.route("GET", "/", text("hello")).unwrap();
    })
}

/// One test, since it counts what the process has.
#[test]
fn the_driver_is_the_one_that_was_asked_for_where_it_can_be() {
    let server = start(Io::Readiness, None);
    assert_eq!(server.get("/").expect(200).text(), "hello");
    assert_eq!((server.server.io().unwrap(), rings()), (Io::Readiness, 0));

    let server = start(Io::Uring, None);
    assert_eq!(server.get("/").expect(200).text(), "hello");
    if server.server.io().unwrap() == Io::Readiness {
        println!("skipped: there is no io_uring to be had here");
        return;
    }
    assert_eq!(rings(), 1);
    drop(server);
    assert_eq!(rings(), 0);

    let file = "worker_processes 1; events { io uring; } server { listen 127.0.0.1:0; root www; }";
    let content = noise(1 << 20);
    let server = Live::from_file(file, &[("www/large", &content)]);
    assert_eq!(server.get("/large").expect(200).body, content);
    assert_eq!((server.server.io().unwrap(), rings()), (Io::Uring, 1));
    drop(server);

    // The ring polls the reactor, which has no descriptor then.
    let server = start(Io::Uring, Some(BackendKind::Poll));
    assert_eq!(server.ask(get("/")).expect(200).text(), "hello");
    assert_eq!((server.server.io().unwrap(), rings()), (Io::Readiness, 0));
}

#[test]
fn what_is_no_driver_is_an_error() {
    let error = "aio".parse::<Io>().unwrap_err();
    assert!(error.to_string().contains("aio"), "{error}");
    assert_eq!("uring".parse::<Io>().unwrap().name(), "uring");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a connection costs while nothing happens on it, and what a request that is like those before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]
#![allow(unsafe_code, reason = "an allocator that counts")]

#[path = "common/http.rs"]
mod http;

use evl::server::{Options, Server};
use http::{Client, Live, echo, get, noise, text, write_file};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The system's allocator, which counts the bytes that are allocated, and how often a worker asks.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// Who counts is alone.
static ALONE: Mutex<()> = Mutex::new(());

thread_local! {
    /// Whether this thread is a worker.
    static WORKS: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        if WORKS.get() {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Connects, and has a request answered.
fn connect(server: &Live) -> TcpStream {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut client = TcpStream::connect(&server.address).unwrap();
    client.write_all(REQUEST).unwrap();
    let mut room = [0; 1024];
    let count = client.read(&mut room).unwrap();
    assert!(room[..count].ends_with(b"hello"));
    client
}

/// How many there are when it is measured, as far as the process may have descriptors.
const CLIENTS: [usize; 5] = [200, 500, 1_000, 3_000, 10_000];

/// What each takes at most, in bytes.
const EACH: usize = 256;

#[test]
fn a_connection_at_rest_holds_no_buffer() {
    let _alone = ALONE.lock();
    let server = Live::with_routes([("GET", "/", text("hello"))]);
    let room = descriptors() - 100;
    let measure = || {
        have_own_descriptors();
        let mut clients = Vec::with_capacity(room);
        clients.push(connect(&server));
        let before = ALLOCATED.load(Ordering::Relaxed);
        for count in CLIENTS.into_iter().filter(|&count| count < room) {
            clients.extend((clients.len()..count).map(|_| connect(&server)));
            let each = (ALLOCATED.load(Ordering::Relaxed) - before) / count;
            println!("{each} bytes for each of {count} connections");
            assert!(each <= EACH, "{each} bytes for each of {count} connections");
        }
    };
    thread::scope(|scope| scope.spawn(measure).join()).unwrap();
}

/// Raises the limit of descriptors as far as it goes, and tells it.
fn descriptors() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is valid for reads and writes.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = limit.rlim_max.min(16_384);
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
    usize::try_from(limit.rlim_cur).unwrap()
}

/// Gives this thread descriptors of its own: else the clients' numbers lie between the server's, whose
/// tables would have to have room for twice as many (unshare(2)).
fn have_own_descriptors() {
    #[cfg(target_os = "linux")]
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0);
}

/// What is asked for, and the status of the answer. Two files are so old that their content is in memory,
/// one is new and one is large.
fn requests() -> Vec<(String, u16)> {
    let plain = [
        ("/hello", 200),
        ("/kept/LICENSE", 200),
        ("/kept/rustfmt.toml", 200),
        ("/new", 200),
        ("/large", 200),
        ("/folder/", 200),
        ("/nothing", 404),
        ("/moved", 302),
        ("/folder", 301),
        ("/.hidden", 404),
    ];
    let with = |target: &str, field: &str| get(target).replace("\r\n\r\n", field);
    let mut requests = plain.map(|(target, status)| (get(target), status)).to_vec();
    requests.extend(["/kept/LICENSE", "/new", "/large"].into_iter().flat_map(|target| {
        [
            (with(target, "\r\nRange: bytes=3-7\r\n\r\n"), 206),
            (with(target, "\r\nRange: bytes=99999999-\r\n\r\n"), 416),
            (with(target, "\r\nIf-None-Match: *\r\n\r\n"), 304),
            (with(target, "\r\nIf-Match: \"other\"\r\n\r\n"), 412),
            (get(target).replace("GET", "HEAD"), 200),
        ]
    }));
    requests.push((get("/hello").replace("GET", "DELETE"), 405));
    let upload =
        format!("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1024\r\n\r\n{:>1024}", "hello");
    requests.push((upload, 200));
    requests.push(("OPTIONS /new HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 204));
    requests
}

#[test]
fn requests_like_those_before_allocate_nothing() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "keepalive_requests 100000; access_log access.log;
         server {{ listen 127.0.0.1:0; root www; error_page 405 /new;
             location /kept/ {{ alias {}/; }} location /moved {{ return 302 /new; }} }}",
        Path::new(env!("CARGO_MANIFEST_DIR")).display()
    );
    let write = |name: &str, content: &[u8]| write_file(&folder.path().join(name), content);
    write("evl.conf", config.as_bytes());
    write("www/new", &noise(1024));
    write("www/large", &noise(100 * 1024));
    write("www/folder/index.html", b"index");
    let options = Options { workers: 1, caller_threads: true, ..Options::default() };
    let server = Server::new(options).unwrap();
    server.load(&folder.path().join("evl.conf")).unwrap();
    server.route("GET", "/hello", text("hello")).unwrap();
    server.route("POST", "/echo", echo()).unwrap();
    server.start().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            WORKS.set(true);
            server.work(0).unwrap();
        });
        let _stop = Stop(&server);
        let mut client = Client::connect(&server.address(0).unwrap());
        for (request, status) in requests() {
            // The first round opens files and makes buffers large enough. In another one the new file
            // may become so old that it is read into memory.
            let rounds = (0..3).map(|_| {
                let before = ALLOCATIONS.load(Ordering::Relaxed);
                (0..50).for_each(|_| drop(client.ask(&request).expect(status)));
                ALLOCATIONS.load(Ordering::Relaxed) - before
            });
            let rounds: Vec<_> = rounds.collect();
            assert!(rounds.contains(&0), "{rounds:?} allocations for 50 times {request}");
        }
    });
}

/// Stops the server, even when the test fails.
struct Stop<'a>(&'a Server);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop(Duration::ZERO).unwrap();
    }
}

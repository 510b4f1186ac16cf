// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a connection costs while nothing happens on it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]
#![allow(unsafe_code, reason = "an allocator that counts")]

#[path = "common/http.rs"]
mod http;

use http::{Live, text};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The system's allocator, which counts the bytes that are allocated.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
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
const EACH: usize = 350;

#[test]
fn a_connection_at_rest_holds_no_buffer() {
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

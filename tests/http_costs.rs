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

/// As many as make the tables, which grow by doubling, full.
const CLIENTS: usize = 256;

#[test]
fn a_connection_at_rest_holds_no_buffer() {
    let server = Live::with_routes([("GET", "/", text("hello"))]);
    let mut clients = Vec::with_capacity(CLIENTS);
    clients.push(connect(&server));
    let before = ALLOCATED.load(Ordering::Relaxed);
    clients.extend((1..CLIENTS).map(|_| connect(&server)));
    let each = (ALLOCATED.load(Ordering::Relaxed) - before) / CLIENTS;
    println!("{each} bytes for each connection");
    // Its own 256, its timer and its knote, each in a table that may be half empty.
    assert!(each <= 768, "{each} bytes for each connection");
}

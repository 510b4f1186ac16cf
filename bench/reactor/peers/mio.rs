// SPDX-License-Identifier: MIT OR Apache-2.0
//! The crate mio: edge-triggered, as it always is. See ../src/peer.h.

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use std::cell::RefCell;
use std::ffi::c_int;
use std::sync::OnceLock;

const MAX_EVENTS: usize = 512;

struct Peer {
    poll: Poll,
    events: Events,
    fds: &'static [c_int],
    readable: extern "C" fn(c_int),
}

thread_local! {
    static PEER: RefCell<Option<Peer>> = const { RefCell::new(None) };
}

static WAKER: OnceLock<(Waker, std::sync::Mutex<(Poll, Events)>)> = OnceLock::new();

fn with<T>(act: impl FnOnce(&mut Peer) -> T) -> T {
    PEER.with_borrow_mut(|peer| act(peer.as_mut().expect("peer_open was called")))
}

/// # Safety
/// `fds` are `count` descriptors that stay there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_open(count: c_int, fds: *const c_int, readable: extern "C" fn(c_int)) {
    // SAFETY: the caller's promise.
    let fds = unsafe { std::slice::from_raw_parts(fds, count as usize) };
    let poll = Poll::new().expect("an epoll instance");
    PEER.set(Some(Peer { poll, events: Events::with_capacity(MAX_EVENTS), fds, readable }));
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_add(i: c_int) {
    with(|peer| {
        let mut source = SourceFd(&peer.fds[i as usize]);
        peer.poll.registry().register(&mut source, Token(i as usize), Interest::READABLE).expect("add");
    });
}

fn watch(i: c_int, interest: Interest) {
    with(|peer| {
        let mut source = SourceFd(&peer.fds[i as usize]);
        peer.poll.registry().reregister(&mut source, Token(i as usize), interest).expect("modify");
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_modify(i: c_int, on: c_int) {
    watch(i, if on != 0 { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE });
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_renew(i: c_int) {
    watch(i, Interest::READABLE);
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_remove(i: c_int) {
    with(|peer| {
        let mut source = SourceFd(&peer.fds[i as usize]);
        peer.poll.registry().deregister(&mut source).expect("remove");
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_submit() {}

#[unsafe(no_mangle)]
pub extern "C" fn peer_wait() {
    with(|peer| {
        peer.poll.poll(&mut peer.events, None).expect("wait");
        for event in &peer.events {
            if event.is_readable() {
                (peer.readable)(event.token().0 as c_int);
            }
        }
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_open_wake() {
    let poll = Poll::new().expect("an epoll instance");
    let waker = Waker::new(poll.registry(), Token(0)).expect("an eventfd");
    let _ = WAKER.set((waker, (poll, Events::with_capacity(1)).into()));
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_wake() {
    WAKER.get().expect("peer_open_wake was called").0.wake().expect("wake");
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_await_wake() {
    let (poll, events) = &mut *WAKER.get().expect("peer_open_wake was called").1.lock().expect("one thread");
    poll.poll(events, None).expect("wait");
}

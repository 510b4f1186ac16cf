// SPDX-License-Identifier: MIT OR Apache-2.0
//! The crate polling, level-triggered. See ../src/peer.h.

use polling::{Event, Events, PollMode, Poller};
use std::cell::RefCell;
use std::ffi::c_int;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::sync::OnceLock;

struct Peer {
    poller: Poller,
    fds: &'static [c_int],
    readable: Option<extern "C" fn(c_int)>,
}

static PEER: OnceLock<Peer> = OnceLock::new();

thread_local! {
    static EVENTS: RefCell<Events> = RefCell::new(Events::with_capacity(const { NonZeroUsize::new(512).unwrap() }));
}

fn peer() -> &'static Peer {
    PEER.get().expect("the peer is open")
}

impl Peer {
    fn fd(&self, i: c_int) -> BorrowedFd<'static> {
        // SAFETY: the bench keeps its descriptors open.
        unsafe { BorrowedFd::borrow_raw(self.fds[i as usize]) }
    }

    fn open(fds: &'static [c_int], readable: Option<extern "C" fn(c_int)>) {
        let poller = Poller::new().expect("an epoll instance");
        let _ = PEER.set(Peer { poller, fds, readable });
    }

    fn wait(&self) {
        EVENTS.with_borrow_mut(|events| {
            events.clear();
            self.poller.wait(events, None).expect("wait");
            if let Some(readable) = self.readable {
                events.iter().for_each(|event| readable(event.key as c_int));
            }
        });
    }
}

/// # Safety
/// `fds` are `count` descriptors that stay there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_open(count: c_int, fds: *const c_int, readable: extern "C" fn(c_int)) {
    // SAFETY: the caller's promise.
    Peer::open(unsafe { std::slice::from_raw_parts(fds, count as usize) }, Some(readable));
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_add(i: c_int) {
    let fd = peer().fds[i as usize];
    // SAFETY: the bench removes it before it closes it, or ends.
    unsafe { peer().poller.add_with_mode(fd, Event::readable(i as usize), PollMode::Level) }.expect("add");
}

fn watch(i: c_int, event: Event) {
    peer().poller.modify_with_mode(peer().fd(i), event, PollMode::Level).expect("modify");
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_modify(i: c_int, on: c_int) {
    watch(i, if on != 0 { Event::all(i as usize) } else { Event::readable(i as usize) });
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_renew(i: c_int) {
    watch(i, Event::readable(i as usize));
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_remove(i: c_int) {
    peer().poller.delete(peer().fd(i)).expect("remove");
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_submit() {}

#[unsafe(no_mangle)]
pub extern "C" fn peer_wait() {
    peer().wait();
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_open_wake() {
    Peer::open(&[], None);
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_wake() {
    peer().poller.notify().expect("wake");
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_await_wake() {
    peer().wait();
}

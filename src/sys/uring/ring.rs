// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ring where there is one: Linux on the processors that the crate knows.

#[path = "buffers.rs"]
mod buffers;

use super::{Capacity, Completion, Operation, Outcome};
use buffers::{Buffers, Filled, GROUP};
use io_uring::squeue::{Entry, Flags};
use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, Probe, cqueue, opcode};
use slab::Slab;
use std::collections::VecDeque;
use std::io;
use std::mem::ManuallyDrop;
use std::num::NonZeroU64;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// What a submission is marked with that nobody waits for: its completion, if there is one, says nothing.
const NOBODY: u64 = u64::MAX;

/// The operations that a ring has to know.
const OPERATIONS: [u8; 6] = [
    opcode::AcceptMulti::CODE,
    opcode::RecvMulti::CODE,
    opcode::Send::CODE,
    opcode::PollAdd::CODE,
    opcode::AsyncCancel::CODE,
    opcode::Close::CODE,
];

/// A ring, for the thread that made it.
pub(crate) struct Ring {
    ring: IoUring,
    /// Submissions that the ring's queue had no room for.
    backlog: VecDeque<Entry>,
    /// What is under way, by the lower half of the names of operations.
    pending: Slab<Pending>,
    /// The upper half of the next name, so that an old name means nothing.
    generation: u32,
    /// Counts the waits.
    turn: u32,
    buffers: ManuallyDrop<Buffers>,
    /// The buffer of the latest completion.
    received: Option<Filled>,
}

/// An operation under way.
struct Pending {
    /// `None` once nobody wants to hear of it.
    owner: Option<usize>,
    generation: u32,
    /// The turn in which it was asked for.
    turn: u32,
    kind: Kind,
}

enum Kind {
    Accept,
    Receive,
    /// The kernel reads these bytes.
    Send {
        bytes: Vec<u8>,
        from: usize,
    },
    Poll,
}

impl Ring {
    /// A ring, for this thread. When it is dropped, the kernel interrupts the thread once more (`EINTR`),
    /// somewhat later, unless the thread has ended.
    ///
    /// # Errors
    /// `ENOSYS`, `EPERM`, `EINVAL`, `EOPNOTSUPP`: not to be had here; `ENOMEM`, `EMFILE`, `ENFILE`.
    pub(crate) fn new(capacity: Capacity) -> io::Result<Self> {
        let ring: IoUring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(capacity.completions)
            .dontfork()
            .build(capacity.submissions)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        if !OPERATIONS.iter().all(|&code| probe.is_supported(code)) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut buffers = Buffers::new(capacity)?;
        // SAFETY: the buffers are freed only once nothing is under way.
        unsafe { buffers.register(&ring.submitter()) }?;
        Ok(Self {
            ring,
            backlog: VecDeque::new(),
            pending: Slab::new(),
            generation: 0,
            turn: 0,
            buffers: ManuallyDrop::new(buffers),
            received: None,
        })
    }

    /// Accepts every connection that comes.
    pub(crate) fn accept(&mut self, owner: usize, listener: BorrowedFd<'_>) -> Operation {
        let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        let entry = opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).flags(flags).build();
        self.begin(owner, Kind::Accept, entry)
    }

    /// Receives whatever comes.
    pub(crate) fn receive(&mut self, owner: usize, socket: BorrowedFd<'_>) -> Operation {
        let entry = opcode::RecvMulti::new(Fd(socket.as_raw_fd()), GROUP).build();
        self.begin(owner, Kind::Receive, entry)
    }

    /// Sends what the socket takes of `bytes`, beginning with the byte number `from`, at least one; with
    /// `more` as [`socket::send`](crate::sys::socket::send).
    pub(crate) fn send(
        &mut self,
        owner: usize,
        socket: BorrowedFd<'_>,
        bytes: Vec<u8>,
        from: usize,
        more: bool,
    ) -> Operation {
        let rest = bytes.get(from..).unwrap_or_default();
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        let flags = libc::MSG_NOSIGNAL | if more { libc::MSG_MORE } else { 0 };
        let fd = Fd(socket.as_raw_fd());
        let entry = opcode::Send::new(fd, rest.as_ptr(), length).flags(flags).build();
        // Moving the vector leaves its bytes where they are.
        self.begin(owner, Kind::Send { bytes, from }, entry)
    }

    /// Waits until `fd` is readable.
    pub(crate) fn poll_readable(&mut self, owner: usize, fd: RawFd) -> Operation {
        self.poll(owner, fd, libc::POLLIN)
    }

    /// Waits until `fd` is writable.
    pub(crate) fn poll_writable(&mut self, owner: usize, fd: BorrowedFd<'_>) -> Operation {
        self.poll(owner, fd.as_raw_fd(), libc::POLLOUT)
    }

    fn poll(&mut self, owner: usize, fd: RawFd, events: i16) -> Operation {
        let events = u32::from(events.cast_unsigned());
        let entry = opcode::PollAdd::new(Fd(fd), events).build();
        self.begin(owner, Kind::Poll, entry)
    }

    /// Ends an operation, of which its owner hears no more; what it still brings is dropped.
    pub(crate) fn cancel(&mut self, operation: Operation) {
        if let Some(pending) = find(&mut self.pending, operation.name()) {
            pending.owner = None;
            self.stop(operation);
        }
    }

    /// Ends an operation; its owner hears what it still brings.
    pub(crate) fn stop(&mut self, operation: Operation) {
        let entry = opcode::AsyncCancel::new(operation.name()).build();
        self.push(entry.user_data(NOBODY).flags(Flags::SKIP_SUCCESS));
    }

    /// Whether the kernel may not know yet of an operation, nor which file the descriptor in it means.
    pub(crate) fn is_unheard_of(&self, operation: Operation) -> bool {
        let pending = self.pending.get(index(operation.name()));
        !self.backlog.is_empty() || pending.is_some_and(|pending| pending.turn == self.turn)
    }

    /// Closes a descriptor, after what was asked for before.
    pub(crate) fn close(&mut self, fd: OwnedFd) {
        let entry = opcode::Close::new(Fd(fd.into_raw_fd())).build();
        self.push(entry.user_data(NOBODY).flags(Flags::SKIP_SUCCESS));
    }

    /// Hands over what was asked for and waits for a completion, at most for the time given.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.submit_backlog();
        self.turn = self.turn.wrapping_add(1);
        let entered = match timeout {
            None => self.ring.submit_and_wait(1),
            Some(Duration::ZERO) => self.submit_and_look(),
            Some(timeout) => {
                let timeout = Timespec::from(timeout);
                let arguments = SubmitArgs::new().timespec(&timeout);
                self.ring.submitter().submit_with_args(1, &arguments)
            }
        };
        match entered.as_ref().map_err(io::Error::raw_os_error) {
            // EAGAIN and EBUSY: memory or the queue of completions is full; taking some makes room.
            Ok(_) | Err(Some(libc::ETIME | libc::EINTR | libc::EAGAIN | libc::EBUSY)) => Ok(()),
            Err(_) => entered.map(drop),
        }
    }

    /// Hands over what was asked for and lets the kernel do what it has put off.
    fn submit_and_look(&mut self) -> io::Result<usize> {
        let count = u32::try_from(self.ring.submission().len()).unwrap_or(u32::MAX);
        let flags = EnterFlags::GETEVENTS.bits();
        // SAFETY: there is no argument, and what is handed over stays valid, see `try_push`.
        unsafe { self.ring.submitter().enter::<libc::sigset_t>(count, 0, flags, None) }
    }

    /// The next completion that is there.
    pub(crate) fn next(&mut self) -> Option<Completion> {
        self.recycle();
        loop {
            let entry = self.ring.completion().next()?;
            if let Some(completion) = self.complete(&entry) {
                return Some(completion);
            }
            self.recycle();
        }
    }

    /// What came with the latest completion, until the next is asked for.
    pub(crate) fn received(&self) -> &[u8] {
        self.received.as_ref().map_or(&[], |filled| self.buffers.bytes(filled))
    }

    fn recycle(&mut self) {
        if let Some(filled) = self.received.take() {
            self.buffers.recycle(filled);
        }
    }

    /// What a completion says to its owner, if it has one.
    fn complete(&mut self, entry: &cqueue::Entry) -> Option<Completion> {
        let name = entry.user_data();
        let pending = find(&mut self.pending, name)?;
        let owner = pending.owner;
        let last = !cqueue::more(entry.flags());
        let result = usize::try_from(entry.result())
            .map_err(|_| io::Error::from_raw_os_error(-entry.result()));
        let outcome = match &mut pending.kind {
            Kind::Accept => Outcome::Accepted(result.map(|_| {
                // SAFETY: the kernel made this descriptor for whoever takes the completion.
                unsafe { OwnedFd::from_raw_fd(entry.result()) }
            })),
            Kind::Receive => {
                if let Some(id) = cqueue::buffer_select(entry.flags()) {
                    let length = *result.as_ref().unwrap_or(&0);
                    self.received = Some(self.buffers.filled(id, length));
                }
                Outcome::Received(result)
            }
            Kind::Send { bytes, from } => {
                Outcome::Sent(result.map(|count| *from + count), std::mem::take(bytes))
            }
            Kind::Poll => Outcome::Ready,
        };
        if last {
            self.pending.remove(index(name));
        }
        Some(Completion { owner: owner?, outcome, last })
    }

    fn begin(&mut self, owner: usize, kind: Kind, entry: Entry) -> Operation {
        let generation = self.generation;
        self.generation = generation.wrapping_add(1);
        let turn = self.turn;
        let index = self.pending.insert(Pending { owner: Some(owner), generation, turn, kind });
        let name = u64::from(generation) << 32 | index as u64;
        self.push(entry.user_data(name));
        Operation::named(name)
    }

    fn push(&mut self, entry: Entry) {
        if !self.backlog.is_empty() || !self.try_push(&entry) {
            self.backlog.push_back(entry);
        }
    }

    fn try_push(&mut self, entry: &Entry) -> bool {
        // SAFETY: the memory that the entry names is part of `pending` or of `buffers`, and stays until
        // the operation's last completion.
        unsafe { self.ring.submission().push(entry) }.is_ok()
    }

    /// Moves the backlog into the queue, which is handed over whenever it is full.
    fn submit_backlog(&mut self) {
        while let Some(entry) = self.backlog.pop_front() {
            if self.try_push(&entry) {
                continue;
            }
            self.backlog.push_front(entry);
            // What cannot be handed over now is tried again at the next wait.
            if !self.ring.submit().is_ok_and(|count| count > 0) {
                return;
            }
        }
    }
}

impl Drop for Ring {
    /// Ends everything that is under way and waits for it: the kernel may use the memory until then.
    fn drop(&mut self) {
        let names: Vec<u64> =
            self.pending.iter().map(|(index, pending)| pending.name(index)).collect();
        for name in names {
            self.cancel(Operation::named(name));
        }
        while !self.pending.is_empty() {
            if self.wait(None).is_err() {
                // Better lost than written to by the kernel once it is somebody else's.
                std::mem::forget(std::mem::take(&mut self.pending));
                return;
            }
            while self.next().is_some() {}
        }
        // What is left to submit needs no memory: descriptors to close.
        let _ = self.wait(Some(Duration::ZERO));
        // SAFETY: this is the only place that drops them, and it is reached once.
        unsafe { ManuallyDrop::drop(&mut self.buffers) };
    }
}

impl Operation {
    /// By the word that its completions carry.
    fn named(name: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(name))
    }

    fn name(self) -> u64 {
        self.0.get() - 1
    }
}

impl Pending {
    fn name(&self, index: usize) -> u64 {
        u64::from(self.generation) << 32 | index as u64
    }
}

fn index(name: u64) -> usize {
    usize::try_from(name & u64::from(u32::MAX)).unwrap_or(usize::MAX)
}

/// The operation of that name, if it is under way.
fn find(pending: &mut Slab<Pending>, name: u64) -> Option<&mut Pending> {
    let found = pending.get_mut(index(name))?;
    (u64::from(found.generation) == name >> 32).then_some(found)
}

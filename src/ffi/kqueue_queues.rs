// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which descriptors are queues: `kqueue()` gives the caller a descriptor to close, and nobody is told
//! when that happens.
//!
//! - The descriptor is a duplicate of the reactor's own, which is readable while events are pending.
//!   Each use of a number asks the kernel whether it still names that file, so a number that was closed
//!   and opened again for anything else is no queue.
//! - A queue whose descriptors are all closed is found, and freed, when another one is made, or a number
//!   used that is no queue. Duplicates of the caller's own count.
//! - A forked child begins with no queues: their descriptors are closed in it, as the BSDs have it. What
//!   belongs to them stays behind untouched, and nothing that the child does reaches the parent's.

use crate::error::{Error, Result};
use crate::reactor::{BackendKind, Reactor};
use crate::sys::fork;
use crate::sys::mark::{Mark, duplicate, open_numbers};
use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// So many numbers are looked at for each queue that is made, so that making many takes no time that
/// grows with its square.
const CHECKED_AT_ONCE: usize = 64;

/// A queue, apart from the descriptors that the caller has for it.
pub(super) struct Queue {
    pub(super) reactor: Reactor,
    mark: Mark,
}

impl Queue {
    /// A new queue, and its first descriptor.
    fn new(close_on_exec: bool) -> Result<(RawFd, Self)> {
        // The only backend whose kernel keeps a set, which a descriptor can stand for.
        let reactor = Reactor::with_backend(BackendKind::Epoll)?;
        let mark = Mark::on(reactor.fd()?)?;
        let number = duplicate(reactor.fd()?, close_on_exec)?;
        Ok((number, Self { reactor, mark }))
    }

    /// Whether the number names the queue.
    pub(super) fn is_at(&self, number: RawFd) -> bool {
        self.mark.is_on(number)
    }

    /// A number that the caller has for the queue.
    fn find_number(&self) -> Option<RawFd> {
        let own = self.reactor.fd().ok()?;
        open_numbers().into_iter().find(|number| *number != own && self.is_at(*number))
    }
}

/// The queues of one process.
struct Queues {
    /// Forks that had happened when the first was made.
    generation: u32,
    table: RwLock<Table>,
    #[expect(dead_code, reason = "leak checkers find there what a child has from its parent")]
    parents: Option<&'static Self>,
}

#[derive(Default)]
struct Table {
    numbers: BTreeMap<RawFd, Arc<Queue>>,
    /// Where the next check begins.
    next: RawFd,
}

static CURRENT: AtomicPtr<Queues> = AtomicPtr::new(ptr::null_mut());
static INSTALL: Once = Once::new();

/// Closes the descriptors of the parent's queues, unless another thread was changing the table.
extern "C" fn in_child() {
    // SAFETY: what stands in CURRENT lives for ever.
    let Some(queues) = (unsafe { CURRENT.load(Ordering::Acquire).as_ref() }) else { return };
    let Ok(table) = queues.table.try_read() else { return };
    for (number, queue) in &table.numbers {
        if queue.is_at(*number) {
            // SAFETY: the number is that of a queue, of which the child has none.
            unsafe { libc::close(*number) };
        }
    }
}

/// This process' queues; a forked child leaves those of its parent alone.
fn queues() -> &'static Queues {
    let generation = fork::generation();
    let mut current = CURRENT.load(Ordering::Acquire);
    loop {
        // SAFETY: what stands in CURRENT was leaked by the exchange below, so it lives for ever.
        let known = unsafe { current.as_ref::<'static>() };
        if let Some(queues) = known.filter(|queues| queues.generation == generation) {
            return queues;
        }
        let table = RwLock::default();
        let fresh = Box::into_raw(Box::new(Queues { generation, table, parents: known }));
        match CURRENT.compare_exchange(current, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                INSTALL.call_once(|| {
                    // SAFETY: `in_child` does only what the child of any fork may.
                    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
                });
                current = fresh;
            }
            Err(other) => {
                // SAFETY: made above, and nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
                current = other;
            }
        }
    }
}

/// Makes a queue; the descriptor is the caller's.
///
/// Errors: `EMFILE`, `ENFILE`, `ENOMEM`; `ENOTSUP` on a system without epoll.
pub(super) fn create(close_on_exec: bool) -> Result<RawFd> {
    let queues = queues();
    queues.check(CHECKED_AT_ONCE);
    let made = Queue::new(close_on_exec).or_else(|error| {
        // Closed queues still have descriptors.
        queues.check(usize::MAX);
        if error.errno() == Some(libc::EMFILE) { Queue::new(close_on_exec) } else { Err(error) }
    });
    let (number, queue) = made?;
    let closed = queues.write().numbers.insert(number, Arc::new(queue));
    if let Some(closed) = closed {
        queues.keep_duplicate(closed);
    }
    Ok(number)
}

/// The queue that a number names. `EBADF`: none.
pub(super) fn find(number: RawFd) -> Result<Arc<Queue>> {
    let queues = queues();
    let known = queues.read().numbers.get(&number).cloned();
    if let Some(queue) = known.filter(|queue| queue.is_at(number)) {
        return Ok(queue);
    }
    queues.forget_closed(number);
    let duplicated = queues.read().numbers.values().find(|queue| queue.is_at(number)).cloned();
    let Some(queue) = duplicated else {
        queues.check(CHECKED_AT_ONCE);
        return Err(Error::os(libc::EBADF));
    };
    queues.write().numbers.insert(number, Arc::clone(&queue));
    Ok(queue)
}

impl Queues {
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at some numbers and forgets those that were closed.
    fn check(&self, most: usize) {
        let numbers: Vec<RawFd> = {
            let table = self.read();
            let (before, after) =
                (table.numbers.range(..table.next), table.numbers.range(table.next..));
            after.chain(before).map(|(number, _)| *number).take(most).collect()
        };
        for number in &numbers {
            self.forget_closed(*number);
        }
        if let Some(last) = numbers.last() {
            self.write().next = last.saturating_add(1);
        }
    }

    /// Forgets a number if it does not name its queue any more.
    fn forget_closed(&self, number: RawFd) {
        let is_open = |queue: &Arc<Queue>| queue.is_at(number);
        if self.read().numbers.get(&number).is_none_or(is_open) {
            return;
        }
        let mut table = self.write();
        if table.numbers.get(&number).is_none_or(is_open) {
            return;
        }
        let closed = table.numbers.remove(&number);
        drop(table);
        if let Some(closed) = closed {
            self.keep_duplicate(closed);
        }
    }

    /// Keeps a queue one of whose numbers was closed if the caller has another; else it is freed.
    fn keep_duplicate(&self, queue: Arc<Queue>) {
        let known = self.read().numbers.values().any(|other| Arc::ptr_eq(other, &queue));
        if !known && let Some(number) = queue.find_number() {
            self.write().numbers.insert(number, queue);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Models for loom, which tries every order in which threads can meet in what takes no lock, weak memory
//! included: `make check-threads`.
//!
//! What stands behind the queue's lock is one thread here: "the waiter" makes the calls that
//! `Emulated::sleep` and `Emulated::settle` make, in their order.

use super::sync::{AtomicBool, Ordering};
use super::triggers::Triggers;
use super::wake::Wake;
use crate::Result;
use loom::sync::Arc;
use loom::thread;
use std::os::fd::RawFd;

/// Stands for the descriptor that wakes: whether it is readable. The kernel lets one thread after the
/// other have it, as only read-modify-write operations do here.
pub(super) struct Wakeup(AtomicBool);

impl Wakeup {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(AtomicBool::new(false)))
    }

    pub(super) fn fd(&self) -> RawFd {
        RawFd::from(self.0.fetch_or(false, Ordering::SeqCst))
    }

    pub(super) fn signal(&self) {
        self.0.swap(true, Ordering::SeqCst);
    }

    pub(super) fn drain(&self) {
        self.0.swap(false, Ordering::SeqCst);
    }
}

/// A queue, as far as it is reached without a lock.
struct Queue {
    triggers: Triggers,
    wake: Wake,
}

impl Queue {
    /// With these user events.
    fn new(idents: &[usize]) -> Arc<Self> {
        let queue = Self { triggers: Triggers::default(), wake: Wake::new().unwrap() };
        assert!(idents.iter().all(|ident| queue.triggers.insert(*ident)));
        Arc::new(queue)
    }

    /// As `Emulated::trigger`.
    fn trigger(&self, ident: usize) -> bool {
        let known = self.triggers.trigger(ident);
        if known {
            self.wake.notify();
        }
        known
    }

    /// As `Emulated::sleep` does before it lets the lock go; whether the thread then sleeps until the
    /// descriptor is readable.
    fn falls_asleep(&self) -> bool {
        self.wake.set_listeners(1);
        self.settle();
        self.triggers.is_empty()
    }

    /// As `Emulated::settle`, where no work is left.
    fn settle(&self) {
        self.settle_after(false);
    }

    /// As above, of a thread that the descriptor has woken or not.
    fn settle_after(&self, woken: bool) {
        if self.wake.take_back(woken) && !self.triggers.is_empty() {
            self.wake.notify();
        }
    }

    fn take(&self) -> Vec<usize> {
        let mut idents = Vec::new();
        self.triggers.take(|ident| idents.push(ident));
        idents
    }

    fn is_awake(&self) -> bool {
        self.wake.fd() != 0
    }
}

fn join(threads: [thread::JoinHandle<()>; 2]) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_trigger_wakes_who_falls_asleep() {
    loom::model(|| {
        let queue = Queue::new(&[1]);
        let other = Arc::clone(&queue);
        let trigger = thread::spawn(move || assert!(other.trigger(1)));
        let asleep = queue.falls_asleep();
        trigger.join().unwrap();
        assert!(!asleep || queue.is_awake(), "a wake-up is lost");
        assert_eq!(queue.take(), [1]);
    });
}

#[test]
fn a_trigger_wakes_who_takes_an_earlier_one() {
    loom::model(|| {
        let queue = Queue::new(&[1, 2]);
        queue.wake.set_listeners(1);
        assert!(queue.trigger(1));
        let other = Arc::clone(&queue);
        let trigger = thread::spawn(move || assert!(other.trigger(2)));
        let mut taken = queue.take();
        let asleep = queue.falls_asleep();
        trigger.join().unwrap();
        let left = queue.take();
        assert!(left.is_empty() || !asleep || queue.is_awake(), "a wake-up is lost");
        taken.extend(left);
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
    });
}

#[test]
fn a_trigger_wakes_who_sleeps_while_another_takes_an_earlier_one() {
    loom::model(|| {
        let queue = Queue::new(&[1, 2]);
        queue.wake.set_listeners(1);
        assert!(queue.trigger(1));
        let other = Arc::clone(&queue);
        let trigger = thread::spawn(move || assert!(other.trigger(2)));
        let taken = queue.take();
        queue.settle();
        trigger.join().unwrap();
        let left = queue.take();
        assert!(left.is_empty() || queue.is_awake(), "a wake-up is lost");
        assert_eq!(taken.len() + left.len(), 2);
    });
}

#[test]
fn a_wake_up_that_comes_late_is_taken_back() {
    loom::model(|| {
        let queue = Queue::new(&[1]);
        queue.wake.set_listeners(1);
        let other = Arc::clone(&queue);
        let trigger = thread::spawn(move || assert!(other.trigger(1)));
        queue.take();
        queue.settle();
        trigger.join().unwrap();
        if queue.is_awake() {
            queue.take();
            queue.settle_after(true);
        }
        assert!(!queue.is_awake(), "the waiter spins");
    });
}

#[test]
fn a_trigger_meets_the_list_in_which_it_stands() {
    for ident in [1, 2] {
        loom::model(move || {
            let queue = Queue::new(&[1, 2]);
            assert!(queue.trigger(1) && queue.trigger(2));
            let other = Arc::clone(&queue);
            let trigger = thread::spawn(move || assert!(other.trigger(ident)));
            let taken = queue.take();
            trigger.join().unwrap();
            let left = queue.take();
            assert_eq!(taken, [2, 1]);
            assert!(left.is_empty() || left == [ident], "{left:?}");
        });
    }
}

#[test]
fn triggers_of_one_ident_are_answered_after_the_last() {
    loom::model(|| {
        let queue = Queue::new(&[1]);
        let others = [Arc::clone(&queue), Arc::clone(&queue)];
        let threads = others.map(|other| thread::spawn(move || assert!(other.trigger(1))));
        let during = queue.take().len();
        join(threads);
        let after = queue.take().len();
        assert!(during <= 1 && after <= 1 && during + after >= 1, "{during} and {after}");
        assert!(queue.triggers.is_empty());
    });
}

#[test]
fn triggers_of_several_idents_all_stand_in_the_list() {
    loom::model(|| {
        let queue = Queue::new(&[1, 2]);
        let threads = [1, 2].map(|ident| {
            let other = Arc::clone(&queue);
            thread::spawn(move || assert!(other.trigger(ident)))
        });
        let mut taken = queue.take();
        join(threads);
        taken.extend(queue.take());
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
    });
}

/// A trigger meets the removal of its ident and the insertion of the next of that name, or of another
/// name in the same slot.
fn a_trigger_meets_a_successor(successor: usize) {
    loom::model(move || {
        let queue = Queue::new(&[1]);
        let other = Arc::clone(&queue);
        let trigger = thread::spawn(move || other.trigger(1));
        queue.triggers.remove(1);
        let before = queue.take();
        assert!(before.is_empty(), "a trigger of an ident that is gone: {before:?}");
        assert!(queue.triggers.insert(successor));
        let told = trigger.join().unwrap();
        let after = queue.take();
        assert!(after.is_empty() || (told && after == [successor] && successor == 1), "{after:?}");
        // Whatever happened, the successor works.
        assert!(queue.trigger(successor));
        assert_eq!(queue.take(), [successor]);
    });
}

#[test]
fn a_trigger_meets_the_next_of_its_name() {
    a_trigger_meets_a_successor(1);
}

#[test]
fn a_trigger_meets_another_name_in_its_place() {
    a_trigger_meets_a_successor(3);
}

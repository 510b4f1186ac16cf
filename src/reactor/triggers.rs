// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which user events there are and which of them were triggered, readable and triggerable without a
//! lock: from any thread and from signal handlers.
//!
//! Slots lie in segments that double in size and never move or go away. An ident may stand in a few
//! slots of each segment only, so a search is bounded. A slot's state is one word: generation,
//! occupied, triggered. Whoever sets `triggered` pushes the slot on a list; the reader takes the whole
//! list at once, so the list has no ABA problem. A slot that is given up while it is triggered is
//! free for another ident only once the reader has taken it from the list.
//! [`Triggers::insert`], [`Triggers::remove`] and [`Triggers::take`] are for one thread at a time.

use super::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::iter;
use std::sync::OnceLock;

const OCCUPIED: u64 = 1;
const TRIGGERED: u64 = 2;
const GENERATION: u64 = 4;

/// How many slots the first segment has: two are enough for a model.
const FIRST_SEGMENT: usize = if cfg!(all(test, loom)) { 2 } else { 64 };
const SEGMENTS: usize = 24;
/// How many slots of a segment an ident may stand in.
const PROBES: usize = 8;
/// The end of the list. Others are the slot's number plus one.
const END: u32 = 0;

#[derive(Default)]
struct Slot {
    state: AtomicU64,
    ident: AtomicUsize,
    next: AtomicU32,
}

/// The user events' idents.
#[derive(Default)]
pub(super) struct Triggers {
    segments: [OnceLock<Box<[Slot]>>; SEGMENTS],
    triggered: AtomicU32,
}

impl Triggers {
    /// Triggers the ident; `false` if there is no such. Async-signal-safe.
    pub(super) fn trigger(&self, ident: usize) -> bool {
        for (number, slot) in self.places(ident) {
            loop {
                let state = slot.state.load(Ordering::Acquire);
                if state & OCCUPIED == 0 || slot.ident.load(Ordering::Acquire) != ident {
                    break;
                }
                if state & TRIGGERED != 0 {
                    return true;
                }
                let won = slot.state.compare_exchange(
                    state,
                    state | TRIGGERED,
                    Ordering::SeqCst,
                    Ordering::Relaxed,
                );
                if won.is_ok() {
                    self.push(number, slot);
                    return true;
                }
            }
        }
        false
    }

    fn push(&self, number: u32, slot: &Slot) {
        let mut head = self.triggered.load(Ordering::Relaxed);
        loop {
            slot.next.store(head, Ordering::Relaxed);
            let pushed = self.triggered.compare_exchange_weak(
                head,
                number + 1,
                Ordering::SeqCst,
                Ordering::Relaxed,
            );
            match pushed {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Whether there is nothing to take.
    pub(super) fn is_empty(&self) -> bool {
        self.triggered.load(Ordering::SeqCst) == END
    }

    /// Calls back with each ident that was triggered since the last time.
    pub(super) fn take(&self, mut found: impl FnMut(usize)) {
        if self.is_empty() {
            return;
        }
        let mut next = self.triggered.swap(END, Ordering::SeqCst);
        while next != END {
            let Some(slot) = self.slot(next - 1) else { return };
            // Once TRIGGERED is cleared, the slot may be pushed again: its fields are read before.
            let ident = slot.ident.load(Ordering::Relaxed);
            next = slot.next.load(Ordering::Relaxed);
            if slot.state.fetch_and(!TRIGGERED, Ordering::SeqCst) & OCCUPIED != 0 {
                found(ident);
            }
        }
    }

    /// Makes an ident known that is not; `false` if there is no room left.
    pub(super) fn insert(&self, ident: usize) -> bool {
        let free = self.places(ident).map(|(_, slot)| slot).find(|slot| is_free(slot));
        let Some(slot) = free.or_else(|| self.grow(ident)) else { return false };
        slot.ident.store(ident, Ordering::Release);
        slot.state.fetch_or(OCCUPIED, Ordering::Release);
        true
    }

    /// Forgets an ident, triggered or not.
    pub(super) fn remove(&self, ident: usize) {
        for (_, slot) in self.places(ident) {
            let state = slot.state.load(Ordering::Relaxed);
            if state & OCCUPIED != 0 && slot.ident.load(Ordering::Relaxed) == ident {
                // The addition clears OCCUPIED and starts the next generation; TRIGGERED, which
                // another thread may set at the same time, is left as it is.
                slot.state.fetch_add(GENERATION - OCCUPIED, Ordering::SeqCst);
                return;
            }
        }
    }

    fn grow(&self, ident: usize) -> Option<&Slot> {
        let (index, segment) =
            self.segments.iter().enumerate().find(|(_, segment)| segment.get().is_none())?;
        let slots = segment.get_or_init(|| {
            iter::repeat_with(Slot::default).take(FIRST_SEGMENT << index).collect()
        });
        slots.get(home(ident, index))
    }

    /// The slots that the ident may stand in, with their numbers.
    fn places(&self, ident: usize) -> impl Iterator<Item = (u32, &Slot)> {
        let segments = self.segments.iter().map_while(OnceLock::get).enumerate();
        segments.flat_map(move |(index, slots)| {
            let home = home(ident, index);
            (0..PROBES).filter_map(move |step| {
                let place = (home + step) % slots.len();
                let number = (FIRST_SEGMENT << index) - FIRST_SEGMENT + place;
                Some((u32::try_from(number).ok()?, slots.get(place)?))
            })
        })
    }

    fn slot(&self, number: u32) -> Option<&Slot> {
        let number = number as usize + FIRST_SEGMENT;
        let index = (number.ilog2() - FIRST_SEGMENT.ilog2()) as usize;
        self.segments.get(index)?.get()?.get(number - (FIRST_SEGMENT << index))
    }
}

fn is_free(slot: &Slot) -> bool {
    slot.state.load(Ordering::Acquire) & (OCCUPIED | TRIGGERED) == 0
}

/// Where in a segment the search for an ident begins: Fibonacci hashing.
fn home(ident: usize, segment: usize) -> usize {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let bits = FIRST_SEGMENT.ilog2() as usize + segment;
    usize::try_from((ident as u64).wrapping_mul(GOLDEN) >> (64 - bits)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(triggers: &Triggers) -> Vec<usize> {
        let mut idents = Vec::new();
        triggers.take(|ident| idents.push(ident));
        idents.sort_unstable();
        idents
    }

    #[test]
    fn a_trigger_is_taken_once() {
        let triggers = Triggers::default();
        assert!(!triggers.trigger(7));
        assert!(triggers.insert(7) && triggers.insert(8));
        assert!(triggers.trigger(7) && triggers.trigger(7) && triggers.trigger(8));
        assert!(!triggers.is_empty());
        assert_eq!(taken(&triggers), [7, 8]);
        assert!(triggers.is_empty());
        assert_eq!(taken(&triggers), []);
    }

    #[test]
    fn a_forgotten_trigger_does_not_reach_the_next_of_its_name() {
        let triggers = Triggers::default();
        assert!(triggers.insert(7));
        assert!(triggers.trigger(7));
        triggers.remove(7);
        assert!(!triggers.trigger(7));
        assert!(triggers.insert(7));
        assert_eq!(taken(&triggers), []);
        assert!(triggers.trigger(7));
        assert_eq!(taken(&triggers), [7]);
    }

    #[test]
    fn many_idents_find_room() {
        let triggers = Triggers::default();
        let idents: Vec<usize> = (0..50_000).map(|n| n * 16).collect();
        assert!(idents.iter().all(|ident| triggers.insert(*ident)));
        assert!(idents.iter().all(|ident| triggers.trigger(*ident)));
        assert_eq!(taken(&triggers), idents);
        idents.iter().for_each(|ident| triggers.remove(*ident));
        assert!(idents.iter().all(|ident| !triggers.trigger(*ident)));
    }
}

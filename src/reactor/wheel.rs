// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deadlines in order: a hierarchical timing wheel with nanosecond places.
//!
//! A level has 64 slots; a slot of level `n` spans 64ⁿ nanoseconds. A deadline stands on the level of
//! the highest digit (base 64) in which it differs from the wheel's position, in the slot which that
//! digit names. So all of a level comes before all of the next one, the slots of a level are in order,
//! and inserting or removing is a list operation. When the position enters a slot, its deadlines are
//! spread over the levels below, or sorted if the whole slot is over. Nothing is rounded: a deadline
//! never fires early, and deadlines come out in order.
//!
//! Whose deadline it is, the caller says by a number of its own: small numbers, because the wheel has a
//! place of 16 bytes for each up to the largest. It knows no clock: the caller passes the time in, as
//! nanoseconds.

use crate::sys::memory::prefetch;

const LEVELS: u32 = 11;
const SLOTS: u32 = 64;
const DIGIT_BITS: u32 = 6;
/// So many of the due are on their way into the cache.
const AHEAD: usize = 16;
/// No number: the end of a list.
const NONE: u32 = u32::MAX;
/// What `previous` of the first of a list is: this, and the number of the slot.
const FIRST: u32 = 1 << 31;
/// What `previous` is of a number that has no deadline.
const UNARMED: u32 = u32::MAX;
/// What `previous` is of a number that is among the due.
const DUE: u32 = u32::MAX - 1;
/// Longer lists are not searched for their first deadline: their slot's beginning is the answer.
const SEARCH_LIMIT: usize = 32;

#[derive(Clone, Copy)]
struct Entry {
    deadline: u64,
    next: u32,
    previous: u32,
}

impl Entry {
    const UNARMED: Self = Self { deadline: 0, next: NONE, previous: UNARMED };
}

/// A set of numbers, each with a deadline.
pub(crate) struct Wheel {
    /// Not after any deadline that is still to come, save those that came too late.
    position: u64,
    entries: Vec<Entry>,
    length: usize,
    /// The first of each slot's list, level by level.
    heads: Box<[u32; (LEVELS * SLOTS) as usize]>,
    /// A bit for each slot that is not empty.
    occupied: [u64; LEVELS as usize],
    /// Deadlines that are over and were in a list before, with their numbers, the first one last. Those
    /// that were removed meanwhile are still here.
    due: Vec<(u64, u32)>,
    /// The answer of `next_deadline`, while it is known.
    next: Option<u64>,
}

impl Wheel {
    /// An empty set. `now` is the time from which deadlines are placed.
    pub(crate) fn new(now: u64) -> Self {
        Self {
            position: now,
            entries: Vec::new(),
            length: 0,
            heads: Box::new([NONE; (LEVELS * SLOTS) as usize]),
            occupied: [0; LEVELS as usize],
            due: Vec::with_capacity(SLOTS as usize),
            next: None,
        }
    }

    /// Whether there is no deadline.
    pub(crate) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether the number has a deadline.
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.entries.get(number as usize).is_some_and(|entry| entry.previous != UNARMED)
    }

    /// The deadline that a number was given last, be it over, taken away or only kept.
    pub(crate) fn deadline(&self, number: u32) -> u64 {
        self.entries.get(number as usize).map_or(0, |entry| entry.deadline)
    }

    /// Takes a number's deadline away, and keeps another one for [`Wheel::deadline`].
    pub(crate) fn keep(&mut self, number: u32, deadline: u64) {
        self.make_room(number);
        self.remove(number);
        self.entry_mut(number).deadline = deadline;
    }

    fn make_room(&mut self, number: u32) {
        let index = number as usize;
        if index >= self.entries.len() {
            self.entries.resize(index + 1, Entry::UNARMED);
        }
    }

    /// Gives a number, below 2³¹, a deadline in place of the one that it has. One that has passed
    /// expires at the next chance.
    pub(crate) fn insert(&mut self, number: u32, deadline: u64) {
        self.make_room(number);
        self.remove(number);
        self.entry_mut(number).deadline = deadline;
        self.link(number);
        self.length += 1;
        self.next = match self.next {
            Some(next) => Some(next.min(deadline)),
            None if self.length == 1 => Some(deadline),
            None => None,
        };
    }

    /// Takes a number's deadline away, if it has one; whether it had.
    pub(crate) fn remove(&mut self, number: u32) -> bool {
        let armed = self.contains(number);
        if armed {
            if self.next == Some(self.entry(number).deadline) {
                self.next = None;
            }
            self.unlink(number);
        }
        armed
    }

    /// Whether the number has a deadline that is not after this one.
    pub(crate) fn expires_by(&self, number: u32, deadline: u64) -> bool {
        self.contains(number) && self.entry(number).deadline <= deadline
    }

    /// Makes room for the numbers below this one, and not for more.
    pub(crate) fn reserve(&mut self, numbers: usize) {
        self.entries.reserve_exact(numbers.saturating_sub(self.entries.len()));
    }

    /// For how many numbers there is room.
    #[cfg(test)]
    pub(crate) const fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    /// When to look again: the first deadline, or, where many lie close together, a time shortly before
    /// it that is after the last `pop_expired`. `None` if there is no deadline.
    pub(crate) fn next_deadline(&mut self) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        if self.next.is_none() {
            self.next = self.find_next();
        }
        self.next
    }

    /// Takes out the first deadline that is not after `now`, if there is one; tells whose it was.
    pub(crate) fn pop_expired(&mut self, now: u64) -> Option<u32> {
        if self.next.is_some_and(|next| next > now) {
            return None;
        }
        if let Some(number) = self.pop_due() {
            return Some(number);
        }
        while let Some((level, slot)) = self.first_slot() {
            let head = self.heads[slot];
            let first = self.entry(head);
            if (level == 0 || first.next == NONE) && first.deadline <= now {
                self.next = None;
                self.unlink(head);
                return Some(head);
            }
            let start = self.slot_start(level, slot);
            if level == 0 || start > now {
                break;
            }
            self.next = None;
            self.position = start;
            let end = start.saturating_add(1 << (DIGIT_BITS * level));
            if end > now {
                self.spread(level, slot);
            } else {
                self.sort(level, slot);
                if let Some(number) = self.pop_due() {
                    return Some(number);
                }
            }
        }
        // What was announced may have been the time of a slot that has become empty since.
        self.next = self.next.filter(|next| *next > now);
        // No slot begins at or before `now`, so every deadline keeps its place if the position moves.
        self.advance(now);
        None
    }

    fn pop_due(&mut self) -> Option<u32> {
        while let Some((deadline, number)) = self.due.pop() {
            let ahead = self.due.len().checked_sub(AHEAD).and_then(|place| self.due.get(place));
            ahead.iter().for_each(|(_, number)| self.prefetch(*number));
            let entry = self.entry_mut(number);
            if entry.previous == DUE && entry.deadline == deadline {
                entry.previous = UNARMED;
                self.length -= 1;
                self.next = None;
                return Some(number);
            }
        }
        None
    }

    fn advance(&mut self, now: u64) {
        let due = self.first_slot().is_some_and(|(level, _)| level == 0);
        if !due {
            self.position = self.position.max(now);
        }
    }

    fn find_next(&self) -> Option<u64> {
        if let Some((deadline, _)) = self.due.last() {
            return Some(*deadline);
        }
        let (level, slot) = self.first_slot()?;
        let mut first = u64::MAX;
        let mut number = self.heads[slot];
        for _ in 0..SEARCH_LIMIT {
            if number == NONE {
                return Some(first);
            }
            let entry = self.entry(number);
            first = first.min(entry.deadline);
            number = entry.next;
        }
        // All deadlines of a slot of level 0 are one, or have passed.
        Some(if level == 0 { first } else { self.slot_start(level, slot) })
    }

    /// The level and the number of the first slot that is not empty.
    fn first_slot(&self) -> Option<(u32, usize)> {
        let (level, bits) = (0..).zip(self.occupied).find(|(_, bits)| *bits != 0)?;
        Some((level, (level * SLOTS + bits.trailing_zeros()) as usize))
    }

    fn slot_start(&self, level: u32, slot: usize) -> u64 {
        let shift = DIGIT_BITS * level;
        let above = u64::MAX.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        (self.position & above) | ((slot as u64 % u64::from(SLOTS)) << shift)
    }

    /// The number of the slot in which a deadline stands, seen from the position.
    fn place(&self, deadline: u64) -> usize {
        let deadline = deadline.max(self.position);
        let different = deadline ^ self.position;
        let level = different.checked_ilog2().unwrap_or(0) / DIGIT_BITS;
        let digit = (deadline >> (level * DIGIT_BITS)) % u64::from(SLOTS);
        (level * SLOTS) as usize + usize::try_from(digit).unwrap_or(0)
    }

    /// Moves the deadlines of a slot which the position has entered to the levels below.
    fn spread(&mut self, level: u32, slot: usize) {
        let mut number = std::mem::replace(&mut self.heads[slot], NONE);
        self.occupied[level as usize] &= !(1 << (slot % SLOTS as usize));
        while number != NONE {
            let next = self.entry(number).next;
            self.link(number);
            number = next;
        }
    }

    /// Moves the deadlines of a slot that is over to the due.
    fn sort(&mut self, level: u32, slot: usize) {
        let mut number = std::mem::replace(&mut self.heads[slot], NONE);
        self.occupied[level as usize] &= !(1 << (slot % SLOTS as usize));
        while number != NONE {
            let entry = self.entry_mut(number);
            entry.previous = DUE;
            let (deadline, next) = (entry.deadline, entry.next);
            self.due.push((deadline, number));
            number = next;
        }
        self.due.sort_unstable_by(|one, other| other.cmp(one));
    }

    fn link(&mut self, number: u32) {
        let slot = self.place(self.entry(number).deadline);
        let head = std::mem::replace(&mut self.heads[slot], number);
        self.occupied[slot / SLOTS as usize] |= 1 << (slot % SLOTS as usize);
        if head != NONE {
            self.entry_mut(head).previous = number;
        }
        let entry = self.entry_mut(number);
        entry.next = head;
        entry.previous = FIRST | u32::try_from(slot).unwrap_or(0);
    }

    fn unlink(&mut self, number: u32) {
        let Entry { next, previous, .. } = *self.entry(number);
        self.entry_mut(number).previous = UNARMED;
        self.length -= 1;
        if previous == DUE {
            return;
        }
        if next != NONE {
            self.entry_mut(next).previous = previous;
        }
        if previous & FIRST == 0 {
            self.entry_mut(previous).next = next;
        } else {
            let slot = (previous & !FIRST) as usize;
            self.heads[slot] = next;
            if next == NONE {
                self.occupied[slot / SLOTS as usize] &= !(1 << (slot % SLOTS as usize));
            }
        }
    }

    /// Has a number's place fetched, which is needed soon.
    pub(crate) fn prefetch(&self, number: u32) {
        if let Some(entry) = self.entries.get(number as usize) {
            prefetch(entry);
        }
    }

    /// Has fetched what [`Wheel::remove`] needs besides.
    pub(crate) fn prefetch_neighbours(&self, number: u32) {
        let Some(entry) = self.entries.get(number as usize) else { return };
        self.prefetch(entry.next);
        self.prefetch(entry.previous);
    }

    fn entry(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
    }

    fn entry_mut(&mut self, number: u32) -> &mut Entry {
        &mut self.entries[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn deadlines_that_change_come_out_in_order(
            start in 0..u64::MAX / 4,
            steps in proptest::collection::vec((0..7_u8, 0..40_u32, 0..u64::MAX / 64, 0..60_u32), 1..200),
        ) {
            let (mut now, mut wheel, mut model) = (start, Wheel::new(start), HashMap::new());
            for (kind, number, distance, shift) in steps {
                let distance = distance >> shift;
                match kind {
                    0 => prop_assert_eq!(wheel.remove(number), model.remove(&number).is_some()),
                    1 => {
                        now = now.saturating_add(distance);
                        while let Some(number) = wheel.pop_expired(now) {
                            let first = model.values().min().copied();
                            prop_assert_eq!(model.remove(&number), first);
                        }
                        prop_assert!(model.values().all(|deadline| *deadline > now));
                        prop_assert!(wheel.next_deadline().is_none_or(|next| next > now));
                    }
                    _ => {
                        let deadline = now.saturating_add(distance);
                        wheel.insert(number, deadline);
                        model.insert(number, deadline);
                    }
                }
                let first = model.values().min().copied();
                prop_assert_eq!(wheel.next_deadline().is_none(), first.is_none());
                prop_assert!(wheel.next_deadline() <= first);
                prop_assert_eq!(wheel.is_empty(), model.is_empty());
            }
        }
    }

    #[test]
    fn a_slot_that_was_announced_and_became_empty_is_forgotten() {
        let mut wheel = Wheel::new(0);
        (0..100).for_each(|number| wheel.insert(number, 1_000_000 + u64::from(number)));
        wheel.insert(100, 1_000_000_000);
        assert!(wheel.remove(0));
        assert!(wheel.next_deadline() <= Some(1_000_000));
        assert!((1..100).all(|number| wheel.remove(number)));
        assert_eq!(wheel.pop_expired(2_000_000), None);
        assert_eq!(wheel.next_deadline(), Some(1_000_000_000));
    }

    #[test]
    fn a_deadline_is_known_beyond_its_end() {
        let mut wheel = Wheel::new(0);
        wheel.insert(3, 50);
        assert_eq!(wheel.pop_expired(50), Some(3));
        assert_eq!(wheel.deadline(3), 50);
        wheel.insert(3, 120);
        assert!(wheel.remove(3));
        assert_eq!(wheel.deadline(3), 120);
        wheel.insert(3, 150);
        wheel.keep(3, 170);
        assert_eq!((wheel.is_empty(), wheel.contains(3), wheel.deadline(3)), (true, false, 170));
        assert_eq!(wheel.pop_expired(200), None);
    }
}

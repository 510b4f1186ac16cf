// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deadlines in order: a hierarchical timing wheel with nanosecond places.
//!
//! A level has 64 slots; a slot of level `n` spans 64ⁿ nanoseconds. A deadline stands on the level of
//! the highest digit (base 64) in which it differs from the wheel's position, in the slot which that
//! digit names. So all of a level comes before all of the next one, the slots of a level are in order,
//! and inserting or removing is a list operation. When the position enters a slot, its deadlines are
//! spread over the levels below. Nothing is rounded: a deadline never fires early, and deadlines come
//! out in order. It knows no clock: the caller passes the time in, as nanoseconds.

const LEVELS: usize = 11;
const SLOTS: usize = 64;
const DIGIT_BITS: u32 = 6;
/// No entry: the end of a list.
const NONE: u32 = u32::MAX;
/// Longer lists are not searched for their first deadline: their slot's beginning is the answer.
const SEARCH_LIMIT: usize = 32;

/// Names a deadline until it expires or is removed. One that has gone is harmless to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerKey {
    index: u32,
    generation: u32,
}

struct Entry<K> {
    deadline: u64,
    /// `None` while the entry is free.
    value: Option<K>,
    next: u32,
    previous: u32,
    generation: u32,
    level: u8,
    slot: u8,
}

/// A set of deadlines, each with a value that comes back when it expires.
pub(crate) struct Timers<K> {
    /// Not after any deadline that is still to come, save those that came too late.
    position: u64,
    entries: Vec<Entry<K>>,
    free: u32,
    length: usize,
    heads: Box<[[u32; SLOTS]; LEVELS]>,
    /// A bit for each slot that is not empty.
    occupied: [u64; LEVELS],
    /// The answer of `next_deadline`, while it is known.
    next: Option<u64>,
}

impl<K> Timers<K> {
    /// An empty set. `now` is the time from which deadlines are placed.
    pub(crate) fn new(now: u64) -> Self {
        Self {
            position: now,
            entries: Vec::new(),
            free: NONE,
            length: 0,
            heads: Box::new([[NONE; SLOTS]; LEVELS]),
            occupied: [0; LEVELS],
            next: None,
        }
    }

    /// Whether there is no deadline.
    pub(crate) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds a deadline. One that has passed expires at the next chance.
    pub(crate) fn insert(&mut self, deadline: u64, value: K) -> TimerKey {
        let index = self.allocate(deadline, value);
        self.link(index);
        self.length += 1;
        self.next = match self.next {
            Some(next) => Some(next.min(deadline)),
            None if self.length == 1 => Some(deadline),
            None => None,
        };
        TimerKey { index, generation: self.entry(index).generation }
    }

    /// Takes a deadline away and gives its value back; `None` if it has gone already.
    pub(crate) fn remove(&mut self, key: TimerKey) -> Option<K> {
        let entry = self.entries.get(key.index as usize)?;
        if entry.generation != key.generation || entry.value.is_none() {
            return None;
        }
        if self.next == Some(entry.deadline) {
            self.next = None;
        }
        self.unlink(key.index);
        self.release(key.index)
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

    /// Takes out the first deadline that is not after `now`, if there is one, and gives its value.
    pub(crate) fn pop_expired(&mut self, now: u64) -> Option<K> {
        while let Some((level, slot)) = self.first_slot() {
            let head = self.heads[level][slot];
            let alone = self.entry(head).next == NONE;
            if (level == 0 || alone) && self.entry(head).deadline <= now {
                self.next = None;
                self.unlink(head);
                return self.release(head);
            }
            let start = self.slot_start(level, slot);
            if level == 0 || start > now {
                break;
            }
            self.position = start;
            self.spread(level, slot);
            self.next = None;
        }
        // No slot begins at or before `now`, so every deadline keeps its place if the position moves.
        self.advance(now);
        None
    }

    fn advance(&mut self, now: u64) {
        let due = self.first_slot().is_some_and(|(level, _)| level == 0);
        if !due {
            self.position = self.position.max(now);
        }
    }

    fn find_next(&self) -> Option<u64> {
        let (level, slot) = self.first_slot()?;
        let mut first = u64::MAX;
        let mut index = self.heads[level][slot];
        for _ in 0..SEARCH_LIMIT {
            if index == NONE {
                return Some(first);
            }
            let entry = self.entry(index);
            first = first.min(entry.deadline);
            index = entry.next;
        }
        // All deadlines of a slot of level 0 are one, or have passed.
        Some(if level == 0 { first } else { self.slot_start(level, slot) })
    }

    fn first_slot(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|bits| *bits != 0)?;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    fn slot_start(&self, level: usize, slot: usize) -> u64 {
        let shift = DIGIT_BITS * u32::try_from(level).unwrap_or(0);
        let above = u64::MAX.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        (self.position & above) | ((slot as u64) << shift)
    }

    /// Where a deadline stands, seen from the position.
    fn place(&self, deadline: u64) -> (usize, usize) {
        let deadline = deadline.max(self.position);
        let different = deadline ^ self.position;
        let level = different.checked_ilog2().unwrap_or(0) / DIGIT_BITS;
        let digit = (deadline >> (level * DIGIT_BITS)) % SLOTS as u64;
        (level as usize, usize::try_from(digit).unwrap_or(0))
    }

    /// Moves the deadlines of a slot which the position has entered to the levels below.
    fn spread(&mut self, level: usize, slot: usize) {
        let mut index = std::mem::replace(&mut self.heads[level][slot], NONE);
        self.occupied[level] &= !(1 << slot);
        while index != NONE {
            let next = self.entry(index).next;
            self.link(index);
            index = next;
        }
    }

    fn link(&mut self, index: u32) {
        let (level, slot) = self.place(self.entry(index).deadline);
        let head = std::mem::replace(&mut self.heads[level][slot], index);
        self.occupied[level] |= 1 << slot;
        if head != NONE {
            self.entry_mut(head).previous = index;
        }
        let entry = self.entry_mut(index);
        entry.next = head;
        entry.previous = NONE;
        entry.level = u8::try_from(level).unwrap_or(0);
        entry.slot = u8::try_from(slot).unwrap_or(0);
    }

    fn unlink(&mut self, index: u32) {
        let entry = self.entry(index);
        let (next, previous) = (entry.next, entry.previous);
        let (level, slot) = (usize::from(entry.level), usize::from(entry.slot));
        if next != NONE {
            self.entry_mut(next).previous = previous;
        }
        if previous == NONE {
            self.heads[level][slot] = next;
            if next == NONE {
                self.occupied[level] &= !(1 << slot);
            }
        } else {
            self.entry_mut(previous).next = next;
        }
    }

    fn allocate(&mut self, deadline: u64, value: K) -> u32 {
        if self.free == NONE {
            let entry = Entry {
                deadline,
                value: Some(value),
                next: NONE,
                previous: NONE,
                generation: 0,
                level: 0,
                slot: 0,
            };
            self.entries.push(entry);
            return u32::try_from(self.entries.len() - 1).unwrap_or(NONE);
        }
        let index = self.free;
        self.free = self.entry(index).next;
        let entry = self.entry_mut(index);
        entry.deadline = deadline;
        entry.value = Some(value);
        index
    }

    fn release(&mut self, index: u32) -> Option<K> {
        let free = std::mem::replace(&mut self.free, index);
        self.length -= 1;
        let entry = self.entry_mut(index);
        entry.next = free;
        entry.generation = entry.generation.wrapping_add(1);
        entry.value.take()
    }

    fn entry(&self, index: u32) -> &Entry<K> {
        &self.entries[index as usize]
    }

    fn entry_mut(&mut self, index: u32) -> &mut Entry<K> {
        &mut self.entries[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn deadlines_come_out_in_order_and_never_early() {
        let mut timers = Timers::new(1_000);
        for deadline in [5_000, 2_000, 1_000_000_000, 2_001, 900] {
            timers.insert(deadline, deadline);
        }
        assert_eq!(timers.pop_expired(1_000), Some(900));
        assert_eq!(timers.pop_expired(1_999), None);
        assert_eq!(timers.pop_expired(2_000), Some(2_000));
        assert_eq!(timers.pop_expired(2_000), None);
        assert_eq!(timers.next_deadline(), Some(2_001));
        assert_eq!(timers.pop_expired(u64::MAX), Some(2_001));
        assert_eq!(timers.pop_expired(u64::MAX), Some(5_000));
        assert_eq!(timers.pop_expired(u64::MAX), Some(1_000_000_000));
        assert_eq!(timers.pop_expired(u64::MAX), None);
        assert!(timers.is_empty());
    }

    #[test]
    fn a_key_outlives_its_deadline_harmlessly() {
        let mut timers = Timers::new(0);
        let first = timers.insert(10, 'a');
        assert_eq!(timers.pop_expired(10), Some('a'));
        let second = timers.insert(20, 'b');
        assert_eq!(timers.remove(first), None);
        assert_eq!(timers.remove(second), Some('b'));
        assert_eq!(timers.next_deadline(), None);
    }

    #[test]
    fn many_deadlines_close_together_are_announced_in_time() {
        let mut timers = Timers::new(0);
        for offset in 0..10_000 {
            timers.insert(1_000_000_000 + offset, offset);
        }
        let mut now = 0;
        let mut expired = 0;
        while let Some(next) = timers.next_deadline() {
            assert!(next > now || expired > 0, "no progress at {now}");
            assert!(next <= 1_000_000_000 + expired);
            now = next;
            while timers.pop_expired(now).is_some() {
                expired += 1;
            }
        }
        assert_eq!(expired, 10_000);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Remove(usize),
        Advance(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let distance = prop_oneof![0..200_u64, 0..5_000_000_u64, 0..u64::MAX / 4];
        let step = prop_oneof![
            distance.clone().prop_map(Step::Insert),
            (0..20_usize).prop_map(Step::Remove),
            distance.prop_map(Step::Advance),
        ];
        proptest::collection::vec(step, 1..80)
    }

    proptest! {
        #[test]
        fn behaves_like_a_sorted_list(start in 0..u64::MAX / 4, steps in steps()) {
            let mut now = start;
            let mut timers = Timers::new(now);
            let mut model: Vec<(u64, TimerKey)> = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(distance) => {
                        let deadline = now.saturating_add(distance);
                        let key = timers.insert(deadline, deadline);
                        model.push((deadline, key));
                    }
                    Step::Remove(at) if at < model.len() => {
                        let (deadline, key) = model.swap_remove(at);
                        prop_assert_eq!(timers.remove(key), Some(deadline));
                    }
                    Step::Remove(_) => {}
                    Step::Advance(distance) => {
                        now = now.saturating_add(distance);
                        model.sort_by_key(|row| row.0);
                        while let Some(deadline) = timers.pop_expired(now) {
                            prop_assert_eq!(model.remove(0).0, deadline);
                        }
                        prop_assert!(model.first().is_none_or(|row| row.0 > now));
                    }
                }
                let first = model.iter().map(|row| row.0).min();
                prop_assert_eq!(timers.next_deadline().is_none(), first.is_none());
                prop_assert!(timers.next_deadline() <= first);
            }
        }
    }
}

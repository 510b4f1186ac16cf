// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deadlines with values: a [`Wheel`] whose numbers are given out here, each named by a key that is
//! never used again.

use super::wheel::Wheel;

/// Names a deadline until it expires or is removed. One that has gone is harmless to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerKey {
    number: u32,
    generation: u32,
}

/// A set of deadlines, each with a value that comes back when it expires.
pub(crate) struct Timers<K> {
    wheel: Wheel,
    /// By number: how often it was given out, and the value while it is.
    values: Vec<(u32, Option<K>)>,
    free: Vec<u32>,
}

impl<K> Timers<K> {
    /// An empty set. `now` is the time from which deadlines are placed.
    pub(crate) fn new(now: u64) -> Self {
        Self { wheel: Wheel::new(now), values: Vec::new(), free: Vec::new() }
    }

    /// Whether there is no deadline.
    pub(crate) const fn is_empty(&self) -> bool {
        self.wheel.is_empty()
    }

    /// Adds a deadline. One that has passed expires at the next chance.
    pub(crate) fn insert(&mut self, deadline: u64, value: K) -> TimerKey {
        let number = self.free.pop().unwrap_or_else(|| {
            self.values.push((0, None));
            u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)
        });
        let (generation, place) = &mut self.values[number as usize];
        *place = Some(value);
        self.wheel.insert(number, deadline);
        TimerKey { number, generation: *generation }
    }

    /// Takes a deadline away and gives its value back; `None` if it has gone already.
    pub(crate) fn remove(&mut self, key: TimerKey) -> Option<K> {
        let (generation, _) = self.values.get(key.number as usize)?;
        if *generation != key.generation || !self.wheel.remove(key.number) {
            return None;
        }
        self.release(key.number)
    }

    /// As [`Wheel::next_deadline`].
    pub(crate) fn next_deadline(&mut self) -> Option<u64> {
        self.wheel.next_deadline()
    }

    /// Takes out the first deadline that is not after `now`, if there is one, and gives its value.
    pub(crate) fn pop_expired(&mut self, now: u64) -> Option<K> {
        let number = self.wheel.pop_expired(now)?;
        self.release(number)
    }

    fn release(&mut self, number: u32) -> Option<K> {
        let (generation, value) = &mut self.values[number as usize];
        *generation = generation.wrapping_add(1);
        self.free.push(number);
        value.take()
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which places of a table are vacant. The lowest is taken first: so things that come one after the
//! other lie side by side, in whatever order their predecessors went, and memory is met in order.

const BITS: usize = u64::BITS as usize;

#[derive(Debug, Default)]
pub(super) struct Vacancies {
    /// A bit for each vacant place.
    places: Vec<u64>,
    /// A bit for each word of `places` that has one.
    words: Vec<u64>,
    /// No word of `words` before this one has a bit.
    begin: usize,
}

impl Vacancies {
    /// A place is vacant from now on.
    pub(super) fn put(&mut self, place: u32) {
        let (word, bit) = split(place as usize);
        set(&mut self.places, word, bit);
        let (summary, bit) = split(word);
        set(&mut self.words, summary, bit);
        self.begin = self.begin.min(summary);
    }

    /// Takes the lowest vacant place.
    pub(super) fn take(&mut self) -> Option<u32> {
        let ahead = self.words.get(self.begin..)?;
        let Some(step) = ahead.iter().position(|bits| *bits != 0) else {
            self.begin = self.words.len();
            return None;
        };
        self.begin += step;
        let summary = self.words.get_mut(self.begin)?;
        let word = self.begin * BITS + summary.trailing_zeros() as usize;
        let bits = self.places.get_mut(word)?;
        let place = word * BITS + bits.trailing_zeros() as usize;
        // The lowest bit that is set is cleared.
        *bits &= *bits - 1;
        if *bits == 0 {
            *summary &= *summary - 1;
        }
        u32::try_from(place).ok()
    }
}

const fn split(place: usize) -> (usize, u64) {
    (place / BITS, 1 << (place % BITS))
}

fn set(words: &mut Vec<u64>, word: usize, bit: u64) {
    if word >= words.len() {
        words.resize(word + 1, 0);
    }
    words[word] |= bit;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_like_a_sorted_set(
            steps in proptest::collection::vec(proptest::option::of(0..10_000_u32), 1..400),
        ) {
            let (mut vacancies, mut model) = (Vacancies::default(), BTreeSet::new());
            for step in steps {
                match step {
                    Some(place) => {
                        vacancies.put(place);
                        model.insert(place);
                    }
                    None => prop_assert_eq!(vacancies.take(), model.pop_first()),
                }
            }
        }
    }
}

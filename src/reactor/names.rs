// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which knote a name means, for knotes that watch no descriptor.
//!
//! Programs number their timers from 0 or 1 on, or by pointers. Numbers of the first kind are the places
//! of a table, which costs one look; it grows while about half of it is in use. All else is hashed. The
//! names come from the program itself, so a fast hash with a random seed is enough.

use super::event::Filter;
use super::knote::KnoteId;
use super::state::Name;
use crate::sys::memory::prefetch;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Numbers below this may stand in the table however few they are.
const SMALL: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Names {
    /// The timers whose numbers are below its length, by number.
    table: Vec<Option<KnoteId>>,
    /// How many places of the table are taken.
    taken: usize,
    others: HashMap<Name, KnoteId, RandomState>,
}

impl Names {
    pub(super) fn get(&self, name: &Name) -> Option<KnoteId> {
        match self.table.get(place(name)) {
            Some(found) => *found,
            // The common case of none at all is not worth a hash.
            None if self.others.is_empty() => None,
            None => self.others.get(name).copied(),
        }
    }

    /// Has fetched into the cache where a name stands, if it is in the table.
    pub(super) fn prefetch(&self, name: &Name) {
        if let Some(entry) = self.table.get(place(name)) {
            prefetch(entry);
        }
    }

    pub(super) fn insert(&mut self, name: Name, id: KnoteId) {
        let place = place(&name);
        if place >= self.table.len() && place < (2 * self.taken).max(SMALL) {
            self.grow(place + 1);
        }
        match self.table.get_mut(place) {
            Some(entry) => self.taken += usize::from(entry.replace(id).is_none()),
            None => _ = self.others.insert(name, id),
        }
    }

    pub(super) fn remove(&mut self, name: &Name) {
        match self.table.get_mut(place(name)) {
            Some(entry) => self.taken -= usize::from(entry.take().is_some()),
            None => _ = self.others.remove(name),
        }
    }

    /// Makes the table longer, and moves into it the names that belong there now.
    fn grow(&mut self, least: usize) {
        self.table.resize(least.next_power_of_two().max(SMALL), None);
        let (table, taken) = (&mut self.table, &mut self.taken);
        self.others.retain(|name, id| match table.get_mut(place(name)) {
            Some(entry) => {
                *entry = Some(*id);
                *taken += 1;
                false
            }
            None => true,
        });
    }
}

/// The name's place in a table that is long enough; none is for names that do not go there.
fn place(name: &Name) -> usize {
    if name.filter == Filter::TIMER && name.udata.is_none() { name.ident } else { usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::event::Event;
    use crate::reactor::knote::{FilterState, Knote, Knotes};
    use proptest::prelude::*;

    fn name(ident: usize, kind: u8) -> Name {
        let filter = if kind == 0 { Filter::USER } else { Filter::TIMER };
        Name { filter, ident, udata: (kind == 1).then_some(7) }
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(
            steps in proptest::collection::vec((0..400_usize, 0..4_u8, any::<bool>()), 1..600),
        ) {
            let (mut names, mut model) = (Names::default(), HashMap::new());
            let mut knotes = Knotes::default();
            for (ident, kind, insert) in steps {
                let name = name(ident, kind);
                prop_assert_eq!(names.get(&name), model.get(&name).copied());
                if insert {
                    let state = FilterState::Gone(crate::reactor::Flags::empty());
                    let id = knotes.insert(Knote::new(&Event::default(), state));
                    names.insert(name, id);
                    model.insert(name, id);
                } else {
                    names.remove(&name);
                    model.remove(&name);
                }
            }
            for (name, id) in &model {
                prop_assert_eq!(names.get(name), Some(*id));
            }
            prop_assert_eq!(names.taken + names.others.len(), model.len());
        }
    }

    #[test]
    fn numbers_from_a_few_on_stand_in_the_table_and_pointers_do_not() {
        let (mut names, mut knotes) = (Names::default(), Knotes::default());
        let state = || FilterState::Gone(crate::reactor::Flags::empty());
        for number in 0..1000_usize {
            let id = knotes.insert(Knote::new(&Event::default(), state()));
            names.insert(name(number, 2), id);
            names.insert(name(0x7f00_0000_0000 + number * 64, 2), id);
        }
        assert_eq!((names.taken, names.others.len()), (1000, 1000));
        assert!(names.table.len() <= 2048);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The set of descriptors for pollers whose kernel keeps none.

use super::{Interest, Key, Outcome, Registration};
use crate::sys::fd::Identity;
use crate::{Error, Result};
use std::os::fd::RawFd;

/// One descriptor of the set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) key: Key,
    pub(super) interest: Interest,
    /// Which file the number named when it was set. It may name another one by now.
    identity: Identity,
}

impl Row {
    /// Whether the number still names the same file.
    pub(super) fn is_same_file(&self) -> bool {
        Identity::of(self.key.fd).is_ok_and(|identity| identity == self.identity)
    }
}

/// The set, and how often it has changed.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// For each descriptor its place in `rows`, plus one; 0: it is not in.
    places: Vec<u32>,
    version: u64,
}

impl Table {
    pub(super) fn set(
        &mut self,
        fd: RawFd,
        registration: Registration,
        known: bool,
    ) -> Result<Outcome> {
        let row = match self.place(fd) {
            Some(place) if known => self.rows.get_mut(place),
            _ => None,
        };
        let key = Key { fd, generation: registration.generation };
        let interest = registration.interest;
        if let Some(row) = row {
            if !row.is_same_file() {
                return Ok(Outcome::Stale);
            }
            (row.key, row.interest) = (key, interest);
        } else {
            let identity = Identity::of(fd)?;
            if identity.is_on_disk() {
                return Err(Error::os(libc::EPERM));
            }
            self.remove(fd);
            self.insert(Row { key, interest, identity });
        }
        self.version += 1;
        Ok(Outcome::Done)
    }

    /// Takes a descriptor out. Always possible; [`Outcome::Stale`] tells that it names another file.
    pub(super) fn clear(&mut self, fd: RawFd) -> Outcome {
        self.version += 1;
        match self.remove(fd) {
            Some(row) if row.is_same_file() => Outcome::Done,
            _ => Outcome::Stale,
        }
    }

    pub(super) fn names_same_file(&self, fd: RawFd) -> bool {
        let row = self.place(fd).and_then(|place| self.rows.get(place));
        row.is_some_and(Row::is_same_file)
    }

    /// Empties the set, and returns what was in it.
    pub(super) fn reset(&mut self) -> Self {
        let empty = Self { version: self.version + 1, ..Self::default() };
        std::mem::replace(self, empty)
    }

    /// Brings a copy of the rows up to date; `false` if it was.
    pub(super) fn copy_to(&self, copy: &mut Copy) -> bool {
        if copy.version == Some(self.version) {
            return false;
        }
        copy.version = Some(self.version);
        copy.rows.clear();
        copy.rows.extend(self.rows.iter().filter(|row| !row.interest.is_empty()));
        true
    }

    fn place(&self, fd: RawFd) -> Option<usize> {
        let place = *self.places.get(usize::try_from(fd).ok()?)?;
        (place as usize).checked_sub(1)
    }

    fn insert(&mut self, row: Row) {
        let fd = usize::try_from(row.key.fd).unwrap_or(0);
        if self.places.len() <= fd {
            self.places.resize(fd + 1, 0);
        }
        self.rows.push(row);
        self.places[fd] = u32::try_from(self.rows.len()).unwrap_or(0);
    }

    fn remove(&mut self, fd: RawFd) -> Option<Row> {
        let place = self.place(fd)?;
        let row = self.rows.swap_remove(place);
        self.set_place(fd, 0);
        if let Some(moved) = self.rows.get(place) {
            self.set_place(moved.key.fd, place + 1);
        }
        Some(row)
    }

    fn set_place(&mut self, fd: RawFd, place: usize) {
        if let Some(slot) = usize::try_from(fd).ok().and_then(|fd| self.places.get_mut(fd)) {
            *slot = u32::try_from(place).unwrap_or(0);
        }
    }
}

/// One thread's copy of the rows that ask for something.
#[derive(Debug, Default)]
pub(super) struct Copy {
    version: Option<u64>,
    pub(super) rows: Vec<Row>,
}

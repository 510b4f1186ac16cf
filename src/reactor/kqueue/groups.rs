// SPDX-License-Identifier: MIT OR Apache-2.0
//! Knotes whose udata is part of their name. A kernel names a knote by (ident, filter) alone, so those of
//! one udata live in a kernel queue of their own, which the main queue watches.
//!
//! The kernel does not say when a descriptor was closed, after which a queue may be left with nothing:
//! each time the number of queues has doubled, they are gone through.

use super::State;
use super::knote::{Key, Place};
use crate::reactor::state::Name;
use crate::sys::kqueue::{Kernel, Record, ev};
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// So many queues are never gone through.
const FEW: usize = 16;

struct Group<K> {
    queue: Arc<K>,
    ident: usize,
    knotes: usize,
}

/// The queues by their udata.
pub(super) struct Groups<K> {
    by_udata: HashMap<usize, Group<K>>,
    /// The udata by the queue's descriptor.
    by_ident: HashMap<usize, usize>,
    sweep_at: usize,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Self { by_udata: HashMap::new(), by_ident: HashMap::new(), sweep_at: FEW }
    }
}

impl<K: Kernel> Groups<K> {
    pub(super) fn queue(&self, udata: usize) -> Option<&K> {
        self.by_udata.get(&udata).map(|group| &*group.queue)
    }

    /// The queue that the main one calls ready, and its udata.
    pub(super) fn find(&self, record: &Record) -> Option<(usize, Arc<K>)> {
        let udata = *self.by_ident.get(&record.ident)?;
        Some((udata, Arc::clone(&self.by_udata.get(&udata)?.queue)))
    }
}

impl<K: Kernel> State<K> {
    /// Makes room for one more knote of that udata.
    pub(super) fn join_group(&mut self, udata: Option<usize>) -> Result<()> {
        let Some(udata) = udata else { return Ok(()) };
        if let Some(group) = self.groups.by_udata.get_mut(&udata) {
            group.knotes += 1;
            return Ok(());
        }
        if self.groups.by_udata.len() >= self.groups.sweep_at {
            self.sweep_groups();
        }
        let queue = K::new()?;
        let ident = usize::try_from(queue.fd()).map_err(|_| Error::os(libc::EBADF))?;
        let change = Record {
            ident,
            filter: self.kernel.dialect().read,
            flags: ev::ADD,
            udata: Key::GROUP.0,
            ..Record::default()
        };
        self.kernel.kevent(&[change], &mut [], Some(0))?;
        self.groups.by_ident.insert(ident, udata);
        self.groups.by_udata.insert(udata, Group { queue: Arc::new(queue), ident, knotes: 1 });
        Ok(())
    }

    /// A knote of that udata has gone. A thread that reads from the queue keeps it until it is done.
    pub(super) fn leave_group(&mut self, udata: Option<usize>) {
        let Some(udata) = udata else { return };
        let Some(group) = self.groups.by_udata.get_mut(&udata) else { return };
        group.knotes -= 1;
        if group.knotes == 0 {
            self.groups.by_ident.remove(&group.ident);
            self.groups.by_udata.remove(&udata);
        }
    }

    /// Forgets the knotes on that descriptor.
    pub(super) fn forget_in_groups(&mut self, ident: usize) {
        for udata in self.groups.by_udata.keys().copied().collect::<Vec<_>>() {
            for filter in super::check::ON_DESCRIPTORS {
                if let Some(key) = self.names.get(&Name { filter, ident, udata: Some(udata) }) {
                    self.remove(*key);
                }
            }
        }
    }

    /// Forgets the knotes that the kernel has forgotten.
    fn sweep_groups(&mut self) {
        let named = self.names.iter().filter(|(name, _)| name.udata.is_some());
        for key in named.map(|(_, key)| *key).collect::<Vec<_>>() {
            let in_kernel = |place: &Place| matches!(place, Place::Kernel { .. });
            if self.knotes.get(key).is_some_and(|knote| in_kernel(&knote.place))
                && self.tell(key, 0).is_err()
            {
                self.lose(key);
            }
        }
        self.groups.sweep_at = FEW.max(2 * self.groups.by_udata.len());
    }
}

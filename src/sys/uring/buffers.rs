// SPDX-License-Identifier: MIT OR Apache-2.0
//! A ring of provided buffers (io_uring_register_buf_ring(3)): the kernel takes one when there is
//! something to put into it, so that connections that wait hold none.

use super::Capacity;
use io_uring::Submitter;
use io_uring::types::BufRingEntry;
use memmap2::MmapMut;
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

/// The number of the one group that a ring has.
pub(super) const GROUP: u16 = 0;

pub(super) struct Buffers {
    /// What the kernel reads: which buffers are its own. Pages, as it wants.
    entries: MmapMut,
    memory: MmapMut,
    count: u16,
    size: u32,
    /// Entries written so far.
    tail: u16,
}

/// A buffer with something in it, which is the process's.
#[derive(Debug)]
pub(super) struct Filled {
    id: u16,
    length: usize,
}

impl Buffers {
    pub(super) fn new(capacity: Capacity) -> io::Result<Self> {
        let Capacity { buffers: count, buffer: size, .. } = capacity;
        let mut buffers = Self {
            entries: MmapMut::map_anon(usize::from(count) * size_of::<BufRingEntry>())?,
            memory: MmapMut::map_anon(usize::from(count) * size as usize)?,
            count,
            size,
            tail: 0,
        };
        for id in 0..count {
            buffers.add(id);
        }
        buffers.publish();
        Ok(buffers)
    }

    /// Lets a ring take from them.
    ///
    /// # Safety
    /// They live as long as the ring has operations under way that receive.
    pub(super) unsafe fn register(&mut self, submitter: &Submitter<'_>) -> io::Result<()> {
        let entries = self.entries.as_mut_ptr().expose_provenance() as u64;
        // SAFETY: the entries are a mapping of their own, as many as is said, and the caller promises
        // that they live long enough.
        unsafe { submitter.register_buf_ring_with_flags(entries, self.count, GROUP, 0) }
    }

    /// What a completion tells of: the buffer that the kernel took and how much it put there.
    pub(super) fn filled(&self, id: u16, length: usize) -> Filled {
        Filled { id: id % self.count, length: length.min(self.size as usize) }
    }

    pub(super) fn bytes(&self, filled: &Filled) -> &[u8] {
        let begin = usize::from(filled.id) * self.size as usize;
        self.memory.get(begin..begin + filled.length).unwrap_or_default()
    }

    /// Gives the kernel a buffer back.
    pub(super) fn recycle(&mut self, filled: Filled) {
        self.add(filled.id);
        self.publish();
    }

    fn add(&mut self, id: u16) {
        let offset = usize::from(id) * self.size as usize;
        let address = self.memory.as_mut_ptr().wrapping_add(offset).expose_provenance() as u64;
        let index = usize::from(self.tail % self.count);
        let entries = self.entries.as_mut_ptr().cast::<BufRingEntry>();
        // SAFETY: the index is below the number of entries in the mapping, which is aligned to pages;
        // the kernel reads no entry from the published tail on. The first entry holds the tail as
        // well, in a field that is not written here.
        let entry = unsafe { &mut *entries.add(index) };
        entry.set_addr(address);
        entry.set_len(self.size);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Lets the kernel see what was added.
    fn publish(&mut self) {
        let entries = self.entries.as_mut_ptr().cast::<BufRingEntry>();
        // SAFETY: the mapping begins with an entry, whose place for the tail is aligned and is only ever
        // accessed as an atomic, by the kernel too.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(entries).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}

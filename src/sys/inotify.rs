// SPDX-License-Identifier: MIT OR Apache-2.0
//! `inotify(7)`: what happens to files and directories. Linux has it; elsewhere making one is `ENOTSUP`.

use bitflags::bitflags;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Buffer, Inotify};
#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::{Buffer, Inotify};

bitflags! {
    /// inotify's bits: what to tell of, and what happened.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Happened: u32 {
        const READ = 0x001;
        const WRITTEN = 0x002;
        const ATTRIBUTES = 0x004;
        const CLOSED_WRITER = 0x008;
        const CLOSED_READER = 0x010;
        const OPENED = 0x020;
        /// An entry of the directory was moved out of it, or in it.
        const ENTRY_LEFT = 0x040;
        /// An entry was moved into the directory, or in it.
        const ENTRY_CAME = 0x080;
        const ENTRY_CREATED = 0x100;
        const ENTRY_DELETED = 0x200;
        const MOVED = 0x800;
        /// There was more than the kernel keeps: something was lost, of any watch.
        const LOST = 0x4000;
        /// The entry that it happened to is a directory.
        const IS_DIRECTORY = 0x4000_0000;
    }
}

/// Names a watched file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Watch(i32);

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    pub(crate) watch: Watch,
    pub(crate) happened: Happened,
    /// Whether it happened to an entry of the watched directory, not to the directory itself.
    pub(crate) to_entry: bool,
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Happened, Notice, Watch};
    use crate::sys::fd::check;
    use std::ffi::CString;
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

    /// Room for what one read takes, aligned as the kernel's records are.
    #[repr(align(8))]
    pub(crate) struct Buffer([u8; 4096]);

    impl Buffer {
        pub(crate) const fn new() -> Self {
            Self([0; 4096])
        }
    }

    /// An inotify instance.
    #[derive(Debug)]
    pub(crate) struct Inotify(OwnedFd);

    impl Inotify {
        /// A new instance, close-on-exec and non-blocking. `EMFILE`: also the user's limit of them.
        pub(crate) fn new() -> io::Result<Self> {
            // SAFETY: no pointers.
            let fd = check(unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) })?;
            // SAFETY: the descriptor is new and nobody else's.
            Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
        }

        /// The descriptor that is readable when something happened.
        pub(crate) fn fd(&self) -> RawFd {
            self.0.as_raw_fd()
        }

        /// Watches the file that `fd` names, for what it is watched already, too. All descriptors of
        /// one file have one watch. `ENOENT`: no /proc; `ENOSPC`: the user's limit of watches.
        pub(crate) fn add(&self, fd: RawFd, wanted: Happened) -> io::Result<Watch> {
            self.add_path(format!("/proc/self/fd/{fd}"), wanted)
        }

        /// As [`Inotify::add`], for the directory that has the directory `fd` in it.
        pub(crate) fn add_parent(&self, fd: RawFd, wanted: Happened) -> io::Result<Watch> {
            self.add_path(format!("/proc/self/fd/{fd}/.."), wanted)
        }

        fn add_path(&self, path: String, wanted: Happened) -> io::Result<Watch> {
            let path = CString::new(path)?;
            let mask = wanted.bits() | libc::IN_MASK_ADD;
            // SAFETY: the path is a C string that lives until the call returns.
            let watch = check(unsafe { libc::inotify_add_watch(self.fd(), path.as_ptr(), mask) })?;
            Ok(Watch(watch))
        }

        /// Ends a watch. One that has ended with its file is harmless to end.
        pub(crate) fn remove(&self, watch: Watch) {
            // SAFETY: no pointers.
            unsafe { libc::inotify_rm_watch(self.fd(), watch.0) };
        }

        /// What happened since the last read, as much as fits the buffer.
        pub(crate) fn read<'a>(&self, buffer: &'a mut Buffer) -> impl Iterator<Item = Notice> + 'a {
            let room = buffer.0.len();
            // SAFETY: the buffer has that many bytes.
            let got = unsafe { libc::read(self.fd(), buffer.0.as_mut_ptr().cast(), room) };
            let mut rest = buffer.0.get(..usize::try_from(got).unwrap_or(0)).unwrap_or(&[]);
            std::iter::from_fn(move || {
                let (notice, length) = parse(rest)?;
                rest = rest.get(length..)?;
                Some(notice)
            })
        }
    }

    /// The first record, and how long it is with the name that follows it.
    fn parse(bytes: &[u8]) -> Option<(Notice, usize)> {
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        // struct inotify_event: wd, mask, cookie, length of the name (inotify(7)).
        let (watch, mask, name) = (word(0)?.cast_signed(), word(4)?, word(12)?);
        let happened = Happened::from_bits_truncate(mask);
        let notice = Notice { watch: Watch(watch), happened, to_entry: name != 0 };
        Some((notice, size_of::<libc::inotify_event>() + name as usize))
    }
}

#[cfg(not(target_os = "linux"))]
mod unsupported {
    use super::{Happened, Notice, Watch};
    use std::io;
    use std::os::fd::RawFd;

    /// Room for nothing.
    pub(crate) struct Buffer;

    impl Buffer {
        pub(crate) const fn new() -> Self {
            Self
        }
    }

    /// An instance that cannot be: there is no value of this type.
    #[derive(Debug)]
    pub(crate) enum Inotify {}

    impl Inotify {
        /// `ENOTSUP`.
        pub(crate) fn new() -> io::Result<Self> {
            Err(io::Error::from_raw_os_error(libc::ENOTSUP))
        }

        pub(crate) fn fd(&self) -> RawFd {
            match *self {}
        }

        pub(crate) fn add(&self, _fd: RawFd, _wanted: Happened) -> io::Result<Watch> {
            match *self {}
        }

        pub(crate) fn add_parent(&self, _fd: RawFd, _wanted: Happened) -> io::Result<Watch> {
            match *self {}
        }

        pub(crate) fn remove(&self, _watch: Watch) {
            match *self {}
        }

        pub(crate) fn read(&self, _buffer: &mut Buffer) -> std::iter::Empty<Notice> {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs::{File, rename};
    use std::io::Write;
    use std::os::fd::AsRawFd;

    #[test]
    fn what_happened_is_told_of_the_right_watch() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = File::create(directory.path().join("a")).unwrap();
        let opened = File::open(directory.path()).unwrap();
        let inotify = Inotify::new().unwrap();
        let entries = Happened::ENTRY_LEFT | Happened::ENTRY_CAME;
        let of_directory = inotify.add(opened.as_raw_fd(), entries).unwrap();
        let of_file = inotify.add(file.as_raw_fd(), Happened::WRITTEN).unwrap();
        assert_eq!(inotify.add(file.as_raw_fd(), Happened::MOVED).unwrap(), of_file);
        file.write_all(b"x").unwrap();
        rename(directory.path().join("a"), directory.path().join("b")).unwrap();
        let mut buffer = Buffer::new();
        let told: Vec<_> = inotify.read(&mut buffer).collect();
        let told: Vec<_> = told.iter().map(|it| (it.watch, it.happened, it.to_entry)).collect();
        let expected = [
            (of_file, Happened::WRITTEN, false),
            (of_directory, Happened::ENTRY_LEFT, true),
            (of_directory, Happened::ENTRY_CAME, true),
            (of_file, Happened::MOVED, false),
        ];
        assert_eq!(told, expected);
        assert_eq!(inotify.read(&mut buffer).count(), 0);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells the descriptors of one epoll set from all others, exactly and without a trace: the set gets a
//! member that nobody else knows and that is never ready. `kcmp(2)` would tell it too, but containers
//! forbid it.

use std::io;
use std::os::fd::RawFd;

#[cfg(target_os = "linux")]
pub(crate) use linux::Mark;
#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::Mark;

/// Another descriptor of the same file, the caller's to close.
pub(crate) fn duplicate(fd: RawFd, close_on_exec: bool) -> io::Result<RawFd> {
    let command = if close_on_exec { libc::F_DUPFD_CLOEXEC } else { libc::F_DUPFD };
    // SAFETY: no pointers.
    super::fd::check(unsafe { libc::fcntl(fd, command, 0) })
}

/// The numbers that are open in this process, as far as the system tells.
pub(crate) fn open_numbers() -> Vec<RawFd> {
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::sys::fd::check;
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

    /// The member of one epoll set.
    #[derive(Debug)]
    pub(crate) struct Mark(OwnedFd);

    impl Mark {
        /// Marks the set of an epoll descriptor.
        pub(crate) fn on(epoll: RawFd) -> io::Result<Self> {
            // SAFETY: no pointers.
            let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) })?;
            // SAFETY: the descriptor is new and nobody else's.
            let mark = Self(unsafe { OwnedFd::from_raw_fd(fd) });
            mark.control(epoll, libc::EPOLL_CTL_ADD)?;
            Ok(mark)
        }

        /// Whether `fd` names the marked set. Changing a member is refused for any other file.
        pub(crate) fn is_on(&self, fd: RawFd) -> bool {
            self.control(fd, libc::EPOLL_CTL_MOD).is_ok()
        }

        fn control(&self, epoll: RawFd, operation: libc::c_int) -> io::Result<()> {
            let mut nothing = libc::epoll_event { events: 0, u64: 0 };
            // SAFETY: `nothing` is valid for the call.
            check(unsafe {
                libc::epoll_ctl(epoll, operation, self.0.as_raw_fd(), &raw mut nothing)
            })?;
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod unsupported {
    use std::io;
    use std::os::fd::RawFd;

    /// The mark of a set that cannot be: there is no value of this type.
    #[derive(Debug)]
    pub(crate) enum Mark {}

    impl Mark {
        /// `ENOTSUP`.
        pub(crate) fn on(_epoll: RawFd) -> io::Result<Self> {
            Err(io::Error::from_raw_os_error(libc::ENOTSUP))
        }

        pub(crate) fn is_on(&self, _fd: RawFd) -> bool {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::sys::epoll::Epoll;

    #[test]
    fn a_mark_is_on_the_descriptors_of_its_set_only() {
        let (set, other) = (Epoll::new().unwrap(), Epoll::new().unwrap());
        let mark = Mark::on(set.fd()).unwrap();
        let twin = duplicate(set.fd(), true).unwrap();
        assert!(mark.is_on(set.fd()) && mark.is_on(twin));
        assert!(!mark.is_on(other.fd()) && !mark.is_on(0) && !mark.is_on(-1));
        assert!(open_numbers().contains(&twin));
        // SAFETY: made above, and nobody else's.
        unsafe { libc::close(twin) };
        assert!(!mark.is_on(twin));
    }
}

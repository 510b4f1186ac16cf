// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes as descriptors: `pidfd_open(2)`, Linux 5.3. Elsewhere opening one is `ENOTSUP`.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// Whether this process has one thread only, as far as the system tells.
pub(crate) fn is_single_threaded() -> bool {
    use std::os::unix::fs::MetadataExt;
    // A directory has a link for each directory in it, besides its own two.
    std::fs::metadata("/proc/self/task").is_ok_and(|threads| threads.nlink() == 3)
}

/// A process, whatever else may get its number later.
#[derive(Debug)]
pub(crate) struct Process(OwnedFd);

impl Process {
    /// The descriptor, which becomes readable when the process has ended.
    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(target_os = "linux")]
impl Process {
    /// The process of that number, one that has ended and waits to be reaped, too. `ESRCH`: there is
    /// none; `ENOTSUP`: the kernel is too old; `EMFILE`, `ENFILE`.
    pub(crate) fn open(pid: libc::pid_t) -> io::Result<Self> {
        use std::os::fd::FromRawFd;
        // SAFETY: no pointers.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let fd = libc::c_int::try_from(fd).unwrap_or(-1);
        if fd < 0 {
            let error = io::Error::last_os_error();
            return Err(match error.raw_os_error() {
                Some(libc::ENOSYS) => io::Error::from_raw_os_error(libc::ENOTSUP),
                // The number of a thread that is not its process' first.
                Some(libc::EINVAL | libc::ENOENT) => io::Error::from_raw_os_error(libc::ESRCH),
                _ => error,
            });
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// How the process ended, as waitpid(2) tells it, without reaping it. `None` if it is no child of
    /// this process, or was reaped.
    pub(crate) fn wait_status(&self) -> Option<i32> {
        status_of(libc::P_PIDFD, self.0.as_raw_fd().cast_unsigned())
    }
}

/// How a child of this process ended that waits to be reaped, as waitpid(2) tells it. `None` if there
/// is no such.
pub(crate) fn zombie_status(pid: libc::pid_t) -> Option<i32> {
    status_of(libc::P_PID, libc::id_t::try_from(i128::from(pid)).ok()?)
}

fn status_of(kind: libc::idtype_t, id: libc::id_t) -> Option<i32> {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: there is room for one siginfo.
    let result = unsafe { libc::waitid(kind, id, info.as_mut_ptr(), options) };
    // SAFETY: zeroed, for which every field has a valid value, and then filled.
    let info = unsafe { info.assume_init() };
    if result != 0 || info.si_signo != libc::SIGCHLD {
        return None;
    }
    // SAFETY: waitid succeeded, and so told of a child.
    let status = unsafe { info.si_status() };
    // The layout of a wait status: the exit code above 8 bits, or a signal and whether it left a
    // core (waitpid(2), <sys/wait.h>).
    Some(match info.si_code {
        libc::CLD_EXITED => (status & 0xff) << 8,
        libc::CLD_DUMPED => status | 0x80,
        _ => status,
    })
}

#[cfg(not(target_os = "linux"))]
impl Process {
    /// `ENOTSUP`.
    pub(crate) fn open(_pid: libc::pid_t) -> io::Result<Self> {
        Err(io::Error::from_raw_os_error(libc::ENOTSUP))
    }

    /// Never called: there is no value of this type.
    pub(crate) fn wait_status(&self) -> Option<i32> {
        None
    }
}

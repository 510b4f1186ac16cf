// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals that ask a program to end, as bytes in a pipe that a reactor can watch.

use once_cell::sync::OnceCell;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that ask to end.
const ENDING: [i32; 2] = [libc::SIGINT, libc::SIGTERM];

/// Made once and never closed: a handler may be about to write into it at any time.
static PIPE: OnceCell<(PipeReader, PipeWriter)> = OnceCell::new();

/// Whether a [`Watch`] lives.
static WATCHED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(signal: i32) {
    let Some((_, writer)) = PIPE.get() else { return };
    let byte = signal.to_ne_bytes();
    // SAFETY: write(2) is async-signal-safe, and the bytes live until it returns. errno is kept for
    // the code that the signal interrupted.
    unsafe {
        let errno = errno_location();
        let saved = *errno;
        libc::write(writer.as_raw_fd(), byte.as_ptr().cast(), byte.len());
        *errno = saved;
    }
}

#[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
use libc::__errno as errno_location;
#[cfg(any(target_os = "linux", target_os = "dragonfly"))]
use libc::__errno_location as errno_location;
#[cfg(any(target_os = "macos", target_os = "ios", target_os = "freebsd"))]
use libc::__error as errno_location;

/// While it lives, SIGINT and SIGTERM no longer end the process but can be read here; what they did
/// before comes back when it is dropped. One at a time in a process: a second is `EBUSY`.
pub(crate) struct Watch {
    reader: &'static PipeReader,
    previous: [libc::sigaction; ENDING.len()],
}

impl Watch {
    pub(crate) fn start() -> io::Result<Self> {
        let (reader, _) = PIPE.get_or_try_init(|| {
            let (reader, writer) = io::pipe()?;
            set_nonblocking(reader.as_fd())?;
            set_nonblocking(writer.as_fd())?;
            io::Result::Ok((reader, writer))
        })?;
        if WATCHED.swap(true, Ordering::AcqRel) {
            return Err(io::Error::from_raw_os_error(libc::EBUSY));
        }
        // SAFETY: sigaction is a plain struct, for which all zeroes is a valid value.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = note as extern "C" fn(i32) as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        let mut previous = [action; ENDING.len()];
        for (signal, previous) in ENDING.into_iter().zip(&mut previous) {
            // SAFETY: both structs are valid, and the handler only does what is async-signal-safe.
            unsafe { libc::sigaction(signal, &raw const action, previous) };
        }
        Ok(Self { reader, previous })
    }

    /// Whether a signal came since the last call.
    pub(crate) fn take(&self) -> bool {
        let mut number = [0; size_of::<i32>()];
        let mut reader = self.reader;
        reader.read_exact(&mut number).is_ok()
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for (signal, previous) in ENDING.into_iter().zip(&self.previous) {
            // SAFETY: the struct is what sigaction(2) gave when the watch began.
            unsafe { libc::sigaction(signal, previous, ptr::null_mut()) };
        }
        while self.take() {}
        WATCHED.store(false, Ordering::Release);
    }
}

fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: F_GETFL and F_SETFL on an open descriptor touch no memory (fcntl(2)).
    let done = unsafe {
        let flags = libc::fcntl(fd.as_raw_fd(), libc::F_GETFL);
        libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK)
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_takes_the_signal_and_gives_the_old_action_back() {
        let watch = Watch::start().unwrap();
        assert_eq!(Watch::start().err().and_then(|e| e.raw_os_error()), Some(libc::EBUSY));
        assert!(!watch.take());
        // SAFETY: raise(3) on a signal that the watch handles.
        unsafe { libc::raise(libc::SIGTERM) };
        assert!(watch.take());
        assert!(!watch.take());
        drop(watch);
        // SAFETY: a null new action only asks.
        let action: libc::sigaction = unsafe {
            let mut action = MaybeUninit::zeroed().assume_init();
            libc::sigaction(libc::SIGTERM, ptr::null(), &raw mut action);
            action
        };
        assert_eq!(action.sa_sigaction, libc::SIG_DFL);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system calls that the cases need and std does not have.

#![allow(unsafe_code, reason = "system calls")]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Makes `number` name the file of `fd`, whatever it named before.
pub fn dup2(fd: &impl AsRawFd, number: RawFd) -> OwnedFd {
    // SAFETY: no pointers.
    let fd = unsafe { libc::dup2(fd.as_raw_fd(), number) };
    assert_eq!(fd, number);
    // SAFETY: the number was given to this function to own.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Closes a number that std's owner does not know to be closed.
pub fn close(number: RawFd) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::close(number) }, 0);
}

/// Raises the limit of open descriptors so that `number` is allowed; `false` if it cannot.
pub fn allow_descriptor(number: RawFd) -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for both calls.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
    limit.rlim_max > libc::rlim_t::try_from(number).unwrap()
}

/// Whether `fd` is readable within that time.
pub fn is_readable(fd: RawFd, timeout_ms: i32) -> bool {
    let mut row = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one row.
    unsafe { libc::poll(&raw mut row, 1, timeout_ms) == 1 }
}

/// The processor time that this thread has used.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap())
}

/// Forks; the child runs `body` and ends with its result, which is returned to the parent.
pub fn in_child(body: impl FnOnce() -> u8) -> u8 {
    // SAFETY: the child only runs `body`, which makes calls of the library, and ends.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let code = body();
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(code.into()) };
    }
    let mut status = 0;
    // SAFETY: `status` is valid.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert!(libc::WIFEXITED(status), "the child was killed: status {status}");
    u8::try_from(libc::WEXITSTATUS(status)).unwrap()
}

/// Has SIGALRM, whose handler does nothing, delivered to this thread after that time and again and
/// again until the result is dropped.
pub struct Alarm(libc::timer_t);

extern "C" fn ignore(_signal: libc::c_int) {}

impl Alarm {
    pub fn every_ms(interval: i64) -> Self {
        let handler: extern "C" fn(libc::c_int) = ignore;
        // SAFETY: a handler that does nothing; all structs are valid for the calls.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as libc::sighandler_t;
            libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut());
            let mut event: libc::sigevent = std::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = libc::SIGALRM;
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer: libc::timer_t = std::ptr::null_mut();
            let made = libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer);
            assert_eq!(made, 0);
            let time = libc::timespec { tv_sec: 0, tv_nsec: interval * 1_000_000 };
            let every = libc::itimerspec { it_interval: time, it_value: time };
            libc::timer_settime(timer, 0, &raw const every, std::ptr::null_mut());
            Self(timer)
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: the timer is this one's own.
        unsafe { libc::timer_delete(self.0) };
    }
}

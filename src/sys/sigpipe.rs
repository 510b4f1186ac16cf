// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keeps SIGPIPE from ending the program: sendfile(2) has no flag against it as send(2) has, and a
//! library may not change what the program does with signals.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// While it lives, SIGPIPE is blocked on the thread that made it, so that writing to a closed
/// connection is `EPIPE` and nothing else. It belongs to that thread.
pub(crate) struct Blocked {
    /// What the thread had blocked before.
    previous: libc::sigset_t,
    of_this_thread: PhantomData<*const ()>,
}

impl Blocked {
    pub(crate) fn on_this_thread() -> Self {
        let only_pipe = only_pipe();
        let mut previous = empty();
        // SAFETY: both sets are valid for the call (pthread_sigmask(3)).
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const only_pipe, &raw mut previous) };
        Self { previous, of_this_thread: PhantomData }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let only_pipe = only_pipe();
        let mut pending = empty();
        // SAFETY: all sets are valid for the calls. SIGPIPE is blocked here, so a pending one is taken
        // by sigwait(3) at once, before it could be delivered.
        unsafe {
            if libc::sigismember(&raw const self.previous, libc::SIGPIPE) == 0 {
                libc::sigpending(&raw mut pending);
                if libc::sigismember(&raw const pending, libc::SIGPIPE) == 1 {
                    let mut signal = 0;
                    libc::sigwait(&raw const only_pipe, &raw mut signal);
                }
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.previous, ptr::null_mut());
        }
    }
}

fn empty() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset(3) sets the whole of what it is given.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

fn only_pipe() -> libc::sigset_t {
    let mut set = empty();
    // SAFETY: the set is valid, and so is the number (sigaddset(3)).
    unsafe { libc::sigaddset(&raw mut set, libc::SIGPIPE) };
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raise() {
        // SAFETY: pthread_kill(3) on this very thread.
        unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGPIPE) };
    }

    fn pending() -> bool {
        let mut set = empty();
        // SAFETY: the set is valid for both calls.
        unsafe {
            libc::sigpending(&raw mut set);
            libc::sigismember(&raw const set, libc::SIGPIPE) == 1
        }
    }

    #[test]
    fn a_signal_that_came_meanwhile_is_gone_afterwards() {
        // The test harness ignores SIGPIPE, and what is ignored is never pending.
        // SAFETY: the default action is not reached: the signal is blocked whenever it is raised.
        let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let outer = Blocked::on_this_thread();
        {
            let _inner = Blocked::on_this_thread();
            raise();
            assert!(pending());
        }
        assert!(pending(), "the outer one still blocks it");
        drop(outer);
        assert!(!pending());
        // SAFETY: gives back what was there.
        unsafe { libc::signal(libc::SIGPIPE, before) };
    }
}

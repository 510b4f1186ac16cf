// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals: what is done at one, and sending them.

#![allow(unsafe_code, reason = "system calls")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What is done at a signal while this lives; then what was done before is done again.
pub struct Action {
    signal: libc::c_int,
    previous: libc::sigaction,
}

pub type Detailed = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

impl Action {
    pub fn ignore(signal: libc::c_int) -> Self {
        Self::set(signal, libc::SIG_IGN, 0)
    }

    pub fn default(signal: libc::c_int) -> Self {
        Self::set(signal, libc::SIG_DFL, 0)
    }

    pub fn handle(
        signal: libc::c_int,
        handler: extern "C" fn(libc::c_int),
        flags: libc::c_int,
    ) -> Self {
        Self::set(signal, handler as libc::sighandler_t, flags)
    }

    pub fn handle_with_details(signal: libc::c_int, handler: Detailed) -> Self {
        Self::set(signal, handler as libc::sighandler_t, libc::SA_SIGINFO)
    }

    fn set(signal: libc::c_int, handler: libc::sighandler_t, flags: libc::c_int) -> Self {
        // SAFETY: the structs are valid for the call, and the handlers only touch atomics.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler;
            action.sa_flags = flags;
            let mut previous = action;
            assert_eq!(libc::sigaction(signal, &raw const action, &raw mut previous), 0);
            Self { signal, previous }
        }
    }

    /// The handler and the flags that are set now.
    pub fn current(&self) -> (usize, libc::c_int) {
        // SAFETY: NULL only asks.
        let action = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            assert_eq!(libc::sigaction(self.signal, std::ptr::null(), &raw mut action), 0);
            action
        };
        (action.sa_sigaction, action.sa_flags)
    }
}

impl Drop for Action {
    fn drop(&mut self) {
        // SAFETY: the action is one that sigaction(2) gave.
        unsafe { libc::sigaction(self.signal, &raw const self.previous, std::ptr::null_mut()) };
    }
}

/// Sends a signal to this thread; it was delivered when this returns.
pub fn raise(signal: libc::c_int) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

/// Sends a signal to the process.
pub fn send_signal(signal: libc::c_int) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::kill(libc::getpid(), signal) }, 0);
}

/// The process that sent the signal whose handler got this.
pub fn sender_of(info: *mut libc::siginfo_t) -> usize {
    // SAFETY: the system gives a handler with SA_SIGINFO a valid one.
    usize::try_from(unsafe { (*info).si_pid() }).unwrap_or(0)
}

/// Sends a signal to the thread that made it, again and again until it is dropped.
pub struct Signals {
    stop: Arc<AtomicBool>,
    sender: Option<JoinHandle<()>>,
}

/// A thread that is going to be interrupted. It joins whoever holds this before it ends.
struct Receiver(libc::pthread_t);

// SAFETY: the name of a thread may be used by any thread.
unsafe impl Send for Receiver {}

impl Receiver {
    fn interrupt(&self, signal: libc::c_int) {
        // SAFETY: the thread lives, see above.
        unsafe { libc::pthread_kill(self.0, signal) };
    }
}

extern "C" fn ignore(_signal: libc::c_int) {}

impl Signals {
    /// SIGUSR1, whose handler does nothing.
    pub fn every(interval: Duration) -> Self {
        std::mem::forget(Action::handle(libc::SIGUSR1, ignore, 0));
        Self::of(libc::SIGUSR1, interval)
    }

    pub fn of(signal: libc::c_int, interval: Duration) -> Self {
        // SAFETY: no arguments.
        let receiver = Receiver(unsafe { libc::pthread_self() });
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let sender = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                std::thread::sleep(interval);
                receiver.interrupt(signal);
            }
        });
        Self { stop, sender: Some(sender) }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.sender.take().unwrap().join().unwrap();
    }
}

/// Runs `body` while this thread takes no signal of that number.
pub fn with_blocked<T>(signal: libc::c_int, body: impl FnOnce() -> T) -> T {
    // SAFETY: the sets are valid for the calls.
    let before = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        let mut before = set;
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before);
        before
    };
    let result = body();
    // SAFETY: as above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    result
}

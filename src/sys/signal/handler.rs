// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handlers of counted signals: they count, and then do what would have been done without them: call
//! the handler that was there, nothing if the signal was ignored, and if there was none, what the system
//! does by default.
//!
//! There are several, each with the action whose place it took: a program that saves the action it finds,
//! sets its own, and puts back what it saved, has the former done again.

use super::{LAST, count, index};
use crate::sys::fd::check;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many there are for one signal.
pub(super) const HANDLERS_COUNT: usize = 4;

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// They differ in their address only.
static HANDLERS: [Handler; HANDLERS_COUNT] = [handle::<0>, handle::<1>, handle::<2>, handle::<3>];

/// What a handler needs to know of the action whose place it took.
pub(super) struct Previous {
    /// The function, `SIG_IGN` or `SIG_DFL`.
    function: AtomicUsize,
    /// That function is to be called once (`SA_RESETHAND`).
    once: AtomicBool,
}

static PREVIOUS: [[Previous; HANDLERS_COUNT]; LAST + 1] = [const {
    [const { Previous { function: AtomicUsize::new(libc::SIG_DFL), once: AtomicBool::new(false) } };
        HANDLERS_COUNT]
}; LAST + 1];

/// Signals at which the program's action is not to be done.
static REPLACED: [AtomicBool; LAST + 1] = [const { AtomicBool::new(false) }; LAST + 1];

/// What one of our handlers knows.
pub(super) fn previous_of(signal: libc::c_int, handler: usize) -> Option<&'static Previous> {
    PREVIOUS.get(index(signal)?)?.get(handler)
}

fn is_replaced(signal: libc::c_int) -> bool {
    index(signal).is_some_and(|index| REPLACED[index].load(Ordering::SeqCst))
}

pub(super) fn set_replaced(signal: libc::c_int, replaced: bool) {
    if let Some(index) = index(signal) {
        REPLACED[index].store(replaced, Ordering::SeqCst);
    }
}

extern "C" fn handle<const HANDLER: usize>(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    count(signal);
    let Some(previous) = previous_of(signal, HANDLER) else { return };
    if is_replaced(signal) {
        return;
    }
    let function = if previous.once.swap(false, Ordering::SeqCst) {
        previous.function.swap(libc::SIG_DFL, Ordering::SeqCst)
    } else {
        previous.function.load(Ordering::SeqCst)
    };
    match function {
        libc::SIG_DFL => act_by_default(signal),
        libc::SIG_IGN if !is_fault(signal) => {}
        libc::SIG_IGN => act_by_default(signal),
        address => {
            // SAFETY: sigaction(2) gave this as a handler. One that takes the number alone leaves the
            // other two arguments where they are, in the C calling convention of every system.
            let handler = unsafe { std::mem::transmute::<usize, Handler>(address) };
            handler(signal, info, context);
        }
    }
}

/// Signals that an instruction raises, which would raise it again for ever if it were ignored.
const fn is_fault(signal: libc::c_int) -> bool {
    matches!(signal, libc::SIGSEGV | libc::SIGBUS | libc::SIGFPE | libc::SIGILL)
}

/// What the system would have done without a handler (signal(7)). Async-signal-safe.
fn act_by_default(signal: libc::c_int) {
    match signal {
        libc::SIGCHLD | libc::SIGURG | libc::SIGWINCH | libc::SIGCONT => {}
        // SAFETY: raise(3) may be called by handlers; SIGSTOP stops at once.
        libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => _ = unsafe { libc::raise(libc::SIGSTOP) },
        _ => {
            // SAFETY: zeroed, it is the default action with an empty mask.
            let default = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
            let _ = set(signal, &default);
            // SAFETY: it may be called by handlers. The signal is blocked until this one returns, and
            // then ends the process as it would have done.
            unsafe { libc::raise(signal) };
        }
    }
}

/// Sets an action, as it is. Async-signal-safe.
pub(super) fn set(signal: libc::c_int, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: the action is one that sigaction(2) gave, or the program, or made of those.
    check(unsafe { libc::sigaction(signal, action, ptr::null_mut()) })?;
    Ok(())
}

impl Previous {
    /// Remembers the action whose place a handler takes.
    pub(super) fn store(&self, action: &libc::sigaction) {
        self.function.store(action.sa_sigaction, Ordering::SeqCst);
        let once = action.sa_flags & libc::SA_RESETHAND != 0
            && !matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN);
        self.once.store(once, Ordering::SeqCst);
    }

    /// The function to be called now, `SIG_IGN` or `SIG_DFL`.
    pub(super) fn function(&self) -> usize {
        self.function.load(Ordering::SeqCst)
    }
}

/// Which of our handlers an action has.
pub(super) fn handler_in(action: &libc::sigaction) -> Option<usize> {
    HANDLERS.iter().position(|handler| action.sa_sigaction == *handler as usize)
}

/// Our action in the place of another: its mask, and as far as they do not concern the way in which its
/// handler is called, its flags.
pub(super) fn beside(
    signal: libc::c_int,
    handler: usize,
    previous: &libc::sigaction,
) -> libc::sigaction {
    let mut action = *previous;
    action.sa_sigaction = HANDLERS[handler] as usize;
    action.sa_flags &= !libc::SA_RESETHAND;
    action.sa_flags |= libc::SA_SIGINFO | libc::SA_ONSTACK;
    if matches!(previous.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
        // Nobody expects system calls to be interrupted.
        action.sa_flags |= libc::SA_RESTART;
    }
    if signal == libc::SIGCHLD && previous.sa_sigaction == libc::SIG_IGN {
        // Ignoring it is how a program says that nobody waits for its children (wait(2)).
        action.sa_flags |= libc::SA_NOCLDWAIT;
    }
    action
}

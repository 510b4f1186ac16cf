// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts the signals that are delivered to the process, beside whatever the program does with them.
//!
//! While somebody counts a signal, its handler is ours: it counts, wakes the [`Listener`]s, and then does
//! what would have been done without it: calls the handler that was there, nothing if the signal was
//! ignored, and if there was none, what the system does by default. The last one who stops counting puts
//! the old action back. A program that sets an action meanwhile replaces ours, and counting ends until
//! it is renewed; an `exec` sees a counted signal as one that has the default action.

use super::fd::check;
use super::fork;
use super::wakeup::Wakeup;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The greatest signal number there may be.
const LAST: usize = 64;

/// What the handler needs to know of one signal.
struct Counter {
    deliveries: AtomicU64,
    /// The function, `SIG_IGN` or `SIG_DFL` that ours took the place of.
    previous: AtomicUsize,
    /// That function is to be called once (`SA_RESETHAND`).
    once: AtomicBool,
    /// What was there is not to be done.
    replaced: AtomicBool,
}

impl Counter {
    fn of(signal: libc::c_int) -> Option<&'static Self> {
        COUNTERS.get(usize::try_from(signal).ok()?)
    }
}

static COUNTERS: [Counter; LAST + 1] = [const {
    Counter {
        deliveries: AtomicU64::new(0),
        previous: AtomicUsize::new(libc::SIG_DFL),
        once: AtomicBool::new(false),
        replaced: AtomicBool::new(false),
    }
}; LAST + 1];

/// Who counts, and the action to put back.
struct Installed {
    users: usize,
    previous: libc::sigaction,
}

static INSTALLED: Mutex<[Option<Installed>; LAST + 1]> = Mutex::new([const { None }; LAST + 1]);

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(counter) = Counter::of(signal) else { return };
    count(signal);
    if counter.replaced.load(Ordering::SeqCst) {
        return;
    }
    let previous = if counter.once.swap(false, Ordering::SeqCst) {
        counter.previous.swap(libc::SIG_DFL, Ordering::SeqCst)
    } else {
        counter.previous.load(Ordering::SeqCst)
    };
    match previous {
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
        // SAFETY: both may be called by handlers. The signal is blocked until this one returns, and
        // then ends the process as it would have done.
        _ => unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        },
    }
}

/// While it lives, deliveries of a signal are counted.
#[derive(Debug)]
pub(crate) struct Counting {
    signal: libc::c_int,
}

impl Counting {
    /// `EINVAL`: there is no such signal, or it cannot be handled.
    pub(crate) fn start(signal: libc::c_int) -> io::Result<Self> {
        let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
        let at = usize::try_from(signal).map_err(|_| invalid())?;
        let mut all = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(installed), Some(counter)) = (all.get_mut(at), Counter::of(signal)) else {
            return Err(invalid());
        };
        install(signal, installed, counter)?;
        if let Some(installed) = installed {
            installed.users += 1;
        }
        Ok(Self { signal })
    }

    /// Counts on if the program has set another action since: that is done from now on, beside counting.
    pub(crate) fn renew(&self) {
        if action_of(self.signal).is_ok_and(|current| is_ours(&current)) {
            return;
        }
        let mut all = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let installed = usize::try_from(self.signal).ok().and_then(|at| all.get_mut(at));
        if let (Some(installed), Some(counter)) = (installed, Counter::of(self.signal)) {
            // What cannot be handled any more is not counted.
            let _ = install(self.signal, installed, counter);
        }
    }

    /// As [`Counting::start`], and what was done at the signal is not done any more.
    pub(super) fn start_instead(signal: libc::c_int) -> io::Result<Self> {
        set_replaced(signal, true);
        Self::start(signal).inspect_err(|_| set_replaced(signal, false))
    }

    /// Has the old action done again, after [`Counting::start_instead`].
    pub(super) fn resume_action(&self) {
        set_replaced(self.signal, false);
    }

    /// How often the signal was delivered since the process began to count it.
    pub(crate) fn deliveries(&self) -> u64 {
        let counter = Counter::of(self.signal);
        counter.map_or(0, |counter| counter.deliveries.load(Ordering::SeqCst))
    }
}

/// Puts our handler in the place of the action that there is, unless it is ours already.
fn install(
    signal: libc::c_int,
    installed: &mut Option<Installed>,
    counter: &Counter,
) -> io::Result<()> {
    let current = action_of(signal)?;
    if !is_ours(&current) {
        counter.previous.store(current.sa_sigaction, Ordering::SeqCst);
        counter.once.store(current.sa_flags & libc::SA_RESETHAND != 0, Ordering::SeqCst);
        let action = beside(signal, &current);
        // SAFETY: the action is valid, and its handler does only what is async-signal-safe.
        check(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) })?;
        let users = installed.as_ref().map_or(0, |it| it.users);
        *installed = Some(Installed { users, previous: current });
    }
    Ok(())
}

fn set_replaced(signal: libc::c_int, replaced: bool) {
    if let Some(counter) = Counter::of(signal) {
        counter.replaced.store(replaced, Ordering::SeqCst);
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let mut all = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let installed = usize::try_from(self.signal).ok().and_then(|at| all.get_mut(at));
        let Some(Some(Installed { users, previous })) = installed else { return };
        *users -= 1;
        if *users == 0 && action_of(self.signal).is_ok_and(|current| is_ours(&current)) {
            // SAFETY: the action is one that sigaction(2) gave.
            unsafe { libc::sigaction(self.signal, previous, ptr::null_mut()) };
        }
    }
}

/// Whether there is such a signal, and a program may say what is done at it.
pub(crate) fn can_be_handled(signal: libc::c_int) -> bool {
    !matches!(signal, libc::SIGKILL | libc::SIGSTOP) && action_of(signal).is_ok()
}

fn action_of(signal: libc::c_int) -> io::Result<libc::sigaction> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: NULL only asks; there is room for the answer.
    check(unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) })?;
    // SAFETY: zeroed, for which every field has a valid value, and then filled.
    Ok(unsafe { action.assume_init() })
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == handle as Handler as usize
}

/// Our action in the place of another: its mask, and as far as they do not concern the way in which its
/// handler is called, its flags.
fn beside(signal: libc::c_int, previous: &libc::sigaction) -> libc::sigaction {
    let mut action = *previous;
    action.sa_sigaction = handle as Handler as usize;
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

/// A descriptor that becomes readable when one of some signals was delivered and counted.
#[derive(Debug)]
pub(crate) struct Listener(&'static Slot);

/// A listener's place. It is never given up, because a handler may be about to use it at any time, but
/// goes to the next listener.
#[derive(Debug)]
struct Slot {
    wakeup: Wakeup,
    /// A bit for each signal.
    wanted: AtomicU64,
    taken: AtomicBool,
    /// Forks before it was made: parent and child share its descriptor, so the child leaves it alone.
    generation: u32,
    next: OnceLock<&'static Slot>,
}

static SLOTS: OnceLock<&'static Slot> = OnceLock::new();

impl Slot {
    fn all() -> impl Iterator<Item = &'static Self> {
        std::iter::successors(SLOTS.get().copied(), |slot| slot.next.get().copied())
    }

    /// Async-signal-safe.
    fn wake_all(signal: libc::c_int) {
        let generation = fork::current_generation();
        for slot in Self::all() {
            let wanted = slot.wanted.load(Ordering::SeqCst) & bit(signal) != 0;
            if wanted && slot.generation == generation {
                slot.wakeup.signal();
            }
        }
    }
}

/// The bit of a signal in a set of them.
pub(crate) fn bit(signal: libc::c_int) -> u64 {
    u32::try_from(signal - 1).map_or(0, |shift| 1_u64.checked_shl(shift).unwrap_or(0))
}

/// The signals of a set.
#[cfg(target_os = "linux")]
pub(super) fn numbers(signals: u64) -> impl Iterator<Item = libc::c_int> {
    (1..=64).filter(move |signal| signals & bit(*signal) != 0)
}

/// Whether the program itself has a function for a signal that is counted.
#[cfg(target_os = "linux")]
pub(super) fn is_handled(signal: libc::c_int) -> bool {
    let previous = |counter: &Counter| counter.previous.load(Ordering::SeqCst);
    let previous = Counter::of(signal).map_or(libc::SIG_DFL, previous);
    !matches!(previous, libc::SIG_DFL | libc::SIG_IGN)
}

/// Counts a signal that came without its handler being called.
pub(super) fn count(signal: libc::c_int) {
    if let Some(counter) = Counter::of(signal) {
        counter.deliveries.fetch_add(1, Ordering::SeqCst);
        Slot::wake_all(signal);
    }
}

impl Listener {
    /// One that hears nothing yet. `EMFILE`, `ENFILE`.
    pub(crate) fn new() -> io::Result<Self> {
        let generation = fork::generation();
        let free = |slot: &&Slot| {
            slot.generation == generation && !slot.taken.swap(true, Ordering::SeqCst)
        };
        if let Some(slot) = Slot::all().find(free) {
            return Ok(Self(slot));
        }
        let slot: &'static Slot = Box::leak(Box::new(Slot {
            wakeup: Wakeup::new()?,
            wanted: AtomicU64::new(0),
            taken: AtomicBool::new(true),
            generation,
            next: OnceLock::new(),
        }));
        let mut end = &SLOTS;
        while end.set(slot).is_err() {
            let Some(last) = end.get() else { break };
            end = &last.next;
        }
        Ok(Self(slot))
    }

    /// Which signals to hear of from now on.
    pub(crate) fn set_wanted(&self, signals: impl Iterator<Item = libc::c_int>) {
        self.0.wanted.store(signals.fold(0, |all, signal| all | bit(signal)), Ordering::SeqCst);
    }

    /// The descriptor to watch.
    pub(crate) fn fd(&self) -> RawFd {
        self.0.wakeup.fd()
    }

    /// Makes the descriptor unreadable. Count after this.
    pub(crate) fn drain(&self) {
        self.0.wakeup.drain();
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.wakeup.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.wanted.store(0, Ordering::SeqCst);
        if self.0.generation == fork::current_generation() {
            self.drain();
            self.0.taken.store(false, Ordering::SeqCst);
        }
    }
}

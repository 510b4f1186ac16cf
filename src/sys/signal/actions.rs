// SPDX-License-Identifier: MIT OR Apache-2.0
//! The actions of counted signals: ours is in the kernel, the program's stands in a record beside it.
//!
//! - The last one who stops counting puts the program's action back.
//! - A program that sets an action by [`set_action`] has it done beside the counting, and never sees
//!   ours. One that calls sigaction(2) itself replaces ours, and counting ends until it is renewed.
//! - An `exec` sees a counted signal as one that has the default action.
//! - The records are locked with all signals blocked, as a handler may set actions, too, and over each
//!   `fork`, so that the child finds them free. It leaves them alone until it counts itself, for one made
//!   by `vfork` shares them with its parent.

use super::handler::{HANDLERS_COUNT, beside, handler_in, previous_of, set};
use super::uninterrupted::Uninterrupted;
use super::{LAST, index};
use crate::sys::fd::check;
use std::cell::RefCell;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};

/// What is known of a signal that was counted once.
struct Record {
    users: usize,
    /// The action that each handler of ours took the place of.
    actions: [Option<libc::sigaction>; HANDLERS_COUNT],
    /// The handler that takes the next place.
    next: usize,
}

/// Boxed, as few signals are ever counted.
type Records = [Option<Box<Record>>; LAST + 1];

static RECORDS: Mutex<Records> = Mutex::new([const { None }; LAST + 1]);

/// The process that counts.
static OWNER: AtomicU32 = AtomicU32::new(0);

fn is_owner() -> bool {
    OWNER.load(Ordering::SeqCst) == std::process::id()
}

/// The records, while this thread is not interrupted.
struct Locked {
    /// Let go before signals are unblocked.
    records: MutexGuard<'static, Records>,
    _uninterrupted: Uninterrupted,
}

impl Locked {
    fn new() -> Self {
        let uninterrupted = Uninterrupted::new();
        let records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
        Self { records, _uninterrupted: uninterrupted }
    }

    /// Nothing if somebody else has them, which in the child of a raw `clone` is for ever.
    fn try_new() -> Option<Self> {
        let uninterrupted = Uninterrupted::new();
        let records = match RECORDS.try_lock() {
            Ok(records) => records,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Self { records, _uninterrupted: uninterrupted })
    }

    fn record(&mut self, signal: libc::c_int) -> Option<&mut Record> {
        self.records.get_mut(index(signal)?)?.as_deref_mut()
    }
}

thread_local! {
    /// What a thread holds while it forks.
    static OVER_FORK: RefCell<Option<Locked>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

extern "C" fn before_fork() {
    let locked = Locked::new();
    let _ = OVER_FORK.try_with(|held| *held.borrow_mut() = Some(locked));
}

extern "C" fn after_fork() {
    let _ = OVER_FORK.try_with(|held| held.borrow_mut().take());
}

/// One more counts a signal. `EINVAL`: there is no such signal, or it cannot be handled.
pub(super) fn start(signal: libc::c_int) -> io::Result<()> {
    INSTALL.call_once(|| {
        // SAFETY: both lock and unlock only, and run on the thread that forks.
        unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(after_fork)) };
    });
    let mut locked = Locked::new();
    let slot = index(signal).and_then(|index| locked.records.get_mut(index));
    let slot = slot.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
    let current = action_of(signal)?;
    let new = || Box::new(Record { users: 0, actions: [None; HANDLERS_COUNT], next: 0 });
    let record = slot.get_or_insert_with(new);
    if handler_in(&current).is_none() {
        record.take_place_of(signal, &current)?;
    }
    record.users += 1;
    OWNER.store(std::process::id(), Ordering::SeqCst);
    Ok(())
}

/// Sees to it that a counted signal is counted though the program has set another action.
pub(super) fn renew(signal: libc::c_int) {
    let is_ours = |current: &libc::sigaction| handler_in(current).is_some();
    if action_of(signal).is_ok_and(|current| is_ours(&current)) {
        return;
    }
    let mut locked = Locked::new();
    if let (Some(record), Ok(current)) = (locked.record(signal), action_of(signal))
        && !is_ours(&current)
    {
        // What cannot be handled any more is not counted.
        let _ = record.take_place_of(signal, &current);
    }
}

/// One less counts a signal.
pub(super) fn stop(signal: libc::c_int) {
    let mut locked = Locked::new();
    let Some(record) = locked.record(signal) else { return };
    record.users = record.users.saturating_sub(1);
    if record.users == 0
        && let Some(previous) = action_of(signal).ok().and_then(|it| record.behind(signal, &it))
    {
        let _ = set(signal, &previous);
    }
}

/// sigaction(2), but that the program neither sees nor removes the handler of a counted signal: what it
/// sets is done beside the counting. Returns the action that was there. Async-signal-safe.
///
/// `EINVAL`: there is no such signal, or it cannot be handled.
pub(crate) fn set_action(
    signal: libc::c_int,
    action: Option<&libc::sigaction>,
) -> io::Result<libc::sigaction> {
    let is_owner = is_owner();
    let mut locked = if is_owner { Some(Locked::new()) } else { Locked::try_new() };
    let current = action_of(signal)?;
    let record = locked.as_mut().and_then(|locked| locked.record(signal));
    let seen =
        record.as_ref().and_then(|record| record.behind(signal, &current)).unwrap_or(current);
    match (action, record) {
        (None, _) => {}
        (Some(action), Some(record))
            if is_owner && record.users > 0 && handler_in(action).is_none() =>
        {
            record.take_place_of(signal, action)?;
        }
        (Some(action), _) => set(signal, action)?,
    }
    Ok(seen)
}

impl Record {
    /// Puts a handler of ours in the place of an action.
    fn take_place_of(&mut self, signal: libc::c_int, action: &libc::sigaction) -> io::Result<()> {
        let same = |known: &Option<libc::sigaction>| known.is_some_and(|it| is_same(&it, action));
        let handler = self.actions.iter().position(same).unwrap_or(self.next);
        if handler == self.next {
            self.next = (self.next + 1) % HANDLERS_COUNT;
        }
        self.actions[handler] = Some(*action);
        if let Some(previous) = previous_of(signal, handler) {
            previous.store(action);
        }
        set(signal, &beside(signal, handler, action))
    }

    /// The program's action, if ours is in its place.
    fn behind(&self, signal: libc::c_int, ours: &libc::sigaction) -> Option<libc::sigaction> {
        let handler = handler_in(ours)?;
        let mut action = self.actions[handler]?;
        action.sa_sigaction = previous_of(signal, handler)?.function();
        Some(action)
    }
}

/// Whether there is such a signal, and a program may say what is done at it.
pub(crate) fn can_be_handled(signal: libc::c_int) -> bool {
    !matches!(signal, libc::SIGKILL | libc::SIGSTOP) && action_of(signal).is_ok()
}

/// Whether the program itself has a function for a signal that is counted.
#[cfg(target_os = "linux")]
pub(crate) fn is_handled(signal: libc::c_int) -> bool {
    let function = action_of(signal).map_or(libc::SIG_DFL, |current| {
        let previous = handler_in(&current).and_then(|handler| previous_of(signal, handler));
        previous.map_or(current.sa_sigaction, |it| it.function())
    });
    !matches!(function, libc::SIG_DFL | libc::SIG_IGN)
}

fn action_of(signal: libc::c_int) -> io::Result<libc::sigaction> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: NULL only asks; there is room for the answer.
    check(unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) })?;
    // SAFETY: zeroed, for which every field has a valid value, and then filled.
    Ok(unsafe { action.assume_init() })
}

fn is_same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    let blocks = |action: &libc::sigaction, signal| {
        // SAFETY: the mask is a set of signals.
        unsafe { libc::sigismember(&raw const action.sa_mask, signal) }
    };
    one.sa_sigaction == other.sa_sigaction
        && one.sa_flags == other.sa_flags
        && (1..=64).all(|signal| blocks(one, signal) == blocks(other, signal))
}

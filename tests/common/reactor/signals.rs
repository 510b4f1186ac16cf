// SPDX-License-Identifier: MIT OR Apache-2.0
//! SIGNAL: counted beside whatever the program does with them.

use super::{Bench, NOT_NS, SOON_NS, change, needs_a_kernel, skip, system};
use evl::reactor::{BackendKind, Event, Filter, Flags};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use system::Action;

crate::cases![
    needs needs_a_kernel;
    "counted":
        an_ignored_signal_is_counted,
        several_deliveries_are_one_event,
        a_signal_wakes_the_wait_and_does_not_interrupt_it,
        every_queue_counts_for_itself,
        a_disabled_signal_is_counted_and_told_when_enabled,
        oneshot_and_dispatch_signals,
        signals_before_the_knote_are_not_told,
        a_signal_makes_the_queue_readable,
        an_interruption_by_another_signal_stays_one,
        a_child_does_not_wake_its_parent,
        a_blocked_signal_that_nobody_handles_is_counted,
        a_blocked_signal_is_left_to_its_handler;
    "beside the action":
        the_handler_that_was_there_still_runs,
        a_handler_with_details_gets_them,
        a_handler_for_one_time_runs_once,
        what_is_ignored_by_default_stays_harmless,
        what_ends_the_process_by_default_still_does,
        the_old_action_comes_back_with_the_last_knote,
        readding_reaches_a_signal_whose_action_was_set_anew,
        a_new_action_is_counted_beside,
        an_action_that_is_put_back_is_done_again,
        a_program_that_is_executed_has_the_default_action;
    "bad input":
        what_cannot_be_counted_is_refused;
];

const SIGNAL: i32 = libc::SIGUSR2;

fn signal(number: i32, flags: Flags) -> Event {
    change(usize::try_from(number).unwrap(), Filter::SIGNAL, flags)
}

fn an_ignored_signal_is_counted(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let queue = bench.queue();
    queue.set(Event { udata: 3, ..signal(SIGNAL, Flags::ADD) });
    queue.none();
    system::send_signal(SIGNAL);
    let event = queue.one();
    assert_eq!((event.ident, event.filter), (usize::try_from(SIGNAL).unwrap(), Filter::SIGNAL));
    assert_eq!((event.data, event.udata), (1, 3));
    assert!(event.flags.contains(Flags::CLEAR), "implied");
    queue.none();
}

fn a_program_that_is_executed_has_the_default_action(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let run = || {
        let script = format!("kill -{SIGNAL} $$; exit 3");
        Command::new("sh").args(["-c", &script]).status().unwrap()
    };
    assert_eq!(run().code(), Some(3), "what is ignored stays so");
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    let expected = if bench.kind == BackendKind::Kqueue { None } else { Some(SIGNAL) };
    assert_eq!(run().signal(), expected);
}

fn several_deliveries_are_one_event(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    (0..5).for_each(|_| system::raise(SIGNAL));
    assert_eq!(queue.one().data, 5);
    system::raise(SIGNAL);
    assert_eq!(queue.one().data, 1);
    queue.none();
}

fn a_signal_wakes_the_wait_and_does_not_interrupt_it(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    assert_eq!(queue.woken_by(|| system::raise(SIGNAL)).data, 1);
    let signals = system::Signals::of(SIGNAL, Duration::from_millis(5));
    for _ in 0..20 {
        assert!(queue.one().data >= 1);
    }
    drop(signals);
    while !queue.wait(8, NOT_NS).is_empty() {}
}

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn handler(_signal: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

fn the_handler_that_was_there_still_runs(bench: &Bench) {
    let _handled = Action::handle(SIGNAL, handler, 0);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    let before = HANDLED.load(Ordering::SeqCst);
    system::raise(SIGNAL);
    system::raise(SIGNAL);
    assert_eq!(HANDLED.load(Ordering::SeqCst) - before, 2);
    assert_eq!(queue.one().data, 2);
}

static SENDER: AtomicUsize = AtomicUsize::new(0);

extern "C" fn detailed(_: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let sender = system::sender_of(info);
    SENDER.store(if context.is_null() { 0 } else { sender }, Ordering::SeqCst);
}

fn a_handler_with_details_gets_them(bench: &Bench) {
    let _handled = Action::handle_with_details(SIGNAL, detailed);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    SENDER.store(0, Ordering::SeqCst);
    system::raise(SIGNAL);
    assert_eq!(SENDER.load(Ordering::SeqCst), std::process::id() as usize);
    assert_eq!(queue.one().data, 1);
}

fn a_handler_for_one_time_runs_once(bench: &Bench) {
    let _handled = Action::handle(libc::SIGURG, handler, libc::SA_RESETHAND);
    let queue = bench.queue();
    queue.set(signal(libc::SIGURG, Flags::ADD));
    let before = HANDLED.load(Ordering::SeqCst);
    system::raise(libc::SIGURG);
    system::raise(libc::SIGURG);
    assert_eq!(HANDLED.load(Ordering::SeqCst) - before, 1);
    assert_eq!(queue.one().data, 2);
}

fn what_is_ignored_by_default_stays_harmless(bench: &Bench) {
    let _default = Action::default(libc::SIGURG);
    let queue = bench.queue();
    queue.set(signal(libc::SIGURG, Flags::ADD));
    system::raise(libc::SIGURG);
    assert_eq!(queue.one().data, 1);
}

fn what_ends_the_process_by_default_still_does(bench: &Bench) {
    let status = system::status_of_child(|| {
        let queue = bench.queue();
        queue.set(signal(libc::SIGTERM, Flags::ADD));
        system::raise(libc::SIGTERM);
        0
    });
    assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGTERM, "{status:#x}");
}

fn the_old_action_comes_back_with_the_last_knote(bench: &Bench) {
    if bench.kind == BackendKind::Kqueue {
        skip("the kernel counts, and sets no action");
    }
    let handled = Action::handle(SIGNAL, handler, libc::SA_NODEFER);
    let before = handled.current();
    let first = bench.queue();
    first.set(signal(SIGNAL, Flags::ADD));
    let second = bench.queue();
    second.set(signal(SIGNAL, Flags::ADD | Flags::ONESHOT));
    assert_ne!(handled.current(), before);
    first.set(signal(SIGNAL, Flags::DELETE));
    assert_ne!(handled.current(), before);
    system::raise(SIGNAL);
    assert_eq!(second.one().data, 1);
    assert_eq!(handled.current(), before);
    first.set(signal(SIGNAL, Flags::ADD));
    assert_ne!(handled.current(), before);
    drop(first);
    assert_eq!(handled.current(), before);
}

fn every_queue_counts_for_itself(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let (first, second) = (bench.queue(), bench.queue());
    first.set(signal(SIGNAL, Flags::ADD));
    second.set(signal(SIGNAL, Flags::ADD));
    system::raise(SIGNAL);
    assert_eq!(first.one().data, 1);
    system::raise(SIGNAL);
    assert_eq!(second.one().data, 2);
    assert_eq!(first.one().data, 1);
}

fn a_disabled_signal_is_counted_and_told_when_enabled(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD | Flags::DISABLE));
    system::raise(SIGNAL);
    system::raise(SIGNAL);
    queue.idle();
    queue.set(signal(SIGNAL, Flags::ENABLE));
    assert_eq!(queue.one().data, 2);
    queue.none();
}

fn oneshot_and_dispatch_signals(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD | Flags::DISPATCH));
    system::raise(SIGNAL);
    assert_eq!(queue.one().data, 1);
    system::raise(SIGNAL);
    queue.none();
    queue.set(signal(SIGNAL, Flags::ENABLE));
    assert_eq!(queue.one().data, 1);
    queue.set(signal(SIGNAL, Flags::DELETE));
    queue.set(signal(SIGNAL, Flags::ADD | Flags::ONESHOT));
    system::raise(SIGNAL);
    assert_eq!(queue.one().data, 1);
    assert_eq!(queue.try_set(signal(SIGNAL, Flags::DELETE)), Err(libc::ENOENT));
}

fn signals_before_the_knote_are_not_told(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let other = bench.queue();
    other.set(signal(SIGNAL, Flags::ADD));
    system::raise(SIGNAL);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    queue.none();
}

fn readding_reaches_a_signal_whose_action_was_set_anew(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    let _again = Action::handle(SIGNAL, handler, 0);
    let before = HANDLED.load(Ordering::SeqCst);
    queue.set(signal(SIGNAL, Flags::ADD));
    system::raise(SIGNAL);
    assert_eq!(queue.one().data, 1);
    assert_eq!(HANDLED.load(Ordering::SeqCst) - before, 1);
    queue.set(signal(SIGNAL, Flags::DELETE));
}

fn a_new_action_is_counted_beside(bench: &Bench) {
    let queue = bench.queue();
    let _ignored = Action::ignore(SIGNAL);
    queue.set(signal(SIGNAL, Flags::ADD));
    let _later = Action::handle(SIGNAL, handler, 0);
    assert_eq!(queue.wait(8, 0), []);
    let before = HANDLED.load(Ordering::SeqCst);
    system::raise(SIGNAL);
    assert_eq!(queue.one().data, 1);
    assert_eq!(HANDLED.load(Ordering::SeqCst) - before, 1);
    queue.set(signal(SIGNAL, Flags::DELETE));
}

static HANDLED_OTHERWISE: AtomicUsize = AtomicUsize::new(0);

extern "C" fn other_handler(_signal: libc::c_int) {
    HANDLED_OTHERWISE.fetch_add(1, Ordering::SeqCst);
}

/// What the program saves may be the reactor's own.
fn an_action_that_is_put_back_is_done_again(bench: &Bench) {
    let _first = Action::handle(SIGNAL, handler, 0);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    let later = Action::handle(SIGNAL, other_handler, 0);
    assert_eq!(queue.wait(8, 0), []);
    let counts = || [&HANDLED, &HANDLED_OTHERWISE].map(|count| count.load(Ordering::SeqCst));
    let [first, other] = counts();
    system::raise(SIGNAL);
    assert_eq!((queue.one().data, counts()), (1, [first, other + 1]));
    drop(later);
    system::raise(SIGNAL);
    assert_eq!((queue.one().data, counts()), (1, [first + 1, other + 1]));
    queue.set(signal(SIGNAL, Flags::DELETE));
}

fn a_blocked_signal_that_nobody_handles_is_counted(bench: &Bench) {
    if !cfg!(target_os = "linux") && bench.kind != BackendKind::Kqueue {
        skip("nothing tells of blocked signals");
    }
    let _ignored = Action::ignore(SIGNAL);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    system::with_blocked(SIGNAL, || {
        queue.none();
        for _ in 0..3 {
            system::raise(SIGNAL);
            assert_eq!(queue.one().data, 1);
        }
        queue.set(signal(SIGNAL, Flags::DISABLE));
        system::raise(SIGNAL);
        queue.none();
        system::raise(SIGNAL);
        queue.set(signal(SIGNAL, Flags::ENABLE));
        assert_eq!(queue.one().data, 2);
        queue.none();
    });
    queue.none();
}

fn a_blocked_signal_is_left_to_its_handler(bench: &Bench) {
    if bench.kind == BackendKind::Kqueue {
        skip("kernels count a signal when it is sent");
    }
    let _handled = Action::handle(SIGNAL, handler, 0);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    let before = HANDLED.load(Ordering::SeqCst);
    system::with_blocked(SIGNAL, || {
        system::raise(SIGNAL);
        queue.none();
    });
    assert_eq!(HANDLED.load(Ordering::SeqCst) - before, 1);
    assert_eq!(queue.one().data, 1);
}

fn a_signal_makes_the_queue_readable(bench: &Bench) {
    let queue = bench.queue();
    let fd = bench.descriptor(&queue);
    let _ignored = Action::ignore(SIGNAL);
    queue.set(signal(SIGNAL, Flags::ADD));
    assert!(!system::is_readable(fd, 0));
    system::raise(SIGNAL);
    assert!(system::is_readable(fd, 0));
    queue.one();
    queue.none();
    assert!(!system::is_readable(fd, 0));
}

fn an_interruption_by_another_signal_stays_one(bench: &Bench) {
    let queue = bench.queue();
    let _ignored = Action::ignore(SIGNAL);
    queue.set(signal(SIGNAL, Flags::ADD));
    let signals = system::Signals::every(Duration::from_millis(10));
    let result = queue.0.wait(&mut [Event::default()], SOON_NS);
    drop(signals);
    assert_eq!(result, Err(libc::EINTR));
}

fn what_cannot_be_counted_is_refused(bench: &Bench) {
    let queue = bench.queue();
    let beyond_the_last = if cfg!(target_os = "freebsd") { 129 } else { 65 };
    for number in [0, beyond_the_last, 100_000, libc::SIGKILL, libc::SIGSTOP] {
        assert_eq!(queue.try_set(signal(number, Flags::ADD)), Err(libc::EINVAL), "{number}");
        assert_eq!(queue.try_set(signal(number, Flags::DELETE)), Err(libc::ENOENT), "{number}");
    }
    let beyond = change(usize::MAX, Filter::SIGNAL, Flags::ADD);
    assert_eq!(queue.try_set(beyond), Err(libc::EINVAL));
    queue.none();
}

fn a_child_does_not_wake_its_parent(bench: &Bench) {
    let _ignored = Action::ignore(SIGNAL);
    let queue = bench.queue();
    queue.set(signal(SIGNAL, Flags::ADD));
    let counted = system::in_child(|| {
        let own = bench.queue();
        own.set(signal(SIGNAL, Flags::ADD));
        system::raise(SIGNAL);
        u8::from(own.one().data == 1)
    });
    assert_eq!(counted, 1);
    queue.none();
}

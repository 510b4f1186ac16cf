// SPDX-License-Identifier: MIT OR Apache-2.0
//! PROC: the end of a process, told once and without reaping it.

use super::{Bench, SOON_NS, change, needs_a_kernel, skip, system};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::io::{PipeWriter, Read, Write, pipe};

crate::cases![
    needs can_tell_of_processes;
    "NOTE_EXIT":
        an_end_is_told_with_its_status,
        a_death_by_signal_is_told_with_its_status,
        the_child_is_left_to_be_reaped,
        the_knote_ends_with_its_process,
        an_end_wakes_the_wait,
        a_living_process_is_silent,
        a_forgotten_process_is_silent,
        several_processes_are_several_events,
        every_queue_is_told,
        several_knotes_on_one_process_are_all_told,
        deleting_one_of_several_knotes_leaves_the_others,
        an_end_while_disabled_is_told_when_enabled,
        the_status_survives_the_reaping,
        a_process_that_is_no_child_has_no_status,
        an_end_makes_the_queue_readable;
    "a zombie":
        a_zombie_is_told_at_once_and_once;
    "bad input":
        numbers_without_a_process_are_esrch,
        what_the_system_cannot_tell_is_enotsup,
        a_process_knote_needs_a_note;
];

const EXIT: u32 = note::EXIT | note::EXITSTATUS;

fn process(pid: libc::pid_t, flags: Flags) -> Event {
    Event { fflags: EXIT, ..change(usize::try_from(pid).unwrap(), Filter::PROC, flags) }
}

fn can_tell_of_processes(bench: &Bench) {
    needs_a_kernel(bench);
    let own = libc::pid_t::try_from(std::process::id()).unwrap();
    if bench.queue().try_set(process(own, Flags::ADD)) == Err(libc::ENOTSUP) {
        skip("the system has no descriptors of processes");
    }
}

/// A child that ends with 7 when the other value is dropped.
fn waiting_child() -> (libc::pid_t, PipeWriter) {
    let (mut reader, writer) = pipe().unwrap();
    let mut writer = Some(writer);
    let child = system::fork(|| {
        drop(writer.take());
        _ = reader.read(&mut [0]);
        7
    });
    (child, writer.take().unwrap())
}

fn an_end_is_told_with_its_status(bench: &Bench) {
    let queue = bench.queue();
    let (child, hold) = waiting_child();
    queue.set(Event { udata: 9, ..process(child, Flags::ADD) });
    queue.none();
    drop(hold);
    let event = queue.one();
    assert_eq!((event.ident, event.filter), (usize::try_from(child).unwrap(), Filter::PROC));
    assert_eq!((event.fflags, event.udata), (EXIT, 9));
    assert!(event.flags.contains(Flags::EOF | Flags::ONESHOT));
    assert_eq!(event.data, 7 << 8);
    assert_eq!(system::reap(child), 7 << 8);
}

fn a_death_by_signal_is_told_with_its_status(bench: &Bench) {
    let queue = bench.queue();
    let (child, _hold) = waiting_child();
    queue.set(process(child, Flags::ADD));
    system::kill(child, libc::SIGKILL);
    assert_eq!(queue.one().data, libc::SIGKILL.into());
    assert_eq!(system::reap(child), libc::SIGKILL);
}

fn the_child_is_left_to_be_reaped(bench: &Bench) {
    let queue = bench.queue();
    let child = system::fork(|| 3);
    queue.set(process(child, Flags::ADD));
    queue.one();
    assert_eq!(system::reap(child), 3 << 8);
}

fn a_zombie_is_told_at_once_and_once(bench: &Bench) {
    let queue = bench.queue();
    let child = system::fork(|| 5);
    system::await_zombie(child);
    queue.set(process(child, Flags::ADD));
    let events = queue.wait(8, 0);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].data, 5 << 8);
    queue.none();
    queue.set(process(child, Flags::ADD));
    assert_eq!(queue.one().data, 5 << 8, "it still is one");
    system::reap(child);
    queue.none();
}

fn the_knote_ends_with_its_process(bench: &Bench) {
    let queue = bench.queue();
    let child = system::fork(|| 0);
    queue.set(process(child, Flags::ADD));
    queue.one();
    queue.idle();
    assert_eq!(queue.try_set(process(child, Flags::DELETE)), Err(libc::ENOENT));
    system::reap(child);
}

fn an_end_wakes_the_wait(bench: &Bench) {
    let queue = bench.queue();
    let (child, hold) = waiting_child();
    queue.set(process(child, Flags::ADD));
    let event = queue.woken_by(|| drop(hold));
    assert_eq!(event.data, 7 << 8);
    system::reap(child);
}

fn a_living_process_is_silent(bench: &Bench) {
    let queue = bench.queue();
    queue.set(process(libc::pid_t::try_from(std::process::id()).unwrap(), Flags::ADD));
    queue.idle();
}

fn a_forgotten_process_is_silent(bench: &Bench) {
    let queue = bench.queue();
    let (child, hold) = waiting_child();
    queue.set(process(child, Flags::ADD));
    queue.set(process(child, Flags::DELETE));
    drop(hold);
    system::await_zombie(child);
    queue.idle();
    system::reap(child);
}

fn several_processes_are_several_events(bench: &Bench) {
    let queue = bench.queue();
    let children: Vec<_> = (0..5_u8).map(|code| system::fork(|| code)).collect();
    let changes: Vec<_> = children.iter().map(|child| process(*child, Flags::ADD)).collect();
    assert_eq!(queue.0.change(&changes, &mut []), Ok(0));
    let mut told = Vec::new();
    while told.len() < children.len() {
        let events = queue.wait(8, SOON_NS);
        assert!(!events.is_empty());
        told.extend(events.iter().map(|event| event.data));
    }
    told.sort_unstable();
    assert_eq!(told, (0..5).map(|code| code << 8).collect::<Vec<_>>());
    queue.none();
    children.into_iter().for_each(|child| _ = system::reap(child));
}

fn every_queue_is_told(bench: &Bench) {
    let (first, second) = (bench.queue(), bench.queue());
    let (child, hold) = waiting_child();
    first.set(process(child, Flags::ADD));
    second.set(process(child, Flags::ADD));
    drop(hold);
    assert_eq!(first.one().data, 7 << 8);
    assert_eq!(second.one().data, 7 << 8);
    system::reap(child);
}

fn specific(event: Event, udata: usize) -> Event {
    Event { udata, flags: event.flags | Flags::UDATA_SPECIFIC, ..event }
}

fn several_knotes_on_one_process_are_all_told(bench: &Bench) {
    let queue = bench.queue();
    let (child, hold) = waiting_child();
    queue.set(Event { udata: 1, ..process(child, Flags::ADD) });
    queue.set(specific(process(child, Flags::ADD), 2));
    queue.set(specific(process(child, Flags::ADD), 3));
    drop(hold);
    system::await_zombie(child);
    let mut events = Vec::new();
    while events.len() < 3 {
        events.append(&mut queue.wait(8, SOON_NS));
    }
    events.sort_unstable_by_key(|event| event.udata);
    let told: Vec<_> = events.iter().map(|event| (event.udata, event.data)).collect();
    assert_eq!(told, [(1, 7 << 8), (2, 7 << 8), (3, 7 << 8)]);
    queue.none();
    // What is added once it has been told begins anew.
    queue.set(specific(process(child, Flags::ADD), 2));
    assert_eq!(queue.one().udata, 2);
    system::reap(child);
}

fn deleting_one_of_several_knotes_leaves_the_others(bench: &Bench) {
    let queue = bench.queue();
    let (child, hold) = waiting_child();
    queue.set(process(child, Flags::ADD));
    queue.set(specific(process(child, Flags::ADD), 2));
    queue.set(process(child, Flags::DELETE));
    queue.none();
    drop(hold);
    assert_eq!(queue.one().udata, 2);
    system::reap(child);
}

fn an_end_while_disabled_is_told_when_enabled(bench: &Bench) {
    let queue = bench.queue();
    let child = system::fork(|| 1);
    queue.set(process(child, Flags::ADD | Flags::DISABLE));
    system::await_zombie(child);
    queue.idle();
    queue.set(process(child, Flags::ENABLE));
    assert_eq!(queue.one().data, 1 << 8);
    system::reap(child);
}

fn the_status_survives_the_reaping(bench: &Bench) {
    let queue = bench.queue();
    let child = system::fork(|| 6);
    queue.set(process(child, Flags::ADD | Flags::DISABLE));
    system::await_zombie(child);
    queue.none();
    system::reap(child);
    queue.set(process(child, Flags::ENABLE));
    assert_eq!(queue.one().data, 6 << 8);
}

fn a_process_that_is_no_child_has_no_status(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    let (hold_reader, hold) = pipe().unwrap();
    let mut hold = Some(hold);
    let child = system::fork(|| {
        drop(hold.take());
        let grandchild = system::fork(|| u8::from((&hold_reader).read(&mut [0]).is_err()));
        u8::from(writer.write_all(&grandchild.to_ne_bytes()).is_err())
    });
    assert_eq!(system::reap(child), 0);
    let mut number = [0; 4];
    reader.read_exact(&mut number).unwrap();
    queue.set(process(libc::pid_t::from_ne_bytes(number), Flags::ADD));
    queue.none();
    drop(hold);
    let event = queue.one();
    // A kernel tells the status of any process that the caller may signal.
    let expected = if bench.kind == BackendKind::Kqueue { EXIT } else { note::EXIT };
    assert_eq!((event.fflags, event.data), (expected, 0));
}

fn an_end_makes_the_queue_readable(bench: &Bench) {
    let queue = bench.queue();
    let fd = bench.descriptor(&queue);
    let (child, hold) = waiting_child();
    queue.set(process(child, Flags::ADD));
    assert!(!system::is_readable(fd, 0));
    drop(hold);
    assert!(system::is_readable(fd, 5_000));
    queue.one();
    assert!(!system::is_readable(fd, 0));
    system::reap(child);
}

fn numbers_without_a_process_are_esrch(bench: &Bench) {
    let queue = bench.queue();
    let child = system::fork(|| 0);
    system::reap(child);
    assert_eq!(queue.try_set(process(child, Flags::ADD)), Err(libc::ESRCH));
    for ident in [0, usize::MAX, 1 << 40, 1 << 30] {
        let change = Event { ident, ..process(child, Flags::ADD) };
        assert_eq!(queue.try_set(change), Err(libc::ESRCH), "{ident}");
    }
    assert_eq!(queue.try_set(process(child, Flags::DELETE)), Err(libc::ENOENT));
}

fn what_the_system_cannot_tell_is_enotsup(bench: &Bench) {
    let queue = bench.queue();
    let own = libc::pid_t::try_from(std::process::id()).unwrap();
    let kernel: &[u32] = &[note::REAP | note::EXIT];
    let emulated = &[note::FORK, note::EXEC, note::SIGNAL, note::REAP | note::EXIT];
    for &fflags in if bench.kind == BackendKind::Kqueue { kernel } else { emulated } {
        let change = Event { fflags, ..process(own, Flags::ADD) };
        assert_eq!(queue.try_set(change), Err(libc::ENOTSUP), "{fflags:#x}");
    }
    assert_eq!(queue.try_set(process(own, Flags::DELETE)), Err(libc::ENOENT));
}

fn a_process_knote_needs_a_note(bench: &Bench) {
    let queue = bench.queue();
    let own = libc::pid_t::try_from(std::process::id()).unwrap();
    for fflags in [0, note::EXITSTATUS, note::EXIT | 1 << 20] {
        let change = Event { fflags, ..process(own, Flags::ADD) };
        assert_eq!(queue.try_set(change), Err(libc::EINVAL), "{fflags:#x}");
    }
}

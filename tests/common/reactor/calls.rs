// SPDX-License-Identifier: MIT OR Apache-2.0
//! "The calls": how changes, records, capacity and time-outs behave.

use super::{
    Bench, NOT_NS, Q, SOON_NS, change, ident, needs_a_kernel, read, skip, system, timer, user,
    write,
};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::collections::BTreeSet;
use std::io::{Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

crate::cases![
    "create":
        a_new_queue_is_empty,
        a_queue_is_closed_on_exec,
        a_queue_without_descriptors_is_emfile;
    "a change fails, room in the event list":
        a_failure_with_room_is_a_record;
    "a change fails, no room":
        a_failure_without_room_is_the_result_and_the_first_one;
    "RECEIPT on a change":
        a_receipt_always_answers_and_drains_nothing;
    "event capacity 0":
        no_capacity_returns_at_once;
    "timeout":
        a_wait_lasts_as_long_as_asked,
        a_wait_is_exact_to_less_than_a_millisecond;
    "signal during the wait":
        a_signal_ends_the_wait;
    "bad input":
        unknown_filters_are_einval,
        filters_of_single_systems_are_enotsup,
        bad_descriptors_are_ebadf,
        filters_of_single_systems_are_enotsup,
        missing_knotes_are_enoent,
        a_failed_change_changes_nothing;
    "fork":
        the_child_of_a_fork_has_no_queue;
    "order and fairness":
        capacity_one_reaches_every_ready_knote,
        always_ready_knotes_starve_nobody,
        timers_are_reached_beside_always_ready_knotes;
    "limits":
        select_refuses_what_does_not_fit;
];

fn a_new_queue_is_empty(bench: &Bench) {
    bench.queue().none();
}

fn a_queue_is_closed_on_exec(bench: &Bench) {
    if !cfg!(target_os = "linux") {
        skip("the system does not list descriptors");
    }
    needs_a_kernel(bench);
    let before = system::descriptors();
    let queue = bench.queue();
    let file = tempfile::tempfile().unwrap();
    let own = usize::try_from(std::process::id()).unwrap();
    let signal = usize::try_from(libc::SIGUSR2).unwrap();
    // Whatever needs a descriptor of the queue's own.
    let wanted = Event { fflags: note::WRITE, ..change(ident(&file), Filter::VNODE, Flags::ADD) };
    queue.set(wanted);
    queue.set(Event { fflags: note::EXIT, ..change(own, Filter::PROC, Flags::ADD) });
    queue.set(change(signal, Filter::SIGNAL, Flags::ADD));
    queue.0.fd().unwrap_or_default();
    let new: Vec<_> = system::descriptors().into_iter().filter(|fd| !before.contains(fd)).collect();
    assert!(new.len() >= 4, "{new:?}");
    assert!(new.iter().all(|fd| system::is_closed_on_exec(*fd)), "{new:?}");
}

fn a_queue_without_descriptors_is_emfile(bench: &Bench) {
    needs_a_kernel(bench);
    let result = system::without_descriptors(|| (bench.face.create)(bench.kind).map(drop));
    assert_eq!(result, Err(libc::EMFILE));
    bench.queue().none();
}

fn a_failure_with_room_is_a_record(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let wrong = Event { udata: 9, ..timer(1, Flags::ADD, 0, -1) };
    let changes = [wrong, read(&reader, Flags::ADD), user(2, Flags::DELETE, 0)];
    let mut records = [Event::default(); 4];
    assert_eq!(queue.0.change(&changes, &mut records), Ok(2));
    let first = Event { flags: Flags::ADD | Flags::ERROR, data: libc::EINVAL.into(), ..wrong };
    assert_eq!(records[0], first);
    assert_eq!(records[1].data, i64::from(libc::ENOENT));
    assert_eq!(records[1].flags, Flags::DELETE | Flags::ERROR);
    assert_eq!(queue.one().filter, Filter::READ);
}

fn a_failure_without_room_is_the_result_and_the_first_one(bench: &Bench) {
    let queue = bench.queue();
    let changes = [
        user(1, Flags::ADD, 0),
        user(2, Flags::DELETE, 0),
        timer(3, Flags::ADD, 0, -1),
        user(4, Flags::ADD, note::TRIGGER),
    ];
    assert_eq!(queue.0.change(&changes, &mut []), Err(libc::ENOENT));
    assert_eq!(queue.one().ident, 4);
}

fn a_receipt_always_answers_and_drains_nothing(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, note::TRIGGER));
    let mut records = [Event::default(); 4];
    let asked = user(2, Flags::ADD | Flags::RECEIPT, 0);
    assert_eq!(queue.0.change(&[asked], &mut records), Ok(1));
    assert_eq!(records[0], Event { flags: asked.flags | Flags::ERROR, ..asked });
    assert_eq!(queue.one().ident, 1);
}

fn no_capacity_returns_at_once(bench: &Bench) {
    let queue = bench.queue();
    assert_eq!(queue.0.wait(&mut [], -1), Ok(0));
    assert_eq!(queue.0.wait(&mut [], SOON_NS), Ok(0));
}

fn a_wait_lasts_as_long_as_asked(bench: &Bench) {
    let queue = bench.queue();
    let start = Instant::now();
    assert_eq!(queue.wait(1, NOT_NS), []);
    assert!(start.elapsed() >= Duration::from_nanos(NOT_NS.unsigned_abs()));
    let start = Instant::now();
    assert_eq!(queue.wait(1, 0), []);
    assert!(start.elapsed() < Duration::from_secs(1));
}

fn a_wait_is_exact_to_less_than_a_millisecond(bench: &Bench) {
    let coarse = cfg!(not(any(target_os = "linux", target_os = "freebsd")));
    if coarse && bench.kind == BackendKind::Poll {
        skip("the system's poll counts milliseconds");
    }
    let queue = bench.queue();
    let lasted = || {
        let start = Instant::now();
        assert_eq!(queue.wait(1, 200_000), []);
        let time = start.elapsed();
        assert!(time >= Duration::from_micros(200), "too short: {time:?}");
        time
    };
    // A busy machine makes waits longer, but if they are rounded up, none is ever shorter than that.
    assert!((0..1000).any(|_| lasted() < Duration::from_millis(1)), "rounded up");
}

fn a_signal_ends_the_wait(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD, 0));
    let signals = system::Signals::every(Duration::from_millis(10));
    let result = queue.0.wait(&mut [Event::default()], SOON_NS);
    drop(signals);
    assert_eq!(result, Err(libc::EINTR));
    queue.set(user(1, Flags::empty(), note::TRIGGER));
    assert_eq!(queue.one().ident, 1);
}

fn unknown_filters_are_einval(bench: &Bench) {
    let queue = bench.queue();
    for number in [0, -1, 14, i16::MAX, i16::MIN] {
        let unknown = change(0, Filter(number), Flags::ADD);
        assert_eq!(queue.try_set(unknown), Err(libc::EINVAL), "filter {number}");
    }
}

fn filters_of_single_systems_are_enotsup(bench: &Bench) {
    let queue = bench.queue();
    for filter in [Filter::AIO, Filter::MACHPORT, Filter::FS, Filter::PROCDESC] {
        assert_eq!(queue.try_set(change(1, filter, Flags::ADD)), Err(libc::ENOTSUP), "{filter:?}");
        for flags in [Flags::ENABLE, Flags::DELETE, Flags::ADD | Flags::DELETE] {
            assert_eq!(queue.try_set(change(1, filter, flags)), Err(libc::ENOENT), "{filter:?}");
        }
    }
}

fn bad_descriptors_are_ebadf(bench: &Bench) {
    let queue = bench.queue();
    let minus_one = usize::MAX;
    for ident in [minus_one, usize::try_from(i32::MAX).unwrap(), 1 << 31, 1 << 40] {
        for filter in [Filter::READ, Filter::WRITE] {
            for flags in [Flags::ADD, Flags::DELETE, Flags::ENABLE] {
                let result = queue.try_set(change(ident, filter, flags));
                let too_big = bench.kind == BackendKind::Select && flags == Flags::ADD;
                let expected = if too_big && ident == usize::MAX >> 33 {
                    [libc::EBADF, libc::EINVAL]
                } else {
                    [libc::EBADF; 2]
                };
                assert!(expected.contains(&result.unwrap_err()), "{ident} {filter:?} {flags:?}");
            }
        }
    }
}

fn missing_knotes_are_enoent(bench: &Bench) {
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    for flags in [Flags::DELETE, Flags::ENABLE, Flags::DISABLE, Flags::empty()] {
        assert_eq!(queue.try_set(read(&reader, flags)), Err(libc::ENOENT), "READ {flags:?}");
        assert_eq!(queue.try_set(timer(1, flags, 0, 1)), Err(libc::ENOENT), "TIMER {flags:?}");
        assert_eq!(queue.try_set(user(1, flags, 0)), Err(libc::ENOENT), "USER {flags:?}");
    }
    assert_eq!(queue.0.trigger(1), Err(libc::ENOENT));
    queue.set(read(&reader, Flags::ADD));
    queue.set(read(&reader, Flags::DELETE));
    assert_eq!(queue.try_set(read(&reader, Flags::DELETE)), Err(libc::ENOENT));
}

fn a_failed_change_changes_nothing(bench: &Bench) {
    let queue = bench.queue();
    queue.set(Event { udata: 1, ..timer(1, Flags::ADD | Flags::ONESHOT, note::USECONDS, 100) });
    let wrong = Event { udata: 2, ..timer(1, Flags::ADD | Flags::DISABLE, 0, -5) };
    assert_eq!(queue.try_set(wrong), Err(libc::EINVAL));
    assert_eq!(queue.one().udata, 1);
}

fn the_child_of_a_fork_has_no_queue(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    let child = system::in_child(|| {
        let answers = [
            queue.try_set(user(2, Flags::ADD, 0)),
            queue.0.wait(&mut [Event::default()], 0).map(drop),
            queue.0.trigger(1),
            queue.0.fd().map(drop),
        ];
        u8::from(answers == [Err(libc::EBADF); 4])
    });
    assert_eq!(child, 1);
    queue.none();
    queue.0.trigger(1).unwrap();
    assert_eq!(queue.one().ident, 1);
}

fn capacity_one_reaches_every_ready_knote(bench: &Bench) {
    let queue = bench.queue();
    let pairs: Vec<_> = (0..5).map(|_| UnixStream::pair().unwrap()).collect();
    for (near, far) in &pairs {
        (&*far).write_all(b"x").unwrap();
        queue.set(read(near, Flags::ADD));
        queue.set(write(near, Flags::ADD));
    }
    queue.set(user(1, Flags::ADD, note::TRIGGER));
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let events = queue.wait(1, 0);
        seen.insert((events[0].ident, events[0].filter));
    }
    assert_eq!(seen.len(), 11, "starved: only {seen:?}");
}

fn always_ready_knotes_starve_nobody(bench: &Bench) {
    let queue = bench.queue();
    for ident in 0..4 {
        queue.set(user(ident, Flags::ADD, note::TRIGGER));
    }
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(read(&reader, Flags::ADD));
    let comes = |queue: &Q| queue.wait(2, 0).iter().any(|event| event.filter == Filter::READ);
    assert!((0..8).any(|_| comes(&queue)), "READ starves behind user events");
}

fn timers_are_reached_beside_always_ready_knotes(bench: &Bench) {
    let queue = bench.queue();
    for ident in 0..4 {
        queue.set(user(ident, Flags::ADD, note::TRIGGER));
        queue.set(timer(ident, Flags::ADD | Flags::ONESHOT, note::NSECONDS, 1));
    }
    for capacity in [1, 2] {
        let seen = (0..32).flat_map(|_| queue.wait(capacity, 0));
        let timers = seen.filter(|event| event.filter == Filter::TIMER).take(2).count();
        assert_eq!(timers, 2, "TIMER starves behind user events");
    }
}

fn select_refuses_what_does_not_fit(bench: &Bench) {
    const NUMBER: i32 = 1500;
    if !system::allow_descriptor(NUMBER) {
        skip("the limit of descriptors is too low");
    }
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    let high = system::dup2(&reader, NUMBER);
    writer.write_all(b"x").unwrap();
    if bench.kind == BackendKind::Select {
        assert_eq!(queue.try_set(read(&high, Flags::ADD)), Err(libc::EINVAL));
        queue.none();
    } else {
        queue.set(read(&high, Flags::ADD));
        assert_eq!(queue.one().ident, high.as_raw_fd().unsigned_abs() as usize);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! TIMER.

use super::{Bench, NOT_NS, timer};
use evl::reactor::{Event, Filter, Flags, note};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

crate::cases![
    "expirations":
        a_timer_does_not_fire_early,
        clear_is_implied,
        periodic_timers_count_and_do_not_drift,
        oneshot_fires_once,
        timers_fire_in_order,
        dispatch_counts_on_while_disabled,
        the_longest_time_is_far_away,
        a_deleted_timer_is_silent,
        a_timer_bounds_a_wait_for_ever;
    "units":
        the_units_are_what_they_say,
        two_units_are_einval,
        ticks_of_a_mac_are_enotsup,
        coalescing_notes_are_accepted;
    "NOTE_ABSOLUTE":
        absolute_is_wall_clock_and_once,
        absolute_in_the_past_fires_at_once,
        absolute_and_relative_can_be_toggled;
    "changed while undelivered":
        adding_again_restarts,
        changing_drops_undelivered_expirations;
    "negative and zero":
        negative_is_einval,
        zero_periodic_is_one_unit,
        zero_oneshot_fires_at_once;
];

fn a_timer_does_not_fire_early(bench: &Bench) {
    let queue = bench.queue();
    let start = Instant::now();
    queue.set(Event { udata: 5, ..timer(1, Flags::ADD | Flags::ONESHOT, 0, 20) });
    let event = queue.one();
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert_eq!((event.ident, event.filter, event.data, event.udata), (1, Filter::TIMER, 1, 5));
}

fn the_units_are_what_they_say(bench: &Bench) {
    let queue = bench.queue();
    let units = [
        (note::SECONDS, 1, 1_000_000_000),
        (note::MSECONDS, 3, 3_000_000),
        (0, 3, 3_000_000),
        (note::USECONDS, 700, 700_000),
        (note::NSECONDS, 800_000, 800_000),
    ];
    for (unit, data, expected_ns) in units {
        let start = Instant::now();
        queue.set(timer(1, Flags::ADD | Flags::ONESHOT, unit, data));
        queue.one();
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_nanos(expected_ns), "{unit:#x}: {elapsed:?}");
        assert!(elapsed < Duration::from_nanos(expected_ns) + Duration::from_millis(900));
    }
}

fn clear_is_implied(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD, 0, 500));
    assert!(queue.one().flags.contains(Flags::CLEAR));
    assert_eq!(queue.wait(8, 0), []);
}

fn periodic_timers_count_and_do_not_drift(bench: &Bench) {
    let queue = bench.queue();
    let start = Instant::now();
    queue.set(timer(1, Flags::ADD, 0, 2));
    let mut total = queue.one().data;
    while total < 20 {
        total += queue.one().data;
    }
    let expected = u64::try_from(total).unwrap() * 2;
    assert!(start.elapsed() >= Duration::from_millis(expected));
    assert!(start.elapsed() < Duration::from_millis(expected + 2) + Duration::from_secs(1));
    std::thread::sleep(Duration::from_millis(20));
    let missed = queue.one().data;
    assert!(missed >= 9, "{missed} expirations in 20 ms of 2 ms each");
}

fn oneshot_fires_once(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD | Flags::ONESHOT, 0, 1));
    assert_eq!(queue.one().data, 1);
    queue.none();
    assert_eq!(queue.try_set(timer(1, Flags::DELETE, 0, 0)), Err(libc::ENOENT));
}

fn timers_fire_in_order(bench: &Bench) {
    let queue = bench.queue();
    for ident in [3, 1, 5, 2, 4] {
        let data = 2 + i64::try_from(ident).unwrap();
        queue.set(timer(ident, Flags::ADD | Flags::ONESHOT, 0, data));
    }
    std::thread::sleep(Duration::from_millis(12));
    let idents: Vec<_> = queue.wait(8, 0).iter().map(|event| event.ident).collect();
    assert_eq!(idents, [1, 2, 3, 4, 5]);
}

fn wall_clock_ms(ahead: u64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap() + i64::try_from(ahead).unwrap()
}

fn absolute_is_wall_clock_and_once(bench: &Bench) {
    let queue = bench.queue();
    let time = wall_clock_ms(20);
    queue.set(timer(1, Flags::ADD, note::ABSOLUTE, time));
    assert_eq!(queue.wait(8, 0), []);
    assert_eq!(queue.one().data, 1);
    assert!(wall_clock_ms(0) >= time);
    queue.none();
}

fn absolute_in_the_past_fires_at_once(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD, note::ABSOLUTE | note::SECONDS, 1));
    assert_eq!(queue.wait(8, 0).len(), 1);
    queue.none();
}

fn adding_again_restarts(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD | Flags::ONESHOT, 0, 10));
    queue.set(timer(1, Flags::ADD | Flags::ONESHOT, 0, 60_000));
    queue.none();
    let start = Instant::now();
    queue.set(timer(1, Flags::ADD | Flags::ONESHOT, 0, 5));
    queue.one();
    assert!(start.elapsed() < Duration::from_secs(5));
}

fn changing_drops_undelivered_expirations(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD, 0, 1));
    queue.set(timer(2, Flags::ADD, 0, 1));
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(queue.wait(1, 0)[0].ident, 1);
    queue.set(timer(1, Flags::DELETE, 0, 0));
    queue.set(timer(2, Flags::ADD, 0, 60_000));
    queue.none();
}

fn absolute_and_relative_can_be_toggled(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD, 0, 60_000));
    queue.set(timer(1, Flags::ADD, note::ABSOLUTE, wall_clock_ms(3)));
    queue.one();
    queue.set(timer(1, Flags::ADD, note::ABSOLUTE, wall_clock_ms(60_000)));
    queue.set(timer(1, Flags::ADD, 0, 2));
    queue.one();
    queue.one();
}

fn dispatch_counts_on_while_disabled(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD | Flags::DISPATCH, 0, 1));
    queue.one();
    queue.none();
    queue.set(timer(1, Flags::ENABLE, 0, 0));
    let event = queue.one();
    assert!(event.data >= NOT_NS / 1_000_000, "{}", event.data);
}

fn negative_is_einval(bench: &Bench) {
    let queue = bench.queue();
    for fflags in [0, note::SECONDS, note::ABSOLUTE] {
        assert_eq!(queue.try_set(timer(1, Flags::ADD, fflags, -1)), Err(libc::EINVAL));
    }
}

fn two_units_are_einval(bench: &Bench) {
    let queue = bench.queue();
    let both = note::SECONDS | note::USECONDS;
    assert_eq!(queue.try_set(timer(1, Flags::ADD, both, 1)), Err(libc::EINVAL));
    assert_eq!(queue.try_set(timer(1, Flags::ADD, 0x1000, 1)), Err(libc::EINVAL));
}

fn ticks_of_a_mac_are_enotsup(bench: &Bench) {
    let queue = bench.queue();
    for fflags in [note::MACHTIME, note::MACHTIME | note::ABSOLUTE] {
        let change = timer(1, Flags::ADD, fflags, 1);
        assert_eq!(queue.try_set(change), Err(libc::ENOTSUP));
    }
    queue.none();
}

fn zero_periodic_is_one_unit(bench: &Bench) {
    let queue = bench.queue();
    let start = Instant::now();
    queue.set(timer(1, Flags::ADD, 0, 0));
    assert!(queue.one().data >= 1);
    assert!(start.elapsed() >= Duration::from_millis(1));
    queue.one();
}

fn zero_oneshot_fires_at_once(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD | Flags::ONESHOT, 0, 0));
    assert_eq!(queue.wait(8, 0).len(), 1);
}

fn the_longest_time_is_far_away(bench: &Bench) {
    let queue = bench.queue();
    for (ident, fflags) in [(1, 0), (2, note::SECONDS), (3, note::NSECONDS), (4, note::ABSOLUTE)] {
        queue.set(timer(ident, Flags::ADD, fflags, i64::MAX));
    }
    queue.none();
}

fn coalescing_notes_are_accepted(bench: &Bench) {
    let queue = bench.queue();
    for hint in [note::CRITICAL, note::BACKGROUND, note::LEEWAY] {
        queue.set(timer(1, Flags::ADD | Flags::ONESHOT, hint, 1));
        queue.one();
    }
}

fn a_deleted_timer_is_silent(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD, 0, 5));
    queue.set(timer(1, Flags::DELETE, 0, 0));
    queue.none();
}

fn a_timer_bounds_a_wait_for_ever(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD | Flags::ONESHOT, note::USECONDS, 300));
    assert_eq!(queue.wait(1, -1).len(), 1);
}

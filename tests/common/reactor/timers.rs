// SPDX-License-Identifier: MIT OR Apache-2.0
//! TIMER.

use super::{Bench, NOT_NS, Q, timer};
use evl::reactor::{Event, Filter, Flags, note};
use std::collections::BTreeMap;
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

/// A periodic timer, and between which times it was armed.
struct Armed<'a> {
    queue: &'a Q,
    period: Duration,
    armed: (Instant, Instant),
    total: u128,
}

impl<'a> Armed<'a> {
    fn new(queue: &'a Q, fflags: u32, data: i64, period: Duration) -> Self {
        let before = Instant::now();
        queue.set(timer(1, Flags::ADD, fflags, data));
        Self { queue, period, armed: (before, Instant::now()), total: 0 }
    }

    /// Takes the timer's event, and compares the sum of all with the time that has passed.
    #[track_caller]
    fn take(&mut self) -> Event {
        let before = Instant::now();
        let event = self.queue.one();
        let periods = |time: Duration| time.as_nanos() / self.period.as_nanos();
        let least = periods(before.saturating_duration_since(self.armed.1));
        let most = periods(self.armed.0.elapsed());
        self.total += u128::try_from(event.data).unwrap();
        let told = self.total;
        assert!((least..=most).contains(&told), "{told} expirations, not {least} to {most}");
        event
    }
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
        let mut timer = Armed::new(&queue, unit, data, Duration::from_nanos(expected_ns));
        timer.take();
        if unit != note::SECONDS {
            // Had the first come late because the unit is a longer one, this would tell of one only.
            std::thread::sleep(Duration::from_millis(2));
            timer.take();
        }
    }
}

fn clear_is_implied(bench: &Bench) {
    let queue = bench.queue();
    let mut timer = Armed::new(&queue, 0, 20, Duration::from_millis(20));
    assert!(timer.take().flags.contains(Flags::CLEAR));
    // What is there already is one more expiration, not the one that was told.
    timer.take();
}

fn periodic_timers_count_and_do_not_drift(bench: &Bench) {
    let queue = bench.queue();
    let mut timer = Armed::new(&queue, 0, 2, Duration::from_millis(2));
    while timer.total < 20 {
        timer.take();
    }
    std::thread::sleep(Duration::from_millis(20));
    let missed = timer.take().data;
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
    let mut deadlines = BTreeMap::new();
    for (ident, data) in [(3, 5), (1, 3), (5, 7), (2, 4), (4, 6)] {
        let time = Duration::from_millis(data);
        let before = Instant::now();
        queue.set(timer(ident, Flags::ADD | Flags::ONESHOT, 0, data.cast_signed()));
        deadlines.insert(ident, (before + time, Instant::now() + time));
    }
    std::thread::sleep(Duration::from_millis(12));
    let idents: Vec<_> = queue.wait(8, 0).iter().map(|event| event.ident).collect();
    assert_eq!(idents.len(), 5);
    for pair in idents.windows(2) {
        let (earliest, latest) = (deadlines[&pair[0]].0, deadlines[&pair[1]].1);
        assert!(earliest <= latest, "{idents:?}, of {deadlines:?}");
    }
}

fn wall_clock_ms(ahead: u64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap() + i64::try_from(ahead).unwrap()
}

fn absolute_is_wall_clock_and_once(bench: &Bench) {
    let queue = bench.queue();
    let time = wall_clock_ms(20);
    queue.set(timer(1, Flags::ADD, note::ABSOLUTE, time));
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The threads of a storm: owners make things happen, waiters get the events.

use super::random::Random;
use super::station::{Station, Wait};
use super::{OWNERS, Storm};
use evl::reactor::{Event, Filter, Flags, note};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What an owner does in a season.
const STEPS: usize = 400;
/// What it does with each life at the end of one.
const CALM_STEPS: usize = 2;
/// How long waits last that are not for ever.
const TIMES_NS: [i64; 4] = [0, 50_000, 1_000_000, 2_000_000];

/// The user event that calls every waiter to the end of a season.
const ROLL_CALL: Event = Event {
    ident: usize::MAX,
    filter: Filter::USER,
    flags: Flags::ADD,
    fflags: note::TRIGGER,
    data: 0,
    udata: usize::MAX,
};

impl Storm {
    /// Waits once and hands out what came; whether the roll was called.
    fn wait(&self, random: &mut Random, timeout_ns: i64) -> bool {
        let mut events = [Event::default(); 8];
        let room = 1 + random.below(events.len());
        let (number, began) = (self.tick(), Instant::now());
        let count = self.queue.wait(&mut events[..room], timeout_ns).unwrap();
        let wait = Wait { number, began, ended: Instant::now() };
        let time = u64::try_from(timeout_ns).map_or(Duration::MAX, Duration::from_nanos);
        assert!(count > 0 || wait.ended - began >= time, "a wait of {time:?} was too short");
        let mut called = false;
        for event in &events[..count] {
            if event.udata == ROLL_CALL.udata {
                called = true;
            } else {
                self.stations[Station::of(event)].take(event, wait, self, random);
            }
        }
        self.count.events.fetch_add(count as u64, Ordering::Relaxed);
        called
    }

    /// Settles the accounts of a season; no other thread is in a call. Whether the storm is over.
    fn end_season(&self, random: &mut Random, end: Instant) {
        self.set(Event { flags: Flags::DELETE, ..ROLL_CALL }, random);
        self.stations.iter().for_each(|station| station.settle(self));
        self.check_that_nothing_is_left();
        self.count.seasons.fetch_add(1, Ordering::Relaxed);
        self.strict.fetch_not(Ordering::SeqCst);
        self.over.store(Instant::now() >= end, Ordering::SeqCst);
    }
}

/// Makes things happen in seasons, until `end`.
pub(crate) fn owner(storm: &Storm, place: usize, end: Instant) {
    let mut random = Random::new(storm.seed ^ place as u64);
    let own: Vec<&Station> = storm.stations.iter().skip(place).step_by(OWNERS).collect();
    while !storm.over.load(Ordering::SeqCst) {
        for _ in 0..STEPS {
            step(storm, &own, &mut random);
        }
        calm(storm, place, &own, &mut random);
        for station in &own {
            station.await_all();
            station.end(storm, &mut random);
        }
        if storm.owners.wait() {
            storm.set(ROLL_CALL, &mut random);
        }
        storm.everyone.wait();
        if place == 0 {
            storm.end_season(&mut random, end);
        }
        storm.everyone.wait();
    }
}

fn step(storm: &Storm, own: &[&Station], random: &mut Random) {
    match random.below(10) {
        0 => {
            // A station of any thread: its life may end, and another one begin, at the same time.
            let station = &storm.stations[random.below(storm.stations.len())];
            let asks = station.asks.lock().unwrap().clone();
            if let Some(asks) = asks {
                asks.ask(storm, station.ident());
            }
        }
        1 if !storm.strict.load(Ordering::SeqCst) => {
            let time = random.pick(&TIMES_NS);
            storm.wait(random, time);
        }
        _ => random.pick(own).step(storm, random),
    }
}

/// One thing happens at a time. Nothing else comes that would wake the threads by the way if this does
/// not.
fn calm(storm: &Storm, place: usize, own: &[&Station], random: &mut Random) {
    for station in own {
        station.await_all();
        station.end_recurring(storm, random);
    }
    storm.owners.wait();
    for turn in 0..OWNERS {
        for station in own.iter().filter(|_| turn == place) {
            for _ in 0..CALM_STEPS {
                station.act(storm, random);
                station.await_all();
            }
            station.end_recurring(storm, random);
        }
        storm.owners.wait();
    }
}

/// Waits until the storm is over.
pub(crate) fn waiter(storm: &Storm, place: usize) {
    let mut random = Random::new(storm.seed ^ place as u64);
    while !storm.over.load(Ordering::SeqCst) {
        let strict = storm.strict.load(Ordering::SeqCst) || random.one_in(2);
        let time = if strict { -1 } else { random.pick(&TIMES_NS) };
        if storm.wait(&mut random, time) {
            storm.everyone.wait();
            storm.everyone.wait();
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What several threads see of one reactor.

#![allow(clippy::unwrap_used, reason = "a failure of a test is a panic")]

use evl::reactor::{BackendKind, Event, Filter, Flags, Reactor, note};
use std::collections::HashMap;
use std::io::{Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const SOON: Option<Duration> = Some(Duration::from_secs(10));

fn for_each_backend(body: impl Fn(Reactor)) {
    for kind in BackendKind::ALL {
        match Reactor::with_backend(kind) {
            Ok(reactor) => {
                println!("backend {kind}");
                body(reactor);
            }
            Err(error) => println!("skipped: {error}"),
        }
    }
}

fn change(ident: usize, filter: Filter, flags: Flags) -> Event {
    Event { ident, filter, flags, ..Event::default() }
}

fn ident(fd: &impl AsRawFd) -> usize {
    usize::try_from(fd.as_raw_fd()).unwrap()
}

/// Runs `body` while another thread waits for one event, which is returned.
fn while_waiting(reactor: &Reactor, body: impl FnOnce()) -> Event {
    thread::scope(|scope| {
        let (about_to_wait, wait) = mpsc::channel();
        let waiter = scope.spawn(move || {
            let mut events = [Event::default()];
            about_to_wait.send(()).unwrap();
            assert_eq!(reactor.wait(&mut events, SOON).unwrap(), 1);
            events[0]
        });
        wait.recv().unwrap();
        body();
        waiter.join().unwrap()
    })
}

#[test]
fn a_waiting_thread_sees_each_kind_of_change() {
    for_each_backend(|reactor| {
        for round in 0..200 {
            let (reader, mut writer) = pipe().unwrap();
            writer.write_all(b"x").unwrap();
            let read = change(ident(&reader), Filter::READ, Flags::ONESHOT);
            assert_eq!(while_waiting(&reactor, || reactor.add(&read).unwrap()).ident, read.ident);

            let timer = Event { data: 1, ..change(1, Filter::TIMER, Flags::ONESHOT) };
            let event = while_waiting(&reactor, || reactor.add(&timer).unwrap());
            assert_eq!(event.filter, Filter::TIMER);

            let user = change(round, Filter::USER, Flags::CLEAR | Flags::ONESHOT);
            reactor.add(&user).unwrap();
            let event = while_waiting(&reactor, || reactor.trigger(round).unwrap());
            assert_eq!((event.ident, event.filter), (round, Filter::USER));
        }
    });
}

#[test]
fn an_earlier_timer_shortens_a_wait_that_a_later_one_bounds() {
    for_each_backend(|reactor| {
        let timer = |ident, data| Event { data, ..change(ident, Filter::TIMER, Flags::ONESHOT) };
        reactor.add(&timer(1, 60_000)).unwrap();
        let event = while_waiting(&reactor, || reactor.add(&timer(2, 1)).unwrap());
        assert_eq!(event.ident, 2);
    });
}

#[test]
fn a_timer_is_not_overslept_when_the_thread_that_watched_it_leaves() {
    for_each_backend(|reactor| {
        let user = change(1, Filter::USER, Flags::CLEAR);
        reactor.add(&user).unwrap();
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut events = [Event::default()];
                        assert_eq!(reactor.wait(&mut events, SOON).unwrap(), 1);
                        events[0].filter
                    })
                })
                .collect();
            let timers = [1, 2].map(|ident| Event {
                data: 20,
                ..change(ident, Filter::TIMER, Flags::ADD | Flags::ONESHOT)
            });
            reactor.change(&timers, &mut []).unwrap();
            reactor.trigger(1).unwrap();
            let filters: Vec<_> = waiters.into_iter().map(|it| it.join().unwrap()).collect();
            assert_eq!(filters.iter().filter(|filter| **filter == Filter::TIMER).count(), 2);
        });
    });
}

/// Several threads take single bytes from many sockets. Each byte must be reported once, to one thread.
fn each_event_goes_to_one_thread(reactor: &Reactor, flags: Flags) {
    const THREADS: usize = 3;
    const ROUNDS: usize = 100;
    let pairs: Vec<_> = (0..8).map(|_| UnixStream::pair().unwrap()).collect();
    let near: HashMap<usize, &UnixStream> =
        pairs.iter().map(|(near, _)| (ident(near), near)).collect();
    for (near, _) in &pairs {
        near.set_nonblocking(true).unwrap();
        reactor.add(&change(ident(near), Filter::READ, flags)).unwrap();
    }
    reactor.add(&change(0, Filter::USER, Flags::empty())).unwrap();
    let reports = Mutex::new(HashMap::<usize, usize>::new());
    let (took, taken) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (took, reports, near) = (took.clone(), &reports, &near);
            scope.spawn(move || {
                let mut events = [Event::default(); 2];
                loop {
                    let count = reactor.wait(&mut events, SOON).unwrap();
                    assert!(count > 0, "an event was lost");
                    for event in &events[..count] {
                        if event.filter == Filter::USER {
                            return;
                        }
                        *reports.lock().unwrap().entry(event.ident).or_default() += 1;
                        let got = (&*near[&event.ident]).read(&mut [0; 16]);
                        assert_eq!(got.unwrap(), 1, "a second thread took it");
                        took.send(event.ident).unwrap();
                    }
                }
            });
        }
        for _ in 0..ROUNDS {
            for (_, far) in &pairs {
                (&*far).write_all(b"x").unwrap();
            }
            for _ in &pairs {
                let ident = taken.recv_timeout(Duration::from_secs(20)).unwrap();
                let again = match flags {
                    Flags::ONESHOT => Flags::ADD | Flags::ONESHOT,
                    Flags::DISPATCH => Flags::ENABLE,
                    _ => continue,
                };
                reactor.change(&[change(ident, Filter::READ, again)], &mut []).unwrap();
            }
        }
        reactor.trigger(0).unwrap();
    });
    let reports = reports.into_inner().unwrap();
    assert!(reports.values().all(|count| *count == ROUNDS), "{flags:?}: {reports:?}");
}

#[test]
fn with_oneshot_one_event_goes_to_one_thread() {
    for_each_backend(|reactor| each_event_goes_to_one_thread(&reactor, Flags::ONESHOT));
}

#[test]
fn with_dispatch_one_event_goes_to_one_thread() {
    for_each_backend(|reactor| each_event_goes_to_one_thread(&reactor, Flags::DISPATCH));
}

#[test]
fn with_clear_one_event_goes_to_one_thread() {
    // poll and select cannot tell a drained and refilled socket from an untouched one at once.
    let reactor = Reactor::with_backend(BackendKind::Epoll);
    if let Ok(reactor) = reactor {
        each_event_goes_to_one_thread(&reactor, Flags::CLEAR);
    }
}

#[test]
fn no_trigger_is_lost_in_a_storm() {
    const SENDERS: usize = 3;
    const ROUNDS: usize = 3_000;
    for_each_backend(|reactor| {
        let sent: Vec<AtomicUsize> = (0..SENDERS).map(|_| AtomicUsize::new(0)).collect();
        let seen: Vec<AtomicUsize> = (0..SENDERS).map(|_| AtomicUsize::new(0)).collect();
        for ident in 0..SENDERS {
            reactor.add(&change(ident, Filter::USER, Flags::CLEAR)).unwrap();
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut events = [Event::default(); 2];
                    while !done.load(Ordering::SeqCst) {
                        let count =
                            reactor.wait(&mut events, Some(Duration::from_millis(500))).unwrap();
                        for event in &events[..count] {
                            let now = sent[event.ident].load(Ordering::SeqCst);
                            seen[event.ident].fetch_max(now, Ordering::SeqCst);
                        }
                    }
                });
            }
            let senders: Vec<_> = (0..SENDERS)
                .map(|ident| {
                    let (reactor, sent, seen) = (&reactor, &sent[ident], &seen[ident]);
                    scope.spawn(move || {
                        for round in 1..=ROUNDS {
                            sent.store(round, Ordering::SeqCst);
                            reactor.trigger(ident).unwrap();
                            if round % 100 == 0 {
                                await_count(seen, round);
                            }
                        }
                    })
                })
                .collect();
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            done.store(true, Ordering::SeqCst);
        });
    });
}

fn await_count(seen: &AtomicUsize, round: usize) {
    let start = Instant::now();
    while seen.load(Ordering::SeqCst) < round {
        assert!(start.elapsed() < Duration::from_secs(20), "a trigger was lost");
        thread::yield_now();
    }
}

#[test]
fn adding_and_deleting_while_others_trigger_is_safe() {
    for_each_backend(|reactor| {
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                for ident in (0..64).cycle().take(20_000) {
                    let result = reactor.trigger(ident);
                    assert!(result.is_ok() || result.unwrap_err().errno() == Some(libc::ENOENT));
                }
            });
            barrier.wait();
            let mut events = [Event::default(); 8];
            for ident in (0..64).cycle().take(2_000) {
                reactor.add(&change(ident, Filter::USER, Flags::CLEAR)).unwrap();
                reactor.wait(&mut events, Some(Duration::ZERO)).unwrap();
                reactor.delete(ident, Filter::USER).unwrap();
            }
        });
        let left = reactor.wait(&mut [Event::default()], Some(Duration::ZERO)).unwrap();
        assert_eq!(left, 0, "an event of a deleted knote");
    });
}

#[test]
fn a_waiting_thread_survives_the_renewal_of_the_set() {
    for_each_backend(|reactor| {
        let user = change(1, Filter::USER, Flags::CLEAR);
        reactor.add(&user).unwrap();
        let (kept, mut kept_writer) = pipe().unwrap();
        reactor.add(&change(ident(&kept), Filter::READ, Flags::empty())).unwrap();
        let event = while_waiting(&reactor, || {
            let (reader, mut writer) = pipe().unwrap();
            reactor.add(&change(ident(&reader), Filter::READ, Flags::empty())).unwrap();
            let alive = reader.try_clone().unwrap();
            drop(reader);
            writer.write_all(b"x").unwrap();
            // Only a set without the closed number lets this thread's wait come to its end.
            let mut events = [Event::default()];
            let wait = reactor.wait(&mut events, Some(Duration::from_millis(20))).unwrap();
            assert_eq!(wait, 0, "{:?}", events[0]);
            drop(alive);
            kept_writer.write_all(b"x").unwrap();
        });
        assert_eq!(event.ident, ident(&kept));
        reactor.add(&Event { fflags: note::TRIGGER, ..user }).unwrap();
        assert_eq!(reactor.wait(&mut [Event::default(); 4], SOON).unwrap(), 2);
    });
}

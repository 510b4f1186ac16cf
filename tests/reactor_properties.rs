// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any sequence of changes and happenings gives the same events on every backend.

#![allow(clippy::unwrap_used, reason = "a failure of a test is a panic")]

use evl::reactor::{BackendKind, Event, Filter, Flags, Reactor, note};
use proptest::prelude::*;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

const PIPES: usize = 2;
const SOCKETS: usize = 2;
const USERS: usize = 3;

/// What is watched. CLEAR is for pipes and user events: where two filters share a descriptor, epoll may
/// repeat an edge of one with the other.
#[derive(Clone, Copy, Debug)]
enum Target {
    Pipe(usize),
    Socket(usize, Filter),
    User(usize),
}

#[derive(Clone, Debug)]
enum Step {
    Change(Target, Flags, u32),
    Trigger(usize),
    WritePipe(usize),
    DrainPipe(usize),
    EndPipe(usize),
    WriteSocket(usize),
    DrainSocket(usize),
    EndSocket(usize),
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (0..PIPES).prop_map(Target::Pipe),
        (0..SOCKETS).prop_map(|at| Target::Socket(at, Filter::READ)),
        (0..SOCKETS).prop_map(|at| Target::Socket(at, Filter::WRITE)),
        (0..USERS).prop_map(Target::User),
    ]
}

fn flags() -> impl Strategy<Value = Flags> {
    let action = prop_oneof![
        4 => Just(Flags::ADD),
        1 => Just(Flags::ADD | Flags::DISABLE),
        1 => Just(Flags::DELETE),
        2 => Just(Flags::ENABLE),
        2 => Just(Flags::DISABLE),
    ];
    let mode = prop_oneof![
        3 => Just(Flags::empty()),
        1 => Just(Flags::ONESHOT),
        1 => Just(Flags::DISPATCH),
        2 => Just(Flags::CLEAR),
        1 => Just(Flags::CLEAR | Flags::DISPATCH),
    ];
    (action, mode).prop_map(|(action, mode)| action | mode)
}

fn step() -> impl Strategy<Value = Step> {
    let trigger = prop_oneof![Just(0), Just(note::TRIGGER), Just(note::TRIGGER | note::FFOR | 4)];
    prop_oneof![
        6 => (target(), flags(), trigger).prop_map(|(target, flags, fflags)| {
            Step::Change(target, flags, fflags)
        }),
        1 => (0..USERS).prop_map(Step::Trigger),
        2 => (0..PIPES).prop_map(Step::WritePipe),
        2 => (0..PIPES).prop_map(Step::DrainPipe),
        1 => (0..PIPES).prop_map(Step::EndPipe),
        2 => (0..SOCKETS).prop_map(Step::WriteSocket),
        2 => (0..SOCKETS).prop_map(Step::DrainSocket),
        1 => (0..SOCKETS).prop_map(Step::EndSocket),
    ]
}

/// A reactor and the world that it watches.
struct World {
    reactor: Reactor,
    pipes: Vec<(PipeReader, Option<PipeWriter>, usize)>,
    sockets: Vec<(UnixStream, Option<UnixStream>)>,
}

/// What a step answered, and the events that were there after it.
type Seen = (Option<i32>, Vec<(usize, Filter, Flags, u32, i64)>);

impl World {
    /// `None` where the system does not have the backend.
    fn new(kind: BackendKind) -> Option<Self> {
        let reactor = Reactor::with_backend(kind).ok()?;
        let pipes = (0..PIPES).map(|_| {
            let (reader, writer) = pipe().unwrap();
            (reader, Some(writer), 0)
        });
        let sockets = (0..SOCKETS).map(|_| {
            let (near, far) = UnixStream::pair().unwrap();
            near.set_nonblocking(true).unwrap();
            (near, Some(far))
        });
        Some(Self { reactor, pipes: pipes.collect(), sockets: sockets.collect() })
    }

    fn run(&mut self, step: &Step) -> Seen {
        let mut answer = None;
        match *step {
            Step::Change(target, flags, fflags) => {
                let change = self.change(target, flags, fflags);
                answer = self.reactor.change(&[change], &mut []).err().and_then(|it| it.errno());
            }
            Step::Trigger(at) => answer = self.reactor.trigger(at).err().and_then(|it| it.errno()),
            Step::WritePipe(at) => {
                if let (_, Some(writer), count) = &mut self.pipes[at] {
                    writer.write_all(b"x").unwrap();
                    *count += 1;
                }
            }
            Step::DrainPipe(at) => {
                let (reader, _, count) = &mut self.pipes[at];
                reader.read_exact(&mut vec![0; std::mem::take(count)]).unwrap();
            }
            Step::EndPipe(at) => self.pipes[at].1 = None,
            Step::WriteSocket(at) => {
                if let Some(far) = &mut self.sockets[at].1 {
                    far.write_all(b"xy").unwrap();
                }
            }
            Step::DrainSocket(at) => {
                while self.sockets[at].0.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
            }
            Step::EndSocket(at) => self.sockets[at].1 = None,
        }
        (answer, self.events())
    }

    fn change(&self, target: Target, flags: Flags, fflags: u32) -> Event {
        let (ident, filter) = match target {
            Target::Pipe(at) => (self.pipes[at].0.as_raw_fd(), Filter::READ),
            Target::Socket(at, filter) => (self.sockets[at].0.as_raw_fd(), filter),
            Target::User(at) => (i32::try_from(at).unwrap(), Filter::USER),
        };
        let (flags, fflags) = match target {
            Target::Pipe(_) => (flags, note::DATA),
            Target::Socket(..) => (flags - Flags::CLEAR, 0),
            Target::User(_) => (flags, fflags),
        };
        Event { ident: usize::try_from(ident).unwrap(), filter, flags, fflags, ..Event::default() }
    }

    /// All events there are, with descriptors told by their order instead of by their number.
    fn events(&self) -> Vec<(usize, Filter, Flags, u32, i64)> {
        let mut events = [Event::default(); 32];
        let count = self.reactor.wait(&mut events, Some(Duration::ZERO)).unwrap();
        let numbers: Vec<usize> = self
            .pipes
            .iter()
            .map(|row| row.0.as_raw_fd())
            .chain(self.sockets.iter().map(|row| row.0.as_raw_fd()))
            .map(|fd| usize::try_from(fd).unwrap())
            .collect();
        let mut seen: Vec<_> = events[..count]
            .iter()
            .map(|event| {
                let place = numbers.iter().position(|number| *number == event.ident);
                let name = match event.filter {
                    Filter::USER => event.ident,
                    _ => place.unwrap(),
                };
                // What a BSD's kernel calls room is not what the emulation can find out.
                let counts = cfg!(target_os = "linux") || event.filter != Filter::WRITE;
                let data = if counts { event.data } else { 0 };
                (name, event.filter, event.flags, event.fflags, data)
            })
            .collect();
        seen.sort_unstable_by_key(|event| (event.0, event.1));
        seen
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_backend_tells_the_same(steps in proptest::collection::vec(step(), 1..40)) {
        let mut worlds: Vec<World> = BackendKind::ALL.into_iter().filter_map(World::new).collect();
        for step in &steps {
            let seen: Vec<Seen> = worlds.iter_mut().map(|world| world.run(step)).collect();
            prop_assert!(
                seen.iter().all(|other| *other == seen[0]),
                "after {:?} the backends tell {:#?}", step, seen
            );
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a ring promises, on a kernel that has one.

use super::{Capacity, Completion, Outcome, Ring};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// So small that every bound is met.
const SMALL: Capacity = Capacity { submissions: 4, completions: 8, buffers: 2, buffer: 16 };

/// A ring and the completions that have come.
struct Try {
    ring: Ring,
    came: VecDeque<(Completion, Vec<u8>)>,
}

impl Try {
    /// `None`, and says so, where there is no io_uring to be had.
    fn new() -> Option<Self> {
        match Ring::new(SMALL) {
            Ok(ring) => Some(Self { ring, came: VecDeque::new() }),
            Err(error) => {
                println!("skipped: {error}");
                None
            }
        }
    }

    /// The next completion with what was received.
    fn next(&mut self) -> (Completion, Vec<u8>) {
        while self.came.is_empty() {
            self.ring.wait(Some(Duration::from_secs(20))).unwrap();
            while let Some(completion) = self.ring.next() {
                self.came.push_back((completion, self.ring.received().to_vec()));
            }
        }
        self.came.pop_front().unwrap()
    }

    fn is_quiet(&mut self) -> bool {
        self.ring.wait(Some(Duration::ZERO)).unwrap();
        self.came.is_empty() && self.ring.next().is_none()
    }
}

fn pair() -> (OwnedFd, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (ours.into(), theirs)
}

#[test]
fn what_is_sent_comes_and_the_buffer_comes_back() {
    let Some(mut t) = Try::new() else { return };
    let (ours, mut theirs) = pair();
    t.ring.send(7, ours.as_fd(), b"..hello".to_vec(), 2, false);
    let (Completion { owner, outcome, last }, _) = t.next();
    assert!(matches!(outcome, Outcome::Sent(Ok(7), bytes) if bytes == b"..hello"));
    assert_eq!((owner, last), (7, true));
    let mut came = [0; 5];
    theirs.read_exact(&mut came).unwrap();
    assert_eq!(&came, b"hello");
}

#[test]
fn receiving_goes_on_however_few_buffers_there_are() {
    let Some(mut t) = Try::new() else { return };
    let (ours, mut theirs) = pair();
    let sent: Vec<u8> = (0..=255).cycle().take(1000).collect();
    theirs.write_all(&sent).unwrap();
    drop(theirs);
    let mut came = Vec::new();
    t.ring.receive(0, ours.as_fd());
    loop {
        let (Completion { outcome, last, .. }, bytes) = t.next();
        match outcome {
            Outcome::Received(Ok(0)) => break,
            Outcome::Received(Ok(count)) => {
                assert_eq!(bytes.len(), count);
                came.extend(bytes);
            }
            Outcome::Received(Err(error)) => {
                assert_eq!((error.raw_os_error(), last), (Some(libc::ENOBUFS), true));
            }
            other => panic!("{other:?}"),
        }
        if last {
            t.ring.receive(0, ours.as_fd());
        }
    }
    assert_eq!(came, sent);
}

#[test]
fn more_is_taken_than_the_queues_hold() {
    let Some(mut t) = Try::new() else { return };
    let (ours, mut theirs) = pair();
    for number in 0..100_u8 {
        t.ring.send(number.into(), ours.as_fd(), vec![number], 0, false);
    }
    for number in 0..100_u8 {
        let (completion, _) = t.next();
        assert_eq!(completion.owner, usize::from(number));
        let mut byte = [0];
        theirs.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [number]);
    }
}

#[test]
fn who_cancels_hears_no_more_and_who_stops_hears_the_end() {
    let Some(mut t) = Try::new() else { return };
    let (ours, mut theirs) = pair();
    let operation = t.ring.receive(1, ours.as_fd());
    assert!(t.is_quiet());
    t.ring.cancel(operation);
    t.ring.cancel(operation);
    assert!(t.is_quiet() && t.is_quiet());

    let operation = t.ring.receive(2, ours.as_fd());
    theirs.write_all(b"x").unwrap();
    let (completion, bytes) = t.next();
    assert_eq!((completion.last, &*bytes), (false, &b"x"[..]));
    t.ring.stop(operation);
    let (Completion { owner, outcome, last }, _) = t.next();
    assert_eq!((owner, last), (2, true));
    let canceled = |error: &std::io::Error| error.raw_os_error() == Some(libc::ECANCELED);
    assert!(matches!(outcome, Outcome::Received(Err(error)) if canceled(&error)));
    // The name may be another's by now, but means nothing.
    t.ring.poll_readable(3, ours.as_raw_fd());
    t.ring.cancel(operation);
    theirs.write_all(b"y").unwrap();
    assert_eq!(t.next().0.owner, 3);
}

#[test]
fn closing_ends_the_connection_though_something_is_under_way() {
    let Some(mut t) = Try::new() else { return };
    let (ours, mut theirs) = pair();
    let operation = t.ring.receive(0, ours.as_fd());
    assert!(t.is_quiet());
    t.ring.cancel(operation);
    t.ring.close(ours);
    assert!(t.is_quiet());
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_ring_goes_only_when_nothing_is_under_way() {
    let Some(mut t) = Try::new() else { return };
    let (ours, theirs) = pair();
    t.ring.receive(0, ours.as_fd());
    t.ring.poll_readable(1, theirs.as_raw_fd());
    // More than the socket takes.
    t.ring.send(2, ours.as_fd(), vec![0; 1 << 24], 0, false);
    t.ring.send(3, ours.as_fd(), vec![0; 1 << 24], 0, false);
    assert!(matches!(t.next().0.outcome, Outcome::Sent(Ok(_), _) | Outcome::Ready));
    drop(t);
    drop((ours, theirs));
}

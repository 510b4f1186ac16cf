// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lives of pipes and socket pairs. The account: every byte that was written is read, in order, by a
//! thread that was told of it; ONESHOT and DISPATCH tell one thread, which finds bytes; an end is told if
//! there is one; and once the descriptor is closed its number is silent, though its file may live on.

use super::Storm;
use super::station::{End, Life, Scene, Wait};
use evl::reactor::{Event, Filter, Flags, note};
use std::fs::File;
use std::io::{ErrorKind, Read, Write, pipe};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;

/// So many bytes are under way at most: no writer is ever held up.
const UNREAD_MAX: u64 = 1_000;
/// How the bytes count, so that each is known.
const CYCLE: u64 = 251;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Takes a few bytes at each event, and is told again of the rest.
    Level,
    Clear,
    Oneshot,
    /// Takes a few bytes, and enables the knote again.
    Dispatch,
}

#[derive(Debug)]
pub(crate) struct Bytes {
    mode: Mode,
    reader: Option<File>,
    writer: Option<File>,
    is_socket: bool,
    written: u64,
    read: u64,
    /// READ may fire: ONESHOT has not yet.
    armed: bool,
    arms: u64,
    fired: u64,
    /// The same of WRITE, which is always ONESHOT.
    room_armed: bool,
    room_arms: u64,
    room_fired: u64,
    end_told: bool,
    disabled: Option<u64>,
    /// Knotes that were deleted before they fired.
    unfired: u64,
    /// The descriptor was closed without deleting, so it is not known whether they were to fire.
    closed: bool,
    /// The file of the closed number.
    ghost: Option<File>,
}

/// The two ends of a pipe or a socket pair, not blocking.
fn pair(is_socket: bool) -> (File, File) {
    let (reader, writer) = if is_socket {
        let (near, far) = UnixStream::pair().unwrap();
        (OwnedFd::from(near), OwnedFd::from(far))
    } else {
        let (reader, writer) = pipe().unwrap();
        (OwnedFd::from(reader), OwnedFd::from(writer))
    };
    // FIONBIO, which this makes use of, is for all kinds of descriptors.
    let reader = UnixStream::from(reader);
    reader.set_nonblocking(true).unwrap();
    (File::from(OwnedFd::from(reader)), File::from(writer))
}

impl Bytes {
    pub(crate) fn begin(scene: &mut Scene) -> Self {
        let is_socket = scene.random.one_in(2);
        let (reader, writer) = pair(is_socket);
        let mode = scene.random.pick(&[Mode::Level, Mode::Clear, Mode::Oneshot, Mode::Dispatch]);
        let mut life = Self {
            mode,
            reader: Some(reader),
            writer: Some(writer),
            is_socket,
            written: 0,
            read: 0,
            armed: false,
            arms: 0,
            fired: 0,
            room_armed: false,
            room_arms: 0,
            room_fired: 0,
            end_told: false,
            disabled: None,
            unfired: 0,
            closed: false,
            ghost: None,
        };
        if scene.random.one_in(2) {
            life.write(scene);
        }
        life.arm(scene);
        life
    }

    fn change(&self, scene: &Scene, filter: Filter, flags: Flags) -> Event {
        let fd = self.reader.as_ref().unwrap().as_raw_fd();
        scene.change(usize::try_from(fd).unwrap(), filter, flags)
    }

    /// Adds READ, or adds it again.
    fn arm(&mut self, scene: &mut Scene) {
        let flags = match self.mode {
            Mode::Level => Flags::empty(),
            Mode::Clear => Flags::CLEAR,
            Mode::Oneshot => Flags::ONESHOT,
            Mode::Dispatch => Flags::DISPATCH,
        };
        let change = self.change(scene, Filter::READ, Flags::ADD | flags);
        scene.storm.set(Event { fflags: note::DATA, ..change }, scene.random);
        self.armed = true;
        self.arms += 1;
    }

    fn write(&mut self, scene: &mut Scene) {
        let Some(mut writer) = self.writer.as_ref() else { return };
        let count = 1 + scene.random.below(40) as u64;
        if self.written - self.read + count > UNREAD_MAX {
            return;
        }
        let bytes: Vec<u8> =
            (self.written..self.written + count).map(|place| (place % CYCLE) as u8).collect();
        writer.write_all(&bytes).unwrap();
        self.written += count;
        scene.storm.count.bytes.fetch_add(count, Ordering::Relaxed);
    }

    /// Reads until there is nothing, or `limit` bytes; returns how many, and whether the end was met.
    fn read_from(&mut self, mut file: &File, limit: u64) -> (u64, bool) {
        let mut buffer = [0; 64];
        let mut got = 0;
        while got < limit {
            let room = buffer.len().min(usize::try_from(limit - got).unwrap());
            let count = match file.read(&mut buffer[..room]) {
                Ok(0) => return (got, true),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("read: {error}"),
            };
            for byte in &buffer[..count] {
                assert_eq!(
                    u64::from(*byte),
                    self.read % CYCLE,
                    "a byte is lost: {}",
                    self.describe()
                );
                self.read += 1;
            }
            got += count as u64;
        }
        (got, false)
    }

    fn take_bytes(&mut self, event: &Event, scene: &mut Scene) {
        let is_end = event.flags.contains(Flags::EOF);
        assert!(!is_end || self.writer.is_none(), "an end that nobody made: {event:?}");
        let limit = match self.mode {
            _ if is_end => u64::MAX,
            Mode::Level | Mode::Dispatch => 1 + scene.random.below(20) as u64,
            Mode::Clear | Mode::Oneshot => u64::MAX,
        };
        let file = self.reader.take().unwrap();
        let (got, ended) = self.read_from(&file, limit);
        self.reader = Some(file);
        if matches!(self.mode, Mode::Oneshot | Mode::Dispatch) {
            let told = event.data.cast_unsigned().min(limit);
            assert!(
                got >= told && (got > 0 || is_end),
                "{got} bytes: {event:?} {}",
                self.describe()
            );
        }
        self.end_told |= is_end && ended;
    }

    fn delete(&mut self, scene: &mut Scene, filter: Filter, may_be_gone: bool) {
        match scene.storm.try_set(self.change(scene, filter, Flags::DELETE), scene.random) {
            Ok(()) => self.unfired += 1,
            Err(libc::ENOENT) if may_be_gone => {}
            Err(errno) => panic!("DELETE: errno {errno}: {}", self.describe()),
        }
        scene.storm.count.deletions.fetch_add(1, Ordering::Relaxed);
    }
}

impl Life for Bytes {
    fn act(&mut self, scene: &mut Scene) {
        match scene.random.below(12) {
            0 if self.is_socket && !self.room_armed => {
                let flags = Flags::ADD | Flags::ONESHOT;
                scene.storm.set(self.change(scene, Filter::WRITE, flags), scene.random);
                self.room_armed = true;
                self.room_arms += 1;
            }
            1 | 2 if matches!(self.mode, Mode::Level | Mode::Clear) && self.writer.is_some() => {
                let disables = self.disabled.is_none();
                let flags = if disables { Flags::DISABLE } else { Flags::ENABLE };
                scene.storm.set(self.change(scene, Filter::READ, flags), scene.random);
                self.disabled = disables.then(|| scene.storm.tick());
            }
            3 if self.disabled.is_none() && !self.room_armed => self.writer = None,
            4 | 5 if !self.armed && !self.end_told => self.arm(scene),
            _ => self.write(scene),
        }
    }

    fn take(&mut self, event: &Event, wait: Wait, scene: &mut Scene) {
        let count = &scene.storm.count;
        if event.filter == Filter::WRITE {
            assert!(self.room_armed, "WRITE ONESHOT came again: {event:?} {}", self.describe());
            self.room_armed = false;
            self.room_fired += 1;
            count.oneshot.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let silent = self.disabled.is_some_and(|since| wait.number > since);
        assert!(!silent, "an event of a disabled knote, to a wait that began later: {event:?}");
        if self.end_told && self.mode == Mode::Level {
            // It was on its way when the knote was disabled for the end.
            return;
        }
        assert!(self.armed, "ONESHOT came again: {event:?} {}", self.describe());
        self.take_bytes(event, scene);
        match self.mode {
            Mode::Clear => {}
            Mode::Level if self.end_told => {
                scene.storm.set(self.change(scene, Filter::READ, Flags::DISABLE), scene.random);
            }
            Mode::Level => {}
            Mode::Oneshot => {
                count.oneshot.fetch_add(1, Ordering::Relaxed);
                self.armed = false;
                self.fired += 1;
            }
            Mode::Dispatch => {
                count.dispatch.fetch_add(1, Ordering::Relaxed);
                scene.station.release();
                if !self.end_told {
                    let change = self.change(scene, Filter::READ, Flags::ENABLE);
                    scene.storm.set(change, scene.random);
                }
            }
        }
    }

    fn is_due(&self) -> bool {
        let unread = self.written > self.read;
        let unended = self.writer.is_none() && !self.end_told;
        self.room_armed || (self.armed && self.disabled.is_none() && (unread || unended))
    }

    fn end(&mut self, scene: &mut Scene) -> End {
        let deletes = scene.random.one_in(2);
        if deletes {
            self.delete(scene, Filter::READ, self.mode == Mode::Oneshot);
            if self.room_arms > 0 {
                self.delete(scene, Filter::WRITE, true);
            }
        } else {
            self.closed = true;
            scene.storm.count.closes.fetch_add(1, Ordering::Relaxed);
        }
        let reader = self.reader.take().unwrap();
        if !scene.random.one_in(4) {
            self.read_from(&reader, u64::MAX);
            return End::Silent;
        }
        // The file lives on, and there is always something in it.
        self.ghost = Some(reader.try_clone().unwrap());
        drop(reader);
        self.write(scene);
        scene.storm.count.ghosts.fetch_add(1, Ordering::Relaxed);
        End::Silent
    }

    fn take_late(&mut self, event: &Event, _wait: Wait) {
        match event.filter {
            Filter::WRITE => self.room_fired += 1,
            _ if self.mode == Mode::Oneshot => self.fired += 1,
            _ => {}
        }
    }

    fn settle(&mut self, _storm: &Storm) {
        if let Some(ghost) = self.ghost.take() {
            self.read_from(&ghost, u64::MAX);
        }
        assert_eq!(self.read, self.written, "{}", self.describe());
        let once = if self.mode == Mode::Oneshot { self.arms } else { 1 };
        let fired = if self.mode == Mode::Oneshot { self.fired } else { 0 };
        let (armed, fired) = (once + self.room_arms, fired + self.room_fired + self.unfired);
        let exact = if self.closed { fired <= armed } else { fired == armed };
        assert!(exact, "{fired} of {armed} ONESHOT: {}", self.describe());
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

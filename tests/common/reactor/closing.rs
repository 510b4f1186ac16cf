// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors that are closed, duplicated and used again while they are watched.

use super::{Bench, Q, change, ident, needs_a_kernel, needs_identities, read, system, write};
use evl::reactor::{Event, Filter, Flags, note};
use std::io::{PipeReader, Read, Seek, Write, pipe};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

crate::cases![
    "closing removes the knotes":
        closing_removes_the_knotes,
        closing_after_oneshot_leaves_nothing,
        a_pending_event_dies_with_its_descriptor;
    "the file lives on through dup":
        a_closed_descriptor_is_silent_though_its_file_lives,
        a_closed_descriptor_does_not_spin,
        a_closed_descriptor_among_many_is_silent;
    "a number used again":
        a_number_used_again_starts_afresh,
        a_number_used_again_for_a_file_starts_afresh,
        a_number_used_again_hears_nothing_of_the_old_file,
        a_number_of_another_file_is_silent,
        a_number_of_another_file_that_is_ready_is_silent,
        a_number_that_the_queue_takes_for_itself_is_silent,
        an_old_knote_does_not_survive_in_the_other_filter,
        enabling_after_reuse_is_enoent;
];

fn closing_removes_the_knotes(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    let change = read(&reader, Flags::DELETE);
    writer.write_all(b"x").unwrap();
    drop(reader);
    queue.none();
    assert_eq!(queue.try_set(change), Err(libc::EBADF));
}

fn a_closed_descriptor_is_silent_though_its_file_lives(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    let _other = reader.try_clone().unwrap();
    drop(reader);
    writer.write_all(b"x").unwrap();
    queue.none();
    queue.idle();
}

fn a_closed_descriptor_does_not_spin(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    writer.write_all(b"x").unwrap();
    queue.one();
    let _other = reader.try_clone().unwrap();
    let gone = ident(&reader);
    drop(reader);
    for _ in 0..200 {
        assert_eq!(queue.wait(8, 0), [], "events of the closed descriptor {gone}");
    }
    queue.idle();
    let (second, mut writer) = UnixStream::pair().unwrap();
    queue.set(read(&second, Flags::ADD));
    writer.write_all(b"x").unwrap();
    assert_eq!(queue.one().ident, ident(&second));
}

fn a_closed_descriptor_among_many_is_silent(bench: &Bench) {
    let queue = bench.queue();
    let mut pipes: Vec<_> = (0..50).map(|_| pipe().unwrap()).collect();
    for (reader, writer) in &pipes {
        queue.set(read(reader, Flags::ADD));
        (&*writer).write_all(b"x").unwrap();
    }
    assert_eq!(queue.wait(64, 0).len(), 50);
    let (reader, _writer) = pipes.pop().unwrap();
    let _alive = reader.try_clone().unwrap();
    let gone = ident(&reader);
    drop(reader);
    for _ in 0..20 {
        let events = queue.wait(64, 0);
        assert_eq!(events.len(), 49);
        assert!(events.iter().all(|event| event.ident != gone));
    }
}

/// A watched pipe with a byte in it and, once an event of it was told, closed but for a duplicate; its
/// number names `other` then.
fn replaced(queue: &Q, other: &impl AsRawFd) -> (OwnedFd, PipeReader) {
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    writer.write_all(b"x").unwrap();
    assert_eq!(queue.one().ident, ident(&reader));
    let alive = reader.try_clone().unwrap();
    let number = reader.as_raw_fd();
    drop(reader);
    (system::dup2(other, number), alive)
}

fn a_number_of_another_file_is_silent(bench: &Bench) {
    let queue = bench.queue();
    let (second, mut writer) = pipe().unwrap();
    let (reader, _alive) = replaced(&queue, &second);
    queue.idle();
    assert_eq!(queue.try_set(read(&reader, Flags::DELETE)), Err(libc::ENOENT));
    writer.write_all(b"x").unwrap();
    queue.none();
    queue.set(read(&reader, Flags::ADD));
    assert_eq!(queue.one().ident, ident(&reader));
}

/// A level-triggered knote beside an edge-triggered one is looked at by its number.
fn a_number_of_another_file_that_is_ready_is_silent(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    let (second, mut writer) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD));
    queue.set(write(&near, Flags::ADD | Flags::CLEAR));
    far.write_all(b"x").unwrap();
    assert_eq!(queue.filters(), [Filter::READ, Filter::WRITE]);
    let _alive = near.try_clone().unwrap();
    let number = near.as_raw_fd();
    let _near = {
        drop(near);
        system::dup2(&second, number)
    };
    writer.write_all(b"x").unwrap();
    queue.none();
}

fn a_number_that_the_queue_takes_for_itself_is_silent(bench: &Bench) {
    needs_a_kernel(bench);
    let queue = bench.queue();
    let file = tempfile::NamedTempFile::new().unwrap();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    let _alive = reader.try_clone().unwrap();
    drop(reader);
    // What tells of files is a descriptor of the queue's own, with the number that has become free.
    let wanted = change(ident(&file), Filter::VNODE, Flags::ADD);
    queue.set(Event { fflags: note::DELETE, ..wanted });
    writer.write_all(b"x").unwrap();
    queue.none();
}

fn a_number_used_again_starts_afresh(bench: &Bench) {
    needs_identities(bench);
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    let number = reader.as_raw_fd();
    queue.set(Event { udata: 1, ..read(&reader, Flags::ADD | Flags::CLEAR) });
    let (second, mut writer) = pipe().unwrap();
    let reader = {
        drop(reader);
        system::dup2(&second, number)
    };
    queue.set(Event { udata: 2, ..read(&reader, Flags::ADD) });
    writer.write_all(b"x").unwrap();
    for _ in 0..2 {
        assert_eq!(queue.one().udata, 2);
    }
    queue.set(read(&reader, Flags::DELETE));
}

fn a_number_used_again_for_a_file_starts_afresh(bench: &Bench) {
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    let number = reader.as_raw_fd();
    queue.set(read(&reader, Flags::ADD));
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"12345").unwrap();
    file.rewind().unwrap();
    let file = {
        drop(reader);
        system::dup2(&file, number)
    };
    queue.set(read(&file, Flags::ADD));
    assert_eq!(queue.one().data, 5);
}

fn a_number_used_again_hears_nothing_of_the_old_file(bench: &Bench) {
    needs_identities(bench);
    let queue = bench.queue();
    let (reader, mut old_writer) = pipe().unwrap();
    let number = reader.as_raw_fd();
    queue.set(Event { udata: 1, ..read(&reader, Flags::ADD) });
    let _alive = reader.try_clone().unwrap();
    let (second, mut writer) = pipe().unwrap();
    let reader = {
        drop(reader);
        system::dup2(&second, number)
    };
    queue.set(Event { udata: 2, ..read(&reader, Flags::ADD) });
    old_writer.write_all(b"old").unwrap();
    queue.idle();
    writer.write_all(b"x").unwrap();
    assert_eq!(queue.one().udata, 2);
    (&second).read_exact(&mut [0]).unwrap();
    queue.none();
}

fn an_old_knote_does_not_survive_in_the_other_filter(bench: &Bench) {
    let queue = bench.queue();
    let (near, _far) = UnixStream::pair().unwrap();
    let number = near.as_raw_fd();
    queue.set(Event { udata: 1, ..write(&near, Flags::ADD) });
    queue.one();
    let (second, mut writer) = UnixStream::pair().unwrap();
    let near = {
        drop(near);
        system::dup2(&second, number)
    };
    queue.set(Event { udata: 2, ..read(&near, Flags::ADD) });
    writer.write_all(b"x").unwrap();
    assert_eq!(queue.one().udata, 2);
    assert_eq!(queue.try_set(write(&near, Flags::DELETE)), Err(libc::ENOENT));
}

fn a_pending_event_dies_with_its_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let pairs: Vec<_> = (0..3).map(|_| UnixStream::pair().unwrap()).collect();
    for (near, far) in &pairs {
        queue.set(read(near, Flags::ADD));
        queue.set(write(near, Flags::ADD));
        (&*far).write_all(b"x").unwrap();
    }
    assert_eq!(queue.wait(1, 0).len(), 1);
    drop(pairs);
    queue.none();
}

fn enabling_after_reuse_is_enoent(bench: &Bench) {
    needs_identities(bench);
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    let number = reader.as_raw_fd();
    queue.set(read(&reader, Flags::ADD | Flags::DISABLE));
    let (second, mut writer) = pipe().unwrap();
    let reader = {
        drop(reader);
        system::dup2(&second, number)
    };
    writer.write_all(b"x").unwrap();
    assert_eq!(queue.try_set(read(&reader, Flags::ENABLE)), Err(libc::ENOENT));
    queue.none();
}

fn closing_after_oneshot_leaves_nothing(bench: &Bench) {
    let queue = bench.queue();
    for round in 0..3 {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(b"xy").unwrap();
        let change = read(&reader, Flags::ADD | Flags::ONESHOT);
        queue.set(Event { fflags: note::DATA, udata: round, ..change });
        assert_eq!(queue.one().udata, round);
        let _alive = reader.try_clone().unwrap();
        drop(reader);
        queue.none();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors that are closed, duplicated and used again while they are watched.

use super::{Bench, ident, needs_identities, read, system, write};
use evl::reactor::{Event, Flags, note};
use std::io::{Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

crate::cases![
    "closing removes the knotes":
        closing_removes_the_knotes,
        closing_after_oneshot_leaves_nothing,
        a_pending_event_dies_with_its_descriptor;
    "the file lives on through dup":
        a_closed_descriptor_is_silent_though_its_file_lives,
        a_closed_descriptor_does_not_spin;
    "a number used again":
        a_number_used_again_starts_afresh,
        a_number_used_again_hears_nothing_of_the_old_file,
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
    // What the kernel still reports of the number is bounded.
    let events: usize = (0..200).map(|_| queue.wait(8, 0).len()).sum();
    assert!(events < 70, "{events} events of the closed descriptor {gone}");
    queue.idle();
    let (second, mut writer) = UnixStream::pair().unwrap();
    queue.set(read(&second, Flags::ADD));
    writer.write_all(b"x").unwrap();
    assert_eq!(queue.one().ident, ident(&second));
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

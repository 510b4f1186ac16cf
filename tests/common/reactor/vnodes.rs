// SPDX-License-Identifier: MIT OR Apache-2.0
//! VNODE: what happens to files.

use super::{Bench, Q, change, ident, needs_a_kernel, read, skip, system};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use tempfile::TempDir;

crate::cases![
    needs can_tell_of_files;
    "NOTE_WRITE, EXTEND":
        a_write_is_told,
        growth_is_told_and_told_apart_from_writing;
    "NOTE_ATTRIB":
        attributes_are_told;
    "NOTE_LINK":
        a_link_is_told_and_no_attribute,
        a_link_and_an_attribute_are_both_told;
    "NOTE_RENAME":
        a_rename_is_told;
    "NOTE_DELETE":
        the_last_unlink_is_a_deletion;
    "NOTE_OPEN, READ, CLOSE, CLOSE_WRITE":
        opening_reading_and_closing_are_told;
    "what was seen":
        only_what_was_asked_for_is_told,
        several_happenings_are_one_event,
        growth_after_another_happening_is_told,
        without_clear_it_is_told_again,
        two_knotes_on_one_file_are_told_their_own,
        a_change_of_the_notes_counts_from_then_on,
        what_happened_while_disabled_is_told_when_enabled,
        oneshot_and_dispatch_happenings,
        a_happening_wakes_the_wait,
        a_knote_added_during_a_wait_is_told,
        read_and_vnode_share_a_file,
        a_happening_makes_the_queue_readable;
    "descriptor closed while watched":
        a_vnode_knote_dies_with_its_descriptor,
        a_vnode_knote_does_not_pass_to_the_next_file;
    "bad input":
        what_no_one_tells_of_files_is_refused;
];

/// What is told of files and directories alike.
pub const ALL: u32 =
    note::DELETE | note::WRITE | note::EXTEND | note::ATTRIB | note::LINK | note::RENAME;

pub fn vnode(fd: &impl AsRawFd, fflags: u32) -> Event {
    Event { fflags, ..change(ident(fd), Filter::VNODE, Flags::ADD | Flags::CLEAR) }
}

pub fn can_tell_of_files(bench: &Bench) {
    needs_a_kernel(bench);
    let (_place, _path, file) = place();
    if bench.queue().try_set(vnode(&file, ALL)) == Err(libc::ENOTSUP) {
        skip("the system does not tell of files");
    }
}

/// A directory, and in it a file with three bytes, opened for appending.
pub fn place() -> (TempDir, PathBuf, File) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "abc").unwrap();
    let file = OpenOptions::new().append(true).open(&path).unwrap();
    (directory, path, file)
}

/// The notes that are told, all that happened being read.
#[track_caller]
pub fn told(queue: &Q) -> u32 {
    let mut notes = queue.one().fflags;
    while let [event] = queue.wait(1, 0)[..] {
        notes |= event.fflags;
    }
    notes
}

/// These notes are told and, but by a kernel's kqueue, no others.
#[track_caller]
pub fn assert_told(bench: &Bench, queue: &Q, expected: u32) {
    assert_notes(bench, told(queue), expected);
}

/// Each kernel has its own way to tell more than what is expected.
#[track_caller]
fn assert_notes(bench: &Bench, told: u32, expected: u32) {
    let kernel = bench.kind == BackendKind::Kqueue;
    assert_eq!(if kernel { told & expected } else { told }, expected);
}

fn a_write_is_told(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, file) = place();
    queue.set(Event { udata: 4, ..vnode(&file, note::WRITE) });
    queue.none();
    fs::write(path, "xyz").unwrap();
    let event = queue.one();
    assert_eq!((event.ident, event.filter, event.udata), (ident(&file), Filter::VNODE, 4));
    assert_eq!(event.fflags, note::WRITE);
    while !queue.wait(1, 0).is_empty() {}
    queue.none();
}

fn growth_is_told_and_told_apart_from_writing(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, mut file) = place();
    queue.set(vnode(&file, ALL));
    file.write_all(b"d").unwrap();
    assert_told(bench, &queue, note::WRITE | note::EXTEND);
    OpenOptions::new().write(true).open(path).unwrap().write_all(b"x").unwrap();
    assert_told(bench, &queue, note::WRITE);
    if bench.kind == BackendKind::Kqueue {
        return; // Kernels disagree on whether cutting a file off is writing.
    }
    file.set_len(1).unwrap();
    assert_told(bench, &queue, note::WRITE);
}

fn attributes_are_told(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, file) = place();
    queue.set(vnode(&file, ALL));
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    assert_told(bench, &queue, note::ATTRIB);
    queue.none();
}

fn a_link_is_told_and_no_attribute(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, file) = place();
    queue.set(vnode(&file, ALL));
    fs::hard_link(&path, path.with_extension("2")).unwrap();
    assert_told(bench, &queue, note::LINK);
    if bench.kind == BackendKind::Kqueue {
        return; // Kernels tell DELETE whichever name goes.
    }
    fs::remove_file(path.with_extension("2")).unwrap();
    assert_told(bench, &queue, note::LINK);
}

fn a_link_and_an_attribute_are_both_told(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, file) = place();
    queue.set(vnode(&file, ALL));
    fs::hard_link(&path, path.with_extension("2")).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    assert_told(bench, &queue, note::LINK | note::ATTRIB);
}

fn a_rename_is_told(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, file) = place();
    queue.set(vnode(&file, ALL));
    fs::rename(&path, path.with_extension("2")).unwrap();
    assert_told(bench, &queue, note::RENAME);
}

fn the_last_unlink_is_a_deletion(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, file) = place();
    queue.set(vnode(&file, note::DELETE | note::ATTRIB));
    // Kernels tell DELETE whichever name goes.
    if bench.kind != BackendKind::Kqueue {
        fs::hard_link(&path, path.with_extension("2")).unwrap();
        queue.none();
        fs::remove_file(path.with_extension("2")).unwrap();
        queue.none();
    }
    fs::remove_file(&path).unwrap();
    assert_told(bench, &queue, note::DELETE);
    queue.none();
    queue.set(Event { flags: Flags::DELETE, ..vnode(&file, 0) });
}

fn opening_reading_and_closing_are_told(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, file) = place();
    let accesses = note::OPEN | note::CLOSE | note::CLOSE_WRITE | note::READ;
    if queue.try_set(vnode(&file, accesses)) == Err(libc::ENOTSUP) {
        assert_eq!(bench.kind, BackendKind::Kqueue);
        skip("the kernel does not tell of these");
    }
    let mut other = File::open(&path).unwrap();
    assert_told(bench, &queue, note::OPEN);
    other.read_exact(&mut [0]).unwrap();
    assert_told(bench, &queue, note::READ);
    drop(other);
    assert_told(bench, &queue, note::CLOSE);
    drop(OpenOptions::new().write(true).open(&path).unwrap());
    assert_told(bench, &queue, note::OPEN | note::CLOSE_WRITE);
}

fn only_what_was_asked_for_is_told(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, mut file) = place();
    queue.set(vnode(&file, note::RENAME));
    file.write_all(b"d").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    queue.idle();
    fs::rename(&path, path.with_extension("2")).unwrap();
    assert_told(bench, &queue, note::RENAME);
}

fn several_happenings_are_one_event(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, mut file) = place();
    queue.set(vnode(&file, ALL));
    file.write_all(b"d").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    fs::rename(&path, path.with_extension("2")).unwrap();
    let expected = note::WRITE | note::EXTEND | note::ATTRIB | note::RENAME;
    assert_notes(bench, queue.one().fflags, expected);
    queue.none();
}

fn growth_after_another_happening_is_told(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, mut file) = place();
    queue.set(vnode(&file, note::ATTRIB | note::EXTEND));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    file.write_all(b"d").unwrap();
    assert_notes(bench, queue.one().fflags, note::ATTRIB | note::EXTEND);
    queue.none();
}

fn without_clear_it_is_told_again(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, mut file) = place();
    queue.set(Event { flags: Flags::ADD, ..vnode(&file, ALL) });
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(queue.one().fflags, note::ATTRIB);
    assert_eq!(queue.one().fflags, note::ATTRIB);
    file.write_all(b"d").unwrap();
    let all = note::ATTRIB | note::WRITE | note::EXTEND;
    assert!((0..100).any(|_| queue.one().fflags == all));
}

fn two_knotes_on_one_file_are_told_their_own(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, first) = place();
    let second = File::open(&path).unwrap();
    queue.set(vnode(&first, note::ATTRIB));
    queue.set(vnode(&second, note::RENAME));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(queue.one().ident, ident(&first));
    fs::rename(&path, path.with_extension("2")).unwrap();
    assert_eq!(queue.one().ident, ident(&second));
    queue.set(Event { flags: Flags::DELETE, ..vnode(&first, 0) });
    fs::rename(path.with_extension("2"), &path).unwrap();
    assert_eq!(queue.one().ident, ident(&second));
    queue.none();
}

fn a_change_of_the_notes_counts_from_then_on(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, mut file) = place();
    queue.set(vnode(&file, note::ATTRIB));
    queue.set(vnode(&file, note::WRITE));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    queue.none();
    file.write_all(b"d").unwrap();
    assert_told(bench, &queue, note::WRITE);
}

fn what_happened_while_disabled_is_told_when_enabled(bench: &Bench) {
    let queue = bench.queue();
    let (_place, _path, mut file) = place();
    let added = vnode(&file, note::WRITE);
    queue.set(Event { flags: added.flags | Flags::DISABLE, ..added });
    file.write_all(b"d").unwrap();
    queue.idle();
    queue.set(Event { flags: Flags::ENABLE, ..added });
    assert_eq!(queue.one().fflags, note::WRITE);
    queue.none();
}

fn oneshot_and_dispatch_happenings(bench: &Bench) {
    let queue = bench.queue();
    let (_place, _path, mut file) = place();
    queue.set(Event { flags: Flags::ADD | Flags::ONESHOT, ..vnode(&file, note::WRITE) });
    file.write_all(b"d").unwrap();
    queue.one();
    file.write_all(b"e").unwrap();
    queue.none();
    let dispatched = Flags::ADD | Flags::DISPATCH | Flags::CLEAR;
    queue.set(Event { flags: dispatched, ..vnode(&file, note::WRITE) });
    file.write_all(b"f").unwrap();
    queue.one();
    file.write_all(b"g").unwrap();
    queue.idle();
    queue.set(Event { flags: Flags::ENABLE, ..vnode(&file, note::WRITE) });
    queue.one();
}

fn a_happening_wakes_the_wait(bench: &Bench) {
    let queue = bench.queue();
    let (_place, _path, mut file) = place();
    queue.set(vnode(&file, note::WRITE));
    let event = queue.woken_by(|| file.write_all(b"d").unwrap());
    assert_eq!(event.fflags, note::WRITE);
}

fn a_knote_added_during_a_wait_is_told(bench: &Bench) {
    let queue = bench.queue();
    let (_place, _path, mut file) = place();
    let event = queue.woken_by(|| {
        queue.set(vnode(&file, note::WRITE));
        file.write_all(b"d").unwrap();
    });
    assert_eq!(event.fflags, note::WRITE);
}

fn read_and_vnode_share_a_file(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, mut file) = place();
    let mut reader = File::open(path).unwrap();
    reader.read_exact(&mut [0; 3]).unwrap();
    queue.set(vnode(&reader, note::WRITE));
    queue.set(read(&reader, Flags::ADD));
    file.write_all(b"d").unwrap();
    assert_eq!(queue.filters(), [Filter::READ, Filter::VNODE]);
    queue.set(read(&reader, Flags::DELETE));
    file.write_all(b"e").unwrap();
    assert_eq!(queue.filters(), [Filter::VNODE]);
}

fn a_vnode_knote_dies_with_its_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let (_place, path, file) = place();
    queue.set(vnode(&file, ALL));
    let delete = Event { flags: Flags::DELETE, ..vnode(&file, 0) };
    drop(file);
    fs::remove_file(path).unwrap();
    queue.idle();
    assert_eq!(queue.try_set(delete), Err(libc::EBADF));
}

fn a_vnode_knote_does_not_pass_to_the_next_file(bench: &Bench) {
    let queue = bench.queue();
    let (_place, _path, file) = place();
    let (_other_place, other_path, other) = place();
    let number = file.as_raw_fd();
    queue.set(Event { udata: 1, ..vnode(&file, ALL) });
    let file = {
        drop(file);
        system::dup2(&other, number)
    };
    fs::set_permissions(&other_path, Permissions::from_mode(0o600)).unwrap();
    queue.none();
    let enable = Event { flags: Flags::ENABLE, ..vnode(&file, 0) };
    assert_eq!(queue.try_set(enable), Err(libc::ENOENT));
    queue.set(Event { udata: 2, ..vnode(&file, ALL) });
    fs::set_permissions(&other_path, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(queue.one().udata, 2);
}

fn a_happening_makes_the_queue_readable(bench: &Bench) {
    let queue = bench.queue();
    let fd = bench.descriptor(&queue);
    let (_place, _path, mut file) = place();
    queue.set(vnode(&file, note::WRITE));
    assert!(!system::is_readable(fd, 0));
    file.write_all(b"d").unwrap();
    assert!(system::is_readable(fd, 0));
    queue.one();
    assert!(!system::is_readable(fd, 0));
}

fn what_no_one_tells_of_files_is_refused(bench: &Bench) {
    let queue = bench.queue();
    let (_place, _path, file) = place();
    if cfg!(target_os = "linux") {
        assert_eq!(queue.try_set(vnode(&file, note::REVOKE)), Err(libc::ENOTSUP));
        assert_eq!(queue.try_set(vnode(&file, note::FUNLOCK | ALL)), Err(libc::ENOTSUP));
    }
    assert_eq!(queue.try_set(vnode(&file, 0)), Err(libc::EINVAL));
    assert_eq!(queue.try_set(vnode(&file, 1 << 20)), Err(libc::EINVAL));
    let (socket, _other) = UnixStream::pair().unwrap();
    assert_eq!(queue.try_set(vnode(&socket, ALL)), Err(libc::EINVAL));
    let (reader, _writer) = pipe().unwrap();
    assert_eq!(queue.try_set(vnode(&reader, ALL)), Err(libc::EINVAL));
    let nobody = Event { ident: usize::MAX, ..vnode(&file, ALL) };
    assert_eq!(queue.try_set(nobody), Err(libc::EBADF));
    queue.none();
}

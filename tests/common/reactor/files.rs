// SPDX-License-Identifier: MIT OR Apache-2.0
//! READ and WRITE of what is no socket: regular files, devices, terminals and named pipes.

use super::{Bench, Q, SOON_NS, ident, needs_a_kernel, read, skip, system, write};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

crate::cases![
    needs needs_a_kernel;
    "READ, regular file":
        a_file_is_readable_up_to_its_end,
        a_file_at_its_end_does_not_spin,
        a_file_that_grows_wakes_the_wait,
        a_file_that_shrinks_has_a_negative_distance,
        clear_on_a_file_waits_for_growth,
        any_change_has_a_clear_file_looked_at_again,
        a_disabled_file_is_told_when_enabled,
        oneshot_and_dispatch_on_a_file,
        two_descriptors_of_one_file_are_two_knotes,
        a_readable_file_makes_the_queue_readable,
        files_starve_nobody;
    "descriptor closed while watched":
        a_file_knote_dies_with_its_descriptor,
        a_file_knote_does_not_pass_to_the_next_file;
    "bad input":
        what_a_file_cannot_do_is_refused;
    "READ, tty and device":
        a_device_is_always_ready,
        a_terminal_tells_its_bytes_and_its_end;
    "FIFO end of file":
        the_end_of_a_fifo_clears_with_a_new_writer;
];

/// A file with that much in it, to write to, and a descriptor of its own to read from.
fn file_of(bytes: usize) -> (NamedTempFile, File) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&vec![b'x'; bytes]).unwrap();
    let reader = File::open(file.path()).unwrap();
    (file, reader)
}

fn a_file_is_readable_up_to_its_end(bench: &Bench) {
    let queue = bench.queue();
    let (_file, mut reader) = file_of(10);
    queue.set(Event { udata: 7, ..read(&reader, Flags::ADD) });
    let event = queue.one();
    assert_eq!((event.ident, event.data, event.udata), (ident(&reader), 10, 7));
    reader.read_exact(&mut [0; 4]).unwrap();
    assert_eq!(queue.one().data, 6);
    reader.read_exact(&mut [0; 6]).unwrap();
    queue.none();
    reader.seek(SeekFrom::Start(9)).unwrap();
    assert_eq!(queue.one().data, 1);
}

fn a_file_at_its_end_does_not_spin(bench: &Bench) {
    let queue = bench.queue();
    let (_file, reader) = file_of(0);
    queue.set(read(&reader, Flags::ADD));
    queue.idle();
}

fn a_file_that_grows_wakes_the_wait(bench: &Bench) {
    let queue = bench.queue();
    let (mut file, mut reader) = file_of(3);
    reader.seek(SeekFrom::End(0)).unwrap();
    queue.set(read(&reader, Flags::ADD));
    queue.none();
    let event = queue.woken_by(|| file.write_all(b"12345").unwrap());
    assert_eq!(event.data, 5);
    reader.seek(SeekFrom::End(0)).unwrap();
    queue.none();
    file.write_all(b"6").unwrap();
    assert_eq!(queue.one().data, 1);
}

fn a_file_that_shrinks_has_a_negative_distance(bench: &Bench) {
    let queue = bench.queue();
    let (file, mut reader) = file_of(10);
    reader.seek(SeekFrom::Start(10)).unwrap();
    queue.set(read(&reader, Flags::ADD));
    queue.none();
    file.as_file().set_len(4).unwrap();
    assert_eq!(queue.one().data, -6);
}

fn clear_on_a_file_waits_for_growth(bench: &Bench) {
    let queue = bench.queue();
    let (mut file, mut reader) = file_of(10);
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    assert_eq!(queue.one().data, 10);
    queue.none();
    file.write_all(b"more").unwrap();
    assert_eq!(queue.one().data, 14);
    queue.none();
    reader.seek(SeekFrom::End(0)).unwrap();
    queue.none();
    file.write_all(b"y").unwrap();
    assert_eq!(queue.one().data, 1);
}

fn any_change_has_a_clear_file_looked_at_again(bench: &Bench) {
    let queue = bench.queue();
    let (_file, reader) = file_of(3);
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    queue.one();
    for (flags, udata) in [(Flags::empty(), 5), (Flags::ENABLE, 6), (Flags::ADD, 7)] {
        queue.none();
        queue.set(Event { udata, ..read(&reader, flags) });
        assert_eq!(queue.one().udata, udata, "{flags:?}");
    }
}

fn a_disabled_file_is_told_when_enabled(bench: &Bench) {
    let queue = bench.queue();
    let (mut file, reader) = file_of(0);
    queue.set(read(&reader, Flags::ADD | Flags::DISABLE));
    file.write_all(b"x").unwrap();
    queue.idle();
    queue.set(read(&reader, Flags::ENABLE));
    assert_eq!(queue.one().data, 1);
    queue.set(read(&reader, Flags::DISABLE));
    queue.none();
}

fn oneshot_and_dispatch_on_a_file(bench: &Bench) {
    let queue = bench.queue();
    let (_file, reader) = file_of(5);
    queue.set(read(&reader, Flags::ADD | Flags::ONESHOT));
    assert_eq!(queue.one().data, 5);
    queue.none();
    assert_eq!(queue.try_set(read(&reader, Flags::DELETE)), Err(libc::ENOENT));
    queue.set(read(&reader, Flags::ADD | Flags::DISPATCH));
    assert_eq!(queue.one().data, 5);
    queue.idle();
    queue.set(read(&reader, Flags::ENABLE));
    assert_eq!(queue.one().data, 5);
    queue.set(read(&reader, Flags::DELETE));
    queue.none();
}

fn two_descriptors_of_one_file_are_two_knotes(bench: &Bench) {
    let queue = bench.queue();
    let (mut file, first) = file_of(0);
    let second = File::open(file.path()).unwrap();
    queue.set(read(&first, Flags::ADD));
    queue.set(read(&second, Flags::ADD));
    queue.none();
    file.write_all(b"x").unwrap();
    assert_eq!(queue.wait(8, SOON_NS).len(), 2);
    queue.set(read(&first, Flags::DELETE));
    let mut second = second;
    second.seek(SeekFrom::End(0)).unwrap();
    queue.none();
    file.write_all(b"y").unwrap();
    assert_eq!(queue.one().ident, ident(&second));
}

fn a_file_knote_dies_with_its_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let (mut file, reader) = file_of(0);
    queue.set(read(&reader, Flags::ADD));
    let delete = read(&reader, Flags::DELETE);
    let _alive = reader.try_clone().unwrap();
    drop(reader);
    file.write_all(b"x").unwrap();
    queue.idle();
    assert_eq!(queue.try_set(delete), Err(libc::EBADF));
}

fn a_file_knote_does_not_pass_to_the_next_file(bench: &Bench) {
    let queue = bench.queue();
    let (_file, reader) = file_of(0);
    let (_other, full) = file_of(9);
    let number = reader.as_raw_fd();
    queue.set(Event { udata: 1, ..read(&reader, Flags::ADD) });
    let reader = {
        drop(reader);
        system::dup2(&full, number)
    };
    queue.none();
    assert_eq!(queue.try_set(read(&reader, Flags::ENABLE)), Err(libc::ENOENT));
    queue.set(Event { udata: 2, ..read(&reader, Flags::ADD) });
    assert_eq!(queue.one().udata, 2);
}

fn a_readable_file_makes_the_queue_readable(bench: &Bench) {
    let queue = bench.queue();
    let fd = bench.descriptor(&queue);
    let (mut file, mut reader) = file_of(1);
    queue.set(read(&reader, Flags::ADD));
    assert!(system::is_readable(fd, 0));
    queue.one();
    assert!(system::is_readable(fd, 0));
    reader.seek(SeekFrom::End(0)).unwrap();
    queue.none();
    assert!(!system::is_readable(fd, 0));
    file.write_all(b"x").unwrap();
    assert!(system::is_readable(fd, 5_000));
    queue.one();
}

fn files_starve_nobody(bench: &Bench) {
    let queue = bench.queue();
    let (_first, first) = file_of(1);
    let (_second, second) = file_of(1);
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(read(&first, Flags::ADD));
    queue.set(read(&second, Flags::ADD));
    queue.set(read(&reader, Flags::ADD));
    let comes = |queue: &Q, ident| queue.wait(1, 0)[0].ident == ident;
    for ident in [ident(&first), ident(&second), ident(&reader)] {
        assert!((0..8).any(|_| comes(&queue, ident)), "{ident} starves");
    }
}

fn what_a_file_cannot_do_is_refused(bench: &Bench) {
    let queue = bench.queue();
    let (_file, reader) = file_of(1);
    if bench.face.name == "kevent()" {
        queue.set(write(&reader, Flags::ADD | Flags::ONESHOT));
        assert_eq!(queue.one().filter, Filter::WRITE);
    } else {
        assert_eq!(queue.try_set(write(&reader, Flags::ADD)), Err(libc::EINVAL));
    }
    let directory = File::open("/").unwrap();
    assert_eq!(queue.try_set(read(&directory, Flags::ADD)), Err(libc::ENOTSUP));
    queue.none();
}

fn a_device_is_always_ready(bench: &Bench) {
    let queue = bench.queue();
    let device = OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
    if queue.try_set(write(&device, Flags::ADD)).is_err() {
        assert_eq!(bench.kind, BackendKind::Kqueue);
        skip("the kernel does not watch this device");
    }
    queue.one();
    assert_eq!(queue.one().filter, Filter::WRITE);
    queue.set(write(&device, Flags::DELETE));
    queue.set(read(&device, Flags::ADD | Flags::ONESHOT));
    assert_eq!(queue.one().filter, Filter::READ);
    queue.none();
}

fn a_terminal_tells_its_bytes_and_its_end(bench: &Bench) {
    let queue = bench.queue();
    let (mut user, terminal) = system::terminal();
    queue.set(Event { fflags: note::DATA, ..read(&terminal, Flags::ADD) });
    user.write_all(b"half a li").unwrap();
    queue.none();
    user.write_all(b"ne\n").unwrap();
    assert_eq!(queue.one().data, 12);
    (&terminal).read_exact(&mut [0; 12]).unwrap();
    queue.none();
    drop(user);
    assert!(queue.one().flags.contains(Flags::EOF));
}

fn the_end_of_a_fifo_clears_with_a_new_writer(bench: &Bench) {
    let queue = bench.queue();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    system::make_fifo(&path);
    let open = |path: &Path| OpenOptions::new().write(true).open(path).unwrap();
    let mut options = OpenOptions::new();
    let mut reader = options.read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
    queue.set(Event { fflags: note::DATA, ..read(&reader, Flags::ADD) });
    queue.none();
    let mut writer = open(&path);
    writer.write_all(b"abc").unwrap();
    drop(writer);
    let event = queue.one();
    assert_eq!(event.data, 3);
    assert!(event.flags.contains(Flags::EOF));
    reader.read_exact(&mut [0; 3]).unwrap();
    assert!(queue.one().flags.contains(Flags::EOF), "the end stays");
    let mut writer = open(&path);
    queue.none();
    writer.write_all(b"d").unwrap();
    let event = queue.one();
    assert_eq!(event.data, 1);
    assert!(!event.flags.contains(Flags::EOF), "there is a writer again");
}

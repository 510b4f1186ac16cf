// SPDX-License-Identifier: MIT OR Apache-2.0
//! EXCEPT and OOBAND: urgent data. EMPTY: everything written has been taken.

use super::{Bench, SOON_NS, change, ident, read, skip, system, write};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::io::{Read, Write, pipe};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

crate::cases![
    "EXCEPT":
        urgent_data_is_told_and_gone_once_read,
        plain_data_is_not_urgent,
        except_tells_the_end_of_the_other_side,
        except_and_read_share_a_descriptor,
        oneshot_and_clear_urgent_data;
    "OOBAND":
        read_with_ooband_is_told_of_urgent_data,
        read_without_ooband_is_not_told_of_urgent_data,
        urgent_data_passes_a_low_water_mark;
    "EMPTY":
        an_empty_send_buffer_is_told_at_once,
        a_full_send_buffer_is_told_when_it_has_drained,
        waiting_for_a_drain_does_not_spin,
        clear_empty_is_told_again_after_the_next_drain,
        oneshot_and_dispatch_empty,
        empty_of_a_pipe_and_a_terminal,
        empty_tells_the_end,
        empty_makes_the_queue_readable;
    "bad input":
        what_has_no_urgent_data_and_no_send_buffer_is_refused;
];

fn except(fd: &impl AsRawFd, flags: Flags) -> Event {
    change(ident(fd), Filter::EXCEPT, flags)
}

fn empty(fd: &impl AsRawFd, flags: Flags) -> Event {
    change(ident(fd), Filter::EMPTY, flags)
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

fn urgent_data_is_told_and_gone_once_read(bench: &Bench) {
    let queue = bench.queue();
    let (near, far) = tcp_pair();
    queue.set(except(&near, Flags::ADD));
    queue.none();
    system::send_urgent(&far, b'!');
    let event = queue.one();
    assert_eq!(
        (event.ident, event.filter, event.fflags),
        (ident(&near), Filter::EXCEPT, note::OOB)
    );
    assert!(event.flags.contains(Flags::OOBAND));
    assert!(!event.flags.contains(Flags::EOF));
    queue.one();
    assert_eq!(system::receive_urgent(&near), b'!');
    queue.none();
}

fn plain_data_is_not_urgent(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = tcp_pair();
    queue.set(except(&near, Flags::ADD));
    far.write_all(b"x").unwrap();
    queue.idle();
}

fn except_tells_the_end_of_the_other_side(bench: &Bench) {
    if !cfg!(target_os = "linux") {
        skip("the system's poll does not tell a half-close from data");
    }
    let queue = bench.queue();
    let (near, far) = tcp_pair();
    queue.set(except(&near, Flags::ADD));
    queue.none();
    far.shutdown(Shutdown::Write).unwrap();
    let event = queue.one();
    assert_eq!((event.fflags, event.flags & Flags::OOBAND), (0, Flags::empty()));
    assert!(event.flags.contains(Flags::EOF));
}

fn except_and_read_share_a_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, mut far) = tcp_pair();
    queue.set(read(&near, Flags::ADD));
    queue.set(except(&near, Flags::ADD));
    queue.set(write(&near, Flags::ADD | Flags::DISABLE));
    far.write_all(b"x").unwrap();
    assert_eq!(queue.one().filter, Filter::READ);
    near.read_exact(&mut [0]).unwrap();
    queue.none();
    system::send_urgent(&far, b'!');
    assert_eq!(queue.one().filter, Filter::EXCEPT);
    queue.set(except(&near, Flags::DELETE));
    queue.none();
    assert_eq!(queue.try_set(except(&near, Flags::DELETE)), Err(libc::ENOENT));
}

fn oneshot_and_clear_urgent_data(bench: &Bench) {
    let queue = bench.queue();
    let (near, far) = tcp_pair();
    queue.set(except(&near, Flags::ADD | Flags::ONESHOT));
    system::send_urgent(&far, b'1');
    queue.one();
    queue.none();
    queue.set(except(&near, Flags::ADD | Flags::CLEAR));
    queue.one();
    queue.none();
    assert_eq!(system::receive_urgent(&near), b'1');
    queue.none();
    system::send_urgent(&far, b'2');
    queue.one();
}

/// A kernel's kqueue tells of urgent data by EXCEPT only.
fn needs_ooband(bench: &Bench) {
    if bench.kind == BackendKind::Kqueue {
        let (near, _far) = tcp_pair();
        let asked = read(&near, Flags::ADD | Flags::OOBAND);
        assert_eq!(bench.queue().try_set(asked), Err(libc::ENOTSUP));
        skip("ENOTSUP: add EXCEPT beside READ");
    }
}

fn read_with_ooband_is_told_of_urgent_data(bench: &Bench) {
    needs_ooband(bench);
    let queue = bench.queue();
    let (near, mut far) = tcp_pair();
    queue.set(read(&near, Flags::ADD | Flags::OOBAND));
    queue.none();
    system::send_urgent(&far, b'!');
    let event = queue.one();
    assert_eq!(event.filter, Filter::READ);
    assert!(event.flags.contains(Flags::OOBAND));
    system::receive_urgent(&near);
    queue.none();
    far.write_all(b"x").unwrap();
    assert!(!queue.one().flags.contains(Flags::OOBAND));
}

fn read_without_ooband_is_not_told_of_urgent_data(bench: &Bench) {
    needs_ooband(bench);
    let queue = bench.queue();
    let (near, far) = tcp_pair();
    queue.set(read(&near, Flags::ADD | Flags::OOBAND));
    queue.set(read(&near, Flags::ADD));
    system::send_urgent(&far, b'!');
    queue.idle();
    queue.set(read(&near, Flags::ADD | Flags::OOBAND));
    assert!(queue.one().flags.contains(Flags::OOBAND));
}

fn urgent_data_passes_a_low_water_mark(bench: &Bench) {
    needs_ooband(bench);
    let queue = bench.queue();
    let (near, mut far) = tcp_pair();
    let marked = read(&near, Flags::ADD | Flags::OOBAND);
    queue.set(Event { fflags: note::LOWAT, data: 100, ..marked });
    far.write_all(b"x").unwrap();
    queue.none();
    system::send_urgent(&far, b'!');
    assert!(queue.one().flags.contains(Flags::OOBAND));
}

fn an_empty_send_buffer_is_told_at_once(bench: &Bench) {
    let queue = bench.queue();
    let (near, _far) = tcp_pair();
    queue.set(empty(&near, Flags::ADD));
    for _ in 0..2 {
        let event = queue.one();
        assert_eq!((event.ident, event.filter, event.data), (ident(&near), Filter::EMPTY, 0));
    }
    queue.set(empty(&near, Flags::DISABLE));
    queue.none();
    queue.set(empty(&near, Flags::DELETE));
    assert_eq!(queue.try_set(empty(&near, Flags::DELETE)), Err(libc::ENOENT));
}

fn a_full_send_buffer_is_told_when_it_has_drained(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, mut far) = UnixStream::pair().unwrap();
    near.write_all(b"12345").unwrap();
    queue.set(empty(&near, Flags::ADD));
    queue.none();
    far.read_exact(&mut [0; 4]).unwrap();
    queue.none();
    let event = queue.woken_by(|| far.read_exact(&mut [0]).unwrap());
    assert_eq!(event.filter, Filter::EMPTY);
    near.write_all(b"6").unwrap();
    queue.none();
}

fn waiting_for_a_drain_does_not_spin(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, _far) = UnixStream::pair().unwrap();
    near.write_all(b"x").unwrap();
    queue.set(empty(&near, Flags::ADD));
    queue.idle();
}

fn clear_empty_is_told_again_after_the_next_drain(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, mut far) = UnixStream::pair().unwrap();
    queue.set(empty(&near, Flags::ADD | Flags::CLEAR));
    queue.one();
    queue.none();
    near.write_all(b"x").unwrap();
    queue.none();
    far.read_exact(&mut [0]).unwrap();
    queue.one();
    queue.none();
}

fn oneshot_and_dispatch_empty(bench: &Bench) {
    let queue = bench.queue();
    let (near, _far) = UnixStream::pair().unwrap();
    queue.set(empty(&near, Flags::ADD | Flags::ONESHOT));
    queue.one();
    queue.idle();
    queue.set(empty(&near, Flags::ADD | Flags::DISPATCH));
    queue.one();
    queue.idle();
    queue.set(empty(&near, Flags::ENABLE));
    queue.one();
}

fn empty_of_a_pipe_and_a_terminal(bench: &Bench) {
    let queue = bench.queue();
    let (_user, terminal) = system::terminal();
    queue.set(empty(&terminal, Flags::ADD | Flags::ONESHOT));
    queue.one();
    if !cfg!(target_os = "linux") {
        skip("the system does not tell what is in a pipe");
    }
    let (mut reader, mut writer) = pipe().unwrap();
    queue.set(empty(&writer, Flags::ADD));
    queue.one();
    writer.write_all(b"x").unwrap();
    queue.none();
    reader.read_exact(&mut [0]).unwrap();
    assert_eq!(queue.one().ident, ident(&writer));
}

fn empty_tells_the_end(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, far) = UnixStream::pair().unwrap();
    near.write_all(b"x").unwrap();
    queue.set(empty(&near, Flags::ADD));
    queue.none();
    drop(far);
    assert!(queue.one().flags.contains(Flags::EOF));
}

fn empty_makes_the_queue_readable(bench: &Bench) {
    let queue = bench.queue();
    let fd = bench.descriptor(&queue);
    let (mut near, mut far) = UnixStream::pair().unwrap();
    near.write_all(b"x").unwrap();
    queue.set(empty(&near, Flags::ADD));
    queue.none();
    far.read_exact(&mut [0]).unwrap();
    assert!(system::is_readable(fd, i32::try_from(SOON_NS / 1_000_000).unwrap()));
    queue.one();
    queue.set(empty(&near, Flags::DELETE));
    queue.none();
    assert!(!system::is_readable(fd, 0));
}

fn what_has_no_urgent_data_and_no_send_buffer_is_refused(bench: &Bench) {
    let queue = bench.queue();
    let file = tempfile::tempfile().unwrap();
    let (near, _far) = tcp_pair();
    assert_eq!(queue.try_set(except(&file, Flags::ADD)), Err(libc::EINVAL));
    assert_eq!(queue.try_set(empty(&file, Flags::ADD)), Err(libc::EINVAL));
    let noted = |event| Event { fflags: note::LOWAT, ..event };
    assert_eq!(queue.try_set(noted(except(&near, Flags::ADD))), Err(libc::EINVAL));
    assert_eq!(queue.try_set(noted(empty(&near, Flags::ADD))), Err(libc::EINVAL));
    queue.none();
}

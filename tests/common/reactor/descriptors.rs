// SPDX-License-Identifier: MIT OR Apache-2.0
//! READ and WRITE: what is delivered for sockets, pipes, listeners and their ends.

use super::{Bench, ident, read, skip, system, write};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::io::{ErrorKind, Read, Write, pipe};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};

crate::cases![
    "READ, listening socket":
        a_listener_tells_its_connections,
        a_unix_listener_is_readable;
    "READ, socket or pipe":
        read_tells_the_bytes_if_asked,
        a_datagram_is_readable;
    "WRITE":
        write_tells_the_room_if_asked,
        write_waits_for_room,
        clear_write_comes_again_when_there_is_room_again;
    "EOF and errors":
        a_half_close_is_an_end_with_data_still_readable,
        the_last_writer_ends_the_reader,
        the_last_reader_ends_the_writer,
        the_end_is_told_once_with_clear;
    "low-water marks":
        a_low_water_mark_holds_back_and_does_not_spin,
        a_low_water_mark_does_not_hold_back_the_end,
        low_water_marks_are_per_knote,
        the_mark_of_a_socket_is_respected,
        a_mark_of_one_knote_does_not_change_that_of_the_socket,
        a_low_water_mark_of_room;
];

fn with_note(change: Event, fflags: u32, data: i64) -> Event {
    Event { fflags, data, ..change }
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// Writes until there is no room; the stream stays non-blocking.
fn fill(mut stream: &UnixStream) {
    stream.set_nonblocking(true).unwrap();
    loop {
        match stream.write(&[0; 4096]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}

fn drain(mut stream: &UnixStream) {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 65536];
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

fn read_tells_the_bytes_if_asked(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    far.write_all(b"12345").unwrap();
    queue.set(read(&near, Flags::ADD));
    assert_eq!(queue.one().data, 0);
    queue.set(with_note(read(&near, Flags::ADD), note::DATA, 0));
    assert_eq!(queue.one().data, 5);
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&near, Flags::DELETE));
    queue.set(with_note(read(&reader, Flags::ADD), note::DATA, 0));
    writer.write_all(b"123").unwrap();
    assert_eq!(queue.one().data, 3);
}

fn a_listener_tells_its_connections(bench: &Bench) {
    let queue = bench.queue();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    queue.set(with_note(read(&listener, Flags::ADD), note::DATA, 0));
    queue.none();
    let address = listener.local_addr().unwrap();
    let _clients = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
    let counts = cfg!(target_os = "linux") || bench.kind == BackendKind::Kqueue;
    let expected = if counts { 2 } else { 1 };
    assert_eq!(queue.one().data, expected);
    listener.accept().unwrap();
    assert_eq!(queue.one().data, 1);
    listener.accept().unwrap();
    queue.none();
}

fn a_unix_listener_is_readable(bench: &Bench) {
    let queue = bench.queue();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    queue.set(with_note(read(&listener, Flags::ADD), note::DATA, 0));
    let _client = UnixStream::connect(&path).unwrap();
    assert_eq!(queue.one().data, 1);
}

fn a_datagram_is_readable(bench: &Bench) {
    let queue = bench.queue();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    queue.set(with_note(read(&socket, Flags::ADD), note::DATA, 0));
    socket.send_to(b"1234567", socket.local_addr().unwrap()).unwrap();
    assert_eq!(queue.one().data, 7);
}

fn write_tells_the_room_if_asked(bench: &Bench) {
    let queue = bench.queue();
    let (near, _far) = tcp_pair();
    queue.set(with_note(write(&near, Flags::ADD), note::DATA, 0));
    assert!(queue.one().data > 1024);
    queue.set(write(&near, Flags::DELETE));
    let (_reader, mut writer) = pipe().unwrap();
    queue.set(with_note(write(&writer, Flags::ADD), note::DATA, 0));
    let room = queue.one().data;
    writer.write_all(&[0; 1000]).unwrap();
    if bench.kind == BackendKind::Kqueue && !bench.face.simulated {
        return;
    }
    assert_eq!(queue.one().data, if cfg!(target_os = "linux") { room - 1000 } else { room });
}

fn write_waits_for_room(bench: &Bench) {
    let queue = bench.queue();
    let (near, far) = UnixStream::pair().unwrap();
    queue.set(write(&near, Flags::ADD));
    queue.one();
    fill(&near);
    queue.none();
    drain(&far);
    queue.one();
    queue.one();
}

fn clear_write_comes_again_when_there_is_room_again(bench: &Bench) {
    let queue = bench.queue();
    let (near, far) = UnixStream::pair().unwrap();
    queue.set(write(&near, Flags::ADD | Flags::CLEAR));
    queue.one();
    queue.none();
    fill(&near);
    queue.none();
    drain(&far);
    queue.one();
    queue.none();
}

fn a_half_close_is_an_end_with_data_still_readable(bench: &Bench) {
    let (near, mut far) = tcp_pair();
    let queue = bench.queue();
    far.write_all(b"xyz").unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    queue.set(with_note(read(&near, Flags::ADD), note::DATA, 0));
    queue.set(write(&near, Flags::ADD));
    let events = queue.wait(8, super::SOON_NS);
    let find = |filter| *events.iter().find(|event| event.filter == filter).unwrap();
    // The end travels behind the data and may not have come yet.
    let end = || queue.wait(8, 0).iter().any(|event| event.flags.contains(Flags::EOF));
    assert_eq!(find(Filter::READ).data, 3);
    assert_eq!(find(Filter::WRITE).flags & Flags::EOF, Flags::empty());
    if !cfg!(target_os = "linux") && bench.kind != BackendKind::Kqueue {
        skip("the system's poll does not tell a half-close from data");
    }
    assert!((0..1000).any(|_| end()));
    (&near).read_exact(&mut [0; 3]).unwrap();
    assert!(end(), "the end stays when the data is read");
}

fn the_last_writer_ends_the_reader(bench: &Bench) {
    let queue = bench.queue();
    let (reader, writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    drop(writer);
    let event = queue.one();
    assert!(event.flags.contains(Flags::EOF));
    assert_eq!(event.fflags, 0);
    let (near, far) = UnixStream::pair().unwrap();
    queue.set(read(&reader, Flags::DELETE));
    queue.set(read(&near, Flags::ADD));
    drop(far);
    assert!(queue.one().flags.contains(Flags::EOF));
}

fn the_last_reader_ends_the_writer(bench: &Bench) {
    let queue = bench.queue();
    let (reader, writer) = pipe().unwrap();
    queue.set(write(&writer, Flags::ADD));
    assert!(!queue.one().flags.contains(Flags::EOF));
    drop(reader);
    let event = queue.one();
    assert!(event.flags.contains(Flags::EOF));
    assert_eq!(event.fflags, 0);
}

fn the_end_is_told_once_with_clear(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD | Flags::CLEAR));
    far.write_all(b"x").unwrap();
    assert!(!queue.one().flags.contains(Flags::EOF));
    drop(far);
    assert!(queue.one().flags.contains(Flags::EOF));
    queue.none();
}

fn a_low_water_mark_holds_back_and_does_not_spin(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, mut far) = UnixStream::pair().unwrap();
    queue.set(with_note(read(&near, Flags::ADD), note::LOWAT, 4));
    far.write_all(b"123").unwrap();
    queue.idle();
    far.write_all(b"4").unwrap();
    assert_eq!(queue.one().data, 4);
    assert_eq!(queue.one().data, 4);
    near.read_exact(&mut [0; 1]).unwrap();
    queue.none();
    far.write_all(b"5").unwrap();
    assert_eq!(queue.one().data, 4);
}

fn a_low_water_mark_does_not_hold_back_the_end(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    queue.set(with_note(read(&near, Flags::ADD), note::LOWAT, 100));
    far.write_all(b"123").unwrap();
    queue.none();
    drop(far);
    assert!(queue.one().flags.contains(Flags::EOF));
}

fn low_water_marks_are_per_knote(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    let marked = |udata: usize, mark| Event {
        udata,
        ..with_note(read(&reader, Flags::ADD | Flags::UDATA_SPECIFIC), note::LOWAT, mark)
    };
    queue.set(marked(1, 1));
    queue.set(marked(5, 5));
    writer.write_all(b"123").unwrap();
    assert_eq!(queue.one().udata, 1);
    assert_eq!(queue.one().udata, 1);
    writer.write_all(b"45").unwrap();
    assert!(queue.wait(8, super::SOON_NS).iter().any(|event| event.udata == 1));
    let seen = |udata| {
        (0..200).any(|_| queue.wait(8, super::NOT_NS).iter().any(|event| event.udata == udata))
    };
    assert!(seen(1) && seen(5));
}

fn the_mark_of_a_socket_is_respected(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, mut far) = tcp_pair();
    system::set_receive_mark(&near, 4);
    queue.set(read(&near, Flags::ADD));
    far.write_all(b"123").unwrap();
    queue.none();
    far.write_all(b"4").unwrap();
    queue.one();
    near.read_exact(&mut [0]).unwrap();
    queue.none();
}

fn a_mark_of_one_knote_does_not_change_that_of_the_socket(bench: &Bench) {
    let (first, second) = (bench.queue(), bench.queue());
    let (near, mut far) = tcp_pair();
    first.set(with_note(read(&near, Flags::ADD), note::LOWAT, 100));
    second.set(read(&near, Flags::ADD));
    far.write_all(b"1").unwrap();
    assert_eq!(second.one().ident, ident(&near));
    first.none();
}

fn a_low_water_mark_of_room(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    if !cfg!(target_os = "linux") {
        skip("the system does not tell the room of a pipe");
    }
    writer.write_all(&[0; 8192]).unwrap();
    queue.set(with_note(write(&writer, Flags::ADD), note::LOWAT, 65536));
    queue.none();
    reader.read_exact(&mut [0; 8192]).unwrap();
    assert_eq!(queue.one().ident, ident(&writer));
}

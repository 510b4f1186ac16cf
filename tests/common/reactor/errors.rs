// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets that have failed: what is told of the error, and what is left to the socket.

use super::{Bench, ident, read, skip, write};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};

crate::cases![
    "a reset":
        an_error_is_left_to_the_socket,
        a_reset_tells_its_error_if_asked,
        a_reset_tells_its_error_to_all_who_ask;
    "connecting":
        a_refused_connection_is_an_end_and_keeps_its_error,
        a_refused_connection_tells_its_error_if_asked,
        a_connection_in_progress_is_silent_and_then_writable;
    "no end":
        an_error_of_a_datagram_is_no_end,
        an_error_of_a_datagram_is_told_once_if_asked;
    "a pipe":
        a_pipe_without_a_reader_has_no_error;
];

fn asking(change: Event) -> Event {
    Event { fflags: note::DATA, ..change }
}

fn is_native(bench: &Bench) -> bool {
    bench.kind == BackendKind::Kqueue
}

/// A connection, and its other side, whose close is a reset.
fn resettable() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut far = listener.accept().unwrap().0;
    near.write_all(b"unread data makes the close a reset").unwrap();
    far.read_exact(&mut [0; 1]).unwrap();
    (near, far)
}

/// A socket that tries to connect to where nobody listens.
fn refused() -> Socket {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let _ = socket.connect(&address.into());
    socket
}

/// A socket whose datagrams nobody takes.
fn unheard() -> UdpSocket {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(receiver.local_addr().unwrap()).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn an_error_is_left_to_the_socket(bench: &Bench) {
    if bench.face.simulated {
        skip("the simulated kernel reads SO_ERROR");
    }
    let queue = bench.queue();
    let (mut near, far) = resettable();
    queue.set(read(&near, Flags::ADD));
    queue.none();
    drop(far);
    for _ in 0..2 {
        let event = queue.one();
        assert!(event.flags.contains(Flags::EOF));
        assert_eq!(event.fflags, 0);
    }
    assert_eq!(near.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

fn a_reset_tells_its_error_if_asked(bench: &Bench) {
    let queue = bench.queue();
    let (near, far) = resettable();
    queue.set(asking(read(&near, Flags::ADD)));
    queue.none();
    drop(far);
    for _ in 0..2 {
        let event = queue.one();
        assert!(event.flags.contains(Flags::EOF));
        assert_eq!(event.fflags, libc::ECONNRESET.cast_unsigned());
    }
}

fn a_reset_tells_its_error_to_all_who_ask(bench: &Bench) {
    if bench.face.simulated {
        skip("the simulated kernel tells one knote only");
    }
    let queue = bench.queue();
    let (near, far) = resettable();
    queue.set(asking(read(&near, Flags::ADD)));
    queue.none();
    drop(far);
    queue.one();
    queue.set(asking(write(&near, Flags::ADD | Flags::ONESHOT)));
    let events = queue.wait(8, 0);
    assert_eq!(events.len(), 2);
    for event in events {
        assert!(event.flags.contains(Flags::EOF));
        assert_eq!(event.fflags, libc::ECONNRESET.cast_unsigned());
    }
    // A knote that does not ask is not told what another one took.
    queue.set(read(&near, Flags::ADD));
    assert_eq!(queue.one().fflags, 0);
}

fn a_refused_connection_is_an_end_and_keeps_its_error(bench: &Bench) {
    if bench.face.simulated {
        skip("the simulated kernel reads SO_ERROR");
    }
    let queue = bench.queue();
    let socket = refused();
    queue.set(write(&socket, Flags::ADD));
    let event = queue.one();
    assert!(event.flags.contains(Flags::EOF));
    assert_eq!(event.fflags, 0);
    let error = socket.take_error().unwrap().unwrap();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
}

fn a_refused_connection_tells_its_error_if_asked(bench: &Bench) {
    let queue = bench.queue();
    let socket = refused();
    queue.set(asking(write(&socket, Flags::ADD)));
    let event = queue.one();
    assert!(event.flags.contains(Flags::EOF));
    assert_eq!(event.fflags, libc::ECONNREFUSED.cast_unsigned());
}

fn a_connection_in_progress_is_silent_and_then_writable(bench: &Bench) {
    let queue = bench.queue();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let _ = socket.connect(&listener.local_addr().unwrap().into());
    queue.set(read(&socket, Flags::ADD));
    queue.set(write(&socket, Flags::ADD));
    let event = queue.one();
    assert_eq!((event.ident, event.filter), (ident(&socket), Filter::WRITE));
    assert!(!event.flags.contains(Flags::EOF));
    assert!(socket.take_error().unwrap().is_none());
}

fn an_error_of_a_datagram_is_no_end(bench: &Bench) {
    if is_native(bench) {
        skip("kernels tell errors of datagrams in their own ways");
    }
    let queue = bench.queue();
    let socket = unheard();
    queue.set(read(&socket, Flags::ADD));
    socket.send(b"x").unwrap();
    for _ in 0..2 {
        let event = queue.one();
        assert_eq!((event.flags & Flags::EOF, event.fflags), (Flags::empty(), 0));
    }
    let error = socket.recv(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    queue.none();
}

fn an_error_of_a_datagram_is_told_once_if_asked(bench: &Bench) {
    if is_native(bench) {
        skip("kernels tell errors of datagrams in their own ways");
    }
    let queue = bench.queue();
    let socket = unheard();
    queue.set(asking(read(&socket, Flags::ADD)));
    socket.send(b"x").unwrap();
    let event = queue.one();
    assert_eq!(event.fflags, libc::ECONNREFUSED.cast_unsigned());
    queue.none();
    assert_eq!(socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    let sender = UdpSocket::bind(socket.peer_addr().unwrap()).unwrap();
    sender.send_to(b"yes", socket.local_addr().unwrap()).unwrap();
    let event = queue.one();
    assert_eq!((event.fflags, event.data), (note::DATA, 3));
}

fn a_pipe_without_a_reader_has_no_error(bench: &Bench) {
    let queue = bench.queue();
    let (reader, writer) = pipe().unwrap();
    queue.set(asking(write(&writer, Flags::ADD)));
    drop(reader);
    for _ in 0..2 {
        let event = queue.one();
        assert!(event.flags.contains(Flags::EOF));
        assert_eq!(event.fflags, 0);
    }
}

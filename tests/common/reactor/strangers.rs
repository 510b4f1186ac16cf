// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets that are watched before they are connected, and after a shutdown of their own.

use super::{Bench, ident, read, write};
use evl::reactor::{BackendKind, Filter, Flags};
use socket2::{Domain, SockAddr, Socket, Type};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};

crate::cases![
    "silent before":
        an_unconnected_socket_is_silent,
    an_unconnected_unix_socket_is_silent;
    "told when connected":
        connecting_wakes_the_wait,
    connecting_is_told_once_with_clear,
    connecting_is_told_once_with_oneshot,
    connecting_a_unix_socket_is_told,
    a_refused_connection_of_a_watched_socket_is_an_end,
    a_watched_socket_may_listen;
    "a shutdown of one's own":
    a_shutdown_of_ones_own_side_is_no_end_for_reading,
    a_shutdown_of_ones_own_side_ends_writing_on_kqueue_only,
];

fn stranger() -> Socket {
    Socket::new(Domain::IPV4, Type::STREAM, None).unwrap()
}

fn listener() -> (TcpListener, SockAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address.into())
}

fn an_unconnected_socket_is_silent(bench: &Bench) {
    let queue = bench.queue();
    let socket = stranger();
    queue.set(write(&socket, Flags::ADD));
    queue.idle();
    queue.set(read(&socket, Flags::ADD));
    queue.idle();
    queue.set(write(&socket, Flags::DISABLE));
    queue.set(write(&socket, Flags::ENABLE));
    queue.none();
    queue.set(read(&socket, Flags::DELETE));
    queue.none();
}

fn an_unconnected_unix_socket_is_silent(bench: &Bench) {
    let queue = bench.queue();
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    queue.set(read(&socket, Flags::ADD | Flags::CLEAR));
    queue.set(write(&socket, Flags::ADD | Flags::CLEAR));
    queue.idle();
}

fn connecting_wakes_the_wait(bench: &Bench) {
    let queue = bench.queue();
    let (_listener, address) = listener();
    let socket = stranger();
    queue.set(read(&socket, Flags::ADD));
    queue.set(write(&socket, Flags::ADD));
    queue.none();
    let event = queue.woken_by(|| socket.connect(&address).unwrap());
    assert_eq!((event.ident, event.filter), (ident(&socket), Filter::WRITE));
    assert!(!event.flags.contains(Flags::EOF));
    queue.one();
}

fn connecting_is_told_once_with_clear(bench: &Bench) {
    let queue = bench.queue();
    let (_listener, address) = listener();
    let socket = stranger();
    queue.set(write(&socket, Flags::ADD | Flags::CLEAR));
    queue.none();
    socket.connect(&address).unwrap();
    queue.one();
    queue.none();
}

fn connecting_is_told_once_with_oneshot(bench: &Bench) {
    let queue = bench.queue();
    let (_listener, address) = listener();
    let socket = stranger();
    queue.set(write(&socket, Flags::ADD | Flags::ONESHOT));
    queue.none();
    socket.connect(&address).unwrap();
    queue.one();
    queue.none();
    assert_eq!(queue.try_set(write(&socket, Flags::DELETE)), Err(libc::ENOENT));
}

fn connecting_a_unix_socket_is_told(bench: &Bench) {
    let queue = bench.queue();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    queue.set(write(&socket, Flags::ADD));
    queue.none();
    socket.connect(&SockAddr::unix(&path).unwrap()).unwrap();
    assert!(!queue.one().flags.contains(Flags::EOF));
}

fn a_refused_connection_of_a_watched_socket_is_an_end(bench: &Bench) {
    let queue = bench.queue();
    let address = listener().1;
    let socket = stranger();
    queue.set(write(&socket, Flags::ADD));
    queue.none();
    // Otherwise connect(2) itself takes the error.
    socket.set_nonblocking(true).unwrap();
    socket.connect(&address).unwrap_err();
    assert!(queue.one().flags.contains(Flags::EOF));
}

fn a_watched_socket_may_listen(bench: &Bench) {
    let queue = bench.queue();
    let socket = stranger();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    queue.set(read(&socket, Flags::ADD));
    queue.none();
    socket.listen(1).unwrap();
    queue.none();
    let client = stranger();
    let address = socket.local_addr().unwrap();
    let event = queue.woken_by(|| client.connect(&address).unwrap());
    assert_eq!(event.ident, ident(&socket));
}

fn a_shutdown_of_ones_own_side_is_no_end_for_reading(bench: &Bench) {
    let queue = bench.queue();
    let (near, far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD));
    near.shutdown(Shutdown::Write).unwrap();
    queue.none();
    drop(far);
    assert!(queue.one().flags.contains(Flags::EOF));
}

fn a_shutdown_of_ones_own_side_ends_writing_on_kqueue_only(bench: &Bench) {
    let queue = bench.queue();
    let (listener, address) = listener();
    let socket = stranger();
    socket.connect(&address).unwrap();
    let _far = listener.accept().unwrap();
    queue.set(write(&socket, Flags::ADD));
    queue.one();
    socket.shutdown(Shutdown::Write).unwrap();
    let native = bench.kind == BackendKind::Kqueue && !bench.face.simulated;
    assert_eq!(queue.one().flags.contains(Flags::EOF), native);
}

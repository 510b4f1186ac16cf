// SPDX-License-Identifier: MIT OR Apache-2.0
//! Listening, accepting and connecting, on the loopback interface and in temporary folders.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use evl::Result;
use evl::net::{Address, Keepalive, Peer, SocketOptions};
use evl::net::{accept, connect, listen, local_address, set_options};
use evl::reactor::{Event, Filter, Flags, Reactor, note};
use proptest::prelude::*;
use socket2::{Domain, SockRef, Socket, Type};
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

fn at(address: &str) -> Address {
    address.parse().unwrap()
}

fn listening(address: &str) -> (OwnedFd, Address) {
    let listener = listen(&at(address), &SocketOptions::default()).unwrap();
    let address = local_address(&listener).unwrap();
    (listener, address)
}

fn errno<T>(result: Result<T>) -> Option<i32> {
    result.err().and_then(|error| error.errno())
}

fn port(address: &Address) -> u16 {
    match address {
        Address::Ip(address) => address.port(),
        Address::Unix(_) => panic!("{address} has no port"),
    }
}

fn unix(folder: &TempDir) -> Address {
    Address::Unix(folder.path().join("socket"))
}

/// The connection that somebody has just made.
fn accepted(listener: &OwnedFd) -> (OwnedFd, Peer) {
    loop {
        if let Some(accepted) = accept(listener).unwrap() {
            return accepted;
        }
    }
}

#[test]
fn what_is_accepted_is_whose_it_says_and_then_there_is_none() {
    let (listener, address) = listening("127.0.0.1:0");
    assert_ne!(port(&address), 0);
    assert_eq!(accept(&listener).unwrap().map(drop), None);
    let client = TcpStream::connect(address.to_string()).unwrap();
    assert_eq!(accepted(&listener).1, Peer::Ip(client.local_addr().unwrap()));
    assert_eq!(accept(&listener).unwrap().map(drop), None);
}

#[test]
fn sockets_neither_block_nor_outlive_exec() {
    let (listener, address) = listening("127.0.0.1:0");
    let client = connect(&address, &SocketOptions::default()).unwrap();
    let (peer, _) = accepted(&listener);
    for socket in [&listener, &client, &peer] {
        assert!(SockRef::from(socket).nonblocking().unwrap());
        let absent = format!("[ ! -e /dev/fd/{} ]", socket.as_raw_fd());
        assert!(Command::new("sh").args(["-c", &absent]).status().unwrap().success());
    }
}

#[test]
fn the_unspecified_ipv6_address_takes_ipv4_unless_told_not_to() {
    let (listener, address) = listening("[::]:0");
    let _client = TcpStream::connect(("127.0.0.1", port(&address))).unwrap();
    accepted(&listener);
    let only = SocketOptions { v6only: true, ..SocketOptions::default() };
    let listener = listen(&at("[::]:0"), &only).unwrap();
    let port = port(&local_address(&listener).unwrap());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    let _client = TcpStream::connect(("::1", port)).unwrap();
    accepted(&listener);
}

#[test]
fn a_living_listener_is_in_use_and_said_so() {
    let folder = TempDir::new().unwrap();
    let (_listener, address) = listening("127.0.0.1:0");
    let path = unix(&folder);
    let _living = listen(&path, &SocketOptions::default()).unwrap();
    for address in [address, path] {
        let error = listen(&address, &SocketOptions::default()).unwrap_err();
        assert_eq!(error.errno(), Some(libc::EADDRINUSE));
        assert!(error.to_string().starts_with(&format!("listen on {address}: ")), "{error}");
    }
}

#[test]
fn a_port_can_be_taken_again_at_once() {
    let (listener, address) = listening("127.0.0.1:0");
    let client = TcpStream::connect(address.to_string()).unwrap();
    // Who closes first keeps the port for minutes (TIME-WAIT, RFC 9293 section 3.6.1).
    drop(accepted(&listener));
    drop((listener, client));
    listen(&address, &SocketOptions::default()).unwrap();
}

#[test]
fn several_listen_on_one_port_if_all_ask_for_it() {
    let shared = SocketOptions { reuse_port: true, ..SocketOptions::default() };
    let first = listen(&at("127.0.0.1:0"), &shared).unwrap();
    let address = local_address(&first).unwrap();
    let _second = listen(&address, &shared).unwrap();
    assert_eq!(errno(listen(&address, &SocketOptions::default())), Some(libc::EADDRINUSE));
    let folder = TempDir::new().unwrap();
    assert_eq!(errno(listen(&unix(&folder), &shared)), Some(libc::ENOTSUP));
}

#[test]
fn a_socket_left_behind_is_replaced_and_has_the_mode_asked_for() {
    let folder = TempDir::new().unwrap();
    let address = unix(&folder);
    for mode in [0o600, 0o666] {
        let options = SocketOptions { mode: Some(mode), ..SocketOptions::default() };
        let listener = listen(&address, &options).unwrap();
        let found = fs::metadata(folder.path().join("socket")).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode);
        assert_eq!(local_address(&listener).unwrap(), address);
        let _client = UnixStream::connect(folder.path().join("socket")).unwrap();
        assert_eq!(accepted(&listener).1, Peer::Unix);
    }
}

#[test]
fn options_reach_the_connections() {
    let keepalive = Keepalive {
        idle: Some(Duration::from_secs(7)),
        interval: Some(Duration::from_secs(3)),
        count: Some(2),
    };
    let options = SocketOptions {
        receive_buffer: Some(20_000),
        send_buffer: Some(30_000),
        keepalive: Some(keepalive),
        nodelay: true,
        linger: Some(Duration::from_secs(5)),
        ..SocketOptions::default()
    };
    let check = |socket: &OwnedFd| {
        let socket = SockRef::from(socket);
        // Linux doubles what was asked for, to have room for its own (socket(7)).
        assert!((20_000..=40_000).contains(&socket.recv_buffer_size().unwrap()));
        assert!((30_000..=60_000).contains(&socket.send_buffer_size().unwrap()));
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
        assert_eq!(socket.linger().unwrap(), options.linger);
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(7));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(3));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 2);
    };
    let listener = listen(&at("127.0.0.1:0"), &options).unwrap();
    let client = connect(&local_address(&listener).unwrap(), &SocketOptions::default()).unwrap();
    check(&accepted(&listener).0);
    set_options(&client, &options).unwrap();
    check(&client);
    set_options(&client, &SocketOptions::default()).unwrap();
    check(&client);
}

#[test]
fn options_of_tcp_are_passed_over_on_a_unix_socket() {
    let folder = TempDir::new().unwrap();
    let options = SocketOptions {
        nodelay: true,
        keepalive: Some(Keepalive { idle: Some(Duration::from_secs(7)), ..Keepalive::default() }),
        ..SocketOptions::default()
    };
    let _listener = listen(&unix(&folder), &options).unwrap();
    let client = connect(&unix(&folder), &options).unwrap();
    set_options(&client, &options).unwrap();
}

#[test]
fn options_that_cannot_be_had_are_named() {
    let options = SocketOptions { receive_buffer: Some(u32::MAX), ..SocketOptions::default() };
    let error = listen(&at("127.0.0.1:0"), &options).unwrap_err();
    assert_eq!(error.errno(), Some(libc::EINVAL));
    assert!(error.to_string().contains("receive_buffer"), "{error}");
    let keepalive = Keepalive { idle: Some(Duration::ZERO), ..Keepalive::default() };
    let options = SocketOptions { keepalive: Some(keepalive), ..SocketOptions::default() };
    let error = connect(&at("127.0.0.1:1"), &options).unwrap_err();
    assert!(error.to_string().starts_with("SO_KEEPALIVE: "), "{error}");
}

#[test]
fn options_that_fail_leave_no_file() {
    let folder = TempDir::new().unwrap();
    let options = SocketOptions { send_buffer: Some(u32::MAX), ..SocketOptions::default() };
    assert_eq!(errno(listen(&unix(&folder), &options)), Some(libc::EINVAL));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn zero_linger_resets() {
    let (listener, address) = listening("127.0.0.1:0");
    let mut client = TcpStream::connect(address.to_string()).unwrap();
    let (peer, _) = accepted(&listener);
    let reset = SocketOptions { linger: Some(Duration::ZERO), ..SocketOptions::default() };
    set_options(&peer, &reset).unwrap();
    drop(peer);
    let told = client.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(told, Err(ErrorKind::ConnectionReset));
}

#[test]
fn what_is_no_listener_is_told() {
    let file = tempfile::tempfile().unwrap();
    assert_eq!(errno(accept(&file)), Some(libc::ENOTSOCK));
    assert_eq!(errno(local_address(&file)), Some(libc::ENOTSOCK));
    assert_eq!(errno(set_options(&file, &SocketOptions::default())), Some(libc::ENOTSOCK));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    assert_eq!(errno(accept(&socket)), Some(libc::EINVAL));
}

#[test]
fn connections_are_refused_and_paths_are_missing() {
    let folder = TempDir::new().unwrap();
    let missing = unix(&folder);
    let error = connect(&missing, &SocketOptions::default()).unwrap_err();
    assert_eq!(error.errno(), Some(libc::ENOENT));
    assert!(error.to_string().starts_with(&format!("connect to {missing}: ")), "{error}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    if let Ok(socket) = connect(&Address::Ip(free), &SocketOptions::default()) {
        let reactor = Reactor::new().unwrap();
        let told = Event { fflags: note::DATA, ..Event::of(&socket, Filter::WRITE, Flags::ADD) };
        reactor.add(&told).unwrap();
        let mut events = [Event::default()];
        assert_eq!(reactor.wait(&mut events, None), Ok(1));
        assert_eq!(i32::try_from(events[0].fflags), Ok(libc::ECONNREFUSED));
    }
}

#[test]
fn paths_are_bytes_without_nul_and_not_long() {
    let parsed = |path: &[u8]| Address::from_bytes(&[b"unix:", path].concat());
    assert_eq!(errno(parsed(b"")), Some(libc::EINVAL));
    assert_eq!(errno(parsed(b"a\0b")), Some(libc::EINVAL));
    assert_eq!(errno(parsed(&[b'x'; 200])), Some(libc::ENAMETOOLONG));
    assert!(parsed(&[b'x'; 100]).is_ok());
    let Address::Unix(path) = parsed(b"caf\xe9").unwrap() else { panic!("a path") };
    assert_eq!(path.as_os_str().as_bytes(), b"caf\xe9");
}

#[test]
fn addresses_are_read_as_people_write_them() {
    for (text, expected) in [
        ("8080", "0.0.0.0:8080"),
        ("*:80", "0.0.0.0:80"),
        ("localhost:81", "127.0.0.1:81"),
        ("10.0.0.1", "10.0.0.1:80"),
        ("[::1]", "[::1]:80"),
        ("[::]:0", "[::]:0"),
        ("unix:relative/path", "unix:relative/path"),
    ] {
        assert_eq!(at(text).to_string(), expected, "{text}");
    }
    let wrong = [
        "",
        ":",
        ":80",
        "65536",
        "-1",
        "+80",
        " 80",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.1:80",
        "::1:80",
        "[::1",
        "[::1]80",
        "[127.0.0.1]:80",
        "example.org:80",
        "[]:80",
        "unix:",
        "UNIX:/x",
        "127.0.0.1:80:80",
        "127.0.0.1:65536",
    ];
    for text in wrong {
        assert_eq!(errno(text.parse::<Address>()), Some(libc::EINVAL), "{text}");
    }
}

proptest! {
    #[test]
    fn an_address_is_read_as_it_is_written(ip: std::net::IpAddr, port: u16) {
        let address = Address::Ip((ip, port).into());
        prop_assert_eq!(at(&address.to_string()), address.clone());
        prop_assert_eq!(Address::from_bytes(&address.to_bytes()).unwrap(), address);
    }

    #[test]
    fn a_path_is_read_as_it_is_written(path in prop::collection::vec(1u8.., 1..100)) {
        let text = [b"unix:", &path[..]].concat();
        prop_assert_eq!(Address::from_bytes(&text).unwrap().to_bytes(), text);
    }

    #[test]
    fn whatever_is_read_is_an_address_or_told(text in prop::collection::vec(any::<u8>(), 0..150)) {
        match Address::from_bytes(&text) {
            Ok(address) => prop_assert_eq!(
                Address::from_bytes(&address.to_bytes()).unwrap(), address),
            Err(error) => prop_assert!(
                [libc::EINVAL, libc::ENAMETOOLONG].map(Some).contains(&error.errno())),
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server as a whole does and no part of it can show alone, over loopback.

use super::*;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

#[test]
fn the_file_of_a_unix_socket_goes_when_listening_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let unstarted = Server::new(Options::default()).unwrap();
    unstarted.listen(&format!("unix:{}", path.display())).unwrap();
    assert!(path.exists());
    drop(unstarted);
    assert!(!path.exists());

    let server = Server::new(Options { workers: 2, ..Options::default() }).unwrap();
    server.listen(&format!("unix:{}", path.display())).unwrap();
    server.start().unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    client.read_to_end(&mut Vec::new()).unwrap();
    server.stop(Duration::ZERO).unwrap();
    assert!(!path.exists());
}

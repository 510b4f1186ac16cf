// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server as a whole does and no part of it can show alone, over loopback.

use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;
use std::time::SystemTime;
use tempfile::TempDir;

/// A server with one worker on a free port, and its address.
fn start(set_up: impl FnOnce(&Server)) -> (Server, String) {
    let server = Server::new(Options { workers: 1, ..Options::default() }).unwrap();
    server.listen("127.0.0.1:0").unwrap();
    set_up(&server);
    server.start().unwrap();
    let address = server.address(0).unwrap();
    (server, address)
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// A server of this configuration, which listens on port 0 of 127.0.0.1, in a folder of its own.
fn configured(text: &str, set_up: impl FnOnce(&Server)) -> (Server, String, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evl.conf");
    std::fs::write(&path, text).unwrap();
    let server = Server::new(Options { workers: 1, ..Options::default() }).unwrap();
    server.load(&path).unwrap();
    set_up(&server);
    server.start().unwrap();
    let address = server.address(0).unwrap();
    (server, address, folder)
}

/// Sends bytes and reads until the connection ends.
fn exchange(address: &str, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

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

/// Content without an end whose owner must not drop it.
struct Undroppable;

impl Body for Undroppable {
    fn pull(&mut self, out: &mut Vec<u8>) -> std::io::Result<Pull> {
        out.extend_from_slice(b"more");
        Ok(Pull::More)
    }
}

impl Drop for Undroppable {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

#[test]
fn a_worker_that_panics_is_an_error_at_the_end_and_holds_nobody_up() {
    let (server, address) = start(|server| {
        let handler = |x: &mut Exchange<'_>| {
            x.response.stream(Box::new(Undroppable));
            Ok(Outcome::Answered)
        };
        server.route("GET", "/", Box::new(handler)).unwrap();
    });
    let mut client = connect(&address);
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    client.read_exact(&mut [0; 100]).unwrap();
    drop(client);
    assert_eq!(server.run().unwrap_err().kind(), ErrorKind::Panic);
    assert_eq!(server.stop(Duration::MAX).unwrap_err().kind(), ErrorKind::Panic);
}

#[test]
fn a_stop_answers_all_that_wait_to_be_accepted() {
    const CLIENTS: usize = 3 * limits::ACCEPTS;
    let (entered, is_entered) = channel();
    let (release, is_released) = channel();
    let is_released = Mutex::new(is_released);
    let (server, address) = start(|server| {
        let wait = move |_: &mut Exchange<'_>| {
            entered.send(()).unwrap();
            is_released.lock().unwrap().recv().unwrap();
            Ok(Outcome::Answered)
        };
        server.route("GET", "/wait", Box::new(wait)).unwrap();
        let handler = |_: &mut Exchange<'_>| Ok(Outcome::Answered);
        server.route("GET", "/", Box::new(handler)).unwrap();
    });
    let mut first = connect(&address);
    first.write_all(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    is_entered.recv().unwrap();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(&address)).collect();
    for client in &mut clients {
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    }
    server.running().unwrap().order_stop(Duration::from_secs(20));
    release.send(()).unwrap();
    for client in clients.iter_mut().chain([&mut first]) {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
    }
    drop(clients);
    server.stop(Duration::from_secs(20)).unwrap();
}

#[test]
fn what_a_stop_cuts_off_is_logged() {
    let (server, address, folder) =
        configured("server { listen 127.0.0.1:0; access_log log; root .; }", |_| {});
    let file = std::fs::File::create(folder.path().join("large")).unwrap();
    file.set_len(1 << 30).unwrap();
    let mut client = connect(&address);
    client.write_all(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    client.read_exact(&mut [0; 100]).unwrap();
    server.stop(Duration::ZERO).unwrap();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("\"GET /large HTTP/1.1\" 200 "), "{log:?}");
}

/// A request with a body is answered before the body is there. The server stops, then the body comes.
#[test]
fn a_stop_closes_a_connection_whose_answer_was_early_with_the_end_of_its_body() {
    let (server, address) = start(|_| {});
    let mut client = connect(&address);
    client.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na").unwrap();
    client.read_exact(&mut [0; 12]).unwrap();
    server.running().unwrap().order_stop(Duration::MAX);
    // Only a worker that has heard of the stop refuses.
    while TcpStream::connect(&address).is_ok() {}
    client.write_all(b"b").unwrap();
    client.read_to_end(&mut Vec::new()).unwrap();
    server.stop(Duration::MAX).unwrap();
}

#[test]
fn an_answer_to_head_has_no_content_also_where_its_path_is_refused() {
    let (_server, address) = start(|_| {});
    let answer = exchange(&address, "HEAD /%zz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("\r\n\r\n"), "{answer}");
}

/// What is known of a request holds for its refusal, however late its body turns out to be wrong.
#[test]
fn a_request_that_is_refused_in_its_body_gets_the_page_and_the_log_line_of_its_location() {
    let text = "server { listen 127.0.0.1:0; access_log log; client_max_body_size 2;
                error_page 400 413 /why; location = /why { return 200 \"the page\"; } }";
    let (server, address, folder) = configured(text, |server| {
        let handler = |_: &mut Exchange<'_>| Ok(Outcome::Answered);
        server.route("POST", "/", Box::new(handler)).unwrap();
    });
    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, status) in [("3\r\nabc\r\n", 413), ("x\r\n", 400)] {
        let answer = exchange(&address, &[head, body].concat());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.ends_with("\r\n\r\nthe page"), "{answer}");
    }
    drop(server);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log.matches("\"POST / HTTP/1.1\" 4").count(), 2, "{log}");
}

#[test]
fn a_405_names_the_methods_of_the_routes_also_where_files_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = start(|server| {
        server.serve_directory("/", folder.path()).unwrap();
        let handler = |_: &mut Exchange<'_>| Ok(Outcome::Answered);
        server.route("POST", "/api", Box::new(handler)).unwrap();
    });
    for method in ["GET", "PUT"] {
        let request = format!("{method} /api HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let answer = exchange(&address, &request);
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert!(answer.contains("\r\nAllow: POST, OPTIONS\r\n"), "{answer}");
    }
}

#[test]
fn no_answer_names_a_change_that_is_still_to_come() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = start(|server| server.serve_directory("/", folder.path()).unwrap());
    let file = std::fs::File::create(folder.path().join("file")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
    let request = "GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let answer = exchange(&address, request);
    let field = |name: &str| answer.split(name).nth(1).unwrap().split("\r\n").next().unwrap();
    assert_eq!(field("Last-Modified: "), field("Date: "), "{answer}");
}

#[test]
fn a_mounted_directory_redirects_to_its_slash_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = start(|server| server.serve_directory("/a b", folder.path()).unwrap());
    let request = "GET /a%20b?c HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n";
    let answer = exchange(&address, request);
    assert!(answer.starts_with("HTTP/1.1 301 "), "{answer}");
    assert!(answer.contains("\r\nLocation: http://h:1/a%20b/?c\r\n"), "{answer}");
}

#[test]
fn a_redirect_is_one_line_whatever_its_url_holds_and_a_text_stays_as_it_is() {
    let (_server, address, _folder) = configured(
        "server { listen 127.0.0.1:0; location /to { return 301 \"/x\\r\\nA: b$uri\"; }
         location /text { return 200 $uri; } }",
        |_| {},
    );
    let ask = |path: &str| {
        exchange(&address, &format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
    };
    let answer = ask("/to%0d%0ac:%01%7fd");
    assert!(answer.contains("\r\nLocation: /xA: b/toc:d\r\n"), "{answer:?}");
    let answer = ask("/text%0a!");
    assert!(answer.ends_with("\r\n\r\n/text\n!"), "{answer:?}");
}

/// Content that never has anything.
struct Silent;

impl Body for Silent {
    fn pull(&mut self, _: &mut Vec<u8>) -> std::io::Result<Pull> {
        Ok(Pull::More)
    }
}

#[test]
fn content_that_never_comes_holds_nobody_up() {
    let (_server, address) = start(|server| {
        let silent = |x: &mut Exchange<'_>| {
            x.response.stream(Box::new(Silent));
            Ok(Outcome::Answered)
        };
        server.route("GET", "/silent", Box::new(silent)).unwrap();
    });
    let mut silent = connect(&address);
    silent.write_all(b"GET /silent HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    silent.read_exact(&mut [0; 12]).unwrap();
    let answer = exchange(&address, "GET / HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[test]
fn an_error_page_that_redirects_has_the_status_of_a_redirect() {
    let (_server, address, _folder) = configured(
        "server { listen 127.0.0.1:0; error_page 404 /moved; error_page 403 =200 http://h/x;
         location = /moved { return 303 /there; } location = /no { return 403; } }",
        |_| {},
    );
    for (path, status, location) in [("/none", 303, "/there"), ("/no", 302, "http://h/x")] {
        let answer = exchange(&address, &format!("GET {path} HTTP/1.0\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(&format!("\r\nLocation: {location}\r\n")), "{answer}");
    }
}

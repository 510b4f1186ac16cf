// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server's life: workers, start, stop, and the errors on the way.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::error::ErrorKind;
use evl::server::{Body, Exchange, Handler, Options, Outcome, Pull, Server};
use http::{Client, Live, PATIENCE, get, noise, one_worker, text, write_file};
use std::collections::HashSet;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A handler that tells when it runs and goes on when it is told to.
struct Gate {
    entered: Sender<()>,
    release: Mutex<Receiver<()>>,
}

impl Gate {
    /// The handler, what tells that it runs, and what lets it go on.
    fn create() -> (Box<dyn Handler>, Receiver<()>, Sender<()>) {
        let (entered, is_entered) = channel();
        let (release, is_released) = channel();
        (Box::new(Self { entered, release: Mutex::new(is_released) }), is_entered, release)
    }
}

impl Handler for Gate {
    fn handle(&self, x: &mut Exchange<'_>) -> Result<Outcome, evl::server::Reject> {
        self.entered.send(()).unwrap();
        self.release.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        x.response.write(b"finished");
        Ok(Outcome::Answered)
    }
}

/// Stops on a thread of its own; the result comes when the server has ended.
fn stop(server: &Live, grace: Duration) -> thread::JoinHandle<evl::Result<()>> {
    let server = Arc::clone(&server.server);
    thread::spawn(move || server.stop(grace))
}

/// Whether nobody listens on the address any more.
fn refuses(address: &str) -> bool {
    TcpStream::connect(address).is_err()
}

#[test]
fn every_worker_answers() {
    let name = |x: &mut Exchange<'_>| {
        x.response.write(thread::current().name().unwrap().as_bytes());
        Ok(Outcome::Answered)
    };
    let options = Options { workers: 3, ..Options::default() };
    let server = Live::start(options, |server| server.route("GET", "/", Box::new(name)).unwrap());
    assert_eq!(server.server.workers().unwrap(), 3);
    let mut seen = HashSet::new();
    for _ in 0..10_000 {
        seen.insert(server.get("/").expect(200).text().to_owned());
        if seen.len() == 3 {
            return;
        }
    }
    panic!("only {seen:?} answered");
}

#[test]
fn workers_share_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("s").display());
    let server = Server::new(Options { workers: 3, ..Options::default() }).unwrap();
    server.listen(&address).unwrap();
    server.route("GET", "/", text("x")).unwrap();
    server.start().unwrap();
    for _ in 0..100 {
        assert_eq!(Client::connect(&address).ask(get("/")).text(), "x");
    }
}

#[test]
fn workers_run_on_threads_of_the_caller() {
    let options = Options { workers: 2, caller_threads: true, ..Options::default() };
    let server = Live::start(options, |server| server.route("GET", "/", text("x")).unwrap());
    let workers: Vec<_> = (0..2)
        .map(|index| {
            let server = Arc::clone(&server.server);
            thread::spawn(move || server.work(index))
        })
        .collect();
    for _ in 0..50 {
        assert_eq!(server.get("/").text(), "x");
    }
    let error = server.server.work(2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    server.server.stop(PATIENCE).unwrap();
    for worker in workers {
        worker.join().unwrap().unwrap();
    }
}

#[test]
fn stop_finishes_the_request_that_runs() {
    let (gate, entered, release) = Gate::create();
    let server = Live::with_routes([("GET", "/gate", gate)]);
    let mut client = server.connect();
    client.send(get("/gate"));
    entered.recv_timeout(PATIENCE).unwrap();
    let stopping = stop(&server, PATIENCE);
    release.send(()).unwrap();
    let answer = client.answer().expect(200);
    assert_eq!(answer.text(), "finished");
    client.end();
    drop(client);
    stopping.join().unwrap().unwrap();
    assert!(refuses(&server.address));
}

#[test]
fn stop_answers_what_was_sent_before_it() {
    let (gate, entered, release) = Gate::create();
    let server = Live::with_routes([("GET", "/gate", gate), ("GET", "/", text("x"))]);
    let mut kept = server.connect();
    kept.ask(get("/")).expect(200);
    let mut busy = server.connect();
    busy.send(get("/gate"));
    entered.recv_timeout(PATIENCE).unwrap();
    // The only worker waits in the handler: these two are in the hands of the kernel.
    kept.send(get("/"));
    let mut new = server.connect();
    new.send(get("/"));
    let stopping = stop(&server, PATIENCE);
    release.send(()).unwrap();
    assert_eq!(busy.answer().expect(200).text(), "finished");
    assert_eq!(new.answer().expect(200).text(), "x");
    new.end();
    assert_eq!(kept.answer().expect(200).text(), "x");
    kept.end();
    drop((busy, new, kept));
    stopping.join().unwrap().unwrap();
}

#[test]
fn stop_closes_idle_connections_at_once() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root .; }";
    let server = Live::from_file(config, &[("small", b"x"), ("large", &noise(3 * 1024 * 1024))]);
    let mut idle: Vec<Client> = ["/small", "/large", "/missing"]
        .map(|target| {
            let mut client = server.connect();
            client.ask(get(target));
            client
        })
        .into();
    let mut silent = server.connect();
    server.get("/small").expect(200);
    let begun = Instant::now();
    server.server.stop(PATIENCE).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    for client in &mut idle {
        client.end();
    }
    silent.end();
}

#[test]
fn stop_finishes_a_request_whose_body_is_coming() {
    let server = Live::with_routes([("POST", "/", http::echo())]);
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    client.answer_to_head().expect(100);
    let stopping = stop(&server, PATIENCE);
    while !refuses(&server.address) {
        thread::yield_now();
    }
    client.send("hello");
    let answer = client.answer().expect(200);
    assert_eq!(answer.text(), "hello");
    assert!(answer.closes());
    client.end();
    drop(client);
    stopping.join().unwrap().unwrap();
}

#[test]
fn stop_finishes_an_answer_that_is_being_sent() {
    let content = noise(32 * 1024 * 1024);
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root .; }";
    let server = Live::from_file(config, &[("large", &content)]);
    let mut client = server.connect();
    client.send(get("/large"));
    let head = client.answer_to_head().expect(200);
    assert_eq!(head.only("content-length").unwrap(), content.len().to_string());
    let stopping = stop(&server, PATIENCE);
    while !refuses(&server.address) {
        thread::yield_now();
    }
    assert!(client.take(content.len()) == content);
    client.end();
    drop(client);
    stopping.join().unwrap().unwrap();
}

#[test]
fn stop_cuts_off_what_outlasts_the_grace() {
    struct Endless;
    impl Body for Endless {
        fn pull(&mut self, out: &mut Vec<u8>) -> std::io::Result<Pull> {
            out.resize(out.len() + 4096, b'x');
            Ok(Pull::More)
        }
    }
    let endless = |x: &mut Exchange<'_>| {
        x.response.stream(Box::new(Endless));
        Ok(Outcome::Answered)
    };
    let server = Live::with_routes([("GET", "/", Box::new(endless)), ("POST", "/e", http::echo())]);
    let mut stuck = server.connect();
    stuck.send(get("/"));
    stuck.answer_to_head().expect(200);
    let mut half = server.connect();
    half.send("POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    half.answer_to_head().expect(100);
    let begun = Instant::now();
    let grace = Duration::from_millis(300);
    server.server.stop(grace).unwrap();
    assert!(begun.elapsed() >= grace, "{:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let rest = stuck.rest_or_reset();
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    assert!(half.rest_or_reset().is_empty());
}

#[test]
fn stop_without_grace_is_at_once() {
    let server = Live::with_routes([("POST", "/e", http::echo())]);
    let mut half = server.connect();
    half.send("POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    half.answer_to_head().expect(100);
    let begun = Instant::now();
    server.server.stop(Duration::ZERO).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(half.rest_or_reset().is_empty());
}

#[test]
fn stop_can_be_called_by_a_handler() {
    for workers in [1, 3] {
        let slot: Arc<Mutex<Option<Arc<Server>>>> = Arc::default();
        let shared = Arc::clone(&slot);
        let stops = move |x: &mut Exchange<'_>| {
            shared.lock().unwrap().as_ref().unwrap().stop(PATIENCE).unwrap();
            x.response.write(b"stopping");
            Ok(Outcome::Answered)
        };
        let options = Options { workers, ..Options::default() };
        let server =
            Live::start(options, |server| server.route("GET", "/", Box::new(stops)).unwrap());
        *slot.lock().unwrap() = Some(Arc::clone(&server.server));
        let mut client = server.connect();
        assert_eq!(client.ask(get("/")).expect(200).text(), "stopping");
        client.end();
        server.server.stop(PATIENCE).unwrap();
        assert!(refuses(&server.address));
        slot.lock().unwrap().take();
    }
}

#[test]
fn stop_may_come_twice_and_from_several_threads() {
    let server = Live::with_routes([("GET", "/", text("x"))]);
    let stops: Vec<_> = (0..4).map(|_| stop(&server, PATIENCE)).collect();
    for stop in stops {
        stop.join().unwrap().unwrap();
    }
    server.server.stop(Duration::ZERO).unwrap();
    assert_eq!(server.server.start().unwrap_err().kind(), ErrorKind::State);
}

#[test]
fn a_dropped_server_is_stopped() {
    let server = Live::with_routes([("GET", "/", text("x"))]);
    let address = server.address.clone();
    assert_eq!(server.get("/").text(), "x");
    drop(server);
    assert!(refuses(&address));
}

#[test]
fn calls_at_the_wrong_time_are_errors() {
    let server = Server::new(one_worker()).unwrap();
    for error in [
        server.stop(PATIENCE).unwrap_err(),
        server.work(0).unwrap_err(),
        server.workers().unwrap_err(),
        server.start().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::State, "{error}");
        assert!(error.to_string().len() > 10, "{error}");
    }
    assert_eq!(server.address(0), None);
    server.listen("127.0.0.1:0").unwrap();
    server.start().unwrap();
    for error in [
        server.start().unwrap_err(),
        server.listen("127.0.0.1:0").unwrap_err(),
        server.route("GET", "/", text("x")).unwrap_err(),
        server.load(Path::new("x")).unwrap_err(),
        server.serve_directory("/", Path::new("/")).unwrap_err(),
        server.work(0).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::State, "{error}");
    }
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let taken = |server: &Server| {
        let error = server.listen(&address).unwrap_err();
        assert_eq!(error.errno(), Some(libc::EADDRINUSE), "{error}");
        assert!(error.to_string().contains(&address), "{error}");
    };
    let server = Server::new(one_worker()).unwrap();
    taken(&server);
    drop(listener);
    server.listen(&address).unwrap();
    server.start().unwrap();
    taken(&Server::new(one_worker()).unwrap());
}

#[test]
fn an_address_of_the_file_that_is_taken_leaves_the_server_to_be_started_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evl.conf");
    write_file(&path, format!("server {{ listen {address}; return 200 x; }}").as_bytes());
    let server = Server::new(one_worker()).unwrap();
    server.load(&path).unwrap();
    let error = server.start().unwrap_err();
    assert_eq!(error.errno(), Some(libc::EADDRINUSE), "{error}");
    assert!(error.to_string().contains(&address), "{error}");
    drop(listener);
    server.start().unwrap();
    assert_eq!(Client::connect(&address).ask(get("/")).expect(200).text(), "x");
}

#[test]
fn what_is_no_address_is_an_error() {
    let server = Server::new(one_worker()).unwrap();
    for address in
        ["", "x", "127.0.0.1:x", "127.0.0.1:65536", "1.2.3:80", "[::1", "unix:", "::1:80"]
    {
        let error = server.listen(address).unwrap_err();
        assert_eq!(error.errno(), Some(libc::EINVAL), "{address}: {error}");
        assert!(error.to_string().len() > 10, "{error}");
    }
    let error = server.listen("unix:/no/such/folder/socket").unwrap_err();
    assert_eq!(error.errno(), Some(libc::ENOENT), "{error}");
}

#[test]
fn a_wrong_file_is_an_error_with_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evl.conf");
    write_file(&path, b"server {\n  listen 127.0.0.1:0;\n  rooot www;\n}\n");
    let server = Server::new(one_worker()).unwrap();
    let error = server.load(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    let place = format!("{}:3:3", path.display());
    for part in [place.as_str(), "rooot www;", "^", "root"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let error = server.load(&folder.path().join("missing.conf")).unwrap_err();
    assert!(error.to_string().contains("missing.conf"), "{error}");
    write_file(&path, b"server { listen 127.0.0.1:0; return 200 x; }");
    server.load(&path).unwrap();
    server.start().unwrap();
    let address = server.address(0).unwrap();
    assert_eq!(Client::connect(&address).ask(get("/")).expect(200).text(), "x");
}

#[test]
fn a_log_that_cannot_be_opened_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evl.conf");
    write_file(&path, b"access_log no/such/folder/log; server { listen 127.0.0.1:0; }");
    let server = Server::new(one_worker()).unwrap();
    server.load(&path).unwrap();
    let error = server.start().unwrap_err();
    assert_eq!(error.errno(), Some(libc::ENOENT), "{error}");
    assert!(error.to_string().contains("no/such/folder/log"), "{error}");
}

#[test]
fn a_socket_file_that_nobody_listens_on_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let address = format!("unix:{}", path.display());
    let server = Server::new(one_worker()).unwrap();
    server.listen(&address).unwrap();
    server.start().unwrap();
    Client::connect(&address).ask(get("/")).expect(404);
    let error = Server::new(one_worker()).unwrap().listen(&address).unwrap_err();
    assert_eq!(error.errno(), Some(libc::EADDRINUSE), "{error}");
}

#[test]
fn several_servers_live_in_one_process() {
    let servers: Vec<Live> =
        ["one", "two", "three"].map(|name| Live::with_routes([("GET", "/", text(name))])).into();
    let texts: Vec<String> =
        servers.iter().map(|server| server.get("/").text().to_owned()).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running server and a client that speaks raw bytes, for the `http_*` tests.
//!
//! Nothing here knows HTTP from the crate under test: answers are read by rules of their own, strict
//! ones. Every read has a time-out that fails the test with what had come so far.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panic")]

use evl::server::{Exchange, Handler, Options, Outcome, Server};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs until it is dropped.
pub(crate) struct Live {
    pub(crate) server: Arc<Server>,
    pub(crate) address: String,
    folder: TempDir,
}

impl Live {
    /// Starts a server on a free port of 127.0.0.1 that `set_up` prepares.
    pub(crate) fn start(options: Options, set_up: impl FnOnce(&Server)) -> Self {
        let server = Server::new(options).unwrap();
        server.listen("127.0.0.1:0").unwrap();
        set_up(&server);
        Self::launch(server, tempfile::tempdir().unwrap())
    }

    /// Starts a server with one worker and these handlers, each with its method and pattern.
    pub(crate) fn with_routes<const N: usize>(routes: [(&str, &str, Box<dyn Handler>); N]) -> Self {
        Self::start(one_worker(), |server| {
            for (method, pattern, handler) in routes {
                server.route(method, pattern, handler).unwrap();
            }
        })
    }

    /// Starts what a configuration file describes, in a folder of its own with these files. The
    /// file has one worker and listens on port 0 of 127.0.0.1.
    pub(crate) fn from_file(config: &str, files: &[(&str, &[u8])]) -> Self {
        Self::from_file_with(config, files, |_| {})
    }

    /// As [`from_file`](Self::from_file), with handlers and the like.
    pub(crate) fn from_file_with(
        config: &str,
        files: &[(&str, &[u8])],
        set_up: impl FnOnce(&Server),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            write_file(&folder.path().join(name), content);
        }
        let path = folder.path().join("evl.conf");
        write_file(&path, config.as_bytes());
        let server = Server::new(one_worker()).unwrap();
        server.load(&path).unwrap();
        set_up(&server);
        Self::launch(server, folder)
    }

    fn launch(server: Server, folder: TempDir) -> Self {
        server.start().unwrap();
        let address = server.address(0).unwrap();
        Self { server: Arc::new(server), address, folder }
    }

    /// A path below the folder of the configuration file.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.address)
    }

    /// Asks on a connection of its own.
    pub(crate) fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.connect().ask(request)
    }

    /// All that comes after this request until the connection ends, however it does.
    pub(crate) fn connect_and_drain(&self, request: &str) -> Vec<u8> {
        let mut client = self.connect();
        client.send(request);
        client.rest_or_reset()
    }

    /// The answer to a plain GET of `target`, on a connection of its own.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask(get(target))
    }
}

/// The options of most tests.
pub(crate) fn one_worker() -> Options {
    Options { workers: 1, ..Options::default() }
}

/// A plain GET.
pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
}

/// A handler that answers 200 with this text.
pub(crate) fn text(text: &'static str) -> Box<dyn Handler> {
    Box::new(move |x: &mut Exchange<'_>| {
        x.response.write(text.as_bytes());
        Ok(Outcome::Answered)
    })
}

/// A handler that answers with the request's body.
pub(crate) fn echo() -> Box<dyn Handler> {
    Box::new(|x: &mut Exchange<'_>| {
        x.response.write(x.request.body());
        Ok(Outcome::Answered)
    })
}

/// Writes a file and the folders above it.
pub(crate) fn write_file(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Bytes that repeat nowhere soon and are the same in each run.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// One connection's client side.
pub(crate) struct Client {
    socket: Socket,
    /// Came, and not yet taken for an answer.
    came: Vec<u8>,
    deadline: Instant,
}

impl Client {
    /// Connects to an address as the server tells it.
    pub(crate) fn connect(address: &str) -> Self {
        Self::connect_with(address, |_| {})
    }

    /// Connects with a socket that `prepare` has seen first.
    pub(crate) fn connect_with(address: &str, prepare: impl FnOnce(&Socket)) -> Self {
        let (domain, address) = match address.strip_prefix("unix:") {
            Some(path) => (Domain::UNIX, SockAddr::unix(path).unwrap()),
            None => {
                let address: SocketAddr = address.parse().unwrap();
                (Domain::for_address(address), address.into())
            }
        };
        let socket = Socket::new(domain, Type::STREAM, None).unwrap();
        prepare(&socket);
        socket.connect(&address).unwrap();
        if domain != Domain::UNIX {
            socket.set_tcp_nodelay(true).unwrap();
        }
        Self { socket, came: Vec::new(), deadline: Instant::now() + PATIENCE }
    }

    /// Sends all of it.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.be_patient();
        self.socket.set_write_timeout(Some(PATIENCE)).unwrap();
        self.socket.write_all(bytes.as_ref()).expect("sending");
    }

    /// Sends as much as the server takes before it has taken nothing for `pause`; tells how much.
    pub(crate) fn send_until_full(&mut self, bytes: &[u8], pause: Duration) -> usize {
        self.socket.set_write_timeout(Some(pause)).unwrap();
        let mut sent = 0;
        while sent < bytes.len() {
            match self.socket.write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if is_timeout(error.kind()) => break,
                Err(error) => panic!("sending: {error}"),
            }
        }
        self.be_patient();
        sent
    }

    /// Sends as much as can be, whatever becomes of the connection meanwhile.
    pub(crate) fn send_regardless(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.set_write_timeout(Some(PATIENCE)).unwrap();
        let _ = self.socket.write_all(bytes.as_ref());
        self.be_patient();
    }

    /// Sends, and tells whether the connection takes it.
    pub(crate) fn send_if_taken(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.socket.set_write_timeout(Some(PATIENCE)).unwrap();
        self.socket.write_all(bytes.as_ref()).is_ok()
    }

    /// Says that nothing more will be sent.
    pub(crate) fn shut_down(&self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    /// Closes so that the server sees a reset.
    pub(crate) fn reset(self) {
        self.socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        let request = request.as_ref();
        self.send(request);
        if request.starts_with(b"HEAD ") { self.answer_to_head() } else { self.answer() }
    }

    /// The next answer, with its body.
    pub(crate) fn answer(&mut self) -> Answer {
        self.be_patient();
        let mut answer = self.head();
        answer.body = self.body(&answer);
        answer
    }

    /// The next answer, to HEAD or an interim one: nothing follows its head.
    pub(crate) fn answer_to_head(&mut self) -> Answer {
        self.be_patient();
        self.head()
    }

    /// The connection ends here, in order.
    pub(crate) fn end(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "more than the answer: {}", shown(&rest));
    }

    /// All that comes until the connection ends, in order or by a reset.
    pub(crate) fn rest_or_reset(&mut self) -> Vec<u8> {
        self.be_patient();
        while self.receive().is_ok_and(|count| count > 0) {}
        std::mem::take(&mut self.came)
    }

    /// Whether the connection ends by a reset, whatever comes before.
    pub(crate) fn is_reset(&mut self) -> bool {
        self.be_patient();
        loop {
            match self.receive() {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return true,
                Err(error) => panic!("{error}, after {}", shown(&self.came)),
            }
        }
    }

    /// All that comes until the connection ends, in order.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        self.be_patient();
        while self.more() {}
        std::mem::take(&mut self.came)
    }

    /// Exactly this many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        self.be_patient();
        while self.came.len() < count {
            self.need_more();
        }
        self.came.drain(..count).collect()
    }

    /// The next line, without its end.
    pub(crate) fn line(&mut self) -> String {
        self.be_patient();
        let end = self.find(b"\r\n");
        let line: Vec<u8> = self.came.drain(..end + 2).collect();
        String::from_utf8_lossy(&line[..end]).into_owned()
    }

    /// Whether nothing comes, not even the end, for this long.
    pub(crate) fn is_silent_for(&mut self, pause: Duration) -> bool {
        assert!(self.came.is_empty(), "came already: {}", shown(&self.came));
        self.deadline = Instant::now() + pause;
        self.receive().is_err_and(|error| is_timeout(error.kind()))
    }

    fn be_patient(&mut self) {
        self.deadline = Instant::now() + PATIENCE;
    }

    fn head(&mut self) -> Answer {
        let end = self.find(b"\r\n\r\n");
        let head: Vec<u8> = self.came.drain(..end + 4).collect();
        Answer::parse(&head)
    }

    fn body(&mut self, answer: &Answer) -> Vec<u8> {
        let length = answer.only("content-length").map(|value| value.parse().unwrap());
        match (answer.status, answer.only("transfer-encoding"), length) {
            (100..=199 | 204 | 304, None, None) => Vec::new(),
            (_, Some("chunked"), None) => self.chunks(),
            (_, None, Some(length)) => self.take(length),
            (_, None, None) => {
                assert!(answer.closes(), "nothing marks the end of the body: {answer:?}");
                self.rest()
            }
            _ => panic!("contradictory framing: {answer:?}"),
        }
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let end = self.find(b"\r\n");
            let line: Vec<u8> = self.came.drain(..end + 2).collect();
            let size = std::str::from_utf8(&line[..end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let chunk = self.take(size + 2);
            assert!(chunk.ends_with(b"\r\n"), "chunk without an end: {}", shown(&chunk));
            if size == 0 {
                return body;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    fn find(&mut self, mark: &[u8]) -> usize {
        let mut from = 0;
        loop {
            let found = self.came[from..].windows(mark.len()).position(|window| window == mark);
            if let Some(found) = found {
                return from + found;
            }
            from = self.came.len().saturating_sub(mark.len() - 1);
            self.need_more();
        }
    }

    fn need_more(&mut self) {
        assert!(self.more(), "ended within an answer, after {}", shown(&self.came));
    }

    /// Waits for more; false at the end.
    fn more(&mut self) -> bool {
        match self.receive() {
            Ok(count) => count > 0,
            Err(error) => panic!("{error}, after {}", shown(&self.came)),
        }
    }

    fn receive(&mut self) -> std::io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(Some(left))?;
        let mut buffer = [0; 64 * 1024];
        let count = self.socket.read(&mut buffer)?;
        self.came.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Bytes for people, the first and last of many.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 600;
    if bytes.len() <= 2 * MOST {
        return format!("{} bytes {:?}", bytes.len(), bytes.escape_ascii().to_string());
    }
    let (first, last) = (&bytes[..MOST], &bytes[bytes.len() - MOST..]);
    let mut text = String::new();
    write!(text, "{} bytes \"{}", bytes.len(), first.escape_ascii()).unwrap();
    write!(text, " […] {}\"", last.escape_ascii()).unwrap();
    text
}

/// An answer, read strictly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    /// Names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(head: &[u8]) -> Self {
        let text = std::str::from_utf8(head).unwrap_or_else(|_| panic!("{}", shown(head)));
        let text = text.strip_suffix("\r\n\r\n").unwrap();
        assert!(!text.contains('\0'), "{text:?}");
        let mut lines = text.split("\r\n");
        let status_line = lines.next().unwrap();
        let rest = status_line.strip_prefix("HTTP/1.1 ").expect(status_line);
        let (status, reason) = rest.split_once(' ').expect(status_line);
        assert_eq!(status.len(), 3, "{status_line:?}");
        let status = status.parse().expect(status_line);
        let fields = lines.map(|line| {
            assert!(!line.contains(['\r', '\n']), "{line:?}");
            let (name, value) = line.split_once(": ").expect(line);
            assert!(!name.is_empty() && name.bytes().all(is_name_byte), "{line:?}");
            assert_eq!(value.trim(), value, "{line:?}");
            (name.to_ascii_lowercase(), value.to_owned())
        });
        let fields = fields.collect();
        Self { status, reason: reason.to_owned(), fields, body: Vec::new() }
    }

    /// The value of the only field of this name, which is in lower case.
    pub(crate) fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(found, _)| found == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} more than once: {self:?}");
        value
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Whether the answer says that it is the connection's last.
    pub(crate) fn closes(&self) -> bool {
        self.only("connection") == Some("close")
    }

    /// The answer without what differs from one moment to the next.
    pub(crate) fn timeless(mut self) -> Self {
        self.fields.retain(|(name, _)| name != "date");
        self
    }

    /// The answer if it has this status, with the whole of it in the message otherwise.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?} {}", shown(&self.body));
        self
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

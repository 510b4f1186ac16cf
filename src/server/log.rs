// SPDX-License-Identifier: MIT OR Apache-2.0
//! Access logs in the combined format, as nginx writes it. Lines are gathered and written once per turn.
//! A log that takes none for a while, be it a full disk or a fifo that nobody reads, holds nobody up:
//! what does not fit into the buffer is dropped.

use super::config::Config;
use super::exchange::Request;
use super::limits;
use crate::error::{Error, Result};
use crate::http::date;
use crate::http::h1::head::Version;
use crate::http::status::Status;
use crate::net::Peer;
use crate::sys::file;
use crate::sys::localtime::{LocalTime, local_time};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// One request, as a log line needs it. The texts share one buffer, which a worker lends.
pub(crate) struct Entry {
    /// The index of the log.
    log: usize,
    peer: Peer,
    status: Status,
    /// Bytes of content sent.
    pub(crate) sent: u64,
    /// The request line, then `Referer` and `User-Agent` as the line has them.
    text: Vec<u8>,
    /// Where the request line ends.
    middle: usize,
}

impl Entry {
    /// `text` is an empty buffer.
    pub(crate) fn new(log: usize, request: &Request<'_>, status: Status, text: Vec<u8>) -> Self {
        let mut text = text;
        text.extend_from_slice(request.method().as_bytes());
        text.push(b' ');
        escape(&mut text, request.target());
        text.extend_from_slice(match request.head.head().version {
            Version::Http10 => b" HTTP/1.0",
            Version::Http11 => b" HTTP/1.1",
        });
        let middle = text.len();
        for name in ["referer", "user-agent"] {
            text.extend_from_slice(b" \"");
            escape(&mut text, request.header(name).unwrap_or(b"-"));
            text.push(b'"');
        }
        Self { log, peer: request.peer, status, sent: 0, text, middle }
    }

    /// What could not be understood as a request: its first line stands for it.
    pub(crate) fn refused(
        log: usize,
        peer: Peer,
        bytes: &[u8],
        status: Status,
        text: Vec<u8>,
    ) -> Self {
        let mut text = text;
        let line = bytes.split(|&byte| byte == b'\r' || byte == b'\n').next().unwrap_or_default();
        escape(&mut text, line.get(..limits::LOGGED_LINE).unwrap_or(line));
        let middle = text.len();
        text.extend_from_slice(b" \"-\" \"-\"");
        Self { log, peer, status, sent: 0, text, middle }
    }
}

/// The log files of one worker.
#[derive(Default)]
pub(crate) struct Logs {
    logs: Vec<Log>,
    /// The second of the latest line, and its text.
    second: u64,
    stamp: String,
}

struct Log {
    path: PathBuf,
    file: File,
    /// Not yet written.
    lines: Vec<u8>,
}

impl Logs {
    /// Opens every log that the configuration names, for appending.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        let mut opened = Self::default();
        for path in config.settings().filter_map(|settings| settings.access_log.as_ref()) {
            if opened.index(path).is_some() {
                continue;
            }
            let file = file::append(path).map_err(|error| {
                Error::from(error).context(format_args!("access log {}", path.display()))
            })?;
            opened.logs.push(Log { path: path.clone(), file, lines: Vec::new() });
        }
        Ok(opened)
    }

    /// Which of the logs has this path.
    pub(crate) fn index(&self, path: &Path) -> Option<usize> {
        // As bytes: comparing paths takes them apart.
        self.logs.iter().position(|log| log.path.as_os_str() == path.as_os_str())
    }

    /// Adds a line; gives the entry's buffer back.
    pub(crate) fn write(&mut self, entry: Entry, now: SystemTime) -> Vec<u8> {
        let now = date::seconds(now);
        if now != self.second || self.stamp.is_empty() {
            self.second = now;
            self.stamp = Stamp(local_time(now)).to_string();
        }
        if let Some(log) = self.logs.get_mut(entry.log) {
            log.add(&entry, &self.stamp);
        }
        entry.text
    }

    /// Writes what has gathered; called at the end of each turn.
    pub(crate) fn flush(&mut self) {
        self.logs.iter_mut().filter(|log| !log.lines.is_empty()).for_each(Log::flush);
    }
}

impl Log {
    fn add(&mut self, entry: &Entry, stamp: &str) {
        if self.lines.len() >= limits::LOG_BUFFER {
            self.flush();
            if self.lines.len() >= limits::LOG_BUFFER {
                return;
            }
        }
        let lines = &mut self.lines;
        // Writing to a vector does not fail.
        let _ = match entry.peer {
            Peer::Ip(address) => write!(lines, "{}", address.ip()),
            Peer::Unix => write!(lines, "unix:"),
        };
        let (request, fields) = entry.text.split_at(entry.middle);
        let _ = write!(lines, " - - [{stamp}] \"");
        lines.extend_from_slice(request);
        let _ = write!(lines, "\" {} {}", entry.status.code(), entry.sent);
        lines.extend_from_slice(fields);
        lines.push(b'\n');
    }

    /// Writes what the file takes. What went wrong there is nobody to tell but the log itself.
    fn flush(&mut self) {
        let mut written = 0;
        while let Some(rest @ [_, ..]) = self.lines.get(written..) {
            match self.file.write(rest) {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.lines.drain(..written);
    }
}

/// Appends what a client sent so that it can neither end the quotes nor the line: as nginx does, `"`,
/// `\` and all that is not printable ASCII become `\xXX`.
fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    for piece in bytes.chunk_by(|one, other| is_plain(one) && is_plain(other)) {
        match piece {
            [byte] if !is_plain(byte) => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            plain => out.extend_from_slice(plain),
        }
    }
}

/// Prints as `10/Oct/2000:13:55:36 -0700`.
struct Stamp(LocalTime);

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let Self(time) = self;
        let month = MONTHS.get(usize::from(time.month)).unwrap_or(&"Jan");
        let sign = if time.offset_minutes < 0 { '-' } else { '+' };
        let offset = time.offset_minutes.unsigned_abs();
        write!(
            f,
            "{:02}/{month}/{:04}:{:02}:{:02}:{:02} {sign}{:02}{:02}",
            time.day,
            time.year,
            time.hour,
            time.minute,
            time.second,
            offset / 60,
            offset % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::Command;
    use std::time::UNIX_EPOCH;

    #[test]
    fn what_a_client_sends_cannot_forge_a_line() {
        let mut text = Vec::new();
        escape(&mut text, b"a\"b\\c\r\nd\x7f\xff e");
        assert_eq!(text, b"a\\x22b\\x5Cc\\x0D\\x0Ad\\x7F\\xFF e");
    }

    #[test]
    fn a_log_that_nobody_reads_holds_nobody_up_and_loses_whole_lines_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(file::append(&path).is_err(), "opened without a reader");
        let mut reader = file::open(&path).unwrap();
        let lines = Vec::new();
        let file = file::append(&path).unwrap();
        let mut logs = Logs { logs: vec![Log { path, file, lines }], ..Logs::default() };
        let request = "x".repeat(1000);
        for _ in 0..1000 {
            let (bytes, status) = (request.as_bytes(), Status::BAD_REQUEST);
            logs.write(Entry::refused(0, Peer::Unix, bytes, status, Vec::new()), UNIX_EPOCH);
        }
        let mut came = Vec::new();
        for _ in 0..10 {
            logs.flush();
            let _ = reader.read_to_end(&mut came);
        }
        let came = String::from_utf8(came).unwrap();
        let count = came.lines().count();
        assert!((100..1000).contains(&count), "{count}");
        assert!(came.lines().all(|line| line.starts_with("unix: ") && line.ends_with('"')));
    }

    #[test]
    fn stamps_have_the_offset_of_the_zone() {
        let mut time = LocalTime {
            year: 2000,
            month: 9,
            day: 10,
            hour: 13,
            minute: 55,
            second: 6,
            offset_minutes: -450,
        };
        assert_eq!(Stamp(time).to_string(), "10/Oct/2000:13:55:06 -0730");
        time.offset_minutes = 60;
        assert_eq!(Stamp(time).to_string(), "10/Oct/2000:13:55:06 +0100");
    }
}

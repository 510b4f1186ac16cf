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
use crate::sys::file;
use crate::sys::localtime::{LocalTime, local_time};
use crate::sys::socket::Peer;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// One request, as a log line needs it.
pub(crate) struct Entry {
    path: PathBuf,
    peer: Peer,
    status: Status,
    /// Bytes of content sent.
    pub(crate) sent: u64,
    request: String,
    referer: String,
    agent: String,
}

impl Entry {
    pub(crate) fn new(path: &Path, request: &Request<'_>, status: Status) -> Self {
        let mut line = String::from(request.method());
        line.push(' ');
        escape(&mut line, request.target());
        line.push_str(match request.head.head().version {
            Version::Http10 => " HTTP/1.0",
            Version::Http11 => " HTTP/1.1",
        });
        let field = |name| {
            let mut text = String::new();
            escape(&mut text, request.header(name).unwrap_or(b"-"));
            text
        };
        Self {
            path: path.to_owned(),
            peer: request.peer,
            status,
            sent: 0,
            request: line,
            referer: field("referer"),
            agent: field("user-agent"),
        }
    }

    /// What could not be understood as a request: its first line stands for it.
    pub(crate) fn refused(path: &Path, peer: Peer, bytes: &[u8], status: Status) -> Self {
        let line = bytes.split(|&byte| byte == b'\r' || byte == b'\n').next().unwrap_or_default();
        let mut request = String::new();
        escape(&mut request, line.get(..limits::LOGGED_LINE).unwrap_or(line));
        Self {
            path: path.to_owned(),
            peer,
            status,
            sent: 0,
            request,
            referer: "-".to_owned(),
            agent: "-".to_owned(),
        }
    }
}

/// The log files of one worker.
#[derive(Default)]
pub(crate) struct Logs(Vec<Log>);

struct Log {
    path: PathBuf,
    file: File,
    /// Not yet written.
    lines: Vec<u8>,
}

impl Logs {
    /// Opens every log that the configuration names, for appending.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        let mut logs: Vec<Log> = Vec::new();
        for path in config.settings().filter_map(|settings| settings.access_log.as_ref()) {
            if logs.iter().any(|log| log.path == *path) {
                continue;
            }
            let file = file::append(path).map_err(|error| {
                Error::from(error).context(format_args!("access log {}", path.display()))
            })?;
            logs.push(Log { path: path.clone(), file, lines: Vec::new() });
        }
        Ok(Self(logs))
    }

    pub(crate) fn write(&mut self, entry: &Entry, now: SystemTime) {
        let Some(log) = self.0.iter_mut().find(|log| log.path == entry.path) else { return };
        if log.lines.len() >= limits::LOG_BUFFER {
            log.flush();
            if log.lines.len() >= limits::LOG_BUFFER {
                return;
            }
        }
        match entry.peer {
            Peer::Ip(address) => write!(log.lines, "{}", address.ip()),
            Peer::Unix => write!(log.lines, "unix:"),
        }
        .and_then(|()| {
            writeln!(
                log.lines,
                " - - [{}] \"{}\" {} {} \"{}\" \"{}\"",
                Stamp(local_time(date::seconds(now))),
                entry.request,
                entry.status.code(),
                entry.sent,
                entry.referer,
                entry.agent
            )
        })
        .unwrap_or_default();
    }

    /// Writes what has gathered; called at the end of each turn.
    pub(crate) fn flush(&mut self) {
        self.0.iter_mut().filter(|log| !log.lines.is_empty()).for_each(Log::flush);
    }
}

impl Log {
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
fn escape(out: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "\\x{byte:02X}");
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
        let mut text = String::new();
        escape(&mut text, b"a\"b\\c\r\nd\x7f\xff e");
        assert_eq!(text, "a\\x22b\\x5Cc\\x0D\\x0Ad\\x7F\\xFF e");
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
        let mut logs = Logs(vec![Log { path: path.clone(), file, lines }]);
        let request = "x".repeat(1000);
        let entry = Entry::refused(&path, Peer::Unix, request.as_bytes(), Status::BAD_REQUEST);
        for _ in 0..1000 {
            logs.write(&entry, UNIX_EPOCH);
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

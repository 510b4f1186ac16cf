// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one error type of the crate: what failed, in a form that C, Python and people can read.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// The result of every fallible call of the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of failure an [`Error`] is. `ffi` maps each to one C code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The operating system, or a rule that POSIX has a number for, refused: the errno value.
    Os(i32),
    /// The configuration file or an option in it is wrong.
    Config,
    /// The call came at the wrong time: before start, after stop, twice.
    State,
    /// What the call refers to has gone: the client left, the server stopped.
    Gone,
    /// A callback or the library itself panicked; the call was abandoned.
    Panic,
}

/// A failure: its kind and, where there is more to say, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: Option<Cow<'static, str>>,
}

impl Error {
    /// A failure with an errno value and nothing to add to it.
    pub const fn os(errno: i32) -> Self {
        Self { kind: ErrorKind::Os(errno), message: None }
    }

    /// A failure of the given kind with a sentence that tells what to do.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: Some(message.into()) }
    }

    /// An argument that the call cannot take (`EINVAL`), and what it can.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Os(libc::EINVAL), message)
    }

    /// The same failure with a sentence about what was being done.
    #[must_use]
    pub fn context(self, what: impl fmt::Display) -> Self {
        let message = format!("{what}: {self}");
        Self { kind: self.kind, message: Some(message.into()) }
    }

    /// What kind of failure this is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The errno value, where there is one.
    pub const fn errno(&self) -> Option<i32> {
        match self.kind {
            ErrorKind::Os(errno) => Some(errno),
            _ => None,
        }
    }

    /// Whether a signal interrupted a wait (`EINTR`), so that it can be begun again.
    pub fn is_interrupted(&self) -> bool {
        self.errno() == Some(libc::EINTR)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.message, self.kind) {
            (Some(message), _) => f.write_str(message),
            (None, ErrorKind::Os(errno)) => f.write_str(&os_text(errno)),
            (None, kind) => write!(f, "{kind:?}"),
        }
    }
}

/// What the operating system says about an errno value, without the number that std adds.
pub(crate) fn os_text(errno: i32) -> String {
    let mut text = io::Error::from_raw_os_error(errno).to_string();
    if let Some(end) = text.find(" (os error") {
        text.truncate(end);
    }
    text
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::os(errno),
            None => Self::new(ErrorKind::Os(libc::EIO), error.to_string()),
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file as it was when it was opened, with what answers say of it: made once, sent many times.
//!
//! The content of a small file is read into memory, unless the file may still change without a trace:
//! two changes within one tick of the file system's clock leave the same times behind.

use super::Opened;
use super::name::{Key, Name};
use crate::http::coding::Coding;
use crate::http::{date, etag, mime};
use crate::server::limits;
use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A regular file.
#[derive(Debug)]
pub(crate) struct OpenFile {
    content: Content,
    version: Version,
    /// When it was modified.
    pub(crate) modified: SystemTime,
    /// What the file's name says its content is; of a coded one, without the coding.
    pub(crate) content_type: &'static str,
    pub(crate) coding: Option<Coding>,
    /// Header lines: `Last-Modified` and `ETag`, then those of the content.
    lines: Box<str>,
    tag: Range<usize>,
    content_lines: usize,
}

/// The bytes of a file.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Memory(Arc<[u8]>),
    Descriptor(Arc<File>),
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    device: u64,
    inode: u64,
    length: u64,
    /// Seconds and nanoseconds. Who can write to a file can set the time of its modification, but not
    /// the one of its change, which permissions are part of.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Version {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the next change is sure to make another version.
    fn is_settled(&self, wall: SystemTime) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let changed = Duration::new(
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanoseconds).unwrap_or(0),
        );
        let settled = UNIX_EPOCH.checked_add(changed.saturating_add(limits::FILE_CLOCK));
        settled.is_some_and(|settled| settled <= wall)
    }
}

/// Opens the file or directory of a name.
pub(super) fn open(key: &Key, name: &Name<'_>, wall: SystemTime) -> io::Result<Opened> {
    let file = key.open(name)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Ok(Opened::Directory(Version::of(&metadata)));
    }
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let version = Version::of(&metadata);
    let content = match read(&file, version, wall)? {
        Some(bytes) => Content::Memory(bytes),
        None => Content::Descriptor(Arc::new(file)),
    };
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let content_type = mime::content_type(key.plain_path());
    Ok(Opened::File(Arc::new(OpenFile::new(
        content,
        version,
        modified,
        content_type,
        name.coding(),
    ))))
}

/// The content of a file that is small and does not change meanwhile.
fn read(file: &File, version: Version, wall: SystemTime) -> io::Result<Option<Arc<[u8]>>> {
    if version.length > limits::INLINE_FILE || !version.is_settled(wall) {
        return Ok(None);
    }
    let mut bytes = vec![0; usize::try_from(version.length).unwrap_or(0)];
    match file.read_exact_at(&mut bytes, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let unchanged = Version::of(&file.metadata()?) == version;
    Ok(unchanged.then(|| bytes.into()))
}

impl OpenFile {
    fn new(
        content: Content,
        version: Version,
        modified: SystemTime,
        content_type: &'static str,
        coding: Option<Coding>,
    ) -> Self {
        let tag = etag::of_file(modified, version.length, coding);
        let date = date::format(modified);
        let date = str::from_utf8(&date).unwrap_or_default();
        let mut lines = format!("Last-Modified: {date}\r\nETag: ");
        let start = lines.len();
        lines.push_str(&tag);
        let tag = start..lines.len();
        lines.push_str("\r\n");
        let content_lines = lines.len();
        if let Some(coding) = coding {
            lines.push_str(&format!("Content-Encoding: {}\r\n", coding.as_str()));
        }
        lines.push_str(&format!("Content-Type: {content_type}\r\n"));
        let lines = lines.into();
        Self { content, version, modified, content_type, coding, lines, tag, content_lines }
    }

    pub(crate) fn length(&self) -> u64 {
        self.version.length
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// The entity tag, quotes and all.
    pub(crate) fn tag(&self) -> &str {
        self.lines.get(self.tag.clone()).unwrap_or_default()
    }

    /// `Last-Modified` and `ETag`, as header lines.
    pub(crate) fn validator_lines(&self) -> &str {
        self.lines.get(..self.content_lines).unwrap_or_default()
    }

    /// The header lines that tell what the content is.
    pub(crate) fn content_lines(&self) -> &str {
        self.lines.get(self.content_lines..).unwrap_or_default()
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Whether what is sent is still what was opened: others may write to the file of a descriptor.
    pub(super) fn is_unchanged(&self) -> bool {
        match &self.content {
            Content::Memory(_) => true,
            Content::Descriptor(file) => {
                file.metadata().is_ok_and(|metadata| Version::of(&metadata) == self.version)
            }
        }
    }

    /// Whether opening it again would bring the content into memory.
    pub(super) fn is_to_be_read(&self, wall: SystemTime) -> bool {
        matches!(self.content, Content::Descriptor(_))
            && self.length() <= limits::INLINE_FILE
            && self.version.is_settled(wall)
    }
}

impl Content {
    /// How many bytes are in memory.
    pub(super) fn in_memory(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Descriptor(_) => 0,
        }
    }

    /// Whether it is a descriptor that nobody else uses.
    pub(super) fn is_idle_descriptor(&self) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::Descriptor(file) => Arc::strong_count(file) == 1,
        }
    }

    /// Fills `room` with what begins at `offset`.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::UnexpectedEof`] past the end.
    pub(crate) fn read_exact_at(&self, room: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Self::Descriptor(file) => file.read_exact_at(room, offset),
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let part = start.checked_add(room.len()).and_then(|end| bytes.get(start..end));
                room.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
}

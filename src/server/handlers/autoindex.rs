// SPDX-License-Identifier: MIT OR Apache-2.0
//! `autoindex`: what a directory holds. The names are read and sorted at once; the text is made while
//! it is sent.

mod json;
mod page;

use crate::server::body::{Body, Pull};
use crate::server::config::{ListingFormat, Settings};
use crate::server::exchange::Exchange;
use crate::server::limits;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use std::vec;

/// Leaves the listing of `directory`, which the client knows as `path`, as the answer.
pub(crate) fn list(
    x: &mut Exchange<'_>,
    directory: &Path,
    path: &[u8],
    settings: &Settings,
) -> io::Result<()> {
    let directory = Directory::read(directory, limits::LISTING, settings)?;
    let (content_type, listing) = match settings.autoindex.format {
        ListingFormat::Html => {
            ("text/html; charset=utf-8", page::listing(directory, path, settings.autoindex))
        }
        ListingFormat::Json => ("application/json", json::listing(directory)),
    };
    x.response.line("Content-Type", content_type.as_bytes());
    x.response.stream(Box::new(listing));
    Ok(())
}

struct Entry {
    name: Vec<u8>,
    kind: Kind,
    size: u64,
    modified: SystemTime,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
    /// A fifo, a socket, a device.
    Other,
}

impl Kind {
    fn of(metadata: &Metadata) -> Self {
        match metadata.file_type() {
            kind if kind.is_dir() => Self::Directory,
            kind if kind.is_file() => Self::File,
            _ => Self::Other,
        }
    }
}

struct Directory {
    /// Directories first, then by name.
    entries: Vec<Entry>,
    /// There are more.
    cut: bool,
}

impl Directory {
    fn read(directory: &Path, most: usize, settings: &Settings) -> io::Result<Self> {
        let mut entries = Vec::new();
        let mut cut = false;
        for item in fs::read_dir(directory)? {
            let item = item?;
            let name = item.file_name().into_vec();
            if name.starts_with(b".") {
                continue;
            }
            if entries.len() == most {
                cut = true;
                break;
            }
            // What vanishes meanwhile, or leads nowhere, is not listed.
            let Ok(link) = item.metadata() else { continue };
            let Ok(metadata) = fs::metadata(item.path()) else { continue };
            if link.is_symlink() && !settings.symlinks.followed.allow(&link, &metadata) {
                continue;
            }
            let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
            entries.push(Entry { name, kind: Kind::of(&metadata), size: metadata.len(), modified });
        }
        let is_file = |entry: &Entry| entry.kind != Kind::Directory;
        entries.sort_unstable_by(|a, b| (is_file(a), &a.name).cmp(&(is_file(b), &b.name)));
        Ok(Self { entries, cut })
    }
}

type WriteEntry = dyn Fn(&mut String, &Entry) + Send;

/// Text that is made entry by entry.
struct Listing {
    /// What comes before the next entry.
    before: String,
    entries: vec::IntoIter<Entry>,
    write: Box<WriteEntry>,
    between: &'static str,
    after: String,
}

impl Body for Listing {
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<Pull> {
        let mut text = std::mem::take(&mut self.before);
        while text.len() < limits::BUFFER {
            let Some(entry) = self.entries.next() else {
                text.push_str(&self.after);
                out.extend_from_slice(text.as_bytes());
                return Ok(Pull::End);
            };
            (self.write)(&mut text, &entry);
            if self.entries.len() > 0 {
                text.push_str(self.between);
            }
        }
        out.extend_from_slice(text.as_bytes());
        Ok(Pull::More)
    }
}

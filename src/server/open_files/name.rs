// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of files, and the keys that they are kept by.

use super::file::Version;
use crate::http::coding::Coding;
use crate::server::config::{Settings, Symlinks, Trusted};
use crate::sys::symlinks::{self, Links};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Which file is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    /// The path, in pieces that follow each other.
    pieces: [&'a [u8]; 3],
    /// The file meant is the one that has the content in this coding.
    coding: Option<Coding>,
    /// Which symbolic links may lead there, and below which path they are looked at.
    links: Links,
    trusted: &'a Path,
}

impl<'a> Name<'a> {
    /// The file whose path is `base` and then `rest`, reached as these settings allow.
    pub(crate) fn new(settings: &'a Settings, base: &'a Path, rest: &'a [u8]) -> Self {
        let Symlinks { followed, trusted } = &settings.symlinks;
        let trusted = match trusted {
            Trusted::Nothing => Path::new(""),
            Trusted::DocumentRoot => settings.alias.as_ref().unwrap_or(&settings.root),
            Trusted::Path(path) => path,
        };
        let pieces = [base.as_os_str().as_bytes(), rest, b""];
        Self { pieces, coding: None, links: *followed, trusted }
    }

    /// The file in the directory that has this name.
    pub(crate) fn with(self, file: &'a str) -> Self {
        let [base, rest, _] = self.pieces;
        Self { pieces: [base, rest, file.as_bytes()], ..self }
    }

    /// The file that lies beside this one in a coding.
    pub(crate) fn coded(self, coding: Coding) -> Self {
        Self { coding: Some(coding), ..self }
    }

    pub(super) fn coding(&self) -> Option<Coding> {
        self.coding
    }

    /// The path as one.
    pub(crate) fn to_path(self) -> PathBuf {
        OsStr::from_bytes(&self.pieces.concat()).into()
    }
}

/// What a name is looked up by: the path, and after a NUL, which no path has, how it is reached and
/// read, unless that is as usual.
#[derive(Debug, Default)]
pub(super) struct Key {
    bytes: Vec<u8>,
    /// Where the path ends: without the extension of the coding, and with it.
    plain: usize,
    end: usize,
}

impl Key {
    pub(super) fn set(&mut self, name: &Name<'_>) {
        let bytes = &mut self.bytes;
        bytes.clear();
        name.pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        self.plain = bytes.len();
        if let Some(coding) = name.coding {
            bytes.extend_from_slice(coding.extension().as_bytes());
        }
        self.end = bytes.len();
        if name.coding.is_some() || name.links != Links::All {
            let way = match name.links {
                Links::All => b'a',
                Links::OfOneOwner => b'o',
                Links::None => b'n',
            };
            bytes.extend_from_slice(&[0, u8::from(name.coding.is_some()), way]);
            bytes.extend_from_slice(name.trusted.as_os_str().as_bytes());
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The path, which for a content in a coding is the one without it.
    pub(super) fn plain_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.bytes.get(..self.plain).unwrap_or_default()))
    }

    fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.bytes.get(..self.end).unwrap_or_default()))
    }

    /// Opens the file of the name that this is the key of.
    pub(super) fn open(&self, name: &Name<'_>) -> io::Result<File> {
        symlinks::open(self.path(), name.trusted, name.links)
    }

    /// Whether that name leads to this version of a file now.
    pub(super) fn leads_to(&self, name: &Name<'_>, version: Version) -> bool {
        let found = match name.links {
            Links::All => std::fs::metadata(self.path()),
            _ => self.open(name).and_then(|file| file.metadata()),
        };
        found.is_ok_and(|metadata| Version::of(&metadata) == version)
    }
}

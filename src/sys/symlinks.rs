// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opening a file without following every symbolic link on the way: one component after the other,
//! each relative to the directory that the last one opened, so that nobody can exchange what was
//! checked for something else meanwhile (openat(2), `O_NOFOLLOW`).

use super::fd::check;
use std::ffi::CString;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

/// Which symbolic links are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Links {
    #[default]
    All,
    /// Those whose owner has what they lead to. Who may rename links of that owner could pass another
    /// one off between the two looks that this takes.
    OfOneOwner,
    None,
}

impl Links {
    /// Whether one that has this owner is followed to a file that has that one.
    pub(crate) fn allow(self, link: &Metadata, file: &Metadata) -> bool {
        match self {
            Self::All => true,
            Self::OfOneOwner => link.uid() == file.uid(),
            Self::None => false,
        }
    }
}

/// As [`super::file::open`], with these links alone followed. Below `trusted`, that is; where the path
/// does not lead there, all of it is checked. A link that is not followed is `EACCES`.
pub(crate) fn open(path: &Path, trusted: &Path, links: Links) -> io::Result<File> {
    if links == Links::All {
        return super::file::open(path);
    }
    let (start, rest) = match path.strip_prefix(trusted) {
        Ok(rest) if !trusted.as_os_str().is_empty() => (trusted, rest),
        _ if path.is_absolute() => (Path::new("/"), path),
        _ => (Path::new("."), path),
    };
    let mut components = rest.components().filter(|part| *part != Component::RootDir).peekable();
    if components.peek().is_none() {
        return super::file::open(path);
    }
    let mut directory = openat(None, start, SEARCH)?;
    while let Some(component) = components.next() {
        let name: &Path = component.as_ref();
        if components.peek().is_some() {
            directory = step(&directory, name, SEARCH, links)?;
            continue;
        }
        // A path that ends with a slash can only mean a directory (path_resolution(7)).
        let only_directory = path.as_os_str().as_bytes().ends_with(b"/");
        let directory_flag = if only_directory { libc::O_DIRECTORY } else { 0 };
        let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY | directory_flag;
        return step(&directory, name, flags, links).map(File::from);
    }
    Err(io::ErrorKind::NotFound.into())
}

/// How a directory is opened that is only passed: permission to search it is enough, where the system
/// knows such a way.
const SEARCH: libc::c_int = libc::O_DIRECTORY | SEARCH_ONLY;
#[cfg(any(target_os = "linux", target_os = "android"))]
const SEARCH_ONLY: libc::c_int = libc::O_PATH;
#[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd"))]
const SEARCH_ONLY: libc::c_int = libc::O_SEARCH;
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd"
)))]
const SEARCH_ONLY: libc::c_int = libc::O_RDONLY;

/// Opens one name in a directory, by a link only where that is allowed.
fn step(directory: &OwnedFd, name: &Path, flags: libc::c_int, links: Links) -> io::Result<OwnedFd> {
    let error = match openat(Some(directory), name, flags | libc::O_NOFOLLOW) {
        // ELOOP for a link by POSIX, EMLINK on FreeBSD, ENOTDIR beside O_DIRECTORY on Linux.
        Err(error) if is_of_link(&error) => error,
        other => return other,
    };
    let link = status(directory, name)?;
    if link.st_mode & libc::S_IFMT != libc::S_IFLNK {
        return Err(error);
    }
    let refused = || io::Error::from_raw_os_error(libc::EACCES);
    if links != Links::OfOneOwner {
        return Err(refused());
    }
    let opened = openat(Some(directory), name, flags)?;
    let owner = super::fd::Status::of(opened.as_raw_fd())?.access.1;
    if owner == link.st_uid { Ok(opened) } else { Err(refused()) }
}

fn is_of_link(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ELOOP | libc::EMLINK | libc::ENOTDIR))
}

/// Opens a name in a directory, or in the working directory.
fn openat(directory: Option<&OwnedFd>, name: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
    let name = CString::new(name.as_os_str().as_bytes())?;
    let directory = directory.map_or(libc::AT_FDCWD, AsRawFd::as_raw_fd);
    // SAFETY: `name` ends with NUL and lives until the call returns; nothing is created, so there is
    // no mode to give.
    let fd = check(unsafe { libc::openat(directory, name.as_ptr(), flags | libc::O_CLOEXEC) })?;
    // SAFETY: openat gave this descriptor to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// What a name in a directory is itself, link or not (fstatat(2)).
fn status(directory: &OwnedFd, name: &Path) -> io::Result<libc::stat> {
    let name = CString::new(name.as_os_str().as_bytes())?;
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    let (directory, room) = (directory.as_raw_fd(), stat.as_mut_ptr());
    // SAFETY: `name` ends with NUL, and `room` has room for one struct stat.
    check(unsafe { libc::fstatat(directory, name.as_ptr(), room, libc::AT_SYMLINK_NOFOLLOW) })?;
    // SAFETY: fstatat succeeded and so filled it.
    Ok(unsafe { stat.assume_init() })
}

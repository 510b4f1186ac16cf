// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be asked of any descriptor: is it open, which file is it, how much is in it.

use std::io;
use std::os::fd::RawFd;

/// Turns the -1 of a system call into the error that it left in errno.
pub(super) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Whether the number names an open file.
pub(crate) fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD takes no argument and only reads.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

/// Which file a descriptor names. Two that differ are different files; two that are equal may still
/// differ where the system gives many files one inode (Linux: eventfd, timerfd, epoll).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: libc::dev_t,
    inode: libc::ino_t,
    mode: libc::mode_t,
}

impl Identity {
    /// The file that `fd` names now; `EBADF` if none.
    pub(crate) fn of(fd: RawFd) -> io::Result<Self> {
        Ok(Status::of(fd)?.identity)
    }

    /// A file or directory of a file system, whose readiness no poller can tell.
    pub(crate) const fn is_on_disk(&self) -> bool {
        self.is_regular() || self.is_directory()
    }

    pub(crate) const fn is_regular(&self) -> bool {
        self.mode == libc::S_IFREG
    }

    /// Whether it may have a name in a file system. Sockets do not, nor do what Linux calls anonymous
    /// inodes, which are of no type at all.
    pub(crate) const fn has_a_name(&self) -> bool {
        !matches!(self.mode, libc::S_IFSOCK | 0)
    }

    pub(crate) const fn is_pipe(&self) -> bool {
        self.mode == libc::S_IFIFO
    }

    pub(crate) const fn is_directory(&self) -> bool {
        self.mode == libc::S_IFDIR
    }
}

/// What is known of the file that a descriptor names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) identity: Identity,
    pub(crate) size: i64,
    /// Names that the file has.
    pub(crate) links: u64,
    /// Mode, owner and group.
    pub(crate) access: (libc::mode_t, libc::uid_t, libc::gid_t),
}

impl Status {
    /// Of the file that `fd` names now; `EBADF` if none.
    pub(crate) fn of(fd: RawFd) -> io::Result<Self> {
        let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `stat` is room for one struct stat.
        check(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
        // SAFETY: fstat succeeded and so filled it.
        let stat = unsafe { stat.assume_init() };
        let mode = stat.st_mode & libc::S_IFMT;
        let identity = Identity { device: stat.st_dev, inode: stat.st_ino, mode };
        #[allow(clippy::useless_conversion, reason = "the widths differ between systems")]
        let (size, links) = (stat.st_size.into(), stat.st_nlink.into());
        Ok(Self { identity, size, links, access: (stat.st_mode, stat.st_uid, stat.st_gid) })
    }
}

/// Whether it is a pipe that pipe(2) made, not one that has a name in a file system.
#[cfg(target_os = "linux")]
pub(crate) fn is_nameless_pipe(fd: RawFd) -> bool {
    /// Of the kernel's own file system for them (statfs(2)).
    const PIPEFS_MAGIC: u64 = 0x5049_5045;
    let mut system = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `system` is room for one struct statfs.
    if check(unsafe { libc::fstatfs(fd, system.as_mut_ptr()) }).is_err() {
        return false;
    }
    // SAFETY: fstatfs succeeded and so filled it.
    let system = unsafe { system.assume_init() };
    u64::try_from(system.f_type).is_ok_and(|kind| kind == PIPEFS_MAGIC)
}

/// Elsewhere nobody asks: the kernel knows.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn is_nameless_pipe(_: RawFd) -> bool {
    false
}

/// Where in the file the descriptor reads next; 0 where it has no place.
pub(crate) fn offset(fd: RawFd) -> i64 {
    // SAFETY: no pointers, and nothing is moved.
    let offset = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) };
    #[allow(clippy::useless_conversion, reason = "the width differs between systems")]
    i64::from(offset).max(0)
}

/// What is there to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readable {
    /// So many bytes.
    Bytes(i64),
    /// A listening socket: so many connections, at least one where the system does not count.
    Connections(i64),
    /// The descriptor's kind has no count.
    Unknown,
}

impl Readable {
    /// The count, 0 where there is none.
    pub(crate) const fn count(self) -> i64 {
        match self {
            Self::Bytes(count) | Self::Connections(count) => count,
            Self::Unknown => 0,
        }
    }
}

/// How much a descriptor that was found readable has to read.
pub(crate) fn readable(fd: RawFd) -> Readable {
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD stores one int.
    match check(unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut bytes) }) {
        Ok(_) if bytes == 0 && is_listening(fd) => Readable::Connections(backlog(fd)),
        Ok(_) => Readable::Bytes(bytes.into()),
        Err(_) if is_listening(fd) => Readable::Connections(backlog(fd)),
        Err(_) => Readable::Unknown,
    }
}

/// Whether the descriptor is a socket's.
pub(crate) fn is_socket(fd: RawFd) -> bool {
    int_option(fd, libc::SOL_SOCKET, libc::SO_TYPE).is_ok()
}

fn is_listening(fd: RawFd) -> bool {
    int_option(fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN).is_ok_and(|listening| listening != 0)
}

/// The error that waits on a socket, 0 if none. Asking takes it away: the next call on the socket does
/// not see it. `ENOTSOCK` for other descriptors.
pub(crate) fn take_socket_error(fd: RawFd) -> io::Result<i32> {
    int_option(fd, libc::SOL_SOCKET, libc::SO_ERROR)
}

/// Whether it is a stream socket that is neither connected nor listening, connects or has been
/// connected. Linux reports a hang-up of such, but no end as of one that was connected.
#[cfg(target_os = "linux")]
pub(crate) fn is_unconnected(fd: RawFd) -> bool {
    use super::poll::{Events, look};
    let domain = int_option(fd, libc::SOL_SOCKET, libc::SO_DOMAIN);
    let kind = int_option(fd, libc::SOL_SOCKET, libc::SO_TYPE);
    matches!(domain, Ok(libc::AF_INET | libc::AF_INET6 | libc::AF_UNIX))
        && matches!(kind, Ok(libc::SOCK_STREAM | libc::SOCK_SEQPACKET))
        && look(fd, Events::RDHUP) == Events::HUP
}

/// As on Linux. Others report nothing of such sockets.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn is_unconnected(_fd: RawFd) -> bool {
    false
}

fn int_option(fd: RawFd, level: libc::c_int, name: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut size = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(4);
    // SAFETY: `value` is an int and `size` says so.
    check(unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut size) })?;
    Ok(value)
}

/// Connections that wait to be accepted; 1 where the system does not tell (unix sockets).
#[cfg(target_os = "linux")]
fn backlog(fd: RawFd) -> i64 {
    // For a listening socket the kernel puts the length of the accept queue here (tcp_get_info).
    tcp_info(fd).map_or(1, |info| info.tcpi_unacked.into())
}

/// What the kernel knows of a TCP socket; `None` for other descriptors.
#[cfg(target_os = "linux")]
pub(super) fn tcp_info(fd: RawFd) -> Option<libc::tcp_info> {
    let mut info = std::mem::MaybeUninit::<libc::tcp_info>::zeroed();
    let mut size = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).unwrap_or(0);
    // SAFETY: `info` has room for `size` bytes.
    let result = unsafe {
        libc::getsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    check(result).ok()?;
    // SAFETY: zero is a valid value of every field, and the kernel filled the first `size` bytes.
    Some(unsafe { info.assume_init() })
}

/// Connections that wait to be accepted: the system does not tell.
#[cfg(not(target_os = "linux"))]
fn backlog(_fd: RawFd) -> i64 {
    1
}

/// Bytes that can be written without waiting: the free part of a socket's send buffer or of a pipe.
/// 0 where the system does not tell.
pub(crate) fn writable_bytes(fd: RawFd) -> i64 {
    match int_option(fd, libc::SOL_SOCKET, libc::SO_SNDBUF) {
        Ok(buffer) => (i64::from(buffer) - queued_bytes(fd).unwrap_or(0)).max(0),
        Err(_) => pipe_room(fd),
    }
}

/// Bytes that were written and that the other side has not taken yet: of a socket, a terminal or, on
/// Linux, a pipe. `None` for what has no count of them.
pub(crate) fn unsent_bytes(fd: RawFd) -> Option<i64> {
    queued_bytes(fd).or_else(|| {
        let is_pipe = cfg!(target_os = "linux") && Identity::of(fd).is_ok_and(|it| it.is_pipe());
        is_pipe.then(|| readable(fd).count())
    })
}

/// Bytes in the send buffer of a socket or a terminal.
fn queued_bytes(fd: RawFd) -> Option<i64> {
    socket_queue(fd).or_else(|| ask(fd, TIOCOUTQ))
}

/// The number that an ioctl(2) stores as one int.
fn ask(fd: RawFd, request: Request) -> Option<i64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the requests that are passed here store one int.
    check(unsafe { libc::ioctl(fd, request, &raw mut bytes) }).ok()?;
    Some(bytes.into())
}

#[cfg(target_os = "linux")]
use libc::{Ioctl as Request, TIOCOUTQ};

#[cfg(not(target_os = "linux"))]
use std::ffi::c_ulong as Request;

/// `_IOR('t', 115, int)`: <sys/ttycom.h> of all the others; libc has it for some.
#[cfg(not(target_os = "linux"))]
const TIOCOUTQ: Request = 0x4004_7473;

/// Linux: SIOCOUTQ has TIOCOUTQ's number. OpenBSD tells nobody.
#[cfg(not(any(
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "netbsd"
)))]
const fn socket_queue(_fd: RawFd) -> Option<i64> {
    None
}

/// Bytes in a socket's send buffer.
#[cfg(any(target_os = "macos", target_os = "ios"))]
fn socket_queue(fd: RawFd) -> Option<i64> {
    int_option(fd, libc::SOL_SOCKET, libc::SO_NWRITE).ok().map(i64::from)
}

/// Bytes in a socket's send buffer.
#[cfg(any(target_os = "freebsd", target_os = "netbsd"))]
fn socket_queue(fd: RawFd) -> Option<i64> {
    ask(fd, libc::FIONWRITE)
}

#[cfg(target_os = "linux")]
fn pipe_room(fd: RawFd) -> i64 {
    // SAFETY: F_GETPIPE_SZ takes no argument and only reads.
    let size = unsafe { libc::fcntl(fd, libc::F_GETPIPE_SZ) };
    (i64::from(size) - readable(fd).count()).max(0)
}

#[cfg(not(target_os = "linux"))]
fn pipe_room(_fd: RawFd) -> i64 {
    0
}

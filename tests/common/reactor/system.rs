// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system calls that the cases need and std does not have.

#![allow(unsafe_code, reason = "system calls")]

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

pub use super::actions::*;

/// Makes `number` name the file of `fd`, whatever it named before.
pub fn dup2(fd: &impl AsRawFd, number: RawFd) -> OwnedFd {
    // SAFETY: no pointers.
    let fd = unsafe { libc::dup2(fd.as_raw_fd(), number) };
    assert_eq!(fd, number);
    // SAFETY: the number was given to this function to own.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Raises the limit of open descriptors so that `number` is allowed; `false` if it cannot.
pub fn allow_descriptor(number: RawFd) -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for both calls.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
    // A signed number on FreeBSD.
    i128::from(limit.rlim_max) > i128::from(number)
}

/// Whether `fd` is readable within that time.
pub fn is_readable(fd: RawFd, timeout_ms: i32) -> bool {
    let mut row = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one row.
    unsafe { libc::poll(&raw mut row, 1, timeout_ms) == 1 }
}

/// The processor time that this thread has used.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap())
}

/// Forks; the child runs `body` and ends with its result, which is returned to the parent.
pub fn in_child(body: impl FnOnce() -> u8) -> u8 {
    let status = status_of_child(body);
    assert!(libc::WIFEXITED(status), "the child was killed: status {status}");
    u8::try_from(libc::WEXITSTATUS(status)).unwrap()
}

/// Forks; the child runs `body`. How it ended, as waitpid(2) tells it.
pub fn status_of_child(body: impl FnOnce() -> u8) -> i32 {
    reap(fork(body))
}

/// Forks; the child runs `body` and ends with its result.
pub fn fork(body: impl FnOnce() -> u8) -> libc::pid_t {
    // SAFETY: the child only runs `body`, which makes calls of the library, and ends.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(101);
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(code.into()) };
    }
    child
}

/// A pseudo-terminal: the user's side, and the terminal that programs read from.
pub fn terminal() -> (File, File) {
    let (mut user, mut terminal) = (-1, -1);
    // SAFETY: room for two descriptors; NULL: no name, no settings, no size wanted.
    let result = unsafe {
        libc::openpty(
            &raw mut user,
            &raw mut terminal,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    };
    assert_eq!(result, 0);
    // SAFETY: both are new and nobody else's.
    unsafe { (File::from_raw_fd(user), File::from_raw_fd(terminal)) }
}

/// How many names the file has.
pub fn links(file: &File) -> u64 {
    file.metadata().unwrap().nlink()
}

/// Whether the system numbers pipes, as it does files.
pub fn tells_pipes_apart() -> bool {
    let inode = || {
        let (reader, _writer) = std::io::pipe().unwrap();
        File::from(OwnedFd::from(reader)).metadata().unwrap().ino()
    };
    inode() != 0
}

/// Makes a named pipe.
pub fn make_fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a C string.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

/// Sends a byte out of band.
pub fn send_urgent(socket: &impl AsRawFd, byte: u8) {
    // SAFETY: one byte, which lives until the call returns.
    let sent =
        unsafe { libc::send(socket.as_raw_fd(), (&raw const byte).cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1);
}

/// Takes the byte that came out of band.
pub fn receive_urgent(socket: &impl AsRawFd) -> u8 {
    let mut byte = 0_u8;
    // SAFETY: room for one byte.
    let got = unsafe { libc::recv(socket.as_raw_fd(), (&raw mut byte).cast(), 1, libc::MSG_OOB) };
    assert_eq!(got, 1);
    byte
}

/// Reaps a child; how it ended, as waitpid(2) tells it.
pub fn reap(child: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: `status` is valid.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status
}

/// Waits until a child has ended, and leaves it to be reaped.
pub fn await_zombie(child: libc::pid_t) {
    // An unsigned number on some systems, a wider one on others.
    let id = libc::id_t::try_from(i128::from(child)).unwrap();
    // SAFETY: room for one siginfo, which is not looked at.
    let result = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PID, id, &raw mut info, libc::WEXITED | libc::WNOWAIT)
    };
    assert_eq!(result, 0);
}

pub fn kill(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
}

/// This thread, as [`await_sleep`] knows it.
pub fn thread_id() -> libc::c_long {
    // SAFETY: no arguments.
    #[cfg(target_os = "linux")]
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    #[cfg(not(target_os = "linux"))]
    let id = 0;
    id
}

/// Waits until a thread sleeps in the kernel, where the system tells.
pub fn await_sleep(thread: libc::c_long) {
    let stat = format!("/proc/self/task/{thread}/stat");
    let sleeps = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") S "));
    while !sleeps() {
        std::thread::yield_now();
    }
}

/// The descriptors that the process has open, where the system lists them.
pub fn descriptors() -> Vec<RawFd> {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let numbers = open.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap());
    let numbers: Vec<RawFd> = numbers.collect();
    // That of the listing itself is closed by now.
    numbers.into_iter().filter(|fd| flags_of(*fd) != -1).collect()
}

pub fn is_closed_on_exec(fd: RawFd) -> bool {
    flags_of(fd) == libc::FD_CLOEXEC
}

fn flags_of(fd: RawFd) -> libc::c_int {
    // SAFETY: no pointers.
    unsafe { libc::fcntl(fd, libc::F_GETFD) }
}

/// Runs `body` while no descriptor can be opened.
pub fn without_descriptors<T>(body: impl FnOnce() -> T) -> T {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` and `none` are valid for the calls.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        let none = libc::rlimit { rlim_cur: 0, ..limit };
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none);
    }
    let result = body();
    // SAFETY: as above.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    result
}

/// How many bytes there must be before the system calls a socket readable.
pub fn set_receive_mark(socket: &impl AsRawFd, bytes: libc::c_int) {
    let size = libc::socklen_t::try_from(size_of_val(&bytes)).unwrap();
    let value = (&raw const bytes).cast();
    let (level, name) = (libc::SOL_SOCKET, libc::SO_RCVLOWAT);
    // SAFETY: `value` is an int and `size` says so.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, size) };
    assert_eq!(result, 0);
}

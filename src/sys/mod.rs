// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operating system, one safe function per family of calls. The only folder that names `libc`
//! functions, `target_os` or (with `ffi`) `unsafe`; it knows nothing of events or HTTP.
#![allow(unsafe_code, reason = "system calls are unsafe by nature; each block says why it holds")]

pub(crate) mod blocked;
pub(crate) mod clock;
pub(crate) mod ending;
pub(crate) mod epoll;
pub(crate) mod failure;
pub(crate) mod fd;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod inotify;
pub(crate) mod kqueue;
pub(crate) mod limit;
pub(crate) mod localtime;
pub(crate) mod mapping;
pub(crate) mod mark;
pub(crate) mod memory;
pub(crate) mod poll;
pub(crate) mod process;
pub(crate) mod select;
pub(crate) mod sendfile;
pub(crate) mod signal;
pub(crate) mod sigpipe;
pub(crate) mod socket;
pub(crate) mod symlinks;
pub(crate) mod timerfd;
pub(crate) mod uring;
pub(crate) mod wakeup;

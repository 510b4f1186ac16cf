// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters that single systems have and no other can be given: AIO, MACHPORT, FS and PROCDESC. They have
//! numbers so that whoever asks for one learns why there is none, and what there is instead.

use super::unsupported;
use crate::reactor::event::{Event, Filter, Flags};
use crate::{Error, Result};

/// Refuses a change of such a filter: `ENOTSUP` for ADD, else `ENOENT`.
pub(in crate::reactor) fn check(change: &Event) -> Result<()> {
    let why = match change.filter {
        Filter::AIO => {
            "AIO: only FreeBSD's kernel tells a queue of the end of aio_read(2); ask for a signal \
             (SIGEV_SIGNAL) and watch that with SIGNAL"
        }
        Filter::MACHPORT => {
            "MACHPORT: Mach ports are macOS's own; have a thread receive the messages and trigger a \
             USER event for each"
        }
        Filter::FS => {
            "FS: no call tells alike of file systems that are mounted and unmounted; on Linux, EXCEPT \
             on /proc/self/mounts does"
        }
        Filter::PROCDESC => {
            "PROCDESC: descriptors of processes are FreeBSD's own; watch the process by its number \
             with PROC, or on Linux READ on a pidfd"
        }
        _ => return Ok(()),
    };
    let adds = change.flags.contains(Flags::ADD) && !change.flags.contains(Flags::DELETE);
    Err(if adds { unsupported(why) } else { Error::os(libc::ENOENT) })
}

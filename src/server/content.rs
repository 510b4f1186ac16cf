// SPDX-License-Identifier: MIT OR Apache-2.0
//! A request's content while it gathers for a handler that wants it whole: in memory first, in a
//! temporary file once it is larger than `client_body_buffer_size`.

use super::config::Settings;
use crate::http::status::{Reject, Status};
use crate::sys::file::is_exhausted;
use crate::sys::mapping::Mapping;
use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Deref;

#[derive(Debug, Default)]
pub(crate) struct Content {
    /// All of it, or what is not yet in the file.
    bytes: Vec<u8>,
    file: Option<File>,
}

impl Content {
    /// Adds what came.
    ///
    /// # Errors
    /// 507 for a full disk, 503 for want of descriptors, 500 for another failure of the file.
    pub(crate) fn push(&mut self, data: &[u8], settings: &Settings) -> Result<(), Reject> {
        if self.bytes.len() + data.len() > settings.body_buffer {
            self.spool(settings).map_err(|error| reject(&error))?;
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// Moves what is in memory to the file.
    fn spool(&mut self, settings: &Settings) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(match &settings.body_temp_path {
                Some(folder) => tempfile::tempfile_in(folder)?,
                None => tempfile::tempfile_in(env::temp_dir())?,
            }),
        };
        file.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    /// The whole content, as bytes.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn whole(mut self) -> Result<Whole, Reject> {
        let Some(mut file) = self.file.take() else { return Ok(Whole::InMemory(self.bytes)) };
        let mapping = file.write_all(&self.bytes).and_then(|()| Mapping::of_nameless(file));
        mapping.map(Whole::InFile).map_err(|error| reject(&error))
    }
}

/// Content that has come to its end.
#[derive(Debug)]
pub(crate) enum Whole {
    InMemory(Vec<u8>),
    InFile(Mapping),
}

impl Default for Whole {
    fn default() -> Self {
        Self::InMemory(Vec::new())
    }
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::InMemory(bytes) => bytes,
            Self::InFile(mapping) => mapping,
        }
    }
}

fn reject(error: &io::Error) -> Reject {
    let status = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Status::INSUFFICIENT_STORAGE,
        _ if is_exhausted(error) => Status::SERVICE_UNAVAILABLE,
        _ => Status::INTERNAL_SERVER_ERROR,
    };
    Reject::new(status, "the body could not be put into a temporary file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_pushed_comes_back_whole(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20),
            body_buffer in 0..60usize,
        ) {
            let settings = Settings { body_buffer, ..Settings::default() };
            let mut content = Content::default();
            for piece in &pieces {
                content.push(piece, &settings).unwrap();
                prop_assert!(content.bytes.len() <= body_buffer.max(piece.len()));
            }
            let total = pieces.concat();
            let whole = content.whole().unwrap();
            prop_assert_eq!(matches!(whole, Whole::InFile(_)), total.len() > body_buffer);
            prop_assert_eq!(&*whole, &total[..]);
        }
    }

    #[test]
    fn failures_of_the_file_have_their_status() {
        let status = |errno| reject(&io::Error::from_raw_os_error(errno)).status.code();
        assert_eq!(status(libc::ENOSPC), 507);
        assert_eq!(status(libc::EMFILE), 503);
        assert_eq!(status(libc::EIO), 500);
    }
}

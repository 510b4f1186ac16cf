// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files as memory (mmap(2)).

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::Deref;

/// The content of a file that nobody else can reach, as bytes that the kernel can take from memory
/// again.
#[derive(Debug)]
pub(crate) struct Mapping(Mmap);

impl Mapping {
    /// Maps a file without a name, which this takes: so nobody is left who could change or cut it.
    ///
    /// # Errors
    /// The system's; `EINVAL` where the file can be reached by a name.
    pub(crate) fn of_nameless(file: File) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        if file.metadata()?.nlink() > 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the file has no name and its one descriptor ends here, so that its bytes stay as they
        // are as long as they are mapped.
        unsafe { Mmap::map(&file) }.map(Self)
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_nameless_file_is_bytes_and_a_named_one_is_refused() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"content").unwrap();
        assert_eq!(&*Mapping::of_nameless(file).unwrap(), b"content");
        assert_eq!(&*Mapping::of_nameless(tempfile::tempfile().unwrap()).unwrap(), b"");
        let named = tempfile::NamedTempFile::new().unwrap();
        let refused = Mapping::of_nameless(named.reopen().unwrap()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}

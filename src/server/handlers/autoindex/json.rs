// SPDX-License-Identifier: MIT OR Apache-2.0
//! A listing for programs, in nginx's form: an array with an object for each entry, times in UTC.

use super::{Directory, Entry, Kind, Listing};
use crate::http::date;
use std::fmt::{self, Write as _};

pub(super) fn listing(directory: Directory) -> Listing {
    Listing {
        before: "[\r\n".to_owned(),
        entries: directory.entries.into_iter(),
        write: Box::new(object),
        between: ",\r\n",
        after: "\r\n]".to_owned(),
    }
}

fn object(text: &mut String, entry: &Entry) {
    let name = Escaped(&entry.name);
    let kind = match entry.kind {
        Kind::Directory => "directory",
        Kind::File => "file",
        Kind::Other => "other",
    };
    let stamp = date::format(entry.modified);
    let stamp = str::from_utf8(&stamp).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = write!(text, r#"{{ "name":"{name}", "type":"{kind}", "mtime":"{stamp}""#);
    if entry.kind == Kind::File {
        let _ = write!(text, r#", "size":{}"#, entry.size);
    }
    text.push_str(" }");
}

/// Prints text as it stands in a JSON string (RFC 8259 section 7); what is no UTF-8 in it is replaced.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in String::from_utf8_lossy(self.0).chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}"),
                '\0'..='\x1f' => write!(f, "\\u{:04x}", u32::from(character)),
                other => f.write_char(other),
            }?;
        }
        Ok(())
    }
}

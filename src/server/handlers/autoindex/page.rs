// SPDX-License-Identifier: MIT OR Apache-2.0
//! A listing as a page for people.

use super::{Directory, Entry, Kind, Listing};
use crate::http::{date, target};
use crate::server::config::Autoindex;
use crate::sys::localtime::local_time;
use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime};

/// The page around the rows; what stands in double braces differs.
const TEMPLATE: &str = include_str!("page.html");
const PARENT: &str = "<tr class=\"parent\"><td><a href=\"../\">Parent folder</a></td>\
                      <td class=\"size\"></td><td class=\"date\"></td></tr>\n";
const EMPTY: &str =
    "<tr class=\"empty\"><td colspan=\"3\">There is nothing in this folder.</td></tr>\n";

/// The page of a directory that the client knows as `path`.
pub(super) fn listing(directory: Directory, path: &[u8], look: Autoindex) -> Listing {
    let Directory { entries, cut } = directory;
    let (before, after) = TEMPLATE.split_once("{{rows}}").unwrap_or((TEMPLATE, ""));
    let before = before
        .replace("{{zone}}", if look.local_time { "" } else { " (UTC)" })
        .replace("{{crumbs}}", &crumbs(path))
        .replace("{{path}}", &Escaped(path).to_string());
    let parent = if path == b"/" { "" } else { PARENT };
    let empty = if entries.is_empty() { EMPTY } else { "" };
    Listing {
        before: [&before, parent, empty].concat(),
        after: after.replace("{{summary}}", &summary(&entries, cut)),
        between: "",
        entries: entries.into_iter(),
        write: Box::new(move |text, entry| row(text, entry, look)),
    }
}

fn row(text: &mut String, entry: &Entry, look: Autoindex) {
    let mut link = Vec::new();
    target::encode_path(&entry.name, &mut link);
    let link = String::from_utf8_lossy(&link);
    let name = Escaped(&entry.name);
    let (slash, class) = match entry.kind {
        Kind::Directory => ("/", " class=\"folder\""),
        Kind::File | Kind::Other => ("", ""),
    };
    let (size, shown) = match entry.kind {
        Kind::File if look.exact_size => (entry.size.to_string(), entry.size.to_string()),
        Kind::File => (entry.size.to_string(), human(entry.size)),
        Kind::Directory | Kind::Other => ("-1".to_owned(), "–".to_owned()),
    };
    let seconds = date::seconds(entry.modified);
    let stamp = date::format(if look.local_time { in_local_time(entry) } else { entry.modified });
    // `06 Nov 1994 08:49` of `Sun, 06 Nov 1994 08:49:37 GMT`.
    let stamp = stamp.get(5..22).and_then(|stamp| str::from_utf8(stamp).ok()).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "<tr{class}><td><a href=\"{link}{slash}\">{name}{slash}</a></td>\
         <td class=\"size\" data-key=\"{size}\">{shown}</td>\
         <td class=\"date\" data-key=\"{seconds}\">{stamp}</td></tr>"
    );
}

/// The time at which clocks in UTC show what local ones showed when the file was changed.
fn in_local_time(entry: &Entry) -> SystemTime {
    let seconds = date::seconds(entry.modified);
    let minutes = local_time(seconds).offset_minutes;
    let offset = Duration::from_secs(u64::from(minutes.unsigned_abs()) * 60);
    let shown = if minutes < 0 {
        entry.modified.checked_sub(offset)
    } else {
        entry.modified.checked_add(offset)
    };
    shown.unwrap_or(entry.modified)
}

/// The path as links to each directory above.
fn crumbs(path: &[u8]) -> String {
    let mut segments = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).peekable();
    let mut text = String::from("<a href=\"/\">Home</a>");
    let mut link = vec![b'/'];
    while let Some(segment) = segments.next() {
        target::encode_path(segment, &mut link);
        link.push(b'/');
        let name = Escaped(segment);
        let _ = match segments.peek() {
            Some(_) => {
                let link = String::from_utf8_lossy(&link);
                write!(text, "<i>/</i><a href=\"{link}\">{name}</a>")
            }
            None => write!(text, "<i>/</i><b aria-current=\"page\">{name}</b>"),
        };
    }
    text
}

fn summary(entries: &[Entry], cut: bool) -> String {
    let directories = entries.iter().filter(|entry| entry.kind == Kind::Directory).count();
    let files = entries.len() - directories;
    let sizes = entries.iter().filter(|entry| entry.kind == Kind::File).map(|entry| entry.size);
    let bytes: u64 = sizes.sum();
    let more = if cut { ", and more that are not shown" } else { "" };
    let plural = |count| if count == 1 { "" } else { "s" };
    format!(
        "{directories} folder{}, {files} file{}, {}{more}",
        plural(directories),
        plural(files),
        human(bytes)
    )
}

/// A size for people, in binary units.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).unwrap_or(&""))
}

/// Prints text so that it is only text in HTML, whatever it holds.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in String::from_utf8_lossy(self.0).chars() {
            match character {
                '&' => f.write_str("&amp;"),
                '<' => f.write_str("&lt;"),
                '>' => f.write_str("&gt;"),
                '"' => f.write_str("&quot;"),
                '\'' => f.write_str("&#39;"),
                other => f.write_char(other),
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::body::{Body as _, Pull};
    use crate::server::config::Settings;
    use std::fs;
    use std::path::Path;

    fn page(directory: &Path, path: &[u8], most: usize) -> String {
        let settings = Settings::default();
        let directory = Directory::read(directory, most, &settings).unwrap();
        let mut listing = listing(directory, path, settings.autoindex);
        let mut out = Vec::new();
        while listing.pull(&mut out).unwrap() == Pull::More {}
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sizes_are_for_people() {
        let shown = [0, 1023, 1024, 1536, 1024 * 1024 - 1, 1024 * 1024, u64::MAX].map(human);
        let expected =
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1023.9 KiB", "1.0 MiB", "16383.9 PiB"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("<img src=x onerror=alert(1)>&\".txt"), "x").unwrap();
        fs::create_dir(directory.path().join("ü:b c")).unwrap();
        fs::write(directory.path().join(".secret"), "x").unwrap();
        let page = page(directory.path(), b"/a'b/<u>/", 10);
        assert!(!page.contains("<img"));
        assert!(!page.contains("<u>"));
        assert!(!page.contains("secret"));
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;.txt"));
        assert!(page.contains("href=\"%C3%BC%3Ab%20c/\">ü:b c/</a>"), "{page}");
        assert!(page.contains("1 folder, 1 file, 1 B"));
    }

    #[test]
    fn a_listing_is_cut_at_its_limit_and_says_so() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        let page = page(directory.path(), b"/", 2);
        assert!(page.contains("2 files, 2 B, and more that are not shown"));
        assert!(!page.contains("class=\"parent\""));
    }
}

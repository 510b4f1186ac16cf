// SPDX-License-Identifier: MIT OR Apache-2.0
//! `autoindex`: a directory as a page. The names are read and sorted at once; the page is made while
//! it is sent.

use crate::http::{date, target};
use crate::server::body::{Body, Pull};
use crate::server::config::Settings;
use crate::server::exchange::Exchange;
use crate::server::limits;
use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use std::vec;

/// The page around the rows; `{{path}}`, `{{crumbs}}`, `{{rows}}` and `{{summary}}` stand for what differs.
const TEMPLATE: &str = include_str!("listing.html");

/// Leaves the listing of `directory`, which the client knows as `path`, as the answer.
pub(crate) fn list(
    x: &mut Exchange<'_>,
    directory: &Path,
    path: &[u8],
    settings: &Settings,
) -> io::Result<()> {
    let listing = Listing::read(directory, path, limits::LISTING, settings)?;
    x.response.line("Content-Type", b"text/html; charset=utf-8");
    x.response.stream(Box::new(listing));
    Ok(())
}

struct Entry {
    name: Vec<u8>,
    directory: bool,
    size: u64,
    modified: SystemTime,
}

struct Listing {
    /// What comes before the next row.
    before: String,
    rows: vec::IntoIter<Entry>,
    after: String,
}

impl Listing {
    fn read(directory: &Path, path: &[u8], most: usize, settings: &Settings) -> io::Result<Self> {
        let mut entries = Vec::new();
        let mut cut = false;
        for item in fs::read_dir(directory)? {
            let item = item?;
            let name = item.file_name().into_vec();
            if name.starts_with(b".") {
                continue;
            }
            if entries.len() == most {
                cut = true;
                break;
            }
            // What vanishes meanwhile, or leads nowhere, is not listed.
            let Ok(link) = item.metadata() else { continue };
            let Ok(metadata) = fs::metadata(item.path()) else { continue };
            if link.is_symlink() && !settings.symlinks.followed.allow(&link, &metadata) {
                continue;
            }
            let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
            let (directory, size) = (metadata.is_dir(), metadata.len());
            entries.push(Entry { name, directory, size, modified });
        }
        entries.sort_unstable_by(|a, b| {
            b.directory.cmp(&a.directory).then_with(|| a.name.cmp(&b.name))
        });
        let summary = summary(&entries, cut);
        let (before, after) = TEMPLATE.split_once("{{rows}}").unwrap_or((TEMPLATE, ""));
        let before = before
            .replace("{{crumbs}}", &crumbs(path))
            .replace("{{path}}", &Escaped(path).to_string());
        let parent = if path == b"/" { "" } else { PARENT };
        let empty = if entries.is_empty() { EMPTY } else { "" };
        Ok(Self {
            before: [&before, parent, empty].concat(),
            rows: entries.into_iter(),
            after: after.replace("{{summary}}", &summary),
        })
    }
}

const PARENT: &str = "<tr class=\"parent\"><td><a href=\"../\">Parent folder</a></td>\
                      <td class=\"size\"></td><td class=\"date\"></td></tr>\n";
const EMPTY: &str =
    "<tr class=\"empty\"><td colspan=\"3\">There is nothing in this folder.</td></tr>\n";

impl Body for Listing {
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<Pull> {
        let mut text = std::mem::take(&mut self.before);
        while text.len() < limits::BUFFER {
            let Some(entry) = self.rows.next() else {
                text.push_str(&self.after);
                out.extend_from_slice(text.as_bytes());
                return Ok(Pull::End);
            };
            row(&mut text, &entry);
        }
        out.extend_from_slice(text.as_bytes());
        Ok(Pull::More)
    }
}

fn row(text: &mut String, entry: &Entry) {
    let mut link = Vec::new();
    target::encode_path(&entry.name, &mut link);
    let link = String::from_utf8_lossy(&link);
    let name = Escaped(&entry.name);
    let slash = if entry.directory { "/" } else { "" };
    let class = if entry.directory { " class=\"folder\"" } else { "" };
    let (size, shown) = if entry.directory {
        ("-1".to_owned(), "–".to_owned())
    } else {
        (entry.size.to_string(), human(entry.size))
    };
    let seconds = date::seconds(entry.modified);
    let stamp = date::format(entry.modified);
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
    let directories = entries.iter().filter(|entry| entry.directory).count();
    let files = entries.len() - directories;
    let bytes: u64 = entries.iter().filter(|entry| !entry.directory).map(|entry| entry.size).sum();
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

    fn page(mut listing: Listing) -> String {
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
        let page =
            page(Listing::read(directory.path(), b"/a'b/<u>/", 10, &Settings::default()).unwrap());
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
        let page = page(Listing::read(directory.path(), b"/", 2, &Settings::default()).unwrap());
        assert!(page.contains("2 files, 2 B, and more that are not shown"));
        assert!(!page.contains("class=\"parent\""));
    }
}

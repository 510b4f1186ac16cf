// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cache of open files with clocks that the tests move: what is seen of a change, and when.

use super::*;
use crate::http::coding::Coding;
use crate::server::config::{Settings, Symlinks, Trusted};
use crate::server::limits;
use crate::sys::symlinks::Links;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const SECOND: u64 = 1_000_000_000;

/// A worker's files over a folder of their own.
struct Bench {
    folder: TempDir,
    files: OpenFiles,
    settings: Settings,
    now: u64,
    /// Long after whatever the test writes, so that it does not count as new.
    wall: SystemTime,
}

impl Bench {
    fn new(change: impl FnOnce(&mut FileCaching)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings.open_files);
        let wall = SystemTime::now() + Duration::from_secs(3600);
        let mut bench = Self {
            folder: tempfile::tempdir().unwrap(),
            files: OpenFiles::default(),
            settings,
            now: SECOND,
            wall,
        };
        bench.turn(0);
        bench
    }

    /// A cache that looks at names every ten seconds.
    fn lazy() -> Self {
        Self::new(|caching| caching.valid = Duration::from_secs(10))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Puts another file in the place of this one.
    fn replace(&self, name: &str, content: &[u8]) {
        self.write("new", content);
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    /// The next turn begins, so many seconds later.
    fn turn(&mut self, seconds: u64) {
        self.now += seconds * SECOND + 1;
        self.wall += Duration::from_secs(seconds);
        self.files.begin_turn(self.now, self.wall);
    }

    fn open(&mut self, name: &str) -> io::Result<Opened> {
        let path = self.path(name);
        let name = Name::new(&self.settings, &path, b"");
        self.files.open(&name, &self.settings.open_files)
    }

    fn file(&mut self, name: &str) -> Arc<OpenFile> {
        match self.open(name) {
            Ok(Opened::File(file)) => file,
            other => panic!("{name}: {other:?}"),
        }
    }

    fn error(&mut self, name: &str) -> io::ErrorKind {
        self.open(name).unwrap_err().kind()
    }

    fn text(&mut self, name: &str) -> String {
        let file = self.file(name);
        let mut room = vec![0; usize::try_from(file.length()).unwrap()];
        file.content().read_exact_at(&mut room, 0).unwrap();
        String::from_utf8(room).unwrap()
    }

    /// How many names the caches have.
    fn entries(&self) -> usize {
        self.files.caches.iter().map(Cache::len).sum()
    }
}

fn large(byte: u8) -> Vec<u8> {
    vec![byte; usize::try_from(limits::INLINE_FILE).unwrap() + 1]
}

fn is_in_memory(file: &OpenFile) -> bool {
    matches!(file.content(), Content::Memory(_))
}

#[test]
fn a_file_is_opened_once() {
    let mut bench = Bench::new(|_| {});
    bench.write("small", b"small");
    bench.write("large", &large(b'x'));
    for name in ["small", "large"] {
        let first = bench.file(name);
        bench.turn(1);
        assert!(Arc::ptr_eq(&first, &bench.file(name)), "{name}");
        assert_eq!(is_in_memory(&first), name == "small");
    }
}

#[test]
fn without_a_cache_it_is_opened_each_time() {
    let mut bench = Bench::new(|caching| caching.bounds = None);
    bench.write("small", b"small");
    let first = bench.file("small");
    assert!(!Arc::ptr_eq(&first, &bench.file("small")));
    assert_eq!(bench.entries(), 0);
}

#[test]
fn the_next_turn_sees_every_change() {
    let mut bench = Bench::new(|_| {});
    for content in [b"small".to_vec(), large(b'x')] {
        bench.write("file", &content);
        bench.turn(0);
        assert!(bench.text("file").as_bytes() == content);
        bench.write("file", b"written");
        bench.turn(0);
        assert_eq!(bench.text("file"), "written");
        bench.replace("file", b"renamed");
        bench.turn(0);
        assert_eq!(bench.text("file"), "renamed");
        fs::remove_file(bench.path("file")).unwrap();
        bench.turn(0);
        assert_eq!(bench.error("file"), io::ErrorKind::NotFound);
        bench.write("file", b"again");
        assert_eq!(bench.text("file"), "again");
        fs::remove_file(bench.path("file")).unwrap();
        fs::create_dir(bench.path("file")).unwrap();
        bench.turn(0);
        assert!(matches!(bench.open("file"), Ok(Opened::Directory(_))));
        fs::remove_dir(bench.path("file")).unwrap();
    }
}

#[test]
fn times_that_were_set_back_do_not_hide_a_change() {
    let mut bench = Bench::new(|_| {});
    bench.write("file", b"one");
    let modified = fs::metadata(bench.path("file")).unwrap().modified().unwrap();
    assert_eq!(bench.text("file"), "one");
    // The kernel gives times in ticks: a change within one would need luck to be seen.
    let before = fs::metadata(bench.path("file")).unwrap();
    while Version::of(&fs::metadata(bench.path("file")).unwrap()) == Version::of(&before) {
        bench.write("file", b"two");
        fs::File::options()
            .write(true)
            .open(bench.path("file"))
            .unwrap()
            .set_modified(modified)
            .unwrap();
    }
    bench.turn(0);
    assert_eq!(bench.text("file"), "two");
}

#[test]
fn a_symbolic_link_that_leads_elsewhere_is_seen() {
    let mut bench = Bench::new(|_| {});
    bench.write("one", b"one");
    bench.write("two", b"two");
    symlink("one", bench.path("link")).unwrap();
    assert_eq!(bench.text("link"), "one");
    symlink("two", bench.path("new")).unwrap();
    fs::rename(bench.path("new"), bench.path("link")).unwrap();
    bench.turn(0);
    assert_eq!(bench.text("link"), "two");
}

#[test]
fn how_links_are_followed_is_part_of_the_name() {
    let mut bench = Bench::new(|_| {});
    bench.write("file", b"x");
    symlink("file", bench.path("link")).unwrap();
    bench.file("link");
    bench.settings.symlinks =
        Symlinks { followed: Links::None, trusted: Trusted::Path(bench.folder.path().into()) };
    assert_eq!(bench.error("link"), io::ErrorKind::PermissionDenied);
    let first = bench.file("file");
    bench.turn(0);
    assert!(Arc::ptr_eq(&first, &bench.file("file")));
    fs::remove_file(bench.path("file")).unwrap();
    bench.write("other", b"x");
    symlink("other", bench.path("file")).unwrap();
    bench.turn(0);
    assert_eq!(bench.error("file"), io::ErrorKind::PermissionDenied);
}

#[test]
fn permissions_that_are_taken_away_are_seen() {
    let mut bench = Bench::new(|_| {});
    bench.write("file", b"x");
    let opened = bench.file("file");
    fs::set_permissions(bench.path("file"), fs::Permissions::from_mode(0o000)).unwrap();
    bench.turn(0);
    if fs::File::open(bench.path("file")).is_ok() {
        // This user may read everything; the file is opened anew all the same.
        assert!(!Arc::ptr_eq(&opened, &bench.file("file")));
    } else {
        assert_eq!(bench.error("file"), io::ErrorKind::PermissionDenied);
    }
}

#[test]
fn within_the_validity_a_name_leads_where_it_led() {
    let mut bench = Bench::lazy();
    for content in [b"small".to_vec(), large(b'x')] {
        bench.write("old", &content);
        bench.write("new", b"new");
        symlink("old", bench.path("file")).unwrap();
        let old = bench.file("file");
        fs::remove_file(bench.path("file")).unwrap();
        symlink("new", bench.path("file")).unwrap();
        bench.turn(9);
        assert!(Arc::ptr_eq(&old, &bench.file("file")));
        bench.turn(1);
        assert_eq!(bench.text("file"), "new");
        assert_ne!(bench.file("file").tag(), old.tag());
        fs::remove_file(bench.path("file")).unwrap();
        bench.turn(10);
        bench.error("file");
    }
}

#[test]
fn an_open_file_that_is_written_to_is_seen_whatever_the_validity() {
    let mut bench = Bench::lazy();
    bench.write("large", &large(b'x'));
    let old = bench.file("large");
    let mut longer = large(b'y');
    longer.push(b'y');
    bench.write("large", &longer);
    bench.turn(0);
    assert!(bench.text("large").as_bytes() == longer);
    assert_ne!(bench.file("large").tag(), old.tag());
    // The last name of a file that is open leaves a trace in it as well.
    bench.replace("large", b"new");
    bench.turn(0);
    assert_eq!(bench.text("large"), "new");
    // What is in memory stays as it was, and its tag with it.
    bench.write("small", b"one");
    let old = bench.file("small");
    bench.write("small", b"other");
    bench.turn(0);
    assert_eq!(bench.text("small"), "one");
    assert!(Arc::ptr_eq(&old, &bench.file("small")));
}

#[test]
fn content_that_may_change_without_a_trace_is_not_kept_in_memory() {
    let mut bench = Bench::new(|_| {});
    bench.write("file", b"x");
    bench.wall = fs::metadata(bench.path("file")).unwrap().modified().unwrap();
    bench.turn(1);
    assert!(!is_in_memory(&bench.file("file")));
    bench.turn(2);
    assert!(is_in_memory(&bench.file("file")));
}

#[test]
fn errors_are_kept_if_so_configured() {
    for errors in [false, true] {
        let mut bench = Bench::new(|caching| {
            (caching.errors, caching.valid) = (errors, Duration::from_secs(10));
        });
        assert_eq!(bench.error("file"), io::ErrorKind::NotFound);
        assert_eq!(bench.entries(), usize::from(errors));
        bench.write("file", b"x");
        assert_eq!(bench.open("file").is_err(), errors);
        bench.turn(11);
        assert!(bench.open("file").is_ok());
    }
}

#[test]
fn a_file_is_kept_once_it_was_asked_for_often_enough() {
    let mut bench = Bench::new(|caching| caching.min_uses = 3);
    bench.write("file", b"x");
    let first = bench.file("file");
    let second = bench.file("file");
    let third = bench.file("file");
    assert!(!Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&second, &third));
    assert!(Arc::ptr_eq(&third, &bench.file("file")));
    // Those that lie too far back do not count.
    bench.file("file");
    bench.turn(60);
    assert!(!Arc::ptr_eq(&bench.file("file"), &bench.file("file")));
}

#[test]
fn what_nobody_asks_for_goes() {
    let bounds = CacheBounds { max: 10, inactive: Duration::from_secs(5) };
    let mut bench = Bench::new(|caching| caching.bounds = Some(bounds));
    assert_eq!(bench.files.next_deadline(), None);
    bench.write("a", b"a");
    bench.write("b", &large(b'b'));
    let a = Arc::downgrade(&bench.file("a"));
    let b = Arc::downgrade(&bench.file("b"));
    bench.turn(4);
    bench.file("b");
    assert_eq!(bench.files.next_deadline(), Some(bench.now - 1 + SECOND));
    bench.turn(1);
    assert!(a.upgrade().is_none() && b.upgrade().is_some());
    bench.turn(5);
    assert!(b.upgrade().is_none());
    assert_eq!(bench.files.next_deadline(), None);
}

#[test]
fn the_least_recently_used_goes_where_there_are_too_many() {
    let bounds = CacheBounds { max: 2, inactive: Duration::from_secs(60) };
    let mut bench = Bench::new(|caching| caching.bounds = Some(bounds));
    for name in ["a", "b", "c"] {
        bench.write(name, name.as_bytes());
    }
    let a = Arc::downgrade(&bench.file("a"));
    let b = Arc::downgrade(&bench.file("b"));
    bench.file("a");
    bench.file("c");
    assert!(a.upgrade().is_some() && b.upgrade().is_none());
    assert_eq!(bench.entries(), 2);
}

#[test]
fn content_in_memory_is_bounded() {
    let bounds = CacheBounds { max: usize::MAX, inactive: Duration::from_secs(60) };
    let mut bench = Bench::new(|caching| caching.bounds = Some(bounds));
    let size = usize::try_from(limits::INLINE_FILE).unwrap();
    let most = limits::OPEN_FILE_MEMORY / size;
    bench.write("file", &vec![b'x'; size]);
    for number in 0..most + 10 {
        let name = format!("file{number}");
        fs::hard_link(bench.path("file"), bench.path(&name)).unwrap();
        bench.file(&name);
    }
    assert_eq!(bench.entries(), most);
}

#[test]
fn blocks_with_the_same_bounds_share_a_cache() {
    let mut bench = Bench::new(|_| {});
    bench.write("file", b"x");
    let first = bench.file("file");
    bench.settings.open_files.min_uses = 2;
    assert!(Arc::ptr_eq(&first, &bench.file("file")));
    bench.settings.open_files.bounds = Some(CacheBounds { max: 1, ..CacheBounds::default() });
    assert!(!Arc::ptr_eq(&first, &bench.file("file")));
    assert_eq!(bench.entries(), 2);
}

#[test]
fn descriptors_that_nobody_uses_are_shed_the_oldest_first() {
    let mut bench = Bench::new(|_| {});
    bench.write("small", b"x");
    bench.write("file", &large(b'x'));
    bench.file("small");
    let used = bench.file("file");
    assert!(!bench.files.shed());
    let mut others = Vec::new();
    for number in 0..=limits::SHED {
        let name = format!("file{number}");
        fs::hard_link(bench.path("file"), bench.path(&name)).unwrap();
        others.push(Arc::downgrade(&bench.file(&name)));
    }
    assert!(bench.files.shed());
    let left = others.iter().filter(|other| other.upgrade().is_some()).count();
    assert_eq!(left, 1);
    assert!(others[limits::SHED].upgrade().is_some());
    assert!(bench.files.shed() && !bench.files.shed());
    assert!(Arc::ptr_eq(&used, &bench.file("file")));
    assert_eq!(bench.entries(), 2);
}

#[test]
fn a_coded_file_is_another_one_than_the_file_of_its_name() {
    let mut bench = Bench::new(|_| {});
    bench.write("page.html.gz", b"coded");
    let path = bench.path("page.html");
    let name = Name::new(&bench.settings, &path, b"").coded(Coding::Gzip);
    let Ok(Opened::File(coded)) = bench.files.open(&name, &bench.settings.open_files) else {
        panic!("not opened")
    };
    let plain = bench.file("page.html.gz");
    assert_eq!((coded.content_type, plain.content_type), ("text/html", "application/gzip"));
    assert_ne!(coded.tag(), plain.tag());
    assert!(coded.content_lines().contains("Content-Encoding: gzip\r\n"));
    assert!(!plain.content_lines().contains("Content-Encoding"));
}

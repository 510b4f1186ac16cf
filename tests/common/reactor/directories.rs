// SPDX-License-Identifier: MIT OR Apache-2.0
//! VNODE: what happens to directories.

use super::vnodes::{ALL, assert_told, can_tell_of_files, place, vnode};
use super::{Bench, ident, skip, system};
use evl::reactor::{BackendKind, note};
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

crate::cases![
    needs can_tell_of_files;
    "entries":
        entries_of_a_directory_are_told,
        an_entry_moved_between_directories_is_told_to_both,
        a_subdirectory_changes_the_links,
        what_happens_inside_entries_is_not_told;
    "removal":
        the_removal_of_a_directory_is_told,
        the_removal_of_a_moved_directory_is_told;
];

fn entries_of_a_directory_are_told(bench: &Bench) {
    let queue = bench.queue();
    let (place, path, _file) = place();
    let directory = File::open(place.path()).unwrap();
    queue.set(vnode(&directory, ALL));
    queue.none();
    fs::write(place.path().join("new"), "").unwrap();
    assert_told(bench, &queue, note::WRITE);
    fs::remove_file(place.path().join("new")).unwrap();
    assert_told(bench, &queue, note::WRITE);
    fs::rename(&path, path.with_extension("2")).unwrap();
    // FreeBSD tells EXTEND only if an entry goes from one directory to another.
    let kernel = bench.kind == BackendKind::Kqueue;
    assert_told(bench, &queue, if kernel { note::WRITE } else { note::WRITE | note::EXTEND });
}

fn an_entry_moved_between_directories_is_told_to_both(bench: &Bench) {
    let queue = bench.queue();
    let (from_place, path, _file) = place();
    let to_place = tempfile::tempdir().unwrap();
    let from = File::open(from_place.path()).unwrap();
    let to = File::open(to_place.path()).unwrap();
    queue.set(vnode(&from, note::WRITE));
    queue.set(vnode(&to, note::WRITE));
    fs::rename(path, to_place.path().join("file")).unwrap();
    let mut told: Vec<_> = queue.wait(8, 0).iter().map(|event| event.ident).collect();
    told.sort_unstable();
    let mut expected = [ident(&from), ident(&to)];
    expected.sort_unstable();
    assert_eq!(told, expected);
}

fn a_subdirectory_changes_the_links(bench: &Bench) {
    let queue = bench.queue();
    let (place, ..) = place();
    let directory = File::open(place.path()).unwrap();
    if fs::create_dir(place.path().join("probe")).is_ok() && system::links(&directory) < 3 {
        skip("the file system does not count subdirectories");
    }
    queue.set(vnode(&directory, ALL));
    fs::create_dir(place.path().join("new")).unwrap();
    assert_told(bench, &queue, note::WRITE | note::LINK);
    fs::remove_dir(place.path().join("new")).unwrap();
    assert_told(bench, &queue, note::WRITE | note::LINK);
}

fn what_happens_inside_entries_is_not_told(bench: &Bench) {
    let queue = bench.queue();
    let (place, path, mut file) = place();
    let directory = File::open(place.path()).unwrap();
    let accesses = note::OPEN | note::CLOSE | note::CLOSE_WRITE | note::READ;
    if queue.try_set(vnode(&directory, ALL | accesses)) == Err(libc::ENOTSUP) {
        queue.set(vnode(&directory, ALL));
    }
    file.write_all(b"d").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"abcd");
    queue.none();
}

fn the_removal_of_a_directory_is_told(bench: &Bench) {
    let queue = bench.queue();
    let (place, ..) = place();
    let path = place.path().join("sub");
    fs::create_dir(&path).unwrap();
    let directory = File::open(&path).unwrap();
    queue.set(vnode(&directory, note::DELETE));
    fs::create_dir(place.path().join("other")).unwrap();
    fs::remove_dir(place.path().join("other")).unwrap();
    queue.none();
    fs::remove_dir(path).unwrap();
    assert_told(bench, &queue, note::DELETE);
    queue.none();
}

fn the_removal_of_a_moved_directory_is_told(bench: &Bench) {
    let queue = bench.queue();
    let (place, ..) = place();
    let (path, parent) = (place.path().join("sub"), place.path().join("parent"));
    fs::create_dir(&path).unwrap();
    fs::create_dir(&parent).unwrap();
    let directory = File::open(&path).unwrap();
    queue.set(vnode(&directory, note::DELETE | note::RENAME));
    fs::rename(path, parent.join("sub")).unwrap();
    assert_told(bench, &queue, note::RENAME);
    fs::remove_dir(parent.join("sub")).unwrap();
    assert_told(bench, &queue, note::DELETE);
}

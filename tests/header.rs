// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face is written once, in `src/ffi`: the header and the list of exported symbols have to say
//! the same.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a failed test panics")]

use evl::ffi::{evl_error, evl_filter, evl_flag, evl_io_note};
use evl::ffi::{evl_process_note, evl_timer_note, evl_user_note, evl_vnode_note};
use evl::reactor::{Filter, Flags, note};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

type Names = BTreeSet<String>;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// The `evl_…` that end where `end` begins, on the lines that `begin` accepts.
fn names(text: &str, begin: impl Fn(&str) -> bool, end: char) -> Names {
    let lines = text.lines().filter(|line| begin(line));
    lines
        .filter_map(|line| {
            let (before, _) = line.split_once(end)?;
            let name = before.rsplit([' ', '*']).next()?;
            name.starts_with("evl_").then(|| name.to_owned())
        })
        .collect()
}

fn defined() -> Names {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi");
    let files = fs::read_dir(folder).unwrap();
    let text: String =
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    names(&text, |line| line.starts_with("pub ") && line.contains("extern \"C\" fn "), '(')
}

#[test]
fn the_header_declares_what_src_ffi_defines() {
    let declared = names(
        &read("include/evl.h"),
        |line| line.starts_with(|c: char| c.is_ascii_lowercase()),
        '(',
    );
    assert_eq!(declared, defined(), "run `make header`");
}

#[test]
fn the_version_script_exports_what_src_ffi_defines() {
    let exported = names(&read("evl.map"), |line| line.ends_with(';'), ';');
    assert_eq!(exported, defined(), "add to evl.map, never remove");
}

#[test]
fn every_function_says_which_threads_may_call_it() {
    let header = read("include/evl.h");
    let commented = header.split("\n/**\n").filter_map(|section| section.split_once(" */\n"));
    let with_thread_line = commented.filter(|(comment, _)| comment.contains("\n * Thread: "));
    let told: Names = with_thread_line
        .flat_map(|(_, declaration)| names(declaration.lines().next().unwrap(), |_| true, '('))
        .collect();
    assert_eq!(told, defined());
}

#[test]
fn numbers_are_those_of_the_reactor() {
    use {evl_filter::*, evl_flag::*};
    for (c, rust) in [
        (EVL_READ, Filter::READ),
        (EVL_WRITE, Filter::WRITE),
        (EVL_EXCEPT, Filter::EXCEPT),
        (EVL_TIMER, Filter::TIMER),
        (EVL_SIGNAL, Filter::SIGNAL),
        (EVL_PROC, Filter::PROC),
        (EVL_VNODE, Filter::VNODE),
        (EVL_USER, Filter::USER),
        (EVL_EMPTY, Filter::EMPTY),
    ] {
        assert_eq!(c as i16, rust.0);
    }
    for (c, rust) in [
        (EVL_ADD, Flags::ADD),
        (EVL_DELETE, Flags::DELETE),
        (EVL_ENABLE, Flags::ENABLE),
        (EVL_DISABLE, Flags::DISABLE),
        (EVL_ONESHOT, Flags::ONESHOT),
        (EVL_CLEAR, Flags::CLEAR),
        (EVL_DISPATCH, Flags::DISPATCH),
        (EVL_RECEIPT, Flags::RECEIPT),
        (EVL_UDATA_SPECIFIC, Flags::UDATA_SPECIFIC),
        (EVL_KEEPUDATA, Flags::KEEPUDATA),
        (EVL_VANISHED, Flags::VANISHED),
        (EVL_OOBAND, Flags::OOBAND),
        (EVL_EOF, Flags::EOF),
        (EVL_ERROR, Flags::ERROR),
    ] {
        assert_eq!(c as u16, rust.bits());
    }
    assert_eq!(evl_error::EVL_ECONFIG as i32, -10001);
}

#[test]
fn notes_are_those_of_the_reactor() {
    use {evl_io_note::*, evl_process_note::*, evl_timer_note::*};
    use {evl_user_note::*, evl_vnode_note::*};
    for (c, rust) in [
        (EVL_NOTE_LOWAT as u32, note::LOWAT),
        (EVL_NOTE_DATA as u32, note::DATA),
        (EVL_NOTE_OOB as u32, note::OOB),
        (EVL_NOTE_SECONDS as u32, note::SECONDS),
        (EVL_NOTE_MSECONDS as u32, note::MSECONDS),
        (EVL_NOTE_USECONDS as u32, note::USECONDS),
        (EVL_NOTE_NSECONDS as u32, note::NSECONDS),
        (EVL_NOTE_ABSOLUTE as u32, note::ABSOLUTE),
        (EVL_NOTE_CRITICAL as u32, note::CRITICAL),
        (EVL_NOTE_BACKGROUND as u32, note::BACKGROUND),
        (EVL_NOTE_LEEWAY as u32, note::LEEWAY),
        (EVL_NOTE_EXIT as u32, note::EXIT),
        (EVL_NOTE_EXITSTATUS as u32, note::EXITSTATUS),
        (EVL_NOTE_FORK as u32, note::FORK),
        (EVL_NOTE_EXEC as u32, note::EXEC),
        (EVL_NOTE_SIGNAL as u32, note::SIGNAL),
        (EVL_NOTE_REAP as u32, note::REAP),
        (EVL_NOTE_DELETE as u32, note::DELETE),
        (EVL_NOTE_WRITE as u32, note::WRITE),
        (EVL_NOTE_EXTEND as u32, note::EXTEND),
        (EVL_NOTE_ATTRIB as u32, note::ATTRIB),
        (EVL_NOTE_LINK as u32, note::LINK),
        (EVL_NOTE_RENAME as u32, note::RENAME),
        (EVL_NOTE_REVOKE as u32, note::REVOKE),
        (EVL_NOTE_FUNLOCK as u32, note::FUNLOCK),
        (EVL_NOTE_OPEN as u32, note::OPEN),
        (EVL_NOTE_CLOSE as u32, note::CLOSE),
        (EVL_NOTE_CLOSE_WRITE as u32, note::CLOSE_WRITE),
        (EVL_NOTE_READ as u32, note::READ),
        (EVL_NOTE_FFNOP as u32, note::FFNOP),
        (EVL_NOTE_FFAND as u32, note::FFAND),
        (EVL_NOTE_FFOR as u32, note::FFOR),
        (EVL_NOTE_FFCOPY as u32, note::FFCOPY),
        (EVL_NOTE_FFLAGSMASK as u32, note::FFLAGSMASK),
        (EVL_NOTE_TRIGGER as u32, note::TRIGGER),
    ] {
        assert_eq!(c, rust);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! "Flags", and how the filters share a descriptor.

use super::{Bench, change, ident, needs_a_kernel, read, timer, user, write};
use evl::reactor::{Event, Filter, Flags, note};
use std::io::{Read, Write, pipe};
use std::os::unix::net::UnixStream;

crate::cases![
    "level":
        level_repeats_while_the_condition_holds,
        a_condition_that_is_gone_is_not_delivered;
    "ONESHOT":
        oneshot_is_delivered_once_and_deleted,
        oneshot_leaves_the_other_filter_alone;
    "DISPATCH":
        dispatch_is_disabled_at_delivery_and_enable_rearms;
    "ENABLE / DISABLE":
        disabled_knotes_keep_watching,
        a_disabled_hangup_does_not_spin,
        enable_and_disable_contradict;
    "ADD":
        add_with_disable_is_silent_and_add_again_enables,
        adding_again_never_duplicates,
        adding_again_updates_udata_but_not_the_mode;
    "a change without ADD":
        a_low_water_mark_counts_with_add_only,
        notes_of_files_and_processes_count_with_add_only,
        any_change_sets_udata;
    "KEEPUDATA":
        keepudata_leaves_udata_alone;
    "DELETE":
        delete_wins_over_add,
        delete_drops_a_pending_event;
    "UDATA_SPECIFIC":
        udata_specific_knotes_live_side_by_side;
    "flags of a record":
        records_echo_registration_flags;
];

fn level_repeats_while_the_condition_holds(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    queue.none();
    writer.write_all(b"ab").unwrap();
    for _ in 0..3 {
        assert_eq!(queue.one().ident, ident(&reader));
    }
    reader.read_exact(&mut [0; 2]).unwrap();
    queue.none();
}

fn a_condition_that_is_gone_is_not_delivered(bench: &Bench) {
    let queue = bench.queue();
    let pairs: Vec<_> = (0..3).map(|_| pipe().unwrap()).collect();
    for (reader, writer) in &pairs {
        queue.set(read(reader, Flags::ADD));
        (&*writer).write_all(b"x").unwrap();
    }
    let first = queue.wait(1, 0)[0].ident;
    for (reader, _) in pairs.iter().filter(|(reader, _)| ident(reader) != first) {
        (&*reader).read_exact(&mut [0]).unwrap();
    }
    assert!(queue.wait(8, 0).iter().all(|event| event.ident == first));
}

fn oneshot_is_delivered_once_and_deleted(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::ONESHOT));
    queue.set(user(1, Flags::ADD | Flags::ONESHOT, 0));
    writer.write_all(b"x").unwrap();
    queue.0.trigger(1).unwrap();
    assert_eq!(queue.filters(), [Filter::READ, Filter::USER]);
    queue.none();
    assert_eq!(queue.try_set(read(&reader, Flags::DELETE)), Err(libc::ENOENT));
    assert_eq!(queue.0.trigger(1), Err(libc::ENOENT));
    queue.set(read(&reader, Flags::ADD | Flags::ONESHOT));
    queue.one();
}

fn oneshot_leaves_the_other_filter_alone(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD));
    queue.set(write(&near, Flags::ADD | Flags::ONESHOT));
    far.write_all(b"x").unwrap();
    assert_eq!(queue.filters(), [Filter::READ, Filter::WRITE]);
    assert_eq!(queue.filters(), [Filter::READ]);
    assert_eq!(queue.filters(), [Filter::READ]);
}

fn dispatch_is_disabled_at_delivery_and_enable_rearms(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::DISPATCH));
    writer.write_all(b"x").unwrap();
    queue.one();
    queue.none();
    queue.set(read(&reader, Flags::ENABLE));
    queue.one();
    reader.read_exact(&mut [0]).unwrap();
    queue.set(read(&reader, Flags::ENABLE));
    queue.none();
    writer.write_all(b"x").unwrap();
    queue.one();
    queue.set(read(&reader, Flags::DELETE));
}

fn disabled_knotes_keep_watching(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    queue.set(timer(2, Flags::ADD, 0, 1));
    for filter in [read(&reader, Flags::DISABLE), user(1, Flags::DISABLE, 0)] {
        queue.set(filter);
    }
    queue.set(timer(2, Flags::DISABLE, 0, 0));
    writer.write_all(b"x").unwrap();
    queue.0.trigger(1).unwrap();
    queue.none();
    queue.set(read(&reader, Flags::ENABLE));
    assert_eq!(queue.one().filter, Filter::READ);
    reader.read_exact(&mut [0]).unwrap();
    queue.set(user(1, Flags::ENABLE, 0));
    assert_eq!(queue.one().filter, Filter::USER);
    queue.set(timer(2, Flags::ENABLE, 0, 0));
    assert!(queue.one().data >= 30, "expirations while it was disabled count");
    queue.set(read(&reader, Flags::DISABLE));
    writer.write_all(b"x").unwrap();
    reader.read_exact(&mut [0]).unwrap();
    queue.set(timer(2, Flags::DELETE, 0, 0));
    queue.set(read(&reader, Flags::ENABLE));
    queue.none();
}

fn a_disabled_hangup_does_not_spin(bench: &Bench) {
    let queue = bench.queue();
    let (near, far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD));
    queue.set(write(&near, Flags::ADD));
    queue.set(read(&near, Flags::DISABLE));
    queue.set(write(&near, Flags::DISABLE));
    drop(far);
    queue.idle();
    queue.set(read(&near, Flags::ENABLE));
    assert!(queue.one().flags.contains(Flags::EOF));
}

fn add_with_disable_is_silent_and_add_again_enables(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::DISABLE));
    queue.set(user(1, Flags::ADD | Flags::DISABLE, note::TRIGGER));
    queue.none();
    queue.set(read(&reader, Flags::ADD));
    assert_eq!(queue.one().filter, Filter::READ);
}

fn adding_again_never_duplicates(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    for _ in 0..3 {
        queue.set(read(&reader, Flags::ADD));
        queue.set(user(1, Flags::ADD, note::TRIGGER));
    }
    assert_eq!(queue.filters(), [Filter::READ, Filter::USER]);
    queue.set(read(&reader, Flags::DELETE));
    assert_eq!(queue.try_set(read(&reader, Flags::DELETE)), Err(libc::ENOENT));
}

fn adding_again_updates_udata_but_not_the_mode(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(Event { udata: 1, ..read(&reader, Flags::ADD) });
    queue.set(Event { udata: 2, ..read(&reader, Flags::ADD | Flags::ONESHOT | Flags::CLEAR) });
    writer.write_all(b"x").unwrap();
    for _ in 0..2 {
        assert_eq!(queue.one().udata, 2);
    }
}

fn a_low_water_mark_counts_with_add_only(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    let marked = read(&reader, Flags::ADD);
    queue.set(Event { fflags: note::LOWAT, data: 4, ..marked });
    writer.write_all(b"123").unwrap();
    for flags in [Flags::ENABLE, Flags::DISABLE, Flags::ENABLE, Flags::empty()] {
        queue.set(Event { fflags: note::DATA, data: 1, ..read(&reader, flags) });
        queue.none();
    }
    writer.write_all(b"4").unwrap();
    assert_eq!(queue.one().data, 4);
    reader.read_exact(&mut [0; 3]).unwrap();
    queue.none();
    queue.set(read(&reader, Flags::ADD));
    queue.one();
}

fn notes_of_files_and_processes_count_with_add_only(bench: &Bench) {
    needs_a_kernel(bench);
    let queue = bench.queue();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let watched = |flags| change(ident(&file), Filter::VNODE, flags);
    queue.set(Event { fflags: note::DELETE, ..watched(Flags::ADD | Flags::CLEAR) });
    queue.set(Event { fflags: note::WRITE, ..watched(Flags::ENABLE) });
    file.write_all(b"x").unwrap();
    queue.none();
    let watched = change(ident(&file), Filter::VNODE, Flags::ADD);
    queue.set(Event { fflags: note::WRITE, ..watched });
    file.write_all(b"x").unwrap();
    assert_eq!(queue.one().fflags, note::WRITE);
}

fn any_change_sets_udata(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(Event { udata: 1, ..read(&reader, Flags::ADD) });
    queue.set(Event { udata: 1, ..user(1, Flags::ADD, note::TRIGGER) });
    for (udata, flags) in [(2, Flags::ENABLE), (3, Flags::empty()), (4, Flags::ADD)] {
        queue.set(Event { udata, ..read(&reader, flags) });
        queue.set(Event { udata, ..user(1, flags, 0) });
        let events = queue.wait(8, 0);
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|event| event.udata == udata), "{flags:?}");
    }
    queue.set(Event { udata: 5, ..read(&reader, Flags::DISABLE) });
    queue.set(Event { udata: 6, ..read(&reader, Flags::ENABLE | Flags::KEEPUDATA) });
    let events = queue.wait(8, 0);
    assert!(events.iter().any(|event| event.filter == Filter::READ && event.udata == 5));
}

fn keepudata_leaves_udata_alone(bench: &Bench) {
    let queue = bench.queue();
    queue.set(Event { udata: 1, ..user(1, Flags::ADD, note::TRIGGER) });
    queue.set(Event { udata: 2, ..user(1, Flags::ADD | Flags::KEEPUDATA, 0) });
    assert_eq!(queue.one().udata, 1);
}

fn enable_and_disable_contradict(bench: &Bench) {
    let queue = bench.queue();
    let both = Flags::ADD | Flags::ENABLE | Flags::DISABLE;
    assert_eq!(queue.try_set(user(1, both, 0)), Err(libc::EINVAL));
    assert_eq!(queue.try_set(user(1, Flags::DELETE, 0)), Err(libc::ENOENT));
}

fn delete_wins_over_add(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD, note::TRIGGER));
    queue.set(user(1, Flags::ADD | Flags::DELETE, note::TRIGGER));
    queue.none();
    assert_eq!(queue.try_set(user(1, Flags::ADD | Flags::DELETE, 0)), Err(libc::ENOENT));
}

fn delete_drops_a_pending_event(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    far.write_all(b"x").unwrap();
    queue.set(read(&near, Flags::ADD));
    queue.set(write(&near, Flags::ADD));
    queue.set(user(1, Flags::ADD, note::TRIGGER));
    assert_eq!(queue.wait(1, 0).len(), 1);
    queue.set(read(&near, Flags::DELETE));
    queue.set(write(&near, Flags::DELETE));
    queue.set(user(1, Flags::DELETE, 0));
    queue.none();
}

fn udata_specific_knotes_live_side_by_side(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    let specific = |udata, flags| Event { udata, ..read(&reader, flags | Flags::UDATA_SPECIFIC) };
    queue.set(specific(1, Flags::ADD));
    queue.set(specific(2, Flags::ADD));
    queue.set(specific(2, Flags::ADD));
    queue.set(Event { udata: 3, ..read(&reader, Flags::ADD) });
    writer.write_all(b"x").unwrap();
    let udatas = || {
        let mut udatas: Vec<_> = queue.wait(8, 0).iter().map(|event| event.udata).collect();
        udatas.sort_unstable();
        udatas
    };
    assert_eq!(udatas(), [1, 2, 3]);
    queue.set(specific(2, Flags::DELETE));
    assert_eq!(queue.try_set(specific(2, Flags::DELETE)), Err(libc::ENOENT));
    assert_eq!(udatas(), [1, 3]);
    queue.set(read(&reader, Flags::DELETE));
    assert_eq!(udatas(), [1]);
    let named = |udata| Event { udata, ..timer(1, Flags::ADD | Flags::UDATA_SPECIFIC, 0, 60_000) };
    queue.set(named(1));
    queue.set(named(2));
    queue.set(Event { flags: Flags::DELETE | Flags::UDATA_SPECIFIC, ..named(1) });
    assert_eq!(queue.try_set(change(1, Filter::TIMER, Flags::DELETE)), Err(libc::ENOENT));
}

fn records_echo_registration_flags(bench: &Bench) {
    let queue = bench.queue();
    let given = Flags::ADD | Flags::CLEAR | Flags::DISPATCH | Flags::RECEIPT;
    queue.set(user(1, given | Flags::ENABLE | Flags::KEEPUDATA, note::TRIGGER));
    assert_eq!(queue.one().flags, given);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! "Flags", and how the filters share a descriptor.

use super::{Bench, NOT_NS, change, ident, read, timer, user, write};
use evl::reactor::{Event, Filter, Flags, note};
use std::io::{Read, Write, pipe};
use std::os::unix::net::UnixStream;

crate::cases![
    level_repeats_while_the_condition_holds,
    a_condition_that_is_gone_is_not_delivered,
    clear_waits_for_a_new_transition,
    clear_reports_what_came_after_draining,
    clear_reports_more_data,
    oneshot_is_delivered_once_and_deleted,
    oneshot_leaves_the_other_filter_alone,
    dispatch_is_disabled_at_delivery_and_enable_rearms,
    disabled_knotes_keep_watching,
    a_disabled_hangup_does_not_spin,
    add_with_disable_is_silent_and_add_again_enables,
    adding_again_never_duplicates,
    adding_again_updates_udata_but_not_the_mode,
    keepudata_leaves_udata_alone,
    enable_and_disable_contradict,
    delete_wins_over_add,
    delete_drops_a_pending_event,
    udata_specific_knotes_live_side_by_side,
    level_and_edge_share_a_descriptor,
    dispatch_and_level_share_a_descriptor,
    records_echo_registration_flags,
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

fn clear_waits_for_a_new_transition(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    writer.write_all(b"x").unwrap();
    queue.one();
    queue.none();
}

fn clear_reports_what_came_after_draining(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    for _ in 0..3 {
        writer.write_all(b"x").unwrap();
        queue.one();
        reader.read_exact(&mut [0]).unwrap();
        // As much as before came again before the queue could see the pipe empty.
    }
    queue.none();
    writer.write_all(b"x").unwrap();
    queue.one();
}

fn clear_reports_more_data(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD | Flags::CLEAR));
    far.write_all(b"x").unwrap();
    queue.one();
    far.write_all(b"y").unwrap();
    assert_eq!(queue.wait(8, NOT_NS).len(), 1, "what is new is told at once");
    queue.none();
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

fn level_and_edge_share_a_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, mut far) = UnixStream::pair().unwrap();
    queue.set(write(&near, Flags::ADD | Flags::CLEAR));
    queue.set(read(&near, Flags::ADD));
    assert_eq!(queue.one().filter, Filter::WRITE);
    far.write_all(b"x").unwrap();
    assert!(queue.filters().contains(&Filter::READ));
    assert_eq!(queue.filters(), [Filter::READ]);
    assert_eq!(queue.filters(), [Filter::READ]);
    near.read_exact(&mut [0]).unwrap();
    queue.none();
}

fn dispatch_and_level_share_a_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD | Flags::DISPATCH));
    queue.set(write(&near, Flags::ADD));
    far.write_all(b"x").unwrap();
    assert_eq!(queue.filters(), [Filter::READ, Filter::WRITE]);
    assert_eq!(queue.filters(), [Filter::WRITE]);
    queue.set(read(&near, Flags::ENABLE));
    assert_eq!(queue.filters(), [Filter::READ, Filter::WRITE]);
    queue.set(write(&near, Flags::DELETE));
    queue.none();
    queue.set(read(&near, Flags::ENABLE));
    assert_eq!(queue.filters(), [Filter::READ]);
}

fn records_echo_registration_flags(bench: &Bench) {
    let queue = bench.queue();
    let given = Flags::ADD | Flags::CLEAR | Flags::DISPATCH | Flags::RECEIPT;
    queue.set(user(1, given | Flags::ENABLE | Flags::KEEPUDATA, note::TRIGGER));
    assert_eq!(queue.one().flags, given);
}

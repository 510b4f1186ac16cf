// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conformance table through the Rust API.

#[path = "common/reactor/mod.rs"]
mod conformance;
#[path = "common/rust_face.rs"]
mod rust_face;

#[test]
fn every_backend_passes_the_table() {
    use conformance::{
        calls, closing, descriptors, directories, errors, exceptional, farewells, files, flags,
        processes, run, signals, strangers, timers, users, vnodes,
    };
    let tables = [
        calls::CASES,
        flags::CASES,
        descriptors::CASES,
        files::CASES,
        exceptional::CASES,
        errors::CASES,
        closing::CASES,
        timers::CASES,
        users::CASES,
        signals::CASES,
        strangers::CASES,
        processes::CASES,
        vnodes::CASES,
        farewells::CASES,
        directories::CASES,
    ];
    run(rust_face::FACE, &tables);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conformance table through every face of the library.

#[path = "common/c_face.rs"]
mod c_face;
#[path = "common/reactor/mod.rs"]
mod conformance;
#[path = "common/kevent_face.rs"]
mod kevent_face;
#[path = "common/rust_face.rs"]
mod rust_face;
#[path = "common/sys_event.rs"]
mod sys_event;

#[test]
fn every_backend_passes_the_table() {
    let faces = [rust_face::FACE, c_face::FACE, kevent_face::FACE];
    conformance::run("every_backend_passes_the_table", &faces);
}

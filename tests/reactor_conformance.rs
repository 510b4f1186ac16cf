// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conformance table through every face of the library.

#[path = "common/c_face.rs"]
mod c_face;
#[path = "common/reactor/mod.rs"]
mod conformance;
#[path = "common/rust_face.rs"]
mod rust_face;

#[test]
fn every_backend_passes_the_table() {
    conformance::run("every_backend_passes_the_table", &[rust_face::FACE, c_face::FACE]);
}

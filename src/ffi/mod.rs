// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face. The order of the modules is the order of the header.
#![allow(unsafe_code, reason = "the C border is unsafe by nature; each block says why it holds")]

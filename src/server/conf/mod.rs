// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration file, in nginx's grammar.

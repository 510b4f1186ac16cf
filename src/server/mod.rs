// SPDX-License-Identifier: MIT OR Apache-2.0
//! The HTTP server engine: connections, workers, handlers, configuration.

pub(crate) mod conf;
pub(crate) mod config;
pub(crate) mod limits;
pub(crate) mod routing;

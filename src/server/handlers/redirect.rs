// SPDX-License-Identifier: MIT OR Apache-2.0
//! `return`: a redirect, or a fixed text.

use super::status;
use crate::http::headers::is_value_byte;
use crate::http::status::{Reject, Status};
use crate::server::config::Return;
use crate::server::exchange::Exchange;
use crate::server::site::Found;
use crate::server::template;

/// nginx's own code: close the connection and say nothing.
const CLOSE: u16 = 444;

/// Answers as the directive says. `path` is the request's, after internal redirects.
///
/// # Errors
/// A status without a text, for which there is a page.
pub(crate) fn answer(
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    path: &[u8],
    answer: &Return,
) -> Result<(), Reject> {
    if answer.status.code() == CLOSE {
        x.response.status = answer.status;
        x.response.close = true;
        x.response.silent = true;
        return Ok(());
    }
    if answer.text.is_empty() && !answer.is_redirect() && answer.status != Status::OK {
        return Err(Reject::new(answer.status, "return without a text"));
    }
    let mut text = x.buffers.take();
    template::fill(&mut text, &answer.text, found, x, path);
    if answer.is_redirect() {
        // A line end in the path or in the file must not begin another field.
        text.retain(|&byte| is_value_byte(byte));
        x.response.line("Location", &text);
        status::page(x.response, answer.status);
    } else {
        x.response.status = answer.status;
        x.response.line("Content-Type", b"text/plain");
        x.response.write(&text);
    }
    x.buffers.give(text);
    Ok(())
}

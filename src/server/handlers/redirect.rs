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
        x.response.close = true;
        x.response.silent = true;
        return Ok(());
    }
    let mut text = template::fill(&answer.text, found, x, path);
    match answer.status {
        status if answer.is_redirect() => {
            // A line end in the path or in the file must not begin another field.
            text.retain(|&byte| is_value_byte(byte));
            x.response.line("Location", &text);
            status::page(x.response, status);
        }
        status if answer.text.is_empty() && status != Status::OK => {
            return Err(Reject::new(status, "return without a text"));
        }
        status => {
            x.response.status = status;
            x.response.line("Content-Type", b"text/plain");
            x.response.write(&text);
        }
    }
    Ok(())
}

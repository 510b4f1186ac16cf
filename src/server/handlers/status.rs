// SPDX-License-Identifier: MIT OR Apache-2.0
//! Built-in pages for failures and redirects.

use crate::http::status::Status;
use crate::server::exchange::Response;
use std::sync::LazyLock;

/// The page; `{{code}}` and `{{reason}}` stand for what differs.
const TEMPLATE: &str = include_str!("status.html");

/// The page, cut before the names of what differs.
static PIECES: LazyLock<Vec<&str>> = LazyLock::new(|| TEMPLATE.split("{{").collect());

/// Makes the page for a status that no configured page is there for.
pub(crate) fn page(response: &mut Response, status: Status) {
    response.status = status;
    if !status.has_body() {
        return;
    }
    response.line("Content-Type", b"text/html; charset=utf-8");
    for piece in PIECES.iter() {
        let rest = if let Some(rest) = piece.strip_prefix("code}}") {
            response.write(itoa::Buffer::new().format(status.code()).as_bytes());
            rest
        } else if let Some(rest) = piece.strip_prefix("reason}}") {
            response.write(status.reason().as_bytes());
            rest
        } else {
            piece
        };
        response.write(rest.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_the_template_filled_in() {
        let mut response = Response::default();
        page(&mut response, Status::NOT_FOUND);
        let expected = TEMPLATE.replace("{{code}}", "404").replace("{{reason}}", "Not Found");
        assert_eq!(str::from_utf8(&response.bytes).unwrap(), expected);
    }
}

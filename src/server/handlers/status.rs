// SPDX-License-Identifier: MIT OR Apache-2.0
//! Built-in pages for failures and redirects.

use crate::http::status::Status;
use crate::server::exchange::Response;

/// The page; `{{code}}` and `{{reason}}` stand for what differs.
const TEMPLATE: &str = include_str!("status.html");

/// Makes the page for a status that no configured page is there for.
pub(crate) fn page(response: &mut Response, status: Status) {
    response.status = status;
    if status.has_body() {
        let page = TEMPLATE.replace("{{code}}", &status.code().to_string());
        response.line("Content-Type", b"text/html; charset=utf-8");
        response.write(page.replace("{{reason}}", status.reason()).as_bytes());
    }
}

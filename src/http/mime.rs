// SPDX-License-Identifier: MIT OR Apache-2.0
//! The content type that a file's name stands for.

use std::path::Path;

/// The type of files whose name tells nothing, as in nginx's `default_type` of its sample file.
const DEFAULT: &str = "application/octet-stream";

/// The content type by the name's extension, whatever its case.
pub(crate) fn content_type(name: &Path) -> &'static str {
    mime_guess::from_path(name).first_raw().unwrap_or(DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_extension() {
        for (name, expected) in [
            ("index.html", "text/html"),
            ("a/b.CSS", "text/css"),
            ("x.tar.gz", "application/gzip"),
            ("logo.svg", "image/svg+xml"),
            ("app.js", "text/javascript"),
            ("README", DEFAULT),
            ("x.nonsense", DEFAULT),
            (".html", DEFAULT),
        ] {
            assert_eq!(content_type(Path::new(name)), expected, "{name}");
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The architecture, as a test: imports go down only, and what is dangerous or depends on the
//! operating system stays where it belongs.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a failed test panics")]

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer with the layers it may import.
const LAYERS: [(&str, &[&str]); 6] = [
    ("sys", &[]),
    ("reactor", &["sys"]),
    ("net", &["sys"]),
    ("http", &[]),
    ("server", &["http", "net", "reactor", "sys"]),
    ("ffi", &["server", "http", "net", "reactor", "sys"]),
];

/// What stands only in some layers: how to find it in a line of code, and in which.
const CONFINED: [(&[&str], &[&str]); 3] = [
    (&["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"], &["sys", "ffi"]),
    (&["target_os", "target_family", "target_vendor", "cfg(unix", "cfg(windows"], &["sys"]),
    (&["std::net::Tcp", "std::thread", "std::fs", "Instant::now", "SystemTime::now"], &NOT_HTTP),
];
const NOT_HTTP: [&str; 5] = ["sys", "reactor", "net", "server", "ffi"];

/// Every source file of a layer, with its text up to the unit tests, without comments.
fn sources(layer: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(layer)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap().lines();
                let code = code.map(|line| line.split("//").next().unwrap().to_owned() + "\n");
                files.push((path, code.collect()));
            }
        }
    }
    assert!(!files.is_empty(), "src/{layer} has no files");
    files
}

/// The layers that `crate::…` paths in the code name.
fn imports(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).flat_map(|rest| {
        let group = rest.strip_prefix('{').and_then(|rest| rest.split('}').next());
        let paths = group.map_or_else(|| vec![rest], |group| group.split(',').collect());
        paths
            .into_iter()
            .filter_map(|path| path.trim().split(|c: char| !c.is_alphanumeric()).next())
    })
}

#[test]
fn imports_go_down() {
    for (layer, below) in LAYERS {
        for (path, code) in sources(layer) {
            for import in imports(&code) {
                let is_layer = LAYERS.iter().any(|(name, _)| *name == import);
                let allowed = import == layer || below.contains(&import) || !is_layer;
                assert!(allowed, "{}: {layer} may not import {import}", path.display());
            }
        }
    }
}

#[test]
fn what_is_confined_stays_there() {
    for (layer, _) in LAYERS {
        for (path, code) in sources(layer) {
            for (words, layers) in CONFINED.iter().filter(|(_, layers)| !layers.contains(&layer)) {
                let found = words.iter().find(|word| code.contains(**word));
                assert_eq!(found, None, "{}: only in {layers:?}", path.display());
            }
        }
    }
}

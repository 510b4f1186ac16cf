// SPDX-License-Identifier: MIT OR Apache-2.0
//! The manual's C: each fragment follows its page's first one, which has the includes and types, and
//! has to compile without a warning.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a failed test panics")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The text of each ```c block.
fn fragments(page: &str) -> Vec<&str> {
    let blocks = page.split("\n```c\n").skip(1);
    blocks.map(|rest| rest.split("```").next().expect("a block ends")).collect()
}

#[test]
fn the_fragments_of_the_manual_compile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (page, number) in [("docs/reactor.md", 6), ("docs/sockets.md", 2)] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let fragments = fragments(&text);
        let (head, others) = fragments.split_first().expect("there are fragments");
        assert!(others.len() >= number, "{page}: only {} fragments found", others.len());
        compile(root, head, others);
    }
}

fn compile(root: &Path, head: &str, others: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for (number, fragment) in others.iter().enumerate() {
        let file = folder.path().join(format!("{number}.c"));
        fs::write(&file, format!("{head}\n{fragment}")).unwrap();
        let compiler = Command::new("cc")
            .args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-fsyntax-only"])
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
            .arg(root.join("include"))
            .arg(&file)
            .output()
            .expect("there is a C compiler");
        let errors = String::from_utf8_lossy(&compiler.stderr);
        assert!(compiler.status.success(), "{fragment}\n{errors}");
    }
}

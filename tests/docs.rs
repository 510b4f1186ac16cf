// SPDX-License-Identifier: MIT OR Apache-2.0
//! The manual: links lead somewhere, the tests that it names exist, and its C compiles without a warning.
//! Each fragment of C follows its page's first one, which has the includes and types.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a failed test panics")]

use std::fs;
use std::path::{Path, PathBuf};
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

/// The pages for readers: those at the top, and those of each folder that has some.
fn pages(root: &Path) -> Vec<PathBuf> {
    let folders = ["", "docs", "bench", "c-examples", "c-examples/kqueue", "python-bindings"];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(root.join(folder)).ok());
    let files = entries.flatten().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|it| it == "md")).collect()
}

/// How a heading is named in links to it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

fn leads_somewhere(page: &Path, link: &str) -> bool {
    let (path, place) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.into() } else { page.with_file_name(path) };
    let headings = |text: String| {
        text.lines()
            .any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == place)
    };
    target.exists() && (place.is_empty() || fs::read_to_string(target).is_ok_and(headings))
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = pages(root);
    assert!(pages.len() > 12, "only {} pages found", pages.len());
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            assert!(leads_somewhere(&page, link), "{}: {link}", page.display());
        }
    }
}

/// Tests are named in the last column of a table, if its heading says so.
#[test]
fn tests_that_pages_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        gather(&root.join(folder), &mut sources);
    }
    for page in ["docs/differences.md", "docs/kqueue.md", "docs/http.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let quoted =
            cells_that_name_tests(&text).flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let names = quoted.filter(|name| {
            name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        });
        let names: Vec<_> = names.collect();
        assert!(names.len() >= 8, "{page}: only {} tests found", names.len());
        for name in names {
            let is_there = ["fn ", "static void "]
                .iter()
                .any(|word| sources.contains(&format!("{word}{name}(")));
            assert!(is_there, "{page}: there is no test {name}");
        }
    }
}

fn cells_that_name_tests(page: &str) -> impl Iterator<Item = &str> {
    let mut names_tests = false;
    page.lines().filter_map(move |line| {
        let Some(row) = line.strip_suffix('|') else {
            names_tests = false;
            return None;
        };
        let cell = row.rsplit('|').next()?.trim();
        names_tests |= matches!(cell, "test" | "held by");
        names_tests.then_some(cell)
    })
}

/// The text of all sources below a folder.
fn gather(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, sources);
        } else if let Ok(text) = fs::read_to_string(&path) {
            sources.push_str(&text);
        }
    }
}

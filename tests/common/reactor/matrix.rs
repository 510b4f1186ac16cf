// SPDX-License-Identifier: MIT OR Apache-2.0
//! `docs/conformance.md`: what the runs of the table found, a row for each case and a column for each
//! backend.
//!
//! A run compares what it found with the committed page, and with `EVL_REWRITE=1` writes that into it.
//! It knows the columns of its own backends and leaves the others as they are. That a case cannot
//! run where it ran before is no difference: that is for machines which have less.

use super::TABLES;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

const HEAD: &str = "# Conformance

What the runs of the conformance table (`tests/common/reactor/`) found on Linux: ✓ is a case that
passed through every face: the Rust functions, the C functions and, on epoll, `kevent()`. Else the cell
says why the case cannot run, or what is told instead. The tests write this page, and fail if it is old: `EVL_REWRITE=1 cargo test` writes it
anew. `EVL_CASE=part_of_a_name cargo test --test reactor_conformance` runs some cases.

The backend kqueue runs on six simulated kernels, made after macOS, FreeBSD, DragonFly, OpenBSD and two
releases of NetBSD. A simulation knows what its author knew; the workflows run the table on real macOS
and FreeBSD.
";

/// The columns.
const BACKENDS: [&str; 4] = ["epoll", "poll", "select", "kqueue"];

const PASSED: &str = "✓";

/// A case and a backend, as the page has them.
type Place = (String, &'static str);
/// A face and, if the case cannot run through it, why.
type Found = (&'static str, Option<String>);

/// What was found.
#[derive(Default)]
pub struct Matrix(HashMap<Place, Vec<Found>>);

impl Matrix {
    pub fn add(
        &mut self,
        case: &str,
        backend: &'static str,
        face: &'static str,
        obstacle: Option<String>,
    ) {
        self.0.entry((title(case), backend)).or_default().push((face, obstacle));
    }

    /// Compares the page with what was found, or writes it.
    pub fn check(&self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conformance.md");
        let page = fs::read_to_string(&path).unwrap_or_default();
        let rewrites = std::env::var_os("EVL_REWRITE").is_some();
        let new = self.page(&cells(&page), rewrites);
        if rewrites {
            fs::write(&path, new).unwrap();
        } else if page != new {
            let old = page.lines().zip(new.lines()).find(|(old, new)| old != new);
            panic!("docs/conformance.md is old: {old:?}; EVL_REWRITE=1 cargo test writes it anew");
        }
    }

    fn page(&self, old: &HashMap<Place, String>, rewrites: bool) -> String {
        let mut page = HEAD.to_owned();
        for (about, cases) in TABLES {
            page += &format!("\n## {about}\n\n| rule | case |");
            page.extend(BACKENDS.map(|backend| format!(" {backend} |")));
            page += &format!("\n|---|---|{}\n", "---|".repeat(BACKENDS.len()));
            let mut last = "";
            for case in cases {
                let rule = if case.rule == last { "" } else { case.rule };
                last = case.rule;
                page += &format!("| {rule} | {} |", title(case.name));
                for backend in BACKENDS {
                    let place = (title(case.name), backend);
                    let before = old.get(&place).map_or("", String::as_str);
                    let cell = match self.0.get(&place) {
                        Some(faces) if rewrites || before != PASSED => cell(faces),
                        _ => before.to_owned(),
                    };
                    page += &format!(" {cell} |");
                }
                page += "\n";
            }
        }
        page
    }
}

fn title(case: &str) -> String {
    case.replace('_', " ")
}

fn cell(faces: &[Found]) -> String {
    let obstacles: Vec<_> = faces.iter().filter_map(|(_, obstacle)| obstacle.as_ref()).collect();
    match obstacles.as_slice() {
        [] => PASSED.to_owned(),
        [first, ..] if obstacles.len() == faces.len() => (*first).clone(),
        _ => {
            let told = faces.iter().filter_map(|(face, obstacle)| Some((face, obstacle.as_ref()?)));
            let told: Vec<_> = told.map(|(face, why)| format!("{face}: {why}")).collect();
            format!("{PASSED} ({})", told.join("; "))
        }
    }
}

/// The cells of a page, by case and backend.
fn cells(page: &str) -> HashMap<Place, String> {
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split('|').map(str::trim).skip(1);
        Some((cells.next()?.to_owned(), cells))
    });
    rows.flat_map(|(case, cells)| {
        let named = BACKENDS.into_iter().zip(cells);
        named.map(move |(backend, cell)| ((case.clone(), backend), cell.to_owned()))
    })
    .collect()
}

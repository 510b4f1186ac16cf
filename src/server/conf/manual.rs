// SPDX-License-Identifier: MIT OR Apache-2.0
//! The manual's page of directives, written from their table: `docs/configuration.md` must be what
//! this says. `EVL_REWRITE=1 cargo test --lib manual` writes it anew.

use super::directives::definitions;
use super::schema::Definition;
use super::template::VARIABLES;
use crate::server::limits::{BACKLOG, CONFIG_DEPTH, CONFIG_SIZE, INCLUDE_DEPTH, WORKERS};
use std::path::Path;

const INTRODUCTION: &str = "\
<!-- Written from the table in src/server/conf/directives; see src/server/conf/manual.rs. -->

# The configuration file

The grammar is nginx's, and directives that mean the same have the same name, places and defaults: a
file that uses only what both have works in both.

```nginx
worker_processes auto;

server {
    listen      8080;
    server_name example.org *.example.org;
    root        /srv/www;
    error_page  404 /404.html;

    location /files/ {
        alias     /srv/files/;
        autoindex on;
    }
    location = /old {
        return 301 /new$is_args$args;
    }
}
```

## Grammar

- A directive is a name with arguments and ends with `;`, or with a block in braces.
- `#` starts a comment, which ends with the line.
- An argument in single or double quotes may hold blanks, `;` and braces. `\\\"`, `\\'` and `\\\\`
  stand for the second character, `\\t`, `\\r` and `\\n` for tab, carriage return and line feed.
- A *size* is a number of bytes, or of `k`, `m` or `g` (powers of 1024): `8k`.
- A *time* is a number of seconds, or numbers with units, the larger first: `500ms`, `75s`, `1m30s`.
  The units are `ms`, `s`, `m`, `h`, `d`, `w`, `M` (30 days) and `y` (365 days); the longest time is
  ten years.
- Relative paths start at the folder of the main file, also in an included file.
- The file is UTF-8 text. All files together have at most CONFIG_SIZE bytes, blocks are nested at
  most CONFIG_DEPTH deep and files include each other at most INCLUDE_DEPTH deep.

## Inheritance

A block inherits what holds around it, wherever in the surrounding block that is said. A directive
stands once in a block, unless the list below says that it may repeat.

## Differences from nginx

- `events` and `http` may be left out. A server without `listen` and a file without `server` are
  errors.
- What nginx warns of or takes silently is an error: a name twice on one address, a location that is
  never reached, `return` or `limit_except` twice in a block, a redirect without a URL.
- `root`, `alias`, `access_log`, `index` and `error_page` take no variables.
- Files whose name starts with a dot are not served unless the file says otherwise.
- The access log is off unless the file says otherwise.
- Port 0 is allowed: the system chooses one.

";

/// The page.
fn manual() -> String {
    let mut page = INTRODUCTION
        .replace("CONFIG_SIZE", &CONFIG_SIZE.to_string())
        .replace("CONFIG_DEPTH", &CONFIG_DEPTH.to_string())
        .replace("INCLUDE_DEPTH", &INCLUDE_DEPTH.to_string());
    page += "## Variables\n\nThe arguments of `return` may hold ";
    let names: Vec<String> = VARIABLES.iter().map(|(name, _)| format!("`${name}`")).collect();
    page += &names.join(", ");
    page += ".\n`${name}` sets the name apart from what follows.\n\n## Directives\n";
    for definition in definitions() {
        section(&mut page, definition);
    }
    page
}

fn section(page: &mut String, definition: &Definition) {
    let Definition { name, default, repeats, about, .. } = definition;
    let default = default.map_or("none".to_owned(), |default| format!("`{name} {default};`"));
    let repeats = if *repeats { "yes" } else { "no" };
    let places = definition.contexts();
    let usage = definition.usage().replace('|', "\\|");
    *page += &format!("\n### {name}\n\n| | |\n|---|---|\n| Syntax | `{usage}` |\n");
    *page += &format!("| Default | {default} |\n| Context | {places} |\n| Repeats | {repeats} |\n");
    *page += &format!("\n{about}\n");
}

#[test]
fn the_manual_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    if std::env::var_os("EVL_REWRITE").is_some() {
        std::fs::write(&path, manual()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == manual(), "{} is old; write it anew with EVL_REWRITE=1", path.display());
}

#[test]
fn the_table_names_the_limits_as_they_are() {
    let about = |name| definitions().find(|found| found.name == name).unwrap().about;
    assert!(about("worker_processes").contains(&format!("at most {WORKERS};")));
    assert!(about("listen").contains(&format!("accepted, {BACKLOG} if")));
}

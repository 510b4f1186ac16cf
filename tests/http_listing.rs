// SPDX-License-Identifier: MIT OR Apache-2.0
//! Directories as pages: what is listed, in which order, and that its links lead there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use http::{Live, get, write_file};
use std::fs;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

const CONFIG: &str = "worker_processes 1; server { listen 127.0.0.1:0; root www; autoindex on; }";

/// What a row links to and what it says.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    link: String,
    name: String,
}

/// The rows of a page, without the one that leads up.
fn rows(page: &str) -> Vec<Row> {
    let body = page.split_once("<tbody>").unwrap().1.split_once("</tbody>").unwrap().0;
    let rows = body.split("<tr").skip(1).filter_map(|row| {
        let (_, link) = row.split_once("href=\"")?;
        let (link, rest) = link.split_once("\">").unwrap();
        let (name, _) = rest.split_once("</a>").unwrap();
        Some(Row { link: link.to_owned(), name: plain(name) })
    });
    rows.filter(|row| row.link != "../").collect()
}

/// Text in HTML as people see it.
fn plain(html: &str) -> String {
    assert!(!html.contains(['<', '>', '"', '\'']), "markup: {html}");
    let [lt, gt, quot] = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\"")];
    let pairs = [lt, gt, quot, ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    pairs.iter().fold(html.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

const FILES: &[&str] = &[
    "100%.txt",
    "<img src=x onerror=alert(1)>.txt",
    "A.txt",
    "a b.txt",
    "a\"b'c.txt",
    "a#b.txt",
    "a%20b.txt",
    "a&amp;b.txt",
    "a:b.txt",
    "a;b=c,d.txt",
    "a?b.txt",
    "back\\slash.txt",
    "javascript:alert(1)",
    "{{crumbs}}",
    "{{path}}",
    "{{rows}}",
    "{{summary}}",
    "ü.txt",
    "日本語.txt",
];

const FOLDERS: &[&str] = &["Z", "a folder", "b?c", "z<b>z"];

#[test]
fn all_that_is_there_is_listed_and_each_link_leads_there() {
    let server = Live::from_file(CONFIG, &[]);
    for name in FILES {
        write_file(&server.path("www/list").join(name), format!("file {name}").as_bytes());
    }
    for name in FOLDERS {
        let index = server.path("www/list").join(name).join("index.html");
        write_file(&index, format!("folder {name}").as_bytes());
    }
    let answer = server.get("/list/").expect(200);
    assert_eq!(answer.only("content-type"), Some("text/html; charset=utf-8"));
    let rows = rows(answer.text());
    let folders = FOLDERS.iter().map(|name| format!("{name}/"));
    let expected: Vec<String> = folders.chain(FILES.iter().map(|&name| name.to_owned())).collect();
    let listed: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(listed, expected, "folders first, each kind in the order of its bytes");
    let mut client = server.connect();
    for row in rows {
        let link = &row.link;
        let relative = link.strip_prefix("./").unwrap_or(link);
        let first = relative.split('/').next().unwrap();
        assert!(link.starts_with("./") || !first.contains(':'), "reads as a scheme: {link}");
        assert!(!relative.starts_with('/') && !link.contains(['?', '#', ' ', '&']), "{link}");
        let answer = client.ask(get(&format!("/list/{relative}"))).expect(200);
        let expected = match row.name.strip_suffix('/') {
            Some(folder) => format!("folder {folder}"),
            None => format!("file {}", row.name),
        };
        assert_eq!(answer.text(), expected, "{link}");
    }
}

#[test]
fn names_are_never_markup_in_any_part_of_the_page() {
    let server = Live::from_file(CONFIG, &[]);
    let path = server.path("www").join("<i>&\"'").join("<u>inner<{{rows}}");
    write_file(&path.join("<s>.txt"), b"x");
    let page = server.get("/%3Ci%3E&%22'/%3Cu%3Einner%3C%7B%7Brows%7D%7D/").expect(200);
    let text = page.text();
    for tag in ["<i>&", "<u>", "<s>", "\"'"] {
        assert!(!text.contains(tag), "{tag} in {text}");
    }
    assert_eq!(rows(text).len(), 1);
    let up: Vec<&str> = text.matches("href=\"../\"").collect();
    assert_eq!(up.len(), 1, "one way up");
}

#[test]
fn the_crumbs_lead_to_the_directories_above() {
    let server = Live::from_file(CONFIG, &[("www/a b/c%d/file", b"x")]);
    let page = server.get("/a%20b/c%25d/").expect(200);
    let heading = page.text().split_once("<h1>").unwrap().1.split_once("</h1>").unwrap().0;
    let links: Vec<&str> =
        heading.split("href=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert!(links.starts_with(&["/", "/a%20b/"]), "{links:?}");
    for link in links {
        server.get(link).expect(200);
    }
}

#[test]
fn hidden_and_dangling_names_are_not_listed() {
    let server = Live::from_file(CONFIG, &[("www/.hidden", b"x"), ("www/shown", b"x")]);
    std::os::unix::fs::symlink("nowhere", server.path("www/dangling")).unwrap();
    std::os::unix::fs::symlink("shown", server.path("www/link")).unwrap();
    let page = server.get("/").expect(200);
    let names: Vec<String> = rows(page.text()).into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["link", "shown"]);
    assert!(!page.text().contains("href=\"../\""), "nothing is above the root");
}

#[test]
fn an_empty_directory_has_a_page_too() {
    let server = Live::from_file(CONFIG, &[("www/x", b"x")]);
    fs::create_dir(server.path("www/empty")).unwrap();
    assert!(rows(server.get("/empty/").expect(200).text()).is_empty());
}

#[test]
fn a_directory_with_an_index_or_without_autoindex_is_not_listed() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www;
        location /on/ { autoindex on; } }";
    let files: &[(&str, &[u8])] =
        &[("www/on/with/index.html", b"index"), ("www/on/x", b"x"), ("www/off/x", b"x")];
    let server = Live::from_file(config, files);
    assert_eq!(server.get("/on/with/").expect(200).text(), "index");
    assert_eq!(rows(server.get("/on/").expect(200).text()).len(), 2);
    server.get("/off/").expect(403);
    server.get("/on").expect(301);
    server.ask("POST /on/ HTTP/1.1\r\nHost: h\r\n\r\n").expect(405);
}

#[test]
fn a_listing_of_many_names_is_whole() {
    let server = Live::from_file(CONFIG, &[]);
    for number in 0..3000 {
        write_file(&server.path(format!("www/{number:04}-with-a-name-of-some-length")), b"");
    }
    let mut client = server.connect();
    for _ in 0..2 {
        let page = client.ask(get("/")).expect(200);
        let rows = rows(page.text());
        assert_eq!(rows.len(), 3000);
        assert!(rows.is_sorted_by(|a, b| a.name < b.name));
        assert!(page.text().trim_end().ends_with("</html>"));
    }
    let page = client.ask("GET / HTTP/1.0\r\n\r\n").expect(200);
    assert_eq!(rows(page.text()).len(), 3000);
    client.end();
}

#[test]
fn a_listing_can_be_json_in_the_form_of_nginx() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www; autoindex on;
        autoindex_format json; autoindex_localtime on; autoindex_exact_size off; }";
    let server = Live::from_file(config, &[]);
    let changed = UNIX_EPOCH + Duration::from_secs(784_111_777);
    for (name, content) in [("a\"b\\c\n", "12"), ("<b>&ü", ""), (".hidden", "x")] {
        write_file(&server.path("www/list").join(name), content.as_bytes());
    }
    let list = server.path("www/list");
    assert!(Command::new("mkfifo").arg(list.join("fifo")).status().unwrap().success());
    fs::create_dir(list.join("z")).unwrap();
    for name in ["a\"b\\c\n", "<b>&ü", "z"] {
        fs::File::open(list.join(name)).unwrap().set_modified(changed).unwrap();
    }
    fs::create_dir(server.path("www/empty")).unwrap();
    let answer = server.get("/list/").expect(200);
    assert_eq!(answer.only("content-type"), Some("application/json"));
    let time = "Sun, 06 Nov 1994 08:49:37 GMT";
    let (first, fifo) = answer.text().rsplit_once(",\r\n").unwrap();
    let expected = [
        format!(r#"{{ "name":"z", "type":"directory", "mtime":"{time}" }}"#),
        format!(r#"{{ "name":"<b>&ü", "type":"file", "mtime":"{time}", "size":0 }}"#),
        format!(r#"{{ "name":"a\"b\\c\u000a", "type":"file", "mtime":"{time}", "size":2 }}"#),
    ];
    assert_eq!(first, format!("[\r\n{}", expected.join(",\r\n")));
    assert!(fifo.starts_with(r#"{ "name":"fifo", "type":"other", "mtime":""#), "{fifo}");
    assert!(fifo.ends_with("GMT\" }\r\n]"), "{fifo}");
    assert_eq!(server.get("/empty/").expect(200).text(), "[\r\n\r\n]");
}

#[test]
fn sizes_on_the_page_are_exact_unless_told_otherwise() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www; autoindex on;
        location /round/ { autoindex_exact_size off; } }";
    let content: &[u8] = &[b'x'; 1536];
    let server =
        Live::from_file(config, &[("www/exact/file", content), ("www/round/file", content)]);
    assert!(server.get("/exact/").expect(200).text().contains(">1536</td>"));
    assert!(server.get("/round/").expect(200).text().contains(">1.5 KiB</td>"));
}

/// The time zone is the process's: the test runs itself anew in one that differs from UTC.
#[test]
fn times_on_the_page_are_utc_unless_told_otherwise() {
    const ZONE: &str = "<-0330>3:30";
    if std::env::var_os("TZ").is_none_or(|zone| zone != ZONE) {
        let own = std::env::current_exe().unwrap();
        let name = "times_on_the_page_are_utc_unless_told_otherwise";
        let status = Command::new(own).args(["--exact", name]).env("TZ", ZONE).status().unwrap();
        assert!(status.success());
        return;
    }
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www; autoindex on;
        location /local/ { autoindex_localtime on; } }";
    let server = Live::from_file(config, &[("www/utc/file", b"x"), ("www/local/file", b"x")]);
    for name in ["www/utc/file", "www/local/file"] {
        let changed = UNIX_EPOCH + Duration::from_secs(784_090_177);
        fs::File::open(server.path(name)).unwrap().set_modified(changed).unwrap();
    }
    let page = server.get("/utc/").expect(200);
    assert!(page.text().contains(">06 Nov 1994 02:49<") && page.text().contains("(UTC)"));
    let page = server.get("/local/").expect(200);
    assert!(page.text().contains(">05 Nov 1994 23:19<") && !page.text().contains("(UTC)"));
}

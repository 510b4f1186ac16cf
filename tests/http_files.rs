// SPDX-License-Identifier: MIT OR Apache-2.0
//! Static files: which file a path names, what is never reached, and how the bytes come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::server::Server;
use http::{Client, Live, get, noise, one_worker, shown, write_file};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;

const CONFIG: &str = "worker_processes 1; server { listen 127.0.0.1:0; root www; }";

fn server(files: &[(&str, &[u8])]) -> Live {
    Live::from_file(CONFIG, files)
}

/// Name of a file below the root and the target that means it.
const NAMES: &[(&str, &str)] = &[
    ("plain.txt", "/plain.txt"),
    ("plain.txt", "/plain%2Etxt"),
    ("plain.txt", "/./plain.txt"),
    ("plain.txt", "/a/../plain.txt"),
    ("plain.txt", "//plain.txt"),
    ("plain.txt", "/plain.txt?query=1"),
    ("plain.txt", "http://h/plain.txt"),
    ("a b.txt", "/a%20b.txt"),
    ("a+b.txt", "/a+b.txt"),
    ("a%20b.txt", "/a%2520b.txt"),
    ("100%.txt", "/100%25.txt"),
    ("grüße.txt", "/gr%C3%BC%C3%9Fe.txt"),
    ("grüße.txt", "/gr\u{fc}\u{df}e.txt"),
    ("日本.txt", "/%E6%97%A5%E6%9C%AC.txt"),
    ("a?b.txt", "/a%3Fb.txt"),
    ("a#b.txt", "/a%23b.txt"),
    ("a\"b'<&>.txt", "/a%22b'%3C&%3E.txt"),
    ("back\\slash.txt", "/back%5Cslash.txt"),
    ("back\\slash.txt", "/back\\slash.txt"),
    ("a\nb.txt", "/a%0Ab.txt"),
    ("b..", "/b.."),
    ("-", "/-"),
    ("deep/er/and/deeper/file", "/deep/er/and/deeper/file"),
    ("deep/er/and/deeper/file", "/deep//er///and/./deeper/x/../file"),
    ("deep/er/and/deeper/file", "/deep%2Fer/and/deeper/file"),
];

#[test]
fn a_path_names_a_file_whatever_its_spelling() {
    let server = server(&[]);
    let mut client = server.connect();
    for (name, target) in NAMES {
        write_file(&server.path("www").join(name), name.as_bytes());
        assert_eq!(client.ask(get(target)).expect(200).text(), *name, "{target}");
    }
}

/// Targets that would lead out of the root, or to nothing, and what they are answered with.
const UNREACHABLE: &[(&str, &[u16])] = &[
    ("/../secret", &[400]),
    ("/a/../../secret", &[400]),
    ("/%2e%2e/secret", &[400]),
    ("/.%2e/secret", &[400]),
    ("/%2E%2E%2Fsecret", &[400]),
    ("/..%2fsecret", &[400]),
    ("/a/%2e%2e/%2e%2e/secret", &[400]),
    ("/%252e%252e/secret", &[404]),
    ("/..%5csecret", &[404]),
    ("/..\\secret", &[404]),
    ("/%5c..%5csecret", &[404]),
    ("/%c0%ae%c0%ae/secret", &[404]),
    ("/%c0%af..%c0%afsecret", &[404]),
    ("/....//secret", &[404]),
    ("/..;/secret", &[404]),
    ("/.../secret", &[404]),
    ("//etc/passwd", &[404]),
    ("/%2fetc/passwd", &[404]),
    ("/plain%00.txt", &[400]),
    ("/%00", &[400]),
    ("/plain.txt/", &[404]),
    ("/plain.txt/x", &[404]),
    ("/plain.txt/..", &[403]),
    ("/nothing", &[404]),
    ("/PLAIN.TXT", &[404]),
    ("/plain.txt%20", &[404]),
    ("/~root", &[404]),
];

#[test]
fn nothing_outside_the_root_is_reached() {
    let server = server(&[("secret", b"SECRET"), ("www/plain.txt", b"x"), ("www/a/b", b"x")]);
    for (target, statuses) in UNREACHABLE {
        let answer = server.get(target);
        assert!(statuses.contains(&answer.status), "{target}: {}", answer.status);
        let body = answer.text();
        assert!(!body.contains("SECRET") && !body.contains("root:"), "{target}: {body}");
    }
}

#[test]
fn an_alias_without_a_slash_does_not_lead_out() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www;
        location /img { alias files/img/; } location = /one { alias files/one.txt; } }";
    let files: &[(&str, &[u8])] =
        &[("files/secret", b"SECRET"), ("files/img/a", b"a"), ("files/one.txt", b"one")];
    let server = Live::from_file(config, files);
    assert_eq!(server.get("/img/a").expect(200).text(), "a");
    assert_eq!(server.get("/one").expect(200).text(), "one");
    for target in ["/img../secret", "/img..%2fsecret", "/img../img/a", "/img..", "/img../"] {
        let answer = server.get(target);
        assert_eq!(answer.status, 404, "{target}: {answer:?}");
    }
}

#[test]
fn overlong_names_are_not_found() {
    let server = server(&[("www/x", b"x")]);
    for length in [255, 256, 1000, 4095, 4096, 8000] {
        server.get(&format!("/{}", "a".repeat(length))).expect(404);
        server.get(&format!("/{}", "a/".repeat(length / 2))).expect(404);
    }
    server.get(&format!("/{}", "a".repeat(9000))).expect(414);
}

#[test]
fn what_is_neither_file_nor_directory_is_not_found_and_hangs_nothing() {
    let server = server(&[("www/x", b"x")]);
    let www = server.path("www");
    let fifo = www.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    symlink("/dev/zero", www.join("zero")).unwrap();
    symlink("/dev/null", www.join("null")).unwrap();
    symlink("/dev/tty", www.join("tty")).unwrap();
    symlink("circle", www.join("circle")).unwrap();
    symlink("nowhere", www.join("dangling")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(www.join("socket")).unwrap();
    let mut client = server.connect();
    for name in ["fifo", "zero", "null", "tty", "circle", "dangling", "socket"] {
        client.ask(get(&format!("/{name}"))).expect(404);
        client.ask(get(&format!("/{name}/"))).expect(404);
        client.ask(format!("HEAD /{name} HTTP/1.1\r\nHost: h\r\n\r\n")).expect(404);
    }
}

#[test]
fn an_index_that_is_no_file_hangs_nothing() {
    let server = server(&[("www/x", b"x")]);
    let fifo = server.path("www/index.html");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    server.get("/").expect(403);
}

#[test]
fn symbolic_links_to_files_are_followed() {
    let server = server(&[("elsewhere/file", b"linked"), ("www/x", b"x")]);
    symlink(server.path("elsewhere"), server.path("www/link")).unwrap();
    assert_eq!(server.get("/link/file").expect(200).text(), "linked");
}

#[test]
fn names_with_a_dot_are_not_there_but_for_well_known() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www; autoindex on;
        location /on/ { dotfiles on; } location /alias/ { alias www/.hidden/; } }";
    let served = [
        (".well-known/acme-challenge/x", "/.well-known/acme-challenge/x"),
        (".hidden/x", "/alias/x"),
        ("on/.hidden", "/on/.hidden"),
        ("on/..b", "/on/..b"),
        ("on/...", "/on/..."),
        ("a.b/c.", "/a.b/c."),
    ];
    let server = Live::from_file(config, &[("www/x", b"x")]);
    let mut client = server.connect();
    for (name, target) in served {
        write_file(&server.path("www").join(name), name.as_bytes());
        assert_eq!(client.ask(get(target)).expect(200).text(), name, "{target}");
    }
    client.ask(get("/.well-known")).expect(301);
    client.ask(get("/.well-known/")).expect(200);
    for name in [
        ".hidden/x",
        ".env",
        ".well-known/.hidden",
        ".well-known.x",
        ".well-knownx/x",
        "a.b/.well-known/x",
        "..b",
        "...",
    ] {
        write_file(&server.path("www").join(name), b"HIDDEN");
        let answer = client.ask(get(&format!("/{name}"))).expect(404);
        assert!(!answer.text().contains("HIDDEN"));
    }
    for target in ["/%2Eenv", "/a/../.env", "//.env", "/.hidden", "/.hidden/", "/.%68idden/x"] {
        client.ask(get(target)).expect(404);
    }
    client.ask("POST /.env HTTP/1.1\r\nHost: h\r\n\r\n").expect(405);
}

#[test]
fn disable_symlinks_refuses_files_that_a_link_leads_to() {
    let config = "worker_processes 1; disable_symlinks on from=$document_root; autoindex on;
        server { listen 127.0.0.1:0; root www; gzip_static on;
            location /off/ { disable_symlinks off; }
            location /whole/ { disable_symlinks on; alias way/files/; }
            location /from/ { disable_symlinks on from=way; alias way/files/; } }";
    let files: &[(&str, &[u8])] = &[
        ("secret/file", b"linked"),
        ("secret/index.html", b"linked"),
        ("www/a/b/plain", b"plain"),
        ("www/plain", b"plain"),
        ("www/page", b"page"),
        ("www/off/x", b"x"),
        ("there/files/file", b"behind"),
    ];
    let server = Live::from_file(config, files);
    let link = |to: &str, name: &str| symlink(server.path(to), server.path(name)).unwrap();
    link("secret", "www/folder");
    link("secret/file", "www/a/b/link");
    link("secret/file", "www/off/link");
    link("secret/file", "www/page.gz");
    link("there", "way");
    symlink("index", server.path("www/a/index.html")).unwrap();
    symlink("circle", server.path("www/circle")).unwrap();
    let mut client = server.connect();
    for (target, status) in [
        ("/plain", 200),
        ("/a/b/plain", 200),
        ("/a/b/", 200),
        ("/a/b", 301),
        ("/off/link", 200),
        ("/from/file", 200),
        ("/folder/file", 403),
        ("/folder/", 403),
        ("/folder", 403),
        ("/a/b/link", 403),
        ("/circle", 403),
        ("/whole/file", 403),
        ("/nothing", 404),
        ("/plain/", 404),
        ("/plain/x", 404),
    ] {
        let answer = client.ask(get(target));
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        assert!(answer.status == 200 || !answer.text().contains("linked"), "{target}");
    }
    let coded = "GET /page HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n";
    assert_eq!(client.ask(coded).expect(200).text(), "page", "a twin that is a link is none");
    let listing = client.ask(get("/a/b/")).expect(200);
    assert!(listing.text().contains("plain") && !listing.text().contains("\"link\""));
}

#[test]
fn if_not_owner_follows_links_to_what_their_owner_has() {
    let config = "worker_processes 1; disable_symlinks if_not_owner; autoindex on;
        server { listen 127.0.0.1:0; root www; }";
    let server =
        Live::from_file(config, &[("own/file", b"own"), ("other/file", b"x"), ("www/x", b"x")]);
    symlink(server.path("own"), server.path("www/own")).unwrap();
    symlink(server.path("own/file"), server.path("www/link")).unwrap();
    symlink(server.path("other"), server.path("www/other")).unwrap();
    symlink(server.path("other/file"), server.path("www/others")).unwrap();
    assert_eq!(server.get("/own/file").expect(200).text(), "own");
    assert_eq!(server.get("/link").expect(200).text(), "own");
    for name in ["other", "other/file"] {
        if chown(server.path(name), Some(65534), None).is_err() {
            println!("skipped: this user may not give files away");
            return;
        }
    }
    server.get("/other/file").expect(403);
    server.get("/others").expect(403);
    server.get("/own/file").expect(200);
    let listing = server.get("/").expect(200);
    assert!(listing.text().contains("\"own/\"") && !listing.text().contains("\"other"));
}

#[test]
fn unreadable_files_are_forbidden() {
    let server = server(&[("www/closed", b"x"), ("www/folder/index.html", b"x")]);
    let forbid = |name: &str| {
        fs::set_permissions(server.path(name), fs::Permissions::from_mode(0o000)).unwrap();
    };
    forbid("www/closed");
    if File::open(server.path("www/closed")).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    server.get("/closed").expect(403);
    forbid("www/folder");
    server.get("/folder/index.html").expect(403);
    fs::set_permissions(server.path("www/folder"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_directory_is_answered_with_its_index() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www; index a.html b.html;
        location /rooted/ { index /top.txt; } location /default/ { index index.html; } }";
    let server = Live::from_file(
        config,
        &[
            ("www/both/a.html", b"a"),
            ("www/both/b.html", b"b"),
            ("www/second/b.html", b"b"),
            ("www/none/c.html", b"c"),
            ("www/rooted/x", b"x"),
            ("www/top.txt", b"top"),
            ("www/default/index.html", b"i"),
        ],
    );
    fs::create_dir_all(server.path("www/folder/a.html")).unwrap();
    for (target, text) in [
        ("/both/", "a"),
        ("/both/?query", "a"),
        ("/second/", "b"),
        ("/rooted/", "top"),
        ("/default/", "i"),
    ] {
        assert_eq!(server.get(target).expect(200).text(), text, "{target}");
    }
    assert_eq!(server.get("/both/").only("content-type"), Some("text/html"));
    server.get("/none/").expect(403);
    server.get("/folder/").expect(403);
}

#[test]
fn a_directory_without_its_slash_is_redirected() {
    let server = server(&[]);
    for (folder, target, location) in [
        ("plain", "/plain", "/plain/"),
        ("plain", "/plain?a=b&c=%20", "/plain/?a=b&c=%20"),
        ("plain", "/plain?", "/plain/?"),
        ("a b", "/a%20b", "/a%20b/"),
        ("grün", "/gr%C3%BCn", "/gr%C3%BCn/"),
        ("100%", "/100%25", "/100%25/"),
        ("a?b#c", "/a%3Fb%23c", "/a%3Fb%23c/"),
        ("a\r\nX: y", "/a%0D%0AX:%20y", "/a%0D%0AX%3A%20y/"),
        ("deep/er", "/deep//er", "/deep/er/"),
        ("evil.example", "//evil.example", "/evil.example/"),
    ] {
        fs::create_dir_all(server.path("www").join(folder)).unwrap();
        let answer = server.get(target).expect(301);
        let found = answer.only("location").unwrap();
        assert_eq!(found, format!("http://h{location}"), "{target}");
        assert!(answer.only("content-type").unwrap().starts_with("text/html"));
    }
    let answer = server.ask("GET /plain HTTP/1.0\r\n\r\n").expect(301);
    assert!(answer.only("location").unwrap().ends_with("/plain/"), "{answer:?}");
    let answer = server.ask("GET /plain HTTP/1.1\r\nHost: h:8080\r\n\r\n").expect(301);
    assert_eq!(answer.only("location"), Some("http://h:8080/plain/"));
    let answer = server.ask("GET http://other/plain HTTP/1.1\r\nHost: h\r\n\r\n").expect(301);
    assert_eq!(answer.only("location"), Some("http://other/plain/"));
}

#[test]
fn the_type_is_told_by_the_extension() {
    let config = "worker_processes 1; dotfiles on; server { listen 127.0.0.1:0; root www; }";
    let server = Live::from_file(config, &[]);
    for (name, expected) in [
        ("a.html", "text/html"),
        ("a.HTM", "text/html"),
        ("a.css", "text/css"),
        ("a.js", "text/javascript"),
        ("a.json", "application/json"),
        ("a.txt", "text/plain"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.woff2", "font/woff2"),
        ("a.pdf", "application/pdf"),
        ("a.wasm", "application/wasm"),
        ("a.b.gz", "application/gzip"),
        ("a.unheard-of", "application/octet-stream"),
        ("noextension", "application/octet-stream"),
        (".html", "application/octet-stream"),
    ] {
        write_file(&server.path("www").join(name), b"x");
        let answer = server.get(&format!("/{name}")).expect(200);
        assert_eq!(answer.only("content-type"), Some(expected), "{name}");
    }
}

#[test]
fn files_of_every_size_come_byte_for_byte() {
    let server = server(&[]);
    let inline = 16 * 1024;
    let mut client = server.connect();
    for size in [0, 1, 2, inline - 1, inline, inline + 1, 65_535, 65_536, 65_537, 1_048_577] {
        let content = noise(size);
        write_file(&server.path("www/file"), &content);
        let answer = client.ask(get("/file")).expect(200);
        assert_eq!(answer.only("content-length"), Some(size.to_string().as_str()));
        assert!(answer.body == content, "{size}");
        let head = client.ask("HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n").expect(200);
        assert_eq!(head.only("content-length"), Some(size.to_string().as_str()));
    }
}

#[test]
fn a_large_file_comes_byte_for_byte_to_a_slow_reader() {
    let content = noise(10 * 1024 * 1024);
    let server = server(&[("www/large", &content)]);
    let mut slow = Client::connect_with(&server.address, |socket| {
        socket.set_recv_buffer_size(4096).unwrap();
    });
    slow.send(get("/large").repeat(2));
    let mut others: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    for client in &mut others {
        client.send(get("/large"));
    }
    for client in &mut others {
        assert!(client.answer().expect(200).body == content);
    }
    for _ in 0..2 {
        assert!(slow.answer().expect(200).body == content);
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_closes_the_connection() {
    let size = 32 * 1024 * 1024;
    let server = server(&[("www/large", &noise(size)), ("www/x", b"x")]);
    let mut client = Client::connect_with(&server.address, |socket| {
        socket.set_recv_buffer_size(4096).unwrap();
    });
    client.send(get("/large") + &get("/x"));
    assert_eq!(client.answer_to_head().expect(200).only("content-length"), Some("33554432"));
    OpenOptions::new().write(true).open(server.path("www/large")).unwrap().set_len(10).unwrap();
    let rest = client.rest_or_reset();
    assert!(rest.len() < size && !rest.ends_with(b"\r\n\r\nx"), "{}", shown(&rest));
    assert_eq!(server.get("/x").expect(200).text(), "x");
}

#[test]
fn a_file_that_changes_or_goes_is_seen_so_at_once() {
    let server = server(&[("www/file", b"old")]);
    let mut client = server.connect();
    assert_eq!(client.ask(get("/file")).expect(200).text(), "old");
    fs::write(server.path("www/file"), b"newer").unwrap();
    assert_eq!(client.ask(get("/file")).expect(200).text(), "newer");
    fs::remove_file(server.path("www/file")).unwrap();
    client.ask(get("/file")).expect(404);
}

#[test]
fn files_can_be_asked_for_with_get_and_head_only() {
    let server = server(&[("www/file", b"x")]);
    let mut client = server.connect();
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
        let answer = client.ask(format!("{method} /file HTTP/1.1\r\nHost: h\r\n\r\n")).expect(405);
        assert_eq!(answer.only("allow"), Some("GET, HEAD, OPTIONS"), "{method}");
    }
    let answer = client.ask("OPTIONS /file HTTP/1.1\r\nHost: h\r\n\r\n").expect(204);
    assert_eq!(answer.only("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(client.ask(get("/file")).expect(200).text(), "x");
}

#[test]
fn a_directory_is_served_under_a_prefix_by_a_call() {
    let folder = tempfile::tempdir().unwrap();
    write_file(&folder.path().join("a.txt"), b"a");
    write_file(&folder.path().join("index.html"), b"index");
    let server = Server::new(one_worker()).unwrap();
    server.listen("127.0.0.1:0").unwrap();
    server.serve_directory("/files/", folder.path()).unwrap();
    server.start().unwrap();
    let mut client = Client::connect(&server.address(0).unwrap());
    assert_eq!(client.ask(get("/files/a.txt")).expect(200).text(), "a");
    assert_eq!(client.ask(get("/files/")).expect(200).text(), "index");
    let answer = client.ask(get("/files")).expect(301);
    assert!(answer.only("location").unwrap().ends_with("/files/"));
    client.ask(get("/a.txt")).expect(404);
    client.ask(get("/files/../a.txt")).expect(404);
    client.ask(get("/filesx")).expect(404);
}

#[test]
fn a_directory_that_cannot_be_served_is_an_error() {
    let server = Server::new(one_worker()).unwrap();
    let error = server.serve_directory("/x", "/no/such/folder".as_ref()).unwrap_err();
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
    let error = server.serve_directory("x", "/".as_ref()).unwrap_err();
    assert!(error.to_string().contains("'/'"), "{error}");
}

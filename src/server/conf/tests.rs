// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole files: what bad ones are told, what good ones become, and that no text does harm.

use super::directives::definitions;
use super::schema::{Action, Places};
use super::{load, parse};
use crate::error::{ErrorKind, Result};
use crate::http::method::{Method, MethodSet};
use crate::http::status::Status;
use crate::server::config::{
    CacheBounds, Config, ErrorPage, FileCaching, Matcher, Part, Return, ServerName, Settings,
    Template, Variable,
};
use crate::server::limits;
use crate::server::options::AcceptPolicy;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn data(name: &str) -> PathBuf {
    Path::new("tests/data/conf").join(name)
}

fn read(text: &str) -> Result<Config> {
    parse(text, Path::new("/etc/evl/evl.conf"))
}

/// The settings of the one location in the text's one server.
fn location(text: &str) -> Settings {
    let config = read(text).unwrap();
    Settings::clone(&config.servers[0].locations.last().unwrap().settings)
}

/// `tests/data/conf/bad.txt` has a heading, a file and its error for each case. With
/// `EVL_REWRITE=1` the errors are written anew.
#[test]
fn bad_files_are_told_what_is_wrong() {
    let path = data("bad.txt");
    let written = std::fs::read_to_string(&path).unwrap();
    let mut expected = String::new();
    for case in written.split("== ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (text, _) = rest.split_once("--\n").unwrap();
        let error = parse(text, &data("bad.conf")).expect_err(title);
        assert_eq!(error.kind(), ErrorKind::Config, "{title}");
        writeln!(expected, "== {title}\n{text}--\n{error}").unwrap();
    }
    if std::env::var_os("EVL_REWRITE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    for (expected, written) in expected.split("== ").zip(written.split("== ")) {
        assert_eq!(expected, written);
    }
}

#[test]
fn a_file_of_both_servers_becomes_the_model() {
    let config = load(&data("common.conf")).unwrap();
    assert_eq!(config.workers, Some(2));
    let addresses = |index: usize| -> Vec<String> {
        let server = config.servers.get(index).unwrap();
        server.listens.iter().map(|listen| listen.address.to_string()).collect()
    };
    assert_eq!(config.servers.len(), 3, "two of them from the folder, the hidden file left out");
    assert_eq!(addresses(0), ["127.0.0.1:18081"]);
    assert_eq!(config.servers[1].names, [ServerName::Exact("b.example.org".to_owned())]);
    assert_eq!(addresses(2), ["127.0.0.1:18080", "[::1]:18080"]);

    let server = &config.servers[2];
    let folder = std::path::absolute(data("")).unwrap();
    assert!(server.listens[0].default_server && !server.listens[1].default_server);
    assert_eq!((server.listens[0].backlog, server.listens[1].backlog), (64, limits::BACKLOG));
    assert_eq!(server.names.len(), 5);
    let settings = &*server.settings;
    assert_eq!(settings.root, folder.join("site root"));
    assert_eq!(settings.access_log, Some(folder.join("access.log")));
    let open_files = FileCaching {
        bounds: Some(CacheBounds { max: 200, inactive: Duration::from_secs(20) }),
        valid: Duration::from_secs(30),
        min_uses: 2,
        errors: true,
    };
    assert_eq!(settings.open_files, open_files);
    assert_eq!(settings.header_timeout, Duration::from_secs(10));
    assert_eq!(settings.body_timeout, Duration::from_millis(500));
    assert_eq!(settings.send_timeout, Duration::from_secs(90));
    assert_eq!(settings.keepalive_timeout, Duration::ZERO);
    assert_eq!((settings.max_request_line, settings.max_header_block), (16384, 32768));
    assert_eq!(settings.error_pages.len(), 2);

    let paths: Vec<&str> = server.locations.iter().map(|at| at.matcher.path()).collect();
    let expected = ["/", "/files/", "/files/private/", "/upload", "/old", "/text", "/gone"];
    assert_eq!(paths, expected);
    assert_eq!(server.locations[0].matcher, Matcher::Exact("/".to_owned()));
    let alias = folder.join("files/").into_os_string();
    assert_eq!(server.locations[1].settings.alias.as_ref().unwrap().as_os_str(), alias);
    let upload = MethodSet::EMPTY.with(Method::Get).with(Method::Head).with(Method::Post);
    assert_eq!(server.locations[3].settings.limit_except, Some(upload));
    let text = server.locations[5].settings.answer.as_ref().unwrap();
    let parts = [
        Part::Literal("it's \"".to_owned()),
        Part::Variable(Variable::RequestMethod),
        Part::Literal("\" { } ;\n".to_owned()),
    ];
    assert_eq!(text.text, Template(parts.to_vec()));
}

#[test]
fn nginx_takes_that_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::path::absolute(data("common.conf")).unwrap();
    let pid = format!("pid {};", folder.path().join("nginx.pid").display());
    let logs = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("nginx")
        .args(["-t", "-e", "stderr", "-g", &pid, "-c"])
        .arg(&file)
        .arg("-p")
        .arg(logs.path())
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && !said.contains("[warn]"), "{said}");
        }
        Err(error) => println!("skipped: nginx is not there to ask: {error}"),
    }
}

#[test]
fn a_block_inherits_whatever_the_order() {
    let config = read(
        "http { server { location / { location /in { } } index b; listen 80; } index a; root /r; }
         autoindex on;",
    )
    .unwrap();
    for settings in [&config.servers[0].settings, &config.servers[0].locations[1].settings] {
        assert_eq!(settings.index, ["b"]);
        assert_eq!(settings.root, Path::new("/r"));
        assert!(settings.autoindex.on);
    }
}

#[test]
fn lists_replace_what_was_inherited_and_grow_within_a_block() {
    let settings = location(
        "index a; error_page 404 /a;
         server { listen 80; location / { index b; index c d; error_page 404 500 =200 /b;
         error_page 502 http://x/; } }",
    );
    assert_eq!(settings.index, ["b", "c", "d"]);
    let code = |code| Status::new(code).unwrap();
    let expected = [
        ErrorPage {
            codes: vec![code(404), code(500)],
            status: Some(code(200)),
            target: "/b".to_owned(),
        },
        ErrorPage { codes: vec![code(502)], status: None, target: "http://x/".to_owned() },
    ];
    assert_eq!(settings.error_pages, expected);
}

#[test]
fn an_inner_location_extends_alias_and_drops_return_and_limit_except() {
    let outer = "return 200; limit_except GET { deny all; } alias /x/; allow_methods POST;";
    let text = |inner: &str| {
        format!("server {{ listen 80; location /a/ {{ {outer} location {inner} }} }}")
    };
    let settings = location(&text("/a/b/ { }"));
    assert_eq!(settings.alias, Some(PathBuf::from("/x/b/")));
    assert_eq!((settings.answer, settings.limit_except), (None, None));
    assert_eq!(settings.allow_methods, Some(MethodSet::EMPTY.with(Method::Post)));
    let settings = location(&text("= /a/b { root /r; }"));
    assert_eq!((settings.alias, settings.root), (None, PathBuf::from("/r")));
}

#[test]
fn a_return_of_the_server_answers_for_its_locations() {
    let settings = location("server { location / { return 201; } return 410; listen 80; }");
    let gone = Return { status: Status::new(410).unwrap(), text: Template::default() };
    assert_eq!(settings.answer, Some(gone));
}

#[test]
fn the_first_rule_of_limit_except_decides() {
    let limited = |rules: &str| {
        let text =
            format!("server {{ listen 80; location / {{ limit_except get {{ {rules} }} }} }}");
        location(&text).limit_except.is_some()
    };
    assert!(limited("deny all;") && limited("deny all; allow all;"));
    assert!(!limited("") && !limited("allow all;") && !limited("allow all; deny all;"));
}

#[test]
fn addresses_are_written_as_in_nginx() {
    let table = [
        ("80", "0.0.0.0:80"),
        ("0", "0.0.0.0:0"),
        ("*:81", "0.0.0.0:81"),
        ("*", "0.0.0.0:80"),
        ("127.0.0.1", "127.0.0.1:80"),
        ("localhost:82", "127.0.0.1:82"),
        ("127.0.0.1:82", "127.0.0.1:82"),
        ("[::]:83", "[::]:83"),
        ("[::1]", "[::1]:80"),
        ("unix:/run/a:b", "unix:/run/a:b"),
        ("unix:a", "unix:/etc/evl/a"),
    ];
    for (text, expected) in table {
        let config = read(&format!("server {{ listen {text}; }}")).unwrap();
        assert_eq!(config.servers[0].listens[0].address.to_string(), expected, "{text}");
    }
    let long = format!("server {{ listen unix:/{}; }}", "x".repeat(200));
    assert!(read(&long).unwrap_err().to_string().contains("cannot be a socket"));
}

#[test]
fn a_backlog_is_its_address_s() {
    let config =
        read("server { listen 80; listen 81; server_name a; } server { listen 80 backlog=7; }")
            .unwrap();
    let backlogs = config.servers[0].listens.iter().map(|listen| listen.backlog);
    assert_eq!(backlogs.collect::<Vec<_>>(), [7, limits::BACKLOG]);
}

#[test]
fn a_return_is_a_code_with_text_or_url_or_a_url() {
    let answer = |text: &str| {
        let text = format!("server {{ listen 80; location / {{ return {text}; }} }}");
        let answer = location(&text).answer.unwrap();
        (answer.status.code(), answer.is_redirect(), answer.text.0.len())
    };
    assert_eq!(answer("204"), (204, false, 0));
    assert_eq!(answer("444"), (444, false, 0));
    assert_eq!(answer("404 'not $uri'"), (404, false, 2));
    assert_eq!(answer("308 /x"), (308, true, 1));
    assert_eq!(answer("https://x${uri}y"), (302, true, 3));
    assert_eq!(answer("$scheme://x"), (302, true, 2));
}

#[test]
fn what_the_table_calls_the_default_is_the_default() {
    let config = |extra: &str| read(&format!("{extra} server {{ listen 80; }}")).unwrap();
    let plain = config("");
    assert_eq!(plain.servers[0].settings.root, Path::new("/etc/evl/html"));
    for definition in definitions() {
        let Some(default) = definition.default else { continue };
        let line = format!("{} {default};", definition.name);
        let spelled = match definition.places.contains(Places::HTTP) {
            true => config(&line),
            false if matches!(definition.action, Action::Main(_)) => config(&line),
            false => read(&format!("server {{ listen 80; {line} }}")).unwrap(),
        };
        assert_eq!(spelled.workers.unwrap_or(1), 1, "{line}");
        assert_eq!(spelled.worker_connections.unwrap_or(0), 0, "{line}");
        assert_eq!(spelled.accept_policy.unwrap_or_default(), AcceptPolicy::ReusePort, "{line}");
        assert_eq!(spelled.servers[0].names, plain.servers[0].names, "{line}");
        assert_eq!(spelled.servers[0].settings, plain.servers[0].settings, "{line}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let message = |text: &str| read(text).unwrap_err().to_string();
    let deep = "location / { ".repeat(100_000);
    assert!(message(&deep).contains("blocks are nested more than 32 deep"));
    assert!(message(&"{".repeat(100_000)).contains("there is no directive"));

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let message = |path: &Path| load(path).unwrap_err().to_string();
    let large = file("large", &vec![b' '; limits::CONFIG_SIZE + 1]);
    assert!(message(&large).contains("all files together"), "{}", message(&large));
    file("half", &vec![b' '; limits::CONFIG_SIZE / 2]);
    let twice = file("twice", b"include half;\ninclude half;");
    assert!(message(&twice).contains("twice:2:9: cannot read"), "{}", message(&twice));
    for depth in 0..=limits::INCLUDE_DEPTH {
        file(&format!("f{depth}"), format!("include f{};", depth + 1).as_bytes());
    }
    file(&format!("f{}", limits::INCLUDE_DEPTH), b"server { listen 80; }");
    assert!(load(&folder.path().join("f0")).is_ok());
    let chain = file("chain", b"include f0;");
    assert!(message(&chain).contains("more than 16 deep"), "{}", message(&chain));
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evl.conf");
    let message = |path: &Path| {
        let error = load(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string().replace(&*folder.path().to_string_lossy(), "")
    };
    assert!(message(&path).starts_with("cannot read /evl.conf: No such file"));
    assert!(message(folder.path()).starts_with("cannot read : Is a directory"));
    std::fs::write(&path, b"# \xff\n").unwrap();
    assert!(message(&path).starts_with("/evl.conf:1:3: the file has a byte that is not UTF-8"));
    std::fs::write(&path, b"root a\0b;").unwrap();
    assert!(message(&path).starts_with("/evl.conf:1:7: the file has a NUL byte here"));
}

/// Pieces that make a text likely to come far before it is refused.
fn pieces() -> impl Strategy<Value = String> {
    let names = definitions().map(|definition| definition.name);
    let grammar = ["{", "}", ";", ";", "{", "}", "\"", "'", "\\", "$", "#", "\n", " "];
    let values = ["=", "^~", "/", "/a", "80", "on", "off", "all", "GET", "1m30s", "4 8k", "200"];
    let includes = ["tests/data/conf/*.conf", "[", "*", "=404", "unix:", ":", "[::]", "*.", "é"];
    let all: Vec<&str> = names
        .filter(|name| *name != "include")
        .chain(grammar)
        .chain(values)
        .chain(includes)
        .collect();
    proptest::collection::vec(proptest::sample::select(all), 0..40)
        .prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_does_harm(text in "\\PC*") {
        check_harmless(&text);
    }

    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_harmless(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_directives_do_harm(text in pieces()) {
        check_harmless(&text);
        check_harmless(&format!("server {{ listen 80; {text} }}"));
        check_harmless(&format!("server {{ listen 80; location / {{ {text} }} }}"));
    }
}

/// A configuration has a server, each with an address; an error says so and where.
fn check_harmless(text: &str) {
    match read(text) {
        Ok(config) => {
            assert!(!config.servers.is_empty());
            assert!(config.servers.iter().all(|server| !server.listens.is_empty()));
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with("/etc/evl/evl.conf:"), "{error}");
        }
    }
}

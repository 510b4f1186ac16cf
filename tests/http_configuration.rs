// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a configuration file makes a server answer: one test for each directive or two.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use http::{Live, get, shown, text};
use std::fs;

/// A server whose `server` block has these lines, and these files below its folder.
fn server(block: &str, files: &[(&str, &[u8])]) -> Live {
    let config = format!("worker_processes 1; server {{ listen 127.0.0.1:0; root www; {block} }}");
    Live::from_file(&config, files)
}

#[test]
fn error_page_sends_a_file_with_the_status_of_the_error() {
    let server = server(
        "error_page 404 /404.html; error_page 403 405 /errors/denied.txt;",
        &[("www/404.html", b"not here"), ("www/errors/denied.txt", b"denied")],
    );
    let mut client = server.connect();
    let answer = client.ask(get("/nothing")).expect(404);
    assert_eq!(answer.text(), "not here");
    assert_eq!(answer.only("content-type"), Some("text/html"));
    assert_eq!(answer.only("last-modified"), None);
    assert_eq!(client.ask(get("/errors/")).expect(403).text(), "denied");
    let answer = client.ask("POST /404.html HTTP/1.1\r\nHost: h\r\n\r\n").expect(405);
    assert_eq!((answer.text(), answer.only("allow")), ("denied", Some("GET, HEAD, OPTIONS")));
    let head = client.ask("HEAD /nothing HTTP/1.1\r\nHost: h\r\n\r\n").expect(404);
    assert_eq!(head.only("content-length"), Some("8"));
    assert_eq!(client.ask(get("/404.html")).expect(200).text(), "not here");
}

#[test]
fn error_page_is_whole_whatever_the_request_asked_of_the_missing_file() {
    let server = server("error_page 404 /404.html;", &[("www/404.html", b"not here")]);
    let fields = "Range: bytes=0-1\r\nIf-None-Match: *\r\nIf-Match: \"x\"\r\n";
    let request = format!("GET /nothing HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    assert_eq!(server.ask(request).expect(404).text(), "not here");
}

#[test]
fn error_page_changes_the_status_or_redirects() {
    let server = server(
        "error_page 404 =200 /empty.html; location /moved/ { error_page 404 http://h2/x; }
         location /other/ { error_page 404 =301 https://h2/y; }",
        &[("www/empty.html", b"fine")],
    );
    assert_eq!(server.get("/nothing").expect(200).text(), "fine");
    let answer = server.get("/moved/x").expect(302);
    assert_eq!(answer.only("location"), Some("http://h2/x"));
    let answer = server.get("/other/x").expect(301);
    assert_eq!(answer.only("location"), Some("https://h2/y"));
}

#[test]
fn error_page_that_is_missing_falls_back_to_the_built_in_page() {
    let server = server(
        "error_page 404 /also/missing.html; error_page 403 /folder/;",
        &[("www/folder/x", b"x")],
    );
    assert!(server.get("/nothing").expect(404).text().contains("404"));
    assert!(server.get("/folder/").expect(403).text().contains("403"));
}

#[test]
fn error_page_whose_location_fails_as_well_ends() {
    let server = server(
        "error_page 404 403 500 /e; location = /e { return 404; } location /f { return 403; }",
        &[("www/x", b"x")],
    );
    server.get("/nothing").expect(404);
    server.get("/e").expect(404);
    server.get("/f").expect(403);
    server.get("/x").expect(200);
}

#[test]
fn error_page_goes_through_the_location_of_its_path() {
    let server = server(
        "error_page 404 /errors/404.txt; error_page 403 /said;
         location /errors/ { alias elsewhere/; } location = /said { return 200 said; }",
        &[("elsewhere/404.txt", b"elsewhere"), ("www/folder/x", b"x")],
    );
    assert_eq!(server.get("/nothing").expect(404).text(), "elsewhere");
    assert_eq!(server.get("/folder/").expect(403).text(), "said");
}

#[test]
fn error_page_holds_for_a_body_that_is_too_large() {
    let server = server(
        "client_max_body_size 10; error_page 413 /large.txt;",
        &[("www/large.txt", b"too much")],
    );
    let request = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n";
    let answer = server.ask(request).expect(413);
    assert_eq!(answer.text(), "too much");
    assert!(answer.closes());
}

#[test]
fn return_gives_a_text_a_redirect_or_a_page() {
    let server = server(
        "location = /text { return 200 'some text'; } location = /empty { return 200; }
         location = /teapot { return 418; } location = /gone { return 410 'it went'; }
         location = /none { return 204; } location = /moved { return 301 /new?x=1; }
         location = /found { return http://h2/; } location = /other { return 303 /o; }
         location = /kept { return 308 /k; } location = /odd { return 799 odd; }",
        &[],
    );
    let mut client = server.connect();
    let answer = client.ask(get("/text")).expect(200);
    assert_eq!((answer.text(), answer.only("content-type")), ("some text", Some("text/plain")));
    assert_eq!(client.ask(get("/empty")).expect(200).text(), "");
    assert!(client.ask(get("/teapot")).expect(418).text().contains("418"));
    assert_eq!(client.ask(get("/gone")).expect(410).text(), "it went");
    assert!(client.ask(get("/none")).expect(204).body.is_empty());
    assert_eq!(client.ask(get("/odd")).expect(799).text(), "odd");
    for (target, status, location) in [
        ("/moved", 301, "/new?x=1"),
        ("/found", 302, "http://h2/"),
        ("/other", 303, "/o"),
        ("/kept", 308, "/k"),
    ] {
        let answer = client.ask(get(target)).expect(status);
        assert!(answer.only("location").unwrap().ends_with(location), "{answer:?}");
    }
    let post = "POST /text HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(client.ask(post).expect(200).text(), "some text");
    assert_eq!(client.ask(get("/text")).expect(200).text(), "some text");
}

#[test]
fn return_444_closes_without_a_word() {
    let server = server("location = /quiet { return 444; }", &[("www/x", b"x")]);
    let mut client = server.connect();
    client.ask(get("/x")).expect(200);
    client.send(get("/quiet") + &get("/x"));
    client.end();
}

#[test]
fn return_fills_in_variables() {
    let server = server(
        "server_name first.example second.example; location / { return 200
         '$request_method|$scheme|$host|$http_host|$server_name|$uri|$request_uri|$args|$is_args|$query_string|$remote_addr|${uri}x'; }",
        &[],
    );
    let ask = |request: &str| server.ask(request).expect(200).text().to_owned();
    assert_eq!(
        ask("GET /a%20b/../c?d=%41 HTTP/1.1\r\nHost: SECOND.example:81\r\n\r\n"),
        "GET|http|second.example|SECOND.example:81|first.example|/c|/a%20b/../c?d=%41|d=%41|?|d=%41|127.0.0.1|/cx"
    );
    assert_eq!(
        ask("GET / HTTP/1.0\r\n\r\n"),
        "GET|http|first.example||first.example|/|/||||127.0.0.1|/x"
    );
}

#[test]
fn return_knows_the_port() {
    let server = server("location / { return 200 $server_port; }", &[]);
    let port = server.address.rsplit_once(':').unwrap().1;
    assert_eq!(server.get("/").expect(200).text(), port);
}

#[test]
fn a_redirect_with_variables_cannot_be_split() {
    let server = server("location / { return 302 http://h2$uri; }", &[]);
    let answer = server.get("/a%0D%0ASet-Cookie:%20x=y%0D%0A%0D%0Ab").expect(302);
    assert_eq!(answer.only("set-cookie"), None);
    assert!(answer.only("location").unwrap().starts_with("http://h2/a"), "{answer:?}");
}

#[test]
fn a_server_wide_return_answers_for_all_locations() {
    let server = server("return 301 https://h2$request_uri; location /x { }", &[("www/x", b"x")]);
    for target in ["/", "/x", "/y?z"] {
        let answer = server.get(target).expect(301);
        assert_eq!(answer.only("location").unwrap(), format!("https://h2{target}"));
    }
}

#[test]
fn the_most_specific_location_answers() {
    let server = server(
        "location / { return 200 root; } location = / { return 200 exact; }
         location /a { return 200 a; } location /a/ { return 200 a/;
           location /a/b { return 200 a/b; location = /a/b/c { return 200 c; } } }
         location ^~ /a/d { return 200 d; } location '/sp ace' { return 200 space; }",
        &[],
    );
    let mut client = server.connect();
    for (target, text) in [
        ("/", "exact"),
        ("/?x", "exact"),
        ("/x", "root"),
        ("/a", "a"),
        ("/ax", "a"),
        ("/a/", "a/"),
        ("/a/x", "a/"),
        ("/a/b", "a/b"),
        ("/a/bx", "a/b"),
        ("/a/b/c", "c"),
        ("/a/b/c/", "a/b"),
        ("/a/d", "d"),
        ("/%61/%62", "a/b"),
        ("/x/../a/b", "a/b"),
        ("//a///b", "a/b"),
        ("/sp%20ace", "space"),
        ("/A", "root"),
    ] {
        assert_eq!(client.ask(get(target)).expect(200).text(), text, "{target}");
    }
}

#[test]
fn alias_replaces_the_prefix_and_root_is_appended_to() {
    let server = server(
        "location /alias/ { alias one/; location /alias/inner/ { autoindex on; } }
         location /two/ { root other; } location = /exact { alias one/file; }",
        &[
            ("one/file", b"aliased"),
            ("one/inner/file", b"inner"),
            ("other/two/file", b"rooted"),
            ("www/file", b"plain"),
        ],
    );
    for (target, text) in [
        ("/alias/file", "aliased"),
        ("/alias/inner/file", "inner"),
        ("/two/file", "rooted"),
        ("/exact", "aliased"),
        ("/file", "plain"),
    ] {
        assert_eq!(server.get(target).expect(200).text(), text, "{target}");
    }
    assert!(server.get("/alias/inner/").expect(200).text().contains("href=\"file\""));
    let answer = server.get("/alias/inner").expect(301);
    assert_eq!(answer.only("location"), Some("http://h/alias/inner/"));
}

#[test]
fn limit_except_answers_403_and_allow_methods_405() {
    let server = server(
        "location /read/ { limit_except GET { deny all; } }
         location /open/ { limit_except GET { allow all; deny all; } }
         location /only/ { allow_methods GET; } location /none/ { allow_methods POST DELETE; }",
        &[("www/read/x", b"x"), ("www/open/x", b"x"), ("www/only/x", b"x"), ("www/none/x", b"x")],
    );
    let mut client = server.connect();
    let mut ask = |method: &str, target: &str| {
        client.ask(format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n"))
    };
    for method in ["GET", "HEAD"] {
        ask(method, "/read/x").expect(200);
        ask(method, "/open/x").expect(200);
        ask(method, "/only/x").expect(200);
        ask(method, "/none/x").expect(405);
    }
    for method in ["POST", "DELETE", "OPTIONS", "PUT"] {
        let answer = ask(method, "/read/x").expect(403);
        assert_eq!(answer.only("allow"), None);
    }
    let answer = ask("POST", "/only/x").expect(405);
    assert_eq!(answer.only("allow"), Some("GET, HEAD, OPTIONS"));
    ask("POST", "/open/x").expect(405);
}

#[test]
fn allow_methods_holds_before_a_file_is_looked_for() {
    let server = server("location / { allow_methods GET; }", &[]);
    server.ask("DELETE /missing HTTP/1.1\r\nHost: h\r\n\r\n").expect(405);
}

const HOSTS: &str = "worker_processes 1;
    server { listen 127.0.0.1:0; server_name other; return 200 first; }
    server { listen 127.0.0.1:0 default_server; server_name _; return 200 default; }
    server { listen 127.0.0.1:0; server_name one.example; return 200 one; }
    server { listen 127.0.0.1:0; server_name *.example; return 200 star; }
    server { listen 127.0.0.1:0; server_name *.deep.example; return 200 deep; }
    server { listen 127.0.0.1:0; server_name www.*; return 200 www; }
    server { listen 127.0.0.1:0; server_name .both; return 200 both; }
    server { listen 127.0.0.1:0; server_name ''; return 200 nameless; }
    server { listen 127.0.0.1:0; server_name [::1] 10.0.0.1; return 200 address; }";

#[test]
fn the_host_chooses_the_virtual_server() {
    let server = Live::from_file(HOSTS, &[]);
    let mut client = server.connect();
    for (host, text) in [
        ("one.example", "one"),
        ("ONE.Example:81", "one"),
        ("one.example.", "one"),
        ("two.example", "star"),
        ("a.b.example", "star"),
        ("a.deep.example", "deep"),
        ("example", "default"),
        ("www.anything", "www"),
        ("www.example", "star"),
        ("both", "both"),
        ("x.both", "both"),
        ("nobody", "default"),
        ("_", "default"),
        ("other", "first"),
        ("[::1]:80", "address"),
        ("10.0.0.1", "address"),
    ] {
        let answer = client.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).expect(200);
        assert_eq!(answer.text(), text, "{host}");
    }
    assert_eq!(server.ask("GET / HTTP/1.0\r\n\r\n").expect(200).text(), "nameless");
}

#[test]
fn each_address_has_its_own_servers() {
    let config = "worker_processes 1;
        server { listen 127.0.0.1:0; server_name h; return 200 one; }
        server { listen 127.0.0.2:0; server_name h; return 200 two; }
        server { listen 127.0.0.2:0; server_name g; return 200 three; }";
    let server = Live::from_file(config, &[]);
    assert_eq!(server.get("/").text(), "one");
    let second = server.server.address(1).unwrap();
    let ask = |host: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        http::Client::connect(&second).ask(request).expect(200).text().to_owned()
    };
    assert_eq!([ask("h"), ask("g"), ask("x")], ["two", "three", "two"]);
    assert_eq!(server.server.address(2), None);
}

#[test]
fn server_tokens_off_hides_the_version() {
    let server = server("location /off/ { server_tokens off; }", &[]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(server.get("/on").only("server").unwrap(), format!("evl/{version}"));
    let answer = server.get("/off/").expect(404);
    assert_eq!(answer.only("server"), Some("evl"));
    assert!(!answer.text().contains(version));
}

#[test]
fn routes_come_before_locations() {
    let config = "worker_processes 1; server { listen 127.0.0.1:0; root www;
        location = /both { return 200 location; } }";
    let server = Live::from_file_with(config, &[("www/x", b"file")], |server| {
        server.route("GET", "/both", text("route")).unwrap();
        server.route("POST", "/x", text("posted")).unwrap();
    });
    assert_eq!(server.get("/both").expect(200).text(), "route");
    assert_eq!(server.get("/x").expect(200).text(), "file");
    let answer = server.ask("POST /x HTTP/1.1\r\nHost: h\r\n\r\n").expect(200);
    assert_eq!(answer.text(), "posted");
}

/// Splits a line of the combined format into its eight parts; the time without its digits.
fn parts(line: &str) -> Vec<String> {
    let (address, rest) = line.split_once(" - - [").unwrap();
    let (time, rest) = rest.split_once("] \"").unwrap();
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let month = shape.get(3..6).unwrap().to_owned();
    let shape = shape.replace(&month, "Mon").replace('-', "+");
    let (request, rest) = rest.split_once("\" ").unwrap();
    let (status, rest) = rest.split_once(' ').unwrap();
    let (sent, rest) = rest.split_once(" \"").unwrap();
    let (referer, agent) = rest.split_once("\" \"").unwrap();
    let agent = agent.strip_suffix('"').unwrap();
    [address, &shape, request, status, sent, referer, agent].map(str::to_owned).to_vec()
}

#[test]
fn access_log_has_a_line_for_each_answer_in_the_combined_format() {
    let server = server(
        "access_log access.log combined; location /quiet { access_log off; }",
        &[("www/file", b"0123456789"), ("www/large", &[b'x'; 100_000])],
    );
    let mut client = server.connect();
    let agent = "Referer: http://r/\r\nUser-Agent: test \"1\" \\ \u{fc}\r\n";
    client.ask(format!("GET /file?a=b HTTP/1.1\r\nHost: h\r\n{agent}\r\n")).expect(200);
    client.ask("HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n").expect(200);
    client.ask("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=0-3\r\n\r\n").expect(206);
    client.ask("GET /file HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n").expect(304);
    client.ask(get("/large")).expect(200);
    client.ask(get("/quiet")).expect(404);
    let missing = client.ask(get("/missing\"")).expect(404).body.len().to_string();
    client.send("nonsense\"\r\n\r\n");
    let refused = client.answer().expect(400).body.len().to_string();
    client.end();
    drop(client);
    let mut old = server.connect();
    old.ask("GET /file HTTP/1.0\r\n\r\n").expect(200);
    old.end();
    server.server.stop(http::PATIENCE).unwrap();
    let log = fs::read_to_string(server.path("access.log")).unwrap();
    let expected: &[[&str; 5]] = &[
        ["GET /file?a=b HTTP/1.1", "200", "10", "http://r/", "test \\x221\\x22 \\x5C \\xC3\\xBC"],
        ["HEAD /file HTTP/1.1", "200", "0", "-", "-"],
        ["GET /file HTTP/1.1", "206", "4", "-", "-"],
        ["GET /file HTTP/1.1", "304", "0", "-", "-"],
        ["GET /large HTTP/1.1", "200", "100000", "-", "-"],
        ["GET /missing\\x22 HTTP/1.1", "404", &missing, "-", "-"],
        ["nonsense\\x22", "400", &refused, "-", "-"],
        ["GET /file HTTP/1.0", "200", "10", "-", "-"],
    ];
    let lines: Vec<Vec<String>> = log.lines().map(parts).collect();
    assert_eq!(lines.len(), expected.len(), "{log}");
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!(line[0], "127.0.0.1");
        assert_eq!(line[1], "00/Mon/0000:00:00:00 +0000");
        assert_eq!(line[2..], *expected);
    }
}

#[test]
fn access_log_tells_how_much_of_a_cut_answer_was_sent() {
    let size = 64 * 1024 * 1024;
    let server = server("access_log access.log;", &[("www/large", &vec![b'x'; size])]);
    let mut client = server.connect();
    client.send(get("/large"));
    client.answer_to_head().expect(200);
    client.reset();
    server.get("/missing").expect(404);
    server.server.stop(http::PATIENCE).unwrap();
    let log = fs::read_to_string(server.path("access.log")).unwrap();
    let line = log.lines().find(|line| line.contains("/large")).unwrap_or_else(|| {
        panic!("{}", shown(log.as_bytes()));
    });
    let sent: usize = parts(line)[4].parse().unwrap();
    assert!(sent > 0 && sent < size, "{line}");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Methods, routes and handlers: who answers, what a handler sees of a request, and what it may do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panic")]

#[path = "common/http.rs"]
mod http;

use evl::error::ErrorKind;
use evl::server::{Body, Exchange, Handler, Outcome, Pull, Reject, Server, Status};
use http::{Live, echo, get, one_worker, text};

/// A request with this method and nothing else.
fn request(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn handler<F>(handle: F) -> Box<dyn Handler>
where
    F: Fn(&mut Exchange<'_>) -> Result<Outcome, Reject> + Send + Sync + 'static,
{
    Box::new(handle)
}

#[test]
fn a_handler_sees_the_request_as_it_was_sent() {
    let server = Live::with_routes([(
        "*",
        "/{path...}",
        handler(|x| {
            let request = &x.request;
            let mut seen = format!("{} ", request.method()).into_bytes();
            seen.extend(request.target());
            seen.extend(b" ");
            seen.extend(request.path());
            seen.extend(
                format!(" {:?}", request.query().map(<[u8]>::escape_ascii).map(|q| q.to_string()))
                    .bytes(),
            );
            for (name, value) in request.headers() {
                seen.extend([b" ", name, b"=", value].concat());
            }
            seen.extend([b" ", request.body()].concat());
            x.response.write(&seen);
            Ok(Outcome::Answered)
        }),
    )]);
    for (request, seen) in [
        (
            "GET /a%20b//c/../d?x=%41 HTTP/1.1\r\nHost: h\r\n\r\n",
            r#"GET /a%20b//c/../d?x=%41 /a b/d Some("x=%41") Host=h "#,
        ),
        (
            "PUT /x? HTTP/1.1\r\nHOST:h\r\nA:  b c\t\r\na:\r\n\r\n",
            r#"PUT /x? /x Some("") HOST=h A=b c a= "#,
        ),
        (
            "DELETE /x HTTP/1.0\r\nContent-Length: 2\r\n\r\nok",
            "DELETE /x /x None Content-Length=2 ok",
        ),
        (
            "PATCH http://h:80/x?q HTTP/1.1\r\nHost: h\r\n\r\n",
            r#"PATCH http://h:80/x?q /x Some("q") Host=h "#,
        ),
        ("GET http://h/y HTTP/1.1\r\nHost: h\r\n\r\n", "GET http://h/y /y None Host=h "),
    ] {
        assert_eq!(server.ask(request).expect(200).text(), seen);
    }
}

#[test]
fn parameters_stand_for_segments_of_the_path() {
    let parameters = |names: &'static [&'static str]| {
        handler(move |x| {
            for name in names {
                let value = x.request.param(name).unwrap_or("?").to_owned();
                x.response.write(format!("[{value}]").as_bytes());
            }
            Ok(Outcome::Answered)
        })
    };
    let server = Live::with_routes([
        ("GET", "/users/{id}", parameters(&["id", "other"])),
        ("GET", "/users/{id}/posts/{post}", parameters(&["id", "post"])),
        ("GET", "/users/me", text("me")),
        ("GET", "/files/{path...}", parameters(&["path"])),
    ]);
    for (target, expected) in [
        ("/users/7", "[7][?]"),
        ("/users/a%20b", "[a b][?]"),
        ("/users/%C3%BC", "[ü][?]"),
        ("/users/me", "me"),
        ("/users/7/posts/8", "[7][8]"),
        ("/files/a/b/c", "[a/b/c]"),
        ("/files/a%2fb", "[a/b]"),
        ("/files/", "[]"),
    ] {
        assert_eq!(server.get(target).expect(200).text(), expected, "{target}");
    }
    for target in ["/users", "/users/", "/users/7/", "/users/7/posts", "/users/%ff", "/other"] {
        server.get(target).expect(404);
    }
}

#[test]
fn each_method_of_a_path_has_its_handler() {
    let server = Live::with_routes([
        ("GET", "/x", text("get")),
        ("POST", "/x", text("post")),
        ("*", "/any", text("any")),
    ]);
    assert_eq!(server.ask(request("GET", "/x")).expect(200).text(), "get");
    assert_eq!(server.ask(request("POST", "/x")).expect(200).text(), "post");
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];
    for method in methods {
        assert_eq!(server.ask(request(method, "/any")).expect(200).text(), "any", "{method}");
    }
}

#[test]
fn other_methods_are_answered_405_with_those_that_there_are() {
    let server = Live::with_routes([
        ("GET", "/get", text("x")),
        ("POST", "/post", text("x")),
        ("PUT", "/both", text("x")),
        ("DELETE", "/both", text("x")),
    ]);
    let mut client = server.connect();
    for (method, target, allow) in [
        ("POST", "/get", "GET, HEAD, OPTIONS"),
        ("DELETE", "/get", "GET, HEAD, OPTIONS"),
        ("TRACE", "/get", "GET, HEAD, OPTIONS"),
        ("GET", "/post", "POST, OPTIONS"),
        ("HEAD", "/post", "POST, OPTIONS"),
        ("GET", "/both", "PUT, DELETE, OPTIONS"),
    ] {
        let answer = client.ask(request(method, target)).expect(405);
        assert_eq!(answer.only("allow"), Some(allow), "{method} {target}");
        assert!(!answer.closes());
    }
}

#[test]
fn the_rest_of_a_path_may_be_empty_unless_another_pattern_has_that_path() {
    let rest = || {
        handler(|x| {
            let rest = format!("[{}]", x.request.param("rest").unwrap_or("?"));
            x.response.write(rest.as_bytes());
            Ok(Outcome::Answered)
        })
    };
    let server = Live::with_routes([
        ("GET", "/before/", text("own")),
        ("GET", "/before/{rest...}", rest()),
        ("GET", "/after/{rest...}", rest()),
        ("GET", "/after/", text("own")),
        ("GET", "/{one}/in/{rest...}", rest()),
        ("GET", "/{other}/in/", text("own")),
    ]);
    let root = Live::with_routes([("GET", "/{rest...}", rest())]);
    for (target, expected) in [
        ("/before/", "own"),
        ("/after/", "own"),
        ("/before/x", "[x]"),
        ("/after/x/", "[x/]"),
        ("/a/in/", "own"),
        ("/a/in/b", "[b]"),
    ] {
        assert_eq!(server.get(target).expect(200).text(), expected, "{target}");
    }
    server.get("/before").expect(404);
    for (target, expected) in [("/", "[]"), ("/before", "[before]")] {
        assert_eq!(root.get(target).expect(200).text(), expected, "{target}");
    }
}

#[test]
fn a_405_that_a_handler_or_the_configuration_gives_has_allow_too() {
    let server = Live::from_file_with(
        "worker_processes 1; server { listen 127.0.0.1:0; location = /none { return 405; }
         location = /text { return 405 no; } }",
        &[],
        |server| {
            let refuse = || handler(|_| Err(Reject::new(Status::METHOD_NOT_ALLOWED, "on purpose")));
            server.route("*", "/refused", refuse()).unwrap();
            server
                .route(
                    "GET",
                    "/own",
                    handler(|x| {
                        x.response.set_status(405).unwrap();
                        x.response.header("allow", b"BREW").unwrap();
                        Ok(Outcome::Answered)
                    }),
                )
                .unwrap();
        },
    );
    let mut client = server.connect();
    for (target, allow) in [("/none", ""), ("/text", ""), ("/own", "BREW")] {
        assert_eq!(client.ask(get(target)).expect(405).only("allow"), Some(allow), "{target}");
    }
    let answer = client.ask(request("PUT", "/refused")).expect(405);
    assert_eq!(answer.only("allow"), Some("GET, HEAD, POST, DELETE, OPTIONS, TRACE, PATCH"));
}

#[test]
fn options_tells_what_is_allowed() {
    let server = Live::with_routes([("GET", "/get", text("x")), ("POST", "/post", text("x"))]);
    let mut client = server.connect();
    for (target, allow) in [("/get", "GET, HEAD, OPTIONS"), ("/post", "POST, OPTIONS")] {
        let answer = client.ask(request("OPTIONS", target)).expect(204);
        assert_eq!(answer.only("allow"), Some(allow), "{target}");
        assert_eq!(answer.only("content-length"), None);
    }
}

#[test]
fn options_of_the_server_as_a_whole() {
    let server = Live::with_routes([("*", "/{path...}", text("x"))]);
    let mut client = server.connect();
    let answer = client.ask(request("OPTIONS", "*")).expect(204);
    let allow: Vec<&str> = answer.only("allow").unwrap().split(", ").collect();
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
        assert!(allow.contains(&method), "{allow:?}");
    }
    client.ask(get("/x")).expect(200);
}

#[test]
fn connect_is_refused_by_a_server_that_is_no_proxy() {
    let server = Live::with_routes([("*", "/{path...}", text("x"))]);
    let mut client = server.connect();
    let answer = client.ask(request("CONNECT", "h:80")).expect(405);
    let allow: Vec<&str> = answer.only("allow").unwrap().split(", ").collect();
    assert!(!allow.contains(&"CONNECT"), "{allow:?}");
}

#[test]
fn unknown_methods_and_versions_are_refused() {
    let server = Live::with_routes([("*", "/", text("x"))]);
    server.ask(request("BREW", "/")).expect(501);
    server.ask("GET / HTTP/2.0\r\nHost: h\r\n\r\n").expect(505);
}

#[test]
fn head_is_answered_as_get_is_without_the_content() {
    struct Once;
    impl Body for Once {
        fn pull(&mut self, out: &mut Vec<u8>) -> std::io::Result<Pull> {
            out.extend_from_slice(b"streamed");
            Ok(Pull::End)
        }
    }
    let server = Live::from_file_with(
        "worker_processes 1; server { listen 127.0.0.1:0; root files;
         location /list/ { autoindex on; } location = /old { return 301 /new; }
         location = /text { return 200 text; } }",
        &[("files/small", b"small"), ("files/large", &[b'x'; 100_000]), ("files/list/a", b"a")],
        |server| {
            server.route("GET", "/whole", text("whole")).unwrap();
            let stream = handler(|x| {
                x.response.header("X-Own", b"1").unwrap();
                x.response.stream(Box::new(Once));
                Ok(Outcome::Answered)
            });
            server.route("GET", "/stream", stream).unwrap();
        },
    );
    let mut client = server.connect();
    for target in
        ["/whole", "/stream", "/small", "/large", "/list/", "/list", "/old", "/text", "/missing"]
    {
        let mut get = client.ask(request("GET", target)).timeless();
        assert!(!get.body.is_empty(), "{target}");
        get.body.clear();
        assert_eq!(client.ask(request("HEAD", target)).timeless(), get, "{target}");
    }
    let range = |method: &str| {
        format!(
            "{method} /large HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\nRange: bytes=0-1\r\n\r\n"
        )
    };
    let get = client.ask(range("GET")).expect(304).timeless();
    assert_eq!(client.ask(range("HEAD")).timeless(), get);
}

#[test]
fn an_absolute_target_overrides_host() {
    let config = "worker_processes 1;
        server { listen 127.0.0.1:0; server_name one; return 200 one; }
        server { listen 127.0.0.1:0; server_name two; return 200 two$request_uri; }";
    let server = Live::from_file(config, &[]);
    let ask = |target: &str, host: &str| {
        server.ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")).expect(200)
    };
    assert_eq!(ask("/", "one").text(), "one");
    assert_eq!(ask("http://two/x", "one").text(), "twohttp://two/x");
    assert_eq!(ask("HTTP://TWO:8080?q", "one").text(), "twoHTTP://TWO:8080?q");
    assert_eq!(ask("http://one/", "two").text(), "one");
}

#[test]
fn a_declined_request_goes_to_the_next_handler_with_nothing_left_behind() {
    let declines = || {
        handler(|x| {
            x.response.set_status(418).unwrap();
            x.response.header("X-Trace", b"declined").unwrap();
            x.response.write(b"garbage");
            Ok(Outcome::Declined)
        })
    };
    let server = Live::from_file_with(
        "worker_processes 1; server { listen 127.0.0.1:0; root files; }",
        &[("files/file", b"from the file"), ("files/index.html", b"index")],
        |server| {
            server.route("GET", "/next", declines()).unwrap();
            server.route("GET", "/next", text("second")).unwrap();
            server.route("GET", "/next", text("third")).unwrap();
            server.route("*", "/file", declines()).unwrap();
            server.route("*", "/", declines()).unwrap();
            server.route("POST", "/none", declines()).unwrap();
        },
    );
    for (target, expected) in [("/next", "second"), ("/file", "from the file"), ("/", "index")] {
        let answer = server.get(target).expect(200);
        assert_eq!(answer.text(), expected, "{target}");
        assert_eq!(answer.only("x-trace"), None, "{target}");
    }
    let answer = server.ask(request("POST", "/none"));
    assert!(matches!(answer.status, 404 | 405), "{answer:?}");
    assert_eq!(answer.only("x-trace"), None);
}

#[test]
fn a_rejected_request_gets_the_page_of_its_status() {
    let server = Live::with_routes([
        (
            "GET",
            "/503",
            handler(|x| {
                x.response.header("Retry-After", b"5").unwrap();
                x.response.write(b"garbage");
                Err(Reject::new(Status::new(503).unwrap(), "busy"))
            }),
        ),
        ("GET", "/599", handler(|_| Err(Reject::new(Status::new(599).unwrap(), "odd")))),
    ]);
    let mut client = server.connect();
    let answer = client.ask(get("/503")).expect(503);
    assert!(answer.text().contains("Service Unavailable"), "{}", answer.text());
    assert!(!answer.text().contains("garbage"));
    assert!(!answer.closes());
    client.ask(get("/599")).expect(599);
}

#[test]
fn a_panic_closes_its_own_connection_only() {
    struct Panics;
    impl Body for Panics {
        fn pull(&mut self, _: &mut Vec<u8>) -> std::io::Result<Pull> {
            panic!("the body panics: this is part of the test");
        }
    }
    let server = Live::with_routes([
        ("GET", "/panic", handler(|_| panic!("the handler panics: this is part of the test"))),
        (
            "GET",
            "/stream",
            handler(|x| {
                x.response.header("X-Left", b"behind").unwrap();
                x.response.write(b"left behind");
                x.response.stream(Box::new(Panics));
                Ok(Outcome::Answered)
            }),
        ),
        ("POST", "/echo", echo()),
        ("GET", "/", text("alive")),
    ]);
    let mut other = server.connect();
    assert_eq!(other.ask(get("/")).text(), "alive");
    for _ in 0..20 {
        let all = server.connect_and_drain(&get("/panic"));
        assert!(all.is_empty(), "{}", http::shown(&all));
        let all = server.connect_and_drain(&get("/stream"));
        assert!(!all.ends_with(b"0\r\n\r\n"), "{}", http::shown(&all));
        let answer = other.ask(get("/")).expect(200);
        assert_eq!(answer.text(), "alive");
        assert_eq!(answer.only("x-left"), None);
    }
    let body = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(server.ask(body).expect(200).text(), "ok");
}

#[test]
fn answers_carry_what_the_engine_adds_and_what_the_handler_set() {
    let server = Live::with_routes([(
        "GET",
        "/",
        handler(|x| {
            x.response.set_status(201).unwrap();
            x.response.header("X-One", b"1").unwrap();
            x.response.header("X-Umlaut", "ü".as_bytes()).unwrap();
            x.response.write(b"made");
            Ok(Outcome::Answered)
        }),
    )]);
    let answer = server.get("/").expect(201);
    assert_eq!(answer.reason, "Created");
    assert_eq!(answer.only("content-length"), Some("4"));
    assert_eq!(answer.only("x-one"), Some("1"));
    assert_eq!(answer.only("x-umlaut"), Some("ü"));
    assert!(answer.only("server").unwrap().starts_with("evl/"));
    let date = answer.only("date").unwrap();
    assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
}

#[test]
fn what_would_break_an_answer_is_refused_at_once() {
    let server = Live::with_routes([(
        "GET",
        "/",
        handler(|x| {
            let response = &mut x.response;
            let refused = [
                response.header("A", b"b\r\nC: d"),
                response.header("A", b"b\n"),
                response.header("A", b"\0"),
                response.header("A\r\nB", b"c"),
                response.header("A B", b"c"),
                response.header("", b"c"),
                response.header("Content-Length", b"5"),
                response.header("transfer-encoding", b"chunked"),
                response.header("Connection", b"close"),
                response.header("Date", b"now"),
                response.set_status(100),
                response.set_status(199),
                response.set_status(600),
                response.set_status(0),
            ];
            let count = refused.iter().filter(|refusal| refusal.is_err()).count();
            assert_eq!(count, refused.len());
            Ok(Outcome::Answered)
        }),
    )]);
    let answer = server.get("/").expect(200);
    assert_eq!(answer.fields.len(), 3, "{answer:?}");
}

#[test]
fn statuses_without_content_have_none() {
    let status = |code: u16| {
        handler(move |x| {
            x.response.set_status(code).unwrap();
            x.response.write(b"not to be sent");
            Ok(Outcome::Answered)
        })
    };
    let server = Live::with_routes([("GET", "/204", status(204)), ("GET", "/304", status(304))]);
    let mut client = server.connect();
    for _ in 0..2 {
        assert_eq!(client.ask(get("/204")).expect(204).only("content-length"), None);
        client.ask(get("/304")).expect(304);
    }
}

#[test]
fn wrong_routes_are_errors_that_say_why() {
    let server = Server::new(one_worker()).unwrap();
    for (method, pattern) in [
        ("BREW", "/"),
        ("get", "/"),
        ("", "/"),
        ("GET", ""),
        ("GET", "x"),
        ("GET", "/{"),
        ("GET", "/{a}{b}"),
    ] {
        let error = server.route(method, pattern, text("x")).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Os(_)), "{method} {pattern}: {error:?}");
        assert!(error.to_string().len() > 10, "{error}");
    }
    server.route("GET", "/{a}/x", text("x")).unwrap();
    let error = server.route("GET", "/{b}/x", text("x")).unwrap_err();
    assert!(error.to_string().contains("/{b}/x"), "{error}");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the whole decoder: what it finds, what it refuses, and that cuts change neither.

use super::decoder::{Decoder, Limits, Step};
use super::head::{BodyLength, Head, Version};
use super::trace::{LIMITS, Seen, run};
use crate::http::method::Method;
use proptest::prelude::*;

#[path = "../../../tests/common/refusals.rs"]
mod refusals;

fn whole(bytes: &[u8]) -> Vec<Seen> {
    run([bytes], &LIMITS)
}

fn refusal(bytes: &[u8], limits: &Limits) -> Option<(u16, &'static str)> {
    match run([bytes], limits).last() {
        Some(Seen::Refused(reject)) => Some((reject.status.code(), reject.why)),
        _ => None,
    }
}

#[test]
fn every_refusal_of_the_table() {
    let mut rows = 0;
    for row in refusals::refusals() {
        let seen = run([&row.bytes[..]], &LIMITS);
        let Some(Seen::Refused(reject)) = seen.last() else { panic!("{}: {seen:?}", row.name) };
        assert_eq!((reject.status.code(), reject.why), (row.status, row.why), "{}", row.name);
        assert!(!seen.contains(&Seen::End), "{}: a request went through", row.name);
        rows += 1;
    }
    assert!(rows >= 300, "only {rows} rows");
}

#[test]
fn refusals_do_not_depend_on_cuts() {
    for row in refusals::refusals().filter(|row| row.bytes.len() < 1000) {
        let expected = whole(&row.bytes);
        assert_eq!(run(row.bytes.chunks(1), &LIMITS), expected, "{} by bytes", row.name);
        for at in 1..row.bytes.len() {
            let (one, two) = row.bytes.split_at(at);
            assert_eq!(run([one, two], &LIMITS), expected, "{} cut at {at}", row.name);
        }
    }
}

#[test]
fn a_head_is_described_by_offsets() {
    let bytes =
        b"\r\nPOST /a?b HTTP/1.1\r\nHost: h:81\r\nX:\t 1 \r\nContent-Length: 2\r\n\r\nhirest";
    let (mut decoder, mut head) = (Decoder::new(), Head::default());
    let (consumed, step) = decoder.step(bytes, &LIMITS, &mut head).unwrap();
    assert_eq!((consumed, step), (bytes.len() - 6, Step::Head));
    let view = head.view(&bytes[..consumed]);
    assert_eq!((head.method, head.version), (Method::Post, Version::Http11));
    assert_eq!((head.body, head.persistent), (BodyLength::Length(2), true));
    assert_eq!((view.raw_target(), view.header("x")), (&b"/a?b"[..], Some(&b"1"[..])));
    assert_eq!(view.authority().map(|host| (host.host, host.port)), Some((&b"h"[..], Some(81))));
    let (taken, step) = decoder.step(&bytes[consumed..], &LIMITS, &mut head).unwrap();
    assert_eq!((taken, step), (2, Step::Data(b"hi")));
    let end = decoder.step(&bytes[consumed + taken..], &LIMITS, &mut head).unwrap();
    assert_eq!(end, (0, Step::End));
    assert!(decoder.is_idle());
}

#[test]
fn the_target_overrides_host() {
    let bytes = b"GET http://a:1/x HTTP/1.1\r\nHost: b\r\n\r\n";
    let mut head = Head::default();
    Decoder::new().step(bytes, &LIMITS, &mut head).unwrap();
    let view = head.view(bytes);
    assert_eq!(view.authority().map(|host| host.host), Some(&b"a"[..]));
    assert_eq!(view.target().path, b"/x");
}

#[test]
fn chunks_extensions_and_trailers() {
    let seen = whole(
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
          3;a=b ; c=\"d\\\";\" ;e\r\nabc\r\n00A\r\n0123456789\r\n0000\r\n\
          X-Sum:  9 \r\nContent-Length: 4\r\nhost: g\r\n\r\nGET",
    );
    let trailers = vec![("X-Sum".to_owned(), "9".to_owned())];
    assert!(matches!(seen[0], Seen::Head(_)));
    assert_eq!(
        seen[1..],
        [Seen::Data(b"abc0123456789".to_vec()), Seen::Trailers(trailers), Seen::End]
    );
}

#[test]
fn limits_are_met_exactly() {
    let get = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let fits = Limits { request_line: 16, head: get.len(), headers: 1, body: 0 };
    assert_eq!(refusal(get, &fits), None);
    let shorter = Limits { request_line: 15, ..fits };
    assert_eq!(refusal(get, &shorter), Some((414, "request line too long")));
    let smaller = Limits { head: get.len() - 1, ..fits };
    assert_eq!(refusal(get, &smaller), Some((431, "fields too large")));
    assert_eq!(refusal(get, &Limits { headers: 0, ..fits }), Some((431, "too many fields")));

    let head = "POST / HTTP/1.1\r\nHost: h\r\n";
    let length = format!("{head}Content-Length: 5\r\n\r\nhello");
    let chunked =
        format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
    for (bytes, why) in [(length, "Content-Length too large"), (chunked, "chunked body too large")]
    {
        let refused = |body| refusal(bytes.as_bytes(), &Limits { body, ..LIMITS });
        assert_eq!((refused(5), refused(0)), (None, None));
        assert_eq!(refused(4), Some((413, why)));
    }
}

#[test]
fn few_and_many_fields() {
    for count in [0, 15, 16, 255] {
        let fields = "A: b\r\n".repeat(count);
        let bytes = format!("GET / HTTP/1.1\r\n{fields}Host: h\r\n\r\n");
        let mut head = Head::default();
        Decoder::new().step(bytes.as_bytes(), &LIMITS, &mut head).unwrap();
        let view = head.view(bytes.as_bytes());
        assert_eq!(view.fields().all("a").filter(|&value| value == b"b").count(), count);
    }
}

#[test]
fn a_used_head_forgets_the_request_before() {
    let first = b"POST http://a/b?c HTTP/1.0\r\nA: b\r\nContent-Length: 0\r\nHost: h\r\n\r\n";
    let second = b"GET / HTTP/1.0\r\n\r\n";
    let mut head = Head::default();
    Decoder::new().step(first, &LIMITS, &mut head).unwrap();
    Decoder::new().step(second, &LIMITS, &mut head).unwrap();
    let view = head.view(second);
    assert_eq!((view.fields().iter().count(), view.authority()), (0, None));
    assert_eq!((head.method, head.body), (Method::Get, BodyLength::None));
    assert_eq!(view.target().query, None);
}

/// Requests and pieces of requests, mostly well-formed, joined without regard for sense.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let parts = prop::sample::select(vec![
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a?b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "HEAD http://h:8/x HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nX: \t y \r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        "5\r\nhello\r\n",
        "1;a=\"b\"\r\nx\r\n",
        "0\r\n\r\n",
        "0\r\nX-Sum: 9\r\nHost: g\r\n\r\n",
        "\r\n",
        "\r",
        "\n",
        "\0",
        " ",
        ":",
        "x",
        "GET",
        "\r\n\r\n",
        "Host: g\r\n",
        "Content-Length: 7\r\n",
        "HTTP/2.0\r\n",
        "%zz",
    ]);
    prop::collection::vec(parts, 0..8).prop_map(|parts| parts.concat().into_bytes())
}

fn cut(bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
}

/// Limits small enough that streams cross them.
fn limits() -> impl Strategy<Value = Limits> {
    (10..60_usize, 20..120_usize, 0..4_usize, 0..8_u64).prop_map(
        |(request_line, head, headers, body)| Limits { request_line, head, headers, body },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn steps_do_not_depend_on_cuts(
        bytes in stream(),
        cuts: Vec<prop::sample::Index>,
        limits in prop_oneof![Just(LIMITS), limits()],
    ) {
        let expected = run([&bytes[..]], &limits);
        let pieces = cut(&bytes, &cuts);
        prop_assert_eq!(run(pieces.iter().map(Vec::as_slice), &limits), expected.clone());
        prop_assert_eq!(run(bytes.chunks(1), &limits), expected);
    }

    #[test]
    fn a_damaged_request_is_the_same_for_every_cut(
        row: prop::sample::Index,
        place: prop::sample::Index,
        byte: u8,
        cuts: Vec<prop::sample::Index>,
    ) {
        let rows: Vec<_> = refusals::refusals().filter(|row| row.bytes.len() < 1000).collect();
        let mut bytes = row.get(&rows).bytes.clone();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let pieces = cut(&bytes, &cuts);
        prop_assert_eq!(run(pieces.iter().map(Vec::as_slice), &LIMITS), whole(&bytes));
    }

    #[test]
    fn any_bytes_are_taken(bytes: Vec<u8>) {
        prop_assert_eq!(run(bytes.chunks(1), &LIMITS), whole(&bytes));
    }

    #[test]
    fn a_chunked_body_arrives_as_it_was_encoded(pieces: Vec<Vec<u8>>) {
        let mut bytes = b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for piece in &pieces {
            super::encoder::chunk(&mut bytes, piece);
        }
        super::encoder::last_chunk(&mut bytes);
        let seen = whole(&bytes);
        let data = match &seen[1] { Seen::Data(data) => data.clone(), _ => Vec::new() };
        prop_assert_eq!(data, pieces.concat());
        prop_assert_eq!(seen.last(), Some(&Seen::End));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads `tests/data/refusals.txt`, whose head tells the format. Included by path from the tests of
//! the decoder and from those of a running server.

/// A request that is to be refused.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) name: &'static str,
    /// The decoder's reason.
    pub(crate) why: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// All rows of the file.
pub(crate) fn refusals() -> impl Iterator<Item = Refusal> {
    let lines = include_str!("../data/refusals.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let mut columns = line.splitn(4, " | ");
        let mut column = || columns.next().unwrap_or_else(|| panic!("too few columns: {line}"));
        let status = column().parse().unwrap_or_else(|_| panic!("no status: {line}"));
        Refusal { status, name: column(), why: column(), bytes: unescape(column()) }
    })
}

fn unescape(mut text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some((plain, escape)) = text.split_once('\\') {
        bytes.extend(plain.bytes());
        let length = match escape.as_bytes() {
            [b'r', ..] => put(&mut bytes, b'\r', 1),
            [b'n', ..] => put(&mut bytes, b'\n', 1),
            [b't', ..] => put(&mut bytes, b'\t', 1),
            [b'\\', ..] => put(&mut bytes, b'\\', 1),
            [b'x', ..] => put(&mut bytes, u8::from_str_radix(&escape[1..3], 16).unwrap(), 3),
            [b'{', ..] => {
                let (count, repeated) = escape[1..].split_once('*').unwrap();
                let (repeated, rest) = repeated.split_once('}').unwrap();
                bytes.extend(unescape(repeated).repeat(count.parse().unwrap()));
                escape.len() - rest.len()
            }
            _ => panic!("no such escape: {escape}"),
        };
        text = &escape[length..];
    }
    bytes.extend(text.bytes());
    bytes
}

fn put(bytes: &mut Vec<u8>, byte: u8, length: usize) -> usize {
    bytes.push(byte);
    length
}

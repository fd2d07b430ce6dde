//! Responses whole, damaged, and in any pieces.

use super::*;
use alloc::vec;
use proptest::prelude::*;

/// Reads what comes in pieces of these sizes, then the end of the connection.
fn read(bytes: &[u8], pieces: &[usize], limit: usize) -> Result<Response, ReadError> {
    let mut reader = Reader::new(limit, Overflow::Refuse);
    let mut rest = bytes;
    let mut sizes = pieces.iter().copied().cycle();
    while !rest.is_empty() {
        let n = sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len());
        let (now, later) = rest.split_at(n);
        rest = later;
        if reader.receive(now)? {
            return Ok(reader.into_response());
        }
    }
    reader.finished()?;
    Ok(reader.into_response())
}

fn body(bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    let whole = read(bytes, &[usize::MAX], 64);
    assert_eq!(whole, read(bytes, &[1], 64), "chunking changed the outcome");
    whole.map(|response| response.body)
}

#[test]
fn bodies_end_by_length_by_chunks_and_by_the_end() {
    let ok = |text: &[u8]| Ok(text.to_vec());
    assert_eq!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), ok(b"abc"));
    assert_eq!(body(b"HTTP/1.0 200 OK\n\nabc"), ok(b"abc"));
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        2;x=y\r\nab\r\n1\r\nc\r\n0\r\nTrailer: 1\r\n\r\n";
    assert_eq!(body(chunked), ok(b"abc"));
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
    assert_eq!(body(interim), ok(b""));
    assert_eq!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ok(b""));
}

#[test]
fn what_some_servers_write_is_read_as_they_mean_it() {
    for (head, expected) in [
        ("Content-Length:\r\n 3\r\nX: y", "abc"),
        ("Content-Length: \r\n\t 3 \r\n \r\nX: y", "abc"),
        ("X: folded\r\n Content-Length: 1\r\n : 2\r\nContent-Length: 3", "abc"),
        ("Transfer-Encoding:\n chunked", "a"),
        ("Content-Length : 3", "abc"),
        ("Content-Length: 3\r\nContent-Length: 3", "abc"),
        ("Content-Length: 3, 3", "abc"),
        ("X:\r\nContent-Length:3", "abc"),
    ] {
        let payload = if head.starts_with("Transfer") { "1\r\na\r\n0\r\n\r\n" } else { "abc" };
        let bytes = alloc::format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{payload}");
        assert_eq!(body(bytes.as_bytes()), Ok(expected.as_bytes().to_vec()), "{head}");
    }
    let head = b"HTTP/1.1 301\r\nLocation: /a\r\n \t b\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(read(head, &[3], 9).unwrap().location, Some(b"/a b".to_vec()));
    for (status, payload) in [("204 No", ""), ("304 Not", ""), ("204 No", "ignored")] {
        let bytes = alloc::format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n{payload}");
        assert_eq!(body(bytes.as_bytes()), Ok(Vec::new()), "{status}");
    }
    assert_eq!(body(b"HTTP/1.0 200 OK\r\n\r\nuntil the end"), Ok(b"until the end".to_vec()));
    assert_eq!(body(b"HTTP/1.1 103 Hints\r\nX: y\r\n\r\nHTTP/1.1 200\r\n\r\nx"), Ok(b"x".to_vec()));
}

#[test]
fn what_is_wrong_has_its_reason() {
    use ReadError::*;
    for (bytes, error) in [
        (&b""[..], CutShort),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", CutShort),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", BodyTooLong),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", BodyTooLong),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", Malformed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\nabc", Malformed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3,\r\n\r\nabc", Malformed),
        (b"HTTP/1.1 200 OK\r\n Content-Length: 3\r\n\r\nabc", Malformed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc", Malformed),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc", Encoding),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nabc", Encoding),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Malformed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", Malformed),
        (b"SSH-2.0-x\r\n\r\n", Malformed),
        (b"HTTP/1.1 101 Switching\r\n\r\n", Malformed),
    ] {
        assert_eq!(body(bytes), Err(error), "{}", bytes.escape_ascii());
    }
    let long = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(2000)].concat();
    assert_eq!(body(&long), Err(HeadTooLong));
    let long = [&b"HTTP/1.1 200 OK\r\nLocation: /"[..], &[b'a'; MAX_LINE], b"\r\n\r\n"].concat();
    assert_eq!(body(&long), Err(HeadTooLong));
    let endless = [&b"HTTP/1.1 200 OK\r\nX: "[..], &[b'a'; MAX_HEAD]].concat();
    assert_eq!(body(&endless), Err(HeadTooLong));
}

#[test]
fn a_long_line_that_does_not_matter_is_passed_over() {
    let long = "a".repeat(MAX_LINE + 100);
    let bytes = alloc::format!("HTTP/1.1 200 OK\r\nX: {long}\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(body(bytes.as_bytes()), Ok(b"abc".to_vec()));
}

#[test]
fn a_head_takes_no_more_than_a_line() {
    let mut reader = Reader::new(100, Overflow::Cut);
    let head = [&b"HTTP/1.1 200 OK\r\n"[..], &b"A: bcdefgh\r\n".repeat(60)].concat();
    for byte in head {
        assert_eq!(reader.receive(&[byte]), Ok(false));
        assert!(reader.memory() <= 200, "{}", reader.memory());
    }
}

#[test]
fn a_long_body_can_be_cut() {
    let mut reader = Reader::new(2, Overflow::Cut);
    let done = reader.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd");
    assert_eq!(done, Ok(true));
    let Response { body, cut, .. } = reader.into_response();
    assert_eq!((&body[..], cut), (&b"ab"[..], true));
    let mut reader = Reader::new(2, Overflow::Cut);
    let done = reader.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
    assert_eq!((done, reader.into_response().cut), (Ok(true), false));
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_end_the_same(
        head in prop::sample::select(vec![
            &b""[..],
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 5\r\n\r\n",
        ]),
        tail in prop::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'3'), Just(b':'), any::<u8>()], 0..200),
        pieces in prop::collection::vec(1..9usize, 1..8),
    ) {
        let bytes = [head, &tail[..]].concat();
        let whole = read(&bytes, &[usize::MAX], 50);
        prop_assert_eq!(&whole, &read(&bytes, &pieces, 50));
        prop_assert_eq!(&whole, &read(&bytes, &[1], 50));
    }

    #[test]
    fn a_chunked_body_comes_out_as_it_went_in(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
        pieces in prop::collection::vec(1..30usize, 1..8),
    ) {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in &chunks {
            bytes.extend(alloc::format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        let response = read(&bytes, &pieces, 1000).unwrap();
        prop_assert_eq!(response.body, chunks.concat());
    }
}

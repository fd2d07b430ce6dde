//! Any bytes as the answer of a web server, in pieces of any size.

use umqtt_device::http::reader::Reader;
use umqtt_device::http::{Overflow, ReadError, Response};

const LIMIT: usize = 300;

/// Runs the target: the first byte says in pieces of which size the rest arrives, and what becomes
/// of a long body.
pub fn run(input: &[u8]) {
    let Some((&way, bytes)) = input.split_first() else { return };
    let overflow = if way & 1 == 0 { Overflow::Cut } else { Overflow::Refuse };
    let piece = usize::from(way >> 1).max(1);
    let whole = read(bytes, bytes.len().max(1), overflow);
    assert_eq!(read(bytes, piece, overflow), whole, "pieces of {piece} bytes make no difference");
    if let Ok(response) = whole {
        assert!((100..=999).contains(&response.status));
        assert!(response.body.len() <= LIMIT);
        assert!(!response.cut || overflow == Overflow::Cut);
    }
}

fn read(bytes: &[u8], piece: usize, overflow: Overflow) -> Result<Response, ReadError> {
    let mut reader = Reader::new(LIMIT, overflow);
    for part in bytes.chunks(piece) {
        if reader.receive(part)? {
            return Ok(reader.into_response());
        }
        assert!(reader.memory() < 16 * 1024, "it is bounded");
    }
    reader.finished()?;
    Ok(reader.into_response())
}

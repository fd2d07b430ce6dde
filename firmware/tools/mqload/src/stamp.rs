//! What a test message carries: which stream it belongs to, its number in it, when it was sent, and
//! bytes that are known.

/// Bytes of the stamp: the shortest payload.
pub(crate) const STAMP: usize = 16;

/// The stamp of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The stream: a publisher's messages on one topic, which must arrive in order.
    pub(crate) stream: u32,
    /// The number of the message in its stream, from 0.
    pub(crate) number: u32,
    /// Nanoseconds since the start of the run.
    pub(crate) sent: u64,
}

impl Stamp {
    /// Writes the stamp over the start of a payload.
    pub(crate) fn put(&self, payload: &mut [u8]) {
        let mut bytes = [0; STAMP];
        bytes[..4].copy_from_slice(&self.stream.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sent.to_le_bytes());
        payload[..STAMP].copy_from_slice(&bytes);
    }

    /// The stamp of a payload; `None` if the payload is not the filler behind a stamp.
    pub(crate) fn take(payload: &[u8], filler: &[u8]) -> Option<Stamp> {
        let (stamp, rest) = payload.split_first_chunk::<STAMP>()?;
        let [a, b, c, d, e, f, g, h, sent @ ..] = *stamp;
        (rest == filler).then_some(Stamp {
            stream: u32::from_le_bytes([a, b, c, d]),
            number: u32::from_le_bytes([e, f, g, h]),
            sent: u64::from_le_bytes(sent),
        })
    }
}

/// The bytes behind the stamp of a payload of `payload` bytes: no two neighbours alike, and no
/// short period.
pub(crate) fn filler(payload: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    std::iter::repeat_with(next).take(payload.saturating_sub(STAMP)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_comes_back_and_a_changed_payload_does_not() {
        let filler = filler(64);
        let mut payload = [&[0; STAMP][..], &filler].concat();
        let stamp = Stamp { stream: 7, number: 0x0102_0304, sent: u64::MAX - 5 };
        stamp.put(&mut payload);
        assert_eq!(payload.len(), 64);
        assert_eq!(Stamp::take(&payload, &filler), Some(stamp));
        payload[40] ^= 1;
        assert_eq!(Stamp::take(&payload, &filler), None);
        assert_eq!(Stamp::take(&payload[..63], &filler), None);
    }
}

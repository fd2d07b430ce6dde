//! The leases as bytes, for a memory that outlives a restart.
//!
//! A head (two bytes of magic and version, three of the network, the number of leases), then of
//! each lease the last byte of its address, the hardware address, the length of the client
//! identifier and the identifier, and CRC-32 of all that, least significant byte first. There are
//! no times in it: how long the device was off is not known, and a restored lease runs for a whole
//! lease time, which is longer than its client relies on.

use core::net::Ipv4Addr;

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use umqtt_net::Instant;

use crate::client_key::{ClientKey, MAX_CLIENT_ID};
use crate::leases::{Lease, LeaseTable};

const MAGIC: [u8; 2] = *b"D\x01";
const HEAD_LEN: usize = 6;
const CHECKSUM_LEN: usize = 4;
const CHECKSUM: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// Bytes that so many leases take at most.
pub const fn saved_len(leases: usize) -> usize {
    HEAD_LEN + leases * (8 + MAX_CLIENT_ID) + CHECKSUM_LEN
}

/// Why saved leases were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// They are no leases, or of another version.
    Format,
    /// They are damaged.
    Checksum,
    /// They are those of another network.
    Network,
    /// They contradict each other.
    Contradiction,
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            RestoreError::Format => "not a table of leases",
            RestoreError::Checksum => "damaged table of leases",
            RestoreError::Network => "leases of another network",
            RestoreError::Contradiction => "leases contradict each other",
        })
    }
}

impl core::error::Error for RestoreError {}

/// Writes the active leases; `None` if `buf` is too small.
pub(crate) fn to_bytes<const N: usize>(
    leases: &LeaseTable<N>,
    own: Ipv4Addr,
    now: Instant,
    buf: &mut [u8],
) -> Option<usize> {
    let active = leases.iter().filter(|lease| lease.is_active(now));
    let [a, b, c, _] = own.octets();
    let count = u8::try_from(active.clone().count()).ok()?;
    let mut len = 0;
    let mut put = |bytes: &[u8]| {
        buf.get_mut(len..len + bytes.len())?.copy_from_slice(bytes);
        len += bytes.len();
        Some(())
    };
    put(&MAGIC)?;
    put(&[a, b, c, count])?;
    for lease in active {
        let id = lease.client.id();
        put(&[lease.host])?;
        put(&lease.client.mac())?;
        put(&[u8::try_from(id.len()).ok()?])?;
        put(id)?;
    }
    let checksum = CHECKSUM.checksum(buf.get(..len)?);
    buf.get_mut(len..len + CHECKSUM_LEN)?.copy_from_slice(&checksum.to_le_bytes());
    Some(len + CHECKSUM_LEN)
}

/// Reads what [`to_bytes`] has written; every lease runs until then.
pub(crate) fn from_bytes<const N: usize>(
    bytes: &[u8],
    own: Ipv4Addr,
    until: Instant,
) -> Result<LeaseTable<N>, RestoreError> {
    let (body, checksum) = bytes.split_last_chunk().ok_or(RestoreError::Format)?;
    let (head, mut rest) = body.split_first_chunk::<HEAD_LEN>().ok_or(RestoreError::Format)?;
    let [magic, version, a, b, c, count] = *head;
    if [magic, version] != MAGIC {
        return Err(RestoreError::Format);
    }
    if CHECKSUM.checksum(body) != u32::from_le_bytes(*checksum) {
        return Err(RestoreError::Checksum);
    }
    if own.octets()[..3] != [a, b, c] {
        return Err(RestoreError::Network);
    }
    let mut leases = LeaseTable::new(own.octets()[3]);
    for _ in 0..count {
        let ([host, mac @ .., id_len], after) =
            rest.split_first_chunk::<8>().ok_or(RestoreError::Format)?;
        let (id, after) =
            after.split_at_checked(usize::from(*id_len)).ok_or(RestoreError::Format)?;
        rest = after;
        if id.len() > MAX_CLIENT_ID {
            return Err(RestoreError::Format);
        }
        let lease = Lease { client: ClientKey::new(id, *mac), host: *host, until };
        if !leases.restore(lease) {
            return Err(RestoreError::Contradiction);
        }
    }
    if rest.is_empty() { Ok(leases) } else { Err(RestoreError::Format) }
}

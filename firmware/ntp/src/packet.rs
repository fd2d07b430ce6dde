//! The packet: RFC 5905, section 7.3.

use crate::Timestamp;

/// Bytes of a packet. What may follow (extensions, a signature) is not looked at.
pub const LEN: usize = 48;
/// The version of the protocol that is spoken.
pub const VERSION: u8 = 4;

/// Warning of a leap second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Leap {
    /// None.
    None = 0,
    /// The last minute of the day has 61 seconds.
    Longer = 1,
    /// The last minute of the day has 59 seconds.
    Shorter = 2,
    /// The clock is not synchronised.
    Unknown = 3,
}

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Reserved.
    Reserved = 0,
    /// A peer's.
    SymmetricActive = 1,
    /// A peer's answer.
    SymmetricPassive = 2,
    /// A request.
    Client = 3,
    /// An answer.
    Server = 4,
    /// For everybody.
    Broadcast = 5,
    /// Of the control protocol.
    Control = 6,
    /// Of a program's own.
    Private = 7,
}

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Warning of a leap second.
    pub leap: Leap,
    /// Version of the protocol, 0 to 7.
    pub version: u8,
    /// What it is.
    pub mode: Mode,
    /// Distance from a reference clock, 1 for its own; 0 for a kiss code, from 16 on unknown.
    pub stratum: u8,
    /// Binary logarithm of the seconds between two packets.
    pub poll: i8,
    /// Binary logarithm of the seconds the clock is exact to.
    pub precision: i8,
    /// Time to the reference clock and back, in 1/65,536 s.
    pub root_delay: u32,
    /// How wrong that clock may be, in 1/65,536 s.
    pub root_dispersion: u32,
    /// The server's own server, or its kiss code.
    pub reference_id: [u8; 4],
    /// When the server's clock was set last.
    pub reference: Timestamp,
    /// The transmit timestamp of what is answered.
    pub origin: Timestamp,
    /// When that came.
    pub receive: Timestamp,
    /// When this was sent.
    pub transmit: Timestamp,
}

impl Packet {
    /// A request with a number that the answer has to repeat. All else in it is zero: what is said
    /// of the client's clock helps only those who attack it.
    pub const fn request(origin: u64) -> Packet {
        Packet {
            leap: Leap::None,
            version: VERSION,
            mode: Mode::Client,
            stratum: 0,
            poll: 0,
            precision: 0,
            root_delay: 0,
            root_dispersion: 0,
            reference_id: [0; 4],
            reference: Timestamp::NONE,
            origin: Timestamp::NONE,
            receive: Timestamp::NONE,
            transmit: Timestamp::from_bits(origin),
        }
    }

    /// Reads a packet; `None` if the bytes are too few. Any [`LEN`] bytes are one.
    pub fn parse(bytes: &[u8]) -> Option<Packet> {
        let bytes: &[u8; LEN] = bytes.first_chunk()?;
        let four = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let number = |at| u32::from_be_bytes(four(at));
        let timestamp =
            |at| Timestamp::from_bits(u64::from(number(at)) << 32 | u64::from(number(at + 4)));
        Some(Packet {
            leap: match bytes[0] >> 6 {
                0 => Leap::None,
                1 => Leap::Longer,
                2 => Leap::Shorter,
                _ => Leap::Unknown,
            },
            version: bytes[0] >> 3 & 7,
            mode: match bytes[0] & 7 {
                0 => Mode::Reserved,
                1 => Mode::SymmetricActive,
                2 => Mode::SymmetricPassive,
                3 => Mode::Client,
                4 => Mode::Server,
                5 => Mode::Broadcast,
                6 => Mode::Control,
                _ => Mode::Private,
            },
            stratum: bytes[1],
            poll: bytes[2].cast_signed(),
            precision: bytes[3].cast_signed(),
            root_delay: number(4),
            root_dispersion: number(8),
            reference_id: four(12),
            reference: timestamp(16),
            origin: timestamp(24),
            receive: timestamp(32),
            transmit: timestamp(40),
        })
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[0] = (self.leap as u8) << 6 | (self.version & 7) << 3 | self.mode as u8;
        bytes[1] = self.stratum;
        bytes[2] = self.poll.cast_unsigned();
        bytes[3] = self.precision.cast_unsigned();
        bytes[4..8].copy_from_slice(&self.root_delay.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.root_dispersion.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.reference_id);
        let timestamps = [self.reference, self.origin, self.receive, self.transmit];
        for (place, timestamp) in bytes[16..].chunks_exact_mut(8).zip(timestamps) {
            place.copy_from_slice(&timestamp.to_bits().to_be_bytes());
        }
        bytes
    }
}

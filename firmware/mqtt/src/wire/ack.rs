//! PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK: a packet id and nothing else (sections 3.4 to 3.7,
//! 3.11); and the packets without a body: PINGREQ, PINGRESP, DISCONNECT (sections 3.12 to 3.14).

use super::{Malformed, PacketType, reader::Reader};

/// A packet whose body is a packet id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The packet it answers; never 0.
    pub packet_id: u16,
}

impl Ack {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Malformed`] if it is not two bytes, or they are 0.
    pub fn parse(body: &[u8]) -> Result<Ack, Malformed> {
        let mut reader = Reader::new(body);
        let packet_id = reader.packet_id()?;
        reader.end()?;
        Ok(Ack { packet_id })
    }
}

/// The whole packet of one of the types listed above that carry a packet id.
pub fn emit_ack(kind: PacketType, packet_id: u16) -> [u8; 4] {
    let [high, low] = packet_id.to_be_bytes();
    [(kind as u8) << 4 | kind.fixed_flags(), 2, high, low]
}

/// The whole packet of a type without a body.
pub fn emit_bare(kind: PacketType) -> [u8; 2] {
    [(kind as u8) << 4, 0]
}

//! CONNACK (section 3.2).

use super::{FixedHeader, Malformed, PacketType, reader::Reader};

/// The server's answer to a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReturnCode {
    /// Come in.
    Accepted = 0,
    /// The server does not speak this protocol level.
    UnacceptableProtocol = 1,
    /// The client id is not allowed.
    IdentifierRejected = 2,
    /// The server has no room.
    ServerUnavailable = 3,
    /// Wrong user name or password.
    BadCredentials = 4,
    /// The client may not connect.
    NotAuthorized = 5,
}

/// A CONNACK packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connack {
    /// Whether the server kept a session of this client. Always false in MQTT 3.1.
    pub session_present: bool,
    /// The answer.
    pub code: ReturnCode,
}

impl Connack {
    /// Reads the body of a CONNACK.
    ///
    /// # Errors
    /// [`Malformed`] if it is not two bytes with a return code of 0 to 5.
    pub fn parse(_header: &FixedHeader, body: &[u8]) -> Result<Connack, Malformed> {
        let mut reader = Reader::new(body);
        let session_present = reader.u8()? & 1 != 0;
        let code = match reader.u8()? {
            0 => ReturnCode::Accepted,
            1 => ReturnCode::UnacceptableProtocol,
            2 => ReturnCode::IdentifierRejected,
            3 => ReturnCode::ServerUnavailable,
            4 => ReturnCode::BadCredentials,
            5 => ReturnCode::NotAuthorized,
            _ => return Err(Malformed::Value),
        };
        reader.end()?;
        Ok(Connack { session_present, code })
    }

    /// The whole packet.
    pub fn emit(&self) -> [u8; 4] {
        [(PacketType::Connack as u8) << 4, 2, u8::from(self.session_present), self.code as u8]
    }
}

//! One MQTT connection of the generator: non-blocking, writes many packets at a time, hands out
//! packets in place.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::{
    Connack, Connect, FixedHeader, Malformed, PacketType, ReturnCode, Suback, Subscribe, Version,
    emit_bare,
};

/// Bytes read from a socket at a time, at least.
pub(crate) const READ_SIZE: usize = 256 * 1024;
/// Bytes of packets made before they are written.
pub(crate) const BATCH: usize = 64 * 1024;

/// One connection.
pub(crate) struct Link {
    stream: TcpStream,
    /// The start of a packet whose rest has not come yet.
    partial: Vec<u8>,
    /// What is to be sent.
    pub(crate) out: Vec<u8>,
    /// Bytes of `out` that are sent.
    sent: usize,
    /// The last write took less than all: wait for the event.
    blocked: bool,
    /// Connecting has come to an end.
    connected: bool,
}

/// A packet, as it came.
pub(crate) struct Packet<'a> {
    pub(crate) header: FixedHeader,
    pub(crate) body: &'a [u8],
}

impl Link {
    /// Starts to connect, and puts CONNECT, with `filter` SUBSCRIBE too, in the way. The broker
    /// keeps the session of a client that is `stored`.
    pub(crate) fn open(
        address: SocketAddr,
        client_id: &str,
        filter: Option<(&str, QoS)>,
        stored: bool,
        registry: &Registry,
        token: usize,
    ) -> io::Result<Link> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        registry.register(&mut stream, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        let mut out = Vec::new();
        let connect = Connect {
            version: Version::V311,
            bridge: false,
            client_id,
            clean_session: !stored,
            keep_alive: 0,
            will: None,
            user: None,
            password: None,
        };
        let mut fits = connect.emit(&mut out);
        if let Some((filter, qos)) = filter {
            fits &= Subscribe::emit(1, &[(filter.as_bytes(), qos)], &mut out);
        }
        if !fits {
            return Err(io::Error::other("client id or filter too long"));
        }
        Ok(Link { stream, partial: Vec::new(), out, sent: 0, blocked: true, connected: false })
    }

    /// Reads all there is by way of `buffer` and hands out the whole packets in it. The other end
    /// closing is an error, [`io::ErrorKind::UnexpectedEof`]; what came before is handed out.
    pub(crate) fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(&mut Vec<u8>, Packet<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let start = self.partial.len();
            // Whatever is kept is shorter than a packet; there must be room for more of it.
            if buffer.len() < start * 2 + READ_SIZE {
                buffer.resize(start * 2 + READ_SIZE, 0);
            }
            buffer[..start].copy_from_slice(&self.partial);
            let read = match self.stream.read(&mut buffer[start..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let full = start + read == buffer.len();
            let mut bytes = &buffer[..start + read];
            while let Some(header) = FixedHeader::parse(bytes, Version::V311).map_err(malformed)? {
                let Some((packet, rest)) = bytes.split_at_checked(header.total()) else { break };
                each(&mut self.out, Packet { header, body: &packet[header.len..] })?;
                bytes = rest;
            }
            self.partial.clear();
            self.partial.extend_from_slice(bytes);
            if !full {
                return Ok(());
            }
        }
    }

    /// The socket takes more again, or connecting has come to an end.
    pub(crate) fn unblock(&mut self) -> io::Result<()> {
        if !self.connected
            && let Some(error) = self.stream.take_error()?
        {
            return Err(error);
        }
        (self.connected, self.blocked) = (true, false);
        Ok(())
    }

    /// Whether more can be sent now.
    pub(crate) fn is_free(&self) -> bool {
        !self.blocked
    }

    /// Sends what is there, as much as the socket takes.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.blocked && self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected => self.blocked = true,
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
        }
        Ok(())
    }

    /// Nothing waits to be sent.
    pub(crate) fn is_flushed(&self) -> bool {
        self.out.is_empty()
    }

    /// Appends a packet that has no body.
    pub(crate) fn say(&mut self, kind: PacketType) {
        self.out.extend_from_slice(&emit_bare(kind));
    }

    /// Ends the connection.
    pub(crate) fn close(mut self, registry: &Registry) {
        let _ = registry.deregister(&mut self.stream); // it is closed anyway
    }
}

/// Whether a CONNACK lets us in.
pub(crate) fn accepted(packet: &Packet<'_>) -> io::Result<()> {
    let code = Connack::parse(&packet.header, packet.body).map_err(malformed)?.code;
    match code {
        ReturnCode::Accepted => Ok(()),
        code => Err(io::Error::other(format!("the broker refused a client: {code:?}"))),
    }
}

/// Whether a SUBACK grants what was asked for.
pub(crate) fn granted(packet: &Packet<'_>, wanted: QoS) -> io::Result<()> {
    match Suback::parse(packet.body).map_err(malformed)?.granted().next() {
        Some(Some(qos)) if qos == wanted => Ok(()),
        other => Err(io::Error::other(format!(
            "the broker granted {other:?} for a subscription at {wanted:?}"
        ))),
    }
}

pub(crate) fn malformed(error: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

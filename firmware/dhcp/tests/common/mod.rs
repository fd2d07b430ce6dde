//! A client that sends what a test wants, and the access point's network.

#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::net::{Ipv4Addr, SocketAddr};

use umqtt_dhcp::{MessageType, REPLY_LEN, Server};
use umqtt_net::{Duration, Instant, Interface, Peer};

pub const OWN: Ipv4Addr = Ipv4Addr::new(192, 168, 4, 1);

pub fn host(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 4, last)
}

pub fn mac(number: u32) -> [u8; 6] {
    let [a, b, c, d] = number.to_be_bytes();
    [2, 0, a, b, c, d]
}

/// What a client sends.
#[derive(Clone)]
pub struct ClientMessage {
    pub message_type: u8,
    pub xid: u32,
    pub flags: u16,
    pub ciaddr: Ipv4Addr,
    pub giaddr: Ipv4Addr,
    pub mac: [u8; 6],
    pub options: Vec<(u8, Vec<u8>)>,
}

impl ClientMessage {
    pub fn new(message_type: MessageType, client: u32) -> ClientMessage {
        ClientMessage {
            message_type: message_type as u8,
            xid: 0x1000 + client,
            flags: 0,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            mac: mac(client),
            options: Vec::new(),
        }
    }

    pub fn discover(client: u32) -> ClientMessage {
        ClientMessage::new(MessageType::Discover, client)
    }

    /// Chooses an offer of this server.
    pub fn select(client: u32, address: Ipv4Addr) -> ClientMessage {
        ClientMessage::reboot(client, address).option(54, &OWN.octets())
    }

    /// Asks for the address that the client had before it was switched off.
    pub fn reboot(client: u32, address: Ipv4Addr) -> ClientMessage {
        ClientMessage::new(MessageType::Request, client).option(50, &address.octets())
    }

    pub fn renew(client: u32, address: Ipv4Addr) -> ClientMessage {
        ClientMessage { ciaddr: address, ..ClientMessage::new(MessageType::Request, client) }
    }

    pub fn release(client: u32, address: Ipv4Addr) -> ClientMessage {
        let message = ClientMessage::new(MessageType::Release, client).option(54, &OWN.octets());
        ClientMessage { ciaddr: address, ..message }
    }

    pub fn decline(client: u32, address: Ipv4Addr) -> ClientMessage {
        let message = ClientMessage::new(MessageType::Decline, client).option(54, &OWN.octets());
        message.option(50, &address.octets())
    }

    pub fn option(mut self, code: u8, value: &[u8]) -> ClientMessage {
        self.options.push((code, value.to_vec()));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 240];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[4..8].copy_from_slice(&self.xid.to_be_bytes());
        bytes[10..12].copy_from_slice(&self.flags.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.ciaddr.octets());
        bytes[24..28].copy_from_slice(&self.giaddr.octets());
        bytes[28..34].copy_from_slice(&self.mac);
        bytes[236..].copy_from_slice(&[99, 130, 83, 99]);
        bytes.extend([53, 1, self.message_type]);
        for (code, value) in &self.options {
            bytes.extend([*code, value.len() as u8]);
            bytes.extend(value);
        }
        bytes.push(255);
        bytes
    }
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub bytes: Vec<u8>,
    pub to: SocketAddr,
}

impl Answer {
    pub fn option(&self, code: u8) -> Option<&[u8]> {
        let mut rest = &self.bytes[240..];
        loop {
            match *rest {
                [0, ref after @ ..] => rest = after,
                [255, ..] | [] => return None,
                [found, len, ref after @ ..] => {
                    let (value, after) = after.split_at(len.into());
                    if found == code {
                        return Some(value);
                    }
                    rest = after;
                }
                _ => panic!("an option that is cut off"),
            }
        }
    }

    pub fn message_type(&self) -> u8 {
        self.option(53).unwrap()[0]
    }

    pub fn is(&self, message_type: MessageType) -> bool {
        self.message_type() == message_type as u8
    }

    pub fn address(&self) -> Ipv4Addr {
        let octets: [u8; 4] = self.bytes[16..20].try_into().unwrap();
        octets.into()
    }
}

/// A server and its time.
pub struct Network<const N: usize> {
    pub server: Server<N>,
    pub now: Instant,
}

impl<const N: usize> Network<N> {
    pub fn new() -> Network<N> {
        Network { server: Server::new(OWN), now: Instant::from_millis(1_000) }
    }

    pub fn pass(&mut self, secs: u64) {
        self.now += Duration::from_secs(secs);
    }

    pub fn send_from(&mut self, bytes: &[u8], interface: Interface) -> Option<Answer> {
        let from = Peer::new("0.0.0.0:68".parse().unwrap(), interface);
        self.server.handle_datagram(bytes, from, self.now);
        let mut buf = [0xaa; REPLY_LEN];
        let (len, to) = self.server.poll_transmit(&mut buf)?;
        assert_eq!(self.server.poll_transmit(&mut [0; REPLY_LEN]), None, "one answer");
        assert_eq!(to.interface, Interface::AccessPoint);
        Some(Answer { bytes: buf[..len].to_vec(), to: to.addr })
    }

    pub fn send(&mut self, message: &ClientMessage) -> Option<Answer> {
        self.send_from(&message.bytes(), Interface::AccessPoint)
    }

    /// A client comes, is offered an address and takes it.
    pub fn join(&mut self, client: u32) -> Option<Ipv4Addr> {
        let offer = self.send(&ClientMessage::discover(client))?;
        assert!(offer.is(MessageType::Offer));
        let ack = self.send(&ClientMessage::select(client, offer.address()))?;
        assert!(ack.is(MessageType::Ack));
        assert_eq!(ack.address(), offer.address());
        Some(ack.address())
    }
}

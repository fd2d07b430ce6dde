//! A link with several hosts, in virtual time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use umqtt_dns::mdns::{self, MESSAGE_LEN, MdnsResponder, Service};
use umqtt_net::{Duration, Instant, Interface, InterfaceAddr, Peer};

use super::{Build, dump};

/// What was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Instant,
    pub from: Ipv4Addr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

impl Sent {
    pub fn is_multicast(&self) -> bool {
        self.to == "224.0.0.251:5353".parse().unwrap()
    }

    pub fn lines(&self) -> Vec<String> {
        dump(&self.bytes)
    }

    pub fn is_probe(&self) -> bool {
        self.lines()[0].starts_with('?') && self.bytes[2] & 0x80 == 0
    }
}

pub struct Host {
    pub address: Ipv4Addr,
    pub responder: MdnsResponder,
    /// What it sends reaches nobody, and it hears nothing.
    pub deaf: bool,
}

/// Hosts that hear each other.
pub struct Link {
    pub now: Instant,
    pub hosts: Vec<Host>,
    pub log: Vec<Sent>,
}

pub fn services() -> [Service; 2] {
    [
        Service::new(mdns::MQTT_SERVICE, 1883).txt("version=0.1.0").txt("id=ESP_1"),
        Service::new(mdns::CONSOLE_SERVICE, 7777),
    ]
}

pub fn network(address: Ipv4Addr) -> Option<InterfaceAddr> {
    Some(InterfaceAddr::new(Interface::Station, IpAddr::V4(address), 24))
}

pub fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

impl Link {
    pub fn new() -> Link {
        Link { now: Instant::from_millis(10_000), hosts: Vec::new(), log: Vec::new() }
    }

    /// A host that has just got its address.
    pub fn add(&mut self, last: u8, label: &str) -> usize {
        let seed = u32::from(last).wrapping_mul(0x9e37_79b9);
        let mut responder =
            MdnsResponder::new(Interface::Station, label, &services(), seed).unwrap();
        responder.set_address(network(address(last)), self.now);
        self.hosts.push(Host { address: address(last), responder, deaf: false });
        self.hosts.len() - 1
    }

    /// A link with one host that has its name.
    pub fn established() -> Link {
        let mut link = Link::new();
        link.add(1, "mqtt");
        link.pass(10_000);
        assert!(link.hosts[0].responder.is_established());
        link.log.clear();
        link
    }

    pub fn name(&self, host: usize) -> String {
        self.hosts[host].responder.host_name().unwrap().to_string()
    }

    /// A datagram of somebody who is no host here reaches all.
    pub fn hear(&mut self, bytes: &[u8], from: &str) {
        let from = Peer::new(from.parse().unwrap(), Interface::Station);
        for host in &mut self.hosts {
            host.responder.handle_datagram(bytes, from, self.now);
        }
    }

    pub fn ask(&mut self, query: &Build) {
        self.hear(&query.bytes(), "10.0.0.99:5353");
    }

    /// Sends what is to be sent now.
    pub fn deliver(&mut self) {
        loop {
            let mut sent = Vec::new();
            for host in &mut self.hosts {
                host.responder.handle_timeout(self.now);
                let mut buf = [0; MESSAGE_LEN];
                while let Some((len, to)) = host.responder.poll_transmit(self.now, &mut buf) {
                    assert_eq!(to.interface, Interface::Station);
                    let (from, bytes) = (host.address, buf[..len].to_vec());
                    sent.push((host.deaf, Sent { at: self.now, from, to: to.addr, bytes }));
                    assert!(sent.len() < 100, "it never ends");
                }
            }
            if sent.is_empty() {
                return;
            }
            for (deaf, sent) in sent {
                let from = SocketAddr::from((sent.from, 5353));
                for host in self.hosts.iter_mut().filter(|host| !deaf && !host.deaf) {
                    // Everybody hears what is sent to the group, also oneself.
                    if sent.is_multicast() || sent.to.ip() == IpAddr::V4(host.address) {
                        let from = Peer::new(from, Interface::Station);
                        host.responder.handle_datagram(&sent.bytes, from, self.now);
                    }
                }
                self.log.push(sent);
            }
        }
    }

    /// Lets time pass, from deadline to deadline.
    pub fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        let mut turns = 0;
        loop {
            self.deliver();
            let next = self.hosts.iter().filter_map(|host| host.responder.poll_at()).min();
            assert!(next.is_none_or(|next| next > self.now), "it is due and does nothing");
            match next.filter(|next| *next <= end) {
                Some(next) => self.now = next,
                None => break,
            }
            turns += 1;
            assert!(turns < 10_000, "it never ends");
        }
        self.now = end;
        self.deliver();
    }

    /// What was sent since the last time.
    pub fn take(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.log)
    }
}

//! Any bytes as messages of name servers, of the access point's clients and of hosts on the link.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use umqtt_dns::mdns::{self, Browser, MQTT_SERVICE, Service, UNICASTS_PER_SECOND};
use umqtt_dns::wire::{DnsMessage, Item};
use umqtt_dns::{
    MAX_NAME, MESSAGE_LEN, OWN_NAME, QUERIES_PER_SECOND, QUERY_LEN, Resolver, Responder, Transmit,
};
use umqtt_net::{Duration, Instant, Interface, InterfaceAddr, Peer};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const OWN: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

struct Device {
    now: Instant,
    random: u16,
    resolver: Resolver<2, 2>,
    responder: Responder<2>,
    host: mdns::MdnsResponder,
    browser: Browser<2>,
    /// Answers in this second: to clients, to those who asked by unicast, multicasts.
    answered: [u32; 3],
}

/// Runs the target. Each message is a byte that says to whom it goes and whence it comes, one with
/// the time that passes before, one with its length, and its bytes.
pub fn run(mut input: &[u8]) {
    let service = Service::new(MQTT_SERVICE, 1883).txt("version=1");
    let mut device = Device {
        now: Instant::ZERO,
        random: 7,
        resolver: Resolver::new(),
        responder: Responder::new(Ipv4Addr::new(192, 168, 4, 1)),
        host: mdns::MdnsResponder::new(Interface::Station, "mqtt", &[service], 9).expect("a label"),
        browser: Browser::new(&[MQTT_SERVICE], 7, Instant::ZERO),
        answered: [0; 3],
    };
    device.resolver.set_servers(&[SERVER]);
    device.responder.set_upstream(Some(SERVER));
    let network = InterfaceAddr::new(Interface::Station, OWN, 24);
    device.host.set_address(Some(network), device.now);
    while let [what, wait, len, rest @ ..] = input {
        let (message, rest) = rest.split_at(rest.len().min(usize::from(*len)));
        input = rest;
        device.pass(Duration::from_millis(u64::from(*wait) * 10));
        read(message);
        let from = if what & 4 != 0 { 5353 } else { 40_000 };
        match what & 3 {
            0 => drop(device.browser.handle_datagram(message, (SERVER, 5353).into())),
            1 => device.serve(message, *what),
            2 => device.resolve(message, *what),
            _ => {
                let peer = SocketAddr::from(([10, 0, 0, what >> 3], from));
                let peer = Peer::new(peer, Interface::Station);
                device.host.handle_datagram(message, peer, device.now);
            }
        }
        assert!(device.browser.found().len() <= 2);
        device.transmit();
    }
}

fn read(bytes: &[u8]) {
    let Ok(message) = DnsMessage::parse(bytes) else { return };
    for item in message.items() {
        let name = match item {
            Ok(Item::Question(question)) => question.name,
            Ok(Item::Record(_, record)) => {
                let _ = (record.srv().map(|srv| srv.target.to_string()), record.negative_ttl());
                record.target().unwrap_or(record.name)
            }
            Err(_) => return,
        };
        let len: usize = name.labels().map(|label| label.len() + 1).sum();
        assert!(len < MAX_NAME && name.labels().all(|label| (1..=63).contains(&label.len())));
        assert!(name.is_same(&name));
    }
}

impl Device {
    /// Time passes, from deadline to deadline.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        for turn in 0.. {
            assert!(turn < 1000, "it never ends");
            let next = [self.host.poll_at(), self.resolver.poll_at(), self.responder.poll_at()];
            match next.into_iter().flatten().min().filter(|next| *next <= end) {
                Some(next) => self.advance(next.max(self.now)),
                None => break,
            }
            self.transmit();
        }
        self.advance(end);
    }

    fn advance(&mut self, now: Instant) {
        if now.as_millis() / 1000 != self.now.as_millis() / 1000 {
            self.answered = [0; 3];
        }
        self.now = now;
        self.host.handle_timeout(now);
        self.resolver.handle_timeout(now);
        self.responder.handle_timeout(now);
        while self.resolver.poll_event().is_some() {}
    }

    fn random(&mut self) -> u16 {
        self.random = self.random.wrapping_mul(25_173).wrapping_add(13_849);
        self.random
    }

    /// Sends what is to be sent.
    fn transmit(&mut self) {
        let mut buf = [0; mdns::MESSAGE_LEN];
        while let Some((len, to)) = self.host.poll_transmit(self.now, &mut buf) {
            read(&buf[..len]);
            assert!(DnsMessage::parse(&buf[..len]).is_ok_and(|m| m.items().all(|i| i.is_ok())));
            let multicast = matches!(to.addr.ip(), IpAddr::V4(ip) if ip.is_multicast());
            self.answered[1 + usize::from(multicast)] += 1;
        }
        assert!(self.answered[1] <= u32::from(UNICASTS_PER_SECOND));
        // Records of one service, each once a second, or four times if a probe asks for it.
        assert!(self.answered[2] <= 5 * 6, "{} multicasts in a second", self.answered[2]);
        let _ = self.browser.poll_transmit(self.now, &mut buf);
        let random = u64::from(self.random());
        let mut buf = [0; QUERY_LEN];
        while let Some(sent) = self.resolver.poll_transmit(self.now, random, &mut buf) {
            read(&buf[..sent.len]);
        }
        while self.resolver.poll_event().is_some() {}
    }

    /// A client of the access point asks, or the station's server answers.
    fn serve(&mut self, message: &[u8], what: u8) {
        let mut buf = [0; MESSAGE_LEN];
        let client = SocketAddr::from(([192, 168, 4, what >> 4], 4000));
        let client = Peer::new(client, Interface::AccessPoint);
        let (now, random) = (self.now, self.random());
        let sent = if what & 8 == 0 {
            self.responder.handle_query(message, client, now, random, &mut buf)
        } else {
            self.responder.handle_answer(message, (SERVER, 53).into(), now, &mut buf)
        };
        let len = match sent {
            None => return,
            Some(Transmit::Client { len, .. }) if what & 8 == 0 => {
                self.answered[0] += 1;
                assert!(self.answered[0] <= u32::from(QUERIES_PER_SECOND));
                assert_eq!(buf[..2], message[..2], "it has the question's number");
                assert!(len <= message.len() + 16, "it is amplified");
                len
            }
            Some(Transmit::Client { len, .. }) => {
                assert_eq!(len, message.len(), "it is passed on as it is");
                return;
            }
            Some(Transmit::Upstream { len, .. }) => {
                assert!(what & 8 == 0 && !String::from_utf8_lossy(message).contains(OWN_NAME));
                assert_eq!(buf[..2], random.to_be_bytes(), "with a number of its own");
                len
            }
        };
        read(&buf[..len]);
    }

    /// Something is looked up, and that is the answer, with the number it has to have.
    fn resolve(&mut self, message: &[u8], what: u8) {
        let _ = self.resolver.resolve("host.example", self.now);
        let mut buf = [0; QUERY_LEN];
        let random = self.random();
        let mut message = message.to_vec();
        if let Some(sent) = self.resolver.poll_transmit(self.now, random.into(), &mut buf) {
            if what & 8 == 0 && message.len() >= 12 {
                // The answer begins with the question.
                message.splice(..12, buf[..sent.len].iter().copied());
                message[2] |= 0x80;
                message[7] = what >> 4;
            }
            self.resolver.handle_datagram(&message, sent.to, self.now);
        }
    }
}

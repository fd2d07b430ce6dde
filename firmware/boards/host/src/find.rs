//! Which devices there are in the networks of this computer, by multicast DNS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;
use umqtt_dns::mdns::{Browser, CONSOLE_SERVICE, Found, MESSAGE_LEN, MQTT_SERVICE};
use umqtt_net::Instant;

const KINDS: &[&str] = &[MQTT_SERVICE, CONSOLE_SERVICE];
/// Services found at most in a network.
const MAX_SERVICES: usize = 256;
/// The longest datagram there is.
const MAX_DATAGRAM: usize = 65_536;

/// A device that was found, or another broker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundDevice {
    /// Where it is reached.
    pub address: Ipv4Addr,
    /// Its name, such as `mqtt.local`; what is not printable is escaped.
    pub name: String,
    /// The broker's port.
    pub mqtt: Option<u16>,
    /// The console's port.
    pub console: Option<u16>,
    /// What it says of its version: any bytes whatever.
    pub version: Option<Vec<u8>>,
    /// What it says that its id is: any bytes whatever.
    pub id: Option<Vec<u8>>,
}

/// The devices that answer within that time, ordered by address: in the network of one of this
/// computer's addresses, or in all.
///
/// # Errors
/// The network cannot be asked, or none of them.
pub fn find(bind: Option<Ipv4Addr>, within: Duration) -> io::Result<Vec<FoundDevice>> {
    let mut poll = Poll::new()?;
    let mut links = Vec::new();
    let mut failed = None;
    for address in bind.map_or_else(addresses, |address| Ok(vec![address]))? {
        match Link::open(address, &poll, links.len()) {
            Ok(link) => links.push(link),
            Err(error) => failed = Some(error),
        }
    }
    if let Some(error) = failed.filter(|_| links.is_empty()) {
        return Err(error);
    }
    let began = std::time::Instant::now();
    let mut events = Events::with_capacity(16);
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let passed = began.elapsed();
        let Some(left) = within.checked_sub(passed).filter(|left| !left.is_zero()) else { break };
        let now = Instant::from_millis(passed.as_millis() as u64);
        let next = links.iter_mut().map(|link| link.ask(now)).min().unwrap_or(now);
        let wait = Duration::from_millis(next.saturating_duration_since(now).as_millis() + 1);
        match poll.poll(&mut events, Some(wait.min(left))) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for link in &mut links {
            link.receive(&mut buffer);
        }
    }
    let found = links.iter().flat_map(|link| link.browser.found());
    Ok(devices(found))
}

/// The computer's IPv4 addresses, each a network to be asked.
fn addresses() -> io::Result<Vec<Ipv4Addr>> {
    let interfaces = if_addrs::get_if_addrs()?;
    Ok(interfaces
        .iter()
        .filter_map(|own| match own.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .collect())
}

/// A network that is asked.
struct Link {
    socket: mio::net::UdpSocket,
    browser: Box<Browser<MAX_SERVICES>>,
}

impl Link {
    fn open(address: Ipv4Addr, poll: &Poll, number: usize) -> io::Result<Link> {
        let socket = UdpSocket::bind((address, 0))?;
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_multicast_if_v4(&address)?;
        SockRef::from(&socket).set_multicast_ttl_v4(255)?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        poll.registry().register(&mut socket, Token(number), Interest::READABLE)?;
        let mut id = [0; 2];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        let browser = Browser::new(KINDS, u16::from_ne_bytes(id), Instant::ZERO);
        Ok(Link { socket, browser: Box::new(browser) })
    }

    /// Asks if it is time; returns when it is next.
    fn ask(&mut self, now: Instant) -> Instant {
        let mut question = [0; MESSAGE_LEN];
        if let Some((len, to)) = self.browser.poll_transmit(now, &mut question) {
            // A network that is down finds nobody.
            let _ = self.socket.send_to(&question[..len], to);
        }
        self.browser.poll_at()
    }

    fn receive(&mut self, buffer: &mut [u8]) {
        while let Ok((len, from)) = self.socket.recv_from(buffer) {
            let from: SocketAddr = from;
            self.browser.handle_datagram(&buffer[..len], from);
        }
    }
}

/// The services of each host as one device. Services without a port or an address are left out.
fn devices<'f>(services: impl Iterator<Item = &'f Found>) -> Vec<FoundDevice> {
    let mut devices: Vec<FoundDevice> = Vec::new();
    for service in services {
        let (Some((host, port)), Some(address)) = (&service.host, service.address) else {
            continue;
        };
        let name = host.to_string();
        let known = devices.iter().position(|it| it.address == address && it.name == name);
        let place = known.unwrap_or_else(|| {
            let (mqtt, console, version, id) = (None, None, None, None);
            devices.push(FoundDevice { address, name, mqtt, console, version, id });
            devices.len() - 1
        });
        let device = &mut devices[place];
        match KINDS[service.kind] {
            MQTT_SERVICE => device.mqtt = Some(*port),
            _ => device.console = Some(*port),
        }
        let said = |key| service.txt(key).map(<[u8]>::to_vec);
        device.version = said("version").or(device.version.take());
        device.id = said("id").or(device.id.take());
    }
    devices.sort();
    devices
}

//! smoltcp's client gets an address and keeps it.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{self, ChecksumCapabilities, Device, DeviceCapabilities, Medium};
use smoltcp::socket::dhcpv4;
use smoltcp::time::Instant as Time;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr, IpProtocol, Ipv4Packet, Ipv4Repr, UdpPacket, UdpRepr,
};
use umqtt_dhcp::{REPLY_LEN, Server};
use umqtt_net::{Instant, Interface as Network, Peer};

const OWN: Ipv4Addr = Ipv4Addr::new(192, 168, 4, 1);
const OWN_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
const MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 7]);

/// The frames on their way.
#[derive(Default)]
struct Air {
    to_client: VecDeque<Vec<u8>>,
    from_client: VecDeque<Vec<u8>>,
}

struct Receive(Vec<u8>);
struct Transmit<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::RxToken for Receive {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

impl phy::TxToken for Transmit<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut frame = vec![0; len];
        let result = write(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl Device for Air {
    type RxToken<'a> = Receive;
    type TxToken<'a> = Transmit<'a>;

    fn receive(&mut self, _: Time) -> Option<(Receive, Transmit<'_>)> {
        let frame = self.to_client.pop_front()?;
        Some((Receive(frame), Transmit(&mut self.from_client)))
    }

    fn transmit(&mut self, _: Time) -> Option<Transmit<'_>> {
        Some(Transmit(&mut self.from_client))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

/// What the client sends reaches the server, and its answer the client.
fn serve(server: &mut Server<8>, air: &mut Air, now: Instant) {
    let checksums = ChecksumCapabilities::default();
    while let Some(frame) = air.from_client.pop_front() {
        let frame = EthernetFrame::new_checked(&frame[..]).unwrap();
        if frame.ethertype() == EthernetProtocol::Arp {
            answer_arp(air, frame.payload());
            continue;
        }
        let Ok(ip) = Ipv4Packet::new_checked(frame.payload()) else { continue };
        if ip.next_header() != IpProtocol::Udp {
            continue;
        }
        let udp = UdpPacket::new_checked(ip.payload()).unwrap();
        assert_eq!((udp.src_port(), udp.dst_port()), (68, 67));
        let from = Peer::new(SocketAddr::from((ip.src_addr(), 68)), Network::AccessPoint);
        server.handle_datagram(udp.payload(), from, now);
        let mut buf = [0; REPLY_LEN];
        let Some((len, to)) = server.poll_transmit(&mut buf) else { continue };
        let SocketAddr::V4(to) = to.addr else { panic!("of version 4") };
        let udp = UdpRepr { src_port: 67, dst_port: to.port() };
        let ip = Ipv4Repr {
            src_addr: OWN,
            dst_addr: *to.ip(),
            next_header: IpProtocol::Udp,
            payload_len: udp.header_len() + len,
            hop_limit: 64,
        };
        let broadcast = to.ip().is_broadcast();
        let ethernet = EthernetRepr {
            src_addr: OWN_MAC,
            dst_addr: if broadcast { EthernetAddress::BROADCAST } else { MAC },
            ethertype: EthernetProtocol::Ipv4,
        };
        let mut bytes = vec![0; 14 + ip.buffer_len() + ip.payload_len];
        let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
        ethernet.emit(&mut frame);
        let mut packet = Ipv4Packet::new_unchecked(frame.payload_mut());
        ip.emit(&mut packet, &checksums);
        udp.emit(
            &mut UdpPacket::new_unchecked(packet.payload_mut()),
            &OWN.into(),
            &(*to.ip()).into(),
            len,
            |payload| payload.copy_from_slice(&buf[..len]),
            &checksums,
        );
        air.to_client.push_back(bytes);
    }
}

fn answer_arp(air: &mut Air, payload: &[u8]) {
    let packet = ArpPacket::new_checked(payload).unwrap();
    let ArpRepr::EthernetIpv4 { operation, source_hardware_addr, source_protocol_addr, .. } =
        ArpRepr::parse(&packet).unwrap()
    else {
        return;
    };
    if operation != ArpOperation::Request {
        return;
    }
    let answer = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_hardware_addr: OWN_MAC,
        source_protocol_addr: OWN,
        target_hardware_addr: source_hardware_addr,
        target_protocol_addr: source_protocol_addr,
    };
    let mut bytes = vec![0; 14 + answer.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
    EthernetRepr {
        src_addr: OWN_MAC,
        dst_addr: source_hardware_addr,
        ethertype: EthernetProtocol::Arp,
    }
    .emit(&mut frame);
    answer.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    air.to_client.push_back(bytes);
}

#[test]
fn smoltcp_gets_an_address_and_renews_it() {
    let mut air = Air::default();
    let config = Config::new(MAC.into());
    let mut interface = Interface::new(config, &mut air, Time::ZERO);
    let mut sockets = SocketSet::new(vec![]);
    let handle = sockets.add(dhcpv4::Socket::new());
    let mut server: Server<8> = Server::new(OWN);

    let mut address = None;
    // Two hours, in steps of a second.
    for second in 0..7200 {
        interface.poll(Time::from_secs(second), &mut air, &mut sockets);
        serve(&mut server, &mut air, Instant::from_millis(second as u64 * 1000));
        interface.poll(Time::from_secs(second), &mut air, &mut sockets);
        match sockets.get_mut::<dhcpv4::Socket<'_>>(handle).poll() {
            Some(dhcpv4::Event::Configured(config)) => {
                assert_eq!(config.router, Some(OWN));
                assert_eq!(config.dns_servers[..], [OWN]);
                assert_eq!(config.address.prefix_len(), 24);
                assert!(address.is_none_or(|address| address == config.address));
                address = Some(config.address);
                let cidr = config.address;
                interface.update_ip_addrs(|addresses| {
                    addresses.clear();
                    addresses.push(cidr.into()).unwrap();
                });
            }
            Some(dhcpv4::Event::Deconfigured) => {
                assert_eq!(address, None, "it has lost its address after {second} s");
            }
            None => {}
        }
    }
    let lease = server.leases().next().unwrap();
    assert_eq!(Some(server.address_of(lease)), address.map(|cidr| cidr.address()));
    assert_eq!(server.stats().offers, 1);
    assert!(server.stats().acks >= 2, "it has renewed: {:?}", server.stats());
}

//! A wire in memory with an Ethernet port at each end. It can lose, double and delay frames, by a
//! seed.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::rc::Rc;

use umqtt_net_smoltcp::smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use umqtt_net_smoltcp::smoltcp::time::Instant;
use umqtt_net_smoltcp::smoltcp::wire::{
    EthernetFrame, IgmpPacket, IgmpRepr, IpProtocol, Ipv4Packet, TcpPacket,
};

/// What goes wrong, each in per mille of the frames.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trouble {
    pub(crate) lost: u32,
    pub(crate) doubled: u32,
    pub(crate) late: u32,
}

/// How late a late frame is.
const LATE: u64 = 7;

/// Frames under way in one direction: when they arrive, and their bytes.
#[derive(Default)]
struct Lane(Vec<(u64, Vec<u8>)>);

/// Port it is for, acknowledgement and window of a TCP segment without payload or flags in IPv4 on
/// Ethernet.
fn bare_ack(frame: &[u8]) -> Option<(u16, u32, u16)> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
    if packet.next_header() != IpProtocol::Tcp {
        return None;
    }
    let tcp = TcpPacket::new_checked(packet.payload()).ok()?;
    let bare = tcp.payload().is_empty() && !tcp.syn() && !tcp.fin() && !tcp.rst();
    bare.then(|| (tcp.dst_port(), tcp.ack_number().0.cast_unsigned(), tcp.window_len()))
}

/// Source and message of IGMP.
fn igmp_message(frame: &[u8]) -> Option<(Ipv4Addr, IgmpRepr)> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
    if packet.next_header() != IpProtocol::Igmp {
        return None;
    }
    let igmp = IgmpPacket::new_checked(packet.payload()).ok()?;
    Some((packet.src_addr(), IgmpRepr::parse(&igmp).ok()?))
}

struct Shared {
    /// What the device's end has sent of IGMP.
    igmp: Vec<(Ipv4Addr, IgmpRepr)>,
    /// By port: the last bare acknowledgement, and how often it came.
    acks: BTreeMap<u16, ((u32, u16), u32)>,
    lanes: [Lane; 2],
    arrived: [VecDeque<Vec<u8>>; 2],
    trouble: Trouble,
    cut: bool,
    seed: u64,
    now: u64,
    carried: u64,
}

impl Shared {
    fn dice(&mut self) -> u32 {
        // Xorshift: enough for a wire.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 20) as u32 % 1000
    }

    /// Whether a frame from the device would make the other host send a lost segment again early.
    /// smoltcp 0.14 then looks at no window, and hangs if that segment was clipped; no other host
    /// is so rude, so this one shall not be.
    fn provokes(&mut self, lane: usize, frame: &[u8]) -> bool {
        let Some((port, ack, window)) = bare_ack(frame).filter(|_| lane == 1) else { return false };
        let last = self.acks.entry(port).or_insert(((ack, window), 0));
        if last.0 != (ack, window) {
            *last = ((ack, window), 0);
        }
        last.1 += 1;
        last.1 > 2
    }

    fn carry(&mut self, lane: usize, frame: Vec<u8>) {
        self.carried += 1;
        if lane == 1 {
            self.igmp.extend(igmp_message(&frame));
        }
        let trouble = self.trouble;
        if self.cut || self.dice() < trouble.lost {
            return;
        }
        let late = if self.dice() < trouble.late { LATE } else { 0 };
        if self.dice() < trouble.doubled {
            self.lanes[lane].0.push((self.now + 3, frame.clone()));
        }
        self.lanes[lane].0.push((self.now + late, frame));
    }
}

/// The wire.
#[derive(Clone)]
pub(crate) struct Wire(Rc<RefCell<Shared>>);

impl Wire {
    pub(crate) fn new(trouble: Trouble, seed: u64) -> Wire {
        Wire(Rc::new(RefCell::new(Shared {
            igmp: Vec::new(),
            acks: BTreeMap::new(),
            lanes: [Lane::default(), Lane::default()],
            arrived: [VecDeque::new(), VecDeque::new()],
            trouble,
            cut: false,
            seed: seed | 1,
            now: 0,
            carried: 0,
        })))
    }

    pub(crate) fn port(&self, side: usize) -> Port {
        Port { wire: self.clone(), side }
    }

    /// Lets what is due arrive; true if anything did.
    pub(crate) fn deliver(&self, now: u64) -> bool {
        let shared = &mut *self.0.borrow_mut();
        shared.now = now;
        let mut any = false;
        for lane in 0..2 {
            let due: Vec<_> = shared.lanes[lane].0.extract_if(.., |(at, _)| *at <= now).collect();
            for (_, frame) in due {
                any = true;
                if !shared.provokes(lane, &frame) {
                    shared.arrived[lane].push_back(frame);
                }
            }
        }
        any
    }

    /// When the next frame arrives.
    pub(crate) fn next(&self) -> Option<u64> {
        let shared = self.0.borrow();
        shared.lanes.iter().flat_map(|lane| &lane.0).map(|(at, _)| *at).min()
    }

    /// What the device's end has sent of IGMP since this was last asked: source and message.
    pub(crate) fn take_igmp(&self) -> Vec<(Ipv4Addr, IgmpRepr)> {
        std::mem::take(&mut self.0.borrow_mut().igmp)
    }

    /// Frames sent so far.
    pub(crate) fn carried(&self) -> u64 {
        self.0.borrow().carried
    }

    /// Puts a frame on the wire for a side.
    pub(crate) fn inject(&self, side: usize, frame: Vec<u8>) {
        self.0.borrow_mut().arrived[side].push_back(frame);
    }

    /// Cuts the wire, or mends it.
    pub(crate) fn cut(&self, cut: bool) {
        self.0.borrow_mut().cut = cut;
    }
}

/// An Ethernet port.
pub(crate) struct Port {
    wire: Wire,
    side: usize,
}

pub(crate) struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

pub(crate) struct Sender {
    wire: Wire,
    towards: usize,
}

impl TxToken for Sender {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.wire.0.borrow_mut().carry(self.towards, frame);
        result
    }
}

impl Device for Port {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sender;

    fn receive(&mut self, now: Instant) -> Option<(Received, Sender)> {
        let frame = self.wire.0.borrow_mut().arrived[self.side].pop_front()?;
        Some((Received(frame), self.transmit(now)?))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sender> {
        Some(Sender { wire: self.wire.clone(), towards: 1 - self.side })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

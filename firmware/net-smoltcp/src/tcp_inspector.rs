//! Looks at TCP segments between driver and smoltcp: one that carries data and the end of the
//! connection is split in two, and one that wants a connection (a SYN) is noted.
//!
//! smoltcp 0.14 clips a segment to the window and then takes the end of it for the end of all, so
//! that the clipped bytes are lost without a word: a script uploaded would be cut. smoltcp as the
//! sender on the other side, another of our devices, does send such segments. An end that comes
//! alone is taken only when nothing is missing before it.

use alloc::vec::Vec;

use smoltcp::phy::{Device, DeviceCapabilities, RxToken};
use smoltcp::time::Instant;
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, IpAddress, IpEndpoint, IpProtocol, Ipv4Packet, TcpPacket,
};

/// A SYN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syn {
    pub(crate) from: IpEndpoint,
    pub(crate) to: IpEndpoint,
}

/// A driver whose frames are looked at, and mended.
pub(crate) struct TcpInspector<D> {
    pub(crate) driver: D,
    /// The end of the connection whose last data came just before.
    end: Option<Vec<u8>>,
    /// The last frame, if it was one.
    syn: Option<Syn>,
}

impl<D: Device> TcpInspector<D> {
    pub(crate) fn new(driver: D) -> TcpInspector<D> {
        TcpInspector { driver, end: None, syn: None }
    }

    /// Who wanted a connection with the last frame, if that was what it was for.
    pub(crate) fn take_syn(&mut self) -> Option<Syn> {
        self.syn.take()
    }
}

/// A frame received.
pub(crate) enum Frame<'a, R> {
    /// From the driver; if it is split, its second half goes to the place given, and if it is a
    /// SYN, whose.
    New(R, &'a mut Option<Vec<u8>>, &'a mut Option<Syn>),
    Second(Vec<u8>),
}

impl<R: RxToken> RxToken for Frame<'_, R> {
    fn consume<T, F: FnOnce(&[u8]) -> T>(self, f: F) -> T {
        match self {
            Frame::New(token, end, syn) => token.consume(|frame| {
                let first = look(frame, end, syn);
                f(first.as_deref().unwrap_or(frame))
            }),
            Frame::Second(frame) => f(&frame),
        }
    }
}

impl<D: Device> Device for TcpInspector<D> {
    type RxToken<'a>
        = Frame<'a, D::RxToken<'a>>
    where
        D: 'a;
    type TxToken<'a>
        = D::TxToken<'a>
    where
        D: 'a;

    fn receive(&mut self, now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        if self.end.is_some() {
            let sender = self.driver.transmit(now)?;
            return Some((Frame::Second(self.end.take()?), sender));
        }
        let (token, sender) = self.driver.receive(now)?;
        Some((Frame::New(token, &mut self.end, &mut self.syn), sender))
    }

    fn transmit(&mut self, now: Instant) -> Option<Self::TxToken<'_>> {
        self.driver.transmit(now)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.driver.capabilities()
    }
}

/// What a frame is.
enum Seen {
    /// Data and the end, and no memory to split them.
    NoMemory,
    Syn(Syn),
    /// Data and the end: the data without the end, and the end without the data.
    Whole(Vec<u8>, Vec<u8>),
}

/// Notes what a frame is; the data without the end if it has both.
#[inline(never)]
fn look(frame: &[u8], end: &mut Option<Vec<u8>>, syn: &mut Option<Syn>) -> Option<Vec<u8>> {
    match segment(frame)? {
        // No frame at all.
        Seen::NoMemory => Some(Vec::new()),
        Seen::Syn(seen) => {
            *syn = Some(seen);
            None
        }
        Seen::Whole(data, second) => {
            *end = Some(second);
            Some(data)
        }
    }
}

fn segment(frame: &[u8]) -> Option<Seen> {
    let ethernet = EthernetFrame::new_checked(frame).ok()?;
    if ethernet.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let ip = Ipv4Packet::new_checked(ethernet.payload()).ok()?;
    if ip.next_header() != IpProtocol::Tcp || ip.frag_offset() != 0 || ip.more_frags() {
        return None;
    }
    let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
    let payload = tcp.payload().len();
    let (from, to) = (ip.src_addr().into(), ip.dst_addr().into());
    let is_syn = tcp.syn() && !tcp.ack() && !tcp.rst() && !tcp.fin();
    let splits = tcp.fin() && !tcp.syn() && !tcp.rst() && payload > 0;
    // One that is damaged is smoltcp's to throw away: a new checksum would make it look whole.
    if !(is_syn || splits) || !tcp.verify_checksum(&from, &to) {
        return None;
    }
    if is_syn {
        let (from, to) = ((from, tcp.src_port()).into(), (to, tcp.dst_port()).into());
        return Some(Seen::Syn(Syn { from, to }));
    }
    let header = EthernetFrame::<&[u8]>::header_len();
    let (ip_header, ip_len) = (usize::from(ip.header_len()), usize::from(ip.total_len()));
    let before = header + ip_header + usize::from(tcp.header_len());
    let segment = header + ip_header;

    let whole = frame.get(..header + ip_len)?;
    // Without memory it is as if it had been lost: it comes again.
    let Some((mut data, mut end)) = copy(whole).zip(copy(whole.get(..before)?)) else {
        return Some(Seen::NoMemory);
    };
    change(data.get_mut(segment..)?, from, to, |tcp| tcp.set_fin(false));

    let seq = tcp.seq_number() + payload;
    change(end.get_mut(segment..)?, from, to, |tcp| tcp.set_seq_number(seq));
    let mut ip = Ipv4Packet::new_unchecked(end.get_mut(header..)?);
    ip.set_total_len((ip_len - payload) as u16);
    ip.fill_checksum();
    Some(Seen::Whole(data, end))
}

fn copy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).ok()?;
    copy.extend_from_slice(bytes);
    Some(copy)
}

fn change(
    segment: &mut [u8],
    from: IpAddress,
    to: IpAddress,
    how: impl FnOnce(&mut TcpPacket<&mut [u8]>),
) {
    let mut tcp = TcpPacket::new_unchecked(segment);
    how(&mut tcp);
    tcp.fill_checksum(&from, &to);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(frame: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        match segment(frame)? {
            Seen::Whole(data, end) => Some((data, end)),
            _ => None,
        }
    }

    /// A segment with so many bytes of data, with or without the end.
    fn frame(payload: usize, fin: bool) -> Vec<u8> {
        let mut frame = alloc::vec![0; 54 + payload];
        let mut ethernet = EthernetFrame::new_unchecked(&mut frame[..]);
        ethernet.set_ethertype(EthernetProtocol::Ipv4);
        let mut ip = Ipv4Packet::new_unchecked(ethernet.payload_mut());
        ip.set_version(4);
        ip.set_header_len(20);
        ip.set_total_len(40 + payload as u16);
        ip.set_next_header(IpProtocol::Tcp);
        ip.set_src_addr([10, 0, 2, 2].into());
        ip.set_dst_addr([10, 0, 2, 15].into());
        ip.fill_checksum();
        let mut tcp = TcpPacket::new_unchecked(ip.payload_mut());
        tcp.set_src_port(40_000);
        tcp.set_dst_port(2000);
        tcp.set_header_len(20);
        tcp.set_ack(true);
        tcp.set_fin(fin);
        for (at, byte) in tcp.payload_mut().iter_mut().enumerate() {
            *byte = at as u8;
        }
        tcp.fill_checksum(&IpAddress::v4(10, 0, 2, 2), &IpAddress::v4(10, 0, 2, 15));
        frame
    }

    #[test]
    fn both_halves_are_sound_and_together_the_whole() {
        for payload in 0..300 {
            assert!(split(&frame(payload, false)).is_none());
            let whole = frame(payload, true);
            let Some((data, end)) = split(&whole) else {
                assert_eq!(payload, 0);
                continue;
            };
            assert_eq!(data[54..], whole[54..]);
            assert_eq!((data.len(), end.len()), (whole.len(), 54));
            for (half, fin, seq) in [(&data, false, 0), (&end, true, payload as i32)] {
                let ip = Ipv4Packet::new_checked(&half[14..]).unwrap();
                assert!(ip.verify_checksum());
                let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
                assert!(tcp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()));
                assert_eq!((tcp.fin(), tcp.seq_number().0), (fin, seq));
            }
        }
    }

    /// Whatever a frame is, it is split or left alone; and one that is damaged is left alone.
    #[test]
    fn any_frame() {
        let mut state = 1_u32;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as usize
        };
        for round in 0..200_000 {
            let mut frame = frame(next() % 40, true);
            for _ in 0..1 + next() % 4 {
                let at = next() % frame.len();
                frame[at] ^= 1 << (next() % 8);
            }
            frame.truncate(if round % 3 == 0 { next() % 100 } else { frame.len() });
            if let Some((data, end)) = split(&frame) {
                assert!(data.len() <= frame.len() && end.len() < frame.len());
            }
        }
    }
}

//! Between driver and smoltcp: a segment that carries data and the end of the connection comes as two.
//!
//! smoltcp 0.14 clips a segment to the window and then takes the end of it for the end of all, so that the clipped bytes
//! are lost without a word: a script uploaded would be cut. smoltcp as the sender on the other side, another of our
//! devices, does send such segments. An end that comes alone is taken only when nothing is missing before it.

use alloc::vec::Vec;

use smoltcp::phy::{Device, DeviceCapabilities, RxToken};
use smoltcp::time::Instant;
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, IpAddress, IpProtocol, Ipv4Packet, TcpPacket,
};

/// A driver whose frames are mended.
pub(crate) struct FinSplitter<D> {
    pub(crate) driver: D,
    /// The end of the connection whose last data came just before.
    end: Option<Vec<u8>>,
}

impl<D: Device> FinSplitter<D> {
    pub(crate) fn new(driver: D) -> FinSplitter<D> {
        FinSplitter { driver, end: None }
    }
}

/// A frame received.
pub(crate) enum Frame<'a, R> {
    /// From the driver; if it is split, its second half goes to the place given.
    New(R, &'a mut Option<Vec<u8>>),
    Second(Vec<u8>),
}

impl<R: RxToken> RxToken for Frame<'_, R> {
    fn consume<T, F: FnOnce(&[u8]) -> T>(self, f: F) -> T {
        match self {
            Frame::New(token, end) => token.consume(|frame| match split(frame) {
                None => f(frame),
                Some((data, second)) => {
                    *end = Some(second);
                    f(&data)
                }
            }),
            Frame::Second(frame) => f(&frame),
        }
    }
}

impl<D: Device> Device for FinSplitter<D> {
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
        Some((Frame::New(token, &mut self.end), sender))
    }

    fn transmit(&mut self, now: Instant) -> Option<Self::TxToken<'_>> {
        self.driver.transmit(now)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.driver.capabilities()
    }
}

/// The data without the end, and the end without the data, if a frame has both.
fn split(frame: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
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
    // One that is damaged is smoltcp's to throw away: a new checksum would make it look whole.
    if !tcp.fin() || tcp.syn() || tcp.rst() || payload == 0 || !tcp.verify_checksum(&from, &to) {
        return None;
    }
    let header = EthernetFrame::<&[u8]>::header_len();
    let (ip_header, ip_len) = (usize::from(ip.header_len()), usize::from(ip.total_len()));
    let before = header + ip_header + usize::from(tcp.header_len());
    let segment = header + ip_header;

    let mut data = frame.get(..header + ip_len)?.to_vec();
    change(data.get_mut(segment..)?, from, to, |tcp| tcp.set_fin(false));

    let mut end = frame.get(..before)?.to_vec();
    let seq = tcp.seq_number() + payload;
    change(end.get_mut(segment..)?, from, to, |tcp| tcp.set_seq_number(seq));
    let mut ip = Ipv4Packet::new_unchecked(end.get_mut(header..)?);
    ip.set_total_len((ip_len - payload) as u16);
    ip.fill_checksum();
    Some((data, end))
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

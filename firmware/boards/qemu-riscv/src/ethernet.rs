//! Virtio's network device (Virtual I/O Device 1.2, section 5.1).
//!
//! Frames lie in the RAM that is the radio's on the chip. A frame that finds no empty buffer waits
//! in the emulator: none is lost.

use core::cell::{RefCell, UnsafeCell};

use umqtt_net_smoltcp::smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use umqtt_net_smoltcp::smoltcp::time::Instant;
use umqtt_qemu_board::Ethernet;
use umqtt_virt::plic;
use virtio_drivers::device::net::VirtIONetRaw;
use virtio_drivers::transport::DeviceType;
use virtio_drivers::transport::mmio::MmioTransport;

use crate::virtio::{self, Shared};

/// Frames that may wait in each direction: a power of two.
const QUEUE: usize = 32;
/// Bytes of a buffer: the longest frame, behind the device's own header.
const BUFFER: usize = 1536;
/// Longest frame.
const LONGEST: usize = 1514;
/// Bytes of the device's header in front of a frame, at most.
const HEADER: usize = 12;
const _: () = assert!(HEADER + LONGEST <= BUFFER);

/// The buffers of both directions.
#[repr(C, align(16))]
struct Buffers(UnsafeCell<[[u8; BUFFER]; 2 * QUEUE]>);

// SAFETY: each is used by who has its place in the queue: see `buffer`.
unsafe impl Sync for Buffers {}

#[unsafe(link_section = ".radio")]
static BUFFERS: Buffers = Buffers(UnsafeCell::new([[0; BUFFER]; 2 * QUEUE]));

/// The queues name a frame by its place, and a place has a buffer of its own: those to receive
/// come first, those to send behind them.
fn buffer(index: usize) -> *mut [u8; BUFFER] {
    debug_assert!(index < 2 * QUEUE);
    // SAFETY: within the buffers.
    unsafe { BUFFERS.0.get().cast::<[u8; BUFFER]>().add(index) }
}

type Raw = VirtIONetRaw<Shared, MmioTransport<'static>, QUEUE>;

/// The Ethernet.
pub struct VirtioNet(RefCell<Queues>);

struct Queues {
    raw: Raw,
    /// The buffer of each place of the queue to receive.
    receiving: [u8; QUEUE],
    /// The buffer of each place of the queue to send, and the length in it; 0 where none is on its
    /// way.
    sending: [(u8, u16); QUEUE],
    /// Buffers to send with that are free, a bit each.
    free: u32,
}

impl core::fmt::Debug for VirtioNet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("VirtioNet").finish_non_exhaustive()
    }
}

impl VirtioNet {
    /// Sets the device up. There is one, so this is to be called once.
    ///
    /// # Panics
    /// The emulator has no such device.
    pub(crate) fn new() -> VirtioNet {
        let Some((transport, interrupt)) = virtio::find(DeviceType::Network) else {
            panic!("no network: start the emulator with -device virtio-net-device");
        };
        let raw = Raw::new(transport).unwrap_or_else(|error| panic!("network: {error}"));
        let mut queues =
            Queues { raw, receiving: [0; QUEUE], sending: [(0, 0); QUEUE], free: u32::MAX };
        (0..QUEUE).for_each(|index| queues.offer(index));
        plic::wake_with(interrupt);
        VirtioNet(RefCell::new(queues))
    }
}

impl Queues {
    /// Gives the device a buffer to receive with.
    fn offer(&mut self, index: usize) {
        // SAFETY: the buffer is ours until the device has it.
        let bytes = unsafe { &mut *buffer(index) };
        // SAFETY: it is not touched before the device gives it back.
        match unsafe { self.raw.receive_begin(bytes) } {
            Ok(place) => self.receiving[usize::from(place)] = index as u8,
            Err(error) => panic!("network: {error}"),
        }
    }

    /// Takes a frame that was received: its buffer, and where in it the frame is.
    fn take(&mut self) -> Option<(usize, core::ops::Range<usize>)> {
        let place = self.raw.poll_receive()?;
        let index = usize::from(self.receiving[usize::from(place)]);
        // SAFETY: the device has given it back.
        let bytes = unsafe { &mut *buffer(index) };
        // SAFETY: the buffer that was offered for this place.
        match unsafe { self.raw.receive_complete(place, bytes) } {
            Ok((header, len)) => Some((index, header..(header + len).min(BUFFER))),
            Err(error) => panic!("network: {error}"),
        }
    }

    /// Takes back the buffers of frames that were sent.
    fn reclaim(&mut self) {
        while let Some(place) = self.raw.poll_transmit() {
            let (index, len) = self.sending[usize::from(place)];
            // SAFETY: the device has given it back.
            let bytes = unsafe { &(&*buffer(index.into()))[..len.into()] };
            // SAFETY: the bytes that were sent from this place.
            if let Err(error) = unsafe { self.raw.transmit_complete(place, bytes) } {
                panic!("network: {error}");
            }
            self.free |= 1 << (usize::from(index) - QUEUE);
        }
    }

    fn can_send(&mut self) -> bool {
        self.reclaim();
        self.free != 0 && self.raw.can_send()
    }

    /// Takes a buffer to send with, and writes the device's header; where the frame begins.
    fn begin(&mut self) -> (usize, usize) {
        let bit = self.free.trailing_zeros() as usize;
        self.free &= !(1 << bit);
        let index = QUEUE + bit;
        // SAFETY: the buffer is nobody's.
        let bytes = unsafe { &mut *buffer(index) };
        let header = self.raw.fill_buffer_header(bytes);
        (index, header.unwrap_or_else(|error| panic!("network: {error}")))
    }

    fn send(&mut self, index: usize, len: usize) {
        // SAFETY: the buffer is ours until the device has it.
        let bytes = unsafe { &(&*buffer(index))[..len] };
        // SAFETY: it is not touched before the device gives it back.
        match unsafe { self.raw.transmit_begin(bytes) } {
            Ok(place) => self.sending[usize::from(place)] = (index as u8, len as u16),
            Err(error) => panic!("network: {error}"),
        }
    }
}

impl Ethernet for VirtioNet {
    fn acknowledge(&mut self) {
        let queues = self.0.get_mut();
        plic::acknowledge(|| queues.raw.ack_interrupt());
    }

    fn has_frame(&self) -> bool {
        self.0.borrow().raw.poll_receive().is_some()
    }
}

/// A frame that was received.
#[derive(Debug)]
pub struct Received<'a>(&'a VirtioNet);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let taken = self.0.0.borrow_mut().take();
        let Some((index, range)) = taken else { return f(&[]) };
        // SAFETY: the device has given the buffer back, and gets it again behind this.
        let result = f(unsafe { &(&*buffer(index))[range] });
        self.0.0.borrow_mut().offer(index);
        result
    }
}

/// Room for a frame to send.
#[derive(Debug)]
pub struct Sender<'a>(&'a VirtioNet);

impl TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let (index, start) = self.0.0.borrow_mut().begin();
        let end = (start + len).min(BUFFER);
        // SAFETY: the buffer is nobody else's until it is sent.
        let result = f(unsafe { &mut (&mut *buffer(index))[start..end] });
        self.0.0.borrow_mut().send(index, end);
        result
    }
}

impl Device for VirtioNet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sender<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Received<'_>, Sender<'_>)> {
        // An answer may be sent at once, so there must be room for it.
        let ready = self.has_frame() && self.0.get_mut().can_send();
        ready.then_some((Received(self), Sender(self)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sender<'_>> {
        self.0.get_mut().can_send().then_some(Sender(self))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = LONGEST;
        capabilities.max_burst_size = Some(QUEUE);
        capabilities
    }
}

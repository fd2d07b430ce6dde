//! The OpenCores Ethernet MAC of the emulated machine (OpenCores "Ethernet IP Core Specification",
//! revision 1.19).
//!
//! Frames lie in the 32 KiB of RAM that are the WiFi driver's on the chip, where they would lie in
//! its buffers: this MAC is in its place.
//!
//! The MAC has no flow control: a frame that finds no empty buffer is lost without a word, and TCP
//! needs a second or more to find out. Two things keep that from happening to well-behaved peers,
//! however many talk at once. The buffers are small and many: a frame of ours or for us is hardly
//! ever longer than a few hundred bytes. And nothing is sent while too many frames wait to be read,
//! as most of what is sent is answered by a frame.

use core::sync::atomic::{AtomicU32, Ordering};

use umqtt_net_smoltcp::smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use umqtt_net_smoltcp::smoltcp::time::Instant;
use umqtt_qemu_board::Ethernet;

const REGISTERS: *mut u32 = 0x9d03_0000 as *mut u32;
/// Two words per descriptor: length and flags, address of the buffer. Those to send come first.
const DESCRIPTORS: *mut u32 = 0x9d03_0400 as *mut u32;
/// The upper 32 KiB of the data RAM, which the linker script leaves alone.
const BUFFERS: usize = 0x3fff_4000;
const BUFFERS_SIZE: usize = 32 * 1024;

/// Registers, as indexes of words (section 3.1).
const MODER: usize = 0;
const INT_SOURCE: usize = 1;
const INT_MASK: usize = 2;
const PACKETLEN: usize = 6;
const TX_BD_NUM: usize = 8;
const MAC_ADDR0: usize = 16;
const MAC_ADDR1: usize = 17;
const HASH0: usize = 18;
const HASH1: usize = 19;

/// MODER: receive and send, full duplex, append a checksum, pad short frames (section 3.2).
const MODE: u32 = 1 | 1 << 1 | 1 << 10 | 1 << 13 | 1 << 15;
/// INT_SOURCE: a frame was received; one was dropped for want of a descriptor (section 3.3).
const RECEIVED: u32 = 1 << 2;
const BUSY: u32 = 1 << 4;
const ALL_INTERRUPTS: u32 = 0x7f;
/// PACKETLEN: shortest frame, bytes.
const SHORTEST: u32 = 64;

/// Flags of a descriptor (section 4.2): ready to be sent or empty, interrupt, last of the ring,
/// pad, checksum.
const READY: u32 = 1 << 15;
const EMPTY: u32 = 1 << 15;
const INTERRUPT: u32 = 1 << 14;
const WRAP: u32 = 1 << 13;
const PAD: u32 = 1 << 12;
const CHECKSUM: u32 = 1 << 11;

/// Bytes of a buffer, and how many there are: together they fill their memory.
const BUFFER: usize = 608;
const SENDING: usize = 2;
const RECEIVING: usize = 51;
const _: () =
    assert!((SENDING + RECEIVING) * BUFFER <= BUFFERS_SIZE && LONGEST + CHECKSUM_LEN <= BUFFER);
/// With so many frames waiting nothing is sent: the other buffers are for what comes unasked.
const MANY_WAITING: usize = 8;
/// Longest frame without its checksum: the largest packet every host must take (RFC 791, section
/// 3.1), and its header. DHCP and DNS keep to it, TCP is told. A longer frame is cut by the MAC,
/// and then thrown away as damaged.
const LONGEST: usize = 14 + 576;
/// Bytes of the checksum, which a received frame's length counts.
const CHECKSUM_LEN: usize = 4;

/// Times a frame found no empty buffer; several in a row count once.
static LOSSES: AtomicU32 = AtomicU32::new(0);

/// Times frames were lost since the start because all buffers were full.
pub(crate) fn losses() -> u32 {
    LOSSES.load(Ordering::Relaxed)
}

/// The Ethernet.
#[derive(Debug)]
pub struct OpenEth {
    /// The next descriptor to send with, and the next to receive with.
    send: usize,
    receive: usize,
    /// Sending was refused because frames wait, and none has been taken since.
    refused: bool,
}

fn set_register(index: usize, word: u32) {
    // SAFETY: a register of this machine's Ethernet; the buffers it may make the MAC write to are
    // nobody else's.
    unsafe { REGISTERS.add(index).write_volatile(word) }
}

fn register(index: usize) -> u32 {
    // SAFETY: a register of this machine's Ethernet; reading has no effect.
    unsafe { REGISTERS.add(index).read_volatile() }
}

fn flags(descriptor: usize) -> u32 {
    // SAFETY: one of the MAC's own 128 descriptors.
    unsafe { DESCRIPTORS.add(2 * descriptor).read_volatile() }
}

fn set_flags(descriptor: usize, word: u32) {
    // SAFETY: as above.
    unsafe { DESCRIPTORS.add(2 * descriptor).write_volatile(word) }
}

fn buffer(descriptor: usize) -> *mut u8 {
    (BUFFERS + descriptor * BUFFER) as *mut u8
}

fn set_buffer(descriptor: usize) {
    // SAFETY: as above.
    unsafe { DESCRIPTORS.add(2 * descriptor + 1).write_volatile(buffer(descriptor) as u32) }
}

/// The flag of the last descriptor of a ring.
fn wrap(index: usize, count: usize) -> u32 {
    if index + 1 == count { WRAP } else { 0 }
}

impl OpenEth {
    /// Sets the MAC up. There is one, so this is to be called once.
    pub fn new(mac: [u8; 6]) -> OpenEth {
        let [a, b, c, d, e, f] = mac;
        set_register(MODER, 0);
        set_register(INT_MASK, 0);
        set_register(INT_SOURCE, ALL_INTERRUPTS);
        set_register(TX_BD_NUM, SENDING as u32);
        set_register(PACKETLEN, SHORTEST << 16 | BUFFER as u32);
        set_register(MAC_ADDR0, u32::from_be_bytes([c, d, e, f]));
        set_register(MAC_ADDR1, u32::from_be_bytes([0, 0, a, b]));
        // Every group; smoltcp takes those that were joined.
        set_register(HASH0, u32::MAX);
        set_register(HASH1, u32::MAX);
        for index in 0..SENDING {
            set_buffer(index);
            set_flags(index, wrap(index, SENDING));
        }
        for index in 0..RECEIVING {
            set_buffer(SENDING + index);
            set_flags(SENDING + index, EMPTY | INTERRUPT | wrap(index, RECEIVING));
        }
        set_register(INT_MASK, RECEIVED | BUSY);
        set_register(MODER, MODE);
        OpenEth { send: 0, receive: 0, refused: false }
    }

    /// Whether a frame is waiting behind so many others.
    fn waiting(&self, others: usize) -> bool {
        flags(SENDING + (self.receive + others) % RECEIVING) & EMPTY == 0
    }

    fn can_send(&self) -> bool {
        flags(self.send) & READY == 0
    }
}

impl Ethernet for OpenEth {
    fn acknowledge(&mut self) {
        if register(INT_SOURCE) & BUSY != 0 {
            LOSSES.store(LOSSES.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
        set_register(INT_SOURCE, ALL_INTERRUPTS);
    }

    fn has_frame(&self) -> bool {
        self.waiting(0)
    }
}

/// A frame that was received.
#[derive(Debug)]
pub struct Received<'a>(&'a mut usize);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let index = *self.0;
        let descriptor = SENDING + index;
        let len = (flags(descriptor) >> 16) as usize;
        let len = len.saturating_sub(CHECKSUM_LEN).min(BUFFER);
        // SAFETY: the descriptor is not empty, so the buffer is ours until it is made so again;
        // `len` bytes are in it.
        let result = f(unsafe { core::slice::from_raw_parts(buffer(descriptor), len) });
        set_flags(descriptor, EMPTY | INTERRUPT | wrap(index, RECEIVING));
        *self.0 = (index + 1) % RECEIVING;
        result
    }
}

/// Room for a frame to send.
#[derive(Debug)]
pub struct Sender<'a>(&'a mut usize);

impl TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let index = *self.0;
        let len = len.min(BUFFER);
        // SAFETY: the descriptor is not ready, so the buffer is ours until it is made so.
        let result = f(unsafe { core::slice::from_raw_parts_mut(buffer(index), len) });
        set_flags(index, (len as u32) << 16 | READY | PAD | CHECKSUM | wrap(index, SENDING));
        *self.0 = (index + 1) % SENDING;
        result
    }
}

impl Device for OpenEth {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sender<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Received<'_>, Sender<'_>)> {
        // An answer may be sent at once, so there must be room for it.
        if !self.has_frame() || !self.can_send() {
            return None;
        }
        self.refused = false;
        Some((Received(&mut self.receive), Sender(&mut self.send)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sender<'_>> {
        // Who cannot take a frame before having sent one is not to wait for ever.
        if self.waiting(MANY_WAITING) && !self.refused {
            self.refused = true;
            return None;
        }
        self.can_send().then_some(Sender(&mut self.send))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = LONGEST;
        capabilities.max_burst_size = Some(RECEIVING);
        capabilities
    }
}

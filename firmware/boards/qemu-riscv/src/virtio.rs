//! Where virtio's devices are, and the memory they share with us.

use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_drivers::transport::{DeviceType, Transport};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// The places of devices: so many, their registers so far apart, and the interrupt of the first.
const FIRST: usize = 0x1000_1000;
const PLACES: usize = 8;
const APART: usize = 0x1000;
const FIRST_INTERRUPT: u32 = 1;
/// Bytes of a device's registers.
const REGISTERS: usize = 0x200;

/// A device's registers, and its interrupt.
pub(crate) type Place = (MmioTransport<'static>, u32);

/// Finds a device of this type. It is to be asked for once.
pub(crate) fn find(kind: DeviceType) -> Option<Place> {
    (0..PLACES).zip(FIRST_INTERRUPT..).find_map(|(place, interrupt)| {
        let registers = NonNull::new((FIRST + place * APART) as *mut VirtIOHeader)?;
        // SAFETY: registers of this machine, whether there is a device or not.
        let transport = unsafe { MmioTransport::new(registers, REGISTERS) }.ok()?;
        (transport.device_type() == kind).then_some((transport, interrupt))
    })
}

/// Pages for the queues of the two devices: two for each of three queues.
const PAGES: usize = 6;

/// The pages, in the RAM that is the radio's on the chip.
#[repr(C, align(4096))]
struct Pages(UnsafeCell<[[u8; PAGE_SIZE]; PAGES]>);

// SAFETY: each page is given away once.
unsafe impl Sync for Pages {}

#[unsafe(link_section = ".radio")]
static POOL: Pages = Pages(UnsafeCell::new([[0; PAGE_SIZE]; PAGES]));
static GIVEN: AtomicUsize = AtomicUsize::new(0);

/// What the drivers need to know of the machine: its addresses are the devices' too.
#[derive(Debug)]
pub(crate) struct Shared;

// SAFETY: pages come from a pool that nobody else has, each once, and are never taken back.
unsafe impl Hal for Shared {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let from = GIVEN.load(Ordering::Relaxed);
        // The drivers make an error of the address 0.
        if from + pages > PAGES {
            return (0, NonNull::dangling());
        }
        GIVEN.store(from + pages, Ordering::Relaxed);
        // SAFETY: within the pool.
        let start = unsafe { POOL.0.get().cast::<[u8; PAGE_SIZE]>().add(from) };
        // SAFETY: pages that were not given yet; the memory is not cleared at the start.
        unsafe { start.write_bytes(0, pages) };
        let pointer = NonNull::new(start.cast::<u8>()).unwrap_or(NonNull::dangling());
        (start.addr() as PhysAddr, pointer)
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        // The devices live as long as the program.
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, _: usize) -> NonNull<u8> {
        NonNull::new(address as *mut u8).unwrap_or(NonNull::dangling())
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.cast::<u8>().addr().get() as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}

//! Virtio's source of random numbers: the emulator's computer's.

use core::cell::RefCell;

use critical_section::Mutex;
use virtio_drivers::device::rng::VirtIORng;
use virtio_drivers::transport::DeviceType;
use virtio_drivers::transport::mmio::MmioTransport;

use crate::virtio::{self, Shared};

type Source = VirtIORng<Shared, MmioTransport<'static>>;

static SOURCE: Mutex<RefCell<Option<Source>>> = Mutex::new(RefCell::new(None));

/// Fills a buffer with random numbers.
pub(crate) fn fill(into: &mut [u8]) {
    critical_section::with(|section| {
        let mut source = SOURCE.borrow_ref_mut(section);
        let source = source.get_or_insert_with(begin);
        let mut at = 0;
        while at < into.len() {
            match source.request_entropy(&mut into[at..]) {
                Ok(count @ 1..) => at += count,
                _ => panic!("the source of random numbers has none"),
            }
        }
    });
}

fn begin() -> Source {
    let Some((transport, _)) = virtio::find(DeviceType::EntropySource) else {
        panic!("no random numbers: start the emulator with -device virtio-rng-device");
    };
    VirtIORng::new(transport).unwrap_or_else(|error| panic!("random numbers: {error}"))
}

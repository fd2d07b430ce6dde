//! A password tried on the console's lock.

use alloc::string::String;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::println;
use umqtt_device::console::{Lock, Requester};
use umqtt_device::net::Instant;

use crate::count;

/// Counts what one try takes, in which nothing else is done; prints it.
pub(crate) fn count<E: Emulator>() -> Result<(), String> {
    let mut lock = Lock::default();
    let locked = lock.lock(Some(b"correct horse"), Requester::Serial, [7; 16]);
    locked.map_err(|why| alloc::format!("it does not lock: {why:?}"))?;
    let (opened, instructions) = count::once::<E, _>(|| {
        lock.unlock(b"correct horse", Requester::Serial, Instant::ZERO, [8; 16])
    });
    opened.map_err(|why| alloc::format!("it does not open: {why:?}"))?;
    println!("unlock instructions {instructions}");
    Ok(())
}

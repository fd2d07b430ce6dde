//! One turn of a board's loop.

use core::sync::atomic::{AtomicBool, Ordering};

use umqtt_chip_rt::{clock, interrupt, reset, watchdog};
use umqtt_device::{Device, Platform};
use umqtt_net::{Instant, Stack};

use crate::crash_loop;

static RESTART: AtomicBool = AtomicBool::new(false);

/// For [`Board::restart`](umqtt_device::board::Board::restart): the core is reset as soon as the
/// device's poll has returned.
pub fn restart_after_this_turn() {
    RESTART.store(true, Ordering::Relaxed);
}

/// Milliseconds since the start.
pub fn now() -> Instant {
    Instant::from_millis(clock::millis())
}

/// Does what is to be done now, and sleeps until there is more: until the device or the network
/// has a timer due, one of `interrupts` comes, or `is_ready` says that one came already. `before`
/// is called ahead of the device.
pub fn turn<P: Platform, N: Stack>(
    device: &mut Device<P>,
    net: &mut N,
    mut before: impl FnMut(&mut P::Board, &mut N),
    interrupts: u32,
    is_ready: impl Fn(&mut N) -> bool,
) {
    watchdog::feed();
    crash_loop::note_running();
    let until = umqtt_net::turn(net, now, |now, net| {
        before(device.board(), net);
        let next = device.poll(now, net);
        if RESTART.load(Ordering::Relaxed) {
            reset::restart(format_args!("the device was asked to"));
        }
        next
    });
    let until = until.map_or(u64::MAX, Instant::as_millis);
    interrupt::sleep(clock::cycle_at(until), interrupts, || is_ready(net));
}

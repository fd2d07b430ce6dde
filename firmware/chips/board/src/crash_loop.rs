//! Crash loops: counts faults and waits as [`umqtt_device::crash_loop`] says.

use umqtt_chip_rt::{clock, interrupt, println, reset, watchdog};
use umqtt_device::crash_loop::{StartMode, backoff, is_healthy};
use umqtt_device::net::Instant;

/// Says how to start this time, and waits where that is better.
pub fn start_mode() -> StartMode {
    let faults = reset::fault_count();
    let millis = backoff(faults).as_millis();
    if millis > 0 {
        println!("{faults} faults in a row: the next try is in {} s", millis / 1000);
        sleep(millis);
    }
    StartMode::after(faults)
}

/// Notes that the device runs. To be called in the main loop.
pub fn note_running() {
    if reset::fault_count() > 0
        && is_healthy(reset::fault_count(), Instant::from_millis(clock::millis()))
    {
        reset::clear_faults();
    }
}

fn sleep(millis: u64) {
    let until = clock::millis() + millis;
    while clock::millis() < until {
        watchdog::feed();
        interrupt::sleep(clock::cycle_at(until), 0, || false);
    }
}

//! Crash loops: a device that a fault restarts again and again, as its start leads to the same
//! fault. It comes up without its script, and if even that fails, it waits longer and longer before
//! the next try (backoff). So it can be reached and mended, where it can, and does not wear its
//! flash out where it cannot.

use umqtt_device::net::Instant;
use umqtt_device::{Device, Platform};
use umqtt_lx106_rt::{clock, interrupt, println, reset, watchdog};

/// Faults in a row after which the script is not started.
const FAULTS_WITHOUT_SCRIPT: u32 = 3;
/// Milliseconds without a fault after which those before do not count.
const HEALTHY_AFTER: u64 = 60_000;
/// Milliseconds to wait when the first start without the script has failed; they double with each,
/// up to a limit.
const FIRST_BACKOFF: u64 = 1_000;
const MAX_BACKOFF: u64 = 300_000;

/// How to start.
#[derive(Debug)]
pub enum StartMode {
    /// As ever.
    Normal,
    /// There were so many faults.
    WithoutScript {
        /// How many, in a row.
        faults: u32,
    },
}

impl StartMode {
    /// Starts the device so.
    pub fn start<P: Platform>(self, device: &mut Device<P>) {
        match self {
            StartMode::Normal => device.start(Instant::from_millis(clock::millis())),
            StartMode::WithoutScript { faults } => {
                let why = format_args!("{faults} faults in a row have restarted the device");
                device.start_without_script(Instant::from_millis(clock::millis()), why);
            }
        }
    }
}

/// Says how to start this time, and waits where that is better.
pub fn start_mode() -> StartMode {
    let faults = reset::fault_count();
    if faults < FAULTS_WITHOUT_SCRIPT {
        return StartMode::Normal;
    }
    let millis = backoff(faults);
    if millis > 0 {
        println!("{faults} faults in a row: the next try is in {} s", millis / 1000);
        sleep(millis);
    }
    StartMode::WithoutScript { faults }
}

/// Notes that the device runs. To be called in the main loop.
pub fn note_running() {
    if reset::fault_count() > 0 && clock::millis() >= HEALTHY_AFTER + backoff(reset::fault_count())
    {
        reset::clear_faults();
    }
}

/// Milliseconds to wait before the next start.
fn backoff(faults: u32) -> u64 {
    match faults.saturating_sub(FAULTS_WITHOUT_SCRIPT) {
        0 => 0,
        failed => MAX_BACKOFF.min(FIRST_BACKOFF << (failed - 1).min(16)),
    }
}

fn sleep(millis: u64) {
    let until = clock::millis() + millis;
    while clock::millis() < until {
        watchdog::feed();
        interrupt::sleep(clock::cycle_at(until), 0, || false);
    }
}

//! Crash loops: a device that a fault restarts again and again, as its start leads to the same
//! fault. It comes up without its script, and if even that fails, it waits longer and longer before
//! the next try (backoff). So it can be reached and mended, where it can, and does not wear its
//! flash out where it cannot. The board counts its faults over a restart; this is what follows.

use umqtt_net::{Duration, Instant};

use crate::{Device, Platform};

/// Faults in a row after which the script is not started.
const FAULTS_WITHOUT_SCRIPT: u32 = 3;
/// After so long without a fault those before do not count.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// How long to wait when the first start without the script has failed; it doubles with each, up
/// to a limit.
const FIRST_BACKOFF: u64 = 1_000;
const MAX_BACKOFF: u64 = 300_000;

/// How to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// How to start after so many faults in a row.
    pub fn after(faults: u32) -> StartMode {
        match faults {
            0..FAULTS_WITHOUT_SCRIPT => StartMode::Normal,
            faults => StartMode::WithoutScript { faults },
        }
    }

    /// Starts the device so.
    pub fn start<P: Platform>(self, device: &mut Device<P>, now: Instant) {
        match self {
            StartMode::Normal => device.start(now),
            StartMode::WithoutScript { faults } => {
                let why = format_args!("{faults} faults in a row have restarted the device");
                device.start_without_script(now, why);
            }
        }
    }
}

/// How long to wait before the next start after so many faults in a row.
pub fn backoff(faults: u32) -> Duration {
    Duration::from_millis(match faults.saturating_sub(FAULTS_WITHOUT_SCRIPT) {
        0 => 0,
        failed => MAX_BACKOFF.min(FIRST_BACKOFF << (failed - 1).min(16)),
    })
}

/// Whether so many faults do not count any more, at a time that counts from the reset.
pub fn is_healthy(faults: u32, now: Instant) -> bool {
    now >= Instant::ZERO.saturating_add(HEALTHY_AFTER).saturating_add(backoff(faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_left_out_and_then_it_waits() {
        assert_eq!(StartMode::after(2), StartMode::Normal);
        assert_eq!(StartMode::after(3), StartMode::WithoutScript { faults: 3 });
        let waits = [0, 3, 4, 5, 6, 12, 13, u32::MAX].map(|faults| backoff(faults).as_millis());
        assert_eq!(waits, [0, 0, 1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
        assert!(!is_healthy(4, Instant::from_millis(60_500)));
        assert!(is_healthy(4, Instant::from_millis(61_000)));
    }
}

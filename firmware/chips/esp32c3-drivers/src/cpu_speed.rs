//! The processor's clock. It is chosen before anything else of the chip is set up, so what counts
//! is what was saved (`speed`), read from the flash ahead of the device's own start.

use umqtt_device::crash_loop::StartMode;
use umqtt_device::settings::{Param, Settings};

/// What the processor can run at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuSpeed {
    /// 80 MHz.
    Mhz80,
    /// 160 MHz.
    Mhz160,
}

impl CpuSpeed {
    /// What to start with, after so many faults in a row. `saved` reads the settings as the device
    /// keeps them, if the flash has any that can be read; it is not called when starts have failed
    /// again and again, for whatever made them fail may be what it does.
    pub fn at_start<S: AsRef<[u8]>>(faults: u32, saved: impl FnOnce() -> Option<S>) -> CpuSpeed {
        let saved = match StartMode::after(faults) {
            StartMode::Normal => saved(),
            StartMode::WithoutScript { .. } => None,
        };
        let settings = match &saved {
            Some(saved) => Settings::load(NO_MAC, saved.as_ref()),
            None => Settings::new(NO_MAC),
        };
        match settings.number(Param::Speed) {
            160 => CpuSpeed::Mhz160,
            _ => CpuSpeed::Mhz80,
        }
    }
}

/// Only names are made of it.
const NO_MAC: [u8; 6] = [0; 6];

#[cfg(test)]
mod tests {
    use umqtt_device::settings::Source;

    use super::*;

    fn saved(speed: &str) -> Vec<u8> {
        let mut settings = Settings::new(NO_MAC);
        settings.set(Param::BrokerPort, b"1884", Source::Persistent).unwrap();
        settings.set(Param::Speed, speed.as_bytes(), Source::Persistent).unwrap();
        settings.save().unwrap()
    }

    #[test]
    fn the_saved_speed_counts() {
        assert_eq!(CpuSpeed::at_start(0, || Some(saved("160"))), CpuSpeed::Mhz160);
        assert_eq!(CpuSpeed::at_start(2, || Some(saved("160"))), CpuSpeed::Mhz160);
        assert_eq!(CpuSpeed::at_start(0, || Some(saved("80"))), CpuSpeed::Mhz80);
    }

    #[test]
    fn without_a_saved_speed_it_is_the_default() {
        assert_eq!(CpuSpeed::at_start(0, || None::<Vec<u8>>), CpuSpeed::Mhz80);
        assert_eq!(CpuSpeed::at_start(0, || Some([])), CpuSpeed::Mhz80);
        assert_eq!(CpuSpeed::at_start(0, || Some(b"nonsense")), CpuSpeed::Mhz80);
        // As `tests/settings.rs` of the device has it: speed 99, which there is not.
        assert_eq!(CpuSpeed::at_start(0, || Some([1, 16, 4, 99, 0, 0, 0])), CpuSpeed::Mhz80);
    }

    #[test]
    fn a_device_that_does_not_come_up_does_not_read_the_flash_first() {
        let read = || -> Option<Vec<u8>> { unreachable!("after three faults in a row") };
        assert_eq!(CpuSpeed::at_start(3, read), CpuSpeed::Mhz80);
    }
}

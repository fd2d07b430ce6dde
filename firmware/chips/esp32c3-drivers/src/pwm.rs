//! Pulses by the LED PWM controller (chapter 32): one timer, which all channels share, and six
//! channels.

use umqtt_device::board::PWM_MAX;

/// How many pins can be pulsed at a time.
pub const CHANNELS: usize = 6;
/// Bits of a duty. With more, periods of a fan (20 kHz) are out of reach of the divider, with fewer
/// those of a servo (50 Hz) are.
pub const DUTY_BITS: u32 = 11;
/// Slots of 200 ns in a second.
const SLOTS_PER_SECOND: u32 = 5_000_000;
/// The timer's clock, Hz (APB_CLK).
const CLOCK: u32 = 80_000_000;
/// The divider: 10 bits and 8 fractional ones (section 32.3.2).
const MAX_DIVIDER: u32 = 0x3ffff;

/// Which channel pulses which pin.
#[derive(Debug, Default)]
pub struct Channels([Option<u8>; CHANNELS]);

/// The channel of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// The pin had it already.
    Before(usize),
    /// It has it from now on.
    Now(usize),
}

impl Channels {
    /// No pin is pulsed.
    pub const fn new() -> Channels {
        Channels([None; CHANNELS])
    }

    /// The channel for a pin; `None` if all are in use.
    pub fn assign(&mut self, pin: u8) -> Option<Assigned> {
        if let Some(channel) = self.of(pin) {
            return Some(Assigned::Before(channel));
        }
        let channel = self.0.iter().position(Option::is_none)?;
        self.0[channel] = Some(pin);
        Some(Assigned::Now(channel))
    }

    /// The pin is no longer pulsed; returns the channel it had.
    pub fn release(&mut self, pin: u8) -> Option<usize> {
        let channel = self.of(pin)?;
        self.0[channel] = None;
        Some(channel)
    }

    /// Whether the pin is pulsed.
    pub fn has(&self, pin: u8) -> bool {
        self.of(pin).is_some()
    }

    fn of(&self, pin: u8) -> Option<usize> {
        self.0.iter().position(|&of| of == Some(pin))
    }
}

/// The register's value for a duty in per mille; [`PWM_MAX`] is always on.
pub fn raw_duty(duty: u16) -> u32 {
    (u32::from(duty.min(PWM_MAX)) << DUTY_BITS) / u32::from(PWM_MAX)
}

/// Hz for a period in slots of 200 ns, and whether it is the nearest that the timer can do instead
/// of what was asked.
pub fn frequency(slots: u32) -> (u32, bool) {
    let wanted = SLOTS_PER_SECOND / slots.max(1);
    let slowest = ((u64::from(CLOCK) << 8) / (u64::from(MAX_DIVIDER) << DUTY_BITS)) as u32 + 1;
    let fastest = CLOCK >> DUTY_BITS;
    let can = wanted.clamp(slowest, fastest);
    (can, can != wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_free_again_after_its_pin_was_released() {
        let mut channels = Channels::new();
        for pin in 0..6 {
            assert_eq!(channels.assign(pin), Some(Assigned::Now(pin.into())));
        }
        assert_eq!(channels.assign(3), Some(Assigned::Before(3)));
        assert_eq!(channels.assign(9), None);
        assert!(channels.has(2));
        assert_eq!(channels.release(2), Some(2));
        assert!(!channels.has(2));
        assert_eq!(channels.release(2), None);
        assert_eq!(channels.assign(9), Some(Assigned::Now(2)));
    }

    #[test]
    fn the_whole_duty_is_always_on() {
        assert_eq!(raw_duty(0), 0);
        assert_eq!(raw_duty(500), 1024);
        assert_eq!(raw_duty(1000), 2048);
        assert_eq!(raw_duty(60_000), 2048);
        let distinct: std::collections::BTreeSet<u32> = (0..=1000).map(raw_duty).collect();
        assert_eq!(distinct.len(), 1001);
    }

    #[test]
    fn every_period_of_the_setting_has_a_divider_that_exists() {
        assert_eq!(frequency(5000), (1000, false));
        assert_eq!(frequency(100_000), (50, false)); // a servo
        assert_eq!(frequency(250), (20_000, false)); // a fan
        assert_eq!(frequency(50), (39_062, true));
        assert_eq!(frequency(5_000_000), (39, true));
        for slots in [0, 1, 50, 127, 128, 129, 4999, 130_000, 140_000, 5_000_000, u32::MAX] {
            // As esp-hal computes it.
            let divider = ((u64::from(CLOCK) << 8) / u64::from(frequency(slots).0)) >> DUTY_BITS;
            assert!((256..=u64::from(MAX_DIVIDER)).contains(&divider), "{slots}: {divider}");
        }
    }
}

//! What a way through code costs at most.

use umqtt_vm::Profile;
use umqtt_vm::fuel::{INSTRUCTIONS_PER_FUEL, LOOKUP, WORD};

/// What running some code takes at most. Of two ways it is the greater of each figure, so that
/// neither takes more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// Instructions.
    pub steps: u64,
    /// [Fuel](umqtt_vm::fuel), without that for places looked at.
    pub fuel: u64,
    /// Instructions that look at places: messages published, subscriptions, questions for retained
    /// messages. Each place they look at takes [`LOOKUP`] units of fuel more: subscribers, nodes of
    /// the subscriptions, retained messages.
    pub looking: u64,
    /// Writes of flash variables.
    pub flash_writes: u64,
    /// There is a loop of which nothing is known but that it ends with the fuel.
    pub by_fuel: bool,
    /// Words of code that are not paid for.
    pub(super) words: u64,
    /// The most fuel that one instruction takes: the last one is carried out whatever it takes.
    pub(super) most: u64,
}

impl Cost {
    /// One after the other.
    #[must_use]
    pub(super) fn then(self, next: Cost) -> Cost {
        Cost {
            steps: self.steps.saturating_add(next.steps),
            fuel: self.fuel.saturating_add(next.fuel),
            looking: self.looking.saturating_add(next.looking),
            flash_writes: self.flash_writes.saturating_add(next.flash_writes),
            by_fuel: self.by_fuel || next.by_fuel,
            words: self.words.saturating_add(next.words),
            most: self.most.max(next.most),
        }
    }

    /// One or the other.
    #[must_use]
    pub(super) fn or(self, other: Cost) -> Cost {
        Cost {
            steps: self.steps.max(other.steps),
            fuel: self.fuel.max(other.fuel),
            looking: self.looking.max(other.looking),
            flash_writes: self.flash_writes.max(other.flash_writes),
            by_fuel: self.by_fuel || other.by_fuel,
            words: self.words.max(other.words),
            most: self.most.max(other.most),
        }
    }

    /// So often. The words of a loop are paid for.
    #[must_use]
    pub(super) fn times(self, times: u64) -> Cost {
        Cost {
            steps: self.steps.saturating_mul(times),
            fuel: self.fuel.saturating_mul(times),
            looking: self.looking.saturating_mul(times),
            flash_writes: self.flash_writes.saturating_mul(times),
            words: 0,
            ..self
        }
    }

    /// What it is where the handler is stopped when the profile's fuel is used up.
    #[must_use]
    pub(super) fn stopped(self, profile: &Profile) -> Cost {
        let tank = u64::from(profile.fuel);
        // Each word of a loop costs fuel, and an instruction is a word at least.
        let steps = (tank / WORD as u64).saturating_add(self.words);
        let write = (profile.fuel / umqtt_vm::fuel::FLASH_WRITES).max(1);
        Cost {
            steps: if self.by_fuel { steps } else { self.steps.min(steps) },
            fuel: self.fuel.min(tank.saturating_add(self.most)),
            looking: self.looking.min(tank.saturating_add(self.most)),
            flash_writes: self.flash_writes.min(tank / u64::from(write) + 1),
            ..self
        }
    }

    /// Microseconds on the profile's processor; not counted what looking at places takes.
    pub fn micros(&self, profile: &Profile) -> u64 {
        let unpaid = self.words.saturating_mul(WORD as u64);
        let instructions =
            self.fuel.saturating_add(unpaid).saturating_mul(INSTRUCTIONS_PER_FUEL.into());
        instructions.div_ceil(profile.instructions_per_micro.into())
    }

    /// Nanoseconds that each place looked at takes on the profile's processor.
    pub fn nanos_a_place(profile: &Profile) -> u64 {
        let instructions = LOOKUP as u64 * u64::from(INSTRUCTIONS_PER_FUEL);
        (instructions * 1000).div_ceil(profile.instructions_per_micro.into())
    }
}

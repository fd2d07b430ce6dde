//! Pulses on up to eight pins, by hardware timer FRC1.
//!
//! The timer counts 200 ns slots (80 MHz by 16), the unit of the device's `pwm_period`. At the
//! start of a period all pins with a duty are set with one write; then the timer's interrupt comes
//! once for each different duty and clears the pins whose time is over. Duties that are closer than
//! an interrupt takes share one. A new duty takes effect at the start of the next period, so that
//! no pulse is cut.

use heapless::Vec;

use crate::mmio::Mmio;
use crate::pins::gpio;

/// Pins at a time.
pub const MAX_CHANNELS: usize = 8;
/// Duty of a pin that is always on.
pub const FULL: u16 = 1000;
/// Slots the timer can count: 23 bits.
pub const MAX_PERIOD: u32 = (1 << 23) - 1;
/// The shortest period, slots: 10 kHz. Interrupts must leave time for the program.
pub const MIN_PERIOD: u32 = 500;
/// Slots between two interrupts at least: 10 us, a little longer than one takes.
const MIN_GAP: u32 = 50;

/// FRC1: Technical Reference chapter 17.
mod frc1 {
    pub(super) const LOAD: u32 = 0x6000_0600;
    pub(super) const CONTROL: u32 = 0x6000_0608;
    pub(super) const INTERRUPT: u32 = 0x6000_060c;
    /// Counts at 80 MHz by 16; the interrupt is an edge.
    pub(super) const RUN: u32 = 1 << 7 | 1 << 2;
    /// DPORT's register that lets the edge through to the core.
    pub(super) const EDGE: u32 = 0x3ff0_0004;
    pub(super) const EDGE_ENABLE: u32 = 1 << 1;
}

/// No more pins can pulse, or this one cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoChannel;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// Slots until it, from the step before.
    after: u32,
    clear: u32,
}

/// One period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Plan {
    set: u32,
    clear: u32,
    steps: Vec<Step, MAX_CHANNELS>,
    /// Slots from the last step to the next period.
    rest: u32,
}

/// The pulses.
#[derive(Debug)]
pub struct Pwm {
    period: u32,
    channels: Vec<(u8, u16), MAX_CHANNELS>,
    plan: Plan,
    next: Option<Plan>,
    /// The step to be done when the timer's interrupt comes.
    step: usize,
    running: bool,
}

impl Pwm {
    /// No pin pulses.
    pub const fn new() -> Pwm {
        let plan = Plan { set: 0, clear: 0, steps: Vec::new(), rest: 0 };
        Pwm { period: 5000, channels: Vec::new(), plan, next: None, step: 0, running: false }
    }

    /// Sets a pin's duty, 0 to [`FULL`]. The pin must be an output.
    ///
    /// # Errors
    /// [`NoChannel`]: all are in use, or the pin is not one of GPIO 0 to 15.
    pub fn set(&mut self, mmio: &mut impl Mmio, pin: u8, duty: u16) -> Result<(), NoChannel> {
        if pin > 15 {
            return Err(NoChannel);
        }
        let duty = duty.min(FULL);
        match self.channels.iter_mut().find(|channel| channel.0 == pin) {
            Some(channel) => channel.1 = duty,
            None => self.channels.push((pin, duty)).map_err(|_| NoChannel)?,
        }
        self.changed(mmio);
        Ok(())
    }

    /// Leaves a pin to others.
    pub fn release(&mut self, mmio: &mut impl Mmio, pin: u8) {
        let before = self.channels.len();
        self.channels.retain(|channel| channel.0 != pin);
        if self.channels.len() != before {
            // At once: nobody wants pulses on it up to the end of this period.
            let bit = 1 << pin;
            self.plan.set &= !bit;
            self.plan.clear &= !bit;
            self.plan.steps.iter_mut().for_each(|step| step.clear &= !bit);
            self.changed(mmio);
        }
    }

    /// Sets the period, in slots of 200 ns; what the timer cannot do becomes the nearest that it
    /// can.
    pub fn set_period(&mut self, mmio: &mut impl Mmio, slots: u32) {
        self.period = slots.clamp(MIN_PERIOD, MAX_PERIOD);
        if !self.channels.is_empty() {
            self.changed(mmio);
        }
    }

    /// The timer's interrupt came.
    pub fn on_timer(&mut self, mmio: &mut impl Mmio) {
        mmio.write(frc1::INTERRUPT, 1);
        if !self.running {
            return;
        }
        if let Some(step) = self.plan.steps.get(self.step) {
            mmio.write(gpio::OUT_CLEAR, step.clear);
            self.step += 1;
            self.arm(mmio);
        } else {
            self.start_period(mmio);
        }
    }

    fn changed(&mut self, mmio: &mut impl Mmio) {
        self.next = Some(self.planned());
        if !self.running {
            self.running = true;
            mmio.modify(frc1::EDGE, 0, frc1::EDGE_ENABLE);
            mmio.write(frc1::CONTROL, frc1::RUN);
            self.start_period(mmio);
        }
    }

    fn start_period(&mut self, mmio: &mut impl Mmio) {
        if let Some(plan) = self.next.take() {
            self.plan = plan;
        }
        mmio.write(gpio::OUT_SET, self.plan.set);
        mmio.write(gpio::OUT_CLEAR, self.plan.clear);
        self.step = 0;
        if self.plan.steps.is_empty() {
            // All are on or off for good: nothing to do until something changes.
            self.running = false;
            mmio.write(frc1::CONTROL, 0);
        } else {
            self.arm(mmio);
        }
    }

    fn arm(&mut self, mmio: &mut impl Mmio) {
        let slots = self.plan.steps.get(self.step).map_or(self.plan.rest, |step| step.after);
        mmio.write(frc1::LOAD, slots);
    }

    fn planned(&self) -> Plan {
        let mut plan = Plan::default();
        let mut ends: Vec<(u32, u32), MAX_CHANNELS> = Vec::new();
        for &(pin, duty) in &self.channels {
            let bit = 1 << pin;
            // Period by duty does not fit 32 bits: thousands and the rest by themselves do.
            let (whole, part) = (self.period / 1000, self.period % 1000);
            let on = whole * u32::from(duty) + part * u32::from(duty) / 1000;
            match on {
                0 => plan.clear |= bit,
                _ if duty == FULL => plan.set |= bit,
                _ => {
                    plan.set |= bit;
                    // As many as channels: there is room.
                    let _ = ends.push((on.clamp(MIN_GAP, self.period - MIN_GAP), bit));
                }
            }
        }
        ends.sort_unstable();
        let mut at = 0;
        for (on, bit) in ends {
            match plan.steps.last_mut() {
                Some(step) if on - at < MIN_GAP => step.clear |= bit,
                _ => {
                    let _ = plan.steps.push(Step { after: on - at, clear: bit });
                    at = on;
                }
            }
        }
        plan.rest = self.period - at;
        plan
    }
}

impl Default for Pwm {
    fn default() -> Pwm {
        Pwm::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeMap;

    use super::*;
    use crate::mmio::recording::{Access::Write, Recording};

    /// Lets the timer run for so many periods; the slots each pin was on in the last of them.
    fn run(pwm: &mut Pwm, mmio: &mut Recording, periods: u32) -> BTreeMap<u8, u32> {
        let (mut on, mut since) = (BTreeMap::new(), BTreeMap::new());
        let (mut now, mut level, mut period) = (0, 0_u32, 0);
        while period < periods {
            let load = mmio.registers[&frc1::LOAD];
            assert!((MIN_GAP..=MAX_PERIOD).contains(&load), "{load}");
            now += load;
            mmio.take();
            pwm.on_timer(mmio);
            for access in mmio.take() {
                match access {
                    Write(gpio::OUT_SET, bits) => {
                        on.clear();
                        period += 1;
                        (0..16).filter(|pin| bits >> pin & 1 != 0).for_each(|pin| {
                            since.insert(pin, now);
                        });
                        level |= bits;
                    }
                    Write(gpio::OUT_CLEAR, bits) => {
                        for pin in (0..16).filter(|pin| bits & level & (1 << pin) != 0) {
                            on.insert(pin, now - since[&pin]);
                        }
                        level &= !bits;
                        if period == periods {
                            continue;
                        }
                    }
                    _ => {}
                }
            }
        }
        // The last period has only just begun: let it come to its end.
        while pwm.step < pwm.plan.steps.len() {
            now += mmio.registers[&frc1::LOAD];
            let step = pwm.plan.steps[pwm.step];
            for pin in (0..16).filter(|pin| step.clear >> pin & 1 != 0) {
                on.insert(pin, now - since[&pin]);
            }
            pwm.on_timer(mmio);
        }
        assert_eq!(mmio.registers[&frc1::LOAD], pwm.plan.rest);
        on
    }

    #[test]
    fn pulses_are_as_long_as_their_duty() {
        let (mut mmio, mut pwm) = (Recording::default(), Pwm::new());
        pwm.set(&mut mmio, 5, 250).unwrap();
        assert_eq!(mmio.registers[&frc1::CONTROL], 0x84);
        assert_eq!(mmio.registers[&frc1::EDGE], 2);
        pwm.set(&mut mmio, 12, 900).unwrap();
        pwm.set(&mut mmio, 13, 1).unwrap();
        let on = run(&mut pwm, &mut mmio, 2);
        assert_eq!(on, BTreeMap::from([(5, 1250), (12, 4500), (13, MIN_GAP)]));
    }

    #[test]
    fn duties_that_are_close_share_an_interrupt() {
        let (mut mmio, mut pwm) = (Recording::default(), Pwm::new());
        for pin in 0..5 {
            pwm.set(&mut mmio, pin, 500 + u16::from(pin) * 4).unwrap();
        }
        run(&mut pwm, &mut mmio, 1);
        assert_eq!(pwm.plan.steps.len(), 2);
        assert_eq!(pwm.plan.steps[0], Step { after: 2500, clear: 0b0_0111 });
        assert_eq!(pwm.plan.steps[1], Step { after: 60, clear: 0b1_1000 });
    }

    #[test]
    fn nothing_runs_for_pins_that_are_on_or_off_for_good() {
        let (mut mmio, mut pwm) = (Recording::default(), Pwm::new());
        pwm.set(&mut mmio, 5, 0).unwrap();
        pwm.set(&mut mmio, 4, 1000).unwrap();
        pwm.set(&mut mmio, 4, 2000).unwrap();
        assert_eq!(mmio.registers[&frc1::CONTROL], 0);
        assert_eq!(mmio.registers[&gpio::OUT_SET], 1 << 4);
        assert_eq!(mmio.registers[&gpio::OUT_CLEAR], 1 << 5);
        mmio.take();
        pwm.on_timer(&mut mmio);
        assert_eq!(mmio.take(), [Write(frc1::INTERRUPT, 1)], "an interrupt that came late");
    }

    #[test]
    fn a_change_waits_for_the_next_period_and_a_release_does_not() {
        let (mut mmio, mut pwm) = (Recording::default(), Pwm::new());
        pwm.set(&mut mmio, 5, 500).unwrap();
        pwm.set(&mut mmio, 5, 100).unwrap();
        assert_eq!(mmio.registers[&frc1::LOAD], 2500, "the first pulse is not cut");
        assert_eq!(run(&mut pwm, &mut mmio, 1)[&5], 500);
        pwm.release(&mut mmio, 5);
        assert_eq!((pwm.plan.set, pwm.plan.clear), (0, 0));
        pwm.on_timer(&mut mmio);
        assert_eq!(mmio.registers[&frc1::CONTROL], 0);
    }

    #[test]
    fn periods_are_what_the_timer_can_do() {
        let (mut mmio, mut pwm) = (Recording::default(), Pwm::new());
        pwm.set_period(&mut mmio, 0);
        assert_eq!(mmio.take(), [], "no pin pulses");
        pwm.set(&mut mmio, 5, 999).unwrap();
        assert_eq!(run(&mut pwm, &mut mmio, 1)[&5], MIN_PERIOD - MIN_GAP);
        pwm.set_period(&mut mmio, u32::MAX);
        assert_eq!(run(&mut pwm, &mut mmio, 2)[&5], MAX_PERIOD / 1000 * 999 + 607 * 999 / 1000);
    }

    #[test]
    fn there_are_eight_channels_and_no_clocks_pin() {
        let (mut mmio, mut pwm) = (Recording::default(), Pwm::new());
        assert_eq!(pwm.set(&mut mmio, 16, 1), Err(NoChannel));
        for pin in 0..8 {
            pwm.set(&mut mmio, pin, 500).unwrap();
        }
        assert_eq!(pwm.set(&mut mmio, 12, 500), Err(NoChannel));
        pwm.release(&mut mmio, 3);
        assert_eq!(pwm.set(&mut mmio, 12, 500), Ok(()));
    }

    #[test]
    fn addresses_are_the_register_crates() {
        use core::mem::offset_of;
        use esp8266::timer::RegisterBlock as Timer;
        let base = esp8266::TIMER::PTR as usize as u32;
        assert_eq!(frc1::LOAD, base + offset_of!(Timer, frc1_load) as u32);
        assert_eq!(frc1::CONTROL, base + offset_of!(Timer, frc1_ctrl) as u32);
        assert_eq!(frc1::INTERRUPT, base + offset_of!(Timer, frc1_int) as u32);
        let dport = esp8266::DPORT::PTR as usize as u32;
        let edge = offset_of!(esp8266::dport::RegisterBlock, edge_int_enable);
        assert_eq!(frc1::EDGE, dport + edge as u32);
    }
}

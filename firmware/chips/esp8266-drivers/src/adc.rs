//! The analogue input TOUT: 0 to 1 V, ten bits.
//!
//! One conversion is eight samples of eleven bits that the hardware takes by itself. The registers
//! are in no public document; what is known of them comes from public drivers that were written
//! without the vendor's library. Their scale is right once the radio's calibration has run, which
//! this firmware does not do: until then the input answers with a narrower range.

use crate::bus::Bus;

/// The largest value.
pub const MAX: u16 = 1023;

const CONFIG: u32 = 0x6000_0d50;
/// In CONFIG: starts a conversion when it goes from 0 to 1.
const START: u32 = 1 << 1;
/// In CONFIG: not 0 while it converts.
const STATE: u32 = 7 << 24;
const DETECTORS: u32 = 0x6000_0d5c;
/// In DETECTORS: the input is the pin's, not the power detector's.
const DETECTORS_OFF: u32 = 1 << 21;
const CONTROL: u32 = 0x6000_0d60;
const DATA: u32 = 0x6000_0d80;
const SAMPLES: u32 = 8;

/// The analogue part: its block and host on the internal bus, and the bit that connects it with the
/// pin.
const BLOCK: u8 = 0x6c;
const HOST: u8 = 2;
const CONNECT_BIT: u8 = 5;

/// How often it looks whether a conversion is over before it gives up, a microsecond each.
const PATIENCE: u32 = 200;

/// Reads the input: 0 to [`MAX`]; `None` if the hardware does not answer.
pub fn read(bus: &mut impl Bus) -> Option<u16> {
    bus.write_analogue(BLOCK, HOST, 0, CONNECT_BIT, CONNECT_BIT, 1);
    bus.modify(DETECTORS, 0, DETECTORS_OFF);
    let value = converted(bus);
    bus.write_analogue(BLOCK, HOST, 0, CONNECT_BIT, CONNECT_BIT, 0);
    bus.modify(DETECTORS, DETECTORS_OFF, 0);
    bus.modify(CONTROL, 0, 1);
    bus.modify(CONTROL, 1, 0);
    value
}

fn converted(bus: &mut impl Bus) -> Option<u16> {
    wait(bus)?;
    bus.modify(CONFIG, START, 0);
    bus.modify(CONFIG, 0, START);
    bus.delay_micros(2);
    wait(bus)?;
    let sum: u32 = (0..SAMPLES).map(|index| sample(bus.read(DATA + 4 * index))).sum();
    Some(((sum + 8) / 16).min(MAX.into()) as u16)
}

fn wait(bus: &mut impl Bus) -> Option<()> {
    for _ in 0..PATIENCE {
        if bus.read(CONFIG) & STATE == 0 {
            return Some(());
        }
        bus.delay_micros(1);
    }
    None
}

/// The eleven bits are inverted; the lower eight start at 21 and are too small by 279/256.
fn sample(raw: u32) -> u32 {
    let value = !raw;
    let low = (value & 0xff).saturating_sub(21);
    (value & 0x700) + ((low * 279) >> 8)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use crate::bus::recording::{Access, Recording};

    fn recording(raw: u32) -> Recording {
        let mut bus = Recording::default();
        (0..SAMPLES).for_each(|index| bus.answer(DATA + 4 * index, &[raw]));
        bus
    }

    #[test]
    fn ends_of_the_scale() {
        assert_eq!(read(&mut recording(!0)), Some(0));
        assert_eq!(read(&mut recording(!0x7ff)), Some(1023));
        assert_eq!(read(&mut recording(!21)), Some(0), "the offset is nothing");
        assert_eq!(read(&mut recording(!0x400)), Some(512));
    }

    #[test]
    fn it_starts_waits_and_leaves_the_detector_as_it_was() {
        let mut bus = recording(!0x400);
        bus.answer(CONFIG, &[0, 0, 0, 3 << 24, 1 << 24, 0]);
        assert_eq!(read(&mut bus), Some(512));
        let done = bus.take();
        let analogue: Vec<_> =
            done.iter().filter(|access| matches!(access, Access::Analogue { .. })).collect();
        let connect = |value| Access::Analogue { block: 0x6c, register: 0, bits: (5, 5), value };
        assert_eq!(analogue, [&connect(1), &connect(0)]);
        assert!(done.contains(&Access::Write(CONFIG, START)));
        assert_eq!(bus.registers[&DETECTORS], 0);
        assert_eq!(bus.registers[&CONTROL], 0);
    }

    #[test]
    fn hardware_that_does_not_answer_is_given_up() {
        let mut bus = Recording::default();
        bus.answer(CONFIG, &[1 << 24]);
        assert_eq!(read(&mut bus), None);
        assert_eq!(bus.registers[&DETECTORS], 0);
    }
}

//! The analogue input TOUT: 0 to 1 V, ten bits.
//!
//! One conversion is eight samples of eleven bits that the hardware takes by itself. The registers
//! are in no public document; what is known of them comes from public drivers that were written
//! without the vendor's library. Their scale is right once the radio's calibration has run, which
//! this firmware does not do: until then the input answers with a narrower range.

use crate::mmio::Mmio;

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
const MAX_POLLS: u32 = 200;

/// Reads the input: 0 to [`MAX`]; `None` if the hardware does not answer.
pub fn read(mmio: &mut impl Mmio) -> Option<u16> {
    mmio.write_analogue(BLOCK, HOST, 0, CONNECT_BIT, CONNECT_BIT, 1);
    mmio.modify(DETECTORS, 0, DETECTORS_OFF);
    let value = converted(mmio);
    mmio.write_analogue(BLOCK, HOST, 0, CONNECT_BIT, CONNECT_BIT, 0);
    mmio.modify(DETECTORS, DETECTORS_OFF, 0);
    mmio.modify(CONTROL, 0, 1);
    mmio.modify(CONTROL, 1, 0);
    value
}

fn converted(mmio: &mut impl Mmio) -> Option<u16> {
    wait(mmio)?;
    mmio.modify(CONFIG, START, 0);
    mmio.modify(CONFIG, 0, START);
    mmio.delay_micros(2);
    wait(mmio)?;
    let sum: u32 = (0..SAMPLES).map(|index| sample(mmio.read(DATA + 4 * index))).sum();
    Some(((sum + 8) / 16).min(MAX.into()) as u16)
}

fn wait(mmio: &mut impl Mmio) -> Option<()> {
    for _ in 0..MAX_POLLS {
        if mmio.read(CONFIG) & STATE == 0 {
            return Some(());
        }
        mmio.delay_micros(1);
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
    use crate::mmio::recording::{Access, Recording};

    fn recording(raw: u32) -> Recording {
        let mut mmio = Recording::default();
        (0..SAMPLES).for_each(|index| mmio.answer(DATA + 4 * index, &[raw]));
        mmio
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
        let mut mmio = recording(!0x400);
        mmio.answer(CONFIG, &[0, 0, 0, 3 << 24, 1 << 24, 0]);
        assert_eq!(read(&mut mmio), Some(512));
        let done = mmio.take();
        let analogue: Vec<_> =
            done.iter().filter(|access| matches!(access, Access::Analogue { .. })).collect();
        let connect = |value| Access::Analogue { block: 0x6c, register: 0, bits: (5, 5), value };
        assert_eq!(analogue, [&connect(1), &connect(0)]);
        assert!(done.contains(&Access::Write(CONFIG, START)));
        assert_eq!(mmio.registers[&DETECTORS], 0);
        assert_eq!(mmio.registers[&CONTROL], 0);
    }

    #[test]
    fn hardware_that_does_not_answer_is_given_up() {
        let mut mmio = Recording::default();
        mmio.answer(CONFIG, &[1 << 24]);
        assert_eq!(read(&mut mmio), None);
        assert_eq!(mmio.registers[&DETECTORS], 0);
    }
}

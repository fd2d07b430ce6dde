//! Loads of bytes and half words from flash.
//!
//! Over the cache flash can be read in whole aligned words only; any other load raises a
//! LoadStoreError (EXCCAUSE 3). Constants are there, so the exception's handler does what the load
//! would have done. It costs some hundred cycles: tables that are read often belong in RAM.

/// Flash as the cache shows it.
const FLASH: core::ops::Range<u32> = 0x4020_0000..0x4030_0000;

/// What is needed to go on behind the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The register that was to be loaded.
    pub register: usize,
    /// Its value.
    pub value: u32,
    /// The next instruction.
    pub pc: u32,
}

/// Does the load at `pc`: `None` if it is no load of a byte or half word from flash, and so a true
/// error. `word` reads an aligned word.
///
/// The three instructions have format RRI8 (Xtensa instruction set reference, chapter 6: L8UI,
/// L16UI, L16SI).
pub fn load(pc: u32, registers: &[u32; 16], word: impl Fn(u32) -> u32) -> Option<Loaded> {
    let instruction = fetch(pc, &word);
    let field = |from: u32| (instruction >> from & 0xf) as usize;
    if field(0) != 2 {
        return None;
    }
    let offset = instruction >> 16 & 0xff;
    let (scale, signed) = match field(12) {
        0 => (1, false),
        1 => (2, false),
        9 => (2, true),
        _ => return None,
    };
    let address = registers[field(8)].wrapping_add(offset * scale);
    if !FLASH.contains(&address) || !address.is_multiple_of(scale) {
        return None;
    }
    let bits = word(address & !3) >> (address % 4 * 8);
    let value = match (scale, signed) {
        (1, _) => bits & 0xff,
        (_, false) => bits & 0xffff,
        (_, true) => bits as u16 as i16 as i32 as u32,
    };
    Some(Loaded { register: field(4), value, pc: pc.wrapping_add(3) })
}

/// The three bytes of the instruction at any place, and one behind them.
fn fetch(address: u32, word: impl Fn(u32) -> u32) -> u32 {
    let (start, shift) = (address & !3, address % 4 * 8);
    let low = word(start) >> shift;
    if shift == 0 { low } else { low | word(start.wrapping_add(4)) << (32 - shift) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An instruction of format RRI8 at an odd place, and eight bytes of data.
    fn run(r: u32, base: u32, imm: u32) -> Option<Loaded> {
        const PC: u32 = 0x4021_0003;
        let instruction = imm << 16 | r << 12 | 5 << 8 | 7 << 4 | 2;
        let mut registers = [0; 16];
        registers[5] = base;
        load(PC, &registers, |address| {
            assert_eq!(address % 4, 0);
            match address {
                0x4021_0000 => instruction << 24 | 0x11_1111,
                0x4021_0004 => instruction >> 8 | 0x2222_0000,
                0x4022_0000 => 0x8182_8384,
                0x4022_0004 => 0x0506_f708,
                _ => panic!("{address:#x}"),
            }
        })
    }

    fn value(r: u32, base: u32, imm: u32) -> Option<u32> {
        let loaded = run(r, base, imm)?;
        assert_eq!((loaded.register, loaded.pc), (7, 0x4021_0006));
        Some(loaded.value)
    }

    #[test]
    fn bytes_and_half_words_come_from_their_place() {
        assert_eq!(value(0, 0x4022_0000, 0), Some(0x84));
        assert_eq!(value(0, 0x4022_0000, 3), Some(0x81));
        assert_eq!(value(0, 0x4022_0001, 4), Some(0xf7));
        assert_eq!(value(1, 0x4022_0000, 1), Some(0x8182));
        assert_eq!(value(1, 0x4022_0000, 2), Some(0xf708));
        assert_eq!(value(9, 0x4022_0000, 2), Some(0xffff_f708));
        assert_eq!(value(9, 0x4022_0006, 0), Some(0x0506));
    }

    #[test]
    fn anything_else_is_an_error() {
        assert_eq!(value(2, 0x4022_0000, 0), None, "L32I");
        assert_eq!(value(4, 0x4022_0000, 0), None, "S8I");
        assert_eq!(value(1, 0x4022_0001, 0), None, "unaligned");
        assert_eq!(value(0, 0x3ffe_8000, 0), None, "not flash");
        let none = load(0x4021_0000, &[0x4022_0000; 16], |_| 0x0000_0008);
        assert_eq!(none, None, "another format");
    }
}

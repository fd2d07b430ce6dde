//! Registers: memory-mapped I/O (MMIO).

/// Reads and writes the chip's registers.
pub trait Mmio {
    /// Reads the register at an address.
    fn read(&mut self, address: u32) -> u32;
    /// Writes the register at an address.
    fn write(&mut self, address: u32, value: u32);
    /// Writes bits `lsb..=msb` of a register of the analogue parts, which are behind an internal
    /// I2C bus that functions in ROM drive.
    fn write_analogue(&mut self, block: u8, host: u8, register: u8, msb: u8, lsb: u8, value: u8);
    /// Waits, not sleeping.
    fn delay_micros(&mut self, micros: u32);

    /// Clears bits and then sets bits.
    fn modify(&mut self, address: u32, clear: u32, set: u32) {
        let value = self.read(address) & !clear | set;
        self.write(address, value);
    }
}

/// Registers that remember what was written, in order.
#[cfg(test)]
pub(crate) mod recording {
    extern crate std;

    use std::collections::{BTreeMap, VecDeque};
    use std::vec::Vec;

    use super::Mmio;

    /// What was done.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Access {
        Write(u32, u32),
        Analogue { block: u8, register: u8, bits: (u8, u8), value: u8 },
        Delay(u32),
    }

    /// See the module. A register holds what was written last, unless answers were given for it.
    #[derive(Debug, Default)]
    pub(crate) struct Recording {
        pub(crate) done: Vec<Access>,
        pub(crate) registers: BTreeMap<u32, u32>,
        pub(crate) answers: BTreeMap<u32, VecDeque<u32>>,
    }

    impl Recording {
        /// What was done since the last time.
        pub(crate) fn take(&mut self) -> Vec<Access> {
            std::mem::take(&mut self.done)
        }

        /// The next answers of a register; the last one stays.
        pub(crate) fn answer(&mut self, address: u32, answers: &[u32]) {
            self.answers.insert(address, answers.iter().copied().collect());
        }
    }

    impl Mmio for Recording {
        fn read(&mut self, address: u32) -> u32 {
            if let Some(answers) = self.answers.get_mut(&address)
                && let Some(answer) = answers.pop_front()
            {
                if answers.is_empty() {
                    answers.push_back(answer);
                }
                return answer;
            }
            self.registers.get(&address).copied().unwrap_or(0)
        }

        fn write(&mut self, address: u32, value: u32) {
            self.done.push(Access::Write(address, value));
            self.registers.insert(address, value);
        }

        fn write_analogue(&mut self, block: u8, _: u8, register: u8, msb: u8, lsb: u8, value: u8) {
            self.done.push(Access::Analogue { block, register, bits: (lsb, msb), value });
        }

        fn delay_micros(&mut self, micros: u32) {
            self.done.push(Access::Delay(micros));
        }
    }
}

//! All cores, by name.

use crate::chip::description::Chip;
use crate::esp8266::ESP8266;
use crate::qemu_riscv::QEMU_RISCV;

/// The core of this name.
pub fn named(name: &str) -> Option<&'static Chip> {
    [&ESP8266, &QEMU_RISCV].into_iter().find(|chip| chip.name == name)
}

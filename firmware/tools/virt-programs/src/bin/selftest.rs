//! `umqtt-core-selftest` on this machine.
#![no_std]
#![no_main]

umqtt_chip_rt::entry!(umqtt_core_selftest::main::<umqtt_virt::emulator::VirtEmulator>);

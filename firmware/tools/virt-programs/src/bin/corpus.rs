//! `umqtt-core-corpus` on this machine.
#![no_std]
#![no_main]

umqtt_chip_rt::entry!(umqtt_core_corpus::main::<umqtt_virt::emulator::VirtEmulator>);

//! `umqtt-core-bench` on this machine.
#![no_std]
#![no_main]

umqtt_chip_rt::entry!(umqtt_core_bench::main::<umqtt_virt::emulator::VirtEmulator>);

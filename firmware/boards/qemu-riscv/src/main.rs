//! The device on a RISC-V core.
#![no_std]
#![no_main]

umqtt_chip_rt::entry!(umqtt_qemu_riscv::run);

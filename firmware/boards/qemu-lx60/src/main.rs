//! The device on the ESP8266's core.
#![no_std]
#![no_main]

umqtt_chip_rt::entry!(umqtt_qemu_lx60::run);

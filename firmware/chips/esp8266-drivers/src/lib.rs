//! The ESP8266's own peripherals, as the device needs them.
//!
//! | module | job |
//! |---|---|
//! | [`mmio`] | reading and writing registers: the chip's, or a recording of it |
//! | [`pins`] | pins by number: direction, level, pull-up, edges |
//! | [`pwm`] | pulses on up to eight pins, by hardware timer FRC1 |
//! | [`adc`] | the analogue input TOUT |
//! | [`random`] | random numbers |
//! | [`flash`] | the flash chip as NOR flash |
//! | [`subword_load`] | loads of bytes from flash, which the hardware cannot do |
//!
//! A script names pins by number, and the emulator has none of this hardware. So the drivers here
//! do all they do through [`mmio::Mmio`], and the tests look at what they write to a recording of
//! it. `esp8266-hal` names pins by type and has neither PWM nor analogue input; what it does have
//! (the flash's commands with the cache off, the watchdog, the MAC address, the PLL) is taken from
//! there.
//!
//! None of this has run on a chip yet. Register addresses and bits are those of the ESP8266
//! Technical Reference 1.7 (appendix 1 for the pin multiplexer, chapter 16 for GPIO, chapter 17 for
//! timers); a test holds the addresses against the register crate's.
#![no_std]

pub mod adc;
pub mod flash;
pub mod mmio;
pub mod pins;
pub mod pwm;
pub mod random;
pub mod subword_load;

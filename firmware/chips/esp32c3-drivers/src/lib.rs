//! What the board of the ESP32-C3 decides without touching its hardware, so that it is tested on
//! any computer. The board itself is `firmware/boards/esp32c3`.
//!
//! | module | job |
//! |---|---|
//! | [`pins`] | which pins scripts may use |
//! | [`pwm`] | which of the six channels pulses which pin, and how |
//! | [`wifi`] | why a network was not joined |
//! | [`output`] | bytes that wait for the serial ports |
//! | [`bitrate`] | when the serial port changes its speed |
//! | [`cpu_speed`] | what the processor's clock is from the start on |
//!
//! None of this has run on a chip yet. Numbers are those of the ESP32-C3 Technical Reference Manual
//! 1.3 and of ESP-IDF's `esp_wifi_types_generic.h`.
#![cfg_attr(not(test), no_std)]

pub mod bitrate;
pub mod cpu_speed;
pub mod output;
pub mod pins;
pub mod pwm;
pub mod wifi;

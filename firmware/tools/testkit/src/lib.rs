//! What the tests of several crates share.
//!
//! | module | what it is |
//! |---|---|
//! | [`board`] | a board in memory, for a device in virtual time |
//! | [`console`] | a client of a running device's console and upload ports |
//! | [`fuel_cases`] | every operation of a script with every kind of value, until its fuel is used up |
//! | [`memory`] | whose memory is allocated, for test allocators |
//! | [`mqtt`] | a client of a running device's broker, one packet at a time |
//! | [`ports`] | free ports of this computer |
//! | [`wait`] | waiting until something is so |
//!
//! A verdict never depends on how long something sleeps: a test asks again until the answer is
//! there, and fails after [`wait::TIMEOUT`].
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "for tests only")]

pub mod board;
pub mod console;
pub mod fuel_cases;
pub mod memory;
pub mod mqtt;
pub mod ports;
pub mod wait;

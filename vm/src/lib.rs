//! The umqtt virtual machine: what a bytecode image is, whether it is sound, and running it.
//!
//! No standard library, no allocation, no unsafe code. The machine computes in memory it is given
//! and reaches the outside only through [`capabilities`]. It knows nothing of MQTT beyond matching
//! topics, nothing of sockets, pins or clocks, and nothing of source text.
//!
//! | module | job |
//! |---|---|
//! | [`isa`] | the instruction set, one table |
//! | [`words`] | events, actions and functions, one table each |
//! | [`image`] | the bytes of an image: sections, header, handler records |
//! | [`debug`](struct@Debug) | names and lines in an image |
//! | [`schedule`] | periods and times of day at which handlers wake |
//! | [`profile`](Profile) | the limits of a kind of device |
//! | [`decode`] | one instruction out of code |
//! | [`listing`](Listing) | the disassembly of an image |
//! | [`verify`](VerifyError) | proving that code is sound |
//! | [`program`](Program) | a verified image: the only thing that can run |
//! | [`machine`](Machine) | running |
//! | [`step`](Step) | what handlers do, step by step, for a host that watches |
//! | [`number`] | arithmetic on integers and decimals |
//! | [`capabilities`] | what a script reaches outside the machine |
//!
//! The way through: [`Program::verify`] an image, make a [`Machine`] of it and a [`Memory`], and
//! for each [`Event`] ask [`Machine::next`] for the handlers and [`Machine::run`] them.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
extern crate std;

pub mod capabilities;
mod debug;
pub mod decode;
mod event;
pub mod fuel;
pub mod image;
pub mod isa;
mod listing;
mod machine;
pub mod number;
mod profile;
mod program;
pub mod schedule;
mod step;
mod trap;
mod verify;
pub mod words;

pub use capabilities::{
    Almanac, Console, FlashVariables, Gpio, Host, Http, Mqtt, NullHost, PWM_MAX, PinMode, Random,
    Serial, Supervisor, Syscalls, Timekeeping,
};
pub use debug::Debug;
pub use event::{Event, Side};
pub use image::{Image, ImageError};
pub use listing::Listing;
pub use machine::{Dispatch, HandlerCursor, MAX_STRING_BYTES, Machine, Memory, Slot, TooFewSlots};
pub use number::parse_number;
pub use profile::{FLASH_VARIABLE_LEN, Profile};
pub use program::{Handler, Program, Requirements};
pub use step::{Step, Tracing};
pub use trap::{Trap, TrapCode, Warnings};
pub use umqtt_topic::TopicError;
pub use verify::{CodeError, MAX_LOOPS, MAX_PENDING, VerifyError};

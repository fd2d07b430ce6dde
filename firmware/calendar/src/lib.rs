//! The calendar: civil dates, time zones by POSIX rules, sunrise and sunset. In integers, without
//! allocation: a chip without an FPU computes the same as a desktop.
//!
//! | file | job |
//! |---|---|
//! | `date` | days since 1970 as a date, and back; days of the week |
//! | `zone` | rules of a time zone: UTC to local time and back |
//! | `posix` | reading such rules: `CET-1CEST,M3.5.0,M10.5.0/3`, `5.5` |
//! | `sun` | sunrise and sunset at a place |
//! | `angle` | sines and arc tangents of binary angles |
//!
//! Time in UTC and local time are seconds since 1 January 1970, days are counted from there.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
extern crate std;

mod angle;
mod date;
mod posix;
mod sun;
mod zone;

pub use date::{DAY, Date, weekday};
pub use posix::{MAX_ZONE, ZoneError};
pub use sun::{Place, SunTimes};
pub use zone::{Change, ChangeDay, Period, Summer, Zone};

//! The console against a device that is made up: whole dialogues as users see them, and arbitrary
//! bytes.
#![allow(clippy::unwrap_used)] // in helpers of tests

mod any_bytes;
mod dialogues;
mod fake;
mod reference;
mod sessions;

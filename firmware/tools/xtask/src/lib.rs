//! What `cargo xtask` does, as a library, so that the tests on emulated boards start them the same
//! way.
//!
//! | module | job |
//! |---|---|
//! | [`esp8266`] | the ESP8266's core |
//! | [`source`] | what the sources must keep to |
#![forbid(unsafe_code)]

pub mod esp8266;
pub mod source;

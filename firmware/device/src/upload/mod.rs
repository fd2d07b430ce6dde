//! New scripts: pushed to a port, or pulled from a web server, and checked whole before anything changes.
//!
//! | module | job |
//! |---|---|
//! | [`push`] | whoever connects sends a script |
//! | [`check`](mod@check) | source or bytecode: is it a script this device can run? |
//!
//! Pulling is [`crate::http::fetch`]; putting a script in the place of another is the device's part.

pub mod check;
pub mod push;

pub use check::{CheckError, Checked, check, fits};
pub use push::{Push, PushError};

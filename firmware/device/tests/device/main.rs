//! Stories of the whole device, in memory and virtual time.
#![allow(clippy::unwrap_used)]

mod abuse;
mod http;
mod living;
mod remote;
mod retained;
mod upload;
mod world;

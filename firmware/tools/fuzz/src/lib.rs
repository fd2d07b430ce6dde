//! What the targets share: an outside for the machine that holds it to its promises, and a board without pins
//! and a network of one connection for a whole device.

mod board;
mod outside;

pub use board::{OneConnection, PlainBoard};
pub use outside::Outside;

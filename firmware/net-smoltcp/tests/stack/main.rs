//! The network against another smoltcp host on a wire in memory, in virtual time.
#![allow(clippy::unwrap_used)]

mod closing;
mod conformance;
mod connecting;
mod device;
mod dhcp;
mod flood;
mod groups;
mod loss;
mod names;
mod wire;
mod world;

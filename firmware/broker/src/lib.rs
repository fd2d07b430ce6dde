#![no_std]
#![forbid(unsafe_code)]
#![doc = "A sans-IO MQTT 3.1 and 3.1.1 broker."]

extern crate alloc;

pub mod wire;

mod broker;
mod hooks;
mod limits;
mod message;
mod stats;

pub use broker::{Broker, ClientInfo, ConnId, PublishError, Refused, Retained, SubscribeError};
pub use hooks::{AllowAll, Callbacks, Credentials, Hooks, Peer, Verdict};
pub use limits::Limits;
pub use message::{Message, Publication};
pub use stats::Stats;
pub use wire::QoS;

/// Milliseconds of a clock that never goes back; where it starts does not matter.
pub type Millis = u64;

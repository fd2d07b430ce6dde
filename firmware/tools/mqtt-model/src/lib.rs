//! What an MQTT 3.1.1 broker has to do, seen from outside, and clients that hold a broker to it.
//!
//! For tests only. It is a crate of its own because three kinds of tests use it: histories in
//! virtual time against [`umqtt_mqtt::Broker`] (here, in `tests/`), a soak over real sockets
//! (`umqttc/tests/soak.rs`), and a fuzz target.
//!
//! # Map
//!
//! * [`Model`]: told what the clients did, it says which messages must, may and must not arrive at
//!   whom. It knows no bytes and no broker. Whatever takes time has a beginning and an end
//!   ([`life`]), so that it judges right also where it cannot be known exactly when a broker behind
//!   sockets did something.
//! * [`Client`]: a client on the level of bytes, which does as told, tells the model, and complains
//!   of every answer that is not due.
//! * [`Step`]: a thing that happens, decoded from any few bytes: a random history is a list of
//!   them.
//! * [`World`]: a broker, some clients and the bytes between them, in virtual time.
//! * [`matches`](matching::matches): which filter matches which topic, the plain way.
#![forbid(unsafe_code)]

mod check;
mod client;
pub mod life;
pub mod matching;
mod model;
mod step;
mod world;

pub use check::Arrival;
pub use client::{Client, Greeting};
pub use model::{Attempt, ConnKey, Loose, MessageId, Model, Rules, SessionKey, SubKey};
pub use step::{Action, CLIENTS, FILTERS, Flow, STEP_BYTES, Step, TOPICS};
pub use world::World;

/// What the broker did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Broken {}

/// `Err(Broken(format!(...)))`.
macro_rules! broken {
    ($($text:tt)*) => { Err($crate::Broken(format!($($text)*))) };
}
pub(crate) use broken;

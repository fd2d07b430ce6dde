//! The bodies of the fuzz targets: a function each, from any bytes to nothing, which panics if
//! something does not hold. The fuzzer calls them, and so does the test of this crate, with seeds
//! and with what chance makes of them.
//!
//! | target | the bytes are |
//! |---|---|
//! | [`client`] | the server of the MQTT client |
//! | [`console`] | the console of a whole device |
//! | [`dhcp`] | messages of DHCP clients, and saved leases |
//! | [`dns`] | messages of name servers, of clients and of hosts on the link |
//! | [`flash`] | contents of the flash |
//! | [`history`] | several clients of the broker |
//! | [`http`] | answers of web servers |
//! | [`image`] | an uploaded image |
//! | [`json`] | JSON, and values of it |
//! | [`mqtt`] | a client of the broker |
//! | [`ntp`] | answers of time servers, and requests |
//! | [`number`] | two numbers |
//! | [`parse`] | source text |
//! | [`settings`] | what was saved of settings and lock |
//! | [`signature`] | an upload to a device that asks for signatures |
//! | [`url`] | URLs |
//! | [`wifi`] | what a radio reports, such as networks in reach |
//! | [`zone`] | the rules of a time zone, times and places |

#![allow(clippy::expect_used)] // that is what they are for

mod board;
pub mod client;
pub mod console;
pub mod dhcp;
pub mod dns;
pub mod flash;
pub mod history;
pub mod http;
pub mod image;
pub mod json;
pub mod mqtt;
pub mod ntp;
pub mod number;
mod outside;
pub mod parse;
pub mod settings;
pub mod signature;
pub mod url;
pub mod wifi;
pub mod zone;

pub use board::OneConnection;
pub use outside::Outside;

/// The body of a target.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const ALL: [(&str, Target); 18] = [
    ("client", client::run),
    ("console", console::run),
    ("dhcp", dhcp::run),
    ("dns", dns::run),
    ("flash", flash::run),
    ("history", history::run),
    ("http", http::run),
    ("image", image::run),
    ("json", json::run),
    ("mqtt", mqtt::run),
    ("ntp", ntp::run),
    ("number", number::run),
    ("parse", parse::run),
    ("settings", settings::run),
    ("signature", signature::run),
    ("url", url::run),
    ("wifi", wifi::run),
    ("zone", zone::run),
];

//! Multicast DNS (RFC 6762) and service discovery (RFC 6763).
//!
//! | file | job |
//! |---|---|
//! | `zone` | [`Service`]; the records of a host and its services |
//! | `record_set` | the records by number, and sets of them |
//! | `responder` | [`Responder`]: claims a name, announces and answers |
//! | `messages` | probes, goodbyes, answers to one |
//! | `tie_break` | who gets a name that two want at once |
//! | `browser` | [`Browser`]: which services there are |

mod browser;
mod messages;
mod record_set;
mod responder;
mod tie_break;
mod zone;

pub use browser::{Browser, FIRST_INTERVAL, Found, MAX_FOUND_TXT, MAX_INTERVAL};
pub use record_set::MAX_SERVICES;
pub use responder::{
    ANNOUNCEMENTS, MIN_MULTICAST_INTERVAL, PROBE_INTERVAL, PROBES, Responder, ResponderStats,
    UNICAST_REPLIES, UNICASTS_PER_SECOND,
};
pub use zone::{HOST_TTL, MAX_HOST_LABEL, MAX_TXT, OTHER_TTL, Service};

/// The service that MQTT brokers are known by.
pub const MQTT_SERVICE: &str = "_mqtt._tcp";
/// The service of the device's console.
pub const CONSOLE_SERVICE: &str = "_umqtt-console._tcp";
/// Bytes of the longest message that a responder or browser sends.
pub const MESSAGE_LEN: usize = 512;

//! Multicast DNS (RFC 6762) and service discovery (RFC 6763).
//!
//! | file | job |
//! |---|---|
//! | `zone` | [`Service`]; the records of a host and its services |
//! | `record_set` | the records by number, and sets of them |
//! | `responder` | [`MdnsResponder`]: claims a name, announces and answers |
//! | `multicasts`, `unicasts` | what waits to be sent, with its rate limits |
//! | `conflicts`, `jitter` | how long a host waits before it speaks |
//! | `messages` | probes, goodbyes, answers to one |
//! | `tie_break` | who gets a name that two want at once |
//! | `browser` | [`Browser`]: which services there are |

mod browser;
mod conflicts;
mod jitter;
mod messages;
mod multicasts;
mod record_set;
mod responder;
mod stats;
mod tie_break;
mod unicasts;
mod zone;

pub use browser::{Browser, FIRST_INTERVAL, Found, MAX_FOUND_TXT, MAX_INTERVAL};
pub use multicasts::{MIN_MULTICAST_INTERVAL, PROBE_INTERVAL};
pub use record_set::MAX_SERVICES;
pub use responder::{ANNOUNCEMENTS, MdnsResponder, PROBES};
pub use stats::MdnsStats;
pub use unicasts::{UNICAST_REPLIES, UNICASTS_PER_SECOND};
pub use zone::{HOST_TTL, MAX_HOST_LABEL, MAX_TXT, OTHER_TTL, Service};

/// The service that MQTT brokers are known by.
pub const MQTT_SERVICE: &str = "_mqtt._tcp";
/// The service of the device's console.
pub const CONSOLE_SERVICE: &str = "_umqtt-console._tcp";
/// Bytes of the longest message that a responder or browser sends.
pub const MESSAGE_LEN: usize = 512;
/// Bytes of the longest message that is read, RFC 6762 section 17.
pub const MAX_MESSAGE: usize = 9000;

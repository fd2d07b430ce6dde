//! WiFi: the contract with a board's radio, and what the device makes of it.
//!
//! Nothing here blocks, waits or knows a board: requests to a [`Radio`] return at once, what comes
//! of them is polled, and time is given.
//!
//! | module | job |
//! |---|---|
//! | `radio` | [`Radio`], what a board's radio can do, and its events |
//! | `station` | joins the configured network, and again when it is lost |
//! | `access_point` | the device's own network and the stations in it |
//! | `scan` | networks in reach, the strongest of them |

mod access_point;
mod radio;
mod scan;
mod station;

pub(crate) use access_point::AccessPoint;
pub use access_point::MAX_STATIONS;
pub use radio::{
    ApConfig, Credentials, JoinError, MAX_PASSWORD, MAX_SSID, Password, Radio, RadioError,
    RadioEvent, ScanResult, Security, Ssid,
};
pub use scan::MAX_NETWORKS;
pub(crate) use scan::Scan;
pub use station::{
    FIRST_RETRY, JOIN_TIMEOUT, MAX_RETRY, SCAN_IN_THE_WAY, STABLE, WRONG_PASSWORD_RETRY,
};
pub(crate) use station::{Station, StationStatus};

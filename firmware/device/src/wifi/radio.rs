//! What the radio of a board can do.

use core::fmt;

use umqtt_net::Interface;

/// Longest name of a network, bytes.
pub const MAX_SSID: usize = 32;
/// Longest password, bytes.
pub const MAX_PASSWORD: usize = 64;

/// The name of a network: any bytes, empty for one that hides its name.
pub type Ssid = heapless::Vec<u8, MAX_SSID>;
/// A password: empty for an open network.
pub type Password = heapless::Vec<u8, MAX_PASSWORD>;

/// A radio that is a station in a network and an access point for others, both at once if need be.
///
/// Every request returns at once, and what comes of it is an event. The radio bounds what it keeps:
/// of the results of a scan it may leave out the weakest.
///
/// After [`join`](Radio::join) and [`leave`](Radio::leave) no event of an earlier join follows. A
/// radio that has one channel for both roles moves the access point to that of the network it has
/// joined.
pub trait Radio {
    /// Begins to join a network, instead of the one that is joined or being joined:
    /// [`RadioEvent::Joined`] or [`RadioEvent::JoinFailed`] follows.
    ///
    /// # Errors
    /// [`RadioError`]; no event follows.
    fn join(&mut self, network: &Credentials) -> Result<(), RadioError>;

    /// Leaves the network, or gives up joining it. No event follows.
    fn leave(&mut self);

    /// Starts the access point, instead of the one there is; stations of that are disconnected.
    ///
    /// # Errors
    /// [`RadioError`]; there is no access point then.
    fn start_ap(&mut self, config: &ApConfig) -> Result<(), RadioError> {
        let _ = config;
        Err(RadioError::Unsupported)
    }

    /// Stops the access point. No event follows.
    fn stop_ap(&mut self) {}

    /// Looks for networks: [`RadioEvent::Network`] for each, then [`RadioEvent::ScanDone`].
    ///
    /// # Errors
    /// [`RadioError`]; no event follows.
    fn scan(&mut self) -> Result<(), RadioError>;

    /// The next thing that happened.
    fn poll_event(&mut self) -> Option<RadioEvent>;

    /// Strength of the joined network in dBm.
    fn rssi(&mut self) -> Option<i8>;

    /// The MAC address in one of the networks.
    fn mac(&self, interface: Interface) -> [u8; 6];
}

/// A network to join.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Its name.
    pub ssid: Ssid,
    /// Its password.
    pub password: Password,
}

/// A network of the device's own.
#[derive(Clone, PartialEq, Eq)]
pub struct ApConfig {
    /// Its name.
    pub ssid: Ssid,
    /// The password that stations need.
    pub password: Password,
    /// Its channel, from 1 to 13.
    pub channel: u8,
}

/// Why a radio does not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RadioError {
    /// Not now: it scans, or joins a network.
    Busy,
    /// It cannot do that at all.
    Unsupported,
    /// It failed.
    Failed,
}

impl fmt::Display for RadioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RadioError::Busy => "the radio is busy",
            RadioError::Unsupported => "the radio cannot do that",
            RadioError::Failed => "the radio failed",
        })
    }
}

impl core::error::Error for RadioError {}

/// Why a network was not joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// The password is not that of the network.
    WrongPassword,
    /// No network of that name is in reach.
    NotFound,
    /// The network did not answer in time.
    Timeout,
    /// The network takes no more stations, or not this one.
    Refused,
    /// The radio failed.
    Failed,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JoinError::WrongPassword => "wrong password",
            JoinError::NotFound => "not found",
            JoinError::Timeout => "no answer",
            JoinError::Refused => "refused",
            JoinError::Failed => "the radio failed",
        })
    }
}

impl core::error::Error for JoinError {}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RadioEvent {
    /// The network has been joined; it has no address yet.
    Joined {
        /// Its channel.
        channel: u8,
        /// Its strength in dBm.
        rssi: i8,
    },
    /// The network could not be joined.
    JoinFailed(JoinError),
    /// The network that was joined is lost.
    Lost,
    /// A scan has found a network.
    Network(ScanResult),
    /// A scan is over; `false` if it failed.
    ScanDone(bool),
    /// A station has joined the access point.
    StationJoined([u8; 6]),
    /// A station has left the access point.
    StationLeft([u8; 6]),
}

/// A network that a scan has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanResult {
    /// Its name.
    pub ssid: Ssid,
    /// How it is protected.
    pub security: Security,
    /// Its strength in dBm.
    pub rssi: i8,
    /// The address of its access point.
    pub mac: [u8; 6],
    /// Its channel.
    pub channel: u8,
}

/// How a network is protected, with the numbers that the makers of the ESP chips use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Security {
    /// Not at all.
    Open = 0,
    /// WEP.
    Wep = 1,
    /// WPA with a password.
    Wpa = 2,
    /// WPA2 with a password.
    Wpa2 = 3,
    /// WPA or WPA2 with a password.
    WpaWpa2 = 4,
    /// WPA2 with a user's name.
    Enterprise = 5,
    /// WPA3 with a password.
    Wpa3 = 6,
    /// WPA2 or WPA3 with a password.
    Wpa2Wpa3 = 7,
    /// Something else.
    Other = 8,
}

//! What can happen to a device, as a script sees it.

use crate::words::Trigger;

/// Which broker a topic belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The device's own broker.
    Local,
    /// The broker the device is a client of.
    Remote,
}

/// Something that happened, with the data its handlers may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'e> {
    /// The script starts: run its `config` lines, in order. Comes before [`Event::Init`].
    Config,
    /// The script has started.
    Init,
    /// The WiFi client got its address.
    WifiConnect,
    /// The WiFi client lost its network.
    WifiDisconnect,
    /// The remote broker accepted us.
    MqttConnect,
    /// A line came in on the serial port.
    Serial {
        /// The line, without its line end.
        line: &'e [u8],
    },
    /// An answer to `http_get` or `http_post`.
    HttpResponse {
        /// The host asked.
        host: &'e [u8],
        /// The path asked for.
        path: &'e [u8],
        /// The status code, 000 to 999, as three digits.
        code: [u8; 3],
        /// The body.
        body: &'e [u8],
        /// The body is only the beginning of what came.
        cut: bool,
    },
    /// A timer ran out.
    Timer(u8),
    /// An alarm's time of day came.
    Alarm(u8),
    /// The period of that number has passed.
    Every(u8),
    /// The time of day of that number came.
    Clock(u8),
    /// A message arrived on a subscribed topic.
    Topic {
        /// On which broker.
        side: Side,
        /// The topic name.
        topic: &'e [u8],
        /// The payload.
        data: &'e [u8],
    },
    /// A pin changed and settled.
    GpioInterrupt {
        /// The pin.
        pin: u8,
        /// Its level now.
        level: bool,
    },
}

impl Event<'_> {
    /// What it wakes, and the number that goes with it; for a topic the trigger of handlers with
    /// its name.
    #[inline(always)]
    pub fn trigger(&self) -> (Trigger, u8) {
        match *self {
            Event::Topic { side: Side::Local, .. } => (Trigger::LocalName, 0),
            Event::Topic { side: Side::Remote, .. } => (Trigger::RemoteName, 0),
            Event::Config => (Trigger::Config, 0),
            Event::Init => (Trigger::Init, 0),
            Event::WifiConnect => (Trigger::WifiConnect, 0),
            Event::WifiDisconnect => (Trigger::WifiDisconnect, 0),
            Event::MqttConnect => (Trigger::MqttConnect, 0),
            Event::Serial { .. } => (Trigger::Serial, 0),
            Event::HttpResponse { .. } => (Trigger::HttpResponse, 0),
            Event::Timer(n) => (Trigger::Timer, n),
            Event::Alarm(n) => (Trigger::Alarm, n),
            Event::Every(n) => (Trigger::Every, n),
            Event::Clock(n) => (Trigger::Clock, n),
            Event::GpioInterrupt { pin, .. } => (Trigger::Gpio, pin),
        }
    }

    /// The event's data in the order of its `$this_...` specials; what it lacks is empty. A pin's
    /// level is a number, not a string.
    pub(crate) fn argument(&self, index: usize) -> &[u8] {
        match (self, index) {
            (Event::Topic { topic, .. }, 0) => topic,
            (Event::Topic { data, .. }, 1) => data,
            (Event::Serial { line }, 0) => line,
            (Event::HttpResponse { host, .. }, 0) => host,
            (Event::HttpResponse { path, .. }, 1) => path,
            (Event::HttpResponse { code, .. }, 2) => code,
            (Event::HttpResponse { body, .. }, 3) => body,
            _ => b"",
        }
    }
}

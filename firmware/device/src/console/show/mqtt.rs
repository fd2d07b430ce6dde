//! `show mqtt`: who is there, what is retained, and what the broker has counted.

use core::fmt;

use crate::console::device_control::{BrokerFigures, DeviceControl, ScriptText};
use crate::console::output::Output;
use crate::printable::Printable;

/// Longest list in `show mqtt`, bytes: the reply is made anew for each piece of it.
const LONGEST_LIST: usize = 4096;

pub(super) fn mqtt(device: &dyn DeviceControl, out: &mut Output) {
    let figures = device.broker();
    line!(out, "Current clients: {}", figures.clients);
    let mut list = List::new();
    device.clients(&mut |id| {
        let comma = if list.shown == 0 { "" } else { ", " };
        list.add(out, format_args!("{comma}{}", Printable(id)))
    });
    if list.shown > 0 {
        out.put(b"\r\n");
    }
    list.end(figures.clients, out);
    line!(out, "Current subscriptions:");
    let mut list = List::new();
    device.subscriptions(&mut |found| {
        let (client, filter) = (Printable(found.client), Printable(found.filter));
        list.add(out, format_args!("{client}: \"{filter}\" (QoS {})\r\n", found.qos))
    });
    list.end(figures.subscriptions, out);
    line!(out, "Retained topics:");
    let mut list = List::new();
    device.retained(&mut |found| {
        let topic = Printable(found.topic);
        list.add(out, format_args!("\"{topic}\" len: {} (QoS {})\r\n", found.len, found.qos))
    });
    list.end(figures.retained, out);
    let connected = if device.remote_connected() { "connected" } else { "disconnected" };
    line!(out, "MQTT client {connected}");
    match (device.script_text(), device.script_enabled()) {
        (ScriptText::None, _) => line!(out, "No script"),
        (_, true) => line!(out, "Script enabled"),
        (_, false) => line!(out, "Script disabled"),
    }
    counted(&figures, out);
}

/// What came, and what became of those who sent too much or nothing.
fn counted(figures: &BrokerFigures, out: &mut Output) {
    let c = &figures.counted;
    line!(
        out,
        "Came: connections {}, clients {}, subscriptions {}, pings {}, wills {}",
        c.opened,
        c.accepted,
        c.subscribed,
        c.pings,
        c.wills
    );
    line!(
        out,
        "Refused: connections {}, wrong passwords {}, subscriptions {}, retained {}",
        c.refused.saturating_sub(c.unauthorized),
        c.unauthorized,
        c.subscriptions_refused,
        c.retained_refused
    );
    line!(
        out,
        "Closed: bad packets {}, too large {}, no memory {}, no CONNECT {}, silent {}, slow {}, unreleased {}, taken over {}, sessions displaced {}",
        c.protocol_errors,
        c.too_large,
        c.no_memory,
        c.connect_timeouts,
        c.keep_alive_timeouts,
        c.slow,
        c.unreleased,
        c.takeovers,
        c.sessions_displaced
    );
    line!(
        out,
        "Dropped: messages {}, to $SYS {}, from remote {}, unknown acknowledgements {}",
        c.messages_dropped,
        c.messages_denied,
        figures.remote_dropped,
        c.unknown_acks
    );
}

/// A list of which only the beginning is shown if it is too long.
struct List {
    shown: usize,
    /// Not all of it was shown.
    cut: bool,
    /// Bytes shown.
    bytes: usize,
}

/// Counts what is printed.
struct Counter<'o> {
    out: &'o mut Output,
    bytes: usize,
}

impl fmt::Write for Counter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes += text.len();
        self.out.put(text.as_bytes());
        Ok(())
    }
}

impl List {
    fn new() -> List {
        List { shown: 0, cut: false, bytes: 0 }
    }

    /// Adds one if the list is not too long yet; false if it is, and then none after it is to be
    /// added.
    fn add(&mut self, out: &mut Output, text: fmt::Arguments<'_>) -> bool {
        self.cut = self.bytes >= LONGEST_LIST;
        if !self.cut {
            let mut counter = Counter { out, bytes: 0 };
            // Writing here never fails.
            let _ = fmt::write(&mut counter, text);
            self.bytes += counter.bytes;
            self.shown += 1;
        }
        !self.cut
    }

    /// Says that there are more than are shown, and how many in all.
    fn end(self, len: usize, out: &mut Output) {
        if self.cut {
            line!(out, "... and more, {len} in all");
        }
    }
}

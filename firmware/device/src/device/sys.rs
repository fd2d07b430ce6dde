//! What the device publishes about itself under `$SYS/broker`.

use alloc::string::{String, ToString};
use core::fmt::Display;

use umqtt_broker::QoS;

use umqtt_net::{Duration, Instant};

use super::core::Core;
use crate::board::Board;
use crate::platform::Platform;

/// Milliseconds between two publications of the figures.
const FIGURES_EVERY: Duration = Duration::from_millis(10_000);

/// When what is published next.
#[derive(Debug, Default)]
pub(super) struct Sys {
    figures_at: Instant,
    time_at: Option<Instant>,
}

impl Sys {
    pub(super) fn poll_at(&self) -> Option<Instant> {
        Some(self.time_at.map_or(self.figures_at, |at| at.min(self.figures_at)))
    }

    /// Publishes what is due.
    pub(super) fn poll<P: Platform>(&mut self, core: &mut Core<P>) {
        let now = core.now;
        if now >= self.figures_at {
            self.figures_at = now + FIGURES_EVERY;
            figures(core);
            // Looked at again here in case somebody has set the clock.
            self.time_at = self.time_at.or(core.clock().map(|_| now));
        }
        if self.time_at.is_some_and(|at| now >= at) {
            self.time_at = core.clock().map(|clock| {
                let text = clock.hms();
                publish(core, "time", &String::from_utf8_lossy(&text), false);
                // At the start of the clock's next second.
                now + Duration::from_millis(u64::from(1000 - clock.millis % 1000))
            });
        }
    }
}

fn figures<P: Platform>(core: &mut Core<P>) {
    let stats = *core.broker.stats();
    let before = core.broker.retained_revision();
    let clients = core.broker.clients_len();
    let version = core.options.version;
    publish(core, "uptime", &(core.now.as_millis() / 1000), true);
    publish(core, "version", &version, true);
    publish(core, "clients/connected", &clients, true);
    publish(core, "messages/received", &stats.received_from_clients(), true);
    publish(core, "messages/sent", &stats.sent_to_clients(), true);
    publish(core, "messages/dropped", &stats.messages_dropped, true);
    publish(core, "clients/refused", &stats.refused, true);
    publish(core, "clients/closed", &stats.closed(), true);
    if let Some(free) = core.board.free_memory() {
        publish(core, "heap/free", &free, true);
    }
    let changes = core.broker.retained_revision().wrapping_sub(before);
    core.own_changes = core.own_changes.wrapping_add(changes);
}

fn publish<P: Platform>(core: &mut Core<P>, name: &str, value: &dyn Display, retain: bool) {
    let topic = ["$SYS/broker/", name].concat();
    // Refused only when the limit of retained messages is reached, and then the next may find room.
    let value = value.to_string();
    let _ = core.broker.publish(topic.as_bytes(), value.as_bytes(), QoS::AtMostOnce, retain);
}

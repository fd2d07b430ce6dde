//! What the device publishes about itself under `$SYS/broker`.

use alloc::string::{String, ToString};
use core::fmt::Display;

use umqtt_mqtt::QoS;

use umqtt_net::{Duration, Instant};

use super::Device;
use super::service::Service;
use super::state::DeviceState;
use crate::board::Board;
use crate::net::Net;
use crate::platform::Platform;

/// Milliseconds between two publications of the figures.
const FIGURES_EVERY: Duration = Duration::from_millis(10_000);

/// When what is published next.
#[derive(Debug, Default)]
pub(super) struct SysTopics {
    figures_at: Instant,
    time_at: Option<Instant>,
}

impl<P: Platform> Service<P> for SysTopics {
    #[inline(never)]
    fn poll(device: &mut Device<P>, _net: &mut dyn Net) -> bool {
        if device.state.has_margin() {
            device.sys_topics.publish_due(&mut device.state);
        }
        false
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        let SysTopics { figures_at, time_at } = device.sys_topics;
        Some(time_at.map_or(figures_at, |at| at.min(figures_at)))
    }
}

impl SysTopics {
    /// Publishes what is due.
    fn publish_due<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        let now = state.now;
        if now >= self.figures_at {
            self.figures_at = now + FIGURES_EVERY;
            figures(state);
            // Looked at again here in case the clock was set.
            self.time_at = self.time_at.or(state.clock().map(|_| now));
        }
        if self.time_at.is_some_and(|at| now >= at) {
            self.time_at = state.clock().map(|clock| {
                let text = clock.hms();
                publish(state, "time", &String::from_utf8_lossy(&text), false);
                // At the start of the clock's next second.
                now + Duration::from_millis(u64::from(1000 - clock.millis % 1000))
            });
        }
    }
}

fn figures<P: Platform>(state: &mut DeviceState<P>) {
    let stats = *state.broker.stats();
    let before = state.broker.retained_revision();
    let clients = state.broker.clients_len();
    let version = state.options.version;
    publish(state, "uptime", &(state.now.as_millis() / 1000), true);
    publish(state, "version", &version, true);
    publish(state, "clients/connected", &clients, true);
    publish(state, "messages/received", &stats.received_from_clients(), true);
    publish(state, "messages/sent", &stats.sent_to_clients(), true);
    publish(state, "messages/dropped", &stats.messages_dropped, true);
    publish(state, "clients/refused", &stats.refused, true);
    publish(state, "clients/closed", &stats.closed(), true);
    if let Some(free) = state.board.free_memory() {
        publish(state, "heap/free", &free, true);
    }
    let changes = state.broker.retained_revision().wrapping_sub(before);
    state.own_changes = state.own_changes.wrapping_add(changes);
}

fn publish<P: Platform>(state: &mut DeviceState<P>, name: &str, value: &dyn Display, retain: bool) {
    let topic = ["$SYS/broker/", name].concat();
    // Refused only when the limit of retained messages is reached, and then the next may find room.
    let value = value.to_string();
    let _ = state.broker.publish(topic.as_bytes(), value.as_bytes(), QoS::AtMostOnce, retain);
}

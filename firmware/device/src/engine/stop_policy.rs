//! The rule for handlers that have to be stopped again and again.

use alloc::vec::Vec;

use umqtt_net::{Duration, Instant};
use umqtt_vm::Handler;

/// So many stops of one handler within [`STOP_WINDOW`] disable the script.
pub const STOPS_ALLOWED: usize = 3;
/// Milliseconds within which stops are counted together.
pub const STOP_WINDOW: Duration = Duration::from_secs(60);

/// Most stops remembered; the oldest is forgotten for a new one.
const STOPS_REMEMBERED: usize = 64;

/// The stops of the last minute.
#[derive(Debug, Default)]
pub(super) struct StopPolicy {
    stops: Vec<(Instant, Handler)>,
}

impl StopPolicy {
    /// Notes that a handler was stopped; true if that was once too often.
    pub(super) fn stopped(&mut self, handler: Handler, now: Instant) -> bool {
        self.stops.retain(|(at, _)| now.saturating_duration_since(*at) < STOP_WINDOW);
        if self.stops.len() == STOPS_REMEMBERED {
            self.stops.remove(0);
        }
        self.stops.push((now, handler));
        self.stops.iter().filter(|(_, stopped)| *stopped == handler).count() >= STOPS_ALLOWED
    }
}

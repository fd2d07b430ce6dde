//! How long a host waits after a conflict: longer when they come one after the other, RFC 6762
//! section 8.1.

use umqtt_net::{Duration, Instant};

use super::jitter::Jitter;

/// After so many conflicts in [`CONFLICT_WINDOW`] each further one costs [`CONFLICT_DELAY`], until
/// a name is found.
const MAX_CONFLICTS: u8 = 15;
const CONFLICT_WINDOW: Duration = Duration::from_secs(10);
const CONFLICT_DELAY: Duration = Duration::from_secs(5);

/// The conflicts since a name was found last.
#[derive(Clone, Debug)]
pub(super) struct Conflicts {
    count: u8,
    since: Instant,
}

impl Conflicts {
    pub(super) const fn new() -> Conflicts {
        Conflicts { count: 0, since: Instant::ZERO }
    }

    /// A name is found.
    pub(super) const fn clear(&mut self) {
        self.count = 0;
    }

    /// There is one more: how long to wait for it.
    pub(super) fn next_delay(&mut self, now: Instant, jitter: &mut Jitter) -> Duration {
        let rare = now.saturating_duration_since(self.since) > CONFLICT_WINDOW;
        if rare && self.count < MAX_CONFLICTS {
            (self.count, self.since) = (0, now);
        }
        self.count = self.count.saturating_add(1);
        match self.count {
            ..MAX_CONFLICTS => jitter.delay(0, 250),
            _ => CONFLICT_DELAY,
        }
    }
}

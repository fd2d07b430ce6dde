//! WiFi: what there is of it in the device's state. What is done with it: `wifi`.

use umqtt_net::{Duration, Instant};

use crate::console::Origin;
use crate::wifi::{AccessPoint, Scan, Station};

/// What is set counts so long after the last of it was set: a name and its password are set one
/// after the other, and half of a change would cut off who makes it.
const SETTLE: Duration = Duration::from_millis(3000);

/// Station, access point, and the scan that is under way.
pub(super) struct Wifi {
    pub(super) station: Station,
    pub(super) access_point: AccessPoint,
    /// And who has asked for it.
    pub(super) scan: Option<(Origin, Scan)>,
    /// The radio was asked something in another service's turn, and may have the answer.
    pub(super) asked: bool,
    /// When the settings are to be looked at.
    pub(super) configure_at: Option<Instant>,
    /// They were looked at: until then nothing is joined that a change could cut off.
    pub(super) configured: bool,
}

impl Wifi {
    pub(super) const fn new() -> Wifi {
        Wifi {
            station: Station::new(),
            access_point: AccessPoint::new(),
            scan: None,
            asked: false,
            configure_at: Some(Instant::ZERO),
            configured: false,
        }
    }

    /// One of its settings was changed.
    pub(super) fn note_changed(&mut self, now: Instant) {
        if self.configured {
            self.configure_at = Some(now + SETTLE);
        }
    }

    /// Bytes of the heap that results of a scan hold.
    pub(super) fn memory(&self) -> usize {
        self.scan.as_ref().map_or(0, |(_, scan)| scan.memory())
    }

    /// The next deadline of any of them.
    pub(super) fn poll_at(&self) -> Option<Instant> {
        let scan = self.scan.as_ref().and_then(|(_, scan)| scan.poll_at());
        let timers = [self.station.poll_at(), self.access_point.poll_at(), scan];
        timers.into_iter().chain([self.configure_at]).flatten().min()
    }
}

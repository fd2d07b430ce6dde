//! The device's own network, and the stations in it.

use umqtt_net::{Duration, Instant};

use super::radio::{ApConfig, Radio, RadioError};

/// Most stations that are counted: more than any of the radios takes.
pub const MAX_STATIONS: usize = 16;
/// Until the access point is tried again that could not be started.
const RETRY: Duration = Duration::from_secs(10);

/// The access point.
pub(crate) struct AccessPoint {
    /// What there is to be.
    config: Option<ApConfig>,
    /// What is there.
    runs: bool,
    /// When it is tried again.
    retry_at: Option<Instant>,
    stations: heapless::Vec<[u8; 6], MAX_STATIONS>,
}

impl AccessPoint {
    pub(crate) const fn new() -> AccessPoint {
        AccessPoint { config: None, runs: false, retry_at: None, stations: heapless::Vec::new() }
    }

    /// The network there is, if it runs.
    pub(crate) fn network(&self) -> Option<&ApConfig> {
        self.config.as_ref().filter(|_| self.runs)
    }

    /// How many stations are in it; `None` if it does not run.
    pub(crate) fn stations(&self) -> Option<u8> {
        self.runs.then_some(self.stations.len() as u8)
    }

    /// Sets what there is to be; whether something has come of it.
    pub(crate) fn configure(
        &mut self,
        config: Option<ApConfig>,
        now: Instant,
        radio: &mut dyn Radio,
    ) -> Option<Result<(), RadioError>> {
        if config == self.config {
            return None;
        }
        if self.runs {
            radio.stop_ap();
        }
        *self = AccessPoint { config, ..AccessPoint::new() };
        self.start(now, radio)
    }

    /// Tries again what has failed; whether it worked. That it failed again is not said.
    pub(crate) fn handle_timeout(&mut self, now: Instant, radio: &mut dyn Radio) -> bool {
        self.retry_at.is_some_and(|at| now >= at) && self.start(now, radio) == Some(Ok(()))
    }

    /// When to call [`AccessPoint::handle_timeout`].
    pub(crate) fn poll_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// A station has joined it; false if it is known, or the network is not there.
    pub(crate) fn handle_joined(&mut self, station: [u8; 6]) -> bool {
        self.runs && !self.stations.contains(&station) && self.stations.push(station).is_ok()
    }

    /// A station has left it; false if it is not known.
    pub(crate) fn handle_left(&mut self, station: [u8; 6]) -> bool {
        let known = self.stations.iter().position(|known| *known == station);
        known.map(|at| self.stations.swap_remove(at)).is_some()
    }

    fn start(&mut self, now: Instant, radio: &mut dyn Radio) -> Option<Result<(), RadioError>> {
        let started = radio.start_ap(self.config.as_ref()?);
        self.runs = started.is_ok();
        self.retry_at = started.is_err().then_some(now + RETRY);
        Some(started)
    }
}

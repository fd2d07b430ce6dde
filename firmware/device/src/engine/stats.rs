//! What the engine counts, for `show stats`.

/// Counters since the script was loaded; they wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptStats {
    /// Events that woke at least one handler.
    pub events: u32,
    /// Handlers run.
    pub handlers: u32,
    /// Events refused because the queue was full or the event too large.
    pub dropped: u32,
    /// Publishes and subscriptions refused for their topic.
    pub refused: u32,
    /// Handlers stopped before their end.
    pub stopped: u32,
    /// Divisions by zero, taken as 0.
    pub divisions_by_zero: u32,
    /// Decimals that were too large, taken as the greatest or least number.
    pub decimals_too_large: u32,
    /// Values cut at the profile's limit.
    pub values_cut: u32,
    /// Microseconds spent in the script, as far as the caller measured: see
    /// [`super::Engine::note_time`].
    pub micros: u64,
}

impl ScriptStats {
    /// Mean microseconds for an event; 0 before the first.
    pub fn mean_micros(&self) -> u32 {
        let mean = self.micros.checked_div(self.events.into()).unwrap_or(0);
        u32::try_from(mean).unwrap_or(u32::MAX)
    }
}

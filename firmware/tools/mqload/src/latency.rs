//! Times of many messages, and what of them is told.

use std::time::Duration;

/// Times kept; when there are more, the first ones count.
const MAX_TIMES: usize = 4_000_000;

/// The times of single messages, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Latency(Vec<u32>);

impl Latency {
    /// Notes a time; more than 4 seconds count as that.
    pub(crate) fn add(&mut self, nanos: u64) {
        if self.0.len() < MAX_TIMES {
            self.0.push(u32::try_from(nanos).unwrap_or(u32::MAX));
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The time that the given parts of a thousand do not pass; `None` if there are none.
    pub(crate) fn permille(&mut self, parts: usize) -> Option<Duration> {
        let last = self.0.len().checked_sub(1)?;
        let place = last * parts.min(1000) / 1000;
        let (_, at, _) = self.0.select_nth_unstable(place);
        Some(Duration::from_nanos(u64::from(*at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let mut latency = Latency::default();
        assert_eq!(latency.permille(500), None);
        for nanos in (0..=1000).rev() {
            latency.add(nanos);
        }
        assert_eq!(latency.permille(500), Some(Duration::from_nanos(500)));
        assert_eq!(latency.permille(990), Some(Duration::from_nanos(990)));
        assert_eq!(latency.permille(1000), Some(Duration::from_nanos(1000)));
        latency.clear();
        latency.add(u64::MAX);
        assert_eq!(latency.permille(0), Some(Duration::from_nanos(u32::MAX.into())));
    }
}

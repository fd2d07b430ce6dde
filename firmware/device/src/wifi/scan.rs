//! Networks in reach: those that a scan finds, the strongest of them.

use alloc::vec::Vec;
use core::cmp::Reverse;

use umqtt_memory::try_room_exact;
use umqtt_net::{Duration, Instant};

use super::radio::ScanResult;

/// Most networks that are kept of a scan.
pub const MAX_NETWORKS: usize = 64;
/// How long a scan may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A scan that is under way, or its results.
pub(crate) struct Scan {
    found: Vec<ScanResult>,
    /// How many of `found` were shown.
    shown: usize,
    /// How many were too weak to be kept.
    left_out: u32,
    /// When it has failed; `None` when it is over.
    until: Option<Instant>,
}

impl Scan {
    /// A scan whose results may take so many bytes; `None` if there is no room for one.
    pub(crate) fn new(budget: usize, now: Instant) -> Option<Scan> {
        let most = MAX_NETWORKS.min(budget / size_of::<ScanResult>());
        let mut found = Vec::new();
        let room = most > 0 && try_room_exact(&mut found, most);
        room.then(|| Scan { found, shown: 0, left_out: 0, until: Some(now + TIMEOUT) })
    }

    /// Bytes of the heap.
    pub(crate) fn memory(&self) -> usize {
        self.found.capacity() * size_of::<ScanResult>()
    }

    /// The radio has found a network.
    pub(crate) fn handle_network(&mut self, network: ScanResult) {
        if self.until.is_none() {
            return;
        }
        if self.found.len() < self.found.capacity() {
            return self.found.push(network);
        }
        self.left_out = self.left_out.saturating_add(1);
        if let Some(weakest) = self.found.iter_mut().min_by_key(|known| known.rssi)
            && weakest.rssi < network.rssi
        {
            *weakest = network;
        }
    }

    /// The radio has found all.
    pub(crate) fn handle_done(&mut self) {
        self.until = None;
        self.found.sort_unstable_by_key(|network| (Reverse(network.rssi), network.mac));
    }

    /// When it has failed, if it is not over by then.
    pub(crate) fn poll_at(&self) -> Option<Instant> {
        self.until
    }

    /// The next network to show, the strongest first; `None` while there is none yet, or no more.
    pub(crate) fn next(&mut self) -> Option<&ScanResult> {
        if self.until.is_some() {
            return None;
        }
        let next = self.found.get(self.shown)?;
        self.shown += 1;
        Some(next)
    }

    /// Whether all was shown; how many networks were left out.
    pub(crate) fn is_over(&self) -> Option<u32> {
        (self.until.is_none() && self.shown >= self.found.len()).then_some(self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::radio::Security;
    use super::*;

    fn network(n: usize) -> ScanResult {
        let rssi = -(((n * 37) % 100) as i8);
        let (ssid, security) = (Default::default(), Security::Open);
        ScanResult { ssid, security, rssi, mac: [n as u8; 6], channel: 1 }
    }

    #[test]
    fn the_strongest_are_kept_and_come_first() {
        let mut scan = Scan::new(10 * size_of::<ScanResult>(), Instant::ZERO).unwrap();
        (0..100).for_each(|n| scan.handle_network(network(n)));
        assert!(scan.next().is_none() && scan.is_over().is_none(), "it is not over yet");
        scan.handle_done();
        scan.handle_network(network(0));
        let shown: Vec<i8> =
            core::iter::from_fn(|| scan.next().map(|network| network.rssi)).collect();
        assert_eq!(shown, [0, -1, -2, -3, -4, -5, -6, -7, -8, -9]);
        assert_eq!(scan.is_over(), Some(90));
        assert_eq!(scan.memory(), 10 * size_of::<ScanResult>());
    }

    #[test]
    fn without_room_for_one_there_is_no_scan() {
        assert!(Scan::new(size_of::<ScanResult>() - 1, Instant::ZERO).is_none());
    }
}

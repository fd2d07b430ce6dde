//! The station: joins the configured network, and again when it is lost or cannot be joined.

use umqtt_net::{Duration, Instant};

use super::radio::{Credentials, JoinError, Radio, RadioError};

/// Until a network is tried again that could not be joined, or was lost; doubled each time, up to
/// [`MAX_RETRY`] (backoff).
pub const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest time between two tries: each makes a radio with one channel leave that of the access
/// point.
pub const MAX_RETRY: Duration = Duration::from_secs(60);
/// Until a network is tried again whose password is wrong: it will be the next time too, unless the
/// network was about to go.
pub const WRONG_PASSWORD_RETRY: Duration = Duration::from_secs(120);
/// How long a network may take to be joined.
pub const JOIN_TIMEOUT: Duration = Duration::from_secs(20);
/// A network that was joined for so long is tried again soon when it is lost.
pub const STABLE: Duration = Duration::from_secs(30);
/// Until a network is tried again while the radio scans.
pub const SCAN_IN_THE_WAY: Duration = Duration::from_secs(2);

/// Something to log, and whether scripts get an event of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StationStatus {
    /// The network was joined.
    Joined { channel: u8, rssi: i8 },
    /// It cannot be joined; said once for each reason in a row.
    Failed(JoinError),
    /// It was lost; `linked` if it had an address.
    Lost { linked: bool },
    /// It was left, as another one is configured or none; `linked` if it had an address.
    Left { linked: bool },
}

/// Where a join is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is to be joined.
    Idle,
    /// It is tried at this time.
    Waiting(Instant),
    /// The radio is at it, until this time.
    Joining(Instant),
    /// It was joined then, and has an address or not.
    Joined { since: Instant, linked: bool },
}

/// The station.
///
/// Order of calls: [`configure`](Station::configure) when settings have changed, what the radio
/// has to `handle_...`, [`handle_timeout`](Station::handle_timeout) at
/// [`poll_at`](Station::poll_at).
pub(crate) struct Station {
    network: Option<Credentials>,
    auto_connect: bool,
    state: State,
    /// Until the next try after this one.
    retry: Duration,
    /// The reason that was said last.
    said: Option<JoinError>,
}

impl Station {
    pub(crate) const fn new() -> Station {
        Station {
            network: None,
            auto_connect: false,
            state: State::Idle,
            retry: FIRST_RETRY,
            said: None,
        }
    }

    /// The network, joined or not.
    pub(crate) fn network(&self) -> Option<&Credentials> {
        self.network.as_ref()
    }

    /// Whether it is joined.
    pub(crate) fn is_joined(&self) -> bool {
        matches!(self.state, State::Joined { .. })
    }

    /// Whether it is joined and has no address yet.
    pub(crate) fn awaits_address(&self) -> bool {
        matches!(self.state, State::Joined { linked: false, .. })
    }

    /// Sets the network, and whether it is joined by itself.
    pub(crate) fn configure(
        &mut self,
        network: Option<Credentials>,
        auto_connect: bool,
        now: Instant,
        radio: &mut dyn Radio,
    ) -> Option<StationStatus> {
        let changed = network != self.network;
        let mut left = None;
        if changed {
            if let State::Joined { linked, .. } = self.state {
                left = Some(StationStatus::Left { linked });
            }
            if !matches!(self.state, State::Idle | State::Waiting(_)) {
                radio.leave();
            }
            *self = Station { network, ..Station::new() };
        }
        self.auto_connect = auto_connect;
        match self.state {
            State::Idle if auto_connect && self.network.is_some() => {
                self.retry = FIRST_RETRY;
                self.state = State::Waiting(now);
            }
            State::Waiting(_) if !auto_connect => self.state = State::Idle,
            _ => {}
        }
        left
    }

    /// The radio has joined the network.
    pub(crate) fn handle_joined(
        &mut self,
        channel: u8,
        rssi: i8,
        now: Instant,
    ) -> Option<StationStatus> {
        let State::Joining(_) = self.state else { return None };
        self.state = State::Joined { since: now, linked: false };
        self.said = None;
        Some(StationStatus::Joined { channel, rssi })
    }

    /// The radio could not join it.
    pub(crate) fn handle_failed(&mut self, why: JoinError, now: Instant) -> Option<StationStatus> {
        let State::Joining(_) = self.state else { return None };
        self.fail(why, now)
    }

    /// The radio has lost it.
    pub(crate) fn handle_lost(&mut self, now: Instant) -> Option<StationStatus> {
        let State::Joined { since, linked } = self.state else { return None };
        if now >= since + STABLE {
            self.retry = FIRST_RETRY;
        }
        self.wait(now);
        Some(StationStatus::Lost { linked })
    }

    /// It has an address; false if that is known, or it is not joined.
    pub(crate) fn handle_address(&mut self) -> bool {
        let State::Joined { linked, .. } = &mut self.state else { return false };
        !core::mem::replace(linked, true)
    }

    /// Tries to join the network when it is time, and gives up what takes too long.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        radio: &mut dyn Radio,
    ) -> Option<StationStatus> {
        match (self.state, &self.network) {
            (State::Joining(until), _) if now >= until => {
                radio.leave();
                self.fail(JoinError::Timeout, now)
            }
            (State::Waiting(at), Some(network)) if now >= at => match radio.join(network) {
                Ok(()) => {
                    self.state = State::Joining(now + JOIN_TIMEOUT);
                    None
                }
                Err(RadioError::Busy) => {
                    self.state = State::Waiting(now + SCAN_IN_THE_WAY);
                    None
                }
                Err(_) => self.fail(JoinError::Failed, now),
            },
            _ => None,
        }
    }

    /// When to call [`Station::handle_timeout`].
    pub(crate) fn poll_at(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(at) | State::Joining(at) => Some(at),
            State::Idle | State::Joined { .. } => None,
        }
    }

    fn fail(&mut self, why: JoinError, now: Instant) -> Option<StationStatus> {
        self.wait(now);
        if why == JoinError::WrongPassword && self.auto_connect {
            self.state = State::Waiting(now + WRONG_PASSWORD_RETRY);
        }
        (self.said.replace(why) != Some(why)).then_some(StationStatus::Failed(why))
    }

    fn wait(&mut self, now: Instant) {
        self.state = match self.auto_connect {
            true => State::Waiting(now + self.retry),
            false => State::Idle,
        };
        self.retry = MAX_RETRY.min(self.retry + self.retry);
    }
}

#[cfg(test)]
mod tests {
    use super::super::radio::{RadioEvent, Ssid};
    use super::*;
    use umqtt_net::Interface;

    /// A radio that counts what it is asked.
    #[derive(Default)]
    struct Asked {
        joins: u32,
        leaves: u32,
        busy: bool,
    }

    impl Radio for Asked {
        fn join(&mut self, _network: &Credentials) -> Result<(), RadioError> {
            self.joins += 1;
            if self.busy { Err(RadioError::Busy) } else { Ok(()) }
        }
        fn leave(&mut self) {
            self.leaves += 1;
        }
        fn scan(&mut self) -> Result<(), RadioError> {
            Err(RadioError::Unsupported)
        }
        fn poll_event(&mut self) -> Option<RadioEvent> {
            None
        }
        fn rssi(&mut self) -> Option<i8> {
            None
        }
        fn mac(&self, _interface: Interface) -> [u8; 6] {
            [0; 6]
        }
    }

    fn home() -> Option<Credentials> {
        Some(Credentials {
            ssid: Ssid::from_slice(b"home").unwrap_or_default(),
            password: Default::default(),
        })
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    /// The seconds between the tries of a network that fails each of them in this way.
    fn waits(why: JoinError, tries: usize) -> alloc::vec::Vec<u64> {
        let (mut station, mut radio) = (Station::new(), Asked::default());
        station.configure(home(), true, at(0), &mut radio);
        let mut now = at(0);
        (0..tries)
            .map(|_| {
                station.handle_timeout(now, &mut radio);
                station.handle_failed(why, now);
                let next = station.poll_at().unwrap_or(now);
                let waited = (next - now).as_secs();
                now = next;
                waited
            })
            .collect()
    }

    #[test]
    fn tries_come_further_and_further_apart() {
        assert_eq!(waits(JoinError::NotFound, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits(JoinError::WrongPassword, 3), [120, 120, 120]);
    }

    #[test]
    fn a_network_that_comes_and_goes_at_once_is_not_tried_faster() {
        let (mut station, mut radio) = (Station::new(), Asked::default());
        station.configure(home(), true, at(0), &mut radio);
        let mut joined_for = |seconds: u64| {
            let now = station.poll_at().unwrap_or(at(0));
            station.handle_timeout(now, &mut radio);
            station.handle_joined(1, -50, now);
            assert!(station.handle_address() && !station.handle_address());
            let lost = now + Duration::from_secs(seconds);
            assert_eq!(station.handle_lost(lost), Some(StationStatus::Lost { linked: true }));
            station.poll_at().map(|next| (next - lost).as_secs())
        };
        assert_eq!([1, 1, 1].map(&mut joined_for), [Some(1), Some(2), Some(4)]);
        assert_eq!([30, 29].map(&mut joined_for), [Some(1), Some(2)]);
    }

    #[test]
    fn what_belongs_to_no_join_changes_nothing() {
        let (mut station, mut radio) = (Station::new(), Asked::default());
        assert_eq!(station.handle_joined(1, -1, at(0)), None);
        assert_eq!(station.handle_lost(at(0)), None);
        assert_eq!(station.handle_failed(JoinError::Refused, at(0)), None);
        assert_eq!((station.handle_timeout(at(0), &mut radio), station.poll_at()), (None, None));
        assert!(!station.handle_address() && !station.is_joined());
        station.configure(home(), false, at(0), &mut radio);
        assert_eq!(station.poll_at(), None, "not by itself");
        assert_eq!((radio.joins, radio.leaves), (0, 0));
    }

    #[test]
    fn a_join_without_an_answer_is_given_up_and_a_scan_is_waited_for() {
        let (mut station, mut radio) = (Station::new(), Asked::default());
        radio.busy = true;
        station.configure(home(), true, at(0), &mut radio);
        assert_eq!(station.handle_timeout(at(0), &mut radio), None);
        assert_eq!(station.poll_at(), Some(at(2)));
        radio.busy = false;
        station.handle_timeout(at(2), &mut radio);
        assert_eq!(station.poll_at(), Some(at(22)));
        let failed = station.handle_timeout(at(22), &mut radio);
        assert_eq!(failed, Some(StationStatus::Failed(JoinError::Timeout)));
        assert_eq!((radio.leaves, station.poll_at()), (1, Some(at(23))));
        station.handle_timeout(at(23), &mut radio);
        assert_eq!(station.handle_timeout(at(43), &mut radio), None, "said once");
    }
}

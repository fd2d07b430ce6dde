//! The client: when to ask, and whether to believe the answer.

use core::net::SocketAddr;

use umqtt_net::{Duration, Instant};

use crate::packet::{Leap, Mode, Packet, VERSION};
use crate::{LEN, Refusal, Timestamp};

/// Requests of one round; after the last one it is given up for a while.
pub const TRIES: u8 = 4;
/// How long the first answer is waited for; each next one twice as long.
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
/// No shorter interval is kept to (RFC 4330, section 10), nor the first wait after a round.
pub const MIN_INTERVAL: Duration = Duration::from_secs(15);
/// The longest wait after rounds without an answer.
pub const MAX_BACKOFF: Duration = Duration::from_secs(15 << 6);
/// How often the interval is doubled at most because a server wants it.
const MAX_SLOWDOWN: u8 = 6;
/// What the root distance has to be below: 16 s (RFC 5905, appendix A.1.1), in 1/65,536 s.
const MAX_ROOT_DISTANCE: u32 = 16 << 16;
/// By how much the server's own measure of time may exceed ours, which is in whole milliseconds.
const SLACK: Duration = Duration::from_millis(10);

/// What a server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Milliseconds since 1970 when the answer came.
    pub unix_millis: u64,
    /// When the answer came.
    pub at: Instant,
    /// How long question and answer were on their way: half of it is the most that the time is
    /// wrong by, if the server is right.
    pub round_trip: Duration,
    /// The server's distance from a reference clock, 1 to 15.
    pub stratum: u8,
    /// The server's, in 1/65,536 s.
    pub root_delay: u32,
    /// The server's, in 1/65,536 s.
    pub root_dispersion: u32,
}

impl Sample {
    /// Milliseconds since 1970 at another time.
    pub fn unix_millis_at(&self, now: Instant) -> u64 {
        self.unix_millis + now.saturating_duration_since(self.at).as_millis()
    }

    /// How many milliseconds a clock is behind that showed `own` when the answer came.
    pub fn offset(&self, own: u64) -> i64 {
        self.unix_millis.wrapping_sub(own).cast_signed()
    }
}

/// What the client has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ClientStats {
    /// Requests.
    pub asked: u32,
    /// Answers that were believed.
    pub answered: u32,
    /// Requests without such an answer.
    pub timeouts: u32,
    /// Datagrams that were not believed.
    pub refused: u32,
}

/// A request was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// It is asked again.
    Again,
    /// It was the last of the round.
    GaveUp,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Not started.
    Off,
    /// The next round begins then.
    Asleep { until: Instant },
    /// The next request is to be sent, after so many.
    Due { tries: u8 },
    /// A request is out.
    Waiting { tries: u8, server: SocketAddr, origin: u64, sent: Instant, until: Instant },
    /// The server wants not to be asked.
    Denied,
}

/// The client.
#[derive(Debug)]
pub struct Client {
    state: State,
    interval: Duration,
    /// Rounds without success, one after the other.
    failures: u8,
    /// How often the interval was doubled because a server wanted it.
    slowdown: u8,
    stats: ClientStats,
}

impl Default for Client {
    fn default() -> Client {
        Client::new()
    }
}

impl Client {
    /// A client that does not ask yet.
    pub const fn new() -> Client {
        Client {
            state: State::Off,
            interval: Duration::from_secs(300),
            failures: 0,
            slowdown: 0,
            stats: ClientStats { asked: 0, answered: 0, timeouts: 0, refused: 0 },
        }
    }

    /// Sets the time between two rounds; counts from the next answer on. [`MIN_INTERVAL`] at least.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval.max(MIN_INTERVAL);
    }

    /// Begins a round now: there is a network, or another server. What servers have refused is
    /// forgotten.
    pub fn start(&mut self, now: Instant) {
        self.state = State::Asleep { until: now };
        (self.failures, self.slowdown) = (0, 0);
    }

    /// Stops asking.
    pub fn stop(&mut self) {
        self.state = State::Off;
    }

    /// Whether a server has refused to be asked; until the next [`Client::start`].
    pub fn is_denied(&self) -> bool {
        matches!(self.state, State::Denied)
    }

    /// What it has counted.
    pub fn stats(&self) -> &ClientStats {
        &self.stats
    }

    /// Whether an answer is waited for.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// When to call [`Client::handle_timeout`]; `None` if time brings nothing.
    pub fn poll_at(&self) -> Option<Instant> {
        match self.state {
            State::Asleep { until } | State::Waiting { until, .. } => Some(until),
            State::Off | State::Due { .. } | State::Denied => None,
        }
    }

    /// Acts on a deadline that has passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Timeout> {
        match self.state {
            State::Asleep { until } if until <= now => {
                self.state = State::Due { tries: 0 };
                None
            }
            State::Waiting { tries, until, .. } if until <= now => {
                self.stats.timeouts = self.stats.timeouts.saturating_add(1);
                if tries < TRIES {
                    self.state = State::Due { tries };
                    return Some(Timeout::Again);
                }
                self.fail(now);
                Some(Timeout::GaveUp)
            }
            _ => None,
        }
    }

    /// Takes back a request that is out, as if it had not been sent: its answer is waited for no
    /// more, and the next one is to be sent.
    pub fn take_back(&mut self) {
        if let State::Waiting { tries, .. } = self.state {
            self.state = State::Due { tries: tries.saturating_sub(1) };
        }
    }

    /// Gives a round up, because of a name that is not found, say: the next one begins later, and
    /// later each time.
    pub fn fail(&mut self, now: Instant) {
        let wait = Duration::from_millis(MIN_INTERVAL.as_millis() << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        self.state = State::Asleep { until: now.saturating_add(wait.min(MAX_BACKOFF)) };
    }

    /// Whether a request is to be sent.
    pub fn wants_to_ask(&self) -> bool {
        matches!(self.state, State::Due { .. })
    }

    /// The request to be sent, if there is one. `random` must be hard to guess, and is for this one
    /// only.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        server: SocketAddr,
        random: u64,
    ) -> Option<[u8; LEN]> {
        let State::Due { tries } = self.state else { return None };
        // Zero would be none at all.
        let origin = random.max(1);
        let wait = Duration::from_millis(FIRST_TIMEOUT.as_millis() << tries);
        let until = now.saturating_add(wait);
        self.state = State::Waiting { tries: tries + 1, server, origin, sent: now, until };
        self.stats.asked = self.stats.asked.saturating_add(1);
        Some(Packet::request(origin).to_bytes())
    }

    /// Takes a datagram. What was not sent by the server that was asked, or does not answer the
    /// request, changes nothing: the answer may still come.
    ///
    /// # Errors
    /// [`Refusal`] if it is not believed.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Result<Sample, Refusal> {
        let judged = self.judge(now, from, bytes);
        match judged {
            Ok(_) => {
                self.stats.answered = self.stats.answered.saturating_add(1);
                self.failures = 0;
                self.sleep(now);
            }
            Err(refusal) => {
                self.stats.refused = self.stats.refused.saturating_add(1);
                match refusal {
                    // RFC 5905, section 7.4.
                    Refusal::Kiss(code) if matches!(&code, b"DENY" | b"RSTR") => {
                        self.state = State::Denied;
                    }
                    Refusal::Kiss(code) if code == *b"RATE" => {
                        self.slowdown = (self.slowdown + 1).min(MAX_SLOWDOWN);
                        self.sleep(now);
                    }
                    refusal if refusal.is_authentic() => self.fail(now),
                    _ => {}
                }
            }
        }
        judged
    }

    fn sleep(&mut self, now: Instant) {
        let interval = self.interval.saturating_mul(1 << self.slowdown);
        self.state = State::Asleep { until: now.saturating_add(interval) };
    }

    fn judge(&self, now: Instant, from: SocketAddr, bytes: &[u8]) -> Result<Sample, Refusal> {
        let State::Waiting { server, origin, sent, .. } = self.state else {
            return Err(Refusal::NotAsked);
        };
        if from.ip().to_canonical() != server.ip().to_canonical() || from.port() != server.port() {
            return Err(Refusal::Address);
        }
        let packet = Packet::parse(bytes).ok_or(Refusal::Length)?;
        if packet.mode != Mode::Server || packet.version == 0 || packet.version > VERSION {
            return Err(Refusal::Kind);
        }
        if packet.origin != Timestamp::from_bits(origin) {
            return Err(Refusal::Origin);
        }
        // From here on it is from somebody who has seen the request. First of all the kiss codes:
        // their clock is not said to be synchronised.
        if packet.stratum == 0 {
            return Err(Refusal::Kiss(packet.reference_id));
        }
        if packet.leap == Leap::Unknown || packet.stratum > 15 {
            return Err(Refusal::Unsynchronised);
        }
        if packet.transmit.is_none() || packet.receive.is_none() {
            return Err(Refusal::NoTime);
        }
        let distance = (packet.root_delay / 2).saturating_add(packet.root_dispersion);
        let reference = packet.reference;
        if distance >= MAX_ROOT_DISTANCE
            || !reference.is_none() && packet.transmit.millis_since(reference) < 0
        {
            return Err(Refusal::RootDistance);
        }
        // The round trip is (T4 - T1) - (T3 - T2), and T3 and half of it is the time now, which is
        // the same as an offset of ((T2 - T1) + (T3 - T4)) / 2 of our own clock.
        let away = now.saturating_duration_since(sent);
        let there = packet.transmit.millis_since(packet.receive);
        let there = u64::try_from(there).map_err(|_| Refusal::NoTime)?;
        let there = Duration::from_millis(there);
        if there > away + SLACK {
            return Err(Refusal::RoundTrip);
        }
        let round_trip = away.saturating_sub(there);
        Ok(Sample {
            unix_millis: packet.transmit.to_unix_millis() + round_trip.as_millis() / 2,
            at: now,
            round_trip,
            stratum: packet.stratum,
            root_delay: packet.root_delay,
            root_dispersion: packet.root_dispersion,
        })
    }
}

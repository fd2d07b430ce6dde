//! The server: answers from a clock.

use umqtt_net::{Duration, Instant};

use crate::packet::{Leap, Mode, Packet, VERSION};
use crate::{LEN, Timestamp};

/// Rate limit: answers a second, to all clients together. Enough for a house, and no help to
/// anybody who sends in the name of others. An answer is never longer than its request.
pub const ANSWERS_PER_SECOND: u8 = 32;
/// The stratum of a clock that was not set by a server whose stratum is known.
pub const LOCAL_STRATUM: u8 = 10;
const SECOND: Duration = Duration::from_secs(1);
/// A millisecond, as 2 to the power of this.
const PRECISION: i8 = -10;

/// The clock that is answered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    /// Milliseconds since 1970, now.
    pub unix_millis: u64,
    /// Milliseconds since 1970 when it was set last; 0 if that is not known.
    pub set_unix_millis: u64,
    /// Its own stratum: one more than that of the server it was set by. There is no answer from 16
    /// on.
    pub stratum: u8,
    /// The address of that server.
    pub reference_id: [u8; 4],
    /// Time to the reference clock and back, in 1/65,536 s.
    pub root_delay: u32,
    /// How wrong it may be, in 1/65,536 s.
    pub root_dispersion: u32,
}

impl ServerClock {
    /// A clock of which nothing is known but that it is right.
    pub const fn local() -> ServerClock {
        ServerClock {
            unix_millis: 0,
            set_unix_millis: 0,
            stratum: LOCAL_STRATUM,
            reference_id: [127, 127, 1, 1],
            root_delay: 0,
            root_dispersion: 1 << 16,
        }
    }
}

/// What the server has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ServerStats {
    /// Requests that were answered.
    pub answered: u32,
    /// Datagrams that were not: no request, too many, or the clock is not known.
    pub refused: u32,
}

/// The server.
#[derive(Debug, Default)]
pub struct Server {
    /// When the second began that is counted.
    since: Instant,
    /// Answers in it.
    answers: u8,
    stats: ServerStats,
}

impl Server {
    /// What it has counted.
    pub fn stats(&self) -> &ServerStats {
        &self.stats
    }

    /// Takes a datagram; returns what is to be sent back to where it came from.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        clock: Option<&ServerClock>,
        bytes: &[u8],
    ) -> Option<[u8; LEN]> {
        let answer = clock.and_then(|clock| self.answer(now, clock, bytes));
        let count = match answer {
            Some(_) => &mut self.stats.answered,
            None => &mut self.stats.refused,
        };
        *count = count.saturating_add(1);
        answer
    }

    fn answer(&mut self, now: Instant, clock: &ServerClock, bytes: &[u8]) -> Option<[u8; LEN]> {
        let request = Packet::parse(bytes)?;
        let known = (1..=VERSION).contains(&request.version);
        if request.mode != Mode::Client || !known || !(1..=15).contains(&clock.stratum) {
            return None;
        }
        if now.saturating_duration_since(self.since) >= SECOND {
            (self.since, self.answers) = (now, 0);
        }
        if self.answers >= ANSWERS_PER_SECOND {
            return None;
        }
        self.answers += 1;
        let time = Timestamp::from_unix_millis(clock.unix_millis);
        let set = clock.set_unix_millis;
        let answer = Packet {
            leap: Leap::None,
            version: request.version,
            mode: Mode::Server,
            stratum: clock.stratum,
            poll: request.poll,
            precision: PRECISION,
            root_delay: clock.root_delay,
            root_dispersion: clock.root_dispersion,
            reference_id: clock.reference_id,
            reference: if set == 0 { time } else { Timestamp::from_unix_millis(set) },
            origin: request.transmit,
            receive: time,
            transmit: time,
        };
        Some(answer.to_bytes())
    }
}

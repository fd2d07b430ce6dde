//! Handlers that feed themselves: noticed by messages that come round again and again.
//!
//! A message that a handler publishes locally may wake a handler, which may publish in turn. Each such step is one round
//! more than the one before. What comes from outside, from a timer or from anything else starts at none. A script may
//! work in rounds; one that has made [`FEEDBACK_ROUNDS`] of them without a pause has very likely lost its way.
//! Nothing is stopped: each round is an event of its own, and everything else has its turn between them.

use umqtt_vm::image::fingerprint;

use super::Millis;

/// Rounds after which handlers are said to feed each other.
pub const FEEDBACK_ROUNDS: u32 = 1000;

/// Most topics remembered; a circle through more of them is not noticed.
const TOPICS: usize = 8;

/// A message is taken for the script's own if that published to its topic no longer ago than this.
const OWN_FOR_MS: Millis = 1000;

#[derive(Clone, Copy, Debug, Default)]
struct Published {
    /// Length and digest of the topic.
    key: (u16, u8),
    rounds: u32,
    at: Millis,
}

/// What the script has published locally of late.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    published: [Published; TOPICS],
    /// The place that is overwritten next.
    next: usize,
    /// Rounds behind the event whose handlers run.
    rounds: u32,
}

impl Echoes {
    /// The handlers of an event are about to run; `topic` if it is a local message. Returns the rounds behind it.
    pub(super) fn begin(&mut self, topic: Option<&[u8]>, now: Millis) -> u32 {
        let own = topic.and_then(|topic| {
            let key = key(topic);
            let fresh = |published: &&Published| now.saturating_sub(published.at) <= OWN_FOR_MS;
            self.published.iter().filter(fresh).find(|published| published.key == key)
        });
        self.rounds = own.map_or(0, |published| published.rounds);
        self.rounds
    }

    /// A handler publishes a local message.
    pub(super) fn publish(&mut self, topic: &[u8], now: Millis) {
        let key = key(topic);
        let place = match self.published.iter().position(|published| published.key == key) {
            Some(place) => place,
            None => {
                self.next = (self.next + 1) % TOPICS;
                self.next
            }
        };
        self.published[place] = Published { key, rounds: self.rounds.saturating_add(1), at: now };
    }
}

fn key(topic: &[u8]) -> (u16, u8) {
    (topic.len() as u16, fingerprint(topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_count_while_messages_come_round() {
        let mut echoes = Echoes::default();
        assert_eq!(echoes.begin(None, 0), 0);
        echoes.publish(b"ping", 0);
        for round in 1..=20 {
            let (heard, said): (&[u8], &[u8]) =
                if round % 2 == 1 { (b"ping", b"pong") } else { (b"pong", b"ping") };
            assert_eq!(echoes.begin(Some(heard), round), round as u32);
            echoes.publish(said, round);
        }
    }

    #[test]
    fn what_comes_from_elsewhere_starts_again() {
        let mut echoes = Echoes::default();
        echoes.begin(None, 0);
        echoes.publish(b"state", 0);
        assert_eq!(echoes.begin(Some(b"command"), 1), 0);
        assert_eq!(echoes.begin(Some(b"state"), 2), 1);
        assert_eq!(echoes.begin(Some(b"state"), 5000), 0);
    }
}

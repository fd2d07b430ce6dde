//! Handlers that feed themselves: noticed by messages that come round again and again.
//!
//! A message that a handler publishes locally may wake a handler, which may publish in turn. Each
//! such step is one round more than the one before. What comes from outside, from a timer or from
//! anything else starts at none. A script may work in rounds; one that has made [`FEEDBACK_ROUNDS`]
//! of them without a pause has very likely lost its way. Nothing is stopped: each round is an event
//! of its own, and everything else has its turn between them.

use umqtt_net::Instant;
use umqtt_vm::image::fingerprint;

/// Rounds after which handlers are said to feed each other.
pub const FEEDBACK_ROUNDS: u32 = 1000;

/// Places for topics, each of which has its own by its digest: a circle through many of them may go
/// unnoticed.
const PLACES: usize = 8;

/// A message is taken for the script's own if that published to its topic no longer ago than this.
const OWN_FOR_MS: u32 = 1000;

#[derive(Clone, Copy, Debug, Default)]
struct Published {
    /// Length and digest of the topic.
    key: u32,
    /// 0: nothing is here.
    rounds: u32,
    /// The lower half of the time.
    at: u32,
}

/// What the script has published locally of late.
#[derive(Debug, Default)]
pub(super) struct FeedbackDetector {
    published: [Published; PLACES],
    /// Rounds behind the event whose handlers run; `None` until it is asked for.
    rounds: Option<u32>,
}

impl FeedbackDetector {
    /// The handlers of an event are about to run.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.rounds = None;
    }

    /// Rounds behind the event whose handlers have run, if any of them published a local message.
    #[inline]
    pub(super) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(0)
    }

    /// A handler publishes a local message; `event` is the topic of the message it runs for, if
    /// that was a local one.
    pub(super) fn publish(&mut self, topic: &[u8], event: Option<&[u8]>, now: Instant) {
        let rounds =
            self.rounds.unwrap_or_else(|| event.map_or(0, |event| self.behind(event, now)));
        self.rounds = Some(rounds);
        let (key, rounds) = (key(topic), rounds.saturating_add(1));
        self.published[place(key)] = Published { key, rounds, at: now.as_millis() as u32 };
    }

    /// Rounds behind a local message that came.
    fn behind(&self, topic: &[u8], now: Instant) -> u32 {
        let key = key(topic);
        let published = &self.published[place(key)];
        let fresh = (now.as_millis() as u32).wrapping_sub(published.at) <= OWN_FOR_MS;
        if published.key == key && fresh { published.rounds } else { 0 }
    }
}

fn place(key: u32) -> usize {
    key as usize % PLACES
}

fn key(topic: &[u8]) -> u32 {
    u32::from(fingerprint(topic)) | (topic.len() as u32) << 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::at;

    #[test]
    fn rounds_count_while_messages_come_round() {
        let mut detector = FeedbackDetector::default();
        detector.begin();
        detector.publish(b"ping", None, at(0));
        assert_eq!(detector.rounds(), 0);
        for round in 1..=20 {
            let (heard, said): (&[u8], &[u8]) =
                if round % 2 == 1 { (b"ping", b"pong") } else { (b"pong", b"ping") };
            detector.begin();
            detector.publish(said, Some(heard), at(round));
            assert_eq!(detector.rounds(), round as u32);
        }
    }

    #[test]
    fn what_comes_from_elsewhere_starts_again() {
        let mut detector = FeedbackDetector::default();
        let mut rounds = |heard: Option<&[u8]>, now| {
            detector.begin();
            detector.publish(b"state", heard, at(now));
            detector.rounds()
        };
        assert_eq!(rounds(None, 0), 0);
        assert_eq!(rounds(Some(b"command"), 1), 0);
        assert_eq!(rounds(Some(b"state"), 2), 1);
        assert_eq!(rounds(Some(b"state"), 5000), 0);
    }

    #[test]
    fn all_that_a_handler_publishes_is_of_one_round() {
        let mut detector = FeedbackDetector::default();
        detector.begin();
        detector.publish(b"a", Some(b"a"), at(0));
        detector.publish(b"a", Some(b"a"), at(0));
        assert_eq!(detector.rounds(), 0);
    }
}

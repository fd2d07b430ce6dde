//! What a run of messages is: who publishes what to whom, how fast, and for how long.

use std::time::Duration;

use umqtt_mqtt::QoS;

use crate::misbehaving::Misbehaving;

/// Which topics a subscriber asks for. Topic `n` is `load/A/B` with `A` and `B` the digits of `n`
/// in the base [`Plan::columns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filters {
    /// All: `load/#`.
    All,
    /// One topic each, in turn.
    Own,
    /// In turn `load/#`, `load/A/+` and `load/+/B`.
    Mixed,
}

/// How fast it publishes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// As fast as the windows allow.
    Full,
    /// The next message when the last one has arrived.
    PingPong,
    /// Messages per second, all publishers together.
    Rate(u32),
}

/// When it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// After this time.
    After(Duration),
    /// After so many messages.
    Messages(u64),
}

/// A run of messages.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) publishers: usize,
    pub(crate) subscribers: usize,
    pub(crate) topics: usize,
    pub(crate) filters: Filters,
    pub(crate) qos: QoS,
    /// Bytes.
    pub(crate) payload: usize,
    /// Messages at QoS 1 or 2 that a publisher sends before the first is acknowledged.
    pub(crate) window: u16,
    /// Bytes that are published and that the slowest subscriber has not received: a bound, so that
    /// no broker must drop any.
    pub(crate) ahead: usize,
    pub(crate) pace: Pace,
    pub(crate) end: End,
    /// The broker keeps the sessions of those who subscribe.
    pub(crate) stored: bool,
    /// Clients that misbehave meanwhile.
    pub(crate) misbehaving: Option<Misbehaving>,
}

impl Plan {
    /// The base of topic names.
    fn columns(&self) -> usize {
        self.topics.isqrt().max(1)
    }

    /// The name of a topic.
    pub(crate) fn topic(&self, topic: usize) -> String {
        format!("load/{}/{}", topic / self.columns(), topic % self.columns())
    }

    /// What a subscriber subscribes to, and the topics it gets by that.
    pub(crate) fn filter(&self, subscriber: usize) -> (String, Vec<bool>) {
        let columns = self.columns();
        let rows = self.topics.div_ceil(columns);
        let own = subscriber % self.topics;
        let (row, column) = (subscriber / 3 % rows, subscriber / 3 % columns);
        let (filter, wanted): (String, &dyn Fn(usize) -> bool) =
            match (self.filters, subscriber % 3) {
                (Filters::All, _) | (Filters::Mixed, 0) => ("load/#".into(), &|_| true),
                (Filters::Own, _) => (self.topic(own), &|topic| topic == own),
                (Filters::Mixed, 1) => (format!("load/{row}/+"), &|topic| topic / columns == row),
                (Filters::Mixed, _) => {
                    (format!("load/+/{column}"), &|topic| topic % columns == column)
                }
            };
        (filter, (0..self.topics).map(wanted).collect())
    }

    /// Streams of messages, each of one publisher on one topic: stream `s` is of publisher `s %
    /// publishers`, on topic `s % topics`.
    pub(crate) fn streams(&self) -> usize {
        self.publishers.max(self.topics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_expects_what_its_filter_matches() {
        for filters in [Filters::All, Filters::Own, Filters::Mixed] {
            let plan = Plan {
                publishers: 1,
                subscribers: 40,
                topics: 90,
                filters,
                qos: QoS::AtMostOnce,
                payload: 64,
                window: 1,
                ahead: 1,
                pace: Pace::Full,
                end: End::Messages(1),
                stored: false,
                misbehaving: None,
            };
            for subscriber in 0..plan.subscribers {
                let (filter, wanted) = plan.filter(subscriber);
                assert!(wanted.contains(&true));
                for (topic, wanted) in wanted.into_iter().enumerate() {
                    let name = plan.topic(topic);
                    assert_eq!(matches(&filter, &name), wanted, "{filter} {name}");
                }
            }
        }
    }

    /// Asks the broker.
    fn matches(filter: &str, topic: &str) -> bool {
        let mut broker = umqtt_mqtt::Broker::default();
        broker.subscribe(filter.as_bytes(), QoS::AtMostOnce).unwrap();
        broker.publish(topic.as_bytes(), b"", QoS::AtMostOnce, false).unwrap();
        broker.poll_local().is_some()
    }
}

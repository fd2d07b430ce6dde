//! The named scenarios.

use std::io;
use std::time::Duration;

use clap::ValueEnum;
use umqtt_mqtt::QoS;

use crate::crowd;
use crate::flow::{self, Target};
use crate::misbehaving::Misbehaving;
use crate::plan::{End, Filters, Pace, Plan};
use crate::report::Outcome;

/// Bytes published ahead of the slowest subscriber unless told otherwise: a quarter of what the
/// desktop device lets wait for a client.
pub(crate) const DEFAULT_AHEAD: usize = 1024 * 1024;

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// One client publishes to one other, as fast as it goes
    OneToOne,
    /// One publishes to twenty
    FanOut,
    /// Twenty publish to one
    FanIn,
    /// Ten publish to 100 topics; twenty subscribe with and without wildcards
    Topics,
    /// One message at a time: the round trip
    Ping,
    /// 2000 messages a second from ten clients to ten others: the round trip under moderate load
    Rate,
    /// The round trip while two clients flood the broker with 1 MB messages and a third hardly
    /// reads them
    #[value(alias = "bullies")]
    Misbehaving,
    /// One client publishes to one other whose session and messages the broker keeps
    Stored,
    /// Many clients that do nothing
    Idle,
    /// Clients that come and go
    Connects,
}

/// A scenario with its details.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Flow(Plan),
    /// Clients to hold.
    Idle(usize),
    /// For how long, and how many at a time.
    Connects(Duration, usize),
}

impl Scenario {
    /// The scenario with its own details.
    pub(crate) fn work(self, qos: QoS, payload: usize, end: End) -> Work {
        let (publishers, subscribers, topics, filters) = match self {
            Scenario::FanOut => (1, 20, 1, Filters::All),
            Scenario::FanIn => (20, 1, 20, Filters::All),
            Scenario::Topics => (10, 20, 100, Filters::Mixed),
            Scenario::Rate => (10, 10, 10, Filters::Own),
            Scenario::OneToOne | Scenario::Stored | Scenario::Ping | Scenario::Misbehaving => {
                (1, 1, 1, Filters::All)
            }
            Scenario::Idle => return Work::Idle(10_000),
            Scenario::Connects => {
                let End::After(time) = end else {
                    return Work::Connects(Duration::from_secs(3), 16);
                };
                return Work::Connects(time, 16);
            }
        };
        let pace = match self {
            Scenario::Ping | Scenario::Misbehaving => Pace::PingPong,
            Scenario::Rate => Pace::Rate(2000),
            _ => Pace::Full,
        };
        let misbehaving = (self == Scenario::Misbehaving).then_some(Misbehaving {
            flooders: 2,
            payload: 1_000_000,
            slow_readers: 1,
        });
        let (window, ahead) = (20, DEFAULT_AHEAD);
        Work::Flow(Plan {
            publishers,
            subscribers,
            topics,
            filters,
            qos,
            payload,
            window,
            ahead,
            pace,
            end,
            stored: self == Scenario::Stored,
            misbehaving,
        })
    }
}

impl Work {
    /// Does it.
    ///
    /// # Errors
    /// What the sockets report.
    pub(crate) fn run(&self, target: Target) -> io::Result<Outcome> {
        match self {
            Work::Flow(plan) => flow::run(target, plan),
            Work::Idle(count) => crowd::idle(target, *count),
            Work::Connects(time, at_once) => crowd::connects(target, *time, *at_once),
        }
    }
}

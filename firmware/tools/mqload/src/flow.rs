//! Runs a [`Plan`]: connects everybody, warms up, measures, and waits until all has arrived.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};
use umqtt_mqtt::QoS;

use crate::ends::{Common, Publisher, Subscriber, Tally};
use crate::link::{BATCH, Link, READ_SIZE};
use crate::misbehaving;
use crate::plan::{End, Pace, Plan};
use crate::process::processor_time;
use crate::report::{Micros, Outcome};
use crate::stamp::filler;

/// How long nothing may arrive, with something due, before the rest counts as lost.
const STALL: Duration = Duration::from_secs(5);
/// How long everybody may take to connect.
const CONNECTING: Duration = Duration::from_secs(30);
/// The longest wait for an event.
const TICK: Duration = Duration::from_millis(100);
/// The part of the time that is not measured, at the start.
const WARM_UP: u32 = 5;

/// The broker under load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Its process, if it is to be looked at.
    pub(crate) pid: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    WarmUp,
    Measuring,
    Draining,
}

/// A point in time, to measure from and to.
struct Mark {
    at: Instant,
    deliveries: u64,
    published: u64,
    broker: Option<Duration>,
    own: Option<Duration>,
}

struct Flow<'a> {
    plan: &'a Plan,
    target: Target,
    poll: Poll,
    events: Events,
    started: Instant,
    buffer: Vec<u8>,
    common: Common,
    publishers: Vec<Publisher>,
    subscribers: Vec<Subscriber>,
    tally: Tally,
    /// Messages published, and how many of them before this phase.
    published: u64,
    published_before: u64,
    /// Messages the slowest subscriber may lag behind.
    ahead: u64,
    /// The publisher whose turn is next.
    turn: usize,
}

/// Runs a plan.
///
/// # Errors
/// What the sockets report; a broker that refuses or talks nonsense is an error, lost messages are
/// not.
pub(crate) fn run(target: Target, plan: &Plan) -> io::Result<Outcome> {
    let misbehaving = plan
        .misbehaving
        .map(|misbehaving| misbehaving::start(target.address, misbehaving))
        .transpose()?;
    let mut flow = Flow::open(target, plan)?;
    let outcome = flow.drive();
    let flooded = misbehaving.map(|running| running.stop());
    let mut outcome = outcome?;
    outcome.flooded_mib = flooded.map(|bytes| bytes as f64 / f64::from(1 << 20));
    Ok(outcome)
}

impl<'a> Flow<'a> {
    fn open(target: Target, plan: &'a Plan) -> io::Result<Flow<'a>> {
        let poll = Poll::new()?;
        let common = Common {
            qos: plan.qos,
            topics: (0..plan.topics).map(|topic| plan.topic(topic)).collect(),
            filler: filler(plan.payload),
            published: vec![0; plan.streams()],
        };
        let open = |role: &str, number: usize, token, filter: Option<(&str, QoS)>| {
            let stored = plan.stored && filter.is_some();
            let client_id = format!("mqload-{}-{role}-{number}", std::process::id());
            Link::open(target.address, &client_id, filter, stored, poll.registry(), token)
        };
        let publishers = (0..plan.publishers).map(|number| {
            let link = open("pub", number, number, None)?;
            Ok(Publisher::new(number, plan, &common, link))
        });
        let publishers: Vec<_> = publishers.collect::<io::Result<_>>()?;
        let subscribers = (0..plan.subscribers).map(|number| {
            let (filter, wanted) = plan.filter(number);
            let token = plan.publishers + number;
            Ok(Subscriber::new(
                plan,
                wanted,
                open("sub", number, token, Some((&filter, plan.qos)))?,
            ))
        });
        let subscribers = subscribers.collect::<io::Result<_>>()?;
        let packet = publishers.first().map_or(1, Publisher::packet_len);
        let ahead = if plan.pace == Pace::PingPong { 1 } else { (plan.ahead / packet).max(1) };
        Ok(Flow {
            plan,
            target,
            poll,
            events: Events::with_capacity(1024),
            started: Instant::now(),
            buffer: vec![0; READ_SIZE],
            common,
            publishers,
            subscribers,
            tally: Tally::default(),
            published: 0,
            published_before: 0,
            ahead: ahead as u64,
            turn: 0,
        })
    }

    fn drive(&mut self) -> io::Result<Outcome> {
        let time = match self.plan.end {
            End::After(time) => time,
            End::Messages(_) => Duration::MAX,
        };
        let warm_up = if time == Duration::MAX { Duration::ZERO } else { time / WARM_UP };
        let mut phase = Phase::Connecting;
        let mut phase_start = Instant::now();
        let (mut first, mut last) = (self.mark(), None);
        let mut progress = (0, Instant::now());
        loop {
            let timeout = match self.plan.pace {
                Pace::Rate(_) if phase != Phase::Draining => Duration::from_millis(1),
                _ => TICK,
            };
            self.wait(timeout)?;
            let now = Instant::now();
            let elapsed = now - phase_start;
            let next = match phase {
                Phase::Connecting if self.is_ready() => Phase::WarmUp,
                Phase::Connecting if elapsed > CONNECTING => {
                    return Err(io::Error::other("the clients do not get connected"));
                }
                Phase::WarmUp if elapsed >= warm_up => {
                    self.tally.latency.clear();
                    first = self.mark();
                    Phase::Measuring
                }
                Phase::Measuring if elapsed >= time || self.is_all_published() => {
                    last = Some(self.mark());
                    Phase::Draining
                }
                other => other,
            };
            if next != phase {
                (phase, phase_start) = (next, now);
                self.published_before = self.published;
                progress = (self.tally.deliveries, now);
            }
            if matches!(phase, Phase::WarmUp | Phase::Measuring) {
                self.publish(now - phase_start)?;
            }
            self.flush()?;
            if self.tally.deliveries != progress.0 || phase == Phase::Connecting {
                progress = (self.tally.deliveries, now);
            }
            // Paced runs may have nothing due for long.
            let stalled = now - progress.1 > STALL && self.is_behind();
            if stalled || phase == Phase::Draining && self.is_drained() {
                let end = match (self.plan.end, last) {
                    (End::After(_), Some(last)) => last,
                    _ => self.mark(), /* a given number of messages counts until the last has
                                       * arrived */
                };
                return Ok(self.outcome(&first, &end));
            }
        }
    }

    /// Waits, and handles what came.
    fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let started = self.started;
        let clock = move || started.elapsed().as_nanos() as u64;
        let timed = (self.plan.pace != Pace::Full).then_some(&clock as &dyn Fn() -> u64);
        for event in &self.events {
            let token = event.token().0;
            let publisher = token < self.publishers.len();
            let link = match publisher {
                true => &mut self.publishers[token].link,
                false => &mut self.subscribers[token - self.plan.publishers].link,
            };
            if event.is_writable() {
                link.unblock()?;
            }
            if !event.is_readable() {
            } else if publisher {
                self.publishers[token].read(&mut self.buffer, &self.common)?;
            } else {
                let subscriber = &mut self.subscribers[token - self.plan.publishers];
                subscriber.read(&mut self.buffer, &self.common, &mut self.tally, timed)?;
            }
        }
        Ok(())
    }

    /// Publishes what the windows and the pace allow.
    fn publish(&mut self, elapsed: Duration) -> io::Result<()> {
        let lag = self.subscribers.iter().map(|s| s.due.saturating_sub(s.got)).max().unwrap_or(0);
        let mut room = self.ahead.saturating_sub(lag);
        if room < self.ahead / 4 {
            return Ok(()); // little room: wait for more, so that writes stay large
        }
        if let Pace::Rate(rate) = self.plan.pace {
            let due = (elapsed.as_secs_f64() * f64::from(rate)) as u64;
            room = room.min(due.saturating_sub(self.published - self.published_before));
        }
        if let End::Messages(all) = self.plan.end {
            room = room.min(all - self.published);
        }
        let sent =
            if self.plan.pace == Pace::Full { 0 } else { self.started.elapsed().as_nanos() as u64 };
        let share = room.div_ceil(self.publishers.len() as u64);
        for _ in 0..self.publishers.len() {
            if room == 0 {
                break; // and the next one goes on another time
            }
            self.turn = (self.turn + 1) % self.publishers.len();
            let publisher = &mut self.publishers[self.turn];
            let mut quota = share.min(room);
            while quota > 0 && publisher.link.is_free() {
                let Some(stream) = publisher.publish(&mut self.common, sent) else { break };
                for subscriber in &mut self.subscribers {
                    subscriber.due += u64::from(subscriber.wants(stream));
                }
                self.published += 1;
                (quota, room) = (quota - 1, room - 1);
                if publisher.link.out.len() >= BATCH {
                    publisher.link.flush()?;
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let publishers = self.publishers.iter_mut().map(|publisher| &mut publisher.link);
        let subscribers = self.subscribers.iter_mut().map(|subscriber| &mut subscriber.link);
        publishers.chain(subscribers).try_for_each(Link::flush)
    }

    fn is_ready(&self) -> bool {
        self.publishers.iter().all(|p| p.ready) && self.subscribers.iter().all(|s| s.ready)
    }

    fn is_all_published(&self) -> bool {
        matches!(self.plan.end, End::Messages(all) if self.published >= all)
    }

    fn is_behind(&self) -> bool {
        self.subscribers.iter().any(|s| s.got < s.due)
            || self.publishers.iter().any(|p| !p.is_idle())
    }

    fn is_drained(&self) -> bool {
        !self.is_behind() && self.subscribers.iter().all(|s| s.link.is_flushed())
    }

    fn mark(&self) -> Mark {
        Mark {
            at: Instant::now(),
            deliveries: self.tally.deliveries,
            published: self.published,
            broker: self.target.pid.and_then(processor_time),
            own: processor_time(std::process::id()),
        }
    }

    fn outcome(&mut self, first: &Mark, last: &Mark) -> Outcome {
        let seconds = (last.at - first.at).as_secs_f64();
        let deliveries = last.deliveries - first.deliveries;
        let per_delivery = |from: Option<Duration>, to: Option<Duration>| {
            let time = to?.checked_sub(from?)?;
            (deliveries > 0).then(|| time.as_secs_f64() * 1e6 / deliveries as f64)
        };
        let lost = self.subscribers.iter().map(|s| s.lost(&self.common.published)).sum();
        Outcome {
            seconds,
            published: last.published - first.published,
            deliveries,
            per_second: deliveries as f64 / seconds.max(f64::MIN_POSITIVE),
            broker_cpu: per_delivery(first.broker, last.broker),
            own_cpu: per_delivery(first.own, last.own),
            p50: self.tally.latency.permille(500).map(Micros::from),
            p99: self.tally.latency.permille(990).map(Micros::from),
            most: self.tally.latency.permille(1000).map(Micros::from),
            lost,
            duplicates: self.tally.duplicates,
            wrong: self.tally.wrong,
            ..Outcome::default()
        }
    }
}

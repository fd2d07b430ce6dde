//! Many clients: held idle, or coming and going.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll};
use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::PacketType;

use crate::flow::Target;
use crate::link::{Link, READ_SIZE, accepted, granted};
use crate::process::resident;
use crate::report::Outcome;

/// Connections that are being made at a time.
const AT_ONCE: usize = 64;
/// How long nothing may happen before it is given up.
const STALL: Duration = Duration::from_secs(10);
/// Time the broker gets to settle before its memory is looked at.
const SETTLE: Duration = Duration::from_millis(300);

/// How far a client is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// CONNECT and perhaps SUBSCRIBE are on their way.
    Asking,
    /// It is in; its subscription has still to be granted.
    Subscribing,
    /// It is in.
    In,
    /// PINGREQ is on its way.
    Pinged,
}

struct Crowd {
    target: Target,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    clients: Vec<Option<(Link, State)>>,
    /// Places of clients that have left.
    vacant: Vec<usize>,
    born: usize,
    /// Each client subscribes to a topic of its own.
    subscribing: bool,
}

/// What happened to a client.
enum News {
    /// It is in.
    Entered(usize),
    /// Its ping was answered.
    Answered,
    /// The broker closed it.
    Left(usize),
}

impl Crowd {
    fn new(target: Target, subscribing: bool) -> io::Result<Crowd> {
        Ok(Crowd {
            target,
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            buffer: vec![0; READ_SIZE],
            clients: Vec::new(),
            vacant: Vec::new(),
            born: 0,
            subscribing,
        })
    }

    /// Makes one more client.
    fn invite(&mut self) -> io::Result<()> {
        let place = self.vacant.pop().unwrap_or_else(|| {
            self.clients.push(None);
            self.clients.len() - 1
        });
        let (number, process) = (self.born, std::process::id());
        self.born += 1;
        let filter = format!("idle/{number}");
        let filter = self.subscribing.then_some((filter.as_str(), QoS::AtMostOnce));
        let client_id = format!("mqload-{process}-{number}");
        let registry = self.poll.registry();
        let link = Link::open(self.target.address, &client_id, filter, false, registry, place)?;
        self.clients[place] = Some((link, State::Asking));
        Ok(())
    }

    /// Waits, and tells what happened.
    fn turn(&mut self, timeout: Duration, news: &mut Vec<News>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let place = event.token().0;
            let Some((link, state)) = &mut self.clients[place] else { continue };
            if event.is_writable() {
                link.unblock()?;
                link.flush()?;
            }
            if !event.is_readable() {
                continue;
            }
            let read = link.read(&mut self.buffer, |_, packet| {
                match (packet.header.kind, *state) {
                    (PacketType::Connack, State::Asking) if self.subscribing => {
                        accepted(&packet)?;
                        *state = State::Subscribing;
                    }
                    (PacketType::Connack, State::Asking) => {
                        accepted(&packet)?;
                        *state = State::In;
                        news.push(News::Entered(place));
                    }
                    (PacketType::Suback, State::Subscribing) => {
                        granted(&packet, QoS::AtMostOnce)?;
                        *state = State::In;
                        news.push(News::Entered(place));
                    }
                    (PacketType::Pingresp, State::Pinged) => {
                        *state = State::In;
                        news.push(News::Answered);
                    }
                    (kind, _) => {
                        return Err(io::Error::other(format!("the broker sent a {kind:?}")));
                    }
                }
                Ok(())
            });
            match read {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    news.push(News::Left(place));
                }
                other => other?,
            }
        }
        Ok(())
    }
}

/// Holds `count` clients with a subscription each, asks each once whether it is served, and looks
/// at the broker's memory.
///
/// # Errors
/// What the sockets report, and a broker that closes a client.
pub(crate) fn idle(target: Target, count: usize) -> io::Result<Outcome> {
    let before = target.pid.and_then(resident);
    let mut crowd = Crowd::new(target, true)?;
    let start = Instant::now();
    let (mut entered, mut answered) = (0, 0);
    let mut progress = Instant::now();
    let mut news = Vec::new();
    let mut connected = None;
    while answered < count {
        while crowd.born < count && crowd.born - entered < AT_ONCE {
            crowd.invite()?;
        }
        crowd.turn(STALL, &mut news)?;
        if !news.is_empty() {
            progress = Instant::now();
        } else if progress.elapsed() >= STALL {
            return Err(io::Error::other(format!(
                "after {entered} of {count} clients, {answered} of them asked, nothing goes on"
            )));
        }
        for item in news.drain(..) {
            match item {
                News::Entered(_) => entered += 1,
                News::Answered => answered += 1,
                News::Left(_) => return Err(io::Error::other("the broker closed an idle client")),
            }
        }
        if entered == count && connected.is_none() {
            std::thread::sleep(SETTLE);
            connected = Some((start.elapsed() - SETTLE, target.pid.and_then(resident)));
            for (link, state) in crowd.clients.iter_mut().flatten() {
                link.say(PacketType::Pingreq);
                *state = State::Pinged;
                link.flush()?;
            }
        }
    }
    let (seconds, after) = connected.unwrap_or_default();
    let bytes = after.zip(before).map(|(after, before)| after.saturating_sub(before) as f64);
    Ok(Outcome {
        seconds: seconds.as_secs_f64(),
        connections: Some(count),
        connects_per_second: Some(count as f64 / seconds.as_secs_f64().max(f64::MIN_POSITIVE)),
        bytes_per_client: bytes.map(|bytes| bytes / count as f64),
        ..Outcome::default()
    })
}

/// Lets clients come and go for a time: TCP connect, CONNECT, CONNACK, DISCONNECT, closed by the
/// broker.
///
/// # Errors
/// What the sockets report.
pub(crate) fn connects(target: Target, time: Duration, at_once: usize) -> io::Result<Outcome> {
    let mut crowd = Crowd::new(target, false)?;
    for _ in 0..at_once {
        crowd.invite()?;
    }
    let start = Instant::now();
    let (mut there, mut visits) = (at_once, 0_u64);
    let mut progress = Instant::now();
    let mut news = Vec::new();
    let mut seconds = None;
    while there > 0 {
        crowd.turn(STALL, &mut news)?;
        if !news.is_empty() {
            progress = Instant::now();
        } else if progress.elapsed() >= STALL {
            return Err(io::Error::other("the broker does not go on"));
        }
        if start.elapsed() >= time && seconds.is_none() {
            seconds = Some((start.elapsed().as_secs_f64(), visits));
        }
        for item in news.drain(..) {
            match item {
                News::Entered(place) => {
                    let Some((link, _)) = &mut crowd.clients[place] else { continue };
                    link.say(PacketType::Disconnect);
                    link.flush()?;
                }
                News::Answered => {}
                News::Left(place) => {
                    let Some((link, state)) = crowd.clients[place].take() else { continue };
                    if state != State::In {
                        return Err(io::Error::other("the broker closed a client that came in"));
                    }
                    link.close(crowd.poll.registry());
                    crowd.vacant.push(place);
                    there -= 1;
                    visits += 1;
                    if seconds.is_none() {
                        crowd.invite()?;
                        there += 1;
                    }
                }
            }
        }
    }
    let (seconds, visits) = seconds.unwrap_or((start.elapsed().as_secs_f64(), visits));
    Ok(Outcome {
        seconds,
        connects_per_second: Some(visits as f64 / seconds.max(f64::MIN_POSITIVE)),
        ..Outcome::default()
    })
}

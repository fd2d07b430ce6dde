//! The engine's part of what handlers reach while they run: the script's time, and what its
//! messages are watched for.

use alloc::boxed::Box;
use alloc::vec::Vec;

use umqtt_calendar::Date;
use umqtt_net::Instant;
use umqtt_topic::TopicError;
use umqtt_vm::{Event, Side, Supervisor, Timekeeping};

use super::alarms::{Alarms, is_alarm_time};
use super::clock::{Now, is_dated};
use super::clocks::Clocks;
use super::feedback::FeedbackDetector;
use super::timers::Timers;

/// Most bytes of a refused topic, or of an alarm's time, that are logged.
const TEXT_SHOWN: usize = 64;

/// The first topic a handler was refused, or an alarm's time that is none.
pub(super) struct Refused {
    pub(super) text: Vec<u8>,
    /// What was to be done with the topic, and what is wrong with it.
    pub(super) topic: Option<(&'static str, TopicError)>,
    /// How many topics there were in all.
    pub(super) count: u32,
}

/// Timers, alarms and the time of the last call; feedback and refused topics.
pub(super) struct SyscallHandler {
    pub(super) timers: Timers,
    pub(super) alarms: Alarms,
    /// The handlers of `on clock`, if there are any.
    pub(super) clocks: Option<Box<Clocks>>,
    pub(super) feedback: FeedbackDetector,
    /// What the running handler was refused.
    pub(super) refused: Option<Box<Refused>>,
    pub(super) last: Now,
}

impl SyscallHandler {
    pub(super) fn new() -> SyscallHandler {
        SyscallHandler {
            timers: Timers::default(),
            alarms: Alarms::default(),
            clocks: None,
            feedback: FeedbackDetector::default(),
            refused: None,
            last: Now { now: Instant::ZERO, clock: None },
        }
    }
}

impl SyscallHandler {
    /// Keeps what is wrong, for the log, unless there is something already.
    #[cold]
    #[inline(never)]
    fn note(&mut self, text: &[u8], topic: Option<(&'static str, TopicError)>) -> &mut Refused {
        self.refused.get_or_insert_with(|| {
            let text = text.iter().copied().take(TEXT_SHOWN).collect();
            Box::new(Refused { text, topic, count: 0 })
        })
    }
}

impl Timekeeping for SyscallHandler {
    fn set_timer(&mut self, n: u8, ms: i32) {
        self.timers.set(n, ms, self.last.now);
    }

    fn set_alarm(&mut self, n: u8, time: &[u8]) {
        if !is_alarm_time(time) {
            self.note(time, None);
        }
        self.alarms.set(n, time, &self.last);
    }

    fn timestamp(&mut self) -> [u8; 8] {
        self.last.clock.map_or(*b"99:99:99", |clock| clock.hms())
    }

    fn weekday(&mut self) -> [u8; 3] {
        self.last.clock.map_or(*b"xxx", |clock| clock.weekday())
    }

    fn day(&mut self) -> Option<u32> {
        self.last.clock.filter(|clock| is_dated(*clock)).map(|clock| clock.day)
    }

    fn date(&mut self) -> [u8; 10] {
        let day = self.day().and_then(|day| i32::try_from(day).ok());
        day.map_or(*b"9999-99-99", |day| Date::from_days(day).text())
    }

    fn uptime(&mut self) -> u64 {
        self.last.now.as_millis() / 1000
    }
}

impl Supervisor for SyscallHandler {
    fn published(&mut self, topic: &[u8], event: &Event<'_>) {
        let event = match event {
            Event::Topic { side: Side::Local, topic, .. } => Some(*topic),
            _ => None,
        };
        self.feedback.publish(topic, event, self.last.now);
    }

    #[cold]
    #[inline(never)]
    fn refused(&mut self, action: &'static str, topic: &[u8], error: TopicError) {
        let refused = self.note(topic, Some((action, error)));
        refused.count = refused.count.saturating_add(1);
    }
}

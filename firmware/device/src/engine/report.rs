//! What the engine logs about a script: run-time warnings, stops, and the trace of its events.

use core::fmt::Display;

use umqtt_net::Instant;
use umqtt_vm::{Event, Handler, Host, Program, Trap, TrapCode};

use super::syscall_handler::Refused;
use super::warnings::WarningKind;
use super::{Engine, FEEDBACK_ROUNDS, Phase, STOP_WINDOW, STOPS_ALLOWED};
use crate::printable::Printable;

/// A place in a script: its line, or the code offset where the image has no lines.
struct ScriptLocation {
    line: Option<u32>,
    at: u16,
}

impl ScriptLocation {
    fn of<B: AsRef<[u8]>>(program: &Program<B>, at: u16) -> ScriptLocation {
        ScriptLocation { line: program.line(at), at }
    }
}

impl Display for ScriptLocation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.line {
            // The first line with code: `on ... do` itself has none.
            Some(line) => write!(f, "line {line}"),
            None => write!(f, "code offset {}", self.at),
        }
    }
}

/// Where a handler's code starts.
pub(super) fn start_of<B: AsRef<[u8]>>(program: &Program<B>, handler: Handler) -> u16 {
    program.image().records().nth(handler.index()).map_or(0, |record| record.code)
}

impl<B: AsRef<[u8]>> Engine<B> {
    /// Logs what the machine and the topic check found, unless the rate limit holds it back.
    #[cold]
    #[inline(never)]
    pub(super) fn report_warnings<H: Host>(
        &mut self,
        handler: Handler,
        now: Instant,
        host: &mut H,
    ) {
        let program = self.machine.program();
        let warnings = *self.machine.warnings();
        let at = warnings.last_at;
        if warnings.divisions_by_zero != self.warned.divisions_by_zero
            && self.warning_limiter.may_log(WarningKind::DivisionByZero(at), now)
        {
            let place = ScriptLocation::of(program, at);
            host.log(format_args!("Script warning in {place}: division by zero, taken as 0"));
        }
        if warnings.decimals_too_large != self.warned.decimals_too_large
            && self.warning_limiter.may_log(WarningKind::DecimalTooLarge(at), now)
        {
            let place = ScriptLocation::of(program, at);
            host.log(format_args!("Script warning in {place}: decimal too large"));
        }
        if warnings.values_cut != self.warned.values_cut
            && self.warning_limiter.may_log(WarningKind::ValueCut(at), now)
        {
            let place = ScriptLocation::of(program, at);
            host.log(format_args!("Script warning in {place}: value too long, cut"));
        }
        self.warned = warnings;
        if let Some(refused) = self.handler.refused.take() {
            self.stats.refused = self.stats.refused.wrapping_add(refused.count);
            let start = start_of(program, handler);
            if self.warning_limiter.may_log(WarningKind::Topic(start), now) {
                let Refused { text, topic, count } = &*refused;
                let (place, text) = (ScriptLocation::of(program, start), Printable(text));
                let (action, error): (_, &dyn Display) = match topic {
                    Some((action, error)) => (*action, error),
                    None => ("set an alarm to", &"a time is hh:mm, as 07:00"),
                };
                host.log(format_args!(
                    "Script warning in the handler beginning in {place}: cannot {action} \"{text}\": {error}"
                ));
                if *count > 1 {
                    host.log(format_args!("Script warning: {count} topics were refused there"));
                }
            }
        }
    }

    /// Logs that a handler was stopped, and ends the script if that was once too often.
    #[cold]
    #[inline(never)]
    pub(super) fn report_stop<H: Host>(
        &mut self,
        handler: Handler,
        trap: Trap,
        now: Instant,
        host: &mut H,
    ) {
        self.stats.stopped = self.stats.stopped.wrapping_add(1);
        if trap.code == TrapCode::OutOfMemory {
            self.refused = self.refused.saturating_add(1);
        }
        let place = ScriptLocation::of(self.machine.program(), trap.at);
        host.log(format_args!("Script error in {place}: {}, stopped", trap.code));
        if self.stop_policy.stopped(handler, now) {
            let start = start_of(self.machine.program(), handler);
            let place = ScriptLocation::of(self.machine.program(), start);
            host.log(format_args!(
                "Script disabled: the handler beginning in {place} was stopped {STOPS_ALLOWED} times within {} s. Upload or delete it, or reset",
                STOP_WINDOW.as_secs()
            ));
            self.stop(host);
            debug_assert_eq!(self.phase, Phase::Ended);
        }
    }

    /// Logs that the handlers of an event have used all its fuel before this one had its turn,
    /// unless the rate limit holds it back.
    #[cold]
    #[inline(never)]
    pub(super) fn report_exhausted<H: Host>(
        &mut self,
        handler: Handler,
        now: Instant,
        host: &mut H,
    ) {
        let program = self.machine.program();
        let start = start_of(program, handler);
        if self.warning_limiter.may_log(WarningKind::Exhausted(start), now) {
            let place = ScriptLocation::of(program, start);
            host.log(format_args!(
                "Script warning: the handler beginning in {place} did not run, others of the same event took too long"
            ));
        }
    }

    /// Logs that handlers feed each other, unless the rate limit holds it back.
    #[cold]
    #[inline(never)]
    pub(super) fn report_feedback<H: Host>(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        now: Instant,
        host: &mut H,
    ) {
        let Event::Topic { topic, .. } = event else { return };
        let program = self.machine.program();
        let start = start_of(program, handler);
        if self.warning_limiter.may_log(WarningKind::Feedback(start), now) {
            let (place, topic) = (ScriptLocation::of(program, start), Printable(topic));
            host.log(format_args!(
                "Script warning in the handler beginning in {place}: \"{topic}\" came round {FEEDBACK_ROUNDS} times, handlers feed each other"
            ));
        }
    }
}

/// Logs that an event wakes a handler.
#[cold]
#[inline(never)]
pub(super) fn trace<B: AsRef<[u8]>, H: Host>(
    program: &Program<B>,
    handler: Handler,
    event: &Event<'_>,
    host: &mut H,
) {
    let place = ScriptLocation::of(program, start_of(program, handler));
    let name = event.trigger().0.keyword();
    match event {
        Event::Every(n) | Event::Clock(n) => {
            let n = u32::from(*n) + 1;
            host.log(format_args!("Script: on {name}, number {n}, {place}"));
        }
        Event::Timer(n) | Event::Alarm(n) | Event::GpioInterrupt { pin: n, .. } => {
            host.log(format_args!("Script: on {name} {n}, {place}"));
        }
        Event::Topic { topic, data, .. } => {
            let (topic, data) = (Printable(topic), Printable(data));
            host.log(format_args!("Script: on {name} \"{topic}\" \"{data}\", {place}"));
        }
        _ => host.log(format_args!("Script: on {name}, {place}")),
    }
}

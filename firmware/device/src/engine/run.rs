//! Running the handlers of one event after the other.

use umqtt_vm::{Dispatch, Event, Handler, HandlerCursor, Host, Side, Step, Syscalls, Trap};

use super::clock::Now;
use super::{Engine, FEEDBACK_ROUNDS, Phase, lines_of, report};

impl<B: AsRef<[u8]>> Engine<B> {
    /// Whether an event is worth queueing: asked of the filters as they are, unless those may
    /// change before its turn.
    pub(super) fn may_wake<H: Host>(&mut self, event: &Event<'_>, host: &mut H) -> bool {
        let [local, remote] = self.changing_filters;
        match event {
            Event::Topic { side: Side::Local, .. } if local => return true,
            Event::Topic { side: Side::Remote, .. } if remote => return true,
            _ => {}
        }
        let mut syscalls = Syscalls { host, supervisor: &mut self.handler };
        self.machine.next(&mut HandlerCursor::default(), event, &mut 0, &mut syscalls).is_some()
    }

    /// Alarms first (each comes once a day), then whatever has waited longest. A timer that is set
    /// again when it has run out lies in the future, so it cannot keep events from their turn; nor
    /// can a flood of events keep a timer from its.
    pub(super) fn run_next<H: Host>(&mut self, at: &Now, host: &mut H) -> bool {
        if let Some(n) = at.clock.and_then(|clock| self.handler.alarms.take_due(at.now, clock)) {
            self.run(&Event::Alarm(n), at, host);
            return true;
        }
        if let Some(n) = self.take_clock(at, host) {
            self.run(&Event::Clock(n), at, host);
            return true;
        }
        let (timer, pin) = (self.handler.timers.next_at(), self.pins.next_at());
        let timed = timer.min(pin);
        if timed <= at.now.min(self.queue.next_at()) {
            if timer <= pin {
                if let Some(due) = self.handler.timers.take_first(at.now) {
                    self.run(&due.event(), at, host);
                }
            } else if let Some((pin, level)) = self.pins.take_first(host) {
                self.run(&Event::GpioInterrupt { pin, level }, at, host);
            }
            return true;
        }
        let Some(taken) = self.queue.pop() else { return false };
        self.share_memory();
        self.run(&taken.event(), at, host);
        true
    }

    /// Runs the handlers of an event, in script order; returns whether there were any.
    pub(super) fn run<H: Host>(&mut self, event: &Event<'_>, at: &Now, host: &mut H) -> bool {
        if host.is_tracing() {
            host.step(Step::Event(event));
        }
        let mut handlers = HandlerCursor::default();
        let mut woken = 0u32;
        let (mut left, mut again) = (self.fuel, true);
        while !handlers.is_done() && self.phase != Phase::Ended {
            let handler = match self.machine.find(&mut handlers, event) {
                Dispatch::Nothing => break,
                Dispatch::Handler(handler) => handler,
                Dispatch::Computed(handler) => {
                    if !self.matches(handler, event, &mut left, host) {
                        continue;
                    }
                    handler
                }
            };
            if left == 0 {
                // One that ran too long leaves the others as much as it had itself, once.
                if !again {
                    self.report_exhausted(handler, at.now, host);
                    break;
                }
                self.used = self.used.wrapping_add(self.fuel);
                (left, again) = (self.fuel, false);
            }
            if woken == 0 {
                self.handler.feedback.begin();
            }
            woken += 1;
            self.run_handler(handler, event, &mut left, at, host);
        }
        self.used = self.used.wrapping_add(self.fuel - left);
        if host.is_tracing() {
            host.step(Step::Handled(woken));
        }
        if woken == 0 {
            return false;
        }
        if !matches!(event, Event::Config) {
            self.stats.events = self.stats.events.wrapping_add(1);
            self.stats.handlers = self.stats.handlers.wrapping_add(woken);
        }
        true
    }

    /// Whether the filter of a handler matches that an expression computes.
    #[cold]
    #[inline(never)]
    pub(super) fn matches<H: Host>(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        left: &mut u32,
        host: &mut H,
    ) -> bool {
        let mut syscalls = Syscalls { host, supervisor: &mut self.handler };
        let before = self.machine.warnings().filters_without_memory;
        let matches = self.machine.matches(handler, event, left, &mut syscalls);
        let failed = self.machine.warnings().filters_without_memory.wrapping_sub(before);
        self.refused = self.refused.saturating_add(failed);
        matches
    }

    #[inline(never)]
    pub(super) fn run_handler<H: Host>(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        left: &mut u32,
        at: &Now,
        host: &mut H,
    ) {
        if self.tracing {
            report::trace(self.machine.program(), handler, event, host);
        }
        let result = if host.is_tracing() {
            self.run_traced(handler, event, left, host)
        } else {
            let mut syscalls = Syscalls { host: &mut *host, supervisor: &mut self.handler };
            self.machine.run(handler, event, left, &mut syscalls)
        };
        if self.handler.refused.is_some() || *self.machine.warnings() != self.warned {
            self.report_warnings(handler, at.now, host);
        }
        if self.handler.feedback.rounds() >= FEEDBACK_ROUNDS {
            self.report_feedback(handler, event, at.now, host);
        }
        if let Err(trap) = result {
            self.report_stop(handler, trap, at.now, host);
        }
    }
    /// Runs a handler step by step for who watches.
    #[cold]
    #[inline(never)]
    fn run_traced<H: Host>(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        left: &mut u32,
        host: &mut H,
    ) -> Result<(), Trap> {
        let program = self.machine.program();
        let at = report::start_of(program, handler);
        host.step(Step::Handler { at, lines: lines_of(program, at) });
        let mut syscalls = Syscalls { host: &mut *host, supervisor: &mut self.handler };
        let result = self.machine.run_traced(handler, event, left, &mut syscalls);
        host.step(Step::End(result));
        result
    }
}

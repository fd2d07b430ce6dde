//! The handlers of `on every` and `on clock`: started with the script, which has them in its image.

use alloc::boxed::Box;

use umqtt_vm::image::{Constant, Record, Trigger};
use umqtt_vm::schedule::ClockTime;
use umqtt_vm::{Host, Program};

use super::Engine;
use super::clock::Now;
use super::clocks::Clocks;

/// Bytes that each of them takes at most.
const ENTRY: usize = 32;

fn is_scheduled(record: &Record) -> bool {
    matches!(record.trigger, Trigger::Every | Trigger::Clock)
}

/// Bytes that those of a program take.
pub(super) fn takes<B: AsRef<[u8]>>(program: &Program<B>) -> usize {
    program.handlers().filter(|(_, record)| is_scheduled(record)).count() * ENTRY
}

impl<B: AsRef<[u8]>> Engine<B> {
    /// Starts them.
    pub(super) fn start_schedule<H: Host>(&mut self, host: &mut H) {
        let program = self.machine.program();
        let now = self.handler.last.now;
        let handler = &mut self.handler;
        let mut refused = 0;
        for (_, record) in program.handlers().filter(|(_, record)| is_scheduled(record)) {
            let Some(Constant::Int(int)) = program.image().constant(record.filter) else {
                continue;
            };
            let started = if record.trigger == Trigger::Every {
                handler.timers.repeat(record.key, int.cast_unsigned(), now)
            } else {
                let clocks = handler.clocks.get_or_insert_with(Box::<Clocks>::default);
                ClockTime::from_int(int).is_some_and(|time| clocks.add(record.key, time))
            };
            refused += u32::from(!started);
        }
        if refused > 0 {
            self.refused = self.refused.saturating_add(refused);
            host.log(format_args!(
                "Script warning: no memory for {refused} handlers that time wakes"
            ));
        }
    }

    /// The handler of `on clock` whose time has come.
    pub(super) fn take_clock<H: Host>(&mut self, at: &Now, host: &mut H) -> Option<u8> {
        let clocks = self.handler.clocks.as_mut()?;
        clocks.take_due(at.now, at.clock?, &mut |day| host.sun(day))
    }
}

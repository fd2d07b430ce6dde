//! A script that runs in memory and reaches nothing outside.
#![allow(dead_code)]

use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::{
    Event, HandlerCursor, Machine, NullHost, Profile, Program, Side, Slot, Syscalls, Trap,
};

/// A script with its variables by name.
pub(crate) struct Script {
    pub(crate) machine: Machine<Vec<u8>, (Vec<Slot>, Vec<u8>)>,
}

impl Script {
    /// Compiled, to run with this memory for texts, bytes, and this longest value.
    pub(crate) fn new(source: &str, memory: usize, value: usize) -> Script {
        let profile = Profile::DESKTOP.value(value);
        let image = compile(source.as_bytes(), &profile, EmitOptions::new().debug(true));
        let image = image.unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
        let program = Program::verify(image, &profile).expect("it is sound");
        let slots = vec![[0; 2]; program.slots()];
        let machine = Machine::new(program, (slots, vec![0; memory]), &profile);
        Script { machine: machine.expect("there are slots enough") }
    }

    /// Runs the handlers of an event, with this fuel for all of them.
    pub(crate) fn run(&mut self, event: &Event<'_>, fuel: u32) -> Result<(), Trap> {
        let mut fuel = fuel;
        let (mut host, mut supervisor) = (NullHost, NullHost);
        let mut syscalls = Syscalls { host: &mut host, supervisor: &mut supervisor };
        let mut handlers = HandlerCursor::default();
        while let Some(handler) = self.machine.next(&mut handlers, event, &mut fuel, &mut syscalls)
        {
            self.machine.run(handler, event, &mut fuel, &mut syscalls)?;
        }
        Ok(())
    }

    /// Runs the handlers of a local message to their end.
    pub(crate) fn message(&mut self, topic: &[u8], data: &[u8]) {
        let event = Event::Topic { side: Side::Local, topic, data };
        self.run(&event, 10_000_000).expect("it runs to its end");
    }

    /// The value of `$name`.
    pub(crate) fn variable(&mut self, name: &str) -> Vec<u8> {
        let numbers = 0..=u16::MAX;
        let debug = |machine: &Machine<Vec<u8>, _>, number: u16| {
            machine.program().image().debug().variable(number).map(<[u8]>::to_vec)
        };
        let number = numbers
            .map_while(|number| Some((number, debug(&self.machine, number)?)))
            .find(|(_, found)| found == name.as_bytes());
        let (number, _) = number.unwrap_or_else(|| panic!("there is no {name}"));
        let mut value = None;
        self.machine.variables(&mut |at, bytes| {
            if at == number {
                value = Some(bytes.to_vec());
            }
        });
        value.expect("it has a value")
    }

    /// How many variables are shown.
    pub(crate) fn shown(&mut self) -> usize {
        let mut count = 0;
        self.machine.variables(&mut |_, _| count += 1);
        count
    }
}

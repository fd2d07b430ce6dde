//! What handlers do, one step at a time, for a host that watches: see [`Tracing`] and
//! [`Machine::run_traced`](crate::Machine::run_traced).

use core::fmt::Arguments;

use umqtt_topic::TopicError;

use crate::isa::Op;
use crate::{Debug, Event, Trap};

/// A step of a script. What runs a script sends those of events and handlers, the machine those
/// within a handler, each behind the [`Step::Instruction`] it belongs to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Step<'s> {
    /// Something happened: its handlers are looked for, and run one after the other.
    Event(&'s Event<'s>),
    /// It waits for others before it; it comes again as an event when it has its turn.
    Waits(&'s Event<'s>),
    /// A handler of the event starts.
    Handler {
        /// The offset of its code.
        at: u16,
        /// The last line with code before it, 0 if it is the first, and its own last; `None`
        /// without debug information.
        lines: Option<(u32, u32)>,
    },
    /// An instruction is to be carried out.
    Instruction {
        /// Its offset in the code.
        at: u16,
        /// What knows its line.
        debug: Debug<'s>,
    },
    /// Two values are compared.
    Compared {
        /// How: one of the comparing instructions whose result is a value.
        relation: Op,
        /// The first.
        left: &'s [u8],
        /// The second.
        right: &'s [u8],
        /// Whether that is so.
        holds: bool,
    },
    /// It is asked whether a value is true.
    Tested {
        /// The value.
        value: &'s [u8],
        /// Whether it is.
        holds: bool,
    },
    /// A condition has decided where to go on.
    Branch {
        /// It jumps; else it runs on.
        jumps: bool,
        /// The offset of the next instruction.
        to: u16,
        /// The line of the next statement, unless the handler or the sub ends.
        line: Option<u32>,
    },
    /// An action is to be carried out.
    Action {
        /// Which.
        op: Op,
        /// The number of its pin, timer, alarm, flash variable or sub; else 0.
        number: u16,
        /// Its values, as many as [`Op::values`]; of `gpio_pinmode` the word for the pin's use.
        values: [&'s [u8]; 2],
    },
    /// The action was not carried out: the topic is none.
    Refused(TopicError),
    /// What became of the action, in words for people.
    Note(Arguments<'s>),
    /// A function has brought something from outside.
    Answer {
        /// Its instruction.
        op: Op,
        /// The number of its pin or flash variable; else 0.
        number: u16,
        /// What.
        value: &'s [u8],
    },
    /// A variable has a new value.
    Assigned {
        /// Its number.
        variable: u16,
        /// Its name, with its `$`; empty without debug information.
        name: &'s [u8],
        /// The value.
        value: &'s [u8],
    },
    /// The handler has ended, or was stopped.
    End(Result<(), Trap>),
    /// All handlers of the event have ended: so many there were.
    Handled(u32),
}

/// Watching what handlers do. Where nobody does, nothing of it is compiled.
pub trait Tracing {
    /// Whether somebody watches now. What runs a script asks before each event.
    #[inline(always)]
    fn is_tracing(&self) -> bool {
        false
    }
    /// A step. Nothing that the script sees may depend on it.
    #[inline(always)]
    fn step(&mut self, step: Step<'_>) {
        let _ = step;
    }
}

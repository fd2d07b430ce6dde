//! The machine.
use core::ops::DerefMut;

use crate::{Event, Fault, Handler, Program, Syscalls, Warnings};

/// The buffer cannot hold the program's variables and stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferTooSmall {
    /// Bytes it takes at least.
    pub needed: usize,
}

/// A walk over the handlers of one event; see [`Machine::next`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Handlers {
    next: u16,
}

/// A program and the buffer it computes in.
pub struct Machine<B, M> {
    program: Program<B>,
    #[allow(dead_code)]
    buffer: M,
}

impl<B: AsRef<[u8]>, M: DerefMut<Target = [u8]>> Machine<B, M> {
    /// Lays out the variables, all empty, in `buffer`. Values are cut at `value_limit` bytes.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn new(
        program: Program<B>,
        buffer: M,
        _value_limit: usize,
    ) -> Result<Self, BufferTooSmall> {
        Ok(Machine { program, buffer })
    }

    /// The program.
    pub fn program(&self) -> &Program<B> {
        &self.program
    }

    /// The next handler, in script order, that the event wakes; `None` after the last. Start with
    /// `Handlers::default()`. Ask again only after having run the one before: a filter may depend on
    /// what that one set.
    pub fn next<S: Syscalls + ?Sized>(
        &mut self,
        handlers: &mut Handlers,
        _event: &Event<'_>,
        _sys: &mut S,
    ) -> Option<Handler> {
        handlers.next += 1;
        None
    }

    /// Runs a handler to its end.
    ///
    /// # Errors
    /// [`Fault`] when it was stopped: all it did until then stays done.
    pub fn run<S: Syscalls + ?Sized>(
        &mut self,
        _handler: Handler,
        _event: &Event<'_>,
        _fuel: u32,
        _sys: &mut S,
    ) -> Result<(), Fault> {
        Ok(())
    }

    /// What was counted so far.
    pub fn warnings(&self) -> Warnings {
        Warnings::default()
    }

    /// Calls `each` with the number and value of every variable, in the order of numbers. Names are in
    /// [`crate::Debug::variable`].
    pub fn variables(&mut self, _each: &mut dyn FnMut(u16, &[u8])) {}
}

//! What a test may take: a file from somebody else must come to its end, and fit into memory.

use umqtt_lang::ast::Span;

use super::problem::Problem;

/// Steps of a test, and moments at which something was due, together.
const MAX_TURNS: u64 = 5_000_000;
/// Fuel of its scripts: on a chip that is more than half an hour of computing.
const MAX_FUEL: u64 = 2_000_000_000;
/// Bytes of what happened that is kept for the expectations to come.
const MAX_KEPT: usize = 64 << 20;

/// Why a test is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overrun {
    /// The devices send each other messages without end.
    Answering,
    /// More than [`MAX_TURNS`].
    Turns,
    /// More than [`MAX_FUEL`].
    Fuel,
    /// More than [`MAX_KEPT`].
    Kept,
}

impl Overrun {
    /// The same at a step.
    pub(super) fn at(self, span: Span) -> Problem {
        match self {
            Overrun::Answering => {
                Problem::new(span, "here the devices answer each other without end")
            }
            Overrun::Turns => Problem::new(
                span,
                format!("the test takes too long: over {MAX_TURNS} things are due until here"),
            )
            .help("let less time pass, or repeat less often"),
            Overrun::Fuel => Problem::new(span, "the scripts of this test compute without end")
                .help("let less time pass, or repeat less often"),
            Overrun::Kept => Problem::new(
                span,
                format!("more has happened than is kept: {} MiB", MAX_KEPT >> 20),
            )
            .help("`forget` what was not expected, or let less time pass"),
        }
    }
}

/// What a test has taken so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    turns: u64,
    fuel: u64,
    /// Bytes of what is kept.
    pub(super) kept: usize,
}

impl Taken {
    /// A step of the test, or a moment at which something is due.
    ///
    /// # Errors
    /// [`Overrun`].
    pub(super) fn turn(&mut self) -> Result<(), Overrun> {
        self.turns += 1;
        if self.turns > MAX_TURNS { Err(Overrun::Turns) } else { Ok(()) }
    }

    /// Scripts have used so much fuel, and so many bytes more are kept.
    ///
    /// # Errors
    /// [`Overrun`].
    pub(super) fn take(&mut self, fuel: u32, kept: usize) -> Result<(), Overrun> {
        self.fuel += u64::from(fuel);
        self.kept += kept;
        match () {
            () if self.fuel > MAX_FUEL => Err(Overrun::Fuel),
            () if self.kept > MAX_KEPT => Err(Overrun::Kept),
            () => Ok(()),
        }
    }
}

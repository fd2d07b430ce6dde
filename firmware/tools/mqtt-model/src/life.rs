//! When something happened, and while something held, as far as can be known from outside.

/// A count of the things that happened: the model's time.
pub type Tick = u64;

/// Later than everything.
pub const NEVER: Tick = Tick::MAX;

/// Something that happens at one moment within a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Not before.
    pub from: Tick,
    /// Not after; `NEVER` while that is open.
    pub to: Tick,
    /// When it was last tried to bring it about, if it took more than one try.
    pub tried: Tick,
    /// It does happen. Otherwise it may.
    pub sure: bool,
}

impl Occurrence {
    /// Something that may happen from now on.
    pub fn begins(now: Tick) -> Occurrence {
        Occurrence { from: now, to: NEVER, tried: now, sure: false }
    }
}

/// Something that holds for a while: a subscription, a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// It may hold from here on ...
    pub may_from: Tick,
    /// ... and does from here on ...
    pub sure_from: Tick,
    /// ... to here ...
    pub sure_to: Tick,
    /// ... and may to here.
    pub may_to: Tick,
}

impl Life {
    /// Something that may begin to hold now.
    pub fn begins(now: Tick) -> Life {
        Life { may_from: now, sure_from: NEVER, sure_to: NEVER, may_to: NEVER }
    }

    /// It may end from now on.
    pub fn ends(&mut self, now: Tick) {
        self.sure_to = self.sure_to.min(now);
    }

    /// It has ended.
    pub fn ended(&mut self, now: Tick) {
        self.ends(now);
        self.may_to = self.may_to.min(now);
    }

    /// It holds now, and so far nothing speaks of its end.
    pub fn holds(&self) -> bool {
        self.sure_from != NEVER && self.sure_to == NEVER
    }

    /// Whether it may hold when the event happens.
    pub fn may_meet(&self, event: &Occurrence) -> bool {
        self.may_from <= event.to && event.from <= self.may_to
    }

    /// Whether it holds whenever the event happens.
    pub fn meets(&self, event: &Occurrence) -> bool {
        self.sure_from <= event.from && event.to <= self.sure_to
    }
}

//! The script engine: a compiled script, brought to life by events and time.
//!
//! It owns the virtual machine, the one queue of events, the timers, the alarms and the debouncing
//! of pins, and stops runaway scripts. It is not the device: it has no sockets, no clock and no
//! pins; every call brings the time, events come in by calls, and the rest is reached through a
//! [`Host`]. Given the same image, the same events at the same times and the same answers of its
//! host, it does exactly the same.
//!
//! How to drive it: [`Engine::load`] an image, [`Engine::start`], then in any order
//!
//! * [`Engine::handle`] for everything that happens (and [`Engine::edge`] for pins): its handlers
//!   run at once if nothing is before it;
//! * [`Engine::poll`] until it returns false: what waits, timers, alarms; each call runs the
//!   handlers of one event;
//! * [`Engine::poll_at`]: when to poll again at the latest. Poll also after the clock was set.
//!
//! | file | job |
//! |---|---|
//! | `run` | running the handlers of an event |
//! | `clock` | the time of a call |
//! | `queue` | events that wait |
//! | `timers`, `alarms`, `clocks`, `pins` | what time brings |
//! | `schedule` | the handlers of `on every` and `on clock` |
//! | `syscall_handler` | what handlers reach of the engine |
//! | `memory` | the memory the machine computes in |
//! | `stop_policy`, `feedback`, `warnings` | scripts that misbehave: when to stop them, feedback, rate limit of warnings |
//! | `handler_lines` | which lines of the source are a handler's |
//! | `stats` | counters |

mod alarms;
mod clock;
mod clocks;
mod feedback;
mod handler_lines;
mod load_error;
mod memory;
mod pins;
mod queue;
mod report;
mod run;
mod schedule;
mod stats;
mod stop_policy;
mod syscall_handler;
mod timers;
mod warnings;

use alloc::vec::Vec;

use umqtt_net::Instant;
use umqtt_vm::image::{FilterKind, Trigger};
use umqtt_vm::{Event, Host, Machine, Profile, Program, Step, TooFewSlots, Warnings};

use clock::NEVER;
pub use clock::{LocalTime, Now};
pub(crate) use clock::{UNDATED, is_dated};
pub use feedback::FEEDBACK_ROUNDS;
pub(crate) use handler_lines::{handler_of, is_within, lines_of};
pub use load_error::LoadError;
pub use pins::DEBOUNCE;
pub use queue::QUEUE_EVENTS;
pub use stats::ScriptStats;
pub use stop_policy::{STOP_WINDOW, STOPS_ALLOWED};
pub use warnings::WARNING_INTERVAL;

use memory::ScriptMemory;
use pins::WatchedPins;
use queue::Queue;
use stop_policy::StopPolicy;
use syscall_handler::SyscallHandler;
use timers::Due;
use warnings::{WarningKind, WarningLimiter};

/// How many values of the profile's greatest length the waiting events may carry together.
pub const QUEUE_VALUES: usize = 4;

/// Bytes that a script takes at its start besides its memory: its queue, its subscriptions.
const STARTING: usize = 512;

/// What became of an event given to [`Engine::handle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// No handler is there for it.
    Ignored,
    /// Its handlers have run.
    Done,
    /// It waits for [`Engine::poll`].
    Queued,
    /// There was no room for it; it was counted and logged.
    Dropped,
}

/// How far a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Loaded,
    Config,
    Init,
    Running,
    Ended,
}

/// A script that runs. `B` holds its image: `Vec<u8>`, `Rc<[u8]>`, or `&[u8]` in flash.
pub struct Engine<B> {
    machine: Machine<B, ScriptMemory>,
    /// Fuel of one event.
    fuel: u32,
    /// Fuel that was used; it wraps.
    used: u32,
    /// Most bytes of the heap for the machine's memory and the queue.
    budget: usize,
    /// Events dropped, handlers stopped and filters not computed for want of memory since
    /// [`Engine::take_refused`].
    refused: u32,
    phase: Phase,
    queue: Queue,
    handler: SyscallHandler,
    pins: WatchedPins,
    stop_policy: StopPolicy,
    warning_limiter: WarningLimiter,
    stats: ScriptStats,
    warned: Warnings,
    tracing: bool,
    /// Which sides have topic handlers whose filter may change while the script runs.
    changing_filters: [bool; 2],
}

impl<B: AsRef<[u8]>> Engine<B> {
    /// Verifies an image and gives it memory. It does nothing yet: see [`Engine::start`].
    ///
    /// # Errors
    /// [`LoadError`]
    pub fn load(image: B, profile: &Profile) -> Result<Engine<B>, LoadError> {
        let program = Program::verify(image, profile).map_err(LoadError::Image)?;
        Engine::new(program, profile, usize::MAX).map_err(LoadError::Memory)
    }

    /// Bytes that [`Engine::new`] allocates for this program, and what its first events take.
    pub fn takes(program: &Program<B>, profile: &Profile) -> usize {
        ScriptMemory::takes(program.slots(), profile.ram) + schedule::takes(program) + STARTING
    }

    /// Gives a verified image memory; see [`Engine::load`]. What it computes in and the events that
    /// wait take at most `budget` bytes of the heap together.
    ///
    /// # Errors
    /// [`TooFewSlots`]
    #[inline(never)]
    pub fn new(
        program: Program<B>,
        profile: &Profile,
        budget: usize,
    ) -> Result<Engine<B>, TooFewSlots> {
        let pins = WatchedPins::of(&program);
        let changing = |trigger| {
            program.handlers().any(|(_, record)| {
                record.trigger == trigger && record.key != FilterKind::Constant as u8
            })
        };
        let changing_filters = [changing(Trigger::LocalFilter), changing(Trigger::RemoteFilter)];
        let most = profile.ram.min(budget.saturating_sub(queue::LEAST));
        let memory = ScriptMemory::new(program.slots(), most);
        let machine = Machine::new(program, memory, profile)?;
        Ok(Engine {
            machine,
            fuel: profile.fuel,
            used: 0,
            budget,
            refused: 0,
            phase: Phase::Loaded,
            queue: Queue::new(QUEUE_VALUES * profile.value),
            handler: SyscallHandler::new(),
            pins,
            stop_policy: StopPolicy::default(),
            warning_limiter: WarningLimiter::default(),
            stats: ScriptStats::default(),
            warned: Warnings::default(),
            tracing: false,
            changing_filters,
        })
    }

    /// Starts the script: watches its pins; its `config` lines and its `init` are the next two
    /// things [`Engine::poll`] does. Does nothing if it was started before.
    pub fn start<H: Host>(&mut self, at: Now, host: &mut H) {
        if self.phase == Phase::Loaded {
            self.handler.last = at;
            self.phase = Phase::Config;
            self.pins.start(host);
            self.start_schedule(host);
        }
    }

    /// Something happened. Its handlers run here and now if nothing is to be done before it; else
    /// it waits for [`Engine::poll`]. An event no handler is there for costs next to nothing.
    ///
    /// Config, Init, Timer, Alarm, Every, Clock and GpioInterrupt events are the engine's own,
    /// found by [`Engine::poll`]: given here, they are ignored.
    pub fn handle<H: Host>(&mut self, event: &Event<'_>, at: Now, host: &mut H) -> Disposition {
        self.note(&at);
        let own = matches!(
            event,
            Event::Config
                | Event::Init
                | Event::Timer(_)
                | Event::Alarm(_)
                | Event::Every(_)
                | Event::Clock(_)
                | Event::GpioInterrupt { .. }
        );
        if own || !self.enabled() {
            return Disposition::Ignored;
        }
        if self.is_idle(at.now) && !self.queue.too_large(event) {
            return if self.run(event, &at, host) {
                Disposition::Done
            } else {
                Disposition::Ignored
            };
        }
        if !self.may_wake(event, host) {
            if host.is_tracing() {
                host.step(Step::Event(event));
                host.step(Step::Handled(0));
            }
            return Disposition::Ignored;
        }
        let pushed = self.queue.push(event, at.now, self.queue_budget());
        self.share_memory();
        if pushed {
            if host.is_tracing() {
                host.step(Step::Waits(event));
            }
            return Disposition::Queued;
        }
        self.refused = self.refused.saturating_add(1);
        self.stats.dropped = self.stats.dropped.wrapping_add(1);
        if self.warning_limiter.may_log(WarningKind::Dropped, at.now) {
            host.log(format_args!("Script warning: too many events at once, one was dropped"));
        }
        Disposition::Dropped
    }

    /// An edge was seen on a pin; what the pin says when it has settled becomes an event.
    pub fn edge(&mut self, pin: u8, now: Instant) {
        if self.enabled() {
            self.pins.edge(pin, now);
        }
    }

    /// Does the next thing that is due: runs the handlers of at most one event. Returns whether
    /// there may be more to do at once.
    pub fn poll<H: Host>(&mut self, at: Now, host: &mut H) -> bool {
        self.note(&at);
        match self.phase {
            Phase::Loaded | Phase::Ended => return false,
            Phase::Config => {
                self.phase = Phase::Init;
                self.run(&Event::Config, &at, host);
            }
            Phase::Init => {
                self.phase = Phase::Running;
                self.run(&Event::Init, &at, host);
            }
            Phase::Running => return self.run_next(&at, host),
        }
        true
    }

    /// When to poll again at the latest; a time not after the last call means at once. `None`: only
    /// when something happened, or the clock was set.
    pub fn poll_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Loaded | Phase::Ended => None,
            Phase::Config | Phase::Init => Some(self.handler.last.now),
            Phase::Running => {
                let alarm = self.next_clock().map_or(NEVER, |(at, _)| at);
                let next = self.next_timed().min(self.queue.next_at()).min(alarm);
                (next != NEVER).then_some(next)
            }
        }
    }

    /// The owner has set the clock, its zone or its place. Which is no correction of it: alarms
    /// that lie ahead again ring again.
    pub fn clock_set(&mut self, at: Now) {
        self.note(&at);
        if let Some(clock) = at.clock {
            self.handler.alarms.clock_set(at.now, clock);
        }
        if let Some(clocks) = &mut self.handler.clocks {
            clocks.set_stale();
        }
    }

    /// The timer, alarm, period or time of day that [`Engine::poll_at`] waits for, if it waits for
    /// one: for those who play with a script.
    pub fn next_due(&self) -> Option<Event<'static>> {
        let at = self.poll_at()?;
        if let Some((_, event)) = self.next_clock().filter(|(due, _)| *due == at) {
            return Some(event);
        }
        let timer = self.handler.timers.next().filter(|_| self.handler.timers.next_at() == at);
        timer.map(Due::event)
    }

    /// Whether it waits for a time of day: it is to be polled then also when local time leaps.
    pub fn waits_for_clock(&self) -> bool {
        self.phase == Phase::Running && self.next_clock().is_some()
    }

    /// When the next alarm rings or the time of an `on clock` comes, and which.
    fn next_clock(&self) -> Option<(Instant, Event<'static>)> {
        let clock = self.handler.last.clock?;
        let alarm = self.handler.alarms.next(clock).map(|(wait, n)| (wait, Event::Alarm(n)));
        let clocks = self.handler.clocks.as_ref().and_then(|clocks| clocks.next(clock));
        let clock = clocks.map(|(wait, n)| (wait, Event::Clock(n)));
        let (wait, event) = [alarm, clock].into_iter().flatten().min_by_key(|(wait, _)| *wait)?;
        Some((self.handler.last.now.saturating_add(wait), event))
    }

    /// Whether an event of this many bytes would find room. A source that can hold its events back
    /// asks first, and so loses none.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.queue.has_room(bytes, self.queue_budget()) || self.is_idle(self.handler.last.now)
    }

    /// Bytes the queue may have.
    fn queue_budget(&self) -> usize {
        self.budget.saturating_sub(self.machine.memory().capacity())
    }

    /// Leaves the machine what the queue does not take.
    fn share_memory(&mut self) {
        let left = self.budget.saturating_sub(self.queue.memory().max(queue::LEAST));
        self.machine.memory_mut().set_available(left);
    }

    /// How often a handler was refused memory, or an event its place in the queue, since the last
    /// call.
    pub fn take_refused(&mut self) -> u32 {
        core::mem::take(&mut self.refused)
    }

    /// Ends the script for good: its subscriptions, pins, timers and waiting events are dropped.
    /// Variables can still be looked at.
    pub fn stop<H: Host>(&mut self, host: &mut H) {
        if self.enabled() {
            host.unsubscribe_all();
            host.unwatch_pins();
        }
        self.phase = Phase::Ended;
        self.queue.clear();
        self.share_memory();
        self.handler.timers.clear();
        self.handler.alarms.clear();
        self.handler.clocks = None;
        self.pins.clear();
    }

    /// Whether the script runs: false before its start, after its end, and once it was disabled for
    /// being stopped too often.
    pub fn enabled(&self) -> bool {
        !matches!(self.phase, Phase::Loaded | Phase::Ended)
    }

    /// Whether `config` lines are done.
    pub fn configured(&self) -> bool {
        !matches!(self.phase, Phase::Loaded | Phase::Config)
    }

    /// Whether `config` lines and `init` are done.
    pub fn started(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Ended)
    }

    /// Logs every event that wakes a handler (the parameter `script_logging`).
    pub fn set_tracing(&mut self, on: bool) {
        self.tracing = on;
    }

    /// The counters.
    pub fn stats(&self) -> ScriptStats {
        let warnings = self.machine.warnings();
        ScriptStats {
            divisions_by_zero: warnings.divisions_by_zero,
            decimals_too_large: warnings.decimals_too_large,
            values_cut: warnings.values_cut,
            ..self.stats
        }
    }

    /// Fuel that handlers have used so far; it wraps. So the caller can see how much of its time a
    /// call took.
    pub fn fuel_used(&self) -> u32 {
        self.used
    }

    /// Tells how long, by the caller's clock, calls of [`Engine::handle`] and [`Engine::poll`]
    /// took: for [`ScriptStats::mean_micros`].
    pub fn note_time(&mut self, micros: u32) {
        self.stats.micros = self.stats.micros.wrapping_add(micros.into());
    }

    /// The program, with its image.
    pub fn program(&self) -> &Program<B> {
        self.machine.program()
    }

    /// Gives its image back for a while in which it gets nothing to do; its variables stay. See
    /// [`Program::unload`].
    pub fn unload(&mut self)
    where
        B: Default,
    {
        drop(self.machine.unload());
    }

    /// Whether its image is there.
    pub fn is_loaded(&self) -> bool {
        !self.program().bytes().as_ref().is_empty()
    }

    /// Takes its image again; false if this is not it.
    pub fn reload(&mut self, image: B, profile: &Profile) -> bool {
        self.machine.reload(image, profile)
    }

    /// Bytes of the heap besides its image: what the machine computes in, events that wait.
    pub fn memory(&self) -> usize {
        self.machine.memory().capacity() + self.queue.memory()
    }

    /// Calls `each` with name and value of every variable; a stripped image has no names, only
    /// numbers (`$0`).
    pub fn variables(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) {
        let names = self.variable_names();
        self.machine.variables(&mut |number, value| {
            let name = names.get(usize::from(number)).map_or(&b"$"[..], Vec::as_slice);
            each(name, value);
        });
    }

    fn variable_names(&self) -> Vec<Vec<u8>> {
        let image = self.machine.program().image();
        let debug = image.debug();
        let name = |number| match debug.variable(number) {
            Some(name) => name.to_vec(),
            None => alloc::format!("${number}").into_bytes(),
        };
        (0..image.layout().header.variables).map(name).collect()
    }

    /// Field by field: a copy of the whole would be a call.
    #[inline]
    fn note(&mut self, at: &Now) {
        (self.handler.last.now, self.handler.last.clock) = (at.now, at.clock);
    }

    /// Whether an event that comes now is the next to be looked at.
    fn is_idle(&self, now: Instant) -> bool {
        self.phase == Phase::Running && self.queue.is_empty() && self.next_timed() > now
    }

    /// When the next timer runs out or pin has settled.
    #[inline]
    fn next_timed(&self) -> Instant {
        self.handler.timers.next_at().min(self.pins.next_at())
    }
}

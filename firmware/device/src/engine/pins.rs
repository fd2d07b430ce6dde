//! The pins a script watches with `on gpio_interrupt`, debounced: an edge starts a wait, and what
//! the pin's level after it counts.

use alloc::vec::Vec;

use umqtt_net::{Duration, Instant};
use umqtt_vm::image::Trigger;
use umqtt_vm::{Host, Program};

use super::NEVER;

/// How long a pin is left to settle after an edge, in milliseconds.
pub const DEBOUNCE: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug)]
struct Watch {
    pin: u8,
    pullup: bool,
    /// The level last reported.
    level: bool,
    /// When to look, if an edge was seen.
    due: Option<Instant>,
}

/// The watched pins: the verifier has bounded their number.
#[derive(Debug, Default)]
pub(super) struct WatchedPins {
    watched: Vec<Watch>,
}

impl WatchedPins {
    /// The pins a program has handlers for; with the pull-up if any of a pin's handlers asks for
    /// it.
    pub(super) fn of<B: AsRef<[u8]>>(program: &Program<B>) -> WatchedPins {
        let mut watched: Vec<Watch> = Vec::new();
        for (_, record) in program.handlers().filter(|(_, record)| record.trigger == Trigger::Gpio)
        {
            let pullup = record.filter != 0;
            match watched.iter_mut().find(|watch| watch.pin == record.key) {
                Some(watch) => watch.pullup |= pullup,
                None => watched.push(Watch { pin: record.key, pullup, level: false, due: None }),
            }
        }
        WatchedPins { watched }
    }

    /// Starts watching; the levels pins have now cause no event.
    pub(super) fn start<H: Host>(&mut self, host: &mut H) {
        for watch in &mut self.watched {
            host.watch_pin(watch.pin, watch.pullup);
            watch.level = host.pin_read(watch.pin);
            watch.due = None;
        }
    }

    /// An edge was seen. More of them while the pin settles change nothing.
    pub(super) fn edge(&mut self, pin: u8, now: Instant) {
        if let Some(watch) = self.watched.iter_mut().find(|watch| watch.pin == pin) {
            watch.due.get_or_insert(now.saturating_add(DEBOUNCE));
        }
    }

    /// When the next pin has settled; [`NEVER`] if none is to.
    #[inline]
    pub(super) fn next_at(&self) -> Instant {
        self.watched.iter().filter_map(|watch| watch.due).min().unwrap_or(NEVER)
    }

    /// Reads the pin that settled first: its number and level if that changed, `None` if it was
    /// only a glitch.
    pub(super) fn take_first<H: Host>(&mut self, host: &mut H) -> Option<(u8, bool)> {
        let watch = self
            .watched
            .iter_mut()
            .filter(|watch| watch.due.is_some())
            .min_by_key(|watch| watch.due)?;
        watch.due = None;
        let level = host.pin_read(watch.pin);
        let changed = level != watch.level;
        watch.level = level;
        changed.then_some((watch.pin, level))
    }

    /// Forgets edges that wait.
    pub(super) fn clear(&mut self) {
        for watch in &mut self.watched {
            watch.due = None;
        }
    }
}

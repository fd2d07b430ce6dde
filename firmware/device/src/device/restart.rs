//! A restart that was asked for: made once the last replies have left.

use umqtt_net::{Duration, Instant};

use super::Device;
use super::service::Service;
use crate::board::{Board, Restart};
use crate::log::Level;
use crate::net::Net;
use crate::platform::Platform;

/// The time in which the last replies may leave.
const RESTART_GRACE: Duration = Duration::from_millis(1000);

/// The restart that is asked for, if any.
#[derive(Debug, Default)]
pub(super) struct PendingRestart {
    /// `true` clears everything first.
    requested: Option<bool>,
    /// When it is made at the latest.
    at: Option<Instant>,
}

impl PendingRestart {
    /// Asks for it; `factory` clears everything first.
    pub(super) fn request(&mut self, factory: bool) {
        self.requested = Some(factory);
    }

    /// Asks for it, and leaves what was asked for before as it is.
    pub(super) fn require(&mut self) {
        self.requested.get_or_insert(false);
    }

    pub(super) fn is_requested(&self) -> bool {
        self.requested.is_some()
    }
}

impl<P: Platform> Service<P> for PendingRestart {
    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let Some(factory) = device.state.restart.requested else { return false };
        let now = device.state.now;
        let at = *device.state.restart.at.get_or_insert(now + RESTART_GRACE);
        let left = device.leave(net);
        if now < at && !(left && device.consoles.is_quiet()) {
            return false;
        }
        device.state.restart = PendingRestart::default();
        device.script.end(&mut device.state);
        if !factory {
            device.save_now();
        }
        if factory && let Err(error) = device.state.storage.factory_reset() {
            let line = format_args!("not everything was cleared: {error}");
            device.state.log(Level::Warning, line);
        }
        device.state.board.restart(if factory { Restart::Factory } else { Restart::Reset });
        false
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.state.restart.at
    }
}

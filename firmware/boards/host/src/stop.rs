//! Graceful shutdown: ending the device from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::Waker;

/// Ends a `HostDevice::run` from another thread.
#[derive(Clone, Debug)]
pub struct StopHandle {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
}

impl StopHandle {
    /// Sets `stop` and wakes who waits.
    pub(crate) fn new(stop: Arc<AtomicBool>, waker: Arc<Waker>) -> StopHandle {
        StopHandle { stop, waker }
    }

    /// Ends it: its ports are closed when `HostDevice::run` returns.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        // Fails only when nobody waits any more.
        let _ = self.waker.wake();
    }
}

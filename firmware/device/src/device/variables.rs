//! Flash variables that a script has set and that are not written yet. Each is written once when
//! the turn is over in which it was set, however often that was, and before anything the script has
//! sent leaves; where one turn sets many, a few of them in each of the next turns, so that the
//! flash does not delay other services for long.

use alloc::vec::Vec;

use umqtt_memory::try_room_exact;
use umqtt_vm::FLASH_VARIABLE_LEN;

use super::Device;
use super::service::Service;
use crate::net::Net;
use crate::platform::Platform;

/// The variables, the one set first before the others; each there is once.
#[derive(Debug, Default)]
pub(super) struct PendingVariables(Vec<Pending>);

/// A value to be written.
#[derive(Debug)]
pub(super) struct Pending {
    n: u8,
    len: u8,
    value: [u8; FLASH_VARIABLE_LEN],
}

impl Pending {
    fn set(&mut self, value: &[u8]) {
        let len = value.len().min(FLASH_VARIABLE_LEN);
        self.value[..len].copy_from_slice(&value[..len]);
        self.len = len as u8;
    }

    /// The variable's number.
    pub(super) fn number(&self) -> u8 {
        self.n
    }

    pub(super) fn value(&self) -> &[u8] {
        self.value.get(..self.len.into()).unwrap_or_default()
    }
}

impl PendingVariables {
    /// The value that is to be written of a variable, and its length.
    pub(super) fn get(&self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> Option<usize> {
        let pending = self.0.iter().find(|pending| pending.n == n)?;
        *out = pending.value;
        Some(pending.len.into())
    }

    /// Notes a value to be written; false if there is no memory to keep it until then, or if all of
    /// them would be more than `budget` bytes.
    pub(super) fn set(&mut self, n: u8, value: &[u8], budget: usize) -> bool {
        if let Some(pending) = self.0.iter_mut().find(|pending| pending.n == n) {
            pending.set(value);
            return true;
        }
        let mut pending = Pending { n, len: 0, value: [0; FLASH_VARIABLE_LEN] };
        pending.set(value);
        let fits = (self.0.len() + 1) * size_of::<Pending>() <= budget;
        if !fits || !try_room_exact(&mut self.0, 1) {
            return false;
        }
        self.0.push(pending);
        true
    }

    /// Takes a variable off: it is written by other means.
    pub(super) fn forget(&mut self, n: u8) {
        self.0.retain(|pending| pending.n != n);
    }

    /// The one that was set first; frees the memory behind the last one.
    pub(super) fn pop(&mut self) -> Option<Pending> {
        if self.0.is_empty() {
            self.0 = Vec::new();
            return None;
        }
        Some(self.0.remove(0))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<Pending>()
    }
}

impl<P: Platform> Service<P> for PendingVariables {
    #[inline(never)]
    fn poll(device: &mut Device<P>, _net: &mut dyn Net) -> bool {
        device.state.write_some_variables()
    }
}

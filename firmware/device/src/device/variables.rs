//! Flash variables that a script has set and that are not written yet. Each is written once when the turn is over in which it
//! was set, however often that was, and before anything the script has sent leaves; where one turn sets many, a few of them
//! in each of the next turns, so that the flash keeps nobody waiting for long.

use alloc::vec::Vec;

use umqtt_memory::try_push;
use umqtt_vm::FLASH_VARIABLE_LEN;

use super::state::DeviceState;
use crate::log::Level;
use crate::platform::Platform;
use crate::storage::StorageError;

/// Flash variables written in a turn.
const WRITES_PER_TURN: usize = 4;

/// The variables, the one set first before the others; each there is once.
#[derive(Debug, Default)]
pub(super) struct PendingVariables(Vec<Pending>);

#[derive(Debug)]
struct Pending {
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

    fn value(&self) -> &[u8] {
        self.value.get(..self.len.into()).unwrap_or_default()
    }
}

impl PendingVariables {
    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<Pending>()
    }
}

impl<P: Platform> DeviceState<P> {
    /// Reads a flash variable, written or not: its length, as [`crate::storage::Storage::flash_variable`].
    pub(super) fn flash_variable(
        &mut self,
        n: u8,
        out: &mut [u8; FLASH_VARIABLE_LEN],
    ) -> Result<usize, StorageError> {
        match self.variables.0.iter().find(|pending| pending.n == n) {
            Some(pending) => {
                *out = pending.value;
                Ok(pending.len.into())
            }
            None => self.storage.flash_variable(n, out),
        }
    }

    /// Sets a flash variable; it is written when the turn is over, or now if there is no memory to keep it until then.
    pub(super) fn set_variable_later(&mut self, n: u8, value: &[u8]) {
        if let Some(pending) = self.variables.0.iter_mut().find(|pending| pending.n == n) {
            return pending.set(value);
        }
        let mut pending = Pending { n, len: 0, value: [0; FLASH_VARIABLE_LEN] };
        pending.set(value);
        if try_push(&mut self.variables.0, pending).is_err() {
            self.write_variable(n, value);
        }
    }

    /// Writes a flash variable now.
    pub(super) fn set_flash_variable(&mut self, n: u8, value: &[u8]) -> Result<(), StorageError> {
        self.variables.0.retain(|pending| pending.n != n);
        self.storage.set_flash_variable(n, value)
    }

    /// Writes a few variables; true if there are more.
    pub(super) fn write_some_variables(&mut self) -> bool {
        for _ in 0..WRITES_PER_TURN {
            if self.variables.0.is_empty() {
                self.variables.0 = Vec::new();
                return false;
            }
            let pending = self.variables.0.remove(0);
            self.write_variable(pending.n, pending.value());
        }
        !self.variables.0.is_empty()
    }

    /// Writes all of them: the script ends, or the device.
    pub(super) fn write_all_variables(&mut self) {
        while self.write_some_variables() {}
    }

    fn write_variable(&mut self, n: u8, value: &[u8]) {
        if let Err(error) = self.storage.set_flash_variable(n, value) {
            self.log(Level::Script, format_args!("Script warning: @{n} was not written: {error}"));
        }
    }
}

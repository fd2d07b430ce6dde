//! One device for one command: connects, unlocks it if need be, and leaves it as it was.

use super::arguments::{PasswordArgs, TimeoutArgs};
use super::interrupt::note_interrupts;
use super::unlocked::{is_locked, while_unlocked};
use super::{ConsoleClient, DeviceAddress, RemoteError};
use crate::failure::Failure;

/// Connects and does something. A locked device is unlocked meanwhile.
///
/// # Errors
/// Those of `act`, of connecting and of unlocking; [`RemoteError::Locked`] without a password.
pub(crate) fn visit<T>(
    address: &DeviceAddress,
    timeout: TimeoutArgs,
    password: &PasswordArgs,
    act: impl FnOnce(&mut ConsoleClient) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let timeouts = timeout.timeouts();
    let given = password.given()?;
    let mut console = ConsoleClient::connect(address, timeouts)?;
    let password = match is_locked(&mut console)? {
        false => None,
        true => {
            note_interrupts();
            let password = given.or_else(|| PasswordArgs::ask(&address.to_string()));
            let locked = || RemoteError::Locked(address.clone());
            Some(password.ok_or_else(locked)?)
        }
    };
    let done = while_unlocked(&mut console, password.as_deref(), timeouts, act);
    console.quit();
    done
}

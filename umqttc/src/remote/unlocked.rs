//! A locked device is unlocked for a while, and locked again whatever comes of it.

use super::{ConsoleClient, RemoteError, Timeouts};

/// Whether the configuration is locked.
///
/// # Errors
/// Those of a command.
pub(crate) fn is_locked(console: &mut ConsoleClient) -> Result<bool, RemoteError> {
    // Without a name and a value it does nothing, but is refused for one reason or the other.
    Ok(console.command("set")?.is_locked())
}

/// Does something while the device is unlocked: with a password it is unlocked first, and locked
/// again in the end, with the same password.
///
/// # Errors
/// Those of `act` and of unlocking; [`RemoteError::LeftUnlocked`].
pub(crate) fn while_unlocked<T, E: From<RemoteError>>(
    console: &mut ConsoleClient,
    password: Option<&[u8]>,
    timeouts: Timeouts,
    act: impl FnOnce(&mut ConsoleClient) -> Result<T, E>,
) -> Result<T, E> {
    if let Some(password) = password {
        console.unlock(password)?;
    }
    let done = act(console);
    if password.is_some() {
        lock_again(console, timeouts)?;
    }
    done
}

/// Locks it with the last password, over a new connection if that one is gone.
///
/// # Errors
/// [`RemoteError::LeftUnlocked`].
pub(crate) fn lock_again(
    console: &mut ConsoleClient,
    timeouts: Timeouts,
) -> Result<(), RemoteError> {
    console.finish_in_spite_of_interrupts();
    let lock = |console: &mut ConsoleClient| match console.command("lock")? {
        reply if reply.has("Config locked") || reply.has("Config already locked") => Ok(()),
        reply => Err(RemoteError::Refused(console.address().clone(), reply.to_string())),
    };
    let address = console.address().clone();
    let locked = lock(console).or_else(|error| match error {
        RemoteError::Refused(..) => Err(error),
        _ => {
            let mut again = ConsoleClient::connect(&address, timeouts)?;
            again.finish_in_spite_of_interrupts();
            lock(&mut again)
        }
    });
    locked.map_err(|error| RemoteError::LeftUnlocked(address, Box::new(error)))
}

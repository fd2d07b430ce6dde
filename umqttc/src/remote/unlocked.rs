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
    let Some(password) = password else { return act(console) };
    let done = match console.unlock(password) {
        Ok(()) => act(console),
        // It was not unlocked.
        Err(
            error @ (RemoteError::WrongPassword(_)
            | RemoteError::TooSoon(..)
            | RemoteError::Refused(..)),
        ) => return Err(error.into()),
        // What it says to that is still to come, or is lost.
        Err(error) => Err(error.into()),
    };
    lock_again(console, timeouts)?;
    done
}

/// Replies that may be there before that to `lock`: of what was broken off, and of a command sent
/// again.
const REPLIES_BEFORE: usize = 4;

/// Locks it with the last password, over a new connection if that one is gone. On the same one it
/// comes behind all that was sent before, and so cannot come too early.
///
/// # Errors
/// [`RemoteError::LeftUnlocked`].
pub(crate) fn lock_again(
    console: &mut ConsoleClient,
    timeouts: Timeouts,
) -> Result<(), RemoteError> {
    console.finish_in_spite_of_interrupts();
    let lock = |console: &mut ConsoleClient| {
        let mut last = None;
        for _ in 0..=REPLIES_BEFORE {
            match console.command("lock") {
                Ok(reply) if reply.has("Config locked") || reply.has("Config already locked") => {
                    return Ok(());
                }
                Ok(reply) => {
                    let address = console.address().clone();
                    last = Some(RemoteError::Refused(address, reply.to_string()));
                }
                // It may take its time with the command before.
                Err(error @ RemoteError::NoAnswer(..)) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        last.map_or(Ok(()), Err)
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

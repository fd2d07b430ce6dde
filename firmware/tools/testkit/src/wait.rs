//! Waiting until something is so.

use std::time::{Duration, Instant};

/// The longest that a device may take to do something. Generous: the machine may be busy with other
/// tests.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(5);

/// Asks until the answer is there.
///
/// # Panics
/// When it is not within [`TIMEOUT`], with `what` in the message.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < TIMEOUT, "waited in vain for {what}");
        std::thread::sleep(PAUSE);
    }
}

//! The console: what a user types on the serial line or over TCP, and what the device answers.
//!
//! A [`Session`] takes bytes and leaves bytes; it knows neither sockets nor a clock. What commands
//! do is asked of the device through [`DeviceControl`]. The texts are a contract with the
//! expect-scripts of users: see the tests.
//!
//! | module | job |
//! |---|---|
//! | [`line`](mod@line) | bytes to lines: ends, backspace, telnet, too long |
//! | [`words`] | a line to words: blanks, quotes, `%hh` |
//! | [`command`] | the table of commands; words to a [`Command`] |
//! | [`execute`] | carries a command out |
//! | `help` | the commands and parameters, a line each |
//! | `show` | the long replies |
//! | `listing` | numbered pieces of a script |
//! | [`lock`] | the password of the configuration |
//! | [`session`] | all of it for one user: prompt, bounded output, idle time |
//! | [`device_control`] | what the console needs of the device |

/// Prints a line.
macro_rules! line {
    ($out:expr, $($text:tt)*) => { $out.line(format_args!($($text)*)) };
}

pub mod command;
pub mod device_control;
pub mod execute;
mod help;
pub mod line;
mod listing;
pub mod lock;
pub mod output;
pub mod session;
mod show;
pub mod words;

pub use command::Command;
pub use device_control::{
    BrokerFigures, CommandError, DeviceControl, DeviceStats, MdnsStatus, Network, Origin,
    RetainedMessage, ScriptText, Subscribed, Synchronisation, Synchronised, TimeOfDay,
};
pub use execute::{CommandOutcome, LongReply, execute_line, resume_reply};
pub use lock::{Lock, Requester};
pub use output::Output;
pub use session::Session;
pub(crate) use session::over;
use umqtt_net::Duration;

/// Sessions over TCP that may be open at a time, the serial line not counted.
pub const MAX_SESSIONS: usize = 4;
/// What a user sees when the console waits for a command.
pub const PROMPT: &[u8] = b"CMD>";
/// Idle timeout of a session over TCP, milliseconds.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest line, bytes, its end not counted.
pub const MAX_LINE: usize = 512;

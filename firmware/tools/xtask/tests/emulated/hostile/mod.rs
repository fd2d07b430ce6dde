//! Inputs from outside that have restarted the device, and their siblings: each gets the answer its
//! protocol has for it, and the device stays up. Grows with each fault that is found.
//!
//! | file | inputs |
//! |---|---|
//! | `memory` | consoles, web servers, scripts and clients that want more memory than there is |
//! | `shares` | what shares hold at most, right after the start and after a story of use |
//! | `scripts` | uploads and downloads, source and bytecode |
//! | `short_messages` | messages of a few bytes, which take many times their length |
//! | `stack` | what nests as deep as it may |

pub(crate) mod memory;
mod scripts;
pub(crate) mod shares;
mod short_messages;
mod stack;

use std::time::Duration;

use crate::client::TestClient;
use crate::device::{Device, chip};

/// Times the device has started.
fn starts(device: &Device) -> usize {
    device.serial().matches(&format!("the device on {}", chip().board)).count()
}

/// The device answers within two seconds of its own time whatever others do (a second in which
/// those wait who publish, or in which nothing finds memory, and what follows), which
/// `umqtt-device` tests in virtual time. This is on a busy computer, with a segment that is lost
/// and comes again.
const ANSWER: Duration = Duration::from_secs(10);

/// A client that was connected before the input came. It must never notice.
pub(super) struct Witness {
    client: TestClient,
}

impl Witness {
    /// Connects and subscribes.
    pub(super) fn new(device: &Device) -> Witness {
        let mut client = device.client("witness");
        client.subscribe("witness", 1);
        Witness { client }
    }

    /// The device answers this client, on the connection it has had all the time. A message may be
    /// dropped for want of memory; an answer may not.
    #[track_caller]
    pub(super) fn is_answered(&mut self, device: &Device, after: &str) {
        if let Err(error) = self.client.is_answered(after.as_bytes(), ANSWER) {
            panic!("no answer within {} s of {after}: {error}", ANSWER.as_secs());
        }
        assert_eq!(starts(device), 1, "restarted by {after}");
    }

    /// The device is still in its first boot, and serves this client on the connection it has had
    /// all the time.
    #[track_caller]
    pub(super) fn is_served(&mut self, device: &Device, after: &str) {
        self.client.publish_acknowledged("witness", after.as_bytes(), 1);
        assert_eq!(self.client.next().payload, after.as_bytes());
        // Dropped, the device shows the end of its serial output.
        assert_eq!(starts(device), 1, "restarted by {after}");
    }
}

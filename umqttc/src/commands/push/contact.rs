//! A device that has answered: what it is, and the session to it.

use umqtt_vm::Profile;

use super::progress::Progress;
use crate::remote::config::DeviceConfig;
use crate::remote::unlocked::{is_locked, while_unlocked};
use crate::remote::upload::upload;
use crate::remote::verdict::Verdict;
use crate::remote::{ConsoleClient, DeviceAddress, RemoteError, Timeouts};

/// A device that has answered.
pub(super) struct Contact {
    pub(super) console: ConsoleClient,
    pub(super) profile: Profile,
    pub(super) locked: bool,
    version: String,
}

/// What is told of a device.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) version: String,
    pub(super) profile: &'static str,
    pub(super) locked: bool,
}

impl Contact {
    /// Connects and asks.
    pub(super) fn make(
        address: &DeviceAddress,
        timeouts: Timeouts,
    ) -> Result<Contact, RemoteError> {
        let mut console = ConsoleClient::connect(address, timeouts)?;
        let config = DeviceConfig::ask(&mut console)?;
        let locked = is_locked(&mut console)?;
        Ok(Contact { console, profile: config.profile(), locked, version: config.version })
    }

    /// What is told of it; `profile` is what it counts as.
    pub(super) fn about(&self, profile: &'static str) -> About {
        About { version: self.version.clone(), profile, locked: self.locked }
    }

    /// Sends it a script; a locked device is unlocked for that, and then locked again.
    pub(super) fn upload(
        mut self,
        script: &[u8],
        port: Option<u16>,
        password: Option<&[u8]>,
        timeouts: Timeouts,
        progress: &Progress,
    ) -> Result<Verdict, RemoteError> {
        let password = password.filter(|_| self.locked);
        let address = self.console.address().clone();
        let verdict = while_unlocked(&mut self.console, password, timeouts, |console| {
            let at = |stage| progress.stage(&address, stage, script.len());
            upload(console, script, port, timeouts.connect, &at)
        });
        self.console.quit();
        verdict
    }
}

//! Who may use the broker, from the settings.

use core::net::IpAddr;

use subtle::ConstantTimeEq;
use umqtt_mqtt::{Credentials, Hooks, Peer, Verdict};

use crate::settings::{Param, Settings};

/// The broker's questions, answered from the settings.
pub(super) struct BrokerAccess<'s> {
    settings: &'s Settings,
    /// Who was refused last.
    pub(super) refused: Option<IpAddr>,
}

impl<'s> BrokerAccess<'s> {
    pub(super) fn new(settings: &'s Settings) -> BrokerAccess<'s> {
        BrokerAccess { settings, refused: None }
    }

    fn verdict(&self, who: &Credentials<'_>) -> Verdict {
        if self.settings.credentials_damaged() {
            return Verdict::BadCredentials;
        }
        let user = self.settings.bytes(Param::BrokerUser);
        let password = self.settings.bytes(Param::BrokerPassword);
        if user.is_empty() && password.is_empty() {
            return Verdict::Accept;
        }
        let user_right = user.ct_eq(who.user.unwrap_or_default().as_bytes());
        let password_right = password.ct_eq(who.password.unwrap_or_default());
        if (user_right & password_right).into() { Verdict::Accept } else { Verdict::BadCredentials }
    }
}

impl Hooks for BrokerAccess<'_> {
    fn on_connect(&mut self, peer: &Peer) -> bool {
        self.settings.access(Param::BrokerAccess).permits(peer.is_internal())
    }

    fn on_auth(&mut self, who: &Credentials<'_>) -> Verdict {
        let verdict = self.verdict(who);
        if verdict != Verdict::Accept {
            self.refused = Some(who.peer.addr.ip());
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;
    use core::net::SocketAddr;

    #[test]
    fn the_gate_opens_for_the_right_name_and_password() {
        let mut settings = Settings::new([0; 6]);
        let peer = Peer::from(SocketAddr::from(([127, 0, 0, 1], 1)));
        let ask = |settings: &Settings, user, password: &'static str| {
            let password = Some(password.as_bytes());
            BrokerAccess::new(settings).on_auth(&Credentials::new("x", peer).with(user, password))
        };
        assert_eq!(ask(&settings, None, ""), Verdict::Accept);
        settings.set(Param::BrokerUser, b"me", Source::Persistent).unwrap();
        settings.set(Param::BrokerPassword, b"secret", Source::Persistent).unwrap();
        assert_eq!(ask(&settings, Some("me"), "secret"), Verdict::Accept);
        assert_eq!(ask(&settings, Some("me"), "secre"), Verdict::BadCredentials);
        assert_eq!(ask(&settings, Some("you"), "secret"), Verdict::BadCredentials);
        assert_eq!(ask(&settings, None, ""), Verdict::BadCredentials);
    }
}

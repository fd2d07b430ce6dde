//! What a client chooses: the device that scripts are for, and hints.

use serde_json::Value;
use umqtt_vm::Profile;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// The device whose limits count.
    pub(super) profile: Profile,
    /// Hints, too, at what is right and could be written better.
    pub(super) pedantic: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { profile: Profile::DESKTOP, pedantic: false }
    }
}

impl Options {
    /// Takes what a client has set, `{"profile": "esp8266"}`, perhaps as a section `umqttc`. What
    /// is missing goes on as it was.
    ///
    /// # Errors
    /// What is wrong, in a sentence; all else is taken.
    pub(super) fn set(&mut self, settings: &Value) -> Result<(), String> {
        let section = settings.get("umqttc").unwrap_or(settings);
        if let Some(pedantic) = section.get("pedantic").and_then(Value::as_bool) {
            self.pedantic = pedantic;
        }
        let name = match section.get("profile") {
            None | Some(Value::Null) => return Ok(()),
            Some(name) => name.as_str().unwrap_or_default(),
        };
        let Some(profile) = Profile::by_name(name) else {
            let known = Profile::ALL.map(|profile| profile.name).join(", ");
            return Err(format!("there is no profile {name:?}; there are {known}"));
        };
        self.profile = profile;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_set_and_what_is_left() {
        let mut options = Options::default();
        assert_eq!(options.set(&json!({ "profile": "esp8266" })), Ok(()));
        assert_eq!(options.set(&json!({ "umqttc": { "pedantic": true } })), Ok(()));
        assert!(options.set(&json!({ "profile": "toaster", "pedantic": false })).is_err());
        assert_eq!(options.set(&Value::Null), Ok(()));
        assert_eq!((options.profile.name, options.pedantic), ("esp8266", false));
    }
}

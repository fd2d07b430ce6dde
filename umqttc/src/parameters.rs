//! The device's table of parameters, for the linter: so that `config` lines are checked before a device sees them.

use umqtt_device::settings::lint as table;
use umqtt_lang::lint::ConfigTable;

/// The parameters every device has.
pub(crate) struct Parameters;

impl ConfigTable for Parameters {
    fn names(&self) -> Vec<&str> {
        table::names().collect()
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), String> {
        table::check(name.as_bytes(), value).map_err(|error| error.to_string())
    }
}

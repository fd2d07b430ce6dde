//! `set` and `save`.

use crate::console::device_control::{DeviceControl, Origin};
use crate::console::output::Output;
use crate::console::show::Printed;
use crate::settings::{Param, Source};
use crate::storage::StorageError;

pub(super) fn save(origin: Origin, device: &mut dyn DeviceControl) -> Result<(), StorageError> {
    device.save_settings()?;
    match origin {
        Origin::Serial => device.settings_restored(),
        Origin::Network(_) | Origin::Script => Ok(()),
    }
}

pub(super) fn set(
    param: Param,
    value: &[u8],
    origin: Origin,
    device: &mut dyn DeviceControl,
    out: &mut Output,
) {
    if let Err(error) = device.settings_mut().set(param, value, Source::Persistent) {
        line!(out, "Invalid argument: {error}");
        return;
    }
    if param.spec().secret && !device.settings().bytes(param).is_empty() {
        line!(out, "{} set", param.name());
    } else {
        line!(out, "{} set to {}", param.name(), Printed { settings: device.settings(), param });
    }
    if origin == Origin::Serial && matches!(param, Param::BrokerUser | Param::BrokerPassword) {
        device.settings_mut().credentials_set();
    }
    device.changed(param);
    warn_of_consequences(param, origin, device, out);
}

/// Warnings of what a setting brings about that its user may not have meant.
fn warn_of_consequences(
    param: Param,
    origin: Origin,
    device: &dyn DeviceControl,
    out: &mut Output,
) {
    let limit = device.backlog_limit();
    if param == Param::Backlog && device.settings().unsigned(param) as usize > limit {
        line!(out, "WARNING: this device keeps at most {limit} bytes");
    }
    let settings = device.settings();
    let empty = |param| settings.bytes(param).is_empty();
    let other = match param {
        Param::BrokerUser => Some(Param::BrokerPassword),
        Param::BrokerPassword => Some(Param::BrokerUser),
        _ => None,
    };
    if let Some(other) = other.filter(|other| !empty(param) && empty(*other)) {
        line!(out, "WARNING: {} is none: set it too, clients must send both", other.name());
    }
    if param == Param::BrokerAccess && !device.admits(param, origin) {
        let from = if settings.number(param) == 0 { "" } else { " from where you are" };
        line!(out, "WARNING: no MQTT client{from} gets in any more");
    }
    let no_port = param == Param::ConfigPort && settings.port(param) == 0;
    let no_access = param == Param::ConfigAccess && settings.number(param) == 0;
    if no_port || no_access {
        line!(out, "WARNING: there is no more console over the network");
    } else if param == Param::ConfigAccess && !device.admits(param, origin) {
        line!(out, "WARNING: there is no more console from where you are, once this one is closed");
    }
}

//! The ports of broker and console that are listened on: those of the settings, followed live.

use super::service::Service;
use super::{Device, DeviceOptions, ListenError};
use crate::log::Level;
use crate::net::Net;
use crate::platform::Platform;
use crate::settings::{Param, Settings};

/// The ports.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    mqtt: Option<Listener>,
    console: Option<Listener>,
    /// A port in the settings was changed.
    changed: bool,
}

/// A port that is listened on.
#[derive(Clone, Copy, Debug)]
struct Listener {
    /// The one of the settings or options; 0 lets the network choose.
    wanted: u16,
    /// The one that was bound.
    bound: u16,
}

impl<P: Platform> Service<P> for Listeners {
    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        if device.state.listeners.changed
            && device.state.has_margin()
            && let Err(error) = device.listen(net)
        {
            device.state.log(Level::Warning, format_args!("{error}"));
        }
        false
    }
}

impl Listeners {
    /// The broker's port.
    pub(super) fn mqtt(&self) -> Option<u16> {
        self.mqtt.map(|listener| listener.bound)
    }

    /// The console's port.
    pub(super) fn console(&self) -> Option<u16> {
        self.console.map(|listener| listener.bound)
    }

    /// A port in the settings was changed.
    pub(super) fn note_changed(&mut self) {
        self.changed = true;
    }

    /// Opens the ports of the settings and options.
    pub(super) fn open(
        &mut self,
        settings: &Settings,
        options: &DeviceOptions,
        net: &mut dyn Net,
    ) -> Result<(), ListenError> {
        self.changed = false;
        let mqtt = options.mqtt_port.unwrap_or(settings.port(Param::BrokerPort));
        let console = options.console_port.unwrap_or(settings.port(Param::ConfigPort));
        let mqtt = relisten("mqtt", &mut self.mqtt, Some(mqtt), net);
        // The one that fails does not keep the other from its port.
        let console = (console != 0).then_some(console);
        mqtt.and(relisten("console", &mut self.console, console, net))
    }
}

/// Listens on another port; if it cannot be had, the old one stays.
fn relisten(
    service: &'static str,
    current: &mut Option<Listener>,
    wanted: Option<u16>,
    net: &mut dyn Net,
) -> Result<(), ListenError> {
    if current.map(|listener| listener.wanted) == wanted {
        return Ok(());
    }
    let new = match wanted {
        Some(port) => {
            let bound = net.listen(port);
            let bound = bound.map_err(|error| ListenError { service, port, error })?;
            Some(Listener { wanted: port, bound })
        }
        None => None,
    };
    if let Some(old) = core::mem::replace(current, new) {
        net.unlisten(old.bound);
    }
    Ok(())
}

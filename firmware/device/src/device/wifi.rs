//! WiFi: what the settings ask for is given to the radio, and what the radio has goes to the log,
//! to scripts and to the console.

use alloc::format;
use alloc::string::{String, ToString};

use umqtt_memory::{Share, try_format, try_string_room};
use umqtt_net::Instant;

use super::Device;
use super::service::Service;
use super::state::DeviceState;
use super::wifi_state::Wifi;
use crate::board::Board;
use crate::console::{CommandError, Network, Origin};
use crate::log::Level;
use crate::net::{Interface, Net};
use crate::platform::Platform;
use crate::printable::Printable;
use crate::settings::{Capability, Param, Settings};
use crate::wifi::{
    ApConfig, Credentials, Password, RadioEvent, Scan, ScanResult, Ssid, StationStatus,
};

/// Events of the radio handled per turn.
const EVENTS_PER_TURN: usize = 32;
/// The part of the console's share that results of a scan may take: of what lines may.
const SCAN_PART: usize = 4;
/// Bytes of a scan's results shown at a time.
const SHOWN_AT_ONCE: usize = 512;

/// The service: the [`Wifi`] of the device's state has its turn.
pub(super) struct WifiService;

impl<P: Platform> Service<P> for WifiService {
    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        if device.state.board.radio().is_none() || device.script.is_configuring() {
            return false;
        }
        // It is away for its turn, so that it may use the device.
        let Some(mut wifi) = device.state.wifi.take() else { return false };
        let more = wifi.turn(device, net);
        device.state.wifi = Some(wifi);
        more
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        if device.script.is_configuring() {
            return None;
        }
        let now = device.state.now;
        let wifi = device.state.wifi()?;
        if wifi.asked {
            return Some(now);
        }
        wifi.poll_at()
    }
}

impl Wifi {
    /// Does what is to be done now, up to a bound; true if there may be more.
    fn turn<P: Platform>(&mut self, device: &mut Device<P>, net: &dyn Net) -> bool {
        let now = device.state.now;
        if self.configure_at.is_some_and(|at| at <= now) {
            (self.configure_at, self.configured) = (None, true);
            self.configure(device);
        }
        self.asked = false;
        // Before the events: a radio may have its answer at once.
        self.handle_timeouts(device);
        let mut handled = 0;
        while handled < EVENTS_PER_TURN
            && let Some(event) = device.state.board.radio().and_then(|radio| radio.poll_event())
        {
            self.handle(event, device);
            self.look_for_address(device, net);
            handled += 1;
        }
        self.look_for_address(device, net);
        self.show_scan(device);
        device.consoles.set_lent(self.memory());
        handled == EVENTS_PER_TURN
    }

    /// Has the radio do what the settings say.
    fn configure<P: Platform>(&mut self, device: &mut Device<P>) {
        let state = &mut *device.state;
        let (now, settings) = (state.now, &state.settings);
        let Some(radio) = state.board.radio() else { return };
        let network = network(settings);
        let auto_connect = settings.flag(Param::AutoConnect);
        let left = self.station.configure(network, auto_connect, now, radio);
        let own = own_network(settings);
        let closed = own == Err(NoPassword);
        let started = self.access_point.configure(own.unwrap_or(None), now, radio);
        if closed {
            let line = "the own WiFi network is off: ap_open 0 needs an ap_password";
            state.log(Level::Warning, format_args!("{line}"));
        }
        match started {
            Some(Ok(())) => self.log_access_point(state),
            Some(Err(error)) => {
                let line = format_args!("the own WiFi network could not be started: {error}");
                state.log(Level::Warning, line);
            }
            None => {}
        }
        device.state.note_network_changed();
        self.report(left, device);
    }

    fn handle<P: Platform>(&mut self, event: RadioEvent, device: &mut Device<P>) {
        let state = &mut *device.state;
        let now = state.now;
        let status = match event {
            RadioEvent::Joined { channel, rssi } => self.station.handle_joined(channel, rssi, now),
            RadioEvent::JoinFailed(why) => self.station.handle_failed(why, now),
            RadioEvent::Lost => self.station.handle_lost(now),
            RadioEvent::StationJoined(mac) => {
                if self.access_point.handle_joined(mac) {
                    state.log(Level::Info, format_args!("WiFi: station {} has joined", Mac(mac)));
                }
                None
            }
            RadioEvent::StationLeft(mac) => {
                if self.access_point.handle_left(mac) {
                    state.log(Level::Info, format_args!("WiFi: station {} has left", Mac(mac)));
                }
                None
            }
            RadioEvent::Network(network) => {
                if let Some((_, scan)) = &mut self.scan {
                    scan.handle_network(network);
                }
                None
            }
            RadioEvent::ScanDone(true) => {
                if let Some((_, scan)) = &mut self.scan {
                    scan.handle_done();
                }
                None
            }
            RadioEvent::ScanDone(false) => {
                self.end_scan("Scan failed: the radio failed", device);
                None
            }
        };
        self.report(status, device);
    }

    fn handle_timeouts<P: Platform>(&mut self, device: &mut Device<P>) {
        let now = device.state.now;
        let Some(radio) = device.state.board.radio() else { return };
        let status = self.station.handle_timeout(now, radio);
        let restarted = self.access_point.handle_timeout(now, radio);
        if restarted {
            self.log_access_point(&mut device.state);
            device.state.note_network_changed();
        }
        self.report(status, device);
        let scan = self.scan.as_ref().and_then(|(_, scan)| scan.poll_at());
        if scan.is_some_and(|at| at <= now) {
            self.end_scan("Scan failed: no answer", device);
        }
    }

    /// With its address the station is connected.
    fn look_for_address<P: Platform>(&mut self, device: &mut Device<P>, net: &dyn Net) {
        if !self.station.awaits_address() {
            return;
        }
        let mut found = false;
        net.addresses(&mut |own| found |= own.interface != Interface::AccessPoint);
        if found && self.station.handle_address() {
            device.script.link_changed(true, &mut device.state);
        }
    }

    /// Logs what has become of the station; scripts get what concerns them.
    fn report<P: Platform>(&self, status: Option<StationStatus>, device: &mut Device<P>) {
        let Some(status) = status else { return };
        if let StationStatus::Lost { linked: true } | StationStatus::Left { linked: true } = status
        {
            device.script.link_changed(false, &mut device.state);
        }
        let ssid = self.station.network().map_or(&b""[..], |network| &network.ssid);
        let ssid = Printable(ssid);
        let state = &mut device.state;
        match status {
            StationStatus::Joined { channel, rssi } => state.log(
                Level::Info,
                format_args!("WiFi: connected to {ssid}, channel {channel}, {rssi} dBm"),
            ),
            StationStatus::Failed(why) => {
                state.log(Level::Warning, format_args!("WiFi: not connected to {ssid}: {why}"));
            }
            StationStatus::Lost { .. } => {
                state.log(Level::Warning, format_args!("WiFi: lost {ssid}"));
            }
            StationStatus::Left { .. } => {
                state.log(Level::Info, format_args!("WiFi: disconnected"))
            }
        }
    }

    fn log_access_point<P: Platform>(&self, state: &mut DeviceState<P>) {
        let Some(own) = self.access_point.network() else { return };
        let (ssid, channel) = (Printable(&own.ssid), own.channel);
        let open = if own.password.is_empty() { ", open" } else { "" };
        state.log(Level::Info, format_args!("WiFi: own network {ssid}, channel {channel}{open}"));
    }

    /// Shows what a scan has found to the one who asked, as that reads.
    fn show_scan<P: Platform>(&mut self, device: &mut Device<P>) {
        let Some((origin, scan)) = &mut self.scan else { return };
        let origin = *origin;
        let mut text = String::new();
        while scan.poll_at().is_none() && device.consoles.takes_report(origin) {
            text.clear();
            while text.len() < SHOWN_AT_ONCE
                && let Some(network) = scan.next()
            {
                let line = try_format(format_args!("{}\r\n", shown(network)));
                if try_string_room(&mut text, line.len()) {
                    text.push_str(&line);
                }
            }
            if !text.is_empty() {
                device.consoles.show(origin, &text, &mut device.state);
            }
            match scan.is_over() {
                None => {}
                Some(0) if text.is_empty() => return self.end_scan("no networks found", device),
                Some(0) => return self.scan = None,
                Some(more) => return self.end_scan(&format!("... and {more} more"), device),
            }
        }
    }

    fn end_scan<P: Platform>(&mut self, line: &str, device: &mut Device<P>) {
        if let Some((origin, _)) = self.scan.take() {
            let line = format!("{line}\r\n");
            device.consoles.show(origin, &line, &mut device.state);
        }
    }
}

/// Starts a scan, whose results go to the one who asks.
pub(super) fn scan<P: Platform>(
    state: &mut DeviceState<P>,
    origin: Origin,
) -> Result<(), CommandError> {
    let refused = |why: &str| Err(CommandError(why.to_string()));
    let (Some(radio), Some(wifi)) = (state.board.radio(), &mut state.wifi) else {
        return refused("this board has no WiFi");
    };
    if wifi.scan.is_some() {
        return refused("another one is under way");
    }
    let account = &mut state.ledger[Share::Console];
    let budget = account.free().min(account.budget / SCAN_PART);
    let Some(scan) = Scan::new(budget, state.now) else {
        account.refuse();
        return refused("not enough memory");
    };
    if let Err(error) = radio.scan() {
        return refused(&error.to_string());
    }
    (wifi.scan, wifi.asked) = (Some((origin, scan)), true);
    Ok(())
}

/// The figures of `show stats`; none on a board without a radio.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) joined: Option<bool>,
    pub(super) rssi: Option<i8>,
    pub(super) stations: Option<u8>,
}

/// See [`Figures`].
pub(super) fn figures<P: Platform>(state: &mut DeviceState<P>) -> Figures {
    let (Some(radio), Some(wifi)) = (state.board.radio(), &state.wifi) else {
        return Figures::default();
    };
    let joined = wifi.station.is_joined();
    Figures {
        joined: Some(joined),
        rssi: if joined { radio.rssi() } else { None },
        stations: wifi.access_point.stations(),
    }
}

/// The network to join, if the settings name one.
fn network(settings: &Settings) -> Option<Credentials> {
    let ssid = settings.bytes(Param::Ssid);
    let there = settings.capabilities().has(Capability::Wifi) && !ssid.is_empty();
    there.then(|| Credentials {
        ssid: Ssid::from_slice(ssid).unwrap_or_default(),
        password: Password::from_slice(settings.bytes(Param::Password)).unwrap_or_default(),
    })
}

/// The own network is to have a password, and there is none.
#[derive(PartialEq, Eq)]
struct NoPassword;

/// The own network, if there is to be one.
fn own_network(settings: &Settings) -> Result<Option<ApConfig>, NoPassword> {
    let there = settings.capabilities().has(Capability::AccessPoint);
    if !there || !settings.flag(Param::ApOn) {
        return Ok(None);
    }
    let password = match settings.flag(Param::ApOpen) {
        true => &[],
        false => settings.bytes(Param::ApPassword),
    };
    if password.is_empty() && !settings.flag(Param::ApOpen) {
        return Err(NoPassword);
    }
    Ok(Some(ApConfig {
        ssid: Ssid::from_slice(settings.bytes(Param::ApSsid)).unwrap_or_default(),
        password: Password::from_slice(password).unwrap_or_default(),
        channel: settings.number(Param::ApChannel) as u8,
    }))
}

fn shown(network: &ScanResult) -> Network<'_> {
    let ScanResult { ssid, security, rssi, mac, channel } = network;
    Network { auth: *security as u8, ssid, rssi: *rssi, mac: *mac, channel: *channel }
}

/// A MAC address as text.
struct Mac([u8; 6]);

impl core::fmt::Display for Mac {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

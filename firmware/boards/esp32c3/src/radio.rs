//! WiFi: what the device asks for, and what comes of it.
//!
//! The maker's driver runs in tasks of its own. What it wants waited for is started here and then
//! left: what comes of it is an event.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use esp_hal::efuse::{InterfaceMacAddress, interface_mac_address};
use esp_hal::peripherals::WIFI;
use esp_radio::wifi::ap::{AccessPointConfig, AccessPointInfo};
use esp_radio::wifi::event::{EventInfo, EventSubscriber, MessageResult};
use esp_radio::wifi::scan::ScanConfig;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{
    AuthenticationMethod, AuthenticationMethodConfig, Config, ControllerConfig, WifiController,
    WifiError,
};
use heapless::Deque;
use umqtt_device::wifi::{
    ApConfig, Credentials, JoinError, MAX_NETWORKS, MAX_STATIONS, Radio, RadioError, RadioEvent,
    ScanResult, Security, Ssid,
};
use umqtt_esp32c3_drivers::wifi::join_error;
use umqtt_net::Interface;

use crate::options::BUFFERS;
use crate::wifi_interface::WifiInterface;

/// Events that wait for the device; more wait in the driver.
const EVENTS: usize = MAX_NETWORKS + 8;
/// The driver's own word for "we have left" (IEEE 802.11-2020, table 9-49).
const LEFT: u16 = 8;
/// Shortest password of WPA (IEEE 802.11-2020, section J.4).
const MIN_PASSWORD: usize = 8;

type Networks = Result<Vec<AccessPointInfo>, WifiError>;
type Scanning = Pin<Box<dyn Future<Output = (WifiController<'static>, Networks)>>>;

/// A controller for scans, while there is none, or the scan that has it.
enum Scanner {
    Idle(WifiController<'static>),
    Scanning(Scanning),
    /// Between the two.
    Taken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StationState {
    Idle,
    Joining,
    Joined,
}

/// The radio.
pub(crate) struct WifiRadio {
    controller: WifiController<'static>,
    scanner: Scanner,
    driver_events: EventSubscriber<'static>,
    events: Deque<RadioEvent, EVENTS>,
    station: StationState,
    station_config: StationConfig,
    ap_config: Option<AccessPointConfig>,
    /// The driver has not yet said that it has left a network as it was told.
    leaving: bool,
}

impl WifiRadio {
    /// Starts it: neither a station in a network nor an access point yet.
    pub(crate) fn new(wifi: WIFI<'static>) -> Result<WifiRadio, WifiError> {
        let config = ControllerConfig::default()
            .with_dynamic_rx_buf_num(BUFFERS)
            .with_dynamic_tx_buf_num(BUFFERS)
            .with_rx_queue_size(BUFFERS.into());
        let controller = WifiController::new(wifi, config.clone())?;
        // A future of the driver keeps its controller to itself, so there is one for events that
        // is only read, and one for scans. All are handles of the one driver.
        let another = || {
            // SAFETY: every handle is of this file.
            let wifi = unsafe { WIFI::steal() };
            WifiController::new(wifi, config.clone())
        };
        let for_events: &'static WifiController<'static> = Box::leak(Box::new(another()?));
        Ok(WifiRadio {
            scanner: Scanner::Idle(another()?),
            driver_events: for_events.subscribe()?,
            controller,
            events: Deque::new(),
            station: StationState::Idle,
            station_config: StationConfig::default(),
            ap_config: None,
            leaving: false,
        })
    }

    /// Whether a network is joined.
    pub(crate) fn is_joined(&self) -> bool {
        self.station == StationState::Joined
    }

    /// Whether there is an access point.
    pub(crate) fn is_access_point(&self) -> bool {
        self.ap_config.is_some()
    }

    /// Gives the driver what it should be now.
    fn configure(&mut self) -> Result<(), RadioError> {
        let station = self.station_config.clone();
        let config = match self.ap_config.clone() {
            Some(ap) => Config::AccessPointStation(station, ap),
            None => Config::Station(station),
        };
        self.controller.set_config(&config).map_err(|_| RadioError::Failed)
    }

    /// Becomes an access point or none. The driver starts anew for that, and a network that was
    /// joined is lost.
    fn set_ap(&mut self, ap: Option<AccessPointConfig>) -> Result<(), RadioError> {
        let starts_anew = ap.is_some() != self.ap_config.is_some();
        self.ap_config = ap;
        let mut done = self.configure();
        if done.is_err() && self.ap_config.take().is_some() {
            // After an error the driver does nothing at all until it has another configuration.
            done = self.configure().and(done);
        }
        if starts_anew {
            let event = match self.station {
                StationState::Joined => Some(RadioEvent::Lost),
                StationState::Joining => Some(RadioEvent::JoinFailed(JoinError::Failed)),
                StationState::Idle => None,
            };
            (self.station, self.leaving) = (StationState::Idle, event.is_some());
            if let Some(event) = event {
                self.report(event);
            }
        }
        done
    }

    fn report(&mut self, event: RadioEvent) {
        // The driver is only asked while there is room, for what it has and a scan's end.
        let _ = self.events.push_back(event);
    }

    fn poll_driver(&mut self) {
        while self.events.len() < EVENTS - 1 {
            let next = poll_once(pin!(self.driver_events.next_event()));
            match next {
                Poll::Ready(MessageResult::Message(event)) => self.handle(event),
                Poll::Ready(MessageResult::Lagged(_)) => self.check_joined(),
                Poll::Pending => return,
            }
        }
    }

    /// Events were lost: the end of a network may have been among them.
    fn check_joined(&mut self) {
        if self.is_joined() && !self.controller.is_connected() {
            self.station = StationState::Idle;
            self.report(RadioEvent::Lost);
        }
    }

    fn handle(&mut self, event: EventInfo) {
        match event {
            EventInfo::StationConnected { channel, .. }
                if self.station == StationState::Joining =>
            {
                self.station = StationState::Joined;
                let rssi = self.rssi().unwrap_or_default();
                self.report(RadioEvent::Joined { channel, rssi });
            }
            EventInfo::StationDisconnected { reason: LEFT, .. } if self.leaving => {
                self.leaving = false;
            }
            EventInfo::StationDisconnected { reason, .. } => {
                let event = match self.station {
                    StationState::Idle => return,
                    StationState::Joining => RadioEvent::JoinFailed(join_error(reason)),
                    StationState::Joined => RadioEvent::Lost,
                };
                self.station = StationState::Idle;
                self.report(event);
            }
            EventInfo::AccessPointStationConnected { mac, .. } => {
                self.report(RadioEvent::StationJoined(mac));
            }
            EventInfo::AccessPointStationDisconnected { mac, .. } => {
                self.report(RadioEvent::StationLeft(mac));
            }
            _ => {}
        }
    }

    /// Takes the results of a scan that has ended.
    fn poll_scan(&mut self) {
        let Scanner::Scanning(scanning) = &mut self.scanner else { return };
        let Poll::Ready((controller, networks)) = poll_once(scanning.as_mut()) else { return };
        self.scanner = Scanner::Idle(controller);
        let found = networks.is_ok();
        // One place is for the end of the scan.
        let room = (EVENTS - 1).saturating_sub(self.events.len());
        for network in networks.unwrap_or_default().iter().take(room) {
            self.report(RadioEvent::Network(scan_result(network)));
        }
        self.report(RadioEvent::ScanDone(found));
    }
}

impl Radio for WifiRadio {
    fn join(&mut self, network: &Credentials) -> Result<(), RadioError> {
        if matches!(self.scanner, Scanner::Scanning(_)) {
            return Err(RadioError::Busy);
        }
        self.leave();
        if !network.password.is_empty() && network.password.len() < MIN_PASSWORD {
            self.report(RadioEvent::JoinFailed(JoinError::WrongPassword));
            return Ok(());
        }
        let ssid = network.ssid.as_slice().try_into().map_err(|_| RadioError::Failed)?;
        self.station_config = StationConfig::default()
            .with_ssid(ssid)
            .with_authentication(authentication(&network.password)?);
        self.configure()?;
        match poll_once(pin!(self.controller.connect_async())) {
            Poll::Ready(Err(_)) => Err(RadioError::Failed),
            Poll::Ready(Ok(_)) | Poll::Pending => {
                self.station = StationState::Joining;
                Ok(())
            }
        }
    }

    fn leave(&mut self) {
        self.poll_driver();
        if self.station != StationState::Idle {
            self.station = StationState::Idle;
            // Without a network it says so at once, and no event follows.
            self.leaving = poll_once(pin!(self.controller.disconnect_async())).is_pending();
        }
        self.drop_station_events();
    }

    fn start_ap(&mut self, config: &ApConfig) -> Result<(), RadioError> {
        let ssid = config.ssid.as_slice().try_into().map_err(|_| RadioError::Failed)?;
        let ap = AccessPointConfig::default()
            .with_ssid(ssid)
            .with_channel(config.channel)
            .with_max_connections(MAX_STATIONS as u16)
            .with_authentication(authentication(&config.password)?);
        self.set_ap(Some(ap))
    }

    fn stop_ap(&mut self) {
        // What fails is what is not wanted any more.
        let _ = self.set_ap(None);
    }

    fn scan(&mut self) -> Result<(), RadioError> {
        if self.station == StationState::Joining {
            return Err(RadioError::Busy);
        }
        match core::mem::replace(&mut self.scanner, Scanner::Taken) {
            Scanner::Idle(mut controller) => {
                let config = ScanConfig::default().with_max(MAX_NETWORKS);
                self.scanner = Scanner::Scanning(Box::pin(async move {
                    let networks = controller.scan_async(&config).await;
                    (controller, networks)
                }));
                self.poll_scan();
                Ok(())
            }
            busy => {
                self.scanner = busy;
                Err(RadioError::Busy)
            }
        }
    }

    fn poll_event(&mut self) -> Option<RadioEvent> {
        self.poll_driver();
        self.poll_scan();
        self.events.pop_front()
    }

    fn rssi(&mut self) -> Option<i8> {
        if !self.is_joined() {
            return None;
        }
        self.controller.rssi().ok().map(|rssi| rssi.clamp(i8::MIN.into(), i8::MAX.into()) as i8)
    }

    fn mac(&self, interface: Interface) -> [u8; 6] {
        mac(interface)
    }
}

impl WifiRadio {
    /// No event of a network that was left may follow.
    fn drop_station_events(&mut self) {
        for _ in 0..self.events.len() {
            let Some(event) = self.events.pop_front() else { return };
            let of_station = matches!(
                event,
                RadioEvent::Joined { .. } | RadioEvent::JoinFailed(_) | RadioEvent::Lost
            );
            if !of_station {
                self.report(event);
            }
        }
    }
}

/// The frames of the network the device is a station in. Once.
pub(crate) fn station() -> WifiInterface {
    WifiInterface::new(esp_radio::wifi::Interface::station())
}

/// The frames of the device's own network. Once.
pub(crate) fn access_point() -> WifiInterface {
    WifiInterface::new(esp_radio::wifi::Interface::access_point())
}

/// The chip's address in one of its networks.
pub(crate) fn mac(interface: Interface) -> [u8; 6] {
    let kind = match interface {
        Interface::AccessPoint => InterfaceMacAddress::AccessPoint,
        _ => InterfaceMacAddress::Station,
    };
    let mut mac = [0; 6];
    mac.copy_from_slice(interface_mac_address(kind).as_bytes());
    mac
}

fn authentication(password: &[u8]) -> Result<AuthenticationMethodConfig, RadioError> {
    if password.is_empty() {
        return Ok(AuthenticationMethodConfig::Open);
    }
    // The driver takes passwords as text only.
    let text = core::str::from_utf8(password).map_err(|_| RadioError::Failed)?;
    let password = text.try_into().map_err(|_| RadioError::Failed)?;
    Ok(AuthenticationMethodConfig::Wpa2Personal(password))
}

fn scan_result(network: &AccessPointInfo) -> ScanResult {
    ScanResult {
        // The driver shows the name as far as it is text.
        ssid: Ssid::from_slice(network.ssid.as_str().as_bytes()).unwrap_or_default(),
        security: security(network.auth_method),
        rssi: network.signal_strength,
        mac: network.bssid,
        channel: network.channel,
    }
}

fn security(method: Option<AuthenticationMethod>) -> Security {
    match method {
        Some(AuthenticationMethod::None) => Security::Open,
        Some(AuthenticationMethod::Wep) => Security::Wep,
        Some(AuthenticationMethod::Wpa) => Security::Wpa,
        Some(AuthenticationMethod::Wpa2Personal) => Security::Wpa2,
        Some(AuthenticationMethod::WpaWpa2Personal) => Security::WpaWpa2,
        Some(AuthenticationMethod::Wpa2Enterprise) => Security::Enterprise,
        Some(AuthenticationMethod::Wpa3Personal) => Security::Wpa3,
        Some(AuthenticationMethod::Wpa2Wpa3Personal) => Security::Wpa2Wpa3,
        _ => Security::Other,
    }
}

/// Starts a future, or has it go on, and does not wait for it.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

//! What the console is given of the device.

use alloc::string::ToString;
use core::cell::RefCell;
use core::fmt::{self, Arguments};
use core::net::IpAddr;

use umqtt_memory::{Ledger, Share};
use umqtt_mqtt::QoS;
use umqtt_vm::{FLASH_VARIABLE_LEN, Listing, Side};

use super::http_client::HttpClient;
use super::network_session::SessionPeer;
use super::retained;
use super::script::Script;
use super::service::is_in_image;
use super::state::DeviceState;
use super::trace;
use super::uploads::Uploads;
use super::wifi;
use crate::board::{Board, Random};
use crate::console::lock::Salt;
use crate::console::{
    BrokerFigures, CommandError, DeviceControl, DeviceStats, Lock, MdnsStatus, Origin,
    RetainedMessage, ScriptText, Subscribed, TimeOfDay,
};
use crate::dhcp::Dhcp;
use crate::http::FetchError;
use crate::http::foreign_protocol::ForeignProtocol;
use crate::name_server::NameServer;
use crate::net::{Interface, Net};
use crate::platform::Platform;
use crate::settings::{Access, Capability, Param, Settings};
use crate::signature::SUFFIX_LEN;
use crate::storage::{ProtectedServices, StorageError};
use crate::wall_clock::weekday_of;
use umqtt_net::Instant;

/// Name of the script's own subscriptions in `show mqtt`.
const LOCAL_CLIENT: &[u8] = b"local";

/// The device, seen from the console.
pub(super) struct ConsoleContext<'d, P: Platform> {
    pub(super) state: &'d mut DeviceState<P>,
    /// In a cell because looking at the variables of a machine takes it mutably.
    pub(super) script: RefCell<&'d mut Script>,
    pub(super) uploads: &'d mut Uploads,
    pub(super) http: &'d mut HttpClient,
    /// Where the command comes from, if it came over the network.
    pub(super) peer: Option<SessionPeer>,
    pub(super) net: &'d mut dyn Net,
}

impl<P: Platform> DeviceControl for ConsoleContext<'_, P> {
    fn version(&self) -> &str {
        self.state.options.version
    }

    fn settings(&self) -> &Settings {
        &self.state.settings
    }

    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.state.settings
    }

    fn changed(&mut self, param: Param) {
        self.state.apply(param);
    }

    fn save_settings(&mut self) -> Result<(), StorageError> {
        let saved = self.state.settings.save().ok_or_else(|| {
            self.state.ledger[Share::Storage].refuse();
            StorageError::Memory
        })?;
        self.state.storage.save_settings(&saved)
    }

    fn settings_restored(&mut self) -> Result<(), StorageError> {
        let runs = self.script.borrow().engine.is_some();
        if !self.state.storage.unguarded(runs).is_empty() {
            self.state.storage.set_guarding(ProtectedServices::default())?;
        }
        self.state.settings.restored();
        Ok(())
    }

    fn listening(&self, param: Param) -> Option<u16> {
        let listeners = &self.state.listeners;
        if param == Param::BrokerPort { listeners.mqtt() } else { listeners.console() }
    }

    fn admits(&self, access: Param, origin: Origin) -> bool {
        let access = self.state.settings.access(access);
        match origin {
            Origin::Network(_) => access.permits(self.peer.is_some_and(|peer| peer.is_internal)),
            Origin::Serial | Origin::Script => access != Access::Nobody,
        }
    }

    fn lock(&self) -> &Lock {
        &self.state.lock
    }

    fn lock_mut(&mut self) -> &mut Lock {
        &mut self.state.lock
    }

    fn save_lock(&mut self) -> Result<(), StorageError> {
        let saved = self.state.lock.save();
        self.state.storage.save_lock(&saved)
    }

    fn salt(&mut self) -> Salt {
        let mut salt = Salt::default();
        self.state.board.random(&mut salt);
        salt
    }

    fn peer(&self, _origin: Origin) -> Option<IpAddr> {
        self.peer.map(|peer| peer.address)
    }

    fn refused_line(&mut self) {
        self.state.ledger[Share::Console].refuse();
    }

    fn refused_browser(&mut self, what: ForeignProtocol, _origin: Origin) {
        let peer = self.peer.map(|peer| peer.address);
        let what = match what {
            ForeignProtocol::Http => "HTTP on the console port",
            ForeignProtocol::Binary => "no text on the console port, maybe TLS,",
        };
        self.state.refused_browser(what, peer);
    }

    fn script_cancel(&mut self) {
        if self.uploads.cancel("Script upload cancelled: the configuration is locked", self.net) {
            self.state.storage.drop_incoming();
        }
    }

    fn flash_variable(
        &mut self,
        n: u8,
        out: &mut [u8; FLASH_VARIABLE_LEN],
    ) -> Result<usize, StorageError> {
        self.state.flash_variable(n, out)
    }

    fn set_flash_variable(&mut self, n: u8, value: &[u8]) -> Result<(), StorageError> {
        self.state.set_flash_variable(n, value)
    }

    fn stats(&mut self) -> DeviceStats {
        let wifi = wifi::figures(self.state);
        let script = self.script.borrow();
        let engine = script.engine.as_ref().map(|engine| engine.stats()).unwrap_or_default();
        let broker = self.state.broker.stats();
        DeviceStats {
            uptime: self.state.now.saturating_duration_since(Instant::ZERO),
            free_memory: self.state.board.free_memory(),
            script_events: engine.events,
            script_mean_us: engine.mean_micros(),
            bytes_received: broker.bytes_received,
            bytes_sent: broker.bytes_sent,
            joined: wifi.joined,
            rssi: wifi.rssi,
            stations: wifi.stations,
            ntp: self
                .state
                .ntp
                .as_ref()
                .map(|ntp| ntp.synchronisation(self.state.now, &self.state.settings)),
            browsers: self.state.browsers,
            refused_answers: self.state.memory.refused_answers,
        }
    }

    fn mdns(&self) -> Option<MdnsStatus> {
        self.state.mdns.as_ref().filter(|_| !P::LACKS.has(Capability::Mdns))?.status()
    }

    fn own_network(&self, line: &mut dyn FnMut(Arguments<'_>)) {
        if is_in_image::<P, Dhcp>()
            && let Some(dhcp) = &self.state.dhcp
        {
            dhcp.show(self.state.now, line);
        }
        if is_in_image::<P, NameServer>()
            && let Some(names) = &self.state.name_server
        {
            names.show(line);
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }

    fn addresses(&self, each: &mut dyn FnMut(IpAddr)) {
        // Its own address says little, unless it is all there is.
        let mut any = false;
        self.net.addresses(&mut |own| {
            if own.interface != Interface::Loopback {
                any = true;
                each(own.address);
            }
        });
        if !any {
            self.net.addresses(&mut |own| each(own.address));
        }
    }

    fn time(&self) -> Option<TimeOfDay> {
        let time = self.state.clock()?;
        Some(TimeOfDay { weekday: weekday_of(time).unwrap_or(7), seconds: time.millis / 1000 })
    }

    fn zone(&self) -> Option<i32> {
        let offset = self.state.utc_offset(self.state.utc()?);
        let is_known = offset != 0 || self.state.clock.zone().is_some();
        is_known.then_some(offset / 60)
    }

    fn backlog(&self, each: &mut dyn FnMut(&[u8])) {
        self.state.log.backlog(each);
    }

    fn backlog_limit(&self) -> usize {
        self.state.log.backlog_limit()
    }

    fn broker(&self) -> BrokerFigures {
        let broker = &self.state.broker;
        BrokerFigures {
            clients: broker.clients_len(),
            subscriptions: broker.subscriptions_len(),
            retained: broker.retained_len(),
            counted: *broker.stats(),
            remote_dropped: self.state.upstream.dropped(),
        }
    }

    fn clients(&self, each: &mut dyn FnMut(&[u8]) -> bool) {
        let _ = self.state.broker.clients().all(|client| each(client.id.as_bytes()));
    }

    fn subscriptions(&self, each: &mut dyn FnMut(Subscribed<'_>) -> bool) {
        let _ = self.state.broker.subscriptions().all(|found| {
            let id = found.client_id.as_bytes();
            let client = if id.is_empty() { LOCAL_CLIENT } else { id };
            each(Subscribed { client, filter: &found.filter, qos: found.qos as u8 })
        });
    }

    fn retained(&self, each: &mut dyn FnMut(RetainedMessage<'_>) -> bool) {
        let _ = self.state.broker.retained(b"#").all(|found| {
            let len = found.payload.len();
            each(RetainedMessage { topic: found.topic, len, qos: found.qos as u8 })
        });
    }

    fn remote_connected(&self) -> bool {
        self.state.upstream.is_connected()
    }

    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<(), CommandError> {
        let published = match side {
            Side::Local => {
                let published = self.state.broker.publish(topic, data, QoS::AtMostOnce, retained);
                published.map_err(|error| error.to_string())
            }
            Side::Remote if self.state.settings.bytes(Param::MqttHost).is_empty() => {
                Err("the client is not connected: mqtt_host is not set".to_string())
            }
            Side::Remote => {
                let published = self.state.publish_remote(topic, data, retained);
                published.map_err(|error| error.to_string())
            }
        };
        published.map_err(CommandError)
    }

    fn save_some_retained(&mut self) -> Option<Result<(), CommandError>> {
        retained::save_some(self.state)
    }

    fn delete_retained(&mut self) -> Result<(), CommandError> {
        retained::delete(self.state)
    }

    fn script_enabled(&self) -> bool {
        self.script.borrow().enabled()
    }

    fn script_text(&self) -> ScriptText {
        self.script.borrow().text()
    }

    fn read_source(&mut self, offset: usize, out: &mut [u8]) -> usize {
        self.state.storage.read_source(offset, out)
    }

    fn disassemble(&mut self, out: &mut dyn fmt::Write) {
        let script = self.script.borrow();
        let Some(image) = script.image() else {
            let _ = writeln!(out, "  not loaded"); // a listing takes all
            return;
        };
        // It fails when the listing needs no more of it.
        let _ = write!(out, "{}", Listing::new(&image));
    }

    fn variables(&self, each: &mut dyn FnMut(&[u8], &[u8])) {
        if let Some(engine) = &mut self.script.borrow_mut().engine {
            engine.variables(each);
        }
    }

    fn trace_on(&mut self, line: Option<u32>, origin: Origin) -> Result<(), CommandError> {
        if P::LACKS.has(Capability::Trace) {
            return Err(CommandError("this board has no room for it".to_string()));
        }
        trace::start(self.state, &self.script.borrow(), line, origin)
    }

    fn trace_off(&mut self, origin: Origin) {
        if !P::LACKS.has(Capability::Trace) {
            trace::stop(self.state, origin);
        }
    }

    fn script_listen(&mut self, port: u16, origin: Origin) -> Result<(), CommandError> {
        self.uploads.listen(port, origin, self.state.now, self.net)
    }

    fn script_download(&mut self, url: &str, origin: Origin) -> Result<(), CommandError> {
        let profile = &self.state.options.profile;
        let limit = profile.source.max(profile.image + SUFFIX_LEN);
        if !self.uploads.is_pull() && !self.state.upload_admits(Uploads::needs(url)) {
            return Err(CommandError(FetchError::NoMemory.to_string()));
        }
        self.uploads.download(url, origin, limit, self.state.now, self.net)
    }

    fn script_delete(&mut self) -> Result<(), CommandError> {
        self.http.cancel(self.net);
        self.script.get_mut().delete(self.state)
    }

    fn restart(&mut self, factory: bool) {
        self.state.restart.request(factory);
    }

    fn scan(&mut self, origin: Origin) -> Result<(), CommandError> {
        wifi::scan(self.state, origin)
    }

    fn board_command(&mut self, words: &[&[u8]], reply: &mut dyn FnMut(&[u8])) -> bool {
        self.state.board.command(words, reply)
    }

    fn board_help(&self) -> &str {
        self.state.board.command_help()
    }
}

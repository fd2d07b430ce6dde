//! The client of the remote broker: which one, on which connection, and what it says.
//!
//! The client itself is a part of the core, as scripts use it; here are its settings and its network.

use alloc::string::ToString;

use embedded_storage::nor_flash::NorFlash;
use umqtt_broker::client::{Client, ClientOptions, Event, NetworkWish};

use super::core::Core;
use crate::board::Board;
use crate::log::Level;
use crate::net::{ConnId, Net, NetEvent};
use crate::settings::{Param, Settings};

/// Most subscriptions at the remote broker.
const MAX_SUBSCRIPTIONS: usize = 64;
/// Bytes sent at a time.
const PIECE: usize = 1024;

/// The connection to the remote broker.
#[derive(Debug, Default)]
pub(super) struct Remote {
    conn: Option<ConnId>,
}

impl Remote {
    pub(super) fn owns(&self, conn: ConnId) -> bool {
        self.conn == Some(conn)
    }

    /// Takes the settings as they are now: connects anew if there is a host.
    pub(super) fn configure<B: Board, F: NorFlash>(&mut self, core: &mut Core<B, F>) {
        core.client.stop(core.now);
        let limits = &core.options.limits;
        let own = ClientOptions {
            max_packet: limits.max_packet,
            max_queue_bytes: limits.max_local_queue_bytes,
            max_inflight: limits.max_inflight,
            max_subscriptions: MAX_SUBSCRIPTIONS,
            ..options(&core.settings)
        };
        core.client.set_options(own);
        if core.settings.bytes(Param::MqttHost).is_empty() {
            return;
        }
        if core.settings.flag(Param::MqttSsl) {
            let line = format_args!("the remote broker needs mqtt_ssl 0: there is no encryption");
            return core.log(Level::Warning, line);
        }
        core.client.start(core.now);
    }

    /// Something happened on its connection.
    pub(super) fn handle<B: Board, F: NorFlash>(
        &mut self,
        event: NetEvent,
        core: &mut Core<B, F>,
        net: &mut dyn Net,
    ) {
        let now = core.now;
        match event {
            NetEvent::Connected(_) => core.client.connected(now),
            NetEvent::Readable(conn) => {
                net.recv(conn, &mut |bytes| {
                    core.client.receive(bytes, now);
                    bytes.len()
                });
            }
            NetEvent::Finished(conn) => {
                net.close(conn);
                self.conn = None;
                core.client.closed(now);
            }
            NetEvent::Closed(..) => {
                self.conn = None;
                core.client.closed(now);
            }
            NetEvent::Writable(_) | NetEvent::Accepted { .. } => {}
        }
    }

    /// Does what the client wants of the network.
    pub(super) fn flush<B: Board, F: NorFlash>(
        &mut self,
        core: &mut Core<B, F>,
        net: &mut dyn Net,
    ) {
        self.transmit(&mut core.client, net);
        while let Some(wish) = core.client.poll_network() {
            match wish {
                NetworkWish::Close => {
                    if let Some(conn) = self.conn.take() {
                        net.close(conn);
                    }
                }
                NetworkWish::Connect => {
                    let host = core.settings.text(Param::MqttHost);
                    match net.connect(host, core.settings.port(Param::MqttPort)) {
                        Ok(conn) => self.conn = Some(conn),
                        Err(_) => core.client.closed(core.now), // it tries again later
                    }
                }
            }
        }
    }

    fn transmit(&mut self, client: &mut Client, net: &mut dyn Net) {
        let Some(conn) = self.conn else { return };
        let mut piece = [0; PIECE];
        loop {
            let n = client.copy_outgoing(&mut piece);
            if n == 0 {
                return;
            }
            let sent = net.send(conn, &piece[..n]);
            client.sent(sent);
            if sent < n {
                return;
            }
        }
    }
}

/// Logs what the client tells; true if it is something for the script.
pub(super) fn note<B: Board, F: NorFlash>(event: &Event, core: &mut Core<B, F>) -> bool {
    let host = core.settings.text(Param::MqttHost).to_string();
    match event {
        Event::Connected { .. } => {
            core.log(Level::Info, format_args!("connected to MQTT server {host}"));
            true
        }
        Event::Message(_) => true,
        Event::Refused(code) => {
            core.log(Level::Warning, format_args!("MQTT server {host} refused us: {code:?}"));
            false
        }
        Event::Disconnected(_) => {
            core.log(Level::Info, format_args!("disconnected from MQTT server {host}"));
            false
        }
        Event::Subscribed { filter, granted: None } => {
            let filter = filter.escape_ascii();
            let line = format_args!("MQTT server {host} refused the subscription to {filter}");
            core.log(Level::Warning, line);
            false
        }
        Event::Subscribed { .. } => false,
    }
}

/// Who we are at the remote broker.
pub(super) fn options(settings: &Settings) -> ClientOptions {
    let user = Some(settings.bytes(Param::MqttUser)).filter(|user| !user.is_empty());
    let password = settings.bytes(Param::MqttPassword);
    let id = alloc::string::String::from_utf8_lossy(settings.bytes(Param::MqttId)).into_owned();
    ClientOptions {
        user: user.map(|user| alloc::string::String::from_utf8_lossy(user).into_owned()),
        password: (user.is_some() && !password.is_empty()).then(|| password.to_vec()),
        ..ClientOptions::new(&id)
    }
}

//! The device: equal services over one [`Platform`], behind one [`Device::poll`].
//!
//! A board makes a [`Device`] of its pins and its flash, calls [`Device::start`], and then in one
//! plain loop waits for the network or the time and calls [`Device::poll`]. Each poll does a
//! bounded piece of work, so that nobody who sends much and no script that runs wild keeps the
//! others from their turn: cooperative scheduling, round robin, in which no service starves.
//!
//! What the device does is the list of services below: each is a type in a file of its own, and
//! [`Device::poll`] and its deadlines walk that list.
//!
//! | file | job |
//! |---|---|
//! | `options` | what a board chooses |
//! | `boot` | a device from what is in its flash |
//! | `state` | what several services use, and the settings put into force |
//! | `service` | what all services have in common |
//! | `network`, `connections` | events of the network to the service they are for |
//! | `mqtt`, `backpressure`, `access` | the broker's clients; who of them waits, who may connect |
//! | `uploads`, `install` | the upload under way; a new script in the place of the old |
//! | `consoles`, `network_session` | the console's sessions |
//! | `console_context` | what the console may do with the device |
//! | `script`, `script_host` | the script in its place; what it may do with the device |
//! | `wifi`, `wifi_state` | station, access point and scans, on boards with a radio |
//! | `trace`, `trace_session` | what a console sees of the script |
//! | `variables` | flash variables that are not written yet |
//! | `commands` | the script's console commands |
//! | `http_client`, `http_requests` | HTTP requests of scripts |
//! | `sys_topics` | the topics under `$SYS/broker` |
//! | `retained`, `unsaved_retained` | retained messages over a restart |
//! | `ntp` | the time server that sets the clock, and the device's own |
//! | `mdns` | the device's name and services, by multicast DNS |
//! | `own_network` | the own network, for the services that are for it alone |
//! | `dhcp` | addresses for its stations |
//! | `name_server` | names for them |
//! | `reached` | through which network an address is reached |
//! | `upstream` | the client of the remote broker |
//! | `listeners` | the ports |
//! | `output` | the log to the consoles, bytes to the network |
//! | `restart` | a restart that was asked for |
//! | `memory` | the ledger, and the end of a wait for memory |

mod access;
mod backpressure;
mod boot;
mod commands;
mod connections;
mod console_context;
mod consoles;
mod dhcp;
mod http_client;
mod http_requests;
mod install;
mod listeners;
mod mdns;
mod memory;
mod mqtt;
mod name_server;
mod network;
mod network_session;
mod ntp;
mod options;
mod output;
mod own_network;
mod reached;
mod relief;
mod restart;
mod retained;
mod script;
mod script_host;
mod service;
mod state;
mod sys_topics;
mod trace;
mod trace_session;
mod unsaved_retained;
mod uploads;
mod upstream;
mod variables;
mod wifi;
mod wifi_state;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt::Arguments;
use core::net::Ipv4Addr;

use umqtt_memory::Ledger;
use umqtt_mqtt::Broker;
use umqtt_net::Instant;
use umqtt_vm::Program;

pub use self::boot::Prepared;
use self::commands::SystemCommands;
use self::connections::Connections;
use self::console_context::ConsoleContext;
use self::consoles::Consoles;
use self::http_client::HttpClient;
use self::listeners::Listeners;
use self::memory::MemoryPressure;
use self::mqtt::MqttClients;
use self::network_session::SessionPeer;
pub use self::options::{DeviceOptions, ListenError};
use self::output::{LogOutput, Transmit};
use self::restart::PendingRestart;
use self::retained::Retention;
use self::script::Script;
use self::service::{Service, is_in_image};
use self::state::DeviceState;
use self::sys_topics::SysTopics;
use self::uploads::Uploads;
use self::variables::PendingVariables;
use self::wifi::WifiService;
use crate::console::CommandError;
use crate::dhcp::Dhcp;
use crate::log::Level;
use crate::mdns::Mdns;
use crate::name_server::NameServer;
use crate::net::{Addressing, ConnId, Net, NetEvent};
use crate::ntp::Ntp;
use crate::platform::Platform;
use crate::settings::Param;
use crate::settings::Settings;
use crate::storage::StorageError;
use crate::upstream::Upstream;

/// The device.
pub struct Device<P: Platform> {
    state: Box<DeviceState<P>>,
    connections: Connections,
    mqtt: MqttClients,
    uploads: Uploads,
    consoles: Consoles,
    script: Script,
    http: HttpClient,
    sys_topics: SysTopics,
    retention: Retention,
}

/// The services in the order of their turns: [`Device::poll`] and its deadlines walk this list.
macro_rules! services {
    ($($service:ty),* $(,)?) => {
        impl<P: Platform> Device<P> {
            /// Hands an event to the service whose connection it is; false if no service has it.
            fn handle_event(&mut self, conn: ConnId, event: NetEvent, net: &mut dyn Net) -> bool {
                $(is_in_image::<P, $service>()
                    && <$service as Service<P>>::handle_event(self, conn, event, net))||*
            }

            fn handle_timeouts(&mut self, net: &mut dyn Net) {
                $(if is_in_image::<P, $service>() {
                    <$service as Service<P>>::handle_timeout(self, net);
                })*
            }

            fn poll_services(&mut self, net: &mut dyn Net) -> bool {
                let mut more = false;
                $(if is_in_image::<P, $service>() {
                    more |= <$service as Service<P>>::poll(self, net);
                })*
                more
            }

            fn poll_at(&mut self) -> Option<Instant> {
                let deadlines = [$(match is_in_image::<P, $service>() {
                    true => <$service as Service<P>>::poll_at(self),
                    false => None,
                }),*];
                deadlines.into_iter().flatten().min()
            }
        }
    };
}

services![
    MqttClients,
    // Uploads before all that may take stack: compiling needs most of it.
    Uploads,
    // Before the script, which may have something to do because of a command.
    Consoles,
    // Before the script, which gets events of it.
    WifiService,
    Script,
    // Before any output of the script leaves.
    PendingVariables,
    SystemCommands,
    HttpClient,
    // Before the clock is published.
    Ntp,
    SysTopics,
    Retention,
    Upstream,
    Listeners,
    // After the ports, which it tells others.
    Mdns,
    // After the network they are for has begun.
    Dhcp,
    NameServer,
    // After everything that logs, and before everything is sent.
    LogOutput,
    Transmit,
    // After the last replies have left.
    PendingRestart,
    // At the end, as it looks at what all others hold.
    MemoryPressure,
];

impl<P: Platform> Device<P> {
    /// A device with what its flash holds. It does nothing yet: see [`Device::start`].
    ///
    /// # Errors
    /// [`StorageError`] when the flash cannot be used at all.
    pub fn new(
        board: P::Board,
        flash: P::Flash,
        options: DeviceOptions,
    ) -> Result<Device<P>, StorageError> {
        Device::prepare(board, flash, options).map(Prepared::into_device)
    }

    /// As [`Device::new`], in two steps: reading the flash takes most stack, and has not to share
    /// it with a device that is on its way to where it will stay.
    ///
    /// # Errors
    /// As [`Device::new`].
    #[inline(never)]
    pub fn prepare(
        board: P::Board,
        flash: P::Flash,
        options: DeviceOptions,
    ) -> Result<Prepared<P>, StorageError> {
        boot::prepare(board, flash, options)
    }

    /// Opens the ports.
    ///
    /// # Errors
    /// The first port that cannot be had; a board without a user at hand may go on
    /// all the same.
    pub fn listen(&mut self, net: &mut dyn Net) -> Result<(), ListenError> {
        let state = &mut *self.state;
        state.listeners.open(&state.settings, &state.options, net)
    }

    /// Starts the stored script, unless it has reset the device three times in a row. Once, before
    /// the first poll.
    pub fn start(&mut self, now: Instant) {
        self.state.now = now;
        self.script.boot(&mut self.state);
    }

    /// As [`start`](Self::start), but leaves the stored script where it is, untouched: for a board
    /// that knows of faults which may be the script's, or that of reading it.
    pub fn start_without_script(&mut self, now: Instant, why: Arguments<'_>) {
        self.state.now = now;
        self.script.leave_out(&mut self.state, why);
    }

    /// Puts a program in the place of the script there is, and starts it; its source is kept beside
    /// it.
    ///
    /// # Errors
    /// Why it is not stored; then the old one runs on.
    pub fn install(
        &mut self,
        program: Program<Vec<u8>>,
        source: Option<&[u8]>,
        net: &mut dyn Net,
    ) -> Result<(), CommandError> {
        install::install(self, program, source, net)
    }

    /// Does what is to be done now, up to a bound, and returns when to come back at the latest if
    /// nothing happens on the network: a time not after `now` means at once.
    pub fn poll(&mut self, now: Instant, net: &mut dyn Net) -> Option<Instant> {
        let more = self.receive(now, net);
        let more = self.poll_services(net) || more;
        if self.state.memory.is_step_deferred() {
            return Some(self.state.now + memory::RETRY);
        }
        if more { Some(self.state.now) } else { self.poll_at() }
    }

    #[inline(never)]
    fn receive(&mut self, now: Instant, net: &mut dyn Net) -> bool {
        self.state.now = self.state.now.max(now);
        self.state.memory.begin();
        self.script.configure(&mut self.state);
        let more = network::handle_events(self, net);
        self.handle_timeouts(net);
        more
    }

    /// The console's sessions, and the device as a command sees it that came from `peer`, if it
    /// came over the network.
    fn console_context<'d>(
        &'d mut self,
        peer: Option<SessionPeer>,
        net: &'d mut dyn Net,
    ) -> (&'d mut Consoles, ConsoleContext<'d, P>) {
        let context = ConsoleContext {
            state: &mut self.state,
            script: RefCell::new(&mut self.script),
            uploads: &mut self.uploads,
            http: &mut self.http,
            peer,
            net,
        };
        (&mut self.consoles, context)
    }

    /// Takes leave of those that expect it, before the device is switched off: the remote broker
    /// gets a DISCONNECT, the network hears that the device's name is free. Returns true once that
    /// is done; until then go on polling, and ask again after each poll, as long as there is time.
    pub fn leave(&mut self, net: &mut dyn Net) -> bool {
        if is_in_image::<P, Mdns>()
            && let Some(mdns) = &mut self.state.mdns
        {
            mdns.leave(self.state.now, net);
        }
        upstream::leave(&mut self.state, net)
    }

    /// Saves what would be saved a little later: call it before the device is switched off in good
    /// order.
    pub fn save_now(&mut self) {
        self.state.write_all_variables();
        if is_in_image::<P, Dhcp>()
            && let Some(mut dhcp) = self.state.dhcp.take()
        {
            dhcp.save(&mut self.state);
            self.state.dhcp = Some(dhcp);
        }
        self.retention.save_now(&mut self.state);
    }

    /// Whether the board is to keep the broker's journal.
    pub fn wants_persistence(&self) -> bool {
        let settings = &self.state.settings;
        settings.lacks(Param::BrokerPersistence).is_none()
            && settings.flag(Param::BrokerPersistence)
    }

    /// Logs a warning of the board's.
    pub fn warn(&mut self, line: Arguments<'_>) {
        self.state.log(Level::Warning, line);
    }

    /// The board and the flash, to make another device of.
    pub fn into_parts(self) -> (P::Board, P::Flash) {
        let state = *self.state;
        (state.board, state.storage.unmount())
    }

    /// What the board has chosen.
    pub fn options(&self) -> &DeviceOptions {
        &self.state.options
    }

    /// The settings that count.
    pub fn settings(&self) -> &Settings {
        &self.state.settings
    }

    /// The board.
    pub fn board(&mut self) -> &mut P::Board {
        &mut self.state.board
    }

    /// The broker.
    pub fn broker(&mut self) -> &mut Broker {
        &mut self.state.broker
    }

    /// What each part holds of the memory.
    pub fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }

    /// The ports of broker and console that are open.
    pub fn ports(&self) -> (Option<u16>, Option<u16>) {
        (self.state.listeners.mqtt(), self.state.listeners.console())
    }

    /// The device's address in its own network, which is a /24: the settings `network` with .1 at
    /// the end. For boards with an access point, to be read as [`Device::addressing`].
    pub fn own_network_address(&self) -> Ipv4Addr {
        own_network::wanted_address(&self.state.settings)
    }

    /// The address the settings ask for, those of the script included. A board with a network of
    /// its own reads it once after [`Device::start`]: a change counts from the next start on, as
    /// half a change would cut the owner off.
    pub fn addressing(&self) -> Addressing {
        let address =
            |param| Ipv4Addr::from_bits(self.state.settings.number(param).cast_unsigned());
        let set = |param| Some(address(param)).filter(|address| !address.is_unspecified());
        let mut addressing = Addressing::DHCP;
        addressing.ip = set(Param::Ip);
        addressing.netmask = address(Param::Netmask);
        addressing.gateway = set(Param::Gw);
        addressing.dns = set(Param::Dns);
        addressing
    }
}

//! What the device knows of network time: its client and its server, without the device. The
//! service is `device::ntp`.

use core::net::SocketAddr;

use umqtt_net::{Instant, UdpId};
use umqtt_ntp::{Client, Sample, Server};

use crate::console::{Synchronisation, Synchronised};
use crate::net::{ConnId, Net};
use crate::settings::{Param, Settings};

/// The state of the service.
#[derive(Debug, Default)]
pub(crate) struct Ntp {
    pub(crate) client: Client,
    /// A setting was changed, or the network came up.
    pub(crate) restart: bool,
    /// The address of its server.
    pub(crate) server: Resolution,
    /// The socket the client waits at.
    pub(crate) socket: Option<UdpId>,
    /// What the clock was set by last.
    pub(crate) last: Option<Last>,
    pub(crate) service: TimeServer,
}

/// A synchronisation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Last {
    pub(crate) sample: Sample,
    pub(crate) server: SocketAddr,
    pub(crate) offset: Option<i64>,
}

/// Where the client gets the address of its server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Resolution {
    #[default]
    None,
    /// A name is looked up, for this port.
    Looking(ConnId, u16),
    Known(SocketAddr),
}

/// The server and its port.
#[derive(Debug, Default)]
pub(crate) struct TimeServer {
    pub(crate) server: Server,
    /// The port that was wanted last, and its socket, if it could be had.
    pub(crate) port: u16,
    pub(crate) socket: Option<UdpId>,
    pub(crate) again_at: Option<Instant>,
}

impl Ntp {
    /// The time server, or how often it is asked, was set.
    pub(crate) fn note_changed(&mut self) {
        self.restart = true;
    }

    /// The port of the server was set.
    pub(crate) fn note_port_changed(&mut self, now: Instant) {
        self.service.again_at = Some(now);
    }

    /// What `show stats` says of it.
    pub(crate) fn synchronisation(&self, now: Instant, settings: &Settings) -> Synchronisation {
        let stats = self.client.stats();
        let served = self.service.server.stats();
        Synchronisation {
            used: !settings.bytes(Param::NtpServer).is_empty(),
            last: self.last.map(|last| Synchronised {
                server: last.server,
                ago: now.saturating_duration_since(last.sample.at),
                offset: last.offset,
                stratum: last.sample.stratum,
            }),
            denied: self.client.is_denied(),
            asked: stats.asked,
            timeouts: stats.timeouts,
            refused: stats.refused,
            serves: self.service.port != 0,
            answered: served.answered,
            not_answered: served.refused,
        }
    }

    /// The client waits for nothing.
    pub(crate) fn close_socket(&mut self, net: &mut dyn Net) {
        if let (Some(socket), Some(udp)) = (self.socket.take(), net.udp()) {
            udp.close(socket);
        }
    }
}

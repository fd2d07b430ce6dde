//! Starts the two brokers of the comparison, each on a free port of 127.0.0.1 with a folder of its
//! own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::flow::Target;

/// How long a broker may take to open its port.
const STARTING: Duration = Duration::from_secs(10);

/// mosquitto with what it needs to drop nothing, to send at once as the device does, and with the
/// device's number of messages in flight.
const MOSQUITTO_CONFIG: &str = "\
allow_anonymous true
log_type none
persistence false
set_tcp_nodelay true
max_queued_messages 1000000
max_inflight_messages 64
max_connections -1
";

/// Which broker.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The desktop device: this program as `mqload serve`.
    Umqtt,
    /// mosquitto, the program at this path.
    Mosquitto(PathBuf),
}

/// A broker that runs, until dropped.
pub(crate) struct Broker {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Broker {
    /// Starts one and waits until clients can connect.
    pub(crate) fn start(kind: &Kind) -> io::Result<Broker> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = match kind {
            Kind::Umqtt => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("serve").arg("--port").arg(port.to_string());
                command.arg("--data").arg(folder.path());
                command
            }
            Kind::Mosquitto(program) => {
                let config = folder.path().join("mosquitto.conf");
                std::fs::write(&config, format!("listener {port} 127.0.0.1\n{MOSQUITTO_CONFIG}"))?;
                let mut command = Command::new(program);
                command.arg("-c").arg(config);
                command
            }
        };
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut broker = Broker { process: process.spawn()?, address, _folder: folder };
        let until = Instant::now() + STARTING;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = broker.process.try_wait()? {
                return Err(io::Error::other(format!("{kind:?} ended at once: {status}")));
            }
            if Instant::now() > until {
                return Err(io::Error::other(format!("{kind:?} does not open its port")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(broker)
    }

    /// What to load.
    pub(crate) fn target(&self) -> Target {
        Target { address: self.address, pid: Some(self.process.id()) }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended by itself
        let _ = self.process.wait();
    }
}

/// Where mosquitto is installed: in a folder of `PATH`, or where Debian puts it.
pub(crate) fn find_mosquitto() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("mosquitto")).find(|file| Path::is_file(file))
}

//! Starts the two brokers of the comparison, each on a free port of 127.0.0.1 with a folder of its
//! own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::busy::{self, Driver};
use crate::flow::Target;

/// How long a broker may take to open its port.
const STARTING: Duration = Duration::from_secs(10);

/// mosquitto with what it needs to drop nothing, to send at once as the device does, and with the
/// device's number of messages in flight.
const MOSQUITTO_CONFIG: &str = "\
allow_anonymous true
log_type none
set_tcp_nodelay true
max_queued_messages 1000000
max_inflight_messages 64
max_connections -1
";

/// Nothing is kept over a restart.
const FORGET: &str = "persistence false\n";

/// What comes nearest to the device, which acknowledges what it has kept: mosquitto saves all it
/// has behind each change, and acknowledges without waiting for that. Started by root, it would
/// become a user that may not write there.
const KEEP: &str = "user root\npersistence true\nautosave_on_changes true\nautosave_interval 1\n";

/// Which broker.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The desktop device: this program as `mqload serve`.
    Umqtt,
    /// The same, running [`busy::script`], which is kept busy.
    Busy,
    /// mosquitto, the program at this path.
    Mosquitto(PathBuf),
    /// mosquitto that keeps sessions and messages.
    KeepingMosquitto(PathBuf),
}

/// A broker that runs, until dropped.
pub(crate) struct Broker {
    process: Child,
    address: SocketAddr,
    /// Who keeps its script busy.
    driver: Option<Driver>,
    _folder: TempDir,
}

impl Broker {
    /// Starts one and waits until clients can connect.
    pub(crate) fn start(kind: &Kind) -> io::Result<Broker> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = match kind {
            Kind::Umqtt | Kind::Busy => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("serve").arg("--port").arg(port.to_string());
                command.arg("--data").arg(folder.path());
                if matches!(kind, Kind::Busy) {
                    let script = folder.path().join("busy.script");
                    std::fs::write(&script, busy::script())?;
                    command.arg("--script").arg(script);
                }
                command
            }
            Kind::Mosquitto(program) | Kind::KeepingMosquitto(program) => {
                let keep = if matches!(kind, Kind::Mosquitto(_)) { FORGET } else { KEEP };
                let place = format!("persistence_location {}/\n", folder.path().display());
                let listen = format!("listener {port} 127.0.0.1\n");
                let config = folder.path().join("mosquitto.conf");
                std::fs::write(&config, [&listen, MOSQUITTO_CONFIG, keep, &place].concat())?;
                let mut command = Command::new(program);
                command.arg("-c").arg(config);
                command
            }
        };
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut broker =
            Broker { process: process.spawn()?, address, driver: None, _folder: folder };
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
        if matches!(kind, Kind::Busy) {
            broker.driver = Some(Driver::start(address)?);
        }
        Ok(broker)
    }

    /// Events its script has had while it was kept busy.
    pub(crate) fn script_events(&self) -> u64 {
        self.driver.as_ref().map_or(0, Driver::events)
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

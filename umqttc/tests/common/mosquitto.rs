//! Debian's mosquitto, as another broker.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::device::local;
use super::eventually;

/// Whether to run a test that needs it; says so if not.
pub fn mosquitto_enabled(test: &str) -> bool {
    let enabled = std::env::var_os("UMQTT_REAL_TOOLS").is_some_and(|value| value == "1");
    if !enabled {
        eprintln!("skipped: {test} needs mosquitto; set UMQTT_REAL_TOOLS=1 to run it");
    }
    enabled
}

/// A mosquitto that keeps nothing over its end. Killed when dropped.
pub struct Mosquitto {
    child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Mosquitto {
    #[track_caller]
    pub fn start(dir: &Path, port: u16) -> Mosquitto {
        Mosquitto::start_with(dir, port, "")
    }

    /// With more lines of configuration.
    #[track_caller]
    pub fn start_with(dir: &Path, port: u16, more: &str) -> Mosquitto {
        let config = dir.join("mosquitto.conf");
        let text =
            format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n{more}");
        std::fs::write(&config, text).expect("a file");
        let log = dir.join("mosquitto.log");
        let command = |name: &str| {
            let out = File::create(&log).expect("a file");
            let errors = out.try_clone().expect("a file");
            let mut command = Command::new(name);
            command.arg("-v").arg("-c").arg(&config).stdin(Stdio::null());
            command.stdout(out).stderr(errors).spawn()
        };
        // Debian has it where only root looks.
        let child = command("mosquitto").or_else(|_| command("/usr/sbin/mosquitto"));
        let child = child.expect("mosquitto is installed");
        let started = Mosquitto { child, port, log: log.clone() };
        eventually("mosquitto to listen", || std::net::TcpStream::connect(local(port)).ok());
        started
    }

    /// SIGKILL; returns its port.
    pub fn kill(mut self) -> u16 {
        self.child.kill().expect("can be killed");
        self.child.wait().expect("is gone");
        self.port
    }

    pub fn logs(&self, text: &str) {
        eventually(&format!("{text:?} in the log of mosquitto"), || {
            let log = std::fs::read(&self.log).expect("its log");
            String::from_utf8_lossy(&log).contains(text).then_some(())
        });
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

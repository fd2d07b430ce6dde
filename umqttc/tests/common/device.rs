//! A real `umqttc run` process.

use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use umqtt_testkit::ports::{free_port, local};

use super::console::ConsoleClient;
use super::mqtt::Mqtt;
use super::{UMQTTC, eventually};

/// A running device on free ports with its state in a folder of its own. Killed when dropped.
pub struct Device {
    child: Child,
    stdin: Option<ChildStdin>,
    log: Arc<Mutex<Vec<u8>>>,
    pub mqtt_port: u16,
    pub console_port: u16,
    pub data: PathBuf,
}

impl Device {
    /// Starts a device that runs `script`, or what is stored in `data`, and waits until it serves.
    #[track_caller]
    pub fn start(data: &Path, script: Option<&str>) -> Device {
        let file = script.map(|text| {
            let path = data.join("test.script");
            std::fs::create_dir_all(data).expect("the folder");
            std::fs::write(&path, text).expect("the script");
            path
        });
        let state = data.join("state");
        // Between finding a free port and using it, another process may take it.
        for _ in 0..10 {
            let mut device = Device::spawn(&state, file.as_deref(), free_port(), free_port());
            if device.serves() {
                return device;
            }
            let log = device.log();
            assert!(log.contains("in use"), "the device did not start: {log}");
        }
        panic!("found no free ports");
    }

    /// Starts the process and does not wait for anything.
    pub fn spawn(data: &Path, script: Option<&Path>, mqtt_port: u16, console_port: u16) -> Device {
        Device::spawn_with(data, script, mqtt_port, console_port, &[])
    }

    /// The same with more arguments.
    pub fn spawn_with(
        data: &Path,
        script: Option<&Path>,
        mqtt_port: u16,
        console_port: u16,
        more: &[&str],
    ) -> Device {
        Device::spawn_by(Command::new(UMQTTC), data, script, mqtt_port, console_port, more)
    }

    /// The same by a command that starts `umqttc`.
    pub fn spawn_by(
        mut umqttc: Command,
        data: &Path,
        script: Option<&Path>,
        mqtt_port: u16,
        console_port: u16,
        more: &[&str],
    ) -> Device {
        let mut child = umqttc
            .arg("run")
            .args(script)
            .args(["--mqtt-port", &mqtt_port.to_string()])
            .args(["--console-port", &console_port.to_string()])
            .arg("--data")
            .arg(data)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("umqttc starts");
        let log = Arc::default();
        collect(child.stdout.take().expect("is piped"), &log);
        collect(child.stderr.take().expect("is piped"), &log);
        let stdin = child.stdin.take();
        Device { child, stdin, log, mqtt_port, console_port, data: data.to_owned() }
    }

    /// Waits until both ports are open; false if the process ended instead.
    pub fn serves(&mut self) -> bool {
        eventually("the device to open its ports or to end", || {
            if self.child.try_wait().expect("can be asked").is_some() {
                // What it said last may still be on its way.
                std::thread::sleep(Duration::from_millis(100));
                return Some(false);
            }
            let open = |port| TcpStream::connect(local(port)).is_ok();
            (open(self.mqtt_port) && open(self.console_port)).then_some(true)
        })
    }

    /// All it wrote so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().expect("no panic")).into_owned()
    }

    /// Waits for a text in its output.
    #[track_caller]
    pub fn logs(&self, text: &str) {
        eventually(&format!("{text:?} in the log:\n{}", self.log()), || {
            self.log().contains(text).then_some(())
        });
    }

    /// Types a line on the terminal it runs in: its serial console.
    pub fn types(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("is open");
        stdin.write_all(format!("{line}\r\n").as_bytes()).expect("it reads");
        stdin.flush().expect("it reads");
    }

    /// Ends its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// A console session over TCP.
    #[track_caller]
    pub fn console(&self) -> ConsoleClient {
        ConsoleClient::connect(local(self.console_port))
    }

    /// A client of its broker.
    #[track_caller]
    pub fn mqtt(&self, id: &str) -> Mqtt {
        Mqtt::connect(self.mqtt_port, id)
    }

    /// Pulls the plug: SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("can be killed");
        self.child.wait().expect("is gone");
    }

    /// Ctrl-C; returns how it ended.
    pub fn interrupt(self) -> ExitStatus {
        self.signal("-INT")
    }

    /// Sends a signal that ends it; returns how it ended.
    #[track_caller]
    pub fn signal(mut self, signal: &str) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(sent.success());
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        eventually("the device to end", || self.child.try_wait().expect("can be asked"))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("can be asked").is_none()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what the device wrote:\n{}\n---", self.log());
        }
    }
}

fn collect(mut from: impl Read + Send + 'static, log: &Arc<Mutex<Vec<u8>>>) {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            log.lock().expect("no panic").extend_from_slice(&bytes[..count]);
        }
    });
}

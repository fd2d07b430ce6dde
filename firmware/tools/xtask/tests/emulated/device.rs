//! A device in an emulator of its own, with ports of its own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use umqtt_device::device::DeviceOptions;
use xtask::chip::description::Chip;
use xtask::chip::emulator::{Emulator, Forward};
use xtask::chip::push::push;

use crate::client::TestClient;
use crate::wire::{DEVICE, Wire};
pub(crate) use umqtt_testkit::wait::{TIMEOUT, eventually};

/// The device's own ports.
pub(crate) const MQTT: u16 = 1883;
pub(crate) const CONSOLE: u16 = 7777;
const UPLOAD: u16 = 2000;
const PROMPT: &str = "CMD>";
/// Most bytes kept of what it writes to its serial port; what comes then is read and forgotten.
const SERIAL_KEPT: usize = 2 << 20;
/// Lines of it shown with a test that failed.
const SERIAL_SHOWN: usize = 50;

/// The core these tests are of.
pub(crate) fn chip() -> &'static Chip {
    let name = std::env::var("UMQTT_ON_CORE").unwrap_or_default();
    xtask::chips::named(&name).unwrap_or_else(|| panic!("run these with `cargo xtask ... test`"))
}

/// Clients its broker takes.
pub(crate) fn max_clients() -> usize {
    let options = match chip().name {
        "esp8266" => DeviceOptions::ESP8266,
        _ => DeviceOptions::ESP32C3,
    };
    options.limits.max_clients
}

/// A program `cargo xtask ... test` has built.
pub(crate) fn program(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!("{variable} is not set: run these with `cargo xtask ... test`"),
    }
}

/// The device; the emulator dies with it, as by a power cut.
pub(crate) struct Device {
    emulator: Child,
    serial: Arc<Mutex<String>>,
    folder: TempDir,
    ports: [u16; 3],
}

impl Device {
    /// A new one, up and with an address.
    pub(crate) fn boot() -> Device {
        Device::boot_with(tempfile::tempdir().unwrap())
    }

    /// One with the flash in this folder.
    pub(crate) fn boot_with(folder: TempDir) -> Device {
        Device::boot_to_fault(folder, "")
    }

    /// One that has this fault at its start, until it comes up in spite of it.
    pub(crate) fn boot_to_fault(folder: TempDir, fault: &str) -> Device {
        let ports = free_ports();
        let forwards: Vec<Forward> = ports
            .into_iter()
            .zip([MQTT, CONSOLE, UPLOAD])
            .map(|(outside, inside)| Forward { bind: Ipv4Addr::LOCALHOST, outside, inside })
            .collect();
        let device = Device::start(folder, ports, |machine| {
            machine.network(&forwards).append(fault);
        });
        device.has_said("network up");
        device.console();
        device
    }

    /// A new one at the end of a wire, with an address of its own there.
    pub(crate) fn boot_on_wire() -> (Device, Wire) {
        Device::boot_on_wire_with("")
    }

    /// The same with more settings: commands, each with the end of its line.
    pub(crate) fn boot_on_wire_with(settings: &str) -> (Device, Wire) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let other = socket.local_addr().unwrap().port();
        let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut device = Device::start(tempfile::tempdir().unwrap(), [0; 3], |machine| {
            machine.wire(own, other);
        });
        device.type_in(&format!("set ip {DEVICE}\r\nset netmask 255.255.255.0\r\n{settings}"));
        device.type_in("save\r\n");
        device.has_said("Config saved");
        device.type_in("reset\r\n");
        device.has_said("network up");
        (device, Wire::new(socket, own))
    }

    fn start(folder: TempDir, ports: [u16; 3], network: impl FnOnce(&mut Emulator)) -> Device {
        let mut machine = Emulator::new(chip(), &program("UMQTT_ON_CORE_DEVICE"));
        network(machine.flash(&folder.path().join("flash")).unwrap());
        let mut emulator = machine.start().unwrap();
        let mut output = emulator.stdout.take().unwrap();
        let serial = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&serial);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let mut written = written.lock().unwrap();
                if written.len() < SERIAL_KEPT {
                    written.push_str(&String::from_utf8_lossy(&bytes[..count]));
                }
            }
        });
        Device { emulator, serial, folder, ports }
    }

    /// Waits until it has written this to its serial port. The emulator takes connections at once
    /// and offers each to the device when there is one: what the device misses before it has an
    /// address comes again after seconds only.
    pub(crate) fn has_said(&self, what: &str) {
        eventually(what, || self.serial().contains(what).then_some(()));
    }

    /// All it has written to its serial port. One that writes without end fails the test.
    pub(crate) fn serial(&self) -> String {
        let serial = self.serial.lock().unwrap().clone();
        assert!(serial.len() < SERIAL_KEPT, "it wrote {SERIAL_KEPT} bytes to its serial port");
        serial
    }

    /// The last lines it has written there: what it was doing.
    fn last_lines(&self) -> String {
        let Ok(serial) = self.serial.lock() else { return String::new() };
        let lines: Vec<&str> = serial.lines().collect();
        lines[lines.len().saturating_sub(SERIAL_SHOWN)..].join("\n")
    }

    /// Types on its serial port.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.emulator.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Where its MQTT port, console and upload port are.
    pub(crate) fn addresses(&self) -> [SocketAddr; 3] {
        self.ports.map(|port| (Ipv4Addr::LOCALHOST, port).into())
    }

    /// An MQTT client of this name.
    pub(crate) fn client(&self, name: &str) -> TestClient {
        eventually("an MQTT connection", || TestClient::connect(self.addresses()[0], name).ok())
    }

    /// A console session at its prompt.
    pub(crate) fn console(&self) -> Console {
        eventually("a console", || {
            let stream = TcpStream::connect(self.addresses()[1]).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
            stream.set_nodelay(true).ok()?;
            let mut console = Console { stream };
            console.reply().ok()?;
            Some(console)
        })
    }

    /// Uploads a script; what the device says about it.
    pub(crate) fn push(&self, script: &[u8]) -> String {
        let [_, console, upload] = self.addresses();
        push(console, upload, UPLOAD, script).unwrap()
    }

    /// Sends a script to the upload port, which a console has opened, and does not wait for what
    /// comes of it.
    pub(crate) fn upload(&self, script: &[u8]) {
        let mut upload = TcpStream::connect(self.addresses()[2]).unwrap();
        upload.write_all(script).unwrap();
    }

    /// What is in its flash now.
    pub(crate) fn flash(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("flash")).unwrap()
    }

    /// Cuts its power at once; the flash stays.
    pub(crate) fn cut(mut self) -> TempDir {
        self.emulator.kill().unwrap();
        self.emulator.wait().unwrap();
        let kept = tempfile::tempdir().unwrap();
        copy(self.folder.path(), kept.path());
        kept
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
        if thread::panicking() {
            eprintln!("last on the device's serial port:\n{}", self.last_lines());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from.join("flash"), to.join("flash")).unwrap();
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// A console session.
pub(crate) struct Console {
    stream: TcpStream,
}

impl Console {
    /// What a command is answered, without the prompt.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.reply().unwrap()
    }

    /// What a command is answered, which has this in it, whatever lines of the log and prompts come
    /// before it.
    pub(crate) fn ask_for(&mut self, command: &str, mark: &str) -> String {
        self.send(command);
        let text = [self.read_until(mark).unwrap(), self.read_until(PROMPT).unwrap()].concat();
        String::from_utf8_lossy(&text).replace('\r', "")
    }

    /// Gives a command and does not wait for the answer.
    pub(crate) fn send(&mut self, command: &str) {
        self.stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    }

    /// Reads until the device has said this.
    pub(crate) fn wait_for(&mut self, what: &str) {
        self.read_until(what).unwrap();
    }

    fn reply(&mut self) -> std::io::Result<String> {
        let mut text = self.read_until(PROMPT)?;
        // A line of the log before it has taken the prompt's place, and has one behind it.
        while text.starts_with(b"\r") && !text.starts_with(b"\r\n") {
            text = self.read_until(PROMPT)?;
        }
        text.truncate(text.len() - PROMPT.len());
        Ok(String::from_utf8_lossy(&text).replace('\r', ""))
    }

    fn read_until(&mut self, end: &str) -> std::io::Result<Vec<u8>> {
        let (mut text, mut byte) = (Vec::new(), [0]);
        while !text.ends_with(end.as_bytes()) {
            self.stream.read_exact(&mut byte)?;
            text.extend(byte);
        }
        Ok(text)
    }
}

//! The same with the tools people have: mosquitto_pub, mosquitto_sub, nc, python3. Only with
//! UMQTT_REAL_TOOLS=1, for a machine need not have them.
#![cfg(unix)]

mod common;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::device::{Device, free_port};
use common::{eventually, folder, output_of, repository, umqttc};

/// Whether to run; says so if not.
fn enabled(test: &str) -> bool {
    let enabled = std::env::var_os("UMQTT_REAL_TOOLS").is_some_and(|value| value == "1");
    if !enabled {
        eprintln!(
            "skipped: {test} drives the device with real tools; set UMQTT_REAL_TOOLS=1 to run it"
        );
    }
    enabled
}

fn relay_device(dir: &Path) -> Device {
    let relay = std::fs::read_to_string(repository("scripts/relay.script")).expect("the sample");
    Device::start(dir, Some(&relay))
}

/// A tool of the MQTT kind, towards this device.
fn mosquitto(tool: &str, device: &Device) -> Command {
    let mut command = Command::new(tool);
    command.args(["-h", "127.0.0.1", "-p", &device.mqtt_port.to_string()]);
    command
}

fn publish(device: &Device, args: &[&str]) {
    let output = output_of(mosquitto("mosquitto_pub", device).args(args), b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A `mosquitto_sub -v` and what it printed so far.
struct Listener {
    child: Child,
    heard: std::sync::mpsc::Receiver<String>,
    all: String,
}

impl Listener {
    fn start(device: &Device, args: &[&str]) -> Listener {
        let mut child = mosquitto("mosquitto_sub", device)
            .arg("-v")
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("mosquitto_sub is installed");
        let mut out = child.stdout.take().expect("is piped");
        let (sender, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(count @ 1..) = out.read(&mut buffer) {
                let _ = sender.send(String::from_utf8_lossy(&buffer[..count]).into_owned());
            }
        });
        Listener { child, heard, all: String::new() }
    }

    fn hears(&mut self, line: &str) {
        eventually(&format!("{line:?} from mosquitto_sub"), || {
            self.all.extend(self.heard.try_iter());
            self.all.lines().any(|heard| heard == line).then_some(())
        });
        self.all.clear();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A console session with netcat: what it printed after these lines were typed.
fn session(device: &Device, lines: &[&str]) -> String {
    let mut script = String::new();
    for line in lines {
        script += &format!("printf '%s\\r\\n' '{line}'; sleep 0.3; ");
    }
    let pipeline = format!("{{ {script} }} | timeout 20 nc 127.0.0.1 {}", device.console_port);
    let output = output_of(Command::new("sh").args(["-c", &pipeline]), b"");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn netcat(port: u16, bytes: &[u8]) {
    // -N: half-close when standard input ends, as `nc HOST PORT < file` does on most systems.
    let mut command = Command::new("timeout");
    command.args(["20", "nc", "-N", "127.0.0.1", &port.to_string()]);
    output_of(&mut command, bytes);
}

/// [MQTT-7.0.0-2]
#[test]
fn mosquitto_drives_the_relay() {
    if !enabled("mosquitto_drives_the_relay") {
        return;
    }
    let dir = folder(&[]);
    let device = relay_device(dir.path());
    let mut listener = Listener::start(&device, &["-t", "#"]);
    listener.hears("relay/status off");
    publish(&device, &["-t", "relay/command", "-m", "toggle"]);
    listener.hears("relay/status on");
    // The old protocol, and the higher levels of service, as far as the broker grants them.
    publish(&device, &["-V", "mqttv31", "-t", "relay/command", "-m", "toggle"]);
    listener.hears("relay/status off");
    for qos in ["1", "2"] {
        publish(&device, &["-q", qos, "-t", "relay/command", "-m", "toggle"]);
    }
    listener.hears("relay/status off");
    publish(&device, &["-r", "-t", "house/door", "-m", "open"]);
    let mut late = Listener::start(&device, &["-t", "house/+"]);
    late.hears("house/door open");
}

#[test]
fn mosquitto_leaves_its_will() {
    if !enabled("mosquitto_leaves_its_will") {
        return;
    }
    let dir = folder(&[]);
    let device = relay_device(dir.path());
    let mut listener = Listener::start(&device, &["-t", "gone/#"]);
    let mut other = Listener::start(&device, &["-t", "gone/ready"]);
    publish(&device, &["-r", "-t", "gone/ready", "-m", "1"]);
    other.hears("gone/ready 1");
    let will = ["--will-topic", "gone/who", "--will-payload", "me", "-t", "x"];
    let dying = Listener::start(&device, &will);
    let mut console = device.console();
    console.ask_until("show mqtt", |reply| reply.contains("Current clients: 3"));
    drop(dying);
    listener.hears("gone/who me");
}

#[test]
fn netcat_holds_console_sessions_and_pushes_scripts() {
    if !enabled("netcat_holds_console_sessions_and_pushes_scripts") {
        return;
    }
    let script = b"on init do publish local \"who\" \"pushed\" retained\n";
    let dir = folder(&[("other.script", script)]);
    let device = relay_device(dir.path());
    let said = session(&device, &["show script", "show vars", "quit"]);
    for text in ["CMD>", "% A relay", "on: 0", "Quitting console"] {
        assert!(said.contains(text), "{text:?} in {said}");
    }
    for (bytes, what) in [
        (script.to_vec(), "source"),
        (
            {
                assert_eq!(umqttc(dir.path(), &["build", "other.script"]).code, 0);
                std::fs::read(dir.path().join("other.umq")).expect("was built")
            },
            "bytecode",
        ),
    ] {
        let port = free_port();
        let mut console = device.console();
        console.ask(&format!("script {port}"));
        netcat(port, &bytes);
        let said = console.until("Syntax okay");
        assert!(
            said.contains(&format!("Script upload completed ({} Bytes)", bytes.len())),
            "{what}: {said}"
        );
        Listener::start(&device, &["-t", "who"]).hears("who pushed");
    }
}

#[test]
fn telnet_options_are_swallowed() {
    if !enabled("telnet_options_are_swallowed") {
        return;
    }
    let dir = folder(&[]);
    let device = relay_device(dir.path());
    // What telnet sends when it connects to a port that is not its own, and when one types Ctrl-C.
    let program = format!(
        "import socket,sys\n\
         s=socket.create_connection(('127.0.0.1',{}),20); s.settimeout(20)\n\
         f=s.makefile('rb')\n\
         s.sendall(b'\\xff\\xfd\\x03\\xff\\xfb\\x18\\xff\\xfa\\x18\\x00xterm\\xff\\xf0show vars\\r\\n')\n\
         s.sendall(b'\\xff\\xf4\\xff\\xfd\\x06quit\\r\\n')\n\
         sys.stdout.buffer.write(f.read())\n",
        device.console_port
    );
    let output = output_of(Command::new("python3").args(["-c", &program]), b"");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("on: 0") && said.contains("Quitting console"), "{said}");
    assert!(!said.contains("Invalid"), "{said}");
}

#[test]
fn a_script_comes_from_pythons_http_server() {
    if !enabled("a_script_comes_from_pythons_http_server") {
        return;
    }
    let script = b"on init do publish local \"who\" \"fetched\" retained\n";
    let dir = folder(&[]);
    let web = folder(&[("new.script", script)]);
    let device = relay_device(dir.path());
    let port = free_port();
    let mut server = Command::new("python3")
        .args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()])
        .current_dir(web.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("python3 is installed");
    eventually("the server", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let mut console = device.console();
    console.ask(&format!("script http://127.0.0.1:{port}/missing.script"));
    console.until("error code 404");
    console.ask(&format!("script http://127.0.0.1:{port}/new.script"));
    console.until("Syntax okay");
    Listener::start(&device, &["-t", "who"]).hears("who fetched");
    let _ = server.kill();
    let _ = server.wait();
    std::thread::sleep(Duration::from_millis(10));
}

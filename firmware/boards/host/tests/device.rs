//! The whole desktop device over plain sockets.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use umqtt_host::{HostDevice, HostOptions, RunError, Script, Serial, StopHandle};
use umqtt_lang::{Analysis, EmitOptions};
use umqtt_testkit::ports::free_port;
use umqtt_testkit::wait::TIMEOUT;
use umqtt_vm::Profile;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A device that runs in a thread, in a directory of its own.
struct Running {
    dir: PathBuf,
    mqtt: u16,
    console: u16,
    stopper: StopHandle,
    thread: Option<JoinHandle<()>>,
}

fn fresh_dir() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("umqtt-host-{}-{number}", std::process::id()))
}

fn options(dir: PathBuf) -> HostOptions {
    let (mqtt_port, console_port) = (Some(free_port()), Some(free_port()));
    HostOptions { mqtt_port, console_port, serial: Serial::None, ..HostOptions::new(dir) }
}

fn compiled(source: &str) -> Script {
    let options = EmitOptions::new().debug(true);
    let analysis = Analysis::new(source.as_bytes(), &Profile::DESKTOP, options);
    let program = analysis.into_program().unwrap().unwrap();
    Script { program, source: Some(source.as_bytes().to_vec()) }
}

fn start(dir: PathBuf, script: Option<&str>) -> Running {
    // Another process may take a free port before we do.
    for _ in 0..10 {
        let options = options(dir.clone());
        let options = HostOptions { script: script.map(compiled), ..options };
        let (mqtt, console) = (options.mqtt_port.unwrap(), options.console_port.unwrap());
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || match HostDevice::start(options) {
            Ok(desktop) => {
                sender.send(Ok(desktop.stop_handle())).unwrap();
                desktop.run().unwrap();
            }
            Err(error) => sender.send(Err(error)).unwrap(),
        });
        match receiver.recv().unwrap() {
            Ok(stopper) => return Running { dir, mqtt, console, stopper, thread: Some(thread) },
            Err(RunError::Port { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no free ports")
}

impl Running {
    /// Stops it and keeps its directory.
    fn stop(mut self) -> PathBuf {
        self.stopper.stop();
        self.thread.take().unwrap().join().unwrap();
        std::mem::take(&mut self.dir)
    }

    fn connect(&self, port: u16) -> TcpStream {
        let stream = TcpStream::connect((LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    fn console(&self) -> Console {
        let mut console = Console(self.connect(self.console));
        assert_eq!(console.until("CMD>"), "CMD>");
        console
    }

    /// A client that has connected and subscribed to everything.
    fn client(&self, name: u8) -> TcpStream {
        let mut client = self.connect(self.mqtt);
        client
            .write_all(&[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, name])
            .unwrap();
        client.write_all(&[0x82, 6, 0, 1, 0, 1, b'#', 0]).unwrap();
        let mut replies = [0; 9];
        client.read_exact(&mut replies).unwrap();
        assert_eq!(replies, [0x20, 2, 0, 0, 0x90, 3, 0, 1, 0]);
        client
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if !self.dir.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

struct Console(TcpStream);

impl Console {
    fn until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&text));
            });
            text.push(byte[0]);
        }
        String::from_utf8(text).unwrap()
    }

    fn ask(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\n").as_bytes()).unwrap();
        let reply = self.until("CMD>");
        reply.strip_suffix("CMD>").unwrap().to_owned()
    }
}

fn publish(client: &mut TcpStream, topic: &str, data: &str) {
    let mut packet = vec![0x30, (2 + topic.len() + data.len()) as u8, 0, topic.len() as u8];
    packet.extend(topic.bytes().chain(data.bytes()));
    client.write_all(&packet).unwrap();
}

/// The next message, as topic and payload.
fn message(client: &mut TcpStream) -> (String, String) {
    let mut head = [0; 4];
    client.read_exact(&mut head).unwrap();
    assert_eq!(head[0] & 0xfe, 0x30);
    let mut rest = vec![0; head[1] as usize - 2];
    client.read_exact(&mut rest).unwrap();
    let data = rest.split_off(head[3] as usize);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(rest), text(data))
}

const ECHO: &str = "on init\ndo\n    subscribe local in\n\non topic local in\ndo\n    \
    setvar $last = $this_data\n    publish local out $last | \"!\"\n";

/// Two send messages of 1 MB as fast as they can, one subscribes to them and never reads, one says
/// nothing at all.
#[test]
fn others_are_served_while_some_flood_and_some_do_not_read() {
    let device = start(fresh_dir(), None);
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let deaf = device.client(b'd');
    let silent = device.connect(device.mqtt);
    let mut threads = Vec::new();
    for name in *b"xy" {
        let mut bad = device.connect(device.mqtt);
        let hello = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, name];
        bad.write_all(&hello).unwrap();
        let done = done.clone();
        threads.push(std::thread::spawn(move || {
            let mut message = vec![b'x'; 1 << 20];
            message[..7].copy_from_slice(&[0x30, 0xfc, 0xff, 0x3f, 0, 1, b'f']);
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) && bad.write_all(&message).is_ok() {
                sent += 1;
            }
            sent
        }));
    }
    let mut good = device.connect(device.mqtt);
    good.set_nodelay(true).unwrap();
    good.write_all(&[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'g']).unwrap();
    good.write_all(&[0x82, 6, 0, 1, 0, 1, b'w', 0]).unwrap();
    good.read_exact(&mut [0; 9]).unwrap();
    let mut console = device.console();
    // Until the queue of the one that does not read is full, and that is some megabytes.
    let until = std::time::Instant::now() + TIMEOUT;
    let mut said = 0_u32;
    while said < 50 || console.ask("show mqtt").contains("Dropped: messages 0,") {
        assert!(std::time::Instant::now() < until, "nothing was dropped");
        said += 1;
        let word = [0x30, 4, 0, 1, b'w', said as u8];
        good.write_all(&word).unwrap();
        let mut heard = [0; 6];
        good.read_exact(&mut heard).unwrap();
        assert_eq!(heard, word);
    }
    let shown = console.ask("show mqtt");
    assert!(shown.contains("Current clients: 4\r\nd, g, x, y\r\n"), "{shown}");
    done.store(true, Ordering::Relaxed);
    for thread in threads {
        assert!(thread.join().unwrap() > 0, "it did flood");
    }
    drop((deaf, silent));
}

/// [MQTT-7.1.1-1]
#[test]
fn clients_talk_to_each_other() {
    let device = start(fresh_dir(), None);
    let mut one = device.client(b'a');
    let mut other = device.client(b'b');
    publish(&mut one, "x/y", "hello");
    for client in [&mut one, &mut other] {
        assert_eq!(message(client), ("x/y".into(), "hello".into()));
    }
    let mut console = device.console();
    assert!(console.ask("show mqtt").contains("Current clients: 2"));
    assert_eq!(console.ask("publish local x word"), "Published topic\r\n");
    assert_eq!(message(&mut one), ("x".into(), "word".into()));
    device.stop();
}

#[test]
fn a_script_runs_is_replaced_and_is_there_after_a_restart() {
    let device = start(fresh_dir(), Some(ECHO));
    let mut client = device.client(b'a');
    publish(&mut client, "in", "1");
    assert_eq!(message(&mut client).0, "in");
    assert_eq!(message(&mut client), ("out".into(), "1!".into()));
    let mut console = device.console();
    assert!(console.ask("show script").contains("   3:     subscribe local in"));
    assert!(console.ask("show vars").contains("last: 1"));

    let port = free_port();
    let waiting = console.ask(&format!("script {port}"));
    assert_eq!(waiting, format!("Waiting for script upload on port {port}\r\n"));
    let mut upload = device.connect(port);
    let new = ECHO.replace('!', "?");
    upload.write_all(new.as_bytes()).unwrap();
    drop(upload);
    let report = console.until("CMD>");
    assert!(report.contains(&format!("Script upload completed ({} Bytes)", new.len())), "{report}");
    assert!(report.contains("Syntax okay"), "{report}");
    publish(&mut client, "in", "2");
    assert_eq!(message(&mut client).0, "in");
    assert_eq!(message(&mut client), ("out".into(), "2?".into()));

    let device = start(device.stop(), None);
    let mut client = device.client(b'a');
    publish(&mut client, "in", "3");
    assert_eq!(message(&mut client).0, "in");
    assert_eq!(message(&mut client), ("out".into(), "3?".into()));
    assert_eq!(device.console().ask("script delete"), "Script deleted\r\n");
    drop(device);
}

#[test]
fn a_sender_that_does_not_close_is_served_too() {
    let device = start(fresh_dir(), None);
    let mut console = device.console();
    let port = free_port();
    console.ask(&format!("script {port}"));
    let mut upload = device.connect(port);
    upload.write_all(ECHO.as_bytes()).unwrap();
    let mut answer = String::new();
    upload.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Syntax okay"), "{answer}");
    assert!(console.until("CMD>").contains("Syntax okay"));
}

#[test]
fn a_broken_script_is_refused_with_its_place_and_the_old_one_runs_on() {
    let device = start(fresh_dir(), Some(ECHO));
    let mut client = device.client(b'a');
    let mut console = device.console();
    for (bad, reason) in [
        (&b"on init\ndo\n    printn 1\n"[..], "line 3, column 5"),
        (b"", "empty"),
        (b"uMQ!garbage", "bytecode"),
    ] {
        let port = free_port();
        console.ask(&format!("script {port}"));
        device.connect(port).write_all(bad).unwrap();
        let report = console.until("CMD>");
        assert!(report.contains(reason), "{report}");
    }
    publish(&mut client, "in", "1");
    assert_eq!(message(&mut client).0, "in");
    assert_eq!(message(&mut client), ("out".into(), "1!".into()));
}

#[test]
fn a_script_is_pulled_over_redirects_and_in_chunks() {
    let server = TcpListener::bind((LOCALHOST, 0)).unwrap();
    let port = server.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1000];
            let n = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            let reply = match request.split(' ').nth(1).unwrap() {
                "/old" => "HTTP/1.1 302 Found\r\nLocation: /new\r\n\r\n".to_owned(),
                "/new" => {
                    let (one, two) = ECHO.split_at(20);
                    format!(
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                         {:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
                        one.len(),
                        two.len()
                    )
                }
                _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
            };
            stream.write_all(reply.as_bytes()).unwrap();
        }
    });
    let device = start(fresh_dir(), None);
    let mut console = device.console();
    let url = format!("http://localhost:{port}/old");
    assert_eq!(console.ask(&format!("script {url}")), format!("HTTP request to {url} started\r\n"));
    let report = console.until("CMD>");
    let completed = format!("HTTP script download completed ({} Bytes)", ECHO.len());
    assert!(report.contains(&completed) && report.contains("Syntax okay"), "{report}");
    console.ask(&format!("script http://localhost:{port}/nothing"));
    let report = console.until("CMD>");
    assert!(report.contains("HTTP script upload failed (error code 404)"), "{report}");
}

#[test]
fn a_taken_port_and_a_taken_directory_are_named() {
    let device = start(fresh_dir(), None);
    let taken = HostOptions { mqtt_port: Some(device.mqtt), ..options(fresh_dir()) };
    let dir = taken.data.clone();
    let error = HostDevice::start(taken).err().unwrap().to_string();
    assert!(error.contains(&format!("port {} is in use", device.mqtt)), "{error}");
    let _ = std::fs::remove_dir_all(dir);
    let error = HostDevice::start(options(device.dir.clone())).err().unwrap().to_string();
    assert!(error.contains("in use by another process"), "{error}");
}

#[test]
fn a_reset_keeps_what_was_saved_and_a_factory_reset_nothing() {
    let device = start(fresh_dir(), Some(ECHO));
    let mut console = device.console();
    assert_eq!(console.ask("set mqtt_user mine"), "mqtt_user set to mine\r\n");
    assert_eq!(console.ask("save"), "Config saved\r\n");
    for (command, ssid, script) in [("reset", "mine", true), ("reset factory", "none", false)] {
        console.0.write_all(format!("{command}\n").as_bytes()).unwrap();
        let mut rest = String::new();
        console.0.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "Restarting ...\r\n");
        // It is listening again a moment later; until then it may take us in and drop us.
        console = (0..200)
            .find_map(|_| {
                std::thread::sleep(Duration::from_millis(50));
                let mut console = Console(TcpStream::connect((LOCALHOST, device.console)).ok()?);
                let mut prompt = [0; 4];
                console.0.read_exact(&mut prompt).ok().map(|()| console)
            })
            .unwrap_or_else(|| device.console());
        assert!(console.ask("show").contains(ssid));
        let shown = console.ask("show script");
        assert_eq!(shown.contains("subscribe"), script, "{shown}");
    }
}

/// [MQTT-7.0.0-1], [MQTT-7.1.2-1]
#[test]
fn one_device_is_the_client_of_another() {
    let far = start(fresh_dir(), None);
    let bridge = format!(
        "config mqtt_host localhost\nconfig mqtt_port {}\n\
         on mqttconnect do\n    subscribe remote to/near\n    publish remote from/near hello retained\n\
         on topic remote to/near do\n    publish local got $this_data\n",
        far.mqtt
    );
    let near = start(fresh_dir(), Some(&bridge));
    let mut near_client = near.client(b'n');
    let mut far_client = far.client(b'f');
    // Retained or new, depending on who was first.
    assert_eq!(message(&mut far_client), ("from/near".into(), "hello".into()));
    publish(&mut far_client, "to/near", "there");
    assert_eq!(message(&mut near_client), ("got".into(), "there".into()));
}

#[test]
fn simulated_pins_and_lines_act_at_once() {
    let script = "config system_output 0\n\
        on serial do\n    println \"line \" | $this_serial\n\
        on gpio_interrupt 5 pullup do\n    println \"pin \" | $this_gpio\n";
    let device = start(fresh_dir(), Some(script));
    let mut console = device.console();
    let began = std::time::Instant::now();
    for number in 0..8 {
        console.0.write_all(format!("sim serial x{number}\n").as_bytes()).unwrap();
        console.until(&format!("line x{number}\r\n"));
        console.0.write_all(format!("sim gpio 5 {}\n", number % 2).as_bytes()).unwrap();
        console.until(&format!("pin {}\r\n", number % 2));
    }
    // Eight times 50 ms of debouncing; were the loop to sleep through them, it would be seconds.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn many_commands_at_once_are_all_answered_without_a_pause() {
    let device = start(fresh_dir(), None);
    let mut console = device.console();
    let began = std::time::Instant::now();
    console.0.write_all("show\n".repeat(200).as_bytes()).unwrap();
    for _ in 0..200 {
        assert!(console.until("CMD>").contains("pwm_period"));
    }
    // Were it to wait for the next tick of anything after each piece, it would take much longer.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn garbage_on_the_ports_closes_only_its_own_connection() {
    let device = start(fresh_dir(), Some(ECHO));
    let mut client = device.client(b'a');
    for port in [device.mqtt, device.console] {
        for seed in 1..20_u32 {
            let garbage: Vec<u8> = (0..2000_u32)
                .map(|i| (i.wrapping_mul(seed).wrapping_mul(2_654_435_761) >> 13) as u8)
                .collect();
            let mut stream = device.connect(port);
            let _ = stream.write_all(&garbage);
        }
    }
    publish(&mut client, "in", "1");
    assert_eq!(message(&mut client).0, "in");
    assert_eq!(message(&mut client), ("out".into(), "1!".into()));
}

#[test]
fn a_script_that_never_ends_leaves_the_broker_and_the_console_alone() {
    let endless = "on init\ndo\n    subscribe local go\n\non topic local go\ndo\n    \
        setvar $x = 1\n    while $x do\n        setvar $x = $x + 1\n    done\n";
    let device = start(fresh_dir(), Some(endless));
    let mut client = device.client(b'a');
    let mut console = device.console();
    publish(&mut client, "go", "1");
    assert_eq!(message(&mut client).0, "go");
    let printed = console.until("stopped");
    assert!(printed.contains("line 8") || printed.contains("line 9"), "{printed}");
    publish(&mut client, "x", "alive");
    assert_eq!(message(&mut client), ("x".into(), "alive".into()));
}

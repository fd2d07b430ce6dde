//! What was acknowledged outlives the process, however it ends.
#![cfg(unix)]

mod common;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::{Duration, Instant};

use common::device::{Device, free_port, local};
use common::{eventually, folder};
use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::{Connect, PacketType, Publish, Subscribe, Version, emit_ack};

/// Times the process is killed in the middle of a stream.
const KILLS: u32 = 25;
/// Messages on their way at a time.
const WINDOW: usize = 20;

/// A connection of a client with a stored session.
struct Wire {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Wire {
    fn connect(port: u16, id: &str) -> io::Result<Wire> {
        let mut stream = TcpStream::connect(local(port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_millis(5)))?;
        let connect = Connect {
            version: Version::V311,
            client_id: id,
            clean_session: false,
            keep_alive: 0,
            bridge: false,
            will: None,
            user: None,
            password: None,
        };
        let mut packet = Vec::new();
        connect.emit(&mut packet);
        stream.write_all(&packet)?;
        let mut wire = Wire { stream, bytes: Vec::new() };
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if let Some(packet) = wire.packet()? {
                assert_eq!((packet[0], packet[3]), (0x20, 0), "{packet:x?}");
                return Ok(wire);
            }
        }
        Err(ErrorKind::TimedOut.into())
    }

    fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        self.stream.write_all(packet)
    }

    /// The next packet, if it comes soon. All of them are short.
    fn packet(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let [_, len, rest @ ..] = &self.bytes[..]
                && rest.len() >= usize::from(*len)
            {
                assert!(*len < 128);
                let end = 2 + usize::from(*len);
                return Ok(Some(self.bytes.drain(..end).collect()));
            }
            let mut more = [0; 4096];
            match self.stream.read(&mut more) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.bytes.extend_from_slice(&more[..n]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// What two threads and the test share.
struct Shared {
    port: AtomicU16,
    stop: AtomicBool,
}

/// Publishes numbers until told to stop, then until all are acknowledged; how many there were.
fn publish_numbers(shared: &Shared, qos: QoS) -> u32 {
    let mut next = 0_u32;
    // Number, and whether PUBREC came.
    let mut open: VecDeque<(u32, bool)> = VecDeque::new();
    let id = |number: u32| (number % 60_000 + 1) as u16;
    let publish = |number: u32, dup| {
        let payload = number.to_string();
        let publish = Publish {
            topic: b"numbers",
            payload: payload.as_bytes(),
            qos,
            retain: false,
            dup,
            packet_id: id(number),
        };
        let mut packet = Vec::new();
        publish.emit(&mut packet);
        packet
    };
    loop {
        let mut talk = || -> io::Result<()> {
            let mut wire = Wire::connect(shared.port.load(Ordering::SeqCst), "publisher")?;
            for (number, received) in &open {
                match received {
                    true => wire.send(&emit_ack(PacketType::Pubrel, id(*number)))?,
                    false => wire.send(&publish(*number, true))?,
                }
            }
            loop {
                let stop = shared.stop.load(Ordering::SeqCst);
                if stop && open.is_empty() {
                    return Ok(());
                }
                while !stop && open.len() < WINDOW {
                    open.push_back((next, false));
                    next += 1;
                    wire.send(&publish(next - 1, false))?;
                }
                let Some(packet) = wire.packet()? else { continue };
                let acked = u16::from_be_bytes([packet[2], packet[3]]);
                let at = open.iter().position(|(number, _)| id(*number) == acked);
                match (packet[0] >> 4, at) {
                    (4 | 7, Some(at)) => drop(open.remove(at)),
                    (5, at) => {
                        if let Some(at) = at {
                            open[at].1 = true;
                        }
                        wire.send(&emit_ack(PacketType::Pubrel, acked))?;
                    }
                    _ => {}
                }
            }
        };
        match talk() {
            Ok(()) => return next,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Counts what comes, each transfer once, until all numbers are there or nothing has come for long.
fn count_numbers(shared: &Shared, wanted: &dyn Fn() -> Option<u32>) -> BTreeMap<u32, u32> {
    let mut came: BTreeMap<u32, u32> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut last = Instant::now();
    loop {
        let mut talk = || -> io::Result<()> {
            let mut wire = Wire::connect(shared.port.load(Ordering::SeqCst), "subscriber")?;
            loop {
                let all = wanted().is_some_and(|wanted| came.len() >= wanted as usize);
                // What comes twice comes soon.
                let patience = Duration::from_millis(if all { 500 } else { 20_000 });
                if wanted().is_some() && last.elapsed() > patience {
                    return Ok(());
                }
                let Some(packet) = wire.packet()? else { continue };
                last = Instant::now();
                match packet[0] >> 4 {
                    3 => {
                        let topic = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
                        let rest = &packet[4 + topic..];
                        let id = u16::from_be_bytes([rest[0], rest[1]]);
                        let number = std::str::from_utf8(&rest[2..]).expect("a number");
                        let number = number.parse().expect("a number");
                        let exactly = packet[0] & 6 == 4;
                        if !exactly || seen.insert(id) {
                            *came.entry(number).or_default() += 1;
                        }
                        let kind = if exactly { PacketType::Pubrec } else { PacketType::Puback };
                        wire.send(&emit_ack(kind, id))?;
                    }
                    6 => {
                        let id = u16::from_be_bytes([packet[2], packet[3]]);
                        seen.remove(&id);
                        wire.send(&emit_ack(PacketType::Pubcomp, id))?;
                    }
                    _ => {}
                }
            }
        };
        match talk() {
            Ok(()) => return came,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// On the ports of the device before it, which may take a moment to be free.
fn start_again(data: &Path, mqtt: u16, console: u16) -> Device {
    eventually("the device to start again", || {
        let mut device = Device::spawn(data, None, mqtt, console);
        device.serves().then_some(device)
    })
}

fn killed_in_the_middle(qos: QoS) {
    let dir = folder(&[]);
    let (mqtt, console) = (free_port(), free_port());
    let mut device = start_again(dir.path(), mqtt, console);
    let mut wire = Wire::connect(mqtt, "subscriber").expect("it serves");
    let mut subscribe = Vec::new();
    Subscribe::emit(1, &[(b"numbers", qos)], &mut subscribe);
    wire.send(&subscribe).expect("it serves");
    eventually("SUBACK", || wire.packet().expect("it serves"));
    drop(wire);

    let shared = Shared { port: AtomicU16::new(mqtt), stop: AtomicBool::new(false) };
    let total = std::sync::OnceLock::new();
    let came = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| publish_numbers(&shared, qos));
        let subscriber = scope.spawn(|| count_numbers(&shared, &|| total.get().copied()));
        for kill in 0..KILLS {
            // Long and short, so that it happens anywhere.
            std::thread::sleep(Duration::from_millis(20 + u64::from(kill * 37 % 130)));
            device.kill();
            device = start_again(dir.path(), mqtt, console);
        }
        shared.stop.store(true, Ordering::SeqCst);
        let sent = publisher.join().expect("no panic");
        total.set(sent).expect("once");
        subscriber.join().expect("no panic")
    });
    let total = *total.get().expect("it is over");
    let missing: Vec<u32> = (0..total).filter(|number| !came.contains_key(number)).collect();
    assert!(missing.is_empty(), "of {total} acknowledged these are lost: {missing:?}");
    assert!(total > KILLS, "only {total}");
    if qos == QoS::ExactlyOnce {
        let twice: Vec<_> = came.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "of {total} these came more than once: {twice:?}");
    }
}

#[test]
fn qos_1_outlives_any_number_of_kills() {
    killed_in_the_middle(QoS::AtLeastOnce);
}

#[test]
fn qos_2_outlives_any_number_of_kills_and_comes_once() {
    killed_in_the_middle(QoS::ExactlyOnce);
}

#[test]
fn what_was_retained_and_subscribed_is_there_after_a_kill_and_forgotten_when_asked() {
    let dir = folder(&[]);
    let (mqtt, console) = (free_port(), free_port());
    let device = start_again(dir.path(), mqtt, console);
    device.mqtt("one").retain_acknowledged("kept/a", "1");
    device.mqtt("one").retain_acknowledged("$own/b", "2");
    device.kill();
    let device = start_again(dir.path(), mqtt, console);
    for (topic, data) in [("kept/a", "1"), ("$own/b", "2")] {
        let reader = device.mqtt("reader");
        reader.subscribe(topic);
        assert_eq!(reader.on(topic), data);
    }
    assert_eq!(device.console().ask("show config").matches("broker_persistence: 1").count(), 1);
    // Ctrl-C and a reset keep them as well.
    assert!(device.interrupt().success());
    let device = start_again(dir.path(), mqtt, console);
    device.console().send(b"reset\r\n");
    let reader = eventually("the device to start again", || {
        let options = rumqttc::MqttOptions::new("reader", "127.0.0.1", mqtt);
        common::mqtt::Mqtt::with(options).ok()
    });
    reader.subscribe("kept/a");
    assert_eq!(reader.on("kept/a"), "1");
    // Without persistence they are forgotten.
    let mut session = device.console();
    session.ask("set broker_persistence 0");
    assert_eq!(session.ask("save"), "Config saved");
    device.kill();
    let device = start_again(dir.path(), mqtt, console);
    let reader = device.mqtt("reader");
    reader.subscribe("#");
    device.mqtt("writer").publish("now", "x");
    assert_eq!(reader.message().topic, "now");
    assert!(!dir.path().join("broker.redb").exists());
}

#[test]
fn a_damaged_store_is_set_aside_and_said() {
    let dir = folder(&[]);
    let (mqtt, console) = (free_port(), free_port());
    let device = start_again(dir.path(), mqtt, console);
    for topic in ["kept/a", "other/b", "other/c"] {
        device.mqtt("one").retain_acknowledged(topic, "1");
    }
    device.kill();
    let store = dir.path().join("broker.redb");
    let whole = std::fs::read(&store).expect("there is a store");
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 4] = [
        ("cut", |bytes| bytes.truncate(10_000)),
        ("random", |bytes| {
            let mut state = 1_u32;
            for byte in bytes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (state >> 24) as u8;
            }
        }),
        ("zeroed", |bytes| bytes.fill(0)),
        ("flipped", |bytes| {
            // Wherever a copy of the record is.
            for at in 0..bytes.len() - 6 {
                bytes[at] ^= u8::from(&bytes[at..at + 6] == b"kept/a");
            }
        }),
    ];
    for (number, (name, damage)) in (1..).zip(damages) {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        std::fs::write(&store, &bytes).expect("it can be written");
        let device = start_again(dir.path(), mqtt, console);
        let aside = dir.path().join(format!("broker.redb.damaged-{number}"));
        assert!(aside.exists(), "{name}: not found out");
        device.logs("is damaged");
        device.mqtt("one").retain_acknowledged("kept/b", "works");
        device.kill();
    }
}

#[test]
fn a_link_to_nowhere_is_not_taken_for_a_new_device() {
    for name in ["flash.bin", "broker.redb"] {
        let dir = folder(&[]);
        let link = dir.path().join(name);
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).expect("a link");
        let mut device = Device::spawn(dir.path(), None, free_port(), free_port());
        assert!(!device.wait().success());
        device.logs("is a link to a file that does not exist");
        assert!(link.is_symlink(), "{name}");
    }
}

/// The files may not grow: who waits for an acknowledgement waits, the log says why, and all others
/// go on.
#[test]
fn without_room_nothing_is_acknowledged_and_qos_0_goes_on() {
    let dir = folder(&[]);
    let (mqtt, console) = (free_port(), free_port());
    let device = start_again(dir.path(), mqtt, console);
    device.mqtt("one").retain_acknowledged("kept/a", "1");
    let limit = std::fs::metadata(dir.path().join("broker.redb")).expect("the store").len();
    let limit = format!("--fsize={limit}:unlimited");
    let pid = device.pid().to_string();
    let limited = |limit: &str| {
        let done = std::process::Command::new("prlimit").args(["--pid", &pid, limit]).status();
        done.is_ok_and(|status| status.success())
    };
    if !limited(&limit) {
        eprintln!("prlimit is not there");
        return;
    }
    let reader = device.mqtt("reader");
    reader.subscribe("free");
    // What a stored session asks for takes room.
    let mut wire = Wire::connect(mqtt, "stored").expect("it serves");
    let mut asked = 0;
    for n in 0..200_u16 {
        let topic = format!("kept/{n}");
        let publish = Publish {
            topic: topic.as_bytes(),
            payload: &[b'x'; 4000],
            qos: QoS::AtLeastOnce,
            retain: true,
            dup: false,
            packet_id: n + 1,
        };
        let mut packet = Vec::new();
        publish.emit(&mut packet);
        wire.send(&packet).expect("it serves");
        asked += 1;
    }
    device.logs("cannot be kept: File too large");
    device.mqtt("writer").publish("free", "goes on");
    assert_eq!(reader.on("free"), "goes on");
    let mut acked = 0;
    while wire.packet().expect("it serves").is_some() {
        acked += 1;
    }
    assert!(acked < asked, "{acked} acknowledged");
    // There is room again: all is acknowledged, and kept.
    assert!(limited("--fsize=unlimited:unlimited"));
    eventually("all acknowledgements", || {
        while wire.packet().expect("it serves").is_some() {
            acked += 1;
        }
        (acked == asked).then_some(())
    });
    device.logs("are kept again");
    device.kill();
    let device = start_again(dir.path(), mqtt, console);
    let reader = device.mqtt("reader");
    reader.subscribe("kept/199");
    assert_eq!(reader.on("kept/199").len(), 4000);
}

#[test]
fn two_processes_do_not_share_a_data_directory() {
    let dir = folder(&[]);
    let _one = start_again(dir.path(), free_port(), free_port());
    let mut other = Device::spawn(dir.path(), None, free_port(), free_port());
    assert!(!other.wait().success());
    other.logs("is in use by another process, maybe a device that runs already");
}

/// `broker_autoretain` without persistence: OFF after ON is what counts, however soon the end comes
/// in good order.
#[test]
fn autoretain_saves_at_an_orderly_end() {
    let dir = folder(&[]);
    let (mqtt, console) = (free_port(), free_port());
    let device = start_again(dir.path(), mqtt, console);
    let mut session = device.console();
    for command in ["set broker_persistence 0", "set broker_autoretain 1", "save"] {
        session.ask(command);
    }
    session.send(b"reset\r\n");
    let one = eventually("the device to start again", || {
        let options = rumqttc::MqttOptions::new("one", "127.0.0.1", mqtt);
        let one = common::mqtt::Mqtt::with(options).ok()?;
        session.try_ask("time").is_err().then_some(one)
    });
    one.retain_acknowledged("relay", "ON");
    one.retain_acknowledged("relay", "OFF");
    assert!(device.signal("-TERM").success());
    let device = start_again(dir.path(), mqtt, console);
    let reader = device.mqtt("reader");
    reader.subscribe("relay");
    assert_eq!(reader.on("relay"), "OFF");
    device.mqtt("one").retain_acknowledged("relay", "BLINK");
    assert!(device.interrupt().success());
    let device = start_again(dir.path(), mqtt, console);
    let reader = device.mqtt("reader");
    reader.subscribe("relay");
    assert_eq!(reader.on("relay"), "BLINK");
}

//! What must not bring the device down: the plug pulled, scripts that run away, garbage on every
//! port.
#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use common::console::{ConsoleClient, push, push_into};
use common::device::{Device, free_port, local};
use common::{eventually, folder};
use rumqttc::MqttOptions;

const COUNTER: &str = "on init do setvar @1 = @1 + 1 publish local \"starts\" @1 retained\n";

#[test]
fn script_settings_and_flash_variables_survive_a_kill() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(COUNTER));
    let mut console = device.console();
    console.ask_until("show vars", |reply| reply.contains("@1: 1"));
    console.ask("set broker_user maker");
    console.ask("set broker_password secret");
    assert_eq!(console.ask("save"), "Config saved");
    console.ask("set ntp_timezone 5");
    device.kill();

    let device = Device::start(dir.path(), None);
    let mut console = device.console();
    assert!(console.ask("show script").contains("@1 + 1"));
    console.ask_until("show vars", |reply| reply.contains("@1: 2"));
    let config = console.ask("show config");
    assert!(config.contains("maker"), "{config}");
    assert!(console.ask("show config").contains("ntp_timezone"), "{config}");
    assert!(!config.contains("ntp_timezone: 5"), "not saved, not kept: {config}");

    // And the saved password counts.
    let mut options = MqttOptions::new("thief", "127.0.0.1", device.mqtt_port);
    assert!(common::mqtt::Mqtt::with(options.clone()).is_err(), "no password");
    options.set_credentials("maker", "wrong");
    assert!(common::mqtt::Mqtt::with(options.clone()).is_err(), "wrong password");
    options.set_credentials("maker", "secret");
    let client = common::mqtt::Mqtt::with(options).expect("the right password");
    client.subscribe("starts");
    assert_eq!(client.on("starts"), "2");
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_or_the_new_state() {
    let dir = folder(&[]);
    let script = |n: u32| {
        // Long enough to take many writes.
        let filler = format!("% {}\n", "x".repeat(90)).repeat(40);
        format!("{filler}on init do publish local \"version\" \"{n}\" retained\n")
    };
    let first = Device::start(dir.path(), Some(&script(0)));
    // Its ports are open before its script is stored; it answers after that.
    first.console().ask("time");
    first.kill();
    let mut stored = 0;
    let mut setting = "none".to_owned();
    let delays = noise(7, 40);
    for (round, delay) in (1u32..).zip(delays) {
        let device = Device::start(dir.path(), None);
        let mut console = device.console();
        let shown = console.ask_until("show mqtt", |reply| reply.contains("\"version\""));
        assert!(shown.contains("Script enabled"), "{shown}");
        let client = device.mqtt("reader");
        client.subscribe("version");
        let found: u32 = client.on("version").parse().expect("a number");
        assert!(found == stored || found == round - 1, "round {round}: {found}, not {stored}");
        stored = found;
        let config = console.ask("show config");
        let kept = config.lines().find_map(|line| line.strip_prefix("mqtt_host: "));
        let kept = kept.expect("the parameter is shown").to_owned();
        let new = kept.strip_prefix(&format!("host-{}-", round - 1));
        let whole = new.is_some_and(|n| n.parse::<u32>().is_ok());
        assert!(kept == setting || whole, "round {round}: {kept} after {setting}");
        setting = kept;

        // Saves one after the other, and a script in the middle of them; then the plug.
        let port = free_port();
        console.ask(&format!("script {port}"));
        let stream = TcpStream::connect(local(port)).expect("it waits for the script");
        let text = script(round);
        let pusher = std::thread::spawn(move || push_into(stream, text.as_bytes()));
        let saves: String =
            (0..40).map(|n| format!("set mqtt_host host-{round}-{n}\r\nsave\r\n")).collect();
        console.send(saves.as_bytes());
        std::thread::sleep(Duration::from_micros(u64::from(delay) * 10));
        device.kill();
        pusher.join().expect("the other side may close as it likes");
    }
}

/// Whenever it is killed while it is locked anew: the new password opens it, or it is as it was.
#[test]
fn a_kill_while_it_is_locked_leaves_the_old_or_the_new_lock() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), None);
    let mut console = device.console();
    for command in ["set broker_user me", "set broker_password secret", "save", "lock p0"] {
        console.ask(command);
    }
    console.ask("unlock p0");
    device.kill();
    let mut password = "p0".to_owned();
    for (round, delay) in (1u32..).zip(noise(11, 16)) {
        let device = Device::start(dir.path(), None);
        let mut console = device.console();
        let new = format!("p{round}");
        // Hashing the password takes most of the time, and the writes come behind it.
        console.send(format!("lock {new}\r\n").as_bytes());
        if round % 2 == 0 {
            console.until("Config locked");
        }
        std::thread::sleep(Duration::from_micros(u64::from(delay) * 500));
        device.kill();

        let device = Device::start(dir.path(), None);
        let stranger = MqttOptions::new("stranger", "127.0.0.1", device.mqtt_port);
        assert!(common::mqtt::Mqtt::with(stranger).is_err(), "round {round}: open to strangers");
        let mut console = device.console();
        if console.ask("set mqtt_user x").contains("Config locked") {
            password = new;
        } else {
            assert!(round % 2 == 1, "round {round}: it had said that it was locked");
            console.ask("lock");
        }
        let reply = console.ask(&format!("unlock {password}"));
        assert_eq!(reply, "Config unlocked", "round {round}");
        device.kill();
    }
}

#[test]
fn a_script_that_runs_away_is_stopped_and_the_broker_serves() {
    for (script, why) in [
        (
            "on init do subscribe local \"go\"\non topic local \"go\"\ndo\n    while 1 do\n        setvar $x = $x + 1\n    done\n",
            "line",
        ),
        (
            "on init do subscribe local \"go\" subscribe local \"ping\" subscribe local \"pong\"\non topic local \"go\" do publish local \"ping\" 1\non topic local \"ping\" do publish local \"pong\" 1\non topic local \"pong\" do publish local \"ping\" 1\n",
            "",
        ),
        (
            "on init do subscribe local \"go\" setvar $x = \"x\"\non topic local \"go\" do while 1 do setvar $x = $x | $x publish local \"big\" $x done\n",
            "line",
        ),
        (
            "on init do subscribe local \"#\"\non topic local \"#\" do publish local $this_topic | \"/a\" 10 div 0\n",
            "",
        ),
    ] {
        let dir = folder(&[]);
        let device = Device::start(dir.path(), Some(script));
        let trigger = device.mqtt("trigger");
        for _ in 0..5 {
            trigger.publish("go", "1");
        }
        let (one, other) = (device.mqtt("one"), device.mqtt("other"));
        one.subscribe("talk");
        for n in 0..20 {
            other.publish("talk", n.to_string());
            assert_eq!(one.on("talk"), n.to_string(), "{script}");
        }
        device.logs(why);
        assert!(device.console().ask("show stats").len() > 20);
        assert!(device.interrupt().success(), "and it still stops: {script}");
    }
}

/// Bytes without pattern, the same every time.
fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as u8
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn garbage_on_every_port_closes_at_worst_that_connection() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(COUNTER));
    let witness = device.mqtt("witness");
    witness.subscribe("alive");
    let mut console = device.console();
    for round in 0..30 {
        for port in [device.mqtt_port, device.console_port] {
            let Ok(mut stream) = TcpStream::connect(local(port)) else { panic!("port {port}") };
            stream.set_read_timeout(Some(Duration::from_millis(20))).expect("can be set");
            let bytes = match round % 3 {
                // A packet of the protocol, then nonsense; nonsense alone; a length that never
                // ends.
                0 => [&b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0"[..], &noise(round, 3000)].concat(),
                1 => noise(round, 20_000),
                _ => b"\x10\xff\xff\xff\x7f".repeat(50),
            };
            let _ = stream.write_all(&bytes);
            let _ = stream.read(&mut [0; 4096]);
            if round % 2 == 0 {
                let _ = stream.shutdown(Shutdown::Write);
            }
        }
        let upload = free_port();
        let reply = console.ask(&format!("script {upload}"));
        if reply.contains("Waiting") {
            push(local(upload), &noise(round + 1000, 5000));
            console.until("CMD>");
        }
        witness.publish("alive", round.to_string());
        assert_eq!(witness.on("alive"), round.to_string());
    }
    assert!(console.ask("show script").contains("@1 + 1"), "the script is the same");
}

#[test]
fn connections_that_say_nothing_do_not_keep_others_out() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(COUNTER));
    let silent: Vec<_> =
        (0..40).filter_map(|_| TcpStream::connect(local(device.mqtt_port)).ok()).collect();
    let client = device.mqtt("late");
    client.subscribe("starts");
    assert_eq!(client.on("starts"), "1");
    drop(silent);
}

#[test]
fn reset_restarts_and_factory_forgets() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(COUNTER));
    device.console().ask_until("show vars", |reply| reply.contains("@1: 1"));
    device.console().send(b"reset\r\n");
    let ask = |command: &str| {
        let mut console = ConsoleClient::try_connect(local(device.console_port))?;
        console.try_ask(command).ok()
    };
    eventually("the second start", || ask("show vars").filter(|reply| reply.contains("@1: 2")));
    device.console().send(b"reset factory\r\n");
    eventually("a device that forgot", || {
        ask("show script").filter(|reply| !reply.contains("@1 + 1"))
    });
}

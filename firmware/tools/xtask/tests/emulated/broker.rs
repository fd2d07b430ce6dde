//! The broker on the core: retained messages, QoS 1 and 2, many clients, many messages, many
//! connections.

use std::time::Duration;

use crate::client::{ReceivedMessage, TestClient};
use crate::device::{Device, MQTT, max_clients};
use crate::half_open::connect;

const MESSAGES: usize = 100_000;
/// On their way at a time.
const WINDOW: usize = 8;
const SOON: Duration = Duration::from_secs(1);
const RECONNECTS: usize = 500;

#[test]
fn the_console_and_the_serial_port_answer() {
    let mut device = Device::boot();
    let mut console = device.console();
    assert!(console.ask("show stats").contains("10.0.2.15"));
    assert!(console.ask("nonsense").contains("Invalid Command"));
    device.type_in("set mqtt_user typed\r\n");
    crate::device::eventually("the setting", || {
        console.ask("show config").contains("typed").then_some(())
    });
}

#[test]
fn a_start_before_the_network_is_up_is_no_failure_of_the_remote_broker() {
    let device = Device::boot();
    let mut console = device.console();
    console.ask("set mqtt_host 10.0.2.2");
    console.ask("set mqtt_port 9");
    assert!(console.ask("save").contains("Config saved"));
    console.send("reset");
    crate::device::eventually("the next start", || {
        (device.serial().matches("network up").count() == 2).then_some(())
    });
    // It was tried once there was a network: nobody listens there, or nobody answers.
    device.has_said("no connection to the remote broker 10.0.2.2:9: ");
    let serial = device.serial();
    let (_, start) = serial.split_once("it was restarted").unwrap();
    let (before, _) = start.split_once("network up").unwrap();
    assert!(!before.contains("remote broker") && !before.contains("network failed"), "{before}");
    assert!(!serial.contains("there is no network"), "{serial}");
}

#[test]
fn messages_arrive_at_every_quality_and_stay_when_retained() {
    let device = Device::boot();
    let mut sender = device.client("sender");
    for qos in 0..=2 {
        let mut receiver = device.client("receiver");
        let topic = format!("q/{qos}");
        receiver.subscribe(&topic, qos);
        match qos {
            0 => sender.publish(&topic, b"data"),
            _ => sender.publish_acknowledged(&topic, b"data", qos),
        }
        let expected = ReceivedMessage { topic, payload: b"data".to_vec(), qos, retained: false };
        assert_eq!(receiver.next(), expected);
    }
    sender.publish_retained("kept", b"here");
    let mut late = device.client("late");
    late.subscribe("kept", 0);
    let message = late.next();
    assert_eq!((&message.payload[..], message.retained), (&b"here"[..], true));
}

#[test]
fn as_many_clients_as_there_may_be_have_two_subscriptions_each() {
    let device = Device::boot();
    let mut clients: Vec<TestClient> =
        (0..max_clients()).map(|n| device.client(&format!("client{n}"))).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.subscribe("all", 0);
        client.subscribe(&format!("own/{n}"), 1);
    }
    clients[0].publish("all", b"to everybody");
    for client in &mut clients {
        assert_eq!(client.next().payload, b"to everybody");
    }
    let all = clients.len();
    for n in 0..all {
        clients[(n + 1) % all].publish_acknowledged(&format!("own/{n}"), b"to you", 1);
        assert_eq!(clients[n].next().payload, b"to you");
    }
    assert!(device.console().ask("show mqtt").contains(&format!("Current clients: {all}")));
}

/// As after a restart of the device. On a wire: the emulator's user network lets few wait for it at
/// a time.
#[test]
fn as_many_that_come_at_once_are_all_taken() {
    let (_device, mut wire) = Device::boot_on_wire();
    let host = wire.join();
    let clients: Vec<_> = (0..max_clients()).map(|_| wire.connect(host, MQTT, 2048)).collect();
    for (n, &client) in clients.iter().enumerate() {
        wire.send(client, &connect(&format!("client{n}"), 0));
    }
    for (n, client) in clients.into_iter().enumerate() {
        let answer = wire.receive(client, SOON, |bytes| bytes.len() >= 4);
        assert_eq!(answer, [0x20, 2, 0, 0], "client {n}");
    }
}

#[test]
fn a_hundred_thousand_messages_come_through_in_order() {
    let device = Device::boot();
    let (mut sender, mut receiver) = (device.client("sender"), device.client("receiver"));
    receiver.subscribe("n", 0);
    for first in (0..MESSAGES).step_by(WINDOW) {
        for n in first..first + WINDOW {
            sender.publish("n", n.to_string().as_bytes());
        }
        for n in first..first + WINDOW {
            assert_eq!(receiver.next().payload, n.to_string().as_bytes());
        }
    }
    assert!(!device.serial().contains("it was restarted"));
}

#[test]
fn five_hundred_reconnects_leave_nothing_behind() {
    let device = Device::boot();
    let mut console = device.console();
    for n in 0..RECONNECTS {
        let mut client = device.client(&format!("client{n}"));
        client.subscribe("x", 0);
        client.publish("x", b"back");
        assert_eq!(client.next().payload, b"back");
    }
    crate::device::eventually("the last one's end", || {
        console.ask("show mqtt").contains("Current clients: 0").then_some(())
    });
    assert!(!device.serial().contains("it was restarted"));
}

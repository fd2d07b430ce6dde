//! The device as a client of another broker, byte for byte.

use crate::world::{End, World, publish_packet};
use umqtt_device::net::CloseReason;

const BRIDGE: &str = "config mqtt_host server\nconfig mqtt_id me\n\
    on mqttconnect do\n subscribe remote cmd/#\n println \"online\"\n\
    on topic remote cmd/# do\n publish local got $this_data\n\
    on init do\n subscribe local out\n\
    on topic local out do\n publish remote far $this_data\n";

/// Plays the server up to the subscription.
fn greet(world: &mut World) -> End {
    for _ in 0..600 {
        if world.net.asked.is_empty() {
            world.advance(500); // it waits a little between two attempts
        }
    }
    let (host, port, server) = world.take_asked();
    assert_eq!((host.as_str(), port), ("server", 1883));
    assert_eq!(world.received(server), b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02me");
    world.send(server, [0x20, 2, 0, 0]);
    let subscribe = world.received(server);
    assert!(subscribe.starts_with(&[0x82]) && subscribe.ends_with(b"\0\x05cmd/#\0"));
    world.send(server, [0x90, 3, subscribe[2], subscribe[3], 0]);
    server
}

#[test]
fn a_script_bridges_two_brokers() {
    let mut world = World::running(BRIDGE);
    let console = world.console();
    let phone = world.client("phone", "got");
    assert!(world.ask(console, "show mqtt").contains("MQTT client disconnected"));
    let server = greet(&mut world);
    assert!(world.text(console).contains("online"));
    assert!(world.ask(console, "show mqtt").contains("MQTT client connected"));
    world.send(server, publish_packet("cmd/x", "hi"));
    assert_eq!(world.messages(phone), ["got: hi"]);
    world.send(phone, publish_packet("out", "there"));
    assert_eq!(world.received(server), publish_packet("far", "there"));
    assert_eq!(world.ask(console, "publish remote a b"), "Published topic\r\n");
    assert_eq!(world.received(server), publish_packet("a", "b"));
}

#[test]
fn who_looks_at_the_remote_broker_sees_that_the_device_is_gone() {
    let will = "config mqtt_will_topic hub/state\nconfig mqtt_will_payload gone\n";
    let mut world = World::running(&format!("{will}{BRIDGE}"));
    let (.., server) = world.take_asked();
    // Clean session, and a will of QoS 1 that is retained.
    let connect = b"\x10\x1f\0\x04MQTT\x04\x2e\0\x3c\0\x02me\0\x09hub/state\0\x04gone";
    assert_eq!(world.received(server), connect);
    world.send(server, [0x20, 2, 0, 0]);
    world.received(server);
    // Whoever takes leave has no will: it is said before.
    let console = world.console();
    world.ask(console, "script delete");
    let mut said = publish_packet("hub/state", "gone");
    said[0] |= 1;
    said.extend([0xe0, 0]);
    assert_eq!(world.received(server), said);
}

#[test]
fn a_will_goes_to_a_topic_not_to_a_filter() {
    let mut world = World::new();
    let console = world.console();
    for topic in ["a/#", "+", "a/%01"] {
        let answer = world.ask(console, &format!("set mqtt_will_topic {topic}"));
        assert!(answer.contains("a topic without + and #"), "{topic}: {answer}");
    }
    assert!(world.ask(console, "set mqtt_will_topic a/b").contains("set to a/b"));
    assert!(world.ask(console, "set mqtt_will_topic none").contains("set to none"));
}

#[test]
fn a_lost_server_is_found_again_and_the_script_is_told() {
    let mut world = World::running(BRIDGE);
    let console = world.console();
    world.refuse_asked(CloseReason::Refused);
    let server = greet(&mut world);
    assert!(world.text(console).contains("online"));
    world.reset(server);
    let reply = world.ask(console, "publish local out x");
    assert!(reply.contains("Published topic"), "{reply}");
    assert!(world.serial().contains("publish remote far: the client is not connected"));
    greet(&mut world);
    assert!(world.text(console).contains("online"));
}

#[test]
fn a_script_that_goes_takes_its_server_along() {
    let mut world = World::running(BRIDGE);
    let server = greet(&mut world);
    let console = world.console();
    world.ask(console, "script delete");
    assert_eq!(world.received(server).last_chunk(), Some(&[0xe0, 0]));
    world.advance(10_000);
    assert!(world.is_closed(server));
    world.advance(600_000);
    assert!(world.net.asked.is_empty());
}

#[test]
fn a_message_too_large_for_us_is_passed_over_and_told_once() {
    let mut world = World::running(BRIDGE);
    let server = greet(&mut world);
    let phone = world.client("phone", "got");
    world.serial();
    for _ in 0..2 {
        // 2 MiB; the device takes packets of 1 MiB.
        world.send(server, b"\x30\x80\x80\x80\x01\0\x05cmd/x");
        world.send(server, vec![b'x'; (1 << 21) - 7]);
        world.send(server, publish_packet("cmd/x", "small"));
        assert_eq!(world.messages(phone), ["got: small"]);
    }
    let log = world.serial();
    assert_eq!(
        log.matches("a message of 2097157 bytes from the remote broker").count(),
        1,
        "{log}"
    );
    let console = world.console();
    let shown = world.ask(console, "show mqtt");
    assert!(shown.contains("MQTT client connected") && shown.contains("from remote 2"), "{shown}");
}

#[test]
fn a_message_with_a_bad_topic_is_passed_over_and_told_once() {
    let mut world = World::running(BRIDGE);
    let server = greet(&mut world);
    let phone = world.client("phone", "got");
    world.serial();
    for _ in 0..2 {
        world.send(server, publish_packet("cmd/\u{1}", "x"));
        world.send(server, publish_packet("cmd/x", "good"));
        assert_eq!(world.messages(phone), ["got: good"]);
    }
    let log = world.serial();
    assert_eq!(log.matches("its topic holds a control character").count(), 1, "{log}");
    let console = world.console();
    let shown = world.ask(console, "show mqtt");
    assert!(shown.contains("MQTT client connected") && shown.contains("from remote 2"), "{shown}");
}

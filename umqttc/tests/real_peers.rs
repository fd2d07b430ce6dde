//! The same packets to the device and to Debian's mosquitto: their answers are the same but for
//! what is listed here, with the reason. Only with UMQTT_REAL_TOOLS=1, for a machine need not have
//! it.
#![cfg(unix)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use common::device::{Device, free_port, local};
use common::mosquitto::{Mosquitto, mosquitto_enabled};
use common::{TIMEOUT, folder};

/// Where the two differ, and why.
const KNOWN: &[(&str, &str)] = &[
    (
        "connect, client id of 60000 bytes",
        "max_client_id bounds what a client may make the broker keep",
    ),
    (
        "connect, MQTT 5 in the form of 3.1.1",
        "only the level is looked at: the answer tells it to try 3.1.1",
    ),
    ("ping with flags", "[MQTT-2.2.2-2] wants it closed"),
    ("PINGRESP from a client", "only a server sends it: [MQTT-4.8.0-1]"),
    ("PUBACK that is too long", "[MQTT-4.8.0-1]"),
    ("publish, repeated at QoS 0", "[MQTT-3.3.1-2]"),
    ("publish, 251 levels", "a topic may have more levels than a filter"),
    ("subscribe, 202 levels", "refused by 0x80, not by closing"),
    ("subscribe, $share", "a filter like any other in MQTT 3.1.1"),
    ("subscribe, $share/", "refused: nothing could come of it"),
    ("subscribe, $share/g", "the same"),
    ("subscribe, $share/g/", "the same"),
    ("subscribe, $share//t", "the same"),
    ("subscribe, $share/+/t", "the same"),
];

const PING: &[u8] = &[0xc0, 0];
const PONG: &[u8] = &[0xd0, 0];

fn text(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("fits").to_be_bytes()[..], bytes].concat()
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let (mut packet, mut rest) = (vec![first], body.len());
    loop {
        let more = if rest > 127 { 0x80 } else { 0 };
        packet.push((rest & 127) as u8 | more);
        rest >>= 7;
        if rest == 0 {
            return [&packet, body].concat();
        }
    }
}

fn connect(name: &str, level: u8, flags: u8, keep_alive: u16, fields: &[&[u8]]) -> Vec<u8> {
    let mut body =
        [&text(name.as_bytes())[..], &[level, flags], &keep_alive.to_be_bytes()].concat();
    fields.iter().for_each(|field| body.extend(text(field)));
    packet(0x10, &body)
}

fn subscribe(filters: &[(&[u8], u8)], id: u16) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    for (filter, qos) in filters {
        body.extend(text(filter));
        body.push(*qos);
    }
    packet(0x82, &body)
}

fn unsubscribe(filter: &str, id: u16) -> Vec<u8> {
    packet(0xa2, &[&id.to_be_bytes()[..], &text(filter.as_bytes())].concat())
}

fn publish(topic: &[u8], flags: u8, id: u16) -> Vec<u8> {
    let id = if flags & 6 > 0 { id.to_be_bytes().to_vec() } else { Vec::new() };
    packet(0x30 | flags, &[text(topic), id, b"x".to_vec()].concat())
}

/// What a client hears that has just connected and then sends this, up to the answer to a ping.
fn answer(port: u16, hello: &[u8], then: &[u8]) -> String {
    let mut stream = TcpStream::connect(local(port)).expect("it listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    let ping: &[u8] = if then.ends_with(PING) { &[] } else { PING };
    // The connection may be closed before all is written.
    let _ = stream.write_all(&[hello, then, ping].concat());
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}: {heard:x?}"),
        }
        if heard.ends_with(PONG) {
            return format!("{heard:x?}");
        }
    }
    format!("{heard:x?}, closed")
}

/// Each with its name, its CONNECT, and what follows.
fn scenes() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let mut scenes = Vec::new();
    let long = |bytes: usize| vec![b'x'; bytes];
    let (id_1000, id_60000) = (long(1000), long(60_000));
    for (name, protocol, level, flags, keep_alive, fields) in [
        ("no client id, clean", "MQTT", 4, 2, 60, &[&b""[..]][..]),
        ("no client id, to be remembered", "MQTT", 4, 0, 60, &[b""]),
        ("no client id in MQTT 3.1", "MQIsdp", 3, 2, 60, &[b""]),
        ("client id of 1000 bytes", "MQTT", 4, 2, 60, &[&id_1000]),
        ("client id of 60000 bytes", "MQTT", 4, 2, 60, &[&id_60000]),
        ("client id of any characters", "MQTT", 4, 2, 60, &["a b/+#\u{e9}\u{1f600}".as_bytes()]),
        ("client id with a control character", "MQTT", 4, 2, 60, &[b"a\x01"]),
        ("user name alone", "MQTT", 4, 0x82, 60, &[b"u", b"joe"]),
        ("password alone", "MQTT", 4, 0x42, 60, &[b"u", b"x"]),
        ("both empty", "MQTT", 4, 0xc2, 60, &[b"u", b"", b""]),
        ("user name with a non-character", "MQTT", 4, 0x82, 60, &[b"u", b"\xef\xbf\xbe"]),
        ("password of any bytes", "MQTT", 4, 0xc2, 60, &[b"u", b"a", b"\0\xff\x01"]),
        ("reserved flag", "MQTT", 4, 3, 60, &[b"u"]),
        ("will at QoS 3", "MQTT", 4, 0x1e, 60, &[b"u", b"w", b"x"]),
        ("will flags without a will", "MQTT", 4, 0x2a, 60, &[b"u"]),
        ("will without a topic", "MQTT", 4, 6, 60, &[b"u", b"", b"x"]),
        ("will to a wildcard", "MQTT", 4, 6, 60, &[b"u", b"a/#", b"x"]),
        ("will with a control character", "MQTT", 4, 6, 60, &[b"u", b"a\x7f", b"x"]),
        ("MQTT 5 in the form of 3.1.1", "MQTT", 5, 2, 60, &[b"u"]),
        ("level 6", "MQTT", 6, 2, 60, &[b"u"]),
        ("level 4 of MQIsdp", "MQIsdp", 4, 2, 60, &[b"u"]),
        ("another protocol", "MQTX", 4, 2, 60, &[b"u"]),
        ("a bridge of 3.1.1", "MQTT", 0x84, 2, 60, &[b"u"]),
        ("a bridge of 3.1", "MQIsdp", 0x83, 2, 60, &[b"u"]),
        ("no keep-alive", "MQTT", 4, 2, 0, &[b"u"]),
        ("longest keep-alive", "MQTT", 4, 2, 65535, &[b"u"]),
        ("more than its fields", "MQTT", 4, 2, 60, &[b"u", b"v"]),
    ] {
        let hello = connect(protocol, level, flags, keep_alive, fields);
        scenes.push((format!("connect, {name}"), hello, Vec::new()));
    }
    let hello = || connect("MQTT", 4, 2, 60, &[b"peer"]);
    let old = || connect("MQIsdp", 3, 2, 60, &[b"peer"]);
    let mut scene = |name: &str, then: Vec<u8>| scenes.push((name.to_owned(), hello(), then));
    scene("connect twice", hello());
    scene("ping with flags", vec![0xc1, 0]);
    scene("DISCONNECT with flags", vec![0xe1, 0]);
    scene("packet type 0", vec![0, 0]);
    scene("packet type 15", vec![0xf0, 0]);
    scene("PINGRESP from a client", vec![0xd0, 0]);
    scene("CONNACK from a client", vec![0x20, 2, 0, 0]);
    scene("PUBACK of nothing", vec![0x40, 2, 0, 7]);
    scene("PUBREC of nothing", vec![0x50, 2, 0, 7]);
    scene("PUBREL of nothing", vec![0x62, 2, 0, 7]);
    scene("PUBREL without its flags", vec![0x60, 2, 0, 7]);
    scene("PUBCOMP of nothing", vec![0x70, 2, 0, 7]);
    scene("PUBACK of id 0", vec![0x40, 2, 0, 0]);
    scene("PUBACK that is too long", vec![0x40, 3, 0, 1, 0]);
    let (deep, deeper) = ("b/".repeat(200) + "b", "b/".repeat(201) + "b");
    for filter in [
        "",
        "#",
        "+",
        "a/#",
        "a/#/b",
        "a#",
        "+a",
        "a/+/b",
        "/",
        "//",
        "$share",
        "$share/",
        "$share/g",
        "$share/g/",
        "$share//t",
        "$share/+/t",
        "$share/g/t",
        "$sharex/t",
        "a\u{1}",
        "\u{9f}",
        "\u{fffe}",
        "\u{feff}x",
        " ",
        &deep,
        &deeper,
    ] {
        let name = match filter {
            filter if filter == deep => "201 levels".to_owned(),
            filter if filter == deeper => "202 levels".to_owned(),
            filter => filter.escape_debug().to_string(),
        };
        scene(&format!("subscribe, {name}"), subscribe(&[(filter.as_bytes(), 1)], 1));
    }
    scene("subscribe, the longest", subscribe(&[(&long(65_535), 2)], 1));
    let many: Vec<_> = (0..200).map(|n: u32| format!("peers/{n}")).collect();
    let filters: Vec<_> = many.iter().map(|f| (f.as_bytes(), (f.len() % 3) as u8)).collect();
    scene("subscribe, 200 in a packet", subscribe(&filters, 9));
    scene("subscribe, none", packet(0x82, &[0, 1]));
    scene("subscribe, id 0", subscribe(&[(b"t", 0)], 0));
    scene("subscribe, QoS 3", subscribe(&[(b"t", 3)], 1));
    scene("subscribe, a bad one behind a good one", subscribe(&[(b"t", 0), (b"a#", 0)], 1));
    scene("unsubscribe, from nothing", unsubscribe("nothing", 3));
    scene("unsubscribe, a bad filter", unsubscribe("a#", 3));
    scene("unsubscribe, none", packet(0xa2, &[0, 1]));
    scene("unsubscribe, id 0", unsubscribe("t", 0));
    let levels = "b/".repeat(250) + "b";
    for topic in [
        "", "#", "a/+", "a\u{1}", "\u{7f}", "\u{fffe}", "\u{feff}", " ", "$SYS/x", "$x/y", "/",
        &levels,
    ] {
        let name =
            if topic == levels { "251 levels".into() } else { topic.escape_debug().to_string() };
        scene(&format!("publish, {name}"), publish(topic.as_bytes(), 2, 5));
    }
    for flags in [0, 2, 4] {
        scene(&format!("publish, the longest, {flags}"), publish(&long(65_535), flags, 5));
    }
    scene("publish, id 0", publish(b"t", 2, 0));
    scene("publish, QoS 3", publish(b"t", 6, 1));
    scene("publish, repeated at QoS 0", publish(b"t", 8, 0));
    let twice = [publish(b"t", 4, 5), publish(b"t", 12, 5), vec![0x62, 2, 0, 5, 0x62, 2, 0, 5]];
    scene("publish, QoS 2 and once more", twice.concat());
    scenes.push(("publish, repeated at QoS 0, in MQTT 3.1".into(), old(), publish(b"t", 8, 0)));
    let again = [vec![0x8a], subscribe(&[(b"t", 0)], 1)[1..].to_vec()].concat();
    scenes.push(("subscribe, repeated, in MQTT 3.1".into(), old(), again.clone()));
    scenes.push(("subscribe, repeated".into(), hello(), again));
    scenes.push(("no connect".into(), publish(b"t", 0, 0), Vec::new()));
    scenes
}

#[test]
fn the_device_answers_as_mosquitto_does() {
    if !mosquitto_enabled("the_device_answers_as_mosquitto_does") {
        return;
    }
    let dir = folder(&[]);
    let device = Device::start(dir.path(), None);
    let other = Mosquitto::start(dir.path(), free_port());
    let mut differ = Vec::new();
    for (name, hello, then) in scenes() {
        let ours = answer(device.mqtt_port, &hello, &then);
        let theirs = answer(other.port, &hello, &then);
        if ours != theirs {
            println!("{name}\n  ours   {ours}\n  theirs {theirs}");
            differ.push(name);
        }
    }
    differ.sort();
    let mut known: Vec<_> = KNOWN.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(differ, known);
}

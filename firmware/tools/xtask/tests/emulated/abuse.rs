//! Garbage on every port, and connections that say nothing: the device keeps serving.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use crate::device::Device;

/// Bytes that look random and are the same each time.
fn garbage(mut seed: u32, length: usize) -> Vec<u8> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed.to_le_bytes()
    };
    (0..length.div_ceil(4)).flat_map(|_| next()).take(length).collect()
}

/// Sends what can be sent before the device hangs up.
fn throw(at: SocketAddr, bytes: &[u8]) {
    if let Ok(mut stream) = TcpStream::connect(at) {
        let _ = stream.set_write_timeout(Some(std::time::Duration::from_secs(2)));
        let _ = stream.write_all(bytes);
    }
}

fn serves(device: &Device) {
    let mut client = device.client("good");
    client.subscribe("x", 1);
    client.publish_acknowledged("x", b"still here", 1);
    assert_eq!(client.next().payload, b"still here");
    assert!(!device.serial().contains("it was restarted"), "{}", device.serial());
}

#[test]
fn garbage_on_every_port_hurts_nobody() {
    let device = Device::boot();
    let [mqtt, console, upload] = device.addresses();
    for seed in 1..=20 {
        throw(mqtt, &garbage(seed, 3000));
        // A connection that begins well and goes on badly.
        let mut packet = b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01g".to_vec();
        packet.extend(garbage(seed + 100, 1000));
        throw(mqtt, &packet);
        throw(console, &garbage(seed + 200, 1000));
        throw(upload, &garbage(seed + 300, 100));
    }
    serves(&device);
}

#[test]
fn silent_connections_leave_room_for_others() {
    let device = Device::boot();
    let [mqtt, ..] = device.addresses();
    let silent: Vec<_> = (0..8).filter_map(|_| TcpStream::connect(mqtt).ok()).collect();
    serves(&device);
    drop(silent);
    serves(&device);
}

//! A message through the broker: bytes in from one client, bytes out to others.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::{heap, println};
use umqtt_mqtt::wire::{Connect, Publish, Subscribe, Version};
use umqtt_mqtt::{AllowAll, Broker, ConnId, Instant, Interface, Limits, Peer, QoS};

use crate::count;

const TOPIC: &[u8] = b"kitchen/temperature";
const PAYLOAD: &[u8] = b"21.5";

/// Counts what a message to so many subscribers takes; prints it, and the heap of a client with its
/// subscription.
pub(crate) fn count<E: Emulator>(subscribers: u32) -> Result<(), String> {
    let limits = Limits::SMALL.max_clients(subscribers as usize + 1);
    let mut broker = Broker::new(limits);
    client(&mut broker, subscribers)?;
    let before = heap::usage().used;
    for number in 0..subscribers {
        client(&mut broker, number)?;
        let mut packet = Vec::new();
        Subscribe::emit(1, &[(TOPIC, QoS::AtMostOnce)], &mut packet);
        broker.receive(ConnId(number), &packet, Instant::ZERO, &mut AllowAll);
        send(&mut broker);
    }
    let each = (heap::usage().used - before) / subscribers.max(1) as usize;

    let mut packet = Vec::new();
    Publish {
        topic: TOPIC,
        payload: PAYLOAD,
        qos: QoS::AtMostOnce,
        retain: false,
        dup: false,
        packet_id: 0,
    }
    .emit(&mut packet);
    let mut sent = 0;
    let instructions = count::instructions::<E, _>(|| {
        broker.receive(ConnId(subscribers), &packet, Instant::from_millis(1), &mut AllowAll);
        sent = send(&mut broker);
    });
    let whole = packet.len() * subscribers as usize;
    if sent != whole {
        return Err(format!("the broker sent {sent} bytes in place of {whole}"));
    }
    println!("publish subscribers {subscribers} instructions {instructions} heap {each}");
    Ok(())
}

fn client(broker: &mut Broker, number: u32) -> Result<(), String> {
    let peer = Peer::new(([192, 168, 4, 2], 1).into(), Interface::Station);
    let client_id = format!("client-{number}");
    let connect = Connect {
        version: Version::V311,
        bridge: false,
        client_id: &client_id,
        clean_session: true,
        keep_alive: 0,
        will: None,
        user: None,
        password: None,
    };
    let mut packet = Vec::new();
    connect.emit(&mut packet);
    broker
        .open(ConnId(number), peer, Instant::ZERO, &mut AllowAll)
        .map_err(|why| format!("the broker refuses client {number}: {why:?}"))?;
    broker.receive(ConnId(number), &packet, Instant::ZERO, &mut AllowAll);
    send(broker);
    Ok(())
}

/// Lets every client take what the broker has for it; how many bytes that was.
fn send(broker: &mut Broker) -> usize {
    let mut buffer = [0; 256];
    let mut bytes = 0;
    while let Some(conn) = broker.poll_writable() {
        loop {
            let taken = broker.copy_outgoing(conn, &mut buffer);
            if taken == 0 {
                break;
            }
            broker.sent(conn, taken);
            bytes += taken;
        }
    }
    bytes
}

use super::packet_ids::IDS;
use super::*;

#[test]
fn packet_ids_skip_those_in_flight_and_the_reserved_ones() {
    let message = Publication::new(b"a", b"").unwrap();
    let mut outbox = Outbox::default();
    let mut inflight =
        Inflight { packet_ids: PacketIds { last: 65_533, free: 0 }, ..Inflight::default() };
    inflight.send(message.clone(), DeliveryOptions::new(QoS::AtLeastOnce, false), &mut outbox);
    inflight.packet_ids = PacketIds { last: 65_533, free: 0 };
    inflight.send(message, DeliveryOptions::new(QoS::AtLeastOnce, false), &mut outbox);
    let ids: Vec<_> = inflight.unacked.iter().map(|sent| sent.packet_id).collect();
    assert_eq!(ids, [65_534, 1]);
}

#[test]
fn packet_ids_come_in_turn_and_none_twice_at_a_time() {
    let message = Publication::new(b"a", b"").unwrap();
    let mut outbox = Outbox::default();
    let mut inflight = Inflight::default();
    for round in 0..u32::from(IDS) * 2 {
        inflight.send(message.clone(), DeliveryOptions::new(QoS::AtLeastOnce, false), &mut outbox);
        outbox = Outbox::default();
        let mut ids: Vec<_> = inflight.unacked.iter().map(|sent| sent.packet_id).collect();
        let newest = ids[ids.len() - 1];
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), inflight.unacked.len());
        assert!((1..=IDS).contains(&newest));
        // One in a thousand is never answered.
        if round % 1000 > 0 {
            assert!(inflight.acknowledged(newest));
        }
    }
    assert_eq!(inflight.unacked.len(), 132);
}

#[test]
fn an_answer_counts_only_in_its_stage() {
    let message = Publication::new(b"a", b"").unwrap();
    let mut outbox = Outbox::default();
    let mut inflight = Inflight::default();
    inflight.send(message, DeliveryOptions::new(QoS::ExactlyOnce, false), &mut outbox);
    inflight.acknowledged(1);
    inflight.completed(1);
    assert_eq!(inflight.unacked.len(), 1);
    inflight.received(1);
    inflight.completed(1);
    assert!(inflight.unacked.is_empty());
}

#[test]
fn a_repeated_qos_2_message_is_not_new() {
    let mut inflight = Inflight::default();
    assert_eq!(inflight.record_received(7, 1), Some(true));
    assert_eq!(inflight.record_received(7, 1), Some(false));
    assert_eq!(inflight.record_received(8, 1), None);
    inflight.release(7);
    assert_eq!(inflight.record_received(7, 1), Some(true));
}

//! Connections that say nothing, too much or too slowly, and clients that come and go in crowds. In
//! each story two bystanders go on talking, and what the one says reaches the other at once.

mod bystanders;
mod net;

use bystanders::{Bystanders, publish_to};
use net::{Net, hello, stay, will};
use umqtt_mqtt::wire::Connect;
use umqtt_mqtt::{ConnId, Duration, Limits, QoS};

const SECOND: u64 = 1_000;

fn connect_packet(connect: Connect<'_>) -> Vec<u8> {
    let mut packet = Vec::new();
    assert!(connect.emit(&mut packet));
    packet
}

/// Sends bytes one by one, a second apart, until the connection is closed; how many went.
fn drip(net: &mut Net, conn: u32, bytes: &[u8], good: &mut Bystanders) -> usize {
    for (sent, byte) in bytes.iter().enumerate() {
        if net.is_closed(conn) {
            return sent;
        }
        net.send(conn, &[*byte]);
        good.are_served(net);
        net.pass(SECOND);
    }
    bytes.len()
}

#[test]
fn half_open_connections_are_few_and_do_not_stay() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    let most = Limits::SMALL.max_waiting as u32;
    for conn in 0..50 {
        assert_eq!(net.open(conn), Ok(()));
        good.are_served(&mut net);
        // For one too many, the one that has waited longest is closed.
        assert!((0..=conn).all(|n| net.is_closed(n) == (n + most <= conn)), "{conn}");
    }
    assert_eq!(net.broker.stats().refused, u64::from(50 - most));
    net.pass(Limits::SMALL.connect_timeout.as_millis());
    assert_eq!(net.broker.stats().connect_timeouts, u64::from(most));
    net.join(100, "newcomer");
}

/// Thrice as many as may wait, and each that is closed comes again a millisecond later; half of
/// them begin a CONNECT and do not end it.
#[test]
fn connections_made_anew_for_ever_keep_nobody_out() {
    const WAITING: usize = 16;
    let mut net = Net::with(Limits::SMALL.max_waiting(WAITING));
    let mut good = Bystanders::join(&mut net);
    let half = connect_packet(hello("stranger"));
    let (mut flood, mut next) = ([None; 3 * WAITING], 10_000);
    let mut renew = |net: &mut Net| {
        for stranger in &mut flood {
            if stranger.is_none_or(|conn| net.is_closed(conn)) {
                *stranger = Some(next);
                net.open(next).expect("the one that has waited longest gives way");
                if next.is_multiple_of(2) {
                    net.send(next, &half[..half.len() - 1]);
                }
                net.settle();
                next += 1;
            }
        }
    };
    for round in 0..30 {
        let id = 1_000_000 + round;
        renew(&mut net);
        net.join(id, &format!("honest {round}"));
        for _ in 0..3 {
            net.pass(1);
            renew(&mut net);
        }
        good.are_served(&mut net);
        assert!(!net.is_closed(id), "a client gives way to nobody");
        net.cut(id);
    }
}

#[test]
fn a_connection_flood_leaves_those_who_are_there_alone() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    for conn in 0..500 {
        net.open(conn).expect("nobody waits: each one is answered at once");
        net.send(conn, &connect_packet(hello(&format!("crowd {conn}"))));
        let room = conn < Limits::SMALL.max_clients as u32 - 2;
        assert_eq!(net.all(conn), [0x20, 2, 0, if room { 0 } else { 3 }]);
        assert_eq!(net.is_closed(conn), !room);
        good.are_served(&mut net);
    }
    assert_eq!(net.broker.clients_len(), Limits::SMALL.max_clients);
    assert_eq!(net.broker.stats().refused, 500 - (Limits::SMALL.max_clients as u64 - 2));
}

#[test]
fn a_connect_that_drips_in_is_given_up() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.open(1).expect("room");
    let sent = drip(&mut net, 1, &connect_packet(hello("slow")), &mut good);
    assert_eq!(sent as u64, Limits::SMALL.connect_timeout.as_millis() / SECOND);
    assert_eq!(net.broker.stats().connect_timeouts, 1);
}

#[test]
fn a_slow_writer_has_to_end_its_packet() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "drip");
    let sent = drip(&mut net, 1, &publish_to("t", &[b'x'; 1000]), &mut good) as u64;
    let patience = Limits::SMALL.stall_timeout.as_millis() / SECOND;
    assert!((patience..=2 * patience).contains(&sent), "closed after {sent} s");
    assert_eq!(net.broker.stats().slow, 1);
}

#[test]
fn a_slow_writer_whose_packets_end_in_time_stays() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "slow");
    let packet = publish_to("t", b"0123456789");
    assert!((packet.len() as u64) < Limits::SMALL.stall_timeout.as_millis() / SECOND);
    for _ in 0..20 {
        assert_eq!(drip(&mut net, 1, &packet, &mut good), packet.len());
    }
    assert!(!net.is_closed(1));
}

#[test]
fn a_slow_writer_with_a_keep_alive_is_closed_when_it_falls_silent() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.connect(1, Connect { keep_alive: 2, ..hello("drip") });
    net.send(1, &publish_to("t", b"0123456789")[..5]);
    net.pass(2_999);
    assert!(!net.is_closed(1));
    net.pass(1);
    assert!(net.is_closed(1));
    assert_eq!(net.broker.stats().keep_alive_timeouts, 1);
    good.are_served(&mut net);
}

#[test]
fn a_reader_that_takes_nothing_gets_a_full_queue_and_then_the_door() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "deaf");
    net.subscribe(1, "flood", QoS::AtMostOnce);
    net.join(2, "sender");
    net.stalled.push(1);
    for _ in 0..200 {
        net.publish(2, "flood", &[b'x'; 100]);
        good.are_served(&mut net);
    }
    let mut buffer = vec![0; 1 << 20];
    let waiting = net.broker.copy_outgoing(ConnId(1), &mut buffer);
    assert!(waiting <= Limits::SMALL.max_queue_bytes, "{waiting} bytes wait");
    assert!(net.broker.stats().messages_dropped > 100);
    net.pass(2 * Limits::SMALL.stall_timeout.as_millis());
    assert!(net.is_closed(1) && !net.is_closed(2));
    assert_eq!(net.broker.stats().slow, 1);
    good.are_served(&mut net);
}

#[test]
fn a_reader_of_a_byte_a_second_costs_its_queue_and_nobody_else_anything() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "slow");
    net.subscribe(1, "flood", QoS::AtMostOnce);
    net.join(2, "sender");
    net.stalled.push(1);
    for second in 0..200 {
        net.publish(2, "flood", &[b'x'; 100]);
        good.are_served(&mut net);
        let mut byte = [0];
        assert_eq!(net.broker.copy_outgoing(ConnId(1), &mut byte), 1, "after {second} s");
        net.broker.sent(ConnId(1), 1);
        net.pass(SECOND);
    }
    assert!(!net.is_closed(1), "it takes what it gets");
    let mut buffer = vec![0; 1 << 20];
    let waiting = net.broker.copy_outgoing(ConnId(1), &mut buffer);
    assert!(waiting <= Limits::SMALL.max_queue_bytes, "{waiting} bytes wait");
    assert!(net.broker.stats().messages_dropped > 100);
}

#[test]
fn without_any_patience_only_those_who_stall_are_closed() {
    for stall_timeout in [Duration::ZERO, Duration::MAX] {
        let mut net = Net::with(Limits::SMALL.stall_timeout(stall_timeout));
        let mut good = Bystanders::join(&mut net);
        net.join(1, "drip");
        net.send(1, &publish_to("t", b"0123456789")[..5]);
        net.pass(10);
        assert_eq!(net.is_closed(1), stall_timeout.is_zero());
        good.are_served(&mut net);
    }
}

#[test]
fn an_idle_client_that_has_nothing_to_read_stays() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "idle");
    net.pass(20 * Limits::SMALL.stall_timeout.as_millis());
    assert!(!net.is_closed(1));
    good.are_served(&mut net);
}

#[test]
fn a_reconnect_storm_leaves_nothing_behind() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    for conn in 0..1000 {
        // Half of them the same client, half one after the other.
        let id = if conn % 2 == 0 { "storm".into() } else { format!("storm {conn}") };
        net.connect(conn, Connect { keep_alive: 30, ..hello(&id) });
        net.subscribe(conn, "a/+", QoS::AtMostOnce);
        net.cut(conn);
        good.are_served(&mut net);
        assert_eq!((net.broker.clients_len(), net.broker.subscriptions_len()), (2, 1));
    }
    let stats = net.broker.stats();
    assert_eq!((stats.opened, stats.accepted), (1002, 1002));
}

#[test]
fn two_clients_with_one_id_drive_out_each_other_and_nobody_else() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.connect(0, Connect { clean_session: false, ..hello("twin") });
    for round in 1..500 {
        let (old, new) = ((round + 1) % 2, round % 2);
        assert!(net.connect(new, Connect { clean_session: false, ..hello("twin") }));
        assert!(net.is_closed(old) && !net.is_closed(new));
        good.are_served(&mut net);
    }
    assert_eq!(net.broker.stats().takeovers, 499);
    assert_eq!((net.broker.clients_len(), net.broker.stored_sessions_len()), (3, 0));
}

#[test]
fn a_stranger_with_a_clients_id_does_not_get_its_session() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.connect(1, Connect { clean_session: false, ..hello("owner") });
    net.subscribe(1, "mine", QoS::AtMostOnce);
    for round in 0..20 {
        let user = Some(if round % 2 == 0 { "intruder" } else { "me" });
        net.open(2).expect("room");
        net.send(2, &connect_packet(Connect { user, clean_session: false, ..hello("owner") }));
        assert_eq!(net.all(2), [0x20, 2, 0, if round % 2 == 0 { 5 } else { 4 }]);
        assert!(net.is_closed(2) && !net.is_closed(1));
        good.are_served(&mut net);
    }
    let stats = net.broker.stats();
    assert_eq!((stats.unauthorized, stats.takeovers, stats.refused), (20, 0, 20));
    net.send(1, &publish_to("mine", b"still here"));
    assert_eq!(net.messages(1), ["mine=still here"]);
}

#[test]
fn a_thousand_clients_that_die_at_once_die_in_turns() {
    const CLIENTS: u32 = 1000;
    let mut net = Net::with(Limits::DESKTOP);
    let mut good = Bystanders::join(&mut net);
    net.join(8_000, "heir");
    net.subscribe(8_000, "gone", QoS::AtMostOnce);
    for conn in 0..CLIENTS {
        let id = format!("mortal {conn}");
        net.connect(conn, Connect { keep_alive: 10, will: will("gone", b"x"), ..hello(&id) });
    }
    net.now += Duration::from_secs(15);
    let mut turns = 0;
    while net.broker.stats().wills < u64::from(CLIENTS) {
        let before = net.broker.stats().wills;
        net.broker.handle_timeout(net.now);
        net.settle();
        let wills = net.broker.stats().wills - before;
        assert!((1..=32).contains(&wills), "{wills} at once");
        good.are_served(&mut net);
        turns += 1;
    }
    assert!(turns >= CLIENTS / 32);
    assert_eq!(net.messages(8_000).len(), CLIENTS as usize);
    assert_eq!(net.broker.clients_len(), 3);
    assert_eq!(net.broker.stats().keep_alive_timeouts, u64::from(CLIENTS));
}

#[test]
fn a_thousand_connections_that_break_at_once_cost_a_will_each() {
    const CLIENTS: u32 = 1000;
    let mut net = Net::with(Limits::DESKTOP);
    let mut good = Bystanders::join(&mut net);
    for conn in 0..CLIENTS {
        let id = format!("mortal {conn}");
        net.connect(conn, Connect { will: will("gone", b"x"), ..hello(&id) });
        net.subscribe(conn, "gone", QoS::AtMostOnce);
        net.stalled.push(conn);
    }
    for conn in 0..CLIENTS {
        let before = net.broker.stats().messages_sent;
        net.cut(conn);
        let sent = net.broker.stats().messages_sent - before;
        assert_eq!(sent, u64::from(CLIENTS - 1 - conn), "one for each who is still there");
        good.are_served(&mut net);
    }
    assert_eq!(net.broker.stats().wills, u64::from(CLIENTS));
}

#[test]
fn nobody_takes_all_sessions_for_ever() {
    let mut net = Net::with(Limits::DESKTOP.max_stored_sessions(100));
    let mut good = Bystanders::join(&mut net);
    net.connect(1, stay("who stays"));
    net.subscribe(1, "t", QoS::AtMostOnce);
    for n in 0..1000 {
        assert!(!net.connect(10 + n, stay(&format!("taker {n}"))));
        net.cut(10 + n);
        good.are_served(&mut net);
    }
    assert!(!net.connect(2, stay("another")));
    let counted = net.broker.stats();
    assert_eq!((counted.refused, counted.sessions_displaced), (0, 1000 + 2 - 100));
    assert_eq!(net.broker.stored_sessions_len(), 98, "two are connected");
    net.broker.publish(b"t", b"x", QoS::AtMostOnce, false).expect("valid");
    net.settle();
    assert_eq!(net.messages(1), ["t=x"]);
    net.pass(Limits::DESKTOP.session_expiry.as_millis());
    net.pass(100);
    assert_eq!(net.broker.stored_sessions_len(), 0);
}

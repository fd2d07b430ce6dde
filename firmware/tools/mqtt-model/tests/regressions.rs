//! Histories that once failed, as proptest reduced them.

use umqtt_mqtt::{Duration, Limits, QoS};
use umqtt_mqtt_model::{Action, Flow, Step, World};

const LITTLE: Limits = Limits::SMALL
    .max_clients(2)
    .max_stored_sessions(2)
    .max_subscriptions(6)
    .max_retained(2)
    .max_queue_bytes(40)
    .max_inflight(2)
    .max_unreleased(2)
    .session_expiry(Duration::from_millis(60_000));

fn publish(topic: &'static str, qos: QoS) -> Action {
    Action::Publish { topic, qos, retain: false, delete: false }
}

fn subscribe(filter: &'static str, qos: QoS) -> Action {
    Action::Subscribe { filters: vec![(filter, qos)] }
}

fn connect(keep_alive: bool) -> Action {
    Action::Connect { clean: false, old: false, keep_alive, will: None, silent: false }
}

/// All bytes of this step arrive.
fn all(client: usize, action: Action) -> Step {
    Step { client, action, flow: Flow::All }
}

/// So many bytes of this step arrive at the broker, and none at the client.
fn unanswered(client: usize, action: Action, up: usize) -> Step {
    Step { client, action, flow: Flow::Some { up, down: 0 } }
}

fn holds(limits: Limits, history: &[Step]) {
    let worlds = [
        World::new(limits),
        World::with_journal(limits, 0),
        World::with_journal(limits, 1),
        World::with_journal(limits, 5),
    ];
    for mut world in worlds {
        for step in history {
            world.step(step).expect("each step is as it must be");
        }
        world.finish().expect("nothing is missing");
    }
}

/// A session expires in the same call in which what it has left arrives at the program, which
/// joined its group later.
#[test]
fn a_session_that_expires_leaves_its_message_to_the_program() {
    let group = "$share/h/a/#";
    let history = [
        all(2, publish("a", QoS::AtMostOnce)),
        all(0, publish("a", QoS::AtMostOnce)),
        all(2, subscribe(group, QoS::AtLeastOnce)),
        all(0, publish("a", QoS::AtMostOnce)),
        unanswered(0, publish("a", QoS::AtLeastOnce), 9),
        all(0, Action::Pass(56_250)),
        all(0, Action::LocalSubscribe { filter: group, end: false }),
        all(0, Action::Pass(33_752)),
    ];
    holds(LITTLE, &history);
}

/// A client repeats a QoS 2 message to a session that is not the one it sent it to: the CONNACK
/// that said so was lost.
#[test]
fn a_message_repeated_to_a_session_begun_anew_is_a_new_one() {
    let expired = [
        all(1, publish("a", QoS::AtMostOnce)),
        all(0, connect(true)),
        all(1, subscribe("d", QoS::AtMostOnce)),
        unanswered(0, publish("d", QoS::ExactlyOnce), 9),
        all(0, Action::Pass(90_000)),
        unanswered(0, publish("a", QoS::AtMostOnce), 22),
        all(0, connect(false)),
    ];
    holds(Limits::DESKTOP.session_expiry(Duration::from_millis(60_000)).max_inflight(2), &expired);
    let displaced = [
        all(3, publish("a", QoS::AtMostOnce)),
        all(1, publish("a", QoS::AtMostOnce)),
        unanswered(0, connect(false), 0),
        unanswered(1, publish("a", QoS::ExactlyOnce), 9),
        all(1, connect(false)),
        unanswered(3, connect(false), 0),
        unanswered(1, publish("a", QoS::AtMostOnce), 22),
        unanswered(0, subscribe("+/#", QoS::AtMostOnce), 0),
        all(1, connect(true)),
    ];
    holds(LITTLE, &displaced);
}

/// In a session that began without its client's learning of it the broker uses the packet ids of
/// the one before, of which the client has not let go.
#[test]
fn packet_ids_begin_anew_in_a_session_begun_unnoticed() {
    let history = [
        all(1, subscribe("d", QoS::ExactlyOnce)),
        all(1, Action::Hold(true)),
        all(0, publish("d", QoS::ExactlyOnce)),
        all(1, Action::Cut),
        all(0, Action::Pass(60_300)),
        unanswered(1, connect(false), 22),
        all(1, connect(false)),
        all(1, subscribe("d", QoS::ExactlyOnce)),
        all(0, publish("d", QoS::ExactlyOnce)),
    ];
    let one = Limits::DESKTOP.max_inflight(1).max_unreleased(1);
    holds(one.session_expiry(Duration::from_millis(60_000)), &history);
}

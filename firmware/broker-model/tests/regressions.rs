//! Histories that once failed, as proptest reduced them.

use umqtt_broker::{Limits, QoS};
use umqtt_broker_model::{Action, Flow, Step, World};

/// A session expires in the same call in which what it has left arrives at the program, which joined its group later.
#[test]
fn a_session_that_expires_leaves_its_message_to_the_program() {
    let group = "$share/h/a/#";
    let publish = |qos| Action::Publish { topic: "a", qos, retain: false, delete: false };
    let step = |client, action| Step { client, action, flow: Flow::All };
    let unread = Flow::Some { up: 9, down: 0 };
    let history = [
        step(2, publish(QoS::AtMostOnce)),
        step(0, publish(QoS::AtMostOnce)),
        step(2, Action::Subscribe { filters: vec![(group, QoS::AtLeastOnce)] }),
        step(0, publish(QoS::AtMostOnce)),
        Step { client: 0, action: publish(QoS::AtLeastOnce), flow: unread },
        step(0, Action::Pass(56_250)),
        step(0, Action::LocalSubscribe { filter: group, end: false }),
        step(0, Action::Pass(33_752)),
    ];
    let limits = Limits {
        max_clients: 2,
        max_stored_sessions: 2,
        max_subscriptions: 6,
        max_retained: 2,
        max_queue_bytes: 40,
        max_inflight: 2,
        max_unreleased: 2,
        session_expiry: 60_000,
        ..Limits::SMALL
    };
    for mut world in [World::new(limits), World::with_journal(limits, 0)] {
        for step in &history {
            world.step(step).expect("each step is as it must be");
        }
        world.finish().expect("nothing is missing");
    }
}

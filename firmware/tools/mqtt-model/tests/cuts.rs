//! Short histories, cut at every byte: of what a client with a stored session says, and of what it
//! is told. Then it comes back, and everything must have arrived all the same, as often as it
//! should.

use umqtt_mqtt::{Limits, QoS};
use umqtt_mqtt_model::{Action, World};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// The client whose connection is cut, and another one.
const ONE: usize = 1;
const OTHER: usize = 2;

fn publish(qos: QoS) -> Action {
    Action::Publish { topic: "a/b", qos, retain: false, delete: false }
}

fn retain(qos: QoS) -> Action {
    Action::Publish { topic: "a/b", qos, retain: true, delete: false }
}

fn delete(qos: QoS) -> Action {
    Action::Publish { topic: "a/b", qos, retain: true, delete: true }
}

fn subscribe(qos: QoS) -> Action {
    Action::Subscribe { filters: vec![("a/+", qos)] }
}

fn connect(old: bool) -> Action {
    Action::Connect {
        clean: false,
        old,
        keep_alive: false,
        will: Some(("a/c", Q2, true)),
        silent: false,
    }
}

/// A history: who does what first, with everything arriving, and then, with the cut.
struct Story {
    name: &'static str,
    before: Vec<(usize, Action)>,
    then: Vec<(usize, Action)>,
}

fn stories() -> Vec<Story> {
    let story = |name, before: &[(usize, Action)], then: &[(usize, Action)]| Story {
        name,
        before: before.to_vec(),
        then: then.to_vec(),
    };
    let to_other = [(OTHER, subscribe(Q2)), (ONE, connect(false))];
    let to_one = [(ONE, connect(false)), (ONE, subscribe(Q2))];
    let holding = [(ONE, connect(false)), (ONE, subscribe(Q2)), (ONE, Action::Hold(true))];
    let to_old = [(ONE, connect(true)), (ONE, subscribe(Q2))];
    let listening = [(ONE, subscribe(Q2)), (OTHER, subscribe(Q2))];
    let mixed = [publish(Q1), publish(Q2), publish(Q0), publish(Q2), publish(Q1)];
    let mixed_by = |client| mixed.clone().map(|action| (client, action));
    vec![
        story("QoS 1 to the broker", &to_other, &[(ONE, publish(Q1))]),
        story("QoS 2 to the broker", &to_other, &[(ONE, publish(Q2))]),
        story("many to the broker", &to_other, &mixed_by(ONE)),
        story("QoS 1 from the broker", &to_one, &[(OTHER, publish(Q1))]),
        story("QoS 2 from the broker", &to_one, &[(OTHER, publish(Q2))]),
        story("many from the broker", &to_one, &mixed_by(OTHER)),
        story("MQTT 3.1", &to_old, &mixed_by(OTHER)),
        story("to itself", &to_one, &mixed_by(ONE)),
        story("to each other", &listening, &[mixed_by(ONE), mixed_by(OTHER)].concat()),
        story("retained", &to_other, &[(ONE, retain(Q2)), (ONE, delete(Q1)), (ONE, retain(Q1))]),
        story("subscribing", &[(OTHER, retain(Q2))], &[(ONE, subscribe(Q2)), (OTHER, publish(Q2))]),
        story(
            "no more",
            &to_one,
            &[(ONE, Action::Unsubscribe { filter: "a/+" }), (OTHER, publish(Q2))],
        ),
        story(
            "connecting",
            &to_one,
            &[(ONE, connect(false)), (ONE, publish(Q2)), (OTHER, publish(Q2))],
        ),
        story("late acknowledgements", &holding, &mixed_by(OTHER)),
    ]
}

fn limits(max_inflight: usize) -> Limits {
    Limits::DESKTOP.max_inflight(max_inflight)
}

/// Tells a story with a cut after so many bytes each way, and perhaps a second one of the
/// connection after it. The bytes that came through each way, in the last connection cut.
fn tell(story: &Story, max_inflight: usize, cuts: &[(usize, usize)]) -> (usize, usize) {
    let told = || {
        let mut world = World::new(limits(max_inflight));
        for (client, action) in &story.before {
            world.act(*client, action)?;
            world.flow()?;
        }
        for (client, action) in &story.then {
            world.act(*client, action)?;
        }
        let mut came = (0, 0);
        for (up, down) in cuts {
            came = world.flow_within(ONE, *up, *down)?;
            world.act(ONE, &Action::Cut)?;
            world.act(ONE, &connect(false))?;
        }
        world.flow()?;
        world.finish()?;
        Ok(came)
    };
    let told: Result<_, umqtt_mqtt_model::Broken> = told();
    told.unwrap_or_else(|why| {
        panic!(
            "{}, {max_inflight} in flight, cut after (bytes up, down) {cuts:?}: {why}",
            story.name
        )
    })
}

const ALL: usize = usize::MAX;

#[test]
fn at_every_byte() {
    let mut cuts = 0;
    for story in stories() {
        for max_inflight in [1, 20] {
            let (up, down) = tell(&story, max_inflight, &[(ALL, ALL)]);
            assert!(up + down > 0, "{}: {up} bytes up, {down} down", story.name);
            for n in 0..=up {
                tell(&story, max_inflight, &[(n, ALL)]);
            }
            for n in 0..=down {
                tell(&story, max_inflight, &[(ALL, n)]);
            }
            cuts += up + down + 2;
        }
    }
    assert!(cuts > 1000, "only {cuts} cuts");
}

/// What is told may be late while what is said goes on, and the other way round.
#[test]
fn at_every_byte_of_both_directions_at_once() {
    for story in stories().into_iter().filter(|story| story.then.len() == 1) {
        let (up, down) = tell(&story, 20, &[(ALL, ALL)]);
        for up in 0..=up {
            for down in 0..=down {
                tell(&story, 20, &[(up, down)]);
            }
        }
    }
}

/// A connection that resumes may break as well.
#[test]
fn twice() {
    for story in stories().into_iter().filter(|story| story.then.len() == 1) {
        let (up, down) = tell(&story, 20, &[(ALL, ALL)]);
        let first = (0..=up).map(|n| (n, ALL)).chain((0..=down).map(|n| (ALL, n)));
        for first in first {
            let (up, down) = tell(&story, 20, &[first, (ALL, ALL)]);
            let second = (0..=up).map(|n| (n, ALL)).chain((0..=down).map(|n| (ALL, n)));
            for second in second {
                tell(&story, 20, &[first, second]);
            }
        }
    }
}

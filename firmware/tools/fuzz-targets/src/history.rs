//! Any history of some clients, with connections that break at any byte: what must arrive does, and
//! nothing else.

use umqtt_mqtt::{Duration, Limits};
use umqtt_mqtt_model::{STEP_BYTES, Step, World};

/// Steps of a history: enough for every clash of two or three connections, few enough to be quick.
const MOST: usize = 100;

/// Runs the target.
pub fn run(input: &[u8]) {
    // The first byte says how much room there is.
    let Some((&room, input)) = input.split_first() else { return };
    let limits = match room % 3 {
        0 => Limits::DESKTOP,
        1 => Limits::DESKTOP.max_inflight(1).max_unreleased(1),
        _ => Limits::SMALL
            .max_clients(2)
            .max_stored_sessions(2)
            .max_subscriptions(6)
            .max_retained(2)
            .max_queue_bytes(40)
            .max_local_queue_bytes(40)
            .max_inflight(2),
    };
    let mut world = World::new(limits.session_expiry(Duration::from_millis(60_000)));
    for bytes in input.as_chunks::<STEP_BYTES>().0.iter().take(MOST) {
        let step = Step::decode(*bytes);
        world.step(&step).unwrap_or_else(|why| panic!("{step:?}: {why}"));
    }
    world.finish().unwrap_or_else(|why| panic!("at the end: {why}"));
}

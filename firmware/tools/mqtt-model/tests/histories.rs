//! Random histories of some clients: whatever they do and wherever connections break, what must
//! arrive does, and nothing else.

use proptest::collection::vec;
use proptest::prelude::*;
use umqtt_mqtt::{Duration, Limits};
use umqtt_mqtt_model::{STEP_BYTES, Step, World};

fn history(most: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(any::<[u8; STEP_BYTES]>().prop_map(Step::decode), 0..most)
}

fn live_through(limits: Limits, history: &[Step]) -> Result<(), TestCaseError> {
    live_in(World::new(limits), history)
}

fn live_in(mut world: World, history: &[Step]) -> Result<(), TestCaseError> {
    for (at, step) in history.iter().enumerate() {
        world
            .step(step)
            .map_err(|why| TestCaseError::fail(format!("step {at}, {step:?}: {why}")))?;
    }
    world.finish().map_err(|why| TestCaseError::fail(format!("at the end: {why}")))
}

fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => ProptestConfig { cases: 1000, ..default },
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn with_much_room(history in history(60)) {
        live_through(Limits::DESKTOP.session_expiry(Duration::from_millis(60_000)), &history)?;
    }

    #[test]
    fn with_a_journal(history in history(60), delay in 0..6_u32) {
        let limits = Limits::DESKTOP.session_expiry(Duration::from_millis(60_000)).max_inflight(2);
        live_in(World::with_journal(limits, delay), &history)?;
    }

    #[test]
    fn with_a_journal_and_little_room(history in history(60), delay in 0..6_u32) {
        let limits = Limits::SMALL.max_clients(2).max_stored_sessions(2).max_subscriptions(6).max_retained(2).max_queue_bytes(40).max_inflight(2).max_unreleased(2).session_expiry(Duration::from_millis(60_000));
        live_in(World::with_journal(limits, delay), &history)?;
    }

    #[test]
    fn one_message_in_flight(history in history(60)) {
        let limits = Limits::DESKTOP.session_expiry(Duration::from_millis(60_000)).max_inflight(1).max_unreleased(1);
        live_through(limits, &history)?;
    }

    #[test]
    fn with_little_room(history in history(60)) {
        let limits = Limits::SMALL.max_clients(2).max_stored_sessions(2).max_subscriptions(6).max_client_subscriptions(4).max_retained(2).max_queue_bytes(40).max_local_queue_bytes(40).max_inflight(2).max_unreleased(2).session_expiry(Duration::from_millis(60_000));
        live_through(limits, &history)?;
    }
}

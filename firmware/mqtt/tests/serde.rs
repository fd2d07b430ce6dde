//! Limits in a file of settings, and counters in a page of figures.
#![allow(clippy::unwrap_used)]

use umqtt_mqtt::{Limits, Stats};

#[test]
fn limits_that_are_left_out_are_those_of_a_desktop() {
    let limits: Limits =
        serde_json::from_str(r#"{ "max_clients": 5, "max_inflight": 2 }"#).unwrap();
    assert_eq!(limits, Limits::DESKTOP.max_clients(5).max_inflight(2));
    let written = serde_json::to_string(&Limits::SMALL).unwrap();
    assert_eq!(serde_json::from_str::<Limits>(&written).unwrap(), Limits::SMALL);
}

#[test]
fn counters_are_written_by_their_names() {
    let written = serde_json::to_value(Stats::default()).unwrap();
    assert_eq!(written["messages_dropped"], 0);
}

//! The events that are counted.

/// An event.
pub(crate) struct Case {
    /// Its script, without the folder and the ending.
    pub(super) script: &'static str,
    pub(super) event: &'static str,
    /// What it is called.
    pub(super) what: &'static str,
}

/// The events the design sets aims for.
pub(crate) const CASES: [Case; 4] = [
    Case { script: "relay", event: "topic local switch/1/command toggle", what: "T relay toggle" },
    Case {
        script: "relay",
        event: "topic local kitchen/temperature 21.5",
        what: "N matches nothing",
    },
    Case { script: "fade", event: "timer 1", what: "P PWM tick" },
    Case { script: "bridge", event: "topic local kitchen/temperature 21.5", what: "B bridge" },
];
/// And what the first one's script takes once it is loaded.
pub(super) const LOADED: &str = "RAM after load";

//! What a core takes to do things: how much it may be, and what others take.

use super::cases::CASES;

/// How much something may take.
pub(crate) struct Aim {
    /// What is aimed at.
    pub(crate) aim: Option<u64>,
    /// Where it stands: more fails. The compiler decides a little of it, so this is not exact.
    pub(crate) most: u64,
}

/// What other interpreters take on the core.
pub(crate) struct Peers {
    pub(crate) names: [&'static str; 5],
    /// Instructions for the events.
    pub(crate) events: [[u64; 5]; CASES.len()],
    /// RAM of the relay's script, bytes.
    pub(crate) loaded: [u64; 5],
}

/// All that is counted on a core.
pub(crate) struct Figures {
    /// The page with the events' counts.
    pub(crate) page: &'static str,
    /// Instructions for the events.
    pub(crate) events: [Aim; CASES.len()],
    /// RAM the relay's script takes once it is loaded, bytes.
    pub(crate) loaded: Aim,
    /// The others, where they were measured.
    pub(crate) peers: Option<Peers>,
    /// Instructions for compiling a long script, and bytes of heap: the image that comes of it is
    /// not counted.
    pub(crate) compile: Aim,
    pub(crate) compile_heap: Aim,
    /// Instructions for trying a password.
    pub(crate) unlock: Aim,
    /// Bytes aimed at for code of VM and script engine, the image, and all RAM.
    pub(crate) engine: Option<u64>,
    pub(crate) image: Option<u64>,
    pub(crate) ram: Option<u64>,
}

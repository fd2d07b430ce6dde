//! The memory ledger: what each part of the device may hold at most, and allocation that fails
//! instead of panicking.
//!
//! | file | job |
//! |---|---|
//! | `plan` | the table: a budget for each [`Share`], one [`Plan`] per board |
//! | `ledger` | what is used of each share, the most that was, and what was refused |
//! | `reserve` | [`reserve()`]: whether a bounded step finds the memory it needs |
//! | `fallible` | vectors that grow or say that they cannot |
//!
//! What is in the table and what happens at the end of each share is in `docs/ledger.md`.
//!
//! # How an allocation is made
//!
//! * What is large, or whose size or number is decided outside, asks its share first and is then
//!   allocated with the functions of `fallible` (or `try_reserve`); it is refused in the way its
//!   protocol has.
//! * Everything else is small and belongs to a step that began with [`reserve()`]: all infallible
//!   allocations of the step together must be smaller than what was reserved. A test allocator
//!   holds the steps to that: see [`credit`].

#![no_std]
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

extern crate alloc;

mod fallible;
mod ledger;
mod plan;
mod reserve;

pub use fallible::{
    shrink_deque, try_append, try_deque_room, try_extend, try_format, try_push, try_push_back,
    try_room, try_room_exact, try_string_room, try_to_string, try_to_vec,
};
pub use ledger::{Account, Ledger};
pub use plan::{Plan, Share};
pub use reserve::{
    BLOCKS, STEP_BLOCK, STEP_MARGIN, credit, reserve, reserve_blocks, reserve_margin, reserve_step,
    set_probing,
};

//! What the device has on every chip's board.
//!
//! | module | job |
//! |---|---|
//! | [`crash_loop`] | what comes of faults at the start, again and again |
//! | [`turn()`] | one turn of the loop: device, network, sleep |
#![no_std]

pub mod crash_loop;
mod turn;

pub use turn::{now, restart_after_this_turn, turn};

use umqtt_chip_rt::{heap, println, reset};

/// Prints the device's first lines: what it is, and why it was restarted if it was.
pub fn print_banner(version: &str, board: &str) {
    println!("\n{version}, the device on {board}");
    if let Some(why) = reset::last_cause() {
        println!("it was restarted: {why}");
    }
}

/// Bytes of the heap that nobody has.
pub fn free_memory() -> u32 {
    let usage = heap::usage();
    (usage.size - usage.used) as u32
}

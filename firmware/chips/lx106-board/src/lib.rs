//! What the device has on every board with the ESP8266's core.
//!
//! | module | job |
//! |---|---|
//! | [`crash_loop`] | what comes of faults at the start, again and again |
#![no_std]

pub mod crash_loop;

use umqtt_lx106_rt::{println, reset};

/// Prints the device's first lines: what it is, and why it was restarted if it was.
pub fn print_banner(version: &str, board: &str) {
    println!("\n{version}, the device on {board}");
    if let Some(why) = reset::last() {
        println!("it was restarted: {why}");
    }
}

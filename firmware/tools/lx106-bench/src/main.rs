//! Does the tasks in the flash, each a text whose first line says what, and prints what each took:
//! instructions, exact where the emulator counts them, and bytes of heap.
//!
//! | task | what is counted |
//! |---|---|
//! | `script`, and a script's text behind that line | compiling it, and loading it |
//! | `event EVENT` | an event, from its coming to the end of its handlers, for the script above |
//! | `publish N` | the broker: a message of QoS 0 from one client to N others |
//! | `unlock` | a password tried on the console's lock |
#![no_std]
#![no_main]

extern crate alloc;

mod broker;
mod count;
mod event;
mod script;
mod unlock;

use alloc::string::String;

use umqtt_corpus::unpack;
use umqtt_lx60::emulator;
use umqtt_lx106_rt::{entry, println, reset};

use script::Script;

entry!(main);

fn main() -> ! {
    if let Some(why) = reset::last_cause() {
        println!("was reset: {why}");
        emulator::exit(3);
    }
    let mut script = None;
    for task in unpack(emulator::flash()) {
        if let Err(error) = perform(task, &mut script) {
            println!("{error}");
            emulator::exit(1);
        }
    }
    emulator::exit(0)
}

/// Does a task; prints a line of what it took.
fn perform(task: &[u8], script: &mut Option<Script>) -> Result<(), String> {
    let end = task.iter().position(|&byte| byte == b'\n').unwrap_or(task.len());
    let line = core::str::from_utf8(&task[..end]).unwrap_or_default();
    let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
    match what {
        "script" => {
            // The one before gives its memory back first.
            *script = None;
            *script = Some(Script::load(task.get(end + 1..).unwrap_or_default())?);
        }
        "event" => {
            let script = script.as_mut().ok_or("there is no script to give the event to")?;
            event::count(script, rest)?;
        }
        "publish" => broker::count(rest.parse().map_err(|_| "how many subscribers?")?)?,
        "unlock" => unlock::count()?,
        _ => return Err(alloc::format!("there is no task {line:?}")),
    }
    Ok(())
}

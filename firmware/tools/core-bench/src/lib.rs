//! Does the tasks in the flash, each a text whose first line says what, and prints what each took:
//! instructions, exact where the emulator counts them, and bytes of heap.
//!
//! | task | what is counted |
//! |---|---|
//! | `script`, and a script's text behind that line | compiling it, and loading it |
//! | `event EVENT` | an event, from its coming to the end of its handlers, for the script above |
//! | `fuel`, and a script's text behind that line | its timer 1, whose handler uses up all its fuel |
//! | `publish N` | the broker: a message of QoS 0 from one client to N others |
//! | `unlock` | a password tried on the console's lock |
#![no_std]

extern crate alloc;

mod broker;
mod count;
mod event;
mod fuel;
mod script;
mod unlock;

use alloc::string::String;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::{println, reset};
use umqtt_corpus::unpack;

use script::{Limits, Script};

/// The program.
pub fn main<E: Emulator>() -> ! {
    if let Some(why) = reset::last_cause() {
        println!("was reset: {why}");
        E::exit(3);
    }
    let mut script = None;
    for task in unpack(E::flash()) {
        if let Err(error) = perform::<E>(task, &mut script) {
            println!("{error}");
            E::exit(1);
        }
    }
    E::exit(0)
}

/// Does a task; prints a line of what it took.
fn perform<E: Emulator>(task: &[u8], script: &mut Option<Script>) -> Result<(), String> {
    let end = task.iter().position(|&byte| byte == b'\n').unwrap_or(task.len());
    let line = core::str::from_utf8(&task[..end]).unwrap_or_default();
    let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
    match what {
        "script" | "fuel" => {
            // The one before gives its memory back first.
            *script = None;
            let limits = if what == "fuel" { Limits::LittleFuel } else { Limits::Chip };
            let source = task.get(end + 1..).unwrap_or_default();
            let script = script.insert(Script::load::<E>(source, limits)?);
            if what == "fuel" {
                fuel::count::<E>(script, limits.profile().fuel)?;
            }
        }
        "event" => {
            let script = script.as_mut().ok_or("there is no script to give the event to")?;
            event::count::<E>(script, rest)?;
        }
        "publish" => broker::count::<E>(rest.parse().map_err(|_| "how many subscribers?")?)?,
        "unlock" => unlock::count::<E>()?,
        _ => return Err(alloc::format!("there is no task {line:?}")),
    }
    Ok(())
}

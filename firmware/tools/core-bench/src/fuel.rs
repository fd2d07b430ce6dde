//! What a unit of fuel buys: a timer whose handler does not end by itself.

use alloc::string::String;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::println;
use umqtt_device::net::Duration;
use umqtt_vm::Event;

use crate::count;
use crate::script::Script;

/// Counts timer 1, set to a millisecond when the script started; prints what it took, the fuel it
/// has used, and what it had.
pub(crate) fn count<E: Emulator>(script: &mut Script, tank: u32) -> Result<(), String> {
    script.now += Duration::from_millis(1);
    let at = script.moment();
    let Script { engine, world, .. } = script;
    if engine.next_due() != Some(Event::Timer(1)) {
        return Err("the script does not set its timer".into());
    }
    let before = engine.fuel_used();
    let (_, instructions) = count::once::<E, _>(|| engine.poll(at, world));
    let fuel = engine.fuel_used().wrapping_sub(before);
    println!("fuel instructions {instructions} used {fuel} tank {tank}");
    Ok(())
}

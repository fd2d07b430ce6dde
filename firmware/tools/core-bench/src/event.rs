//! Events: what they are called, and counting what they take.

use alloc::format;
use alloc::string::String;
use core::hint::black_box;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::println;
use umqtt_device::Engine;
use umqtt_device::engine::{DEBOUNCE, Disposition};
use umqtt_device::net::{Duration, Instant};
use umqtt_vm::{Event, Side};

use crate::count;
use crate::script::{Script, moment};

/// What is said of an event that is none.
const KINDS: &str = "topic local|remote TOPIC DATA, serial LINE, timer N, alarm N, gpio_interrupt N, http_response BODY, \
                     mqttconnect, wificonnect, wifidisconnect";
/// Timers and alarms that are let pass to get at the one asked for.
const MAX_POLLS: u32 = 1000;

/// Counts an event; prints what it took.
pub(crate) fn count<E: Emulator>(script: &mut Script, text: &str) -> Result<(), String> {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    let number = || rest.trim().parse::<u8>().map_err(|_| format!("{text}: which number?"));
    let instructions = match kind {
        "timer" => {
            due::<E>(script, Event::Timer(number()?)).map_err(|why| format!("{text}: {why}"))?
        }
        "alarm" => {
            due::<E>(script, Event::Alarm(number()?)).map_err(|why| format!("{text}: {why}"))?
        }
        "gpio_interrupt" => pin::<E>(script, number()?),
        _ => outside::<E>(
            script,
            parse(kind, rest).ok_or_else(|| format!("{text}: not an event. There are: {KINDS}"))?,
        ),
    };
    if script.world.logged > 0 {
        println!("note the script had something to complain of");
        script.world.logged = 0;
    }
    println!("event instructions {instructions}");
    Ok(())
}

fn parse<'t>(kind: &str, rest: &'t str) -> Option<Event<'t>> {
    Some(match kind {
        "topic" => {
            let (side, rest) = rest.split_once(' ')?;
            let side = match side {
                "local" => Side::Local,
                "remote" => Side::Remote,
                _ => return None,
            };
            let (topic, data) = rest.split_once(' ').unwrap_or((rest, ""));
            Event::Topic { side, topic: topic.as_bytes(), data: data.as_bytes() }
        }
        "serial" => Event::Serial { line: rest.as_bytes() },
        "http_response" => Event::HttpResponse {
            host: b"host",
            path: b"/path",
            code: *b"200",
            body: rest.as_bytes(),
            cut: false,
        },
        "mqttconnect" => Event::MqttConnect,
        "wificonnect" => Event::WifiConnect,
        "wifidisconnect" => Event::WifiDisconnect,
        _ => return None,
    })
}

/// One that comes from outside.
fn outside<E: Emulator>(script: &mut Script, event: Event<'_>) -> u32 {
    let at = script.moment();
    let Script { engine, world, .. } = script;
    let mut queued = false;
    let instructions = count::instructions::<E, _>(|| {
        let handled = engine.handle(black_box(&event), at, world);
        if handled == Disposition::Queued {
            queued = true;
            while engine.poll(at, world) {}
        }
    });
    if queued {
        println!("note it had to wait for others");
    }
    instructions
}

/// One that time brings: each time the script's clock is put forward to the next.
fn due<E: Emulator>(script: &mut Script, event: Event<'_>) -> Result<u32, &'static str> {
    if !forward(script, event) {
        return Err(
            "it is not due: nothing has set it, or others are due again and again before it",
        );
    }
    // What is counted each time brings the next time; it must be the same one.
    let mut others = false;
    let mut at = script.moment();
    let Script { engine, world, now } = script;
    let next = |engine: &Engine<_>, now: Instant| {
        engine.poll_at().unwrap_or(now + Duration::from_millis(1))
    };
    let instructions = count::mean::<E, _>(|| {
        engine.poll(at, world);
        at = moment(next(engine, at.now));
        others |= engine.next_due() != Some(event);
    });
    count::marked(|| engine.poll(at, world));
    at = moment(next(engine, at.now));
    let looking = count::mean::<E, _>(|| {
        at = moment(black_box(next(engine, at.now)));
        others |= black_box(engine.next_due()) != Some(event);
    });
    *now = at.now;
    if others {
        return Err(
            "it does not come again and again: its handler does not set it, or others are due between",
        );
    }
    Ok(instructions.saturating_sub(looking))
}

/// Lets time pass to where the event is due.
fn forward(script: &mut Script, event: Event<'_>) -> bool {
    for _ in 0..MAX_POLLS {
        let Some(at) = script.engine.poll_at() else { return false };
        script.now = script.now.max(at);
        if script.engine.next_due() == Some(event) {
            return true;
        }
        script.settle();
    }
    false
}

/// An edge, and what the pin says when it has settled.
fn pin<E: Emulator>(script: &mut Script, pin: u8) -> u32 {
    let mut at = script.moment();
    let Script { engine, world, now } = script;
    let instructions = count::instructions::<E, _>(|| {
        world.level = !world.level;
        engine.edge(black_box(pin), at.now);
        at.now += DEBOUNCE;
        engine.poll(at, world)
    });
    *now = at.now;
    instructions
}

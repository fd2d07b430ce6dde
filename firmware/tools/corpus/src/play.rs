//! Lets everything happen to a script that can happen to one.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use umqtt_device::engine::LocalTime;
use umqtt_device::net::Duration;
use umqtt_device::sim::{Action, Simulator};
use umqtt_vm::Side;

/// What is published on every topic a script listens to.
const DATA: [&str; 6] = ["toggle", "on", "1", "-5", "{\"a\":{\"b\":[1,\"x\"]}}", ""];
/// Deeds written down of each thing that happened; of more, the number.
const MAX_DEEDS: usize = 40;
/// A script that does so much at one thing feeds itself; it is left alone then, and all it did
/// takes more memory than a chip has.
const TOO_MUCH: usize = 400;
/// Moments at which something is due that are waited for at a time.
const MAX_MOMENTS: usize = 40;
/// Topics that are published on.
const MAX_TOPICS: usize = 16;
/// Monday, a little before most alarms of the scripts.
const MORNING: LocalTime = LocalTime { day: 4, millis: 6 * 3_600_000 + 59 * 60_000 };
const PINS: u8 = 16;

/// A script while it is played with.
struct Play<'a> {
    sim: Simulator,
    out: &'a mut dyn Write,
    /// What it listens to.
    topics: Vec<(Side, String)>,
    /// It has done too much.
    alone: bool,
}

/// Lets time pass, but not for more moments than a script should need.
fn pass(sim: &mut Simulator, ms: u64) {
    let end = sim.now() + Duration::from_millis(ms);
    for _ in 0..MAX_MOMENTS {
        match sim.next_at() {
            Some(at) if at <= end => {
                let wait = at.saturating_duration_since(sim.now());
                sim.advance(wait.max(Duration::from_millis(1)));
            }
            _ => return sim.advance(end.saturating_duration_since(sim.now())),
        }
    }
}

/// Plays with a script that has not started, and writes down what it did.
pub(crate) fn play(mut sim: Simulator, out: &mut dyn Write) -> fmt::Result {
    sim.set_flash(1, "17");
    sim.set_adc(300);
    let mut play = Play { sim, out, topics: Vec::new(), alone: false };
    play.step("start", Simulator::start)?;
    play.step("network", |sim| sim.wifi(true))?;
    play.step("remote broker", Simulator::connect_remote)?;
    for index in 0..MAX_TOPICS {
        let Some((side, topic)) = play.topics.get(index).cloned() else { break };
        for data in DATA {
            play.step(&topic, |sim| match side {
                Side::Local => sim.local(&topic, data),
                Side::Remote => sim.remote(&topic, data),
            })?;
        }
    }
    for pin in 0..=PINS {
        play.step("pin", |sim| {
            sim.drive_pin(pin, true);
            pass(sim, 60);
            sim.drive_pin(pin, false);
            pass(sim, 60);
        })?;
    }
    for line in ["toggle", "a,b,c", ""] {
        play.step("serial", |sim| sim.serial(line))?;
    }
    play.step("answer", |sim| _ = sim.http_answer(b"200", "{\"temp\":21}"))?;
    play.step("time", |sim| pass(sim, 3000))?;
    play.step("clock", |sim| sim.set_clock(MORNING))?;
    play.step("minute", |sim| pass(sim, 90_000))?;
    play.step("lost", |sim| sim.wifi(false))?;

    let Play { mut sim, out, .. } = play;
    for pin in 0..=PINS {
        write!(out, "{}:{} ", u8::from(sim.pin(pin)), sim.pwm(pin))?;
    }
    let mut written = Ok(());
    sim.engine().variables(&mut |name, value| {
        written =
            written.and_then(|()| write!(out, "{}={} ", name.escape_ascii(), value.escape_ascii()));
    });
    written?;
    writeln!(out, "@1={:?} runs {} {:?}", sim.flash(1), sim.enabled(), sim.stats())
}

impl Play<'_> {
    fn step(&mut self, what: &str, happen: impl FnOnce(&mut Simulator)) -> fmt::Result {
        if self.alone {
            return Ok(());
        }
        happen(&mut self.sim);
        let actions = self.sim.actions();
        if actions.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{what}:")?;
        for action in actions.iter().take(MAX_DEEDS) {
            writeln!(self.out, "  {action}")?;
        }
        if actions.len() > MAX_DEEDS {
            writeln!(self.out, "  {} more", actions.len() - MAX_DEEDS)?;
        }
        if actions.len() > TOO_MUCH {
            self.alone = true;
            writeln!(self.out, "{}", crate::FEEDS_ITSELF)?;
        }
        for action in actions {
            if let Action::Subscribe(side, filter) = action {
                // A topic the filter matches.
                let topic = String::from_utf8_lossy(&filter).replace(['+', '#'], "x");
                if !self.topics.contains(&(side, topic.clone())) {
                    self.topics.push((side, topic));
                }
            }
        }
        Ok(())
    }
}

//! Lets everything happen to a script that can happen to one.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use umqtt_device::engine::ClockTime;
use umqtt_device::sim::{Action, Bench};
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
const MORNING: ClockTime = ClockTime { day: 4, millis: 6 * 3_600_000 + 59 * 60_000 };
const PINS: u8 = 16;

/// A script while it is played with.
struct Play<'a> {
    bench: Bench,
    out: &'a mut dyn Write,
    /// What it listens to.
    topics: Vec<(Side, String)>,
    /// It has done too much.
    alone: bool,
}

/// Lets time pass, but not for more moments than a script should need.
fn pass(bench: &mut Bench, ms: u64) {
    let end = bench.now() + ms;
    for _ in 0..MAX_MOMENTS {
        match bench.next_at() {
            Some(at) if at <= end => bench.advance(at.saturating_sub(bench.now()).max(1)),
            _ => return bench.advance(end.saturating_sub(bench.now())),
        }
    }
}

/// Plays with a script that has not started, and writes down what it did.
pub(crate) fn play(mut bench: Bench, out: &mut dyn Write) -> fmt::Result {
    bench.set_flash(1, "17");
    bench.set_adc(300);
    let mut play = Play { bench, out, topics: Vec::new(), alone: false };
    play.step("start", Bench::start)?;
    play.step("network", |bench| bench.wifi(true))?;
    play.step("remote broker", Bench::connect_remote)?;
    for index in 0..MAX_TOPICS {
        let Some((side, topic)) = play.topics.get(index).cloned() else { break };
        for data in DATA {
            play.step(&topic, |bench| match side {
                Side::Local => bench.local(&topic, data),
                Side::Remote => bench.remote(&topic, data),
            })?;
        }
    }
    for pin in 0..=PINS {
        play.step("pin", |bench| {
            bench.drive_pin(pin, true);
            pass(bench, 60);
            bench.drive_pin(pin, false);
            pass(bench, 60);
        })?;
    }
    for line in ["toggle", "a,b,c", ""] {
        play.step("serial", |bench| bench.serial(line))?;
    }
    play.step("answer", |bench| _ = bench.http_answer(b"200", "{\"temp\":21}"))?;
    play.step("time", |bench| pass(bench, 3000))?;
    play.step("clock", |bench| bench.set_clock(MORNING))?;
    play.step("minute", |bench| pass(bench, 90_000))?;
    play.step("lost", |bench| bench.wifi(false))?;

    let Play { mut bench, out, .. } = play;
    for pin in 0..=PINS {
        write!(out, "{}:{} ", u8::from(bench.pin(pin)), bench.pwm(pin))?;
    }
    let mut written = Ok(());
    bench.engine().variables(&mut |name, value| {
        written =
            written.and_then(|()| write!(out, "{}={} ", name.escape_ascii(), value.escape_ascii()));
    });
    written?;
    writeln!(out, "@1={:?} runs {} {:?}", bench.flash(1), bench.enabled(), bench.stats())
}

impl Play<'_> {
    fn step(&mut self, what: &str, happen: impl FnOnce(&mut Bench)) -> fmt::Result {
        if self.alone {
            return Ok(());
        }
        happen(&mut self.bench);
        let deeds = self.bench.actions();
        if deeds.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{what}:")?;
        for deed in deeds.iter().take(MAX_DEEDS) {
            writeln!(self.out, "  {deed}")?;
        }
        if deeds.len() > MAX_DEEDS {
            writeln!(self.out, "  {} more", deeds.len() - MAX_DEEDS)?;
        }
        if deeds.len() > TOO_MUCH {
            self.alone = true;
            writeln!(self.out, "{}", crate::FEEDS_ITSELF)?;
        }
        for deed in deeds {
            if let Action::Subscribe(side, filter) = deed {
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

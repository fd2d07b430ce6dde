//! Runs a test: its steps, one after the other, until one fails.

use umqtt_device::engine::LocalTime;
use umqtt_device::net::Duration;
use umqtt_device::sim::{Action, Coverage};
use umqtt_lang::ast::Span;
use umqtt_vm::Profile;

use super::bench::{Bench, Device, Done};
use super::file::{Expectation, Input, Step, StepKind, Test, TestFile};
use super::limits::Overrun;
use super::pattern::{ActionKind, ActionPattern, Pattern, Text};
use super::possible;
use super::problem::Problem;
use super::script::Script;
use super::steps::small_number;
use super::story::{self, SHOWN_VALUE, time};

const DAY: u32 = 86_400;
/// Minutes of a day that is an hour longer than others.
const MINUTES_OF_DAY: u32 = 25 * 60;
/// Milliseconds of a minute.
const MINUTE: u32 = 60_000;

/// What ran of each of a test's scripts, to be added to by each test.
pub(crate) type Covered = [Coverage];

/// Runs a test with one value of its `each`; empty if it has none.
///
/// # Errors
/// The step that failed, what was expected there and what happened instead.
pub(crate) fn run(
    file: &TestFile,
    scripts: &[Script],
    test: &Test,
    each: &[u8],
    profile: &Profile,
    covered: Option<&mut Covered>,
) -> Result<(), Problem> {
    let bench = |is_watched| {
        let bench = Bench::new(scripts, &file.links, profile, is_watched);
        bench.map_err(|error| Problem::new(test.span, error.to_string()))
    };
    let Some(covered) = covered else {
        // Only those that fail are worth the time that watching takes.
        let mut run = Run { bench: bench(false)?, each };
        return run.steps(test).or_else(|_| Run { bench: bench(true)?, each }.steps(test));
    };
    let mut run = Run { bench: bench(true)?, each };
    let result = run.steps(test);
    covered.iter_mut().zip(run.bench.coverage()).for_each(|(all, ran)| all.add(ran));
    result
}

struct Run<'s> {
    bench: Bench<'s>,
    each: &'s [u8],
}

impl<'s> Run<'s> {
    fn steps(&mut self, test: &Test) -> Result<(), Problem> {
        // Open loops: their first step, and how often they are to be repeated.
        let (mut at, mut open) = (0, Vec::new());
        while let Some(step) = test.steps.get(at) {
            at += 1;
            self.bench.turn().map_err(|overrun| overrun.at(step.span))?;
            match step.kind {
                StepKind::Repeat(times) => open.push((at, times)),
                StepKind::Done => {
                    if let Some((first, times @ 2..)) = open.pop() {
                        open.push((first, times - 1));
                        at = first;
                    }
                }
                _ => self.step(step)?,
            }
        }
        Ok(())
    }

    fn device(&self, step: &Step) -> &Device<'s> {
        &self.bench.devices[step.device]
    }

    fn step(&mut self, step: &Step) -> Result<(), Problem> {
        let idle = |result: Result<(), Overrun>| result.map_err(|overrun| overrun.at(step.span));
        match &step.kind {
            StepKind::Start => idle(self.bench.start(step.device)),
            StepKind::Stop => idle(self.bench.stop(step.device)),
            StepKind::Restart => match self.bench.restart(step.device) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(Problem::new(step.span, error.to_string())),
                Err(never) => idle(Err(never)),
            },
            StepKind::Forget => {
                self.bench.forget(step.device);
                Ok(())
            }
            // They are the caller's.
            StepKind::Repeat(_) | StepKind::Done => Ok(()),
            StepKind::Wait(time) => idle(self.bench.advance(*time)),
            StepKind::WaitUntil(second) => self.wait_until(step, *second),
            StepKind::Input(input) => self.input(step, input),
            StepKind::Expect(expected) => self.expect(step, expected),
        }
    }

    fn wait_until(&mut self, step: &Step, second: u32) -> Result<(), Problem> {
        // From one whole minute to the next: there a clock goes forward or back, and so the time is
        // not overshot. Twice round a day, if the clock never shows it today.
        for _ in 0..2 * MINUTES_OF_DAY {
            let Some(clock) = self.device(step).sim.clock() else {
                let problem = Problem::new(step.span, "the clock is not set");
                return Err(problem.help("`clock Mon 06:59:50`, before `start`"));
            };
            let left = (second + DAY - clock.millis / 1000) % DAY;
            if left == 0 {
                return Ok(());
            }
            let millis = left * 1000 - (clock.millis % 1000);
            let millis = millis.min(MINUTE - clock.millis % MINUTE);
            let passed = self.bench.advance(Duration::from_millis(millis.into()));
            passed.map_err(|overrun| overrun.at(step.span))?;
        }
        Ok(())
    }

    fn input(&mut self, step: &Step, input: &Input) -> Result<(), Problem> {
        let (each, at, device) = (self.each, step.span, step.device);
        self.note(step, input);
        let done = match input {
            Input::Clock(time) => {
                let time = LocalTime { day: time.day, millis: time.second * 1000 };
                self.bench.act(device, |sim| sim.set_clock(time))
            }
            Input::Flash(n, value) => {
                let value = value.bytes(each);
                if value.len() > umqtt_vm::FLASH_VARIABLE_LEN {
                    let problem = Problem::new(at, "a flash variable holds 63 bytes");
                    return Err(problem);
                }
                self.bench.act(device, |sim| sim.set_flash(*n, value))
            }
            Input::Retained(topic, data) => {
                let (topic, data) = (self.topic(at, topic.bytes(each))?, data.bytes(each));
                let done = self.bench.message(device, false, (&topic, data, true));
                self.bench.devices[device].sim.save_retained();
                done
            }
            Input::Set(name, value) => {
                let (name, value) = (name.bytes(each), value.bytes(each));
                check_setting(at, name, value)?;
                self.bench.act(device, |sim| sim.set(name, value))
            }
            Input::Topic { remote, topic, data, retained } => {
                let topic = self.topic(at, topic.bytes(each))?;
                self.bench.message(device, *remote, (&topic, data.bytes(each), *retained))
            }
            Input::Pin(pin, level) => {
                self.check_pin(step, *pin)?;
                possible::level(at, &Pattern::Is(level.clone()), each)?;
                let level = level.bytes(each) == b"1";
                self.bench.act(device, |sim| sim.drive_pin(*pin, level))
            }
            Input::Adc(value) => {
                let value = small_number(at, value.bytes(each), 1023, "the analogue input")?;
                self.bench.act(device, |sim| sim.set_adc(value))
            }
            Input::Serial(line) => {
                let line = line.bytes(each);
                self.bench.act(device, |sim| sim.serial(line))
            }
            Input::Http { code, body } => {
                let mut answered = false;
                let body = body.bytes(each);
                let done = self.bench.act(device, |sim| answered = sim.http_answer(code, body));
                if !answered {
                    let problem = Problem::new(at, "no HTTP request waits for an answer");
                    return Err(self.with_story(problem, step));
                }
                done
            }
            Input::Wifi(up) => self.bench.act(device, |sim| sim.wifi(*up)),
            Input::Remote(true) => self.bench.act(device, |sim| sim.connect_remote()),
            Input::Remote(false) => self.bench.act(device, |sim| sim.disconnect_remote()),
        };
        done.map_err(|overrun| overrun.at(at))
    }

    /// Notes what comes in for the story; messages are noted where they are delivered.
    fn note(&mut self, step: &Step, input: &Input) {
        let text = |text: &Text| String::from_utf8_lossy(text.bytes(self.each)).into_owned();
        let shown = match input {
            Input::Pin(pin, level) => format!("pin {pin} = {}", text(level)),
            Input::Adc(value) => format!("adc {}", text(value)),
            Input::Serial(line) => format!("serial {:?}", text(line)),
            Input::Http { code: [b'0', ..], .. } => "http fails".to_owned(),
            Input::Http { code, body } => {
                format!("http {} {:?}", String::from_utf8_lossy(code), text(body))
            }
            Input::Wifi(true) => "wificonnect".to_owned(),
            Input::Wifi(false) => "wifidisconnect".to_owned(),
            Input::Remote(true) => "mqttconnect".to_owned(),
            Input::Remote(false) => "mqttdisconnect".to_owned(),
            Input::Clock(_) | Input::Flash(..) | Input::Retained(..) | Input::Set(..) => return,
            Input::Topic { .. } => return,
        };
        self.bench.devices[step.device].came_in(shown);
    }

    /// A topic a message can have.
    fn topic(&self, at: Span, topic: &[u8]) -> Result<String, Problem> {
        let shown = String::from_utf8_lossy(topic).into_owned();
        umqtt_topic::check_name(topic).map_err(|error| {
            Problem::new(at, format!("`{shown}` is no topic of a message: {error}"))
        })?;
        Ok(shown)
    }

    /// A pin that the script does not know is a mistake.
    fn check_pin(&self, step: &Step, pin: u8) -> Result<(), Problem> {
        let pin = Pattern::Is(Text::Fixed(pin.to_string().into_bytes()));
        possible::pin(step.span, &pin, self.each, self.device(step).script)
    }

    /// What no script can do is refused before it is looked for, so that `expect no` does not pass
    /// with it.
    fn check_possible(&self, step: &Step, expected: &Expectation) -> Result<(), Problem> {
        let (each, at) = (self.each, step.span);
        match expected {
            Expectation::Action(pattern)
            | Expectation::No(pattern)
            | Expectation::Within(_, pattern) => {
                possible::check(at, pattern, each, self.device(step).script)
            }
            Expectation::Pin(pin, pattern) => {
                self.check_pin(step, *pin)?;
                possible::level(at, pattern, each)
            }
            Expectation::Retained(topic, _) => self.topic(at, topic.bytes(each)).map(|_| ()),
            Expectation::NothingMore
            | Expectation::Variable(..)
            | Expectation::Flash(..)
            | Expectation::Stopped => Ok(()),
        }
    }

    fn expect(&mut self, step: &Step, expected: &Expectation) -> Result<(), Problem> {
        let (each, at) = (self.each, step.span);
        self.check_possible(step, expected)?;
        match expected {
            Expectation::Action(pattern) => match self.find(step, pattern) {
                true => Ok(()),
                false => Err(self.missed(step, pattern, "this did not happen")),
            },
            Expectation::Within(time, pattern) => self.within(step, *time, pattern),
            Expectation::No(pattern) => {
                let unseen = self.device(step).unseen();
                match unseen.iter().any(|done| is(done, pattern, each)) {
                    true => Err(self.with_story(Problem::new(at, "this did happen"), step)),
                    false => Ok(()),
                }
            }
            Expectation::NothingMore => {
                let is_log = |done: &Done| matches!(done.action(), None | Some(Action::Log(_)));
                match self.device(step).unseen().iter().all(is_log) {
                    true => Ok(()),
                    false => {
                        Err(self.with_story(Problem::new(at, "something more happened"), step))
                    }
                }
            }
            Expectation::Variable(name, pattern) => {
                let device = &mut self.bench.devices[step.device];
                match device.sim.variable(name) {
                    Some(value) => self.value(step, name, value.as_bytes(), pattern),
                    None => Err(unknown_variable(at, name, &device.script.variables)),
                }
            }
            Expectation::Flash(n, pattern) => {
                let value = self.device(step).sim.flash(*n);
                self.value(step, &format!("@{n}"), value.as_bytes(), pattern)
            }
            Expectation::Pin(pin, pattern) => {
                let level = u8::from(self.device(step).sim.pin(*pin)).to_string();
                self.value(step, &format!("pin {pin}"), level.as_bytes(), pattern)
            }
            Expectation::Retained(topic, pattern) => {
                let topic = String::from_utf8_lossy(topic.bytes(each)).into_owned();
                let value = self.device(step).sim.retained(&topic).unwrap_or_default();
                self.value(
                    step,
                    &format!("the message retained on {topic}"),
                    value.as_bytes(),
                    pattern,
                )
            }
            Expectation::Stopped => match self.device(step).sim.enabled() {
                false => Ok(()),
                true => Err(self.with_story(Problem::new(at, "the script still runs"), step)),
            },
        }
    }

    /// Looks for an action among those not looked at yet, and goes on behind it.
    fn find(&mut self, step: &Step, pattern: &ActionPattern) -> bool {
        let device = &mut self.bench.devices[step.device];
        let found = device.unseen().iter().position(|done| is(done, pattern, self.each));
        device.seen += found.map_or(0, |found| found + 1);
        found.is_some()
    }

    fn within(
        &mut self,
        step: &Step,
        time: Duration,
        pattern: &ActionPattern,
    ) -> Result<(), Problem> {
        let end = self.bench.now().saturating_add(time);
        let (mut more, mut looked_at) = (true, self.device(step).seen);
        loop {
            let device = &mut self.bench.devices[step.device];
            let new = device.done[looked_at..].iter();
            if let Some(found) = new.clone().position(|done| is(done, pattern, self.each)) {
                device.seen = looked_at + found + 1;
                return Ok(());
            }
            looked_at += new.len();
            if !more {
                return Err(self.missed(step, pattern, "this did not happen in that time"));
            }
            more = self.bench.advance_to_next(end).map_err(|overrun| overrun.at(step.span))?;
        }
    }

    /// An action that did not happen; or did, but before what was expected last.
    fn missed(&mut self, step: &Step, pattern: &ActionPattern, message: &str) -> Problem {
        let device = self.device(step);
        let seen = &device.done[..device.seen];
        let earlier = seen.iter().rfind(|done| is(done, pattern, self.each));
        let problem = Problem::new(step.span, message);
        let problem = match earlier {
            _ if let Some(but) = self.nearly(step, pattern) => problem.help(but),
            Some(done) => problem.help(format!(
                "it did earlier, at {}: expectations stand in the order in which things happen, and each looks behind the one before",
                time(done.at, done.clock)
            )),
            None => problem,
        };
        self.with_story(problem, step)
    }

    /// How what happened differs from what was expected, if in one word only.
    fn nearly(&self, step: &Step, pattern: &ActionPattern) -> Option<String> {
        let unseen = self.device(step).unseen();
        let happened = |other: &ActionPattern| unseen.iter().any(|done| is(done, other, self.each));
        if let Some(flag) = pattern.kind.flag()
            && let Some(wanted) = pattern.flag
            && happened(&ActionPattern { flag: None, ..pattern.clone() })
        {
            let with = if wanted { "without" } else { "with" };
            return Some(format!("it did, but {with} `{flag}`"));
        }
        let (kind, word) = match pattern.kind {
            ActionKind::Print => (ActionKind::Println, "println"),
            ActionKind::Println => (ActionKind::Print, "print"),
            _ => return None,
        };
        let is_so = happened(&ActionPattern { kind, ..pattern.clone() });
        is_so.then(|| format!("it did, but by `{word}`"))
    }

    fn value(
        &mut self,
        step: &Step,
        what: &str,
        value: &[u8],
        pattern: &Pattern,
    ) -> Result<(), Problem> {
        if pattern.matches(value, self.each) {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&value[..value.len().min(SHOWN_VALUE)]).into_owned();
        let problem = Problem::new(step.span, format!("{what} is {shown:?}"));
        Err(self.with_story(problem, step))
    }

    /// Adds what happened since it was looked at last, and what the variables are.
    fn with_story(&mut self, problem: Problem, step: &Step) -> Problem {
        story::tell(problem, &mut self.bench.devices[step.device])
    }
}

/// Whether what happened is such an action.
fn is(done: &Done, pattern: &ActionPattern, each: &[u8]) -> bool {
    done.action().is_some_and(|action| pattern.matches(action, each))
}

fn unknown_variable(at: Span, name: &str, known: &[String]) -> Problem {
    let problem = Problem::new(at, format!("the script has no variable {name}"));
    match super::problem::nearest(name, known.iter().map(String::as_str)) {
        Some(nearest) => problem.help(nearest),
        None if known.is_empty() => problem.note("it has no variables"),
        None => problem.note(format!("its variables: {}", known.join(", "))),
    }
}

/// The name and the value must be right; the script itself sees nothing of most settings.
fn check_setting(at: Span, name: &[u8], value: &[u8]) -> Result<(), Problem> {
    use umqtt_device::settings::lint;
    let name_shown = String::from_utf8_lossy(name);
    if !lint::names().any(|known| known == name_shown) {
        let problem = Problem::new(at, format!("there is no setting `{name_shown}`"));
        return Err(match super::problem::nearest(&name_shown, lint::names()) {
            Some(nearest) => problem.help(nearest),
            None => problem,
        });
    }
    lint::check(name, value).map_err(|error| {
        Problem::new(at, format!("`{name_shown}` does not take this value")).help(error.to_string())
    })
}

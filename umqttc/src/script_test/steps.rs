//! Reads the steps of a test.

use umqtt_calendar::Date;
use umqtt_lang::ast::Span;
use umqtt_lang::literal::time_of_day;

use super::cursor::Cursor;
use super::expectations;
use super::file::{ClockTime, Expectation, Input, StepKind, Test};
use super::pattern::Text;
use super::problem::{Problem, nearest};
use super::scope::Scope;
use super::token::COMMENTS;

/// A word that begins a step, and how the step is written.
pub(super) struct StepWord {
    pub(super) word: &'static str,
    form: &'static str,
}

const fn word(word: &'static str, form: &'static str) -> StepWord {
    StepWord { word, form }
}

/// Every one.
pub(super) const STEPS: [StepWord; 22] = [
    word("clock", "clock Mon 06:59:50"),
    word("flash", "flash @1 \"value\""),
    word("retained", "retained relay/status \"off\""),
    word("pin", "pin 0 1"),
    word("adc", "adc 512"),
    word("set", "set broker_user none"),
    word("start", "start"),
    word("stop", "stop"),
    word("restart", "restart"),
    word("forget", "forget"),
    word("repeat", "repeat 10 do"),
    word("done", "done"),
    word("wait", "wait 50ms"),
    word("topic", "topic local relay/command toggle"),
    word("serial", "serial \"a line\""),
    word("http", "http 200 \"the body\""),
    word("wificonnect", "wificonnect"),
    word("wifidisconnect", "wifidisconnect"),
    word("mqttconnect", "mqttconnect"),
    word("mqttdisconnect", "mqttdisconnect"),
    word("gpio", "pin 0 1"),
    word("expect", "expect publish local relay/status on retained"),
];

/// Most times that steps are repeated.
const MAX_REPEAT: u32 = 1_000_000;
/// How deep `repeat` may be nested.
const MAX_NESTING: usize = 2;

/// The step at the start of a line, behind the name of a device.
pub(super) fn step(cursor: &mut Cursor<'_, '_>, scope: Scope<'_>) -> Result<StepKind, Problem> {
    let span = cursor.span();
    let found = cursor.peek_word().and_then(|word| STEPS.iter().find(|step| step.word == word));
    let Some(StepWord { word, form }) = found else {
        let shown = cursor.shown();
        let problem = Problem::new(span, format!("`{shown}` is no step of a test"));
        let known = STEPS.iter().map(|step| step.word);
        return Err(match (meant(&shown), nearest(&shown, known)) {
            (Some(meant), _) => problem.help(meant),
            (None, Some(nearest)) => problem.help(nearest),
            (None, None) => problem,
        });
    };
    cursor.skip();
    Ok(match *word {
        "start" => StepKind::Start,
        "stop" => StepKind::Stop,
        "restart" => StepKind::Restart,
        "forget" => StepKind::Forget,
        "repeat" => {
            let times = cursor.count(MAX_REPEAT, form)?;
            cursor.expect_word("do", form)?;
            StepKind::Repeat(times)
        }
        "done" => StepKind::Done,
        "wait" if cursor.take_word("until") => {
            StepKind::WaitUntil(cursor.time_of_day("wait until 07:00:00")?)
        }
        "wait" => StepKind::Wait(cursor.duration(form)?),
        "expect" => StepKind::Expect(expectations::expectation(cursor, scope)?),
        word => StepKind::Input(input(word, cursor, scope, form)?),
    })
}

fn input(
    word: &str,
    cursor: &mut Cursor<'_, '_>,
    scope: Scope<'_>,
    form: &str,
) -> Result<Input, Problem> {
    Ok(match word {
        "clock" => Input::Clock(clock(cursor, form)?),
        "flash" => {
            let n = cursor.flash_variable(form)?;
            cursor.take_word("=");
            Input::Flash(n, scope.text(cursor, "its value", form)?)
        }
        "retained" => {
            let topic = scope.text(cursor, "a topic", form)?;
            Input::Retained(topic, scope.text(cursor, "the message", form)?)
        }
        "set" => {
            let name = scope.text(cursor, "the name of a setting", form)?;
            Input::Set(name, scope.text(cursor, "its value", form)?)
        }
        "pin" | "gpio" => {
            let pin = cursor.number("a pin", u8::MAX, form)?;
            cursor.take_word("=");
            Input::Pin(pin, scope.text(cursor, "its level, 0 or 1,", form)?)
        }
        "adc" => Input::Adc(scope.text(cursor, "a value from 0 to 1023", form)?),
        "topic" => {
            let remote = side(cursor, form)?;
            let topic = scope.text(cursor, "a topic", form)?;
            let data = scope.text(cursor, "the message", form)?;
            let retained = cursor.take_word("retained");
            Input::Topic { remote, topic, data, retained }
        }
        "serial" => Input::Serial(scope.text(cursor, "a line", form)?),
        "http" => http(cursor, scope, form)?,
        "wificonnect" => Input::Wifi(true),
        "wifidisconnect" => Input::Wifi(false),
        "mqttconnect" => Input::Remote(true),
        _ => Input::Remote(false),
    })
}

/// `local` is false, `remote` true.
fn side(cursor: &mut Cursor<'_, '_>, form: &str) -> Result<bool, Problem> {
    match cursor.peek_word() {
        Some(word @ ("local" | "remote")) => {
            cursor.skip();
            Ok(word == "remote")
        }
        _ => Err(cursor.missing("`local` or `remote`", form)),
    }
}

/// `http 200 BODY`, `http fails`
fn http(cursor: &mut Cursor<'_, '_>, scope: Scope<'_>, form: &str) -> Result<Input, Problem> {
    if cursor.take_word("fails") {
        return Ok(Input::Http { code: *b"000", body: Text::Fixed(Vec::new()) });
    }
    let span = cursor.span();
    let code = cursor.word("the status, or `fails`,", form)?;
    let code = <[u8; 3]>::try_from(code.as_bytes()).ok();
    let code = code.filter(|code| code.iter().all(u8::is_ascii_digit) && code[0] != b'0');
    let code = code.ok_or_else(|| {
        Problem::new(span, "an HTTP status has three digits").help(format!("as in `{form}`"))
    })?;
    let body = match cursor.is_at_end() {
        true => Text::Fixed(Vec::new()),
        false => scope.text(cursor, "the body", form)?,
    };
    Ok(Input::Http { code, body })
}

/// `clock Mon 06:59:50`, `clock 2026-03-29 01:59:50`
fn clock(cursor: &mut Cursor<'_, '_>, form: &str) -> Result<ClockTime, Problem> {
    let span = cursor.span();
    let word = cursor.word("a day", form)?;
    if time_of_day(word.as_bytes()).is_some() {
        let problem = Problem::new(span, "the clock needs a day too");
        return Err(problem.help(format!("Mon to Sun, or a date: `clock Mon {word}`")));
    }
    let day = weekday(word).or_else(|| date(word)).ok_or_else(|| {
        let problem = Problem::new(span, format!("`{word}` is no day"));
        problem.help("Mon to Sun, or a date as 2026-03-29")
    })?;
    Ok(ClockTime { day, second: cursor.time_of_day(form)? })
}

/// The first such day of 2026.
fn weekday(word: &str) -> Option<u32> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let wanted = NAMES.iter().position(|name| name.eq_ignore_ascii_case(word))?;
    let first = Date { year: 2026, month: 1, day: 1 }.days();
    let day =
        (first..first + 7).find(|day| usize::from(umqtt_calendar::weekday(*day)) == wanted)?;
    u32::try_from(day).ok()
}

/// Days since 1970 of `yyyy-mm-dd`, which a clock may show.
fn date(word: &str) -> Option<u32> {
    let mut parts = word.split('-');
    let year = parts.next()?.parse().ok().filter(|year| (1970..2200).contains(year))?;
    let (month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let days = Date { year, month, day }.days();
    // One that there is not would be another one.
    let is_one = (1..=12).contains(&month) && Date::from_days(days) == Date { year, month, day };
    u32::try_from(days).ok().filter(|_| is_one && parts.next().is_none())
}

/// What words of the language, or of other tools, are called here.
fn meant(word: &str) -> Option<&'static str> {
    if COMMENTS.iter().any(|begin| word.starts_with(begin)) {
        return Some("`%` begins a comment");
    }
    Some(match word {
        "send" | "message" | "receive" | "mqtt" => {
            "a message that comes in is `topic local TOPIC DATA`"
        }
        "press" | "push" | "button" | "release" | "click" => {
            "a button is a pin: `pin 0 0`, and later `pin 0 1`"
        }
        "config" => "a setting is made by `set`: `set latitude 52.5`",
        "publish" => {
            "a message that comes in is `topic local TOPIC DATA`; one that must go out is `expect publish ...`"
        }
        "println" | "print" | "subscribe" | "gpio_out" | "gpio_pwm" | "serial_out" | "http_get" => {
            "what the script must do is asked for with `expect` before it"
        }
        "assert" | "check" | "should" => "`expect` asks for what must have happened",
        "sleep" | "advance" | "delay" => "`wait 50ms` lets time pass",
        "settimer" | "setvar" | "setalarm" => {
            "a test drives the script from outside: see `wait`, `flash`, `topic`"
        }
        "local" | "remote" => "a message that comes in is `topic local TOPIC DATA`",
        "on" => "a test is a line `test \"its name\"`, then steps, one on each line",
        _ => return None,
    })
}

/// What stands in an order that makes no sense.
pub(super) fn order(test: &Test, devices: usize) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut started = vec![false; devices.max(1)];
    problems.extend(nesting(test));
    for step in &test.steps {
        let Some(started) = started.get_mut(step.device) else { continue };
        let before = match &step.kind {
            StepKind::Start if *started => {
                let problem = Problem::new(step.span, "it has started already");
                problems.push(problem.help("`restart` is a power cut and a new start"));
                continue;
            }
            StepKind::Start => {
                *started = true;
                continue;
            }
            StepKind::Restart | StepKind::Stop => "there is nothing to stop yet",
            StepKind::Expect(Expectation::Retained(..) | Expectation::Pin(..)) => continue,
            StepKind::Expect(Expectation::Flash(..)) => continue,
            StepKind::Expect(_) => "the script has done nothing yet",
            StepKind::Input(Input::Serial(_) | Input::Http { .. } | Input::Remote(_)) => {
                "nobody is there yet to take it"
            }
            StepKind::Input(Input::Topic { retained: false, .. } | Input::Wifi(_)) => {
                "nobody is there yet to take it"
            }
            _ => continue,
        };
        if !*started {
            let problem = Problem::new(step.span, before);
            problems.push(problem.help("`start` starts the script"));
            break;
        }
    }
    if !started.contains(&true) && problems.is_empty() {
        let problem = Problem::new(test.span, "this test never starts the script");
        problems.push(problem.help("a line `start`, behind the world as it is found"));
    }
    problems
}

/// A `repeat` without its `done`, or the other way round.
fn nesting(test: &Test) -> Option<Problem> {
    let mut open: Vec<Span> = Vec::new();
    for step in &test.steps {
        match step.kind {
            StepKind::Repeat(_) if open.len() == MAX_NESTING => {
                return Some(Problem::new(step.span, "`repeat` is nested too deep"));
            }
            StepKind::Repeat(_) => open.push(step.span),
            StepKind::Done if open.pop().is_none() => {
                return Some(Problem::new(step.span, "no `repeat` is open here"));
            }
            _ => {}
        }
    }
    let left = open.pop()?;
    Some(Problem::new(left, "this `repeat` is never closed").help("a line `done` closes it"))
}

/// The number of a text, if it is one up to a limit.
pub(super) fn small_number(span: Span, text: &[u8], max: u16, what: &str) -> Result<u16, Problem> {
    let found = umqtt_lang::literal::number(text).and_then(|n| u16::try_from(n).ok());
    found.filter(|n| *n <= max).ok_or_else(|| Problem::new(span, format!("{what} is 0 to {max}")))
}

#[cfg(test)]
mod tests {
    use super::{date, weekday};

    #[test]
    fn days() {
        assert_eq!(date("1970-01-01"), Some(0));
        assert_eq!(date("2000-03-01"), Some(11_017));
        assert_eq!(date("2026-01-01"), Some(20_454));
        assert_eq!(date("2100-03-01"), Some(47_541));
        for wrong in ["2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-1", "x-1-1"] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
        assert_eq!(weekday("Thu"), Some(20_454));
        assert_eq!(weekday("wed"), Some(20_460));
    }
}

//! What actions there can be at all.
//!
//! What no script can ever do is refused wherever it is expected: `expect no gpio 12 = on` would
//! pass for whatever happens.

use umqtt_lang::ast::Span;
use umqtt_vm::{FLASH_VARIABLE_LEN, PWM_MAX, Profile};

use super::operand::Operand;
use super::pattern::{ActionPattern, Pattern};
use super::problem::{Problem, nearest};
use super::script::Script;

/// Refuses what no action of this script can be.
///
/// # Errors
/// What is impossible about the pattern, and what would be possible.
pub(super) fn check(
    at: Span,
    pattern: &ActionPattern,
    each: &[u8],
    script: &Script,
) -> Result<(), Problem> {
    let mut given = pattern.kind.operands().iter().zip(&pattern.operands);
    given.try_for_each(|(operand, pattern)| check_operand(at, *operand, pattern, each, script))
}

fn check_operand(
    at: Span,
    operand: Operand,
    pattern: &Pattern,
    each: &[u8],
    script: &Script,
) -> Result<(), Problem> {
    let is = match pattern {
        Pattern::Is(text) => Some(text.bytes(each)),
        _ => None,
    };
    let one_of = |known: &[String], message: &str| {
        let fits = known.iter().any(|known| pattern.matches(known.as_bytes(), each));
        let shown = pattern.shown(each);
        let problem = || Problem::new(at, format!("{message}, not {shown}"));
        if fits { Ok(()) } else { Err(problem()) }
    };
    match (operand, is) {
        (Operand::Pin, _) => pin(at, pattern, each, script),
        (Operand::Level, _) => level(at, pattern, each),
        (Operand::Side, _) => {
            one_of(&words(&["local", "remote"]), "a broker is `local` or `remote`")
        }
        (Operand::Mode, _) => one_of(&words(&["input", "output"]), "a pin is `input` or `output`"),
        (Operand::Duty, _) => {
            let duties: Vec<String> = (0..=PWM_MAX).map(|duty| duty.to_string()).collect();
            one_of(&duties, &format!("a duty is 0 to {PWM_MAX}"))
        }
        (Operand::FlashVariable, _) => {
            let last = Profile::DESKTOP.flash_variables;
            let all: Vec<String> = (1..=last).map(|n| format!("@{n}")).collect();
            one_of(&all, &format!("a flash variable is one of @1 to @{last}"))
        }
        (Operand::FlashValue, Some(value)) if value.len() > FLASH_VARIABLE_LEN => {
            Err(Problem::new(at, format!("a flash variable holds {FLASH_VARIABLE_LEN} bytes")))
        }
        (Operand::Topic | Operand::Filter, Some(filter)) => umqtt_topic::check_filter(filter)
            .map_err(|error| {
                Problem::new(at, format!("{} is no topic or filter: {error}", pattern.shown(each)))
            }),
        (Operand::Url, Some(url)) => umqtt_url::UrlParts::parse(url).map(|_| ()).map_err(|error| {
            Problem::new(at, format!("{} is no URL: {error}", pattern.shown(each)))
        }),
        (Operand::Setting, _) => setting(at, pattern, each),
        (Operand::FlashValue | Operand::Topic | Operand::Filter | Operand::Url, _)
        | (Operand::Text(_), _) => Ok(()),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Pins that the script has nothing to do with are a mistake.
pub(super) fn pin(
    at: Span,
    pattern: &Pattern,
    each: &[u8],
    script: &Script,
) -> Result<(), Problem> {
    let known: Vec<String> =
        (0..u64::BITS).filter(|n| script.pins >> n & 1 == 1).map(|n| n.to_string()).collect();
    if known.iter().any(|pin| pattern.matches(pin.as_bytes(), each)) {
        return Ok(());
    }
    let shown = pattern.shown(each);
    let shown = shown.trim_matches('`');
    let problem = Problem::new(at, format!("{} has nothing to do with pin {shown}", script.name));
    Err(match known.is_empty() {
        true => problem.note("it uses no pins"),
        false => problem.note(format!("its pins: {}", known.join(", "))),
    })
}

/// A level is 0 or 1.
pub(super) fn level(at: Span, pattern: &Pattern, each: &[u8]) -> Result<(), Problem> {
    if pattern.matches(b"0", each) || pattern.matches(b"1", each) {
        return Ok(());
    }
    let problem =
        Problem::new(at, format!("the level of a pin is 0 or 1, not {}", pattern.shown(each)));
    let Pattern::Is(text) = pattern else { return Err(problem) };
    Err(match &*text.bytes(each).to_ascii_lowercase() {
        word @ (b"on" | b"high" | b"true") => problem.help(says(word, 1)),
        word @ (b"off" | b"low" | b"false") => problem.help(says(word, 0)),
        _ => problem,
    })
}

fn says(word: &[u8], level: u8) -> String {
    format!("`{}` is {level}", String::from_utf8_lossy(word))
}

fn setting(at: Span, pattern: &Pattern, each: &[u8]) -> Result<(), Problem> {
    use umqtt_device::settings::lint;
    if lint::names().any(|name| pattern.matches(name.as_bytes(), each)) {
        return Ok(());
    }
    let shown = pattern.shown(each);
    let problem = Problem::new(at, format!("there is no setting {shown}"));
    Err(match nearest(shown.trim_matches('`'), lint::names()) {
        Some(nearest) => problem.help(nearest),
        None => problem,
    })
}

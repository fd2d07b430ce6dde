//! Reads what a step expects.

use super::cursor::Cursor;
use super::file::Expectation;
use super::operand::Operand;
use super::pattern::{ACTIONS, ActionPattern, Pattern, Text};
use super::problem::{Problem, nearest};
use super::scope::Scope;

/// What is behind `expect`.
pub(super) fn expectation(
    cursor: &mut Cursor<'_, '_>,
    scope: Scope<'_>,
) -> Result<Expectation, Problem> {
    const FORM: &str = "expect publish local relay/status on retained";
    let word = cursor.peek_word().unwrap_or_default();
    if let Some(name) = word.strip_prefix('$') {
        cursor.skip();
        let form = format!("expect ${name} = 1");
        cursor.expect_word("=", &form)?;
        return Ok(Expectation::Variable(word.to_owned(), pattern(cursor, scope, &form)?));
    }
    if word.starts_with('@') {
        let form = "expect @1 = \"value\"";
        let n = cursor.flash_variable(form)?;
        cursor.expect_word("=", form)?;
        return Ok(Expectation::Flash(n, pattern(cursor, scope, form)?));
    }
    Ok(match word {
        "no" => {
            cursor.skip();
            Expectation::No(action(cursor, scope)?)
        }
        "nothing" => {
            cursor.skip();
            cursor.expect_word("more", "expect nothing more")?;
            Expectation::NothingMore
        }
        "within" => {
            cursor.skip();
            let time = cursor.duration("expect within 5s publish local a b")?;
            Expectation::Within(time, action(cursor, scope)?)
        }
        "pin" => {
            cursor.skip();
            let form = "expect pin 12 = 1";
            let pin = cursor.number("a pin", u8::MAX, form)?;
            cursor.take_word("=");
            Expectation::Pin(pin, pattern(cursor, scope, form)?)
        }
        "retained" => {
            cursor.skip();
            let form = "expect retained relay/status = on";
            let topic = scope.text(cursor, "a topic", form)?;
            cursor.expect_word("=", form)?;
            Expectation::Retained(topic, pattern(cursor, scope, form)?)
        }
        "stopped" => {
            cursor.skip();
            Expectation::Stopped
        }
        "" => return Err(cursor.missing("what must happen", FORM)),
        _ => Expectation::Action(action(cursor, scope)?),
    })
}

/// The words that begin an expectation other than an action.
const OTHERS: [&str; 6] = ["no", "nothing", "within", "pin", "retained", "stopped"];

/// An action, in the words of the language.
fn action(cursor: &mut Cursor<'_, '_>, scope: Scope<'_>) -> Result<ActionPattern, Problem> {
    const FORM: &str = "expect publish local relay/status on retained";
    let word = cursor.peek_word().ok_or_else(|| cursor.missing("an action", FORM))?;
    let Some((_, kind)) = ACTIONS.iter().find(|(known, _)| *known == word) else {
        return Err(no_action(cursor, word));
    };
    cursor.skip();
    let all = kind.operands();
    let words: Vec<&str> = all.iter().map(|operand| operand.word()).collect();
    let form = format!("expect {word} {}", words.join(" "));
    let mut operands = Vec::new();
    for (at, &operand) in all.iter().enumerate() {
        let has_sign = at > 0 && cursor.take_word("=");
        let ends = cursor.is_at_end() || (at > 0 && flag_is_last(cursor, kind.flag()));
        if ends && has_sign {
            return Err(cursor.missing("a value", &form));
        }
        if ends {
            break;
        }
        operands.push(match (operand, cursor.peek_word()) {
            (Operand::Side, word) if !matches!(word, Some("local" | "remote")) => {
                return Err(cursor.missing("`local` or `remote`", &form));
            }
            (Operand::FlashVariable, Some(word)) if word.starts_with('@') => {
                let n = cursor.flash_variable(&form)?;
                Pattern::Is(Text::Fixed(format!("@{n}").into_bytes()))
            }
            _ => pattern(cursor, scope, &form)?,
        });
    }
    let flag = match kind.flag() {
        Some(flag) if flag_is_last(cursor, Some(flag)) => {
            let wanted = !cursor.take_word("not");
            cursor.skip();
            Some(wanted)
        }
        _ => None,
    };
    Ok(ActionPattern { kind: *kind, operands, flag })
}

/// What is left of the line is the flag, or `not` and the flag.
fn flag_is_last(cursor: &Cursor<'_, '_>, flag: Option<&str>) -> bool {
    let Some(flag) = flag else { return false };
    matches!(cursor.rest_words()[..], [Some(word)] if word == flag)
        || matches!(cursor.rest_words()[..], [Some("not"), Some(word)] if word == flag)
}

/// A word behind `expect`, `expect no` or `expect within` that is no action.
fn no_action(cursor: &Cursor<'_, '_>, word: &str) -> Problem {
    let span = cursor.span();
    let is_first = cursor.is_first_behind("expect");
    if !is_first && (OTHERS.contains(&word) || word.starts_with(['$', '@'])) {
        let problem = Problem::new(span, format!("an action should stand here, not `{word}`"));
        return match word {
            "no" | "nothing" => problem.help(
                "for what must not happen in a time: `wait 5s`, then `expect no publish local a b`",
            ),
            "pin" => problem
                .help("the level of a pin is `expect pin 12 = 0`, a change of it `gpio 12 = 0`"),
            _ => problem.help("a value is expected as it is: `expect $name = 1`, `expect @1 = a`"),
        };
    }
    let problem = Problem::new(span, format!("`{word}` is nothing that can be expected"));
    let known = ACTIONS.iter().map(|(known, _)| *known).chain(OTHERS);
    match (word, nearest(word, known)) {
        ("settimer" | "setalarm", _) => problem
            .help("timers and alarms are not seen from outside: `wait`, then expect what follows"),
        ("setvar", _) => problem.help("`expect $name = value`, `expect @1 = value`"),
        ("topic" | "message", _) => {
            problem.help("what the script sends is `expect publish local TOPIC DATA`")
        }
        ("not", _) => problem.help("what must not have happened is `expect no publish ...`"),
        ("in" | "after" | "before", _) => {
            problem.help("within a time: `expect within 5s publish ...`")
        }
        (_, _) if cursor.next_is("=") => {
            problem.help(format!("a variable has its sign: `expect ${word} = 1`"))
        }
        (_, Some(nearest)) => problem.help(nearest),
        (_, None) => problem,
    }
}

/// A value, `$any`, or `like "a*b"`.
fn pattern(cursor: &mut Cursor<'_, '_>, scope: Scope<'_>, form: &str) -> Result<Pattern, Problem> {
    if cursor.take_word("$any") {
        return Ok(Pattern::Any);
    }
    if cursor.take_word("like") {
        return Ok(Pattern::Like(scope.text(cursor, "a text with `*`", form)?));
    }
    Ok(Pattern::Is(scope.text(cursor, "a value", form)?))
}

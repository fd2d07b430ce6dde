//! Warnings: what compiles, but probably does not do what was intended.
//!
//! Lints look at the whole script at once (who subscribes, who publishes, what wakes whom), so they
//! stay on the desktop; the chip compiles one statement at a time and knows errors only. They
//! assume a script that parsed: nesting and the length of chains are within the profile's limits.
//!
//! The rule for all of them: silent unless sure. A topic that is computed, a condition that depends
//! on what arrives, a variable set in two places: unknown, no warning. A warning that is often
//! wrong is soon ignored.
//!
//! | module | warnings |
//! |---|---|
//! | `grouping` | W0001 |
//! | `variables` | W0002, W0003, W0016 |
//! | `subscriptions` | W0004, W0005 |
//! | `timers` | W0006, W0007 |
//! | `feedback` | W0008 |
//! | `flash` | W0009 |
//! | `compare` | W0010 |
//! | `conditions` | W0011, W0012 |
//! | [`config`](ConfigTable) | W0013, W0018 |
//! | `division` | W0014 |
//! | `pins` | W0015, W0025 |
//! | `topics` | W0017, and what topics are known to be |
//! | `urls` | W0019 |
//! | `operators` | W0020 |
//! | `endif` | W0021 |
//! | `values` | W0022 |
//! | `comments` | W0023 |
//! | `punctuation` | W0024 |
//! | `serial` | W0026 |
//! | `empty` | W0027 |
//! | `embedded` | W0028 |
//! | `randoms` | W0029 |
//! | `escapes` | W0030 |
//! | `commands` | W0031 |
//! | `remote` | W0032 |
//! | `schedule` | W0040, W0041 |
//! | `constants` | W0033 |
//! | `periods` | W0042, if asked for |
//! | `set_once` | W0043, if asked for |
//! | `digits` | W0044, if asked for |
//! | `subs` | W0035 |
//! | `removal` | edits that take an action away |
//! | `facts` | what all of them look at, collected in one walk |
//! | [`known`](Known) | what is known of names and topics, for editors |
//! | `fold` | expressions whose value is known |

mod chain;
mod commands;
pub(crate) mod comments;
mod compare;
mod conditions;
mod config;
mod constants;
mod decimals;
mod digits;
mod division;
pub(crate) mod embedded;
mod empty;
mod endif;
mod escapes;
mod facts;
mod feedback;
mod flash;
mod fold;
mod grouping;
mod known;
mod operators;
mod periods;
mod pins;
pub(crate) mod punctuation;
mod randoms;
mod remote;
mod removal;
mod schedule;
mod serial;
mod set_once;
mod subs;
mod subscriptions;
mod timers;
mod topics;
mod urls;
pub(crate) mod values;
mod variables;

use alloc::string::String;
use alloc::vec::Vec;

pub use config::{ConfigError, ConfigTable, NoConfig};
pub use flash::{FLASH_SECTORS, record_len};
pub use known::{Known, NamedTopic, TopicUse};
pub use topics::overlap;

use umqtt_vm::Profile;

use crate::ast::{Span, Statement};
use crate::diagnostic::{Code, Diagnostic};
use facts::{ScriptFacts, variable_name};
pub(crate) use facts::{each_node, each_value};
use topics::Topics;

/// Most warnings of one script: the first ones in the order of the source.
pub const MAX_WARNINGS: usize = 100;

/// Every warning about a script, sorted by place; at most [`MAX_WARNINGS`].
///
/// `script` is what parsing `source` gave; where statements are missing because of errors, warnings
/// may be wrong (a handler that did not parse arms no timer), so lint what compiles. `config` knows
/// the device's parameters; [`NoConfig`] checks none.
///
/// ```
/// use umqtt_lang::{lint::{NoConfig, lint}, parse, umqtt_vm::Profile};
///
/// let source = b"on timer 1 do println 1";
/// let umqtt_lang::Parsed { statements: script, errors } = parse(source, &Profile::ESP8266);
/// assert!(errors.is_empty());
/// let warnings = lint(source, &script, &Profile::ESP8266, &NoConfig);
/// assert_eq!(warnings.len(), 1, "nothing arms the timer");
/// ```
pub fn lint(
    source: &[u8],
    script: &[Statement],
    profile: &Profile,
    config: &dyn ConfigTable,
) -> Vec<Diagnostic> {
    let facts = ScriptFacts::collect(source, script);
    if facts.steps.len() >= facts::MAX_STEPS {
        return Vec::new();
    }
    let topics = Topics::resolve(&facts);
    let mut found = Vec::new();
    grouping::check(&facts, &mut found);
    variables::check(&facts, &mut found);
    subscriptions::check(&facts, &topics, &mut found);
    timers::check(&facts, profile, &mut found);
    feedback::check(&facts, &topics, &mut found);
    flash::check(&facts, &topics, &mut found);
    compare::check(&facts, &mut found);
    conditions::check(&facts, &mut found);
    config::check(&facts, config, &mut found);
    decimals::check(&facts, &mut found);
    division::check(&facts, &mut found);
    pins::check(&facts, profile, &mut found);
    operators::check(&facts, &mut found);
    endif::check(&facts, &mut found);
    values::check(&facts, &mut found);
    comments::check(source, &mut found);
    punctuation::check(&facts, &mut found);
    topics::check(&facts, &topics, &mut found);
    urls::check(&facts, &topics, &mut found);
    serial::check(&facts, config, &mut found);
    empty::check(&facts, &mut found);
    randoms::check(&facts, &mut found);
    escapes::check(&facts, &mut found);
    commands::check(&facts, config, &mut found);
    remote::check(&facts, &topics, &mut found);
    schedule::check(&facts, config, &mut found);
    constants::check(&facts, &mut found);
    subs::check(&facts, &mut found);
    let in_texts = embedded::check(&facts, &mut found);
    drop_consequences(&mut found);
    // Read they are meant to be.
    found.retain(|diagnostic| {
        let name = variable_name(source, diagnostic.span);
        !matches!(diagnostic.code, Code::NeverRead | Code::UnusedConstant)
            || !in_texts.contains(&*name)
    });
    found.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    if facts.has_calls {
        // What is told of a step of a sub is told once, not for each call.
        found.dedup_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    }
    found.truncate(MAX_WARNINGS);
    found
}

/// Hints at what is right, and could be written better: none of [`lint()`]'s, and in the same
/// order. For who asks for them.
pub fn pedantic(source: &[u8], script: &[Statement]) -> Vec<Diagnostic> {
    let facts = ScriptFacts::collect(source, script);
    let mut found = Vec::new();
    periods::check(&facts, &mut found);
    set_once::check(&facts, &mut found);
    digits::check(&facts, &mut found);
    found.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    found.truncate(MAX_WARNINGS);
    found
}

/// Takes away what is said of a chain's grouping and comparisons where the chain is not what was
/// meant.
fn drop_consequences(found: &mut Vec<Diagnostic>) {
    const OPERATORS: &[Code] = &[Code::OperatorAsText, Code::SwallowedByComment];
    const TEXTS: &[Code] =
        &[Code::StrayPunctuation, Code::VariableInText, Code::MisreadValue, Code::LetterEscape];
    let is_cause = |code: &Code| OPERATORS.contains(code) || TEXTS.contains(code);
    let mut causes: Vec<(u32, Code)> = found
        .iter()
        .filter(|diagnostic| is_cause(&diagnostic.code))
        .map(|diagnostic| (diagnostic.span.start, diagnostic.code))
        .collect();
    causes.sort_unstable();
    found.retain(|diagnostic| {
        let next = causes.partition_point(|&(start, _)| start < diagnostic.span.start);
        let within = causes[next..].iter().take_while(|(at, _)| *at < diagnostic.span.end);
        let mut within = within.map(|(_, code)| *code);
        match diagnostic.code {
            Code::Grouping => {
                !within.any(|code| OPERATORS.contains(&code) || code == Code::StrayPunctuation)
            }
            Code::NeverEqual => !within.any(|code| code != Code::MisreadValue),
            Code::ConstantCondition => !within.any(|code| TEXTS.contains(&code)),
            _ => true,
        }
    });
}

/// Longest piece of the source quoted in a message, bytes.
const QUOTE_LEN: usize = 60;

/// A piece of the source between backquotes, for a message: on one line, cut where it is long.
fn quote(source: &[u8], span: Span) -> String {
    quote_bytes(span.of(source))
}

/// Bytes between backquotes, for a message: on one line, cut where they are long.
fn quote_bytes(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::from("`");
    let mut blank = false;
    for c in text.chars() {
        if c.is_control() || c == ' ' {
            blank = true;
            continue;
        }
        if blank && out.len() > 1 {
            out.push(' ');
        }
        blank = false;
        if out.len() > QUOTE_LEN {
            out.push_str("...");
            break;
        }
        out.push(c);
    }
    out.push('`');
    out
}

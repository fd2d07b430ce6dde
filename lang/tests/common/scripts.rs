//! Random scripts that are right: they parse, and they compile, because every variable they use is
//! set and every number is in range on the smallest profile.
#![allow(dead_code)]

use proptest::prelude::*;

/// What a handler's event lets its expressions look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    Plain,
    Topic,
    Gpio,
    Serial,
    Http,
}

/// Words of a script, in order; what stands between them is free.
pub(crate) type Words = Vec<String>;

/// Variables the scripts use; `script` sets all of them first.
const VARIABLES: [&str; 5] = ["$a", "$count", "$long_name_of_a_thing", "$x1", "$on"];

/// Bare words, among them keywords that are values by their place.
const BARE: [&str; 22] = [
    "21.5",
    "minutes",
    "1",
    "0",
    "42",
    "007",
    "on_time",
    "stat/Room/POWER",
    "01:00:00",
    "1.de.pool.ntp.org",
    "caf\u{e9}",
    "serial",
    "timer",
    "publish",
    "retained",
    "init",
    "A\\ String",
    "\\on",
    "x\\\"y",
    "$",
    "@",
    "print",
];

const TEXTS: [&str; 9] = [
    "\"\"",
    "\"on\"",
    "\"a b\"",
    "\"say \\\"hi\\\"\"",
    "\"% no comment\"",
    "\"two\nlines\"",
    "\"-10\"",
    "\"-0.25\"",
    "\"/a/b\"",
];

const OPERATORS: [&str; 14] =
    ["=", ">", "gte", "str_gt", "str_gte", "+", "-", "*", "div", "|", "neq", "lt", "lte", "mod"];

fn words(text: &str) -> Words {
    vec![text.to_owned()]
}

fn one_of(choices: &'static [&'static str]) -> BoxedStrategy<Words> {
    prop::sample::select(choices).prop_map(words).boxed()
}

fn number(range: std::ops::RangeInclusive<u32>) -> BoxedStrategy<Words> {
    (range, any::<bool>())
        .prop_map(|(n, quoted)| vec![if quoted { format!("\"{n}\"") } else { n.to_string() }])
        .boxed()
}

/// Words one behind the other.
fn concat(parts: Vec<Words>) -> Words {
    parts.into_iter().flatten().collect()
}

fn leaf(context: Context) -> BoxedStrategy<Words> {
    let specials: &'static [&'static str] = match context {
        Context::Plain => &["$timestamp", "$weekday", "$adc"],
        Context::Topic => &["$this_topic", "$this_data", "$this_item"],
        Context::Gpio => &["$this_gpio"],
        Context::Serial => &["$this_serial"],
        Context::Http => &[
            "$this_http_host",
            "$this_http_path",
            "$this_http_code",
            "$this_http_body",
            "$this_http_cut",
        ],
    };
    prop_oneof![
        3 => one_of(&BARE),
        3 => one_of(&TEXTS),
        3 => one_of(&VARIABLES),
        1 => one_of(&["$first_of_all", "$last_of_all"]),
        2 => one_of(specials),
        1 => one_of(&["#00", "#0d0A", "#ff"]),
        1 => (1u32..=8).prop_map(|n| vec![format!("@{n}")]),
        1 => number(0..=16).prop_map(|n| concat(vec![words("gpio_in"), words("("), n, words(")")])),
    ]
    .boxed()
}

fn call(inner: BoxedStrategy<Words>) -> BoxedStrategy<Words> {
    let open = |name: &str| concat(vec![words(name), words("(")]);
    let of_one = prop::sample::select(
        &[
            "not",
            "retained_topic",
            "binary",
            "eatwhite",
            "lower",
            "upper",
            "len",
            "text",
            "json_array",
            "changed",
            "",
        ][..],
    );
    prop_oneof![
        (of_one, inner.clone()).prop_map(move |(name, e)| {
            let name = if name.is_empty() { vec![] } else { words(name) };
            concat(vec![name, words("("), e, words(")")])
        }),
        (0..4_usize, inner.clone(), inner.clone()).prop_map(move |(which, a, b)| {
            let name = ["find", "json_parse", "json", "json_len"][which];
            concat(vec![open(name), a, words(","), b, words(")")])
        }),
        (prop::sample::select(&["int", "abs"][..]), inner.clone())
            .prop_map(move |(name, e)| concat(vec![open(name), e, words(")")])),
        (prop::sample::select(&["round", "fixed", "min", "max"][..]), inner.clone(), inner.clone())
            .prop_map(move |(name, a, b)| {
                concat(vec![open(name), a, words(","), b, words(")")])
            }),
        (inner.clone(), inner.clone(), inner.clone()).prop_map(move |(a, b, n)| {
            concat(vec![open("divide"), a, words(","), b, words(","), n, words(")")])
        }),
        (one_of(&["-5", "-0.25"]), inner.clone()).prop_map(|(negative, e)| {
            concat(vec![
                words("("),
                negative.clone(),
                words("-"),
                negative,
                words("+"),
                e,
                words(")"),
            ])
        }),
        (inner.clone(), -5i32..5, number(0..=9)).prop_map(move |(e, from, len)| {
            let from = words(&from.to_string());
            concat(vec![open("substr"), e, words(","), from, words(","), len, words(")")])
        }),
        (inner.clone(), number(0..=9)).prop_map(move |(e, n)| {
            concat(vec![open("byte_val"), e, words(","), n, words(")")])
        }),
        (inner, number(0..=9), one_of(&["\",\"", ";", "|", "-", "\"/\"", "="])).prop_map(
            move |(e, n, c)| {
                concat(vec![open("csvstr"), e, words(","), n, words(","), c, words(")")])
            }
        ),
    ]
    .boxed()
}

/// An expression.
pub(crate) fn expression(context: Context) -> BoxedStrategy<Words> {
    leaf(context)
        .prop_recursive(3, 24, 4, move |inner| {
            let operand = prop_oneof![2 => leaf(context), 1 => call(inner)].boxed();
            let operator = prop_oneof![6 => one_of(&OPERATORS), 1 => one_of(&["and", "or"])];
            (operand.clone(), prop::collection::vec((operator, operand), 0..4)).prop_map(
                |(first, rest)| {
                    let rest = rest.into_iter().flat_map(|(op, e)| [op, e]).collect();
                    concat(vec![first, concat(rest)])
                },
            )
        })
        .boxed()
}

fn simple_action(context: Context) -> BoxedStrategy<Words> {
    let e = expression(context);
    let side = || one_of(&["local", "remote"]);
    prop_oneof![
        (side(), e.clone(), e.clone(), any::<bool>()).prop_map(|(side, topic, data, retained)| {
            let retained = if retained { words("retained") } else { vec![] };
            concat(vec![words("publish"), side, topic, data, retained])
        }),
        (one_of(&["subscribe", "unsubscribe"]), side(), e.clone())
            .prop_map(|(a, side, topic)| concat(vec![a, side, topic])),
        (one_of(&["settimer", "setalarm"]), number(1..=4), e.clone())
            .prop_map(|(a, n, value)| concat(vec![a, n, value])),
        (one_of(&VARIABLES), e.clone()).prop_map(|(name, value)| concat(vec![
            words("setvar"),
            name,
            words("="),
            value
        ])),
        (1u32..=8, e.clone()).prop_map(|(n, value)| {
            concat(vec![words("setvar"), words(&format!("@{n}")), words("="), value])
        }),
        (one_of(&["http_get", "serial_out", "print", "println", "system"]), e.clone())
            .prop_map(|(a, value)| concat(vec![a, value])),
        (e.clone(), any::<bool>(), e.clone()).prop_map(|(url, comma, body)| {
            let comma = if comma { words(",") } else { vec![] };
            concat(vec![words("http_post"), url, comma, body])
        }),
        (number(0..=5), one_of(&["input", "output"]))
            .prop_map(|(n, mode)| { concat(vec![words("gpio_pinmode"), n, mode]) }),
        number(0..=5).prop_map(|n| {
            concat(vec![words("gpio_pinmode"), n, words("input"), words("pullup")])
        }),
        (number(0..=5), e.clone()).prop_map(|(n, v)| concat(vec![words("gpio_out"), n, v])),
        (number(12..=15), e).prop_map(|(n, v)| concat(vec![words("gpio_pwm"), n, v])),
    ]
    .boxed()
}

fn actions(context: Context) -> BoxedStrategy<Words> {
    let action = simple_action(context).prop_recursive(3, 16, 3, move |inner| {
        let e = expression(context);
        let body = prop::collection::vec(inner, 0..3).prop_map(concat).boxed();
        let branch = (e.clone(), body.clone()).boxed();
        prop_oneof![
            2 => (branch.clone(), prop::collection::vec(branch, 0..2), prop::option::of(body.clone()))
                .prop_map(|((e, then), more, otherwise)| {
                    let mut all = vec![words("if"), e, words("then"), then];
                    for (e, then) in more {
                        all.extend([words("elseif"), e, words("then"), then]);
                    }
                    if let Some(otherwise) = otherwise {
                        all.extend([words("else"), otherwise]);
                    }
                    all.push(words("endif"));
                    concat(all)
                }),
            1 => (e, body).prop_map(|(e, body)| {
                concat(vec![words("while"), e, words("do"), body, words("done")])
            }),
        ]
    });
    prop::collection::vec(action, 0..5).prop_map(concat).boxed()
}

/// A sub, whose name is replaced by one of its own.
fn sub() -> BoxedStrategy<Words> {
    let head = || concat(vec![words("sub"), words("NAME"), words("do")]);
    actions(Context::Plain).prop_map(move |actions| concat(vec![head(), actions])).boxed()
}

/// A handler.
pub(crate) fn handler() -> BoxedStrategy<Words> {
    let plain = one_of(&["init", "wificonnect", "wifidisconnect", "mqttconnect"]);
    let clock = (one_of(&["timer", "alarm"]), number(1..=4)).prop_map(|(c, n)| concat(vec![c, n]));
    let topic = (one_of(&["local", "remote"]), expression(Context::Plain))
        .prop_map(|(side, filter)| concat(vec![words("topic"), side, filter]));
    let pin = (number(0..=5), one_of(&["pullup", "nopullup"]))
        .prop_map(|(n, pull)| concat(vec![words("gpio_interrupt"), n, pull]));
    let with = |event: BoxedStrategy<Words>, context| {
        (event, actions(context))
            .prop_map(|(event, actions)| concat(vec![words("on"), event, words("do"), actions]))
    };
    prop_oneof![
        with(plain.boxed(), Context::Plain),
        with(clock.boxed(), Context::Plain),
        with(topic.boxed(), Context::Topic),
        with(pin.boxed(), Context::Gpio),
        with(one_of(&["serial"]), Context::Serial),
        with(one_of(&["http_response"]), Context::Http),
    ]
    .boxed()
}

/// A `config` line; one piece, because blanks count in it.
pub(crate) fn config() -> BoxedStrategy<Words> {
    let value = prop::sample::select(
        &[
            "160",
            "my-net",
            "a=b*(c)",
            "\"two words\"",
            "@1",
            "timer",
            "done",
            "a\\ b",
            "1.pool.ntp.org",
        ][..],
    );
    value.prop_map(|value| vec![format!("config speed {value}")]).boxed()
}

/// A script that sets all its variables first.
pub(crate) fn script() -> BoxedStrategy<Words> {
    let statement = prop_oneof![3 => handler(), 1 => config(), 1 => sub()];
    prop::collection::vec(statement, 0..6)
        .prop_map(|statements| {
            // A constant that needs the one at the end.
            let first = ["const", "$first_of_all", "=", "\"a\"", "|", "$last_of_all"];
            let last = ["const", "$last_of_all", "=", "(", "const", "|", "1", ")"];
            let mut all = concat(first.map(words).into());
            all.extend(concat(vec![words("on"), words("init"), words("do")]));
            for name in VARIABLES {
                all.extend(concat(vec![words("setvar"), words(name), words("="), words("1")]));
            }
            // Each sub calls the one behind it, and `init` the first, as deep as may be.
            let mut subs = 0;
            for statement in statements {
                let is_sub = statement.get(1).is_some_and(|word| word == "NAME");
                subs += usize::from(is_sub);
                let at = all.len();
                all.extend(statement);
                if is_sub {
                    all[at + 1] = format!("sub{subs}");
                    all.extend([String::from("call"), format!("sub{}", subs + 1)]);
                }
            }
            all.extend(["sub", "", "do", "print", "sub"].map(str::to_owned));
            let name = all.len() - 4;
            all[name] = format!("sub{}", subs + 1);
            all.extend(concat(last.map(words).into()));
            all
        })
        .boxed()
}

/// The source of a script, with all sorts of white space and comments between its words.
pub(crate) fn source() -> BoxedStrategy<String> {
    (script(), prop::collection::vec(any::<u8>(), 1..64))
        .prop_map(|(script, choices)| spread(&script, &choices))
        .boxed()
}

/// Puts white space and comments between words, chosen by `choices` over and over.
pub(crate) fn spread(script: &[String], choices: &[u8]) -> String {
    let between = |choice: u8, touching: bool| match choice % 16 {
        0..=3 => " ",
        4 | 5 => "\n",
        6 => "\t",
        7 => "\r\n  ",
        8 => "\n\n\n",
        9 => " % on \"x ( if\n",
        10 => "\n\n  %% own line \r\n\t",
        11 => "%close\n% column 0\n\n",
        12 | 13 if touching => "",
        _ => "  ",
    };
    let is_mark = |word: &str| word.len() == 1 && "|+-*=>(),".contains(word);
    let mut text = String::new();
    for (at, word) in script.iter().enumerate() {
        text.push_str(word);
        let next = script.get(at + 1).map_or("", String::as_str);
        let choice = choices.get(at % choices.len().max(1)).copied().unwrap_or_default();
        text.push_str(between(choice, is_mark(word) || is_mark(next)));
    }
    text
}

/// The lexemes and the comments of a source, read independently of the crate's lexer.
pub(crate) fn lexemes(source: &[u8]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut tokens, mut comments) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < source.len() {
        let start = at;
        match source[at] {
            0..=b' ' => at += 1,
            b'%' => {
                while at < source.len() && source[at] != b'\n' {
                    at += 1;
                }
                comments.push(source[start..at].trim_ascii_end().to_vec());
            }
            b'"' => {
                at += 1;
                while at < source.len() && source[at] != b'"' {
                    at += if source[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(source.len());
                tokens.push(source[start..at].to_vec());
            }
            byte if b"|+-*=>(),".contains(&byte) => {
                at += 1;
                tokens.push(vec![byte]);
            }
            _ => {
                while at < source.len()
                    && source[at] > b' '
                    && !b"%\"|+-*=>(),".contains(&source[at])
                {
                    at += if source[at] == b'\\' { 2 } else { 1 };
                }
                at = at.min(source.len());
                tokens.push(source[start..at].to_vec());
            }
        }
    }
    (tokens, comments)
}

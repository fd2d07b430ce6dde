//! `umqttc test`: for whatever happens, and whatever is expected, exactly one of `expect X` and
//! `expect no X` passes; what can never happen passes in no form.

mod common;

use common::{folder, umqttc};

/// What an operand is matched by, and what not.
type Choices = (&'static [&'static str], &'static [&'static str]);

/// Something that happens.
struct Outcome {
    /// The script's statement.
    does: &'static str,
    words: &'static [&'static str],
    operands: &'static [Choices],
    flag: Option<(&'static str, bool)>,
}

const LOCAL: Choices = (&["local"], &["remote"]);
const REMOTE: Choices = (&["remote"], &["local"]);
const TOPIC: Choices = (
    &["a/b", "$any", "like \"a/*\"", "like a/b", "\"a/#\"", "\"+/b\"", "\"a/b/#\"", "\"#\""],
    &["a", "a/c", "like \"b*\"", "\"b/#\"", "+", "\"$a/#\""],
);
const HIDDEN: Choices = (
    &["\"$x/y\"", "$any", "like \"*y\"", "\"#\"", "\"+/y\"", "\"$x/+\""],
    &["x/y", "\"x/#\"", "\"$y/#\"", "\"+\""],
);
const ON: Choices = (
    &["on", "\"on\"", "#6f6e", "$any", "like \"o*\"", "like \"*\"", "$each"],
    &["off", "\"\"", "like \"*x\"", "On", "\"on \""],
);
const EMPTY: Choices =
    (&["\"\"", "$any", "like \"*\"", "like \"\""], &["on", "like \"?\"", "\" \""]);
const FILTER: Choices =
    (&["a/+", "$any", "like \"a*\""], &["a/b", "\"a/#\"", "\"#\"", "like \"b*\""]);
const PIN_12: Choices = (&["12", "$any", "like \"1*\""], &["5", "4", "like \"4*\""]);
const PIN_5: Choices = (&["5", "$any", "like \"*\""], &["12", "4"]);
const PIN_4: Choices = (&["4", "$any"], &["5", "12"]);
const HIGH: Choices = (&["1", "$any", "like \"*\""], &["0", "like 0"]);
const INPUT: Choices = (&["input", "$any", "like \"in*\""], &["output", "like \"out*\""]);
const OUTPUT: Choices = (&["output", "$any", "like \"out*\""], &["input", "like \"in*\""]);
const URL: Choices =
    (&["http://h/p", "$any", "like \"http://*\""], &["http://h/q", "http://h/", "like \"*q\""]);

const fn outcome(
    does: &'static str,
    words: &'static [&'static str],
    operands: &'static [Choices],
) -> Outcome {
    Outcome { does, words, operands, flag: None }
}

const fn flagged(
    does: &'static str,
    words: &'static [&'static str],
    operands: &'static [Choices],
    flag: (&'static str, bool),
) -> Outcome {
    Outcome { does, words, operands, flag: Some(flag) }
}

/// One of each kind, and those that are easily taken for each other.
const OUTCOMES: &[Outcome] = &[
    flagged("publish local a/b \"on\"", &["publish"], &[LOCAL, TOPIC, ON], ("retained", false)),
    flagged(
        "publish local a/b \"on\" retained",
        &["publish"],
        &[LOCAL, TOPIC, ON],
        ("retained", true),
    ),
    flagged("publish local a/b \"\"", &["publish"], &[LOCAL, TOPIC, EMPTY], ("retained", false)),
    flagged(
        "publish local \"$x/y\" \"on\"",
        &["publish"],
        &[LOCAL, HIDDEN, ON],
        ("retained", false),
    ),
    flagged("publish remote a/b \"on\"", &["publish"], &[REMOTE, TOPIC, ON], ("retained", false)),
    flagged(
        "publish remote a/b \"on\" retained",
        &["publish"],
        &[REMOTE, TOPIC, ON],
        ("retained", true),
    ),
    outcome("subscribe local \"a/+\"", &["subscribe"], &[LOCAL, FILTER]),
    outcome("subscribe remote \"a/+\"", &["subscribe"], &[REMOTE, FILTER]),
    outcome("unsubscribe local \"a/+\"", &["unsubscribe"], &[LOCAL, FILTER]),
    outcome("gpio_out 12 1", &["gpio", "gpio_out"], &[PIN_12, HIGH]),
    outcome(
        "gpio_pwm 5 400",
        &["pwm", "gpio_pwm"],
        &[PIN_5, (&["400", "$any", "like \"4*\""], &["0", "1000", "like \"5*\""])],
    ),
    flagged("gpio_pinmode 4 input", &["gpio_pinmode"], &[PIN_4, INPUT], ("pullup", false)),
    flagged("gpio_pinmode 4 input pullup", &["gpio_pinmode"], &[PIN_4, INPUT], ("pullup", true)),
    flagged("gpio_pinmode 4 output", &["gpio_pinmode"], &[PIN_4, OUTPUT], ("pullup", false)),
    outcome("serial_out \"on\"", &["serial", "serial_out"], &[ON]),
    outcome("print \"on\"", &["print"], &[ON]),
    outcome("println \"on\"", &["println"], &[ON]),
    outcome("println \"\"", &["println"], &[EMPTY]),
    outcome("http_get \"http://h/p\"", &["http_get"], &[URL]),
    outcome("http_post \"http://h/p\" \"on\"", &["http_post"], &[URL, ON]),
    outcome("system \"on\"", &["system"], &[ON]),
    outcome(
        "setvar @2 = \"on\"",
        &["flash"],
        &[(&["@2", "$any", "like \"@*\""], &["@1", "@16", "like \"@1*\""]), ON],
    ),
    outcome(
        "publish local \"a/#\" | $this_data x",
        &["log"],
        &[(&["$any", "like \"*a/#*\""], &["a/#", "like \"*a/b*\""])],
    ),
];

/// Forms of an expectation, each with whether the outcome is one: of every length, with every
/// choice for each operand beside others that match, and beside others that do not.
fn forms(outcome: &Outcome) -> Vec<(String, bool)> {
    let mut forms = Vec::new();
    for word in outcome.words {
        forms.push(((*word).to_owned(), true));
        for len in 1..=outcome.operands.len() {
            let all = &outcome.operands[..len];
            for (at, (hits, misses)) in all.iter().enumerate() {
                let hits = hits.iter().map(|text| (*text, true));
                for choice in hits.chain(misses.iter().map(|text| (*text, false))) {
                    forms.push(form(word, all, at, choice, true));
                    if len > 1 {
                        forms.push(form(word, all, at, choice, false));
                    }
                }
            }
        }
    }
    let Some((flag, is_set)) = outcome.flag else { return forms };
    // A flag stands behind one operand at least.
    let of_flag = |(form, matches): &(String, bool)| {
        let with = (format!("{form} {flag}"), *matches && is_set);
        let without = (format!("{form} not {flag}"), *matches && !is_set);
        [with, without]
    };
    let with_operands = forms.iter().filter(|(form, _)| form.contains(' '));
    let flagged: Vec<_> = with_operands.flat_map(of_flag).collect();
    forms.extend(flagged);
    forms
}

/// One form: a choice for one operand, the first that matches (or does not) for the others.
fn form(
    word: &str,
    all: &[Choices],
    at: usize,
    choice: (&str, bool),
    others: bool,
) -> (String, bool) {
    let mut form = word.to_owned();
    for (place, (hits, misses)) in all.iter().enumerate() {
        let text = match place == at {
            true => choice.0,
            false if others => hits[0],
            false => misses[0],
        };
        form.push_str(&format!(" {text}"));
    }
    (form, choice.1 && (others || all.len() == 1))
}

/// Tests of a script that does one outcome when a message comes.
struct Verdicts {
    script: String,
    file: String,
    names: usize,
}

impl Verdicts {
    fn of(outcome: &Outcome) -> Verdicts {
        let mut script = "on init do subscribe local go\n".to_owned();
        script.push_str(&format!("on topic local go do {}\n", outcome.does));
        // All pins are known to it.
        script.push_str("on topic local no do gpio_out 12 1 gpio_out 5 1 gpio_out 4 1\n");
        Verdicts { script, file: "use x.script\n".to_owned(), names: 0 }
    }

    /// A test whose name is its number.
    fn add(&mut self, expectation: &str) {
        self.file.push_str(&format!(
            "each each in on\ntest {}\n start\n mqttconnect\n forget\n topic local go \"a/#\"\n {expectation}\n",
            self.names,
        ));
        self.names += 1;
    }

    /// Whether each passed; the message where it did not.
    fn judge(self) -> Vec<Result<(), String>> {
        let files = [("x.script", self.script.as_bytes()), ("x.test", self.file.as_bytes())];
        let ran = umqttc(folder(&files).path(), &["test", "--format", "json"]);
        assert!(ran.code <= 1, "{}{}", ran.out, ran.err);
        let verdict = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            match line["status"].as_str() {
                Some("passed") => Ok(()),
                _ => Err(line["failure"]["message"].as_str().expect("a text").to_owned()),
            }
        };
        let verdicts: Vec<_> = ran.out.lines().map(verdict).collect();
        assert_eq!(verdicts.len(), self.names, "{}", self.file);
        let has_errors = Err("x.script has errors".to_owned());
        assert_ne!(verdicts[0], has_errors, "{}", self.script);
        verdicts
    }
}

/// In which forms each is asked for.
const BEFORE: [&str; 3] = ["expect", "expect no", "expect within 1s"];

/// For each outcome: the forms of its own kind, and the others' shortest and longest.
#[test]
fn exactly_one_of_expect_and_expect_no_passes() {
    let mut passed = 0;
    for outcome in OUTCOMES {
        let mut asked = forms(outcome);
        for other in OUTCOMES.iter().filter(|other| other.words != outcome.words) {
            let forms = forms(other);
            let ends = [forms.first(), forms.last()];
            asked.extend(ends.into_iter().flatten().map(|(form, _)| (form.clone(), false)));
        }
        let mut tests = Verdicts::of(outcome);
        for (form, _) in &asked {
            BEFORE.iter().for_each(|before| tests.add(&format!("{before} {form}")));
        }
        for ((form, matches), verdict) in asked.iter().zip(tests.judge().chunks(3)) {
            let what = format!("{}: {form}: {verdict:?}", outcome.does);
            let passes: Vec<bool> = verdict.iter().map(Result::is_ok).collect();
            assert_eq!(passes, [*matches, !*matches, *matches], "{what}");
            passed += usize::from(*matches);
            // The meant failure, not that the form cannot be.
            let (message, meant) = match matches {
                true => (&verdict[1], "this did happen"),
                false => (&verdict[0], "this did not happen"),
            };
            assert!(message.as_ref().unwrap_err().starts_with(meant), "{what}");
        }
    }
    assert!(passed > 300, "{passed} forms matched");
}

/// What no script can do, whatever happens: no form passes, and all say the same.
#[test]
fn what_cannot_be_passes_in_no_form() {
    let impossible = [
        ("gpio 99", "has nothing to do with pin 99"),
        ("gpio 012 = 1", "has nothing to do with pin 012"),
        ("gpio like \"9*\"", "has nothing to do with pin like \"9*\""),
        ("gpio lamp = 1", "has nothing to do with pin lamp"),
        ("gpio_out 12 = on", "the level of a pin is 0 or 1, not `on`"),
        ("gpio 12 = $each", "the level of a pin is 0 or 1, not `on`"),
        ("gpio 12 = 2", "the level of a pin is 0 or 1, not `2`"),
        ("gpio 12 = like \"o*\"", "the level of a pin is 0 or 1, not like"),
        ("pwm 99 = 1", "has nothing to do with pin 99"),
        ("pwm 5 = 1001", "a duty is 0 to 1000, not `1001`"),
        ("pwm 5 = like \"x*\"", "a duty is 0 to 1000, not like"),
        ("gpio_pinmode 99", "has nothing to do with pin 99"),
        ("gpio_pinmode 4 out", "a pin is `input` or `output`, not `out`"),
        ("flash like \"@3*1\"", "a flash variable is one of @1 to @16, not like"),
        ("flash 2 on", "a flash variable is one of @1 to @16, not `2`"),
        ("publish local \"\"", "is no topic or filter"),
        ("publish local \"a/#/b\" on", "is no topic or filter"),
        ("publish local \"a+\"", "is no topic or filter"),
        ("subscribe local \"#/a\"", "is no topic or filter"),
        ("unsubscribe remote a+", "is no topic or filter"),
        ("http_get h/p", "is no URL"),
        ("http_post \"http://\" on", "is no URL"),
        ("config bitrat 9600", "there is no setting `bitrat`"),
        ("config like \"x*y\"", "there is no setting like"),
    ];
    let long = format!("flash @2 = {}", "x".repeat(64));
    let mut all: Vec<(&str, &str)> = impossible.to_vec();
    all.push((&long, "a flash variable holds 63 bytes"));
    let mut tests = Verdicts::of(&OUTCOMES[0]);
    for (form, _) in &all {
        BEFORE.iter().for_each(|before| tests.add(&format!("{before} {form}")));
    }
    for ((form, message), verdict) in all.iter().zip(tests.judge().chunks(3)) {
        let said = verdict[0].as_ref().expect_err(form);
        assert!(said.contains(message), "{form}: {said}");
        assert!(verdict.iter().all(|other| other.as_ref() == Err(said)), "{form}: {verdict:?}");
    }
}

/// What is wrong already as it stands there is so behind `expect no`, with the same words.
#[test]
fn what_is_no_expectation_is_none_in_any_form() {
    for form in ["flash @17 = 1", "flash @0", "publish a/b", "gpio 12 =", "gpio = 1", "gipo 12"] {
        let said = BEFORE.map(|before| {
            let file = format!("use x.script\ntest \"x\"\n start\n {before} {form}\n");
            let script = b"on init do gpio_out 12 1";
            let dir = folder(&[("x.script", script), ("x.test", file.as_bytes())]);
            let ran = umqttc(dir.path(), &["test"]);
            assert_eq!(ran.code, 2, "{before} {form}: {}", ran.out);
            ran.out.lines().next().unwrap().to_owned()
        });
        assert!(said.iter().all(|other| *other == said[0]), "{form}: {said:?}");
    }
}

/// With several devices each is asked for itself.
#[test]
fn each_device_is_asked_for_itself() {
    let mut file = "use a.script as a\nuse b.script as b\nlink a remote b\n".to_owned();
    let steps = " b: start\n a: start\n a: wait 1s\n";
    let asked = [
        ("a", "publish remote a/b", true),
        ("b", "publish remote a/b", false),
        ("a", "publish local a/b", false),
        ("b", "publish local c/d", true),
        ("b", "publish local \"#\" not retained", true),
        ("b", "publish local \"#\" retained", false),
        ("a", "publish local \"#\"", false),
    ];
    for (at, (device, form, _)) in asked.iter().enumerate() {
        file.push_str(&format!("test \"yes {at}\"\n{steps} {device}: expect {form}\n"));
        file.push_str(&format!("test \"no {at}\"\n{steps} {device}: expect no {form}\n"));
    }
    let a = b"on mqttconnect do publish remote a/b 1\n";
    let b = b"on init do subscribe local a/b\non topic local a/b do publish local c/d 1\n";
    let dir = folder(&[("a.script", a), ("b.script", b), ("x.test", file.as_bytes())]);
    let ran = umqttc(dir.path(), &["test", "--format", "json"]);
    assert_eq!((ran.code, ran.out.lines().count()), (1, 2 * asked.len()), "{}", ran.out);
    for (line, (at, is_yes)) in
        ran.out.lines().zip((0..asked.len()).flat_map(|at| [(at, true), (at, false)]))
    {
        let passed = line.contains("\"status\":\"passed\"");
        assert_eq!(passed, asked[at].2 == is_yes, "{line}");
    }
}

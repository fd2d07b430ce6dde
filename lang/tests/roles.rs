//! What each word is, and what may stand at a place: held against the compiler.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::scripts;
use proptest::prelude::*;
use umqtt_lang::ast::{
    Action, ActionKind, Branch, Call, EventPattern, Expr, ExprKind, Span, Statement, Target,
};
use umqtt_lang::expects::{ExpectedKind, expected};
use umqtt_lang::parse;
use umqtt_lang::roles::{Access, Role, RoleSpan, roles};
use umqtt_lang::umqtt_vm::Profile;

const PROFILE: Profile = Profile::DESKTOP;

/// Every script of the repository: those to start from, and those with mistakes of beginners.
fn samples() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut found = Vec::new();
    for folder in ["scripts", "umqttc/tests/beginners", "lang/benches"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|end| end == "script") {
                let text = std::fs::read(&path).expect("a script");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 40);
    found
}

/// What the tree says of words.
#[derive(Default)]
struct FromTree(BTreeSet<(Span, String)>);

impl FromTree {
    fn note(&mut self, span: Span, role: Role) {
        self.0.insert((span, format!("{role:?}")));
    }

    fn expr(&mut self, expr: &Expr, is_topic: bool) {
        let text = if is_topic { Role::Topic } else { Role::Text };
        match &expr.kind {
            ExprKind::Text => self.note(expr.span, text),
            ExprKind::Hex => self.note(expr.span, Role::Hex),
            ExprKind::Variable => self.note(expr.span, Role::Variable(Access::Use)),
            ExprKind::Flash(number) => self.note(number.span, Role::Flash(Access::Use)),
            ExprKind::Special(special) => self.note(expr.span, Role::Special(*special)),
            ExprKind::Bracketed(inner) => self.expr(inner, is_topic),
            ExprKind::Call(call) => match &**call {
                Call::Unary(word, a) => self.expr(a, word.keyword() == "retained_topic"),
                Call::Pair(_, a, b) => [a, b].iter().for_each(|e| self.expr(e, false)),
                Call::Triple(_, a, b, c) => [a, b, c].iter().for_each(|e| self.expr(e, false)),
                Call::List(_, values) => values.iter().for_each(|e| self.expr(e, false)),
                Call::Substr(a, ..) | Call::ByteVal(a, _) | Call::CsvStr(a, ..) => {
                    self.expr(a, false);
                }
                _ => {}
            },
            ExprKind::Chain(chain) => {
                self.expr(&chain.first, is_topic);
                for link in &chain.rest {
                    self.note(link.operator_span, Role::Operator);
                    self.expr(&link.operand, is_topic);
                }
            }
            ExprKind::Logic(chain) => {
                self.expr(&chain.first, is_topic);
                for link in &chain.rest {
                    self.note(link.operator_span, Role::Operator);
                    self.expr(&link.operand, is_topic);
                }
            }
            _ => {}
        }
    }

    fn actions(&mut self, actions: &[Action]) {
        for Action { kind, .. } in actions {
            match kind {
                ActionKind::Publish { broker, topic, data, .. } => {
                    self.note(broker.span, Role::Keyword);
                    self.expr(topic, true);
                    self.expr(data, false);
                }
                ActionKind::Subscribe { broker, filter }
                | ActionKind::Unsubscribe { broker, filter } => {
                    self.note(broker.span, Role::Keyword);
                    self.expr(filter, true);
                }
                ActionKind::Numbered { value, .. } | ActionKind::Unary { value, .. } => {
                    self.expr(value, false);
                }
                ActionKind::Pair { first, second, .. } => {
                    self.expr(first, false);
                    self.expr(second, false);
                }
                ActionKind::SetVar { target, value } => {
                    match target {
                        Target::Variable(name) => self.note(*name, Role::Variable(Access::Set)),
                        Target::Flash(slot) => self.note(slot.span, Role::Flash(Access::Set)),
                    }
                    self.expr(value, false);
                }
                ActionKind::Call(name) => self.note(*name, Role::Sub(Access::Use)),
                ActionKind::If { branches, otherwise } => {
                    for Branch { condition, actions } in branches {
                        self.expr(condition, false);
                        self.actions(actions);
                    }
                    otherwise.iter().for_each(|actions| self.actions(actions));
                }
                ActionKind::While(branch) => {
                    self.expr(&branch.condition, false);
                    self.actions(&branch.actions);
                }
                _ => {}
            }
        }
    }

    fn of(statements: &[Statement]) -> FromTree {
        let mut found = FromTree::default();
        for statement in statements {
            match statement {
                Statement::On(clause) => {
                    match &clause.event {
                        EventPattern::Topic { broker, filter } => {
                            found.note(broker.span, Role::Keyword);
                            found.expr(filter, true);
                        }
                        EventPattern::Sub(name) => found.note(*name, Role::Sub(Access::Define)),
                        _ => {}
                    }
                    found.actions(&clause.actions);
                }
                Statement::Config(line) => found.note(line.name, Role::Setting),
                Statement::Constant(constant) => {
                    found.note(constant.name, Role::Variable(Access::Define));
                    found.expr(&constant.value, false);
                }
                _ => {}
            }
        }
        found
    }
}

/// All words are there, apart from each other, and have the roles of the tree.
fn check(source: &[u8]) -> Result<(), String> {
    let words = roles(source, &PROFILE);
    let mut end = 0;
    for RoleSpan { span, .. } in &words {
        if span.start < end || span.end <= span.start || span.end as usize > source.len() {
            return Err(format!("{span:?} behind {end}"));
        }
        let gap = &source[end as usize..span.start as usize];
        let gap = if end == 0 { gap.strip_prefix(b"\xef\xbb\xbf").unwrap_or(gap) } else { gap };
        if !gap.iter().all(|byte| *byte <= b' ') {
            return Err(format!("{:?} has no role", String::from_utf8_lossy(gap)));
        }
        end = span.end;
    }
    let parsed = parse(source, &PROFILE);
    let tree = FromTree::of(&parsed.statements);
    let told: BTreeSet<(Span, String)> =
        words.iter().map(|word| (word.span, format!("{:?}", word.role))).collect();
    for (span, role) in &tree.0 {
        let number = (*span, "Number".to_owned());
        let is_number = (role == "Text" || role == "Topic") && told.contains(&number);
        if !told.contains(&(*span, role.clone())) && !is_number {
            let text = String::from_utf8_lossy(span.of(source)).into_owned();
            let here: Vec<_> = words.iter().filter(|word| word.span.start == span.start).collect();
            return Err(format!("`{text}` at {span:?} is {role}, not {here:?}"));
        }
    }
    if parsed.errors.is_empty() && words.iter().any(|word| word.role == Role::Stray) {
        return Err("a word of a script that is right is stray".to_owned());
    }
    Ok(())
}

#[test]
fn the_roles_are_those_of_the_tree() {
    for (name, source) in samples() {
        check(&source).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
    }
    for tricky in [
        "on init do publish local publish local print println retained",
        "on init do publish local \"t\" -5 publish local -5 (-5) print 3 -2 print -2 - -3",
        "on init do print = print > settimer 1 and call serial_out println not call not",
        "sub serial_out do print 1 sub not do print 2",
        "on every 10s do print every on clock sunset - 30m mon fri do print clock",
        "const $n = 2 on init do setvar @$n = substr(@$n, -2, \"3\") gpio_pinmode 4 input pullup",
        "config a \"b c\" config d e=f%g\nconfig h @1\non init do http_post a, b http_post a b",
        "on init do if retained_topic(\"a\" | $x) = csvstr(\"a,b\", 0, ,) then print 1 else endif",
        "on init do setvar $x = #00 | (1 + 2) % a comment, \"not a text\"\n\n%\n print $x",
        "on init do print json(\"a\", 1, \"b\", json_array(1, -2))",
    ] {
        check(tricky.as_bytes()).unwrap_or_else(|wrong| panic!("{tricky}: {wrong}"));
    }
}

#[test]
fn words_of_a_script_that_is_being_typed() {
    let shown = |source: &str| {
        let words = roles(source.as_bytes(), &PROFILE);
        let lines = words.iter().map(|word| {
            format!(
                "{:?} {:?}\n",
                String::from_utf8_lossy(word.span.of(source.as_bytes())),
                word.role
            )
        });
        lines.collect::<String>()
    };
    insta::assert_snapshot!(shown(
        "on topic local\n    if $this_data then\n    settimer\n    setvar $x =\n    publish local a\n    call\n    print not(\nsub\nconfig\nconst $y\non"
    ));
}

/// A word of each kind that is proposed at a place.
fn proposals(kind: &ExpectedKind) -> Vec<String> {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match kind {
        ExpectedKind::Words(words) => words
            .iter()
            .map(|word| match *word {
                "const" => "const $name = ".to_owned(),
                "sub" => "sub name do".to_owned(),
                word => word.to_owned(),
            })
            .collect(),
        ExpectedKind::Value { functions, .. } => {
            let mut all: Vec<String> = functions.iter().map(|word| format!("{word}(")).collect();
            all.extend(own(&["$x", "@1", "\"a\"", "$timestamp"]));
            all
        }
        ExpectedKind::TopicText => own(&["a/b\""]),
        ExpectedKind::Number => own(&["1", "$c"]),
        ExpectedKind::Target => own(&["$x", "@1"]),
        ExpectedKind::Sub => own(&["name"]),
        ExpectedKind::Setting => own(&["speed"]),
        ExpectedKind::SettingValue(_) => own(&["80"]),
        ExpectedKind::Clock(true) => own(&["sunrise", "07:00"]),
        ExpectedKind::Clock(false) => own(&["mon", "do"]),
        ExpectedKind::Duration => own(&["10s"]),
        _ => Vec::new(),
    }
}

/// How many words the parser does not take, in a script that may end anywhere.
fn refused(source: &[u8]) -> usize {
    use umqtt_lang::diagnostic::Code;
    let wrong = |code: Code| matches!(code, Code::UnexpectedWord | Code::ReservedWord);
    parse(source, &PROFILE).errors.iter().filter(|error| wrong(error.code)).count()
}

/// What is proposed is taken, at the start of every word; and the word that stands there is among
/// it, if it is one of the language.
#[test]
fn what_is_proposed_is_taken_and_what_is_there_is_proposed() {
    let mut tried = 0;
    for (name, source) in samples() {
        let is_right = parse(&source, &PROFILE).errors.is_empty();
        for word in roles(&source, &PROFILE) {
            let at = word.span.start as usize;
            let text = String::from_utf8_lossy(word.span.of(&source)).into_owned();
            if matches!(word.role, Role::Comment | Role::Punctuation | Role::Stray) {
                continue;
            }
            let found = expected(&source[..at], at, &PROFILE);
            let proposals = proposals(&found.kind);
            let typed = found.typed.start as usize;
            let before = refused(&source[..typed]);
            for proposal in &proposals {
                let mut with = source[..typed].to_vec();
                with.extend_from_slice(proposal.as_bytes());
                assert!(
                    refused(&with) <= before,
                    "{name}:{at}: {proposal:?} for {text:?} ({found:?})"
                );
                tried += 1;
            }
            if is_right {
                let is_there = match (word.role, &found.kind) {
                    (Role::Keyword | Role::Event | Role::Action(_), ExpectedKind::Words(words)) => {
                        words.contains(&text.as_str())
                    }
                    (Role::Keyword, ExpectedKind::Clock(_) | ExpectedKind::Duration) => true,
                    (Role::Function(_), ExpectedKind::Value { functions, .. }) => {
                        functions.contains(&text.as_str())
                    }
                    (Role::Operator, ExpectedKind::Words(words)) => {
                        !text.as_bytes()[0].is_ascii_lowercase() || words.contains(&text.as_str())
                    }
                    (Role::Operator, _) => true,
                    (Role::Variable(Access::Set) | Role::Flash(Access::Set), kind) => {
                        *kind == ExpectedKind::Target
                    }
                    (Role::Variable(Access::Define) | Role::Sub(Access::Define), kind) => {
                        *kind == ExpectedKind::Nothing
                    }
                    (Role::Sub(Access::Use), kind) => *kind == ExpectedKind::Sub,
                    (Role::Setting, kind) => *kind == ExpectedKind::Setting,
                    (Role::SettingValue, kind) => matches!(kind, ExpectedKind::SettingValue(_)),
                    (Role::Topic, ExpectedKind::Value { is_topic, .. }) => *is_topic,
                    (Role::Special(_) | Role::Hex, ExpectedKind::Value { .. }) => true,
                    (Role::Text, kind) => matches!(
                        kind,
                        ExpectedKind::Value { is_topic: false, .. } | ExpectedKind::Number
                    ),
                    (Role::Variable(_) | Role::Flash(_) | Role::Number | Role::Time, _) => true,
                    _ => false,
                };
                assert!(is_there, "{name}:{at}: {text:?} is {:?}, there is {found:?}", word.role);
            }
        }
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn what_is_expected_at_a_place() {
    let shown = |source: &str| {
        let at = source.find('|').expect("a place");
        let source = source.replace('|', "");
        let found = expected(source.as_bytes(), at, &PROFILE);
        let typed = String::from_utf8_lossy(found.typed.of(source.as_bytes())).into_owned();
        format!("{source:?} at {at}: {typed:?} {:?} {:?}\n", found.kind, found.event)
    };
    let places = [
        "|",
        "o|",
        "on |",
        "on init |",
        "on init do\n|",
        "on init do println |",
        "on init do println 1 |",
        "on init do if 1 |",
        "on init do if 1 then\n |",
        "on init do while 1 do\n |",
        "on topic |",
        "on topic local |",
        "on topic local \"a|",
        "on topic local \"a\"|",
        "on topic local a do publish |",
        "on topic local a do publish local a/|",
        "on topic local a do publish local $x |",
        "on topic local a do publish local a b |",
        "on gpio_interrupt 1 |",
        "on timer |",
        "config |",
        "config speed |",
        "config speed 80 |",
        "const |",
        "const $a = |",
        "sub |",
        "on init do setvar |",
        "on init do setvar $x |",
        "on init do call |",
        "on init do print \"a|\"",
        "on init do print 1 % a|",
        "on clock |",
        "on clock 07:00 |",
        "on every |",
        "on every 1s |",
        "on init do print retained_topic(|",
        "on init do print substr($x, |",
        "on init do gpio_pinmode 1 |",
        "on init do prinz \"x\"\n |",
        "on init do prinz |",
        "on init do print not(1 |",
        "on init do setvar $x = 1 + |",
    ];
    insta::assert_snapshot!(places.map(shown).concat());
}

proptest! {
    #[test]
    fn any_right_script_has_the_roles_of_its_tree(source in scripts::source()) {
        prop_assert_eq!(check(source.as_bytes()), Ok(()), "{}", source);
    }

    #[test]
    fn any_text_has_roles(source in ".{0,200}", at in 0usize..250) {
        prop_assert_eq!(check(source.as_bytes()), Ok(()));
        expected(source.as_bytes(), at, &PROFILE);
    }

    #[test]
    fn any_words_have_roles(words in prop::collection::vec(prop::sample::select(WORDS), 0..40), at in 0usize..400) {
        let source = words.join(" ");
        prop_assert_eq!(check(source.as_bytes()), Ok(()), "{}", source);
        expected(source.as_bytes(), at, &PROFILE);
    }
}

/// Of which scripts are made, whole and broken.
const WORDS: &[&str] = &[
    "on",
    "init",
    "do",
    "topic",
    "local",
    "remote",
    "a/b",
    "\"t\"",
    "publish",
    "retained",
    "if",
    "then",
    "else",
    "elseif",
    "endif",
    "while",
    "done",
    "setvar",
    "$x",
    "=",
    "@1",
    "-5",
    "-",
    "(",
    ")",
    "not(",
    "substr(",
    ",",
    "config",
    "speed",
    "80",
    "const",
    "sub",
    "call",
    "name",
    "every",
    "10s",
    "clock",
    "sunset",
    "gpio_pinmode",
    "input",
    "pullup",
    "\n",
    "%",
    "\"",
    "timer",
    "1",
    "http_post",
    "and",
    "|",
    "#0d",
    "@$x",
    "\\",
];

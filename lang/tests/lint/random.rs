//! Random scripts: linting them ends, its spans fit, and the fix of a chain keeps how the device
//! groups it.

use proptest::prelude::*;

use super::common::Table;
use super::shared::scripts;
use umqtt_lang::ast::{ActionKind, Expr, ExprKind, Statement};
use umqtt_lang::diagnostic::{Code, Diagnostic};
use umqtt_lang::lint::lint;
use umqtt_lang::parse;
use umqtt_vm::Profile;

fn warnings(source: &[u8]) -> Vec<Diagnostic> {
    lint(source, &parse(source, &Profile::DESKTOP).statements, &Profile::DESKTOP, &Table)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn warnings_fit_the_source(script in scripts::script(), choices in prop::collection::vec(any::<u8>(), 1..64)) {
        let source = scripts::spread(&script, &choices);
        for warning in warnings(source.as_bytes()) {
            let related = warning.related.iter().map(|(span, _)| *span);
            let edits = warning.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
            for span in core::iter::once(warning.span).chain(related).chain(edits) {
                prop_assert!(span.start <= span.end && span.end as usize <= source.len());
            }
            prop_assert!(!warning.message.ends_with('.') && warning.help.is_some(), "{:?}", warning);
        }
    }

    /// Fixes of whatever people write together leave a script that parses and has nothing left to
    /// be fixed.
    #[test]
    fn fixes_end_and_leave_a_script_that_parses(
        actions in prop::collection::vec(prop::sample::select(MISTAKES), 1..6),
        wraps in prop::collection::vec(prop::sample::select(WRAPS), 6),
    ) {
        let mut source = String::from("on serial do");
        for (action, wrap) in actions.iter().zip(wraps) {
            source += "\n    ";
            source += &wrap.replace("{}", action);
        }
        for round in 0.. {
            prop_assert!(round < 50, "{}", source);
            let umqtt_lang::Parsed { statements, errors } = parse(source.as_bytes(), &Profile::ESP8266);
            prop_assert!(errors.is_empty(), "{}\n{:?}", source, errors);
            let found = lint(source.as_bytes(), &statements, &Profile::ESP8266, &Table);
            let Some(fix) = found.iter().find_map(|warning| warning.fix.as_ref()) else { break };
            for edit in fix.edits.iter().rev() {
                let text = std::str::from_utf8(&edit.text).expect("text");
                source.replace_range(edit.span.start as usize..edit.span.end as usize, text);
            }
        }
    }

    #[test]
    fn bracketing_a_chain_keeps_how_it_groups(
        operators in prop::collection::vec(prop::sample::select(OPERATORS), 1..12),
    ) {
        let mut source = String::from("on serial do println $timestamp");
        for operator in &operators {
            source += &format!(" {operator} $adc");
        }
        let found = warnings(source.as_bytes());
        let Some(warning) = found.iter().find(|warning| warning.code == Code::Grouping) else {
            return Ok(());
        };
        let fix = warning.fix.as_ref().expect("so few operators need few brackets");
        let mut fixed = source.clone();
        for edit in fix.edits.iter().rev() {
            let text = std::str::from_utf8(&edit.text).expect("brackets");
            fixed.replace_range(edit.span.start as usize..edit.span.end as usize, text);
        }
        prop_assert_eq!(grouped(&fixed), grouped(&source), "{}", &fixed);
        let again = warnings(fixed.as_bytes());
        prop_assert!(!again.iter().any(|warning| warning.code == Code::Grouping), "{}", fixed);
    }
}

const MISTAKES: &[&str] = &[
    "gpio_out 2 high",
    "gpio_out 2 \"off\"",
    "settimer 1 10s",
    "setalarm 1 7:00",
    "setalarm 2 noon",
    "println $adc % 3",
    "println 1 + $adc%3 + 2",
    "println 50%",
    "println 'hi'",
    "println \u{201c}hi\u{201d} | 'x;'",
    "publish local a/b on;",
    "setvar $x = 1;",
    "println **start:|@8",
    "println - | +",
    "println $adc == -1",
    "println $this_serial = -1.5",
    "println 2.5 neq $this_serial",
    "println $this_serial neq \"a\" or \"b\" or c",
    "println \"adc\" + $adc",
    "println 10 - $adc - 2 | \"x\"",
    "if $weekday = Monday then println 1 endif",
];

const WRAPS: &[&str] = &[
    "{}",
    "if $adc > 5 then\n {}\n endif",
    "if $adc > 5 then\n println 1\n else if gpio_in(4) then\n {}\n endif endif",
    "while $adc do\n {}\n done",
];

const OPERATORS: &[&str] = &["=", ">", "+", "-", "*", "div", "mod", "|", "neq"];

/// How the printed expression groups, all brackets written.
fn grouped(source: &str) -> String {
    let umqtt_lang::Parsed { statements, errors: wrong } =
        parse(source.as_bytes(), &Profile::DESKTOP);
    assert_eq!(wrong, []);
    let Statement::On(clause) = &statements[0] else { panic!("{source}") };
    let ActionKind::Unary { value, .. } = &clause.actions[0].kind else { panic!("{source}") };
    all_brackets(source, value)
}

fn all_brackets(source: &str, expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Bracketed(inner) => all_brackets(source, inner),
        ExprKind::Chain(chain) => {
            let operands: Vec<&Expr> = std::iter::once(&chain.first)
                .chain(chain.rest.iter().map(|link| &link.operand))
                .collect();
            let mut right = all_brackets(source, operands[chain.rest.len()]);
            for at in (0..chain.rest.len()).rev() {
                let left = all_brackets(source, operands[at]);
                right = format!("({left} {:?} {right})", chain.rest[at].operator);
            }
            right
        }
        _ => source[expr.span.start as usize..expr.span.end as usize].into(),
    }
}

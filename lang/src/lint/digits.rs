//! Tenths of a number made of its digits, as was needed where numbers had no decimals (W0044); told
//! of only if asked for.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, each_node, unbracketed, variable_name};
use super::removal::removal;
use crate::ast::{
    Action, ActionKind, Branch, Call, Expr, ExprKind, Operator, Span, Statement, Target,
};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::literal::unescape;

/// W0044.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    for statement in facts.script {
        if let Statement::On(clause) = statement {
            block(facts, &clause.actions, found);
        }
    }
}

/// Actions in a row. Follows nesting, which the parser has limited.
fn block(facts: &ScriptFacts<'_>, actions: &[Action], found: &mut Vec<Diagnostic>) {
    for (at, action) in actions.iter().enumerate() {
        let before = Before { facts, actions: &actions[..at] };
        match &action.kind {
            ActionKind::SetVar { value, .. } => {
                let Some(picked) = before.tenths(value) else { continue };
                found.push(told(facts, value.span, &picked, String::new()));
            }
            ActionKind::If { branches, otherwise } => {
                if let Some((target, picked)) = before.by_sign(branches, otherwise.as_deref()) {
                    let set = format!("setvar {} = ", text(facts, target));
                    found.push(told(facts, action.span, &picked, set));
                    continue;
                }
                branches.iter().for_each(|branch| block(facts, &branch.actions, found));
                otherwise.iter().for_each(|actions| block(facts, actions, found));
            }
            ActionKind::While(branch) => block(facts, &branch.actions, found),
            _ => {}
        }
    }
}

/// Where it stands, of what number they are digits, and what is written in its place.
fn told(facts: &ScriptFacts<'_>, span: Span, picked: &Picked<'_>, set: String) -> Diagnostic {
    let number = text(facts, picked.number.span);
    let mut edits = vec![Edit { span, text: format!("{set}int({number} * 10)").into_bytes() }];
    for &(name, action) in &picked.helpers {
        let name = variable_name(facts.source, name);
        let Some(variable) = facts.variables.get(&name) else { continue };
        let is_read_here = |read: &(Span, _)| span.start <= read.0.start && read.0.end <= span.end;
        if variable.sets.len() == 1 && variable.reads.iter().all(is_read_here) {
            edits.push(removal(facts.source, action));
        }
    }
    edits.sort_by_key(|edit| edit.span);
    let hint =
        Diagnostic::new(Code::DigitsPicked, span, "tenths are made of a number's digits here")
            .help("numbers have decimals: they are compared and computed with as they are");
    let hint = match set.is_empty() {
        true => hint.help("`int` gives the right tenths below zero too, which this does not"),
        false => hint,
    };
    hint.fix(format!("use `int({number} * 10)`"), edits)
}

fn text(facts: &ScriptFacts<'_>, span: Span) -> String {
    String::from_utf8_lossy(span.of(facts.source)).into_owned()
}

/// A number whose digits are picked.
struct Picked<'a> {
    number: &'a Expr,
    /// Variables that hold parts of it, and the actions that set them.
    helpers: Vec<(Span, Span)>,
}

/// The actions of a block before one of them.
#[derive(Clone, Copy)]
struct Before<'a> {
    facts: &'a ScriptFacts<'a>,
    actions: &'a [Action],
}

impl<'a> Before<'a> {
    /// `W + D`, where `W` is ten times what stands before the point, and `D` the digit behind it.
    fn tenths(self, value: &'a Expr) -> Option<Picked<'a>> {
        match self.parts(value)? {
            (Operator::Add, picked) => Some(picked),
            _ => None,
        }
    }

    /// `if substr(E, 0, 1) = "-" then setvar V = W - D else setvar V = W + D endif`: what is set,
    /// and of what number.
    fn by_sign(
        self,
        branches: &'a [Branch],
        otherwise: Option<&'a [Action]>,
    ) -> Option<(Span, Picked<'a>)> {
        let [Branch { condition, actions: below }] = branches else { return None };
        let ([below], [above]) = (&below[..], otherwise?) else { return None };
        let (signed, minus) = pair(condition, Operator::Equal)?;
        let ExprKind::Call(call) = &signed.kind else { return None };
        let Call::Substr(number, start, len) = &**call else { return None };
        if (start.value, len.value) != (0, 1) || !self.is_text(minus, b"-") {
            return None;
        }
        let ((target, below), (other, above)) = (set(below)?, set(above)?);
        let name = |span| variable_name(self.facts.source, span);
        match (self.parts(below)?, self.parts(above)?) {
            ((Operator::Sub, below), (Operator::Add, above)) => {
                let is_it = name(target) == name(other)
                    && self.same(unbracketed(number), below.number)
                    && self.same(below.number, above.number);
                is_it.then_some((target, below))
            }
            _ => None,
        }
    }

    /// `W + D` or `W - D`.
    fn parts(self, value: &'a Expr) -> Option<(Operator, Picked<'a>)> {
        let ExprKind::Chain(chain) = &unbracketed(value).kind else { return None };
        let [link] = &chain.rest[..] else { return None };
        let mut helpers = Vec::new();
        let whole = self.resolved(&chain.first, &mut helpers)?;
        let digit = self.resolved(&link.operand, &mut helpers)?;
        let (number, ten) = pair(whole, Operator::Mul)?;
        if !self.is_text(ten, b"10") {
            return None;
        }
        let number = self.column(number, 0)?;
        let ExprKind::Call(call) = &digit.kind else { return None };
        let Call::Substr(behind, start, len) = &**call else { return None };
        let is_it = (start.value, len.value) == (0, 1)
            && self.same(number, self.column(unbracketed(behind), 1)?);
        is_it.then_some((link.operator, Picked { number, helpers }))
    }

    /// `csvstr(E, N, ".")`: its E.
    fn column(self, value: &'a Expr, number: i32) -> Option<&'a Expr> {
        let ExprKind::Call(call) = &value.kind else { return None };
        let Call::CsvStr(of, at, separator) = &**call else { return None };
        let is_point = &*unescape(separator.of(self.facts.source)) == b".";
        (at.value == number && is_point).then(|| unbracketed(of))
    }

    /// What an expression is, where it is a variable that was set just before.
    fn resolved(self, value: &'a Expr, helpers: &mut Vec<(Span, Span)>) -> Option<&'a Expr> {
        let value = unbracketed(value);
        if value.kind != ExprKind::Variable {
            return Some(value);
        }
        let name = variable_name(self.facts.source, value.span);
        let is_set = |action: &Action| {
            set(action).is_some_and(|(target, _)| variable_name(self.facts.source, target) == name)
        };
        let at = self.actions.iter().rposition(is_set)?;
        let (_, meant) = set(&self.actions[at])?;
        let meant = unbracketed(meant);
        let is_stable = self.actions[at + 1..].iter().all(|action| self.keeps(action, meant));
        helpers.push((value.span, self.actions[at].span));
        is_stable.then_some(meant)
    }

    /// Whether an expression has the same value behind an action as before it.
    fn keeps(self, action: &Action, value: &Expr) -> bool {
        match action.kind {
            ActionKind::If { .. } | ActionKind::While(_) | ActionKind::Call(_) => false,
            ActionKind::SetVar { target: Target::Variable(target), .. } => {
                let name = variable_name(self.facts.source, target);
                let mut is_in = false;
                each_node(value, &mut |node| {
                    is_in |= node.kind == ExprKind::Variable
                        && variable_name(self.facts.source, node.span) == name;
                });
                !is_in
            }
            ActionKind::SetVar { target: Target::Flash(_), .. } => {
                let mut is_in = false;
                each_node(value, &mut |node| is_in |= matches!(node.kind, ExprKind::Flash(_)));
                !is_in
            }
            _ => true,
        }
    }

    /// Whether two expressions are written alike, and have the same value wherever they stand.
    fn same(self, one: &Expr, other: &Expr) -> bool {
        let source = self.facts.source;
        let is_read = match one.kind {
            ExprKind::Variable | ExprKind::Flash(_) => true,
            ExprKind::Special(special) => special.event().is_some(),
            _ => false,
        };
        is_read && one.span.of(source) == other.span.of(source)
    }

    fn is_text(self, value: &Expr, text: &[u8]) -> bool {
        value.kind == ExprKind::Text && &*unescape(value.span.of(self.facts.source)) == text
    }
}

/// `setvar $name = e`: the name, and the value.
fn set(action: &Action) -> Option<(Span, &Expr)> {
    match &action.kind {
        ActionKind::SetVar { target: Target::Variable(target), value } => Some((*target, value)),
        _ => None,
    }
}

/// Both sides of an operator, if there is no other.
fn pair(value: &Expr, operator: Operator) -> Option<(&Expr, &Expr)> {
    let ExprKind::Chain(chain) = &unbracketed(value).kind else { return None };
    match &chain.rest[..] {
        [link] if link.operator == operator => {
            Some((unbracketed(&chain.first), unbracketed(&link.operand)))
        }
        _ => None,
    }
}

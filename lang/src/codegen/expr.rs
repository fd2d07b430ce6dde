//! Code for expressions and conditions.

use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::isa::{JOIN_MAX, Op, Place};

use super::body::{Label, To};
use super::fold::{Known, apply, known};
use super::{Compiler, Context};
use crate::ast::{Call, Chain, Expr, ExprKind, Logic, Number, Operator, Special, Unary};
use crate::diagnostic::{Code, Diagnostic};
use crate::text::unescape;

/// Values that are joined at once at most: longer runs are joined piece by piece.
const JOIN_AT_ONCE: usize = JOIN_MAX as usize;

/// An operand of a chain: code, or something known.
enum Operand<'a, 's> {
    Known(Known<'s>),
    Code(&'a Expr),
}

impl<'s> Compiler<'s, '_, '_> {
    /// The expression as an operand: a leaf as it is, anything else computed into a temporary.
    pub(super) fn operand(&mut self, expr: &Expr) -> Place {
        self.compute(expr, To::Temporary).unwrap_or_else(|| self.body.top())
    }

    /// Code that brings the expression's value where it is wanted; none for a leaf, which is returned.
    pub(super) fn compute(&mut self, expr: &Expr, to: To) -> Option<Place> {
        if let Some(value) = known(self.source, expr, self.profile.value) {
            self.check_literals(expr);
            return Some(self.known_value(value));
        }
        match &expr.kind {
            // Only broken ones are not known.
            ExprKind::Text | ExprKind::Hex => {
                self.check_literals(expr);
                return Some(self.int(0));
            }
            ExprKind::Variable => {
                let number = self.read_variable(expr.span);
                return Some(self.body.variable(number));
            }
            ExprKind::Flash(number) => {
                let number = self.flash_variable(*number);
                self.body.result(Op::Flash, &[], number, to);
            }
            ExprKind::Special(special) => return self.special(*special, expr, to),
            ExprKind::Bracketed(inner) => return self.compute(inner, to),
            ExprKind::Chain(chain) => return self.chain(chain, to),
            ExprKind::Logic(chain) => {
                let mut value = self.operand(&chain.first);
                for (index, link) in (1..).zip(&chain.rest) {
                    let operand = self.operand(&link.operand);
                    let op = match link.operator {
                        Logic::And => Op::And,
                        Logic::Or => Op::Or,
                    };
                    let to = if index == chain.rest.len() { to } else { To::Temporary };
                    self.body.result(op, &[value, operand], 0, to);
                    value = self.body.top();
                }
            }
            ExprKind::Call(call) => self.call(call, to),
        }
        None
    }

    pub(super) fn known_value(&mut self, value: Known<'_>) -> Place {
        match value {
            Known::Int(value) => self.int(value),
            Known::Text(text) => {
                let number = self.constants.text(&text);
                self.body.constant(number)
            }
        }
    }

    fn int(&mut self, value: i32) -> Place {
        let number = self.constants.int(value);
        self.body.constant(number)
    }

    /// Reports what is wrong with literals, wherever in an expression they stand.
    pub(super) fn check_literals(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Text => {
                let len = unescape(expr.span.of(self.source)).len();
                self.check_len(expr, len);
            }
            ExprKind::Hex => self.check_len(expr, (expr.span.of(self.source).len() - 1) / 2),
            ExprKind::Bracketed(inner) => self.check_literals(inner),
            ExprKind::Call(call) => {
                if let Call::Unary(_, operand) = &**call {
                    self.check_literals(operand);
                }
            }
            ExprKind::Chain(chain) => {
                self.check_literals(&chain.first);
                chain.rest.iter().for_each(|link| self.check_literals(&link.operand));
            }
            ExprKind::Logic(chain) => {
                self.check_literals(&chain.first);
                chain.rest.iter().for_each(|link| self.check_literals(&link.operand));
            }
            ExprKind::Variable | ExprKind::Flash(_) | ExprKind::Special(_) => {}
        }
    }

    fn check_len(&mut self, expr: &Expr, len: usize) {
        let most = self.profile.value;
        if len > most {
            let device = self.profile.name;
            self.report(|| {
                let message =
                    format!("this text has {len} bytes, a value on {device} holds at most {most}");
                Diagnostic::new(Code::ValueTooLong, expr.span, message)
            });
        }
    }

    /// A chain groups from the right: all operands are computed, then the operators come, last first. Runs of `|` are joined
    /// at once, and what is known at the end of the chain or side by side in a join is computed here.
    fn chain(&mut self, chain: &Chain<Operator>, to: To) -> Option<Place> {
        let (mut sources, mut operators) = self.chain_operands(chain);
        // Everything was known in the end.
        if operators.is_empty() {
            return sources.pop();
        }
        self.reduce(&mut sources, &mut operators, 0, to);
        None
    }

    /// The operands of a chain, computed, and its operators. A long join at its start is joined on the way, to spare temporaries.
    fn chain_operands(&mut self, chain: &Chain<Operator>) -> (Vec<Place>, Vec<Operator>) {
        let (mut operands, mut operators) = self.operands(chain);
        self.fold_operands(&mut operands, &mut operators);
        let lead = operators.iter().take_while(|operator| **operator == Operator::Join).count();
        let mut sources = Vec::with_capacity(operands.len());
        for (index, operand) in operands.into_iter().enumerate() {
            if index <= lead && sources.len() == JOIN_AT_ONCE {
                self.body.join(&sources, To::Temporary);
                sources.clear();
                sources.push(self.body.top());
                operators.drain(..JOIN_AT_ONCE - 1);
            }
            let source = self.chain_operand(operand);
            sources.push(source);
        }
        (sources, operators)
    }

    /// Applies operators from the last on until `keep` of them are left. Without any left, the result goes where it is wanted.
    fn reduce(
        &mut self,
        sources: &mut Vec<Place>,
        operators: &mut Vec<Operator>,
        keep: usize,
        to: To,
    ) {
        while operators.len() > keep {
            let joins =
                operators[keep..].iter().rev().take_while(|o| **o == Operator::Join).count();
            let count = joins.clamp(1, JOIN_AT_ONCE - 1);
            let rest = operators.split_off(operators.len() - count);
            let operands = sources.split_off(sources.len() - count - 1);
            let to = if operators.is_empty() { to } else { To::Temporary };
            match rest[0] {
                Operator::Join => self.body.join(&operands, to),
                operator => self.body.result(computing(operator), &operands, 0, to),
            }
            sources.push(self.body.top());
        }
    }

    fn operands<'a>(
        &mut self,
        chain: &'a Chain<Operator>,
    ) -> (Vec<Operand<'a, 's>>, Vec<Operator>) {
        let mut operands = Vec::with_capacity(chain.rest.len() + 1);
        for expr in
            core::iter::once(&chain.first).chain(chain.rest.iter().map(|link| &link.operand))
        {
            operands.push(match known(self.source, expr, self.profile.value) {
                Some(value) => {
                    self.check_literals(expr);
                    Operand::Known(value)
                }
                None => Operand::Code(expr),
            });
        }
        (operands, chain.rest.iter().map(|link| link.operator).collect())
    }

    fn fold_operands(&self, operands: &mut Vec<Operand<'_, 's>>, operators: &mut Vec<Operator>) {
        let mut at = operators.len();
        while at > 0 {
            at -= 1;
            let last = at + 1 == operators.len();
            // `a | b` in front of another `|` may be joined first: joining is associative.
            if !last && (operators[at], operators[at + 1]) != (Operator::Join, Operator::Join) {
                continue;
            }
            if let (Operand::Known(a), Operand::Known(b)) = (&operands[at], &operands[at + 1])
                && let Some(value) = apply(operators[at], a.clone(), b.clone(), self.profile.value)
            {
                operands[at] = Operand::Known(value);
                operands.remove(at + 1);
                operators.remove(at);
            }
        }
    }

    fn chain_operand(&mut self, operand: Operand<'_, '_>) -> Place {
        match operand {
            Operand::Known(value) => self.known_value(value),
            Operand::Code(expr) => self.operand(expr),
        }
    }

    fn call(&mut self, call: &Call, to: To) {
        match call {
            Call::Unary(function, operand) => {
                let operand = self.operand(operand);
                let op = match function {
                    Unary::Not => Op::Not,
                    Unary::Retained => Op::Retained,
                    Unary::Binary => Op::Binary,
                    Unary::EatWhite => Op::EatWhite,
                    Unary::Lower => Op::Lower,
                    Unary::Upper => Op::Upper,
                    Unary::Len => Op::Len,
                };
                self.body.result(op, &[operand], 0, to);
            }
            Call::Find(text, sought) => self.two(text, sought, Op::Find, to),
            Call::JsonParse(path, json) => self.two(path, json, Op::JsonParse, to),
            Call::Substr(text, start, len) => {
                let text = self.operand(text);
                let operands = [text, self.int(start.value), self.int(len.value)];
                self.body.result(Op::Substr, &operands, 0, to);
            }
            Call::ByteVal(text, index) => {
                let operands = [self.operand(text), self.int(index.value)];
                self.body.result(Op::ByteVal, &operands, 0, to);
            }
            Call::CsvStr(text, index, separator) => {
                let text = self.operand(text);
                let character = unescape(separator.of(self.source));
                if character.len() != 1 {
                    let len = character.len();
                    self.report(|| {
                        let message = format!("the separator has {len} bytes, it must be one");
                        Diagnostic::new(Code::BadSeparator, *separator, message)
                            .help("quote a blank, a comma or an operator: \",\"")
                    });
                }
                let operands =
                    [text, self.int(index.value), self.known_value(Known::text(character))];
                self.body.result(Op::CsvStr, &operands, 0, to);
            }
            Call::PinRead(pin) => {
                let pin = self.pin(*pin);
                self.body.result(Op::PinRead, &[], pin, to);
            }
        }
    }

    fn two(&mut self, a: &Expr, b: &Expr, op: Op, to: To) {
        let operands = [self.operand(a), self.operand(b)];
        self.body.result(op, &operands, 0, to);
    }

    fn special(&mut self, special: Special, expr: &Expr, to: To) -> Option<Place> {
        let mut ask = |op| {
            self.body.result(op, &[], 0, to);
            None
        };
        let (context, argument) = match special {
            Special::Timestamp => return ask(Op::Timestamp),
            Special::Weekday => return ask(Op::Weekday),
            Special::Adc => return ask(Op::Adc),
            Special::ThisTopic => (Context::Topic, 0),
            Special::ThisData => (Context::Topic, 1),
            Special::ThisGpio => (Context::Gpio, 0),
            Special::ThisSerial => (Context::Serial, 0),
            Special::ThisHttpHost => (Context::Http, 0),
            Special::ThisHttpPath => (Context::Http, 1),
            Special::ThisHttpCode => (Context::Http, 2),
            Special::ThisHttpBody => (Context::Http, 3),
            // No argument: the machine knows it.
            Special::ThisHttpCut => {
                ask(Op::HttpCut);
                (Context::Http, 0)
            }
        };
        if context != self.context {
            let name = expr.span.of(self.source).escape_ascii();
            self.report(|| {
                let clause = context.clause();
                let message = format!("{name} exists only in `on {clause}`");
                Diagnostic::new(Code::SpecialOutsideClause, expr.span, message).help(format!(
                    "save it with setvar in the `on {clause}` clause and use that variable here"
                ))
            });
        }
        (special != Special::ThisHttpCut).then_some(Place::Argument(argument))
    }

    /// Jumps to `label` if the condition is `when`; else runs on.
    pub(super) fn branch(&mut self, condition: &Expr, when: bool, label: Label) {
        if let Some(value) = known(self.source, condition, self.profile.value) {
            self.check_literals(condition);
            if value.truth() == when {
                self.body.jump(Op::Jump, &[], label);
            }
            return;
        }
        match &condition.kind {
            ExprKind::Bracketed(inner) => return self.branch(inner, when, label),
            ExprKind::Call(call) => {
                if let Call::Unary(Unary::Not, operand) = &**call {
                    return self.branch(operand, !when, label);
                }
            }
            ExprKind::Logic(chain) => return self.branch_logic(chain, when, label),
            ExprKind::Chain(chain) => return self.branch_chain(chain, when, label),
            _ => {}
        }
        let value = self.operand(condition);
        self.branch_on(value, when, label);
    }

    fn branch_on(&mut self, value: Place, when: bool, label: Label) {
        self.body.jump(if when { Op::JumpTrue } else { Op::JumpFalse }, &[value], label);
    }

    /// A chain that ends in a comparison compares and jumps in one instruction.
    fn branch_chain(&mut self, chain: &Chain<Operator>, when: bool, label: Label) {
        let (mut sources, mut operators) = self.chain_operands(chain);
        let jump = operators.first().and_then(|operator| jumping(*operator, when));
        self.reduce(&mut sources, &mut operators, jump.is_some().into(), To::Temporary);
        match (jump, sources.last()) {
            (Some(op), _) => self.body.jump(op, &sources, label),
            (None, Some(&value)) => self.branch_on(value, when, label),
            (None, None) => {} // a chain has operands
        }
    }

    /// `and` and `or` from left to right, looking at no more operands than needed. Behind each operand there is one
    /// place to go on if the chain so far is true and one if it is false: the next operand that can still change
    /// that, or the end.
    fn branch_logic(&mut self, chain: &Chain<Logic>, when: bool, label: Label) {
        let count = chain.rest.len() + 1;
        let end = self.body.label();
        let labels: Vec<Label> = (0..count).map(|_| self.body.label()).collect();
        for index in 0..count {
            let operand = if index == 0 { &chain.first } else { &chain.rest[index - 1].operand };
            self.body.place(labels[index]);
            let Some(next) = chain.rest.get(index) else {
                self.branch(operand, when, label);
                break;
            };
            // `and` looks on while true, `or` while false; the other way round it skips on.
            let skips = next.operator == Logic::Or;
            let wanted = if skips { Logic::And } else { Logic::Or };
            let target = (index..chain.rest.len()).find(|at| chain.rest[*at].operator == wanted);
            match target {
                Some(at) => self.branch(operand, skips, labels[at + 1]),
                None if skips == when => self.branch(operand, skips, label),
                None => self.branch(operand, skips, end),
            }
        }
        self.body.place(end);
    }

    /// A pin's number, checked.
    pub(super) fn pin(&mut self, number: Number) -> u8 {
        self.in_range(number, "pin", 0, self.profile.max_pin)
    }

    /// A flash variable's number, checked.
    pub(super) fn flash_variable(&mut self, number: Number) -> u8 {
        self.in_range(number, "flash variable", 1, self.profile.flash_variables)
    }

    /// A number, checked; the lowest allowed if it is wrong, which has been reported then.
    pub(super) fn in_range(&mut self, number: Number, what: &str, low: u8, high: u8) -> u8 {
        match u8::try_from(number.value) {
            Ok(value) if (low..=high).contains(&value) => value,
            _ => {
                let device = self.profile.name;
                self.report(|| {
                    let value = number.value;
                    let message =
                        format!("{what} {value} does not exist: {device} has {low} to {high}");
                    Diagnostic::new(Code::OutOfRange, number.span, message)
                });
                low
            }
        }
    }
}

/// The instruction that computes an operator's result; joins have one of their own kind.
fn computing(operator: Operator) -> Op {
    match operator {
        Operator::Join => Op::Join,
        Operator::Equal => Op::Equal,
        Operator::NotEqual => Op::NotEqual,
        Operator::Greater => Op::Greater,
        Operator::GreaterEqual => Op::GreaterEqual,
        Operator::Less => Op::Less,
        Operator::LessEqual => Op::LessEqual,
        Operator::TextGreater => Op::TextGreater,
        Operator::TextGreaterEqual => Op::TextGreaterEqual,
        Operator::Add => Op::Add,
        Operator::Sub => Op::Sub,
        Operator::Mul => Op::Mul,
        Operator::Div => Op::Div,
        Operator::Mod => Op::Mod,
    }
}

/// The instruction that jumps if a comparison is `when`.
fn jumping(operator: Operator, when: bool) -> Option<Op> {
    Some(match (operator, when) {
        (Operator::Equal, true) | (Operator::NotEqual, false) => Op::JumpEqual,
        (Operator::Equal, false) | (Operator::NotEqual, true) => Op::JumpNotEqual,
        (Operator::Greater, true) | (Operator::LessEqual, false) => Op::JumpGreater,
        (Operator::GreaterEqual, true) | (Operator::Less, false) => Op::JumpGreaterEqual,
        (Operator::Less, true) | (Operator::GreaterEqual, false) => Op::JumpLess,
        (Operator::LessEqual, true) | (Operator::Greater, false) => Op::JumpLessEqual,
        _ => return None,
    })
}

//! Code for expressions and conditions.

use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::isa::Op;

use super::body::Label;
use super::fold::{Known, apply, known};
use super::{Compiler, Context};
use crate::ast::{Call, Chain, Expr, ExprKind, Logic, Number, Operator, Special, Unary};
use crate::diagnostic::{Code, Diagnostic};
use crate::text::unescape;

/// Values that are joined at once at most: longer runs are joined piece by piece, to spare the stack.
const JOIN_AT_ONCE: u8 = 16;

/// An operand of a chain: code, or something known.
enum Operand<'a, 's> {
    Known(Known<'s>),
    Code(&'a Expr),
}

impl<'s> Compiler<'s> {
    /// Leaves the expression's value on the stack.
    pub(super) fn expr(&mut self, expr: &Expr) {
        if let Some(value) = known(self.source, expr, self.profile.value) {
            self.check_literals(expr);
            return self.known_value(value);
        }
        match &expr.kind {
            ExprKind::Text | ExprKind::Hex => self.check_literals(expr),
            ExprKind::Variable => {
                let number = self.read_variable(expr.span);
                self.body.variable(number);
            }
            ExprKind::Flash(number) => {
                let number = self.flash_variable(*number);
                self.body.op_byte(Op::Flash, number);
            }
            ExprKind::Special(special) => self.special(*special, expr),
            ExprKind::Bracketed(inner) => self.expr(inner),
            ExprKind::Chain(chain) => self.chain(chain),
            ExprKind::Logic(chain) => {
                self.expr(&chain.first);
                for link in &chain.rest {
                    self.expr(&link.operand);
                    self.body.op(match link.operator {
                        Logic::And => Op::And,
                        Logic::Or => Op::Or,
                    });
                }
            }
            ExprKind::Call(call) => self.call(call),
        }
    }

    pub(super) fn known_value(&mut self, value: Known<'_>) {
        match value {
            Known::Int(value) => self.body.int(value),
            Known::Text(text) => {
                let offset = self.constants.intern(&text);
                self.body.constant(offset);
            }
        }
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
            self.report(Diagnostic::new(
                Code::ValueTooLong,
                expr.span,
                format!(
                    "this text has {len} bytes, a value on {} holds at most {most}",
                    self.profile.name
                ),
            ));
        }
    }

    /// A chain groups from the right: all operands are pushed, then the operators come, last first. Runs of `|` are joined
    /// at once, and what is known at the end of the chain or side by side in a join is computed here.
    fn chain(&mut self, chain: &Chain<Operator>) {
        let (mut operands, mut operators) = self.operands(chain);
        self.fold_operands(&mut operands, &mut operators);
        // How many values of the join that starts the chain are on the stack.
        let mut joining = 1u8;
        let mut leading = true;
        for (index, operand) in operands.into_iter().enumerate() {
            self.operand(operand);
            if index > 0 && leading {
                joining += 1;
            }
            leading &= operators.get(index) == Some(&Operator::Join);
            if leading && joining == JOIN_AT_ONCE {
                self.body.op_byte(Op::Join, joining);
                joining = 1;
            }
        }
        let lead = operators.iter().take_while(|operator| **operator == Operator::Join).count();
        let mut index = operators.len();
        while index > lead {
            let operator = operators[index - 1];
            let run =
                operators[lead..index].iter().rev().take_while(|o| **o == Operator::Join).count();
            if run > 1 {
                let count = run.min(usize::from(JOIN_AT_ONCE) - 1);
                self.body.op_byte(Op::Join, count as u8 + 1);
                index -= count;
            } else {
                self.operator(operator);
                index -= 1;
            }
        }
        if joining > 1 {
            self.body.op_byte(Op::Join, joining);
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

    fn operand(&mut self, operand: Operand<'_, '_>) {
        match operand {
            Operand::Known(value) => self.known_value(value),
            Operand::Code(expr) => self.expr(expr),
        }
    }

    fn operator(&mut self, operator: Operator) {
        match operator {
            Operator::Join => self.body.op_byte(Op::Join, 2),
            Operator::Equal => self.body.op(Op::Equal),
            Operator::NotEqual => self.body.op(Op::NotEqual),
            Operator::Greater => self.body.op(Op::Greater),
            Operator::GreaterEqual => self.body.op(Op::GreaterEqual),
            Operator::Less => self.body.op(Op::Less),
            Operator::LessEqual => self.body.op(Op::LessEqual),
            Operator::TextGreater => self.body.op(Op::TextGreater),
            Operator::TextGreaterEqual => self.body.op(Op::TextGreaterEqual),
            Operator::Add => self.body.op(Op::Add),
            Operator::Sub => self.body.op(Op::Sub),
            Operator::Mul => self.body.op(Op::Mul),
            Operator::Div => self.body.op(Op::Div),
            Operator::Mod => self.body.op(Op::Mod),
        }
    }

    fn call(&mut self, call: &Call) {
        match call {
            Call::Unary(function, operand) => {
                self.expr(operand);
                self.body.op(match function {
                    Unary::Not => Op::Not,
                    Unary::Retained => Op::Retained,
                    Unary::Binary => Op::Binary,
                    Unary::EatWhite => Op::EatWhite,
                    Unary::Lower => Op::Lower,
                    Unary::Upper => Op::Upper,
                    Unary::Len => Op::Len,
                });
            }
            Call::Find(text, sought) => self.two(text, sought, Op::Find),
            Call::JsonParse(path, json) => self.two(path, json, Op::JsonParse),
            Call::Substr(text, start, len) => {
                self.expr(text);
                self.body.int(start.value);
                self.body.int(len.value);
                self.body.op(Op::Substr);
            }
            Call::ByteVal(text, index) => {
                self.expr(text);
                self.body.int(index.value);
                self.body.op(Op::ByteVal);
            }
            Call::CsvStr(text, index, separator) => {
                self.expr(text);
                self.body.int(index.value);
                let character = unescape(separator.of(self.source));
                if character.len() != 1 {
                    self.report(
                        Diagnostic::new(
                            Code::BadSeparator,
                            *separator,
                            format!("the separator has {} bytes, it must be one", character.len()),
                        )
                        .help("quote a blank, a comma or an operator: \",\""),
                    );
                }
                self.known_value(Known::text(character));
                self.body.op(Op::CsvStr);
            }
            Call::PinRead(pin) => {
                let pin = self.pin(*pin);
                self.body.op_byte(Op::PinRead, pin);
            }
        }
    }

    fn two(&mut self, a: &Expr, b: &Expr, op: Op) {
        self.expr(a);
        self.expr(b);
        self.body.op(op);
    }

    fn special(&mut self, special: Special, expr: &Expr) {
        let (context, argument) = match special {
            Special::Timestamp => return self.body.op(Op::Timestamp),
            Special::Weekday => return self.body.op(Op::Weekday),
            Special::Adc => return self.body.op(Op::Adc),
            Special::ThisTopic => (Context::Topic, 0),
            Special::ThisData => (Context::Topic, 1),
            Special::ThisGpio => (Context::Gpio, 0),
            Special::ThisSerial => (Context::Serial, 0),
            Special::ThisHttpHost => (Context::Http, 0),
            Special::ThisHttpPath => (Context::Http, 1),
            Special::ThisHttpCode => (Context::Http, 2),
            Special::ThisHttpBody => (Context::Http, 3),
        };
        if context != self.context {
            let name = expr.span.of(self.source).escape_ascii();
            self.report(
                Diagnostic::new(
                    Code::SpecialOutsideClause,
                    expr.span,
                    format!("{name} exists only in `on {}`", context.clause()),
                )
                .help(format!(
                    "save it with setvar in the `on {}` clause and use that variable here",
                    context.clause()
                )),
            );
        }
        self.body.op_byte(Op::Arg, argument);
    }

    /// Jumps to `label` if the condition is `when`; else runs on.
    pub(super) fn branch(&mut self, condition: &Expr, when: bool, label: Label) {
        if let Some(value) = known(self.source, condition, self.profile.value) {
            self.check_literals(condition);
            if value.truth() == when {
                self.body.jump(Op::Jump, None, label);
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
            ExprKind::Chain(chain) if !when && self.branch_not_equal(chain, label) => return,
            _ => {}
        }
        self.expr(condition);
        self.body.jump(if when { Op::JumpTrue } else { Op::JumpFalse }, None, label);
    }

    /// `x = "constant"` and `"constant" = x` in one instruction; false if it is not that.
    fn branch_not_equal(&mut self, chain: &Chain<Operator>, label: Label) -> bool {
        let [link] = &*chain.rest else { return false };
        if link.operator != Operator::Equal {
            return false;
        }
        for (value, other) in [(&link.operand, &chain.first), (&chain.first, &link.operand)] {
            // Numbers are compared faster as numbers.
            if let Some(Known::Text(text)) = known(self.source, value, self.profile.value) {
                self.check_literals(value);
                self.expr(other);
                let offset = self.constants.intern(&text);
                self.body.jump(Op::JumpNotEqual, Some(offset), label);
                return true;
            }
        }
        false
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
                self.report(Diagnostic::new(
                    Code::OutOfRange,
                    number.span,
                    format!(
                        "{what} {} does not exist: {} has {low} to {high}",
                        number.value, self.profile.name
                    ),
                ));
                low
            }
        }
    }
}

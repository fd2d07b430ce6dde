//! Code for expressions and conditions.

use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::isa::{JOIN_MAX, Op, Operand};

use super::fold::{ConstValue, apply, known};
use super::function::{Dest, Label};
use super::{Compiler, Context};
use crate::ast::{Call, Chain, Expr, ExprKind, FunctionWord, Logic, Number, Operator, Special};
use crate::diagnostic::{Code, Diagnostic};
use crate::literal::unescape;

/// Values that are joined at once at most: longer runs are joined piece by piece.
const JOIN_AT_ONCE: usize = JOIN_MAX as usize;

/// What waits for an operand that is being computed.
enum PendingExpr<'a, 's> {
    Chain(Operands<'a, 's>, Dest),
    Logic {
        chain: &'a Chain<Logic>,
        /// Of the operands so far.
        value: Option<Operand>,
        /// How many there were.
        index: usize,
        dest: Dest,
    },
    Call {
        call: &'a Call,
        /// The first of two operands.
        first: Option<Operand>,
        dest: Dest,
    },
}

/// What is to be done next.
enum Step<'a> {
    /// An expression is to be computed.
    Next(&'a Expr, Dest),
    /// One has been: a leaf, or on top.
    Done(Option<Operand>),
}

/// The operands of a chain, while they are computed.
struct Operands<'a, 's> {
    left: alloc::vec::IntoIter<ChainOperand<'a, 's>>,
    index: usize,
    sources: Vec<Operand>,
    operators: Vec<Operator>,
    /// How many joins the chain starts with.
    lead: usize,
}

/// A chain of `and` and `or` that decides where to go on.
struct Branches<'a> {
    chain: &'a Chain<Logic>,
    when: bool,
    label: Label,
    /// Behind all of it.
    end: Label,
    /// Before each operand.
    labels: Vec<Label>,
    /// The next operand.
    index: usize,
}

/// An operand of a chain: code, or something known.
enum ChainOperand<'a, 's> {
    Known(ConstValue<'s>),
    Code(&'a Expr),
}

impl<'s> Compiler<'s, '_, '_> {
    /// The expression as an operand: a leaf as it is, anything else computed into a temporary.
    pub(super) fn operand(&mut self, expr: &Expr) -> Operand {
        self.compute(expr, Dest::Temporary).unwrap_or_else(|| self.function.top())
    }

    /// Code that brings the expression's value where it is wanted; none for a leaf, which is
    /// returned.
    ///
    /// What waits for an operand is kept in a list: no recursion follows the nesting of a script.
    pub(super) fn compute<'a>(&mut self, expr: &'a Expr, dest: Dest) -> Option<Operand> {
        let mut waiting: Vec<PendingExpr<'a, 's>> = Vec::new();
        let mut step = Step::Next(expr, dest);
        loop {
            step = match step {
                Step::Next(expr, dest) => match self.visit(expr, dest) {
                    Err(leaf) => Step::Done(leaf),
                    Ok(mut waits) => {
                        let first = self.resume(&mut waits, None);
                        if let Step::Next(..) = first {
                            let (budget, also) = (self.budget, self.step);
                            if !budget.grow_beside(&mut waiting, 1, also) {
                                return None;
                            }
                            waiting.push(waits);
                        }
                        first
                    }
                },
                Step::Done(leaf) => {
                    let Some(waits) = waiting.last_mut() else { return leaf };
                    let operand = leaf.unwrap_or_else(|| self.function.top());
                    let after = self.resume(waits, Some(operand));
                    if let Step::Done(_) = after {
                        waiting.pop();
                    }
                    after
                }
            };
        }
    }

    /// A leaf's value (`None`: it is on top), or what has operands to be computed first.
    #[inline(never)]
    fn visit<'a>(
        &mut self,
        expr: &'a Expr,
        dest: Dest,
    ) -> Result<PendingExpr<'a, 's>, Option<Operand>> {
        // What is made now will be thrown away.
        if self.budget.refused().is_some() {
            return Err(None);
        }
        let mut expr = expr;
        while let ExprKind::Bracketed(inner) = &expr.kind {
            expr = inner;
        }
        if let Some(value) = known(self.source, expr, self.profile.value) {
            self.check_literals(expr);
            return Err(Some(self.known_value(value)));
        }
        match &expr.kind {
            // Only broken ones are not known.
            ExprKind::Text | ExprKind::Hex | ExprKind::Bracketed(_) => {
                self.check_literals(expr);
                Err(Some(self.int(0)))
            }
            ExprKind::Variable => {
                let number = self.read_variable(expr.span);
                Err(Some(self.function.variable(number)))
            }
            ExprKind::Flash(number) => {
                let number = self.flash_variable(*number);
                self.function.result(Op::Flash, &[], number, dest);
                Err(None)
            }
            ExprKind::Special(special) => Err(self.special(*special, expr, dest)),
            ExprKind::Chain(chain) => Ok(PendingExpr::Chain(self.operands(chain), dest)),
            ExprKind::Logic(chain) => Ok(PendingExpr::Logic { chain, value: None, index: 0, dest }),
            ExprKind::Call(call) => match &**call {
                Call::PinRead(pin) => {
                    let pin = self.pin(*pin);
                    self.function.result(Op::PinRead, &[], pin, dest);
                    Err(None)
                }
                call => Ok(PendingExpr::Call { call, first: None, dest }),
            },
        }
    }

    /// The next operand of what waits, which has just been given one, or its value.
    fn resume<'a>(
        &mut self,
        waits: &mut PendingExpr<'a, 's>,
        operand: Option<Operand>,
    ) -> Step<'a> {
        match waits {
            PendingExpr::Chain(operands, dest) => {
                if let Some(expr) = self.next_operand(operands, operand) {
                    return Step::Next(expr, Dest::Temporary);
                }
                // Everything was known in the end.
                if operands.operators.is_empty() {
                    return Step::Done(operands.sources.pop());
                }
                self.reduce(operands, 0, *dest);
                Step::Done(None)
            }
            PendingExpr::Logic { chain, value, index, dest } => {
                let Some(operand) = operand else {
                    return Step::Next(&chain.first, Dest::Temporary);
                };
                if let Some(first) = *value {
                    let op = match chain.rest[*index - 1].operator {
                        Logic::And => Op::And,
                        Logic::Or => Op::Or,
                    };
                    let dest = if *index == chain.rest.len() { *dest } else { Dest::Temporary };
                    self.function.result(op, &[first, operand], 0, dest);
                    *value = Some(self.function.top());
                } else {
                    *value = Some(operand);
                }
                *index += 1;
                match chain.rest.get(*index - 1) {
                    Some(link) => Step::Next(&link.operand, Dest::Temporary),
                    None => Step::Done(None),
                }
            }
            PendingExpr::Call { call, first, dest } => match (*call, operand) {
                (
                    Call::Unary(_, expr)
                    | Call::Pair(_, expr, _)
                    | Call::Substr(expr, ..)
                    | Call::ByteVal(expr, _)
                    | Call::CsvStr(expr, ..),
                    None,
                ) => Step::Next(expr, Dest::Temporary),
                (Call::Pair(_, _, second), Some(operand)) if first.is_none() => {
                    *first = Some(operand);
                    Step::Next(second, Dest::Temporary)
                }
                (call, Some(operand)) => {
                    self.call(call, *first, operand, *dest);
                    Step::Done(None)
                }
                (Call::PinRead(_), None) => Step::Done(None), // has no operands
            },
        }
    }

    pub(super) fn known_value(&mut self, value: ConstValue<'_>) -> Operand {
        match value {
            ConstValue::Int(value) => self.int(value),
            ConstValue::Text(text) => {
                let number = self.constants.text(&text);
                self.function.constant(number)
            }
        }
    }

    fn int(&mut self, value: i32) -> Operand {
        let number = self.constants.int(value);
        self.function.constant(number)
    }

    /// Reports what is wrong with literals, wherever in an expression they stand.
    pub(super) fn check_literals(&mut self, expr: &Expr) {
        let mut left = Vec::new();
        let mut next = Some(expr);
        while let Some(expr) = next.take().or_else(|| left.pop())
            && self.budget.refused().is_none()
        {
            match &expr.kind {
                ExprKind::Text => {
                    let len = unescape(expr.span.of(self.source)).len();
                    self.check_len(expr, len);
                }
                ExprKind::Hex => self.check_len(expr, (expr.span.of(self.source).len() - 1) / 2),
                ExprKind::Bracketed(inner) => next = Some(inner),
                ExprKind::Call(call) => {
                    if let Call::Unary(_, operand) = &**call {
                        next = Some(operand);
                    }
                }
                ExprKind::Chain(chain) => {
                    next = Some(&chain.first);
                    self.put_off(&mut left, chain.rest.iter().map(|link| &link.operand));
                }
                ExprKind::Logic(chain) => {
                    next = Some(&chain.first);
                    self.put_off(&mut left, chain.rest.iter().map(|link| &link.operand));
                }
                ExprKind::Variable | ExprKind::Flash(_) | ExprKind::Special(_) => {}
            }
        }
    }

    /// Puts these on the list, the first of them on top.
    fn put_off<'a>(
        &self,
        left: &mut Vec<&'a Expr>,
        operands: impl DoubleEndedIterator<Item = &'a Expr> + ExactSizeIterator,
    ) {
        if self.budget.grow_beside(left, operands.len(), self.step) {
            left.extend(operands.rev());
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

    /// The operands of a chain, the known ones computed, and its operators. A chain groups from the
    /// right: all operands are computed, then the operators come, last first. Runs of `|` are
    /// joined at once, and what is known at the end of the chain or side by side in a join is
    /// computed here.
    #[inline(never)]
    fn operands<'a>(&mut self, chain: &'a Chain<Operator>) -> Operands<'a, 's> {
        let mut operands = Vec::with_capacity(chain.rest.len() + 1);
        for expr in
            core::iter::once(&chain.first).chain(chain.rest.iter().map(|link| &link.operand))
        {
            operands.push(match known(self.source, expr, self.profile.value) {
                Some(value) => {
                    self.check_literals(expr);
                    ChainOperand::Known(value)
                }
                None => ChainOperand::Code(expr),
            });
        }
        let mut operators: Vec<_> = chain.rest.iter().map(|link| link.operator).collect();
        self.fold_operands(&mut operands, &mut operators);
        let lead = operators.iter().take_while(|operator| **operator == Operator::Join).count();
        let sources = Vec::with_capacity(operands.len());
        Operands { left: operands.into_iter(), index: 0, sources, operators, lead }
    }

    /// The next operand that has to be computed; the one before has been. A long join at the start
    /// of the chain is joined on the way, to spare temporaries.
    #[inline(never)]
    fn next_operand<'a>(
        &mut self,
        operands: &mut Operands<'a, 's>,
        computed: Option<Operand>,
    ) -> Option<&'a Expr> {
        if let Some(place) = computed {
            operands.sources.push(place);
            operands.index += 1;
        }
        for operand in operands.left.by_ref() {
            if operands.index <= operands.lead && operands.sources.len() == JOIN_AT_ONCE {
                self.function.join(&operands.sources, Dest::Temporary);
                operands.sources.clear();
                operands.sources.push(self.function.top());
                operands.operators.drain(..JOIN_AT_ONCE - 1);
            }
            match operand {
                ChainOperand::Known(value) => {
                    let place = self.known_value(value);
                    operands.sources.push(place);
                    operands.index += 1;
                }
                ChainOperand::Code(expr) => return Some(expr),
            }
        }
        None
    }

    /// Applies operators from the last on until `keep` of them are left. Without any left, the
    /// result goes where it is wanted.
    #[inline(never)]
    fn reduce(&mut self, operands: &mut Operands<'_, '_>, keep: usize, dest: Dest) {
        let Operands { sources, operators, .. } = operands;
        while operators.len() > keep {
            let joins =
                operators[keep..].iter().rev().take_while(|o| **o == Operator::Join).count();
            let count = joins.clamp(1, JOIN_AT_ONCE - 1);
            let rest = operators.split_off(operators.len() - count);
            let operands = sources.split_off(sources.len() - count - 1);
            let dest = if operators.is_empty() { dest } else { Dest::Temporary };
            match rest[0] {
                Operator::Join => self.function.join(&operands, dest),
                operator => self.function.result(computing(operator), &operands, 0, dest),
            }
            sources.push(self.function.top());
        }
    }

    fn fold_operands(
        &self,
        operands: &mut Vec<ChainOperand<'_, 's>>,
        operators: &mut Vec<Operator>,
    ) {
        let mut at = operators.len();
        while at > 0 {
            at -= 1;
            let last = at + 1 == operators.len();
            // `a | b` in front of another `|` may be joined first: joining is associative.
            if !last && (operators[at], operators[at + 1]) != (Operator::Join, Operator::Join) {
                continue;
            }
            if let (ChainOperand::Known(a), ChainOperand::Known(b)) =
                (&operands[at], &operands[at + 1])
                && let Some(value) = apply(operators[at], a.clone(), b.clone(), self.profile.value)
            {
                operands[at] = ChainOperand::Known(value);
                operands.remove(at + 1);
                operators.remove(at);
            }
        }
    }

    /// The code of a function whose operands have been computed: the first of two, and the only or
    /// last one.
    #[inline(never)]
    fn call(&mut self, call: &Call, first: Option<Operand>, operand: Operand, dest: Dest) {
        match call {
            Call::Unary(function, _) => self.function.result(function.op(), &[operand], 0, dest),
            Call::Pair(function, ..) => {
                self.function.result(function.op(), &[first.unwrap_or(operand), operand], 0, dest);
            }
            Call::Substr(_, start, len) => {
                let operands = [operand, self.int(start.value), self.int(len.value)];
                self.function.result(Op::Substr, &operands, 0, dest);
            }
            Call::ByteVal(_, index) => {
                let operands = [operand, self.int(index.value)];
                self.function.result(Op::ByteVal, &operands, 0, dest);
            }
            Call::CsvStr(_, index, separator) => {
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
                    [operand, self.int(index.value), self.known_value(ConstValue::text(character))];
                self.function.result(Op::CsvStr, &operands, 0, dest);
            }
            Call::PinRead(_) => {} // has no operands
        }
    }

    fn special(&mut self, special: Special, expr: &Expr, dest: Dest) -> Option<Operand> {
        let mut ask = |op| {
            self.function.result(op, &[], 0, dest);
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
        (special != Special::ThisHttpCut).then_some(Operand::Argument(argument))
    }

    /// Jumps to `label` if the condition is `when`; else runs on. As [`Compiler::compute`], without
    /// recursion.
    pub(super) fn branch<'a>(&mut self, condition: &'a Expr, when: bool, label: Label) {
        let mut waiting: Vec<Branches<'a>> = Vec::new();
        let mut next = Some((condition, when, label));
        loop {
            if let Some((condition, when, label)) = next.take()
                && let Some(branches) = self.visit_condition(condition, when, label)
            {
                if !self.budget.grow_beside(&mut waiting, 1, self.step) {
                    return;
                }
                waiting.push(branches);
            }
            let Some(branches) = waiting.last_mut() else { return };
            next = self.next_branch(branches);
            if next.is_none() {
                self.function.place(branches.end);
                waiting.pop();
            }
        }
    }

    #[inline(never)]
    fn visit_condition<'a>(
        &mut self,
        condition: &'a Expr,
        when: bool,
        label: Label,
    ) -> Option<Branches<'a>> {
        let (mut condition, mut when) = (condition, when);
        loop {
            if self.budget.refused().is_some() {
                return None;
            }
            if let Some(value) = known(self.source, condition, self.profile.value) {
                self.check_literals(condition);
                if value.truth() == when {
                    self.function.jump(Op::Jump, &[], label);
                }
                return None;
            }
            match &condition.kind {
                ExprKind::Bracketed(inner) => condition = inner,
                ExprKind::Call(call) => {
                    let Call::Unary(FunctionWord::Not, operand) = &**call else { break };
                    (condition, when) = (operand, !when);
                }
                ExprKind::Logic(chain) => {
                    let end = self.function.label();
                    let labels = (0..=chain.rest.len()).map(|_| self.function.label()).collect();
                    return Some(Branches { chain, when, label, end, labels, index: 0 });
                }
                ExprKind::Chain(chain) => {
                    self.branch_chain(chain, when, label);
                    return None;
                }
                _ => break,
            }
        }
        let value = self.operand(condition);
        self.branch_on(value, when, label);
        None
    }

    fn branch_on(&mut self, value: Operand, when: bool, label: Label) {
        self.function.jump(if when { Op::JumpTrue } else { Op::JumpFalse }, &[value], label);
    }

    /// A chain that ends in a comparison compares and jumps in one instruction.
    fn branch_chain(&mut self, chain: &Chain<Operator>, when: bool, label: Label) {
        let mut operands = self.operands(chain);
        let mut computed = None;
        while let Some(expr) = self.next_operand(&mut operands, computed) {
            computed = Some(self.operand(expr));
        }
        let jump = operands.operators.first().and_then(|operator| jumping(*operator, when));
        self.reduce(&mut operands, jump.is_some().into(), Dest::Temporary);
        match (jump, operands.sources.last()) {
            (Some(op), _) => self.function.jump(op, &operands.sources, label),
            (None, Some(&value)) => self.branch_on(value, when, label),
            (None, None) => {} // a chain has operands
        }
    }

    /// `and` and `or` from left to right, looking at no more operands than needed. Behind each
    /// operand there is one place to go on if the chain so far is true and one if it is false: the
    /// next operand that can still change that, or the end. The next operand, and where to go if it
    /// is what; none behind the last.
    fn next_branch<'a>(&mut self, branches: &mut Branches<'a>) -> Option<(&'a Expr, bool, Label)> {
        let Branches { chain, when, label, end, labels, index } = branches;
        self.function.place(*labels.get(*index)?);
        let operand = match index.checked_sub(1) {
            None => &chain.first,
            Some(before) => &chain.rest[before].operand,
        };
        let at = *index;
        *index += 1;
        let Some(next) = chain.rest.get(at) else { return Some((operand, *when, *label)) };
        // `and` looks on while true, `or` while false; the other way round it skips on.
        let skips = next.operator == Logic::Or;
        let wanted = if skips { Logic::And } else { Logic::Or };
        let target = (at..chain.rest.len()).find(|at| chain.rest[*at].operator == wanted);
        let target = match target {
            Some(at) => labels[at + 1],
            None if skips == *when => *label,
            None => *end,
        };
        Some((operand, skips, target))
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
        Operator::StringGreater => Op::StringGreater,
        Operator::StringGreaterEqual => Op::StringGreaterEqual,
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

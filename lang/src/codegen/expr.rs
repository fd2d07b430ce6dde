//! Code for expressions.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::isa::{Op, Operand};
use umqtt_vm::words::{FunctionOperands, SpecialSource};

use super::Compiler;
use super::chain::Operands;
use super::fold::ConstValue;
use super::jump::Dest;
use super::subs::Caller;
use crate::ast::{Call, Chain, Expr, ExprKind, FunctionWord, Logic, Span, Special, Trigger};
use crate::diagnostic::{Code, Diagnostic};
use crate::literal::unescape;

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
        /// Those of its operands that have been computed.
        operands: Vec<Operand>,
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
        while let Some(inner) = transparent(expr) {
            expr = inner;
        }
        if let Some(value) = self.known(expr) {
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
                call => {
                    let count = match call {
                        Call::Pair(..) => 2,
                        Call::Triple(..) => 3,
                        Call::List(_, values) => values.len(),
                        _ => 0,
                    };
                    Ok(PendingExpr::Call { call, operands: Vec::with_capacity(count), dest })
                }
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
            PendingExpr::Call { call, operands, dest } => {
                operands.extend(operand);
                let next = match *call {
                    Call::Pair(_, first, second) => [first, second].get(operands.len()).copied(),
                    Call::Triple(_, first, second, third) => {
                        [first, second, third].get(operands.len()).copied()
                    }
                    Call::List(_, values) => values.get(operands.len()),
                    Call::Unary(_, expr)
                    | Call::Substr(expr, ..)
                    | Call::ByteVal(expr, _)
                    | Call::CsvStr(expr, ..) => Some(expr).filter(|_| operands.is_empty()),
                    Call::PinRead(_) => None,
                };
                if let Some(expr) = next {
                    return Step::Next(expr, Dest::Temporary);
                }
                self.call(call, operands, *dest);
                Step::Done(None)
            }
        }
    }

    pub(super) fn known_value(&mut self, value: ConstValue<'_>) -> Operand {
        match value {
            ConstValue::Int(value) => self.int(value),
            ConstValue::Text(text) => {
                let number = self.constant_text(&text);
                self.function.constant(number)
            }
        }
    }

    fn int(&mut self, value: i32) -> Operand {
        let number = self.constants.int(value);
        self.function.constant(number)
    }

    /// The code of a function whose operands have been computed.
    #[inline(never)]
    fn call(&mut self, call: &Call, operands: &[Operand], dest: Dest) {
        let Some(&operand) = operands.first() else { return };
        match call {
            Call::Unary(function, expr) if function.operands() == FunctionOperands::Kept => {
                let number = self.kept_variable(expr.span);
                self.function.kept(function.op(), operand, number, dest);
            }
            Call::Unary(function, _) | Call::Pair(function, ..) | Call::Triple(function, ..) => {
                self.function.result(function.op(), operands, 0, dest);
            }
            Call::List(function, values) => {
                let mut marks = 0;
                for (index, value) in values.iter().enumerate() {
                    marks |= u64::from(is_text(value)) << index;
                }
                self.function.list(function.op(), operands, marks, dest);
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
                let named = self.named;
                let word = separator.of(self.source);
                let constant = named.value(word).filter(|_| word.first() == Some(&b'$'));
                let mut character = constant.map_or_else(|| unescape(word), Cow::Borrowed);
                if character.len() != 1 {
                    let len = character.len();
                    self.report(|| {
                        let message = format!("the separator has {len} bytes, it must be one");
                        Diagnostic::new(Code::BadSeparator, *separator, message)
                            .hinted(|it| it.help("quote a blank, a comma or an operator: \",\""))
                    });
                    // A constant may be longer than what the step has asked room for.
                    character = Cow::Borrowed(b"");
                }
                let operands =
                    [operand, self.int(index.value), self.known_value(ConstValue::text(character))];
                self.function.result(Op::CsvStr, &operands, 0, dest);
            }
            Call::PinRead(_) => {} // has no operands
        }
    }

    /// The number, among those of its kind, of a variable that no script names, and that keeps a
    /// value of the expression at a place.
    fn kept_variable(&mut self, at: Span) -> u16 {
        let number = self.kept;
        if self.is_room_for_variable(at) {
            self.kept += 1;
        }
        number
    }

    fn special(&mut self, special: Special, expr: &Expr, dest: Dest) -> Option<Operand> {
        if let (Caller::Sub(sub), Some(Trigger::Sub), Some(_)) =
            (self.caller, self.context, special.event())
        {
            self.look(sub, special, expr.span);
        } else if let Some(event) = special.event()
            && self.context != Some(event)
        {
            let name = expr.span.of(self.source).escape_ascii();
            self.report(|| {
                let clause = event.event_word();
                let message = format!("{name} exists only in `on {clause}`");
                Diagnostic::new(Code::SpecialOutsideClause, expr.span, message).hinted(|it| {
                    it.help(format!(
                        "save it with setvar in the `on {clause}` clause and use that variable here"
                    ))
                })
            });
        }
        match special.source() {
            SpecialSource::Argument(number) => Some(Operand::Argument(number)),
            SpecialSource::Instruction(op) => {
                self.function.result(op, &[], 0, dest);
                None
            }
        }
    }
}

/// The expression whose value this one has: what is in brackets, or in a `text()`.
fn transparent(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Bracketed(inner) => Some(inner),
        ExprKind::Call(call) => match &**call {
            Call::Unary(FunctionWord::Text, inner) => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a value in a list is a text whatever it looks like: it stands in a `text()`.
fn is_text(expr: &Expr) -> bool {
    let mut expr = expr;
    while let Some(inner) = transparent(expr) {
        if let ExprKind::Call(_) = expr.kind {
            return true;
        }
        expr = inner;
    }
    false
}

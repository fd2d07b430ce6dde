//! Code for chains of operators.

use alloc::vec::{IntoIter, Vec};

use umqtt_vm::isa::{JOIN_MAX, Op, Operand};

use super::Compiler;
use super::fold::{ConstValue, apply};
use super::jump::Dest;
use crate::ast::{Chain, Expr, Operator};

/// Values that are joined at once at most: longer runs are joined piece by piece.
const JOIN_AT_ONCE: usize = JOIN_MAX as usize;

/// The operands of a chain, while they are computed.
pub(super) struct Operands<'a, 's> {
    left: IntoIter<ChainOperand<'a, 's>>,
    index: usize,
    pub(super) sources: Vec<Operand>,
    pub(super) operators: Vec<Operator>,
    /// How many joins the chain starts with.
    lead: usize,
}

/// An operand of a chain: code, or something known.
enum ChainOperand<'a, 's> {
    Known(ConstValue<'s>),
    Code(&'a Expr),
}

impl<'s> Compiler<'s, '_, '_> {
    /// The operands of a chain, the known ones computed, and its operators. A chain groups from the
    /// right: all operands are computed, then the operators come, last first. Runs of `|` are
    /// joined at once, and what is known at the end of the chain or side by side in a join is
    /// computed here.
    #[inline(never)]
    pub(super) fn operands<'a>(&mut self, chain: &'a Chain<Operator>) -> Operands<'a, 's> {
        let mut operands = Vec::with_capacity(chain.rest.len() + 1);
        for expr in
            core::iter::once(&chain.first).chain(chain.rest.iter().map(|link| &link.operand))
        {
            operands.push(match self.known(expr) {
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
    pub(super) fn next_operand<'a>(
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
    pub(super) fn reduce(&mut self, operands: &mut Operands<'_, '_>, keep: usize, dest: Dest) {
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

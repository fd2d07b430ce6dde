//! Code for conditions: jumps instead of values.

use alloc::vec::Vec;

use umqtt_vm::isa::{Op, Operand};

use super::Compiler;
use super::jump::{Dest, Label};
use crate::ast::{Call, Chain, Expr, ExprKind, FunctionWord, Logic, Operator};

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

impl Compiler<'_, '_, '_> {
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
            if let Some(value) = self.known(condition) {
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

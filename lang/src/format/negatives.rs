//! Where negative literals stand: `-5` is one word there, and two where it is a subtraction.

use alloc::vec::Vec;

use crate::ast::{Action, ActionKind, Call, EventPattern, Expr, ExprKind, Span, Statement};
use crate::lint::{each_node, each_value};

/// Where the negative literals of a script start, in its order.
pub(super) fn starts(source: &[u8], statements: &[Statement]) -> Vec<u32> {
    let mut starts = Vec::new();
    for statement in statements {
        let Statement::On(clause) = statement else { continue };
        if let EventPattern::Topic { filter, .. } = &clause.event {
            expression(source, filter, &mut starts);
        }
        actions(source, &clause.actions, &mut starts);
    }
    starts.sort_unstable();
    starts
}

/// As deep as `if` and `while` nest, which the parser has limited.
fn actions(source: &[u8], actions: &[Action], starts: &mut Vec<u32>) {
    for action in actions {
        each_value(action, &mut |value| expression(source, value, starts));
        match &action.kind {
            ActionKind::If { branches, otherwise } => {
                let branches = branches.iter().map(|branch| &branch.actions);
                for list in branches.chain(otherwise) {
                    self::actions(source, list, starts);
                }
            }
            ActionKind::While(branch) => self::actions(source, &branch.actions, starts),
            _ => {}
        }
    }
}

fn expression(source: &[u8], expr: &Expr, starts: &mut Vec<u32>) {
    let mut note = |span: Span| {
        if let [b'-', digit, ..] = span.of(source)
            && digit.is_ascii_digit()
        {
            starts.push(span.start);
        }
    };
    each_node(expr, &mut |node| match &node.kind {
        ExprKind::Text => note(node.span),
        ExprKind::Call(call) => match &**call {
            Call::Substr(_, start, len) => {
                [start.span, len.span].map(&mut note).into_iter().collect()
            }
            Call::ByteVal(_, index) => note(index.span),
            Call::CsvStr(_, index, separator) => {
                [index.span, *separator].map(&mut note).into_iter().collect()
            }
            _ => {}
        },
        _ => {}
    });
}

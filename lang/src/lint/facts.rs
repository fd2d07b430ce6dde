//! What the lints look at, collected in one walk: handlers, their actions in order with the
//! conditions they stand under, and who sets and reads each variable.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use crate::ast::*;
use crate::literal::unescape;

/// The script as the lints see it.
pub(super) struct ScriptFacts<'s> {
    /// The source text.
    pub(super) source: &'s [u8],
    /// The statements.
    pub(super) script: &'s [Statement],
    /// Every `on` clause, in order.
    pub(super) handlers: Vec<&'s OnClause>,
    /// Every action, in order; an `if` or `while` before the actions within it.
    pub(super) steps: Vec<Step<'s>>,
    /// The conditions steps stand under.
    pub(super) guards: Vec<Guard<'s>>,
    /// Every `$name`, by the bytes behind its `$`.
    pub(super) variables: BTreeMap<Cow<'s, [u8]>, Variable>,
}

/// An action and where it stands.
pub(super) struct Step<'s> {
    /// The action.
    pub(super) action: &'s Action,
    /// Index of its handler.
    pub(super) handler: usize,
    /// Index of the innermost condition it stands under.
    pub(super) guard: Option<usize>,
    /// Index of the outermost `while` it stands in, as a step; a `while` stands in itself.
    pub(super) outer_loop: Option<usize>,
}

/// A condition that must be true, or false, for a step to be reached.
pub(super) struct Guard<'s> {
    /// The next condition further out.
    pub(super) parent: Option<usize>,
    /// The condition.
    pub(super) condition: &'s Expr,
    /// What it must be.
    pub(super) expected: bool,
    /// Whether it is a `while`'s.
    pub(super) is_loop: bool,
}

/// Who sets and reads a variable.
#[derive(Default)]
pub(super) struct Variable {
    /// Steps that set it, in order, with the name's place.
    pub(super) sets: Vec<(Span, usize)>,
    /// Places that read it, with their step; none for the filter of an `on topic`.
    pub(super) reads: Vec<(Span, Option<usize>)>,
}

impl<'s> ScriptFacts<'s> {
    /// Walks the script.
    pub(super) fn collect(source: &'s [u8], script: &'s [Statement]) -> ScriptFacts<'s> {
        let mut facts = ScriptFacts {
            source,
            script,
            handlers: Vec::new(),
            steps: Vec::new(),
            guards: Vec::new(),
            variables: BTreeMap::new(),
        };
        for statement in script {
            let Statement::On(clause) = statement else { continue };
            let handler = facts.handlers.len();
            facts.handlers.push(clause);
            if let Event::Topic { filter, .. } = &clause.event {
                facts.reads(filter, None);
            }
            facts.actions(&clause.actions, handler, None, None);
        }
        facts
    }

    /// Follows the nesting of `if` and `while`, which the parser has limited.
    fn actions(
        &mut self,
        actions: &'s [Action],
        handler: usize,
        guard: Option<usize>,
        outer_loop: Option<usize>,
    ) {
        for action in actions {
            let step = self.steps.len();
            let is_while = matches!(action.kind, ActionKind::While(_));
            let outer_loop = outer_loop.or(is_while.then_some(step));
            self.steps.push(Step { action, handler, guard, outer_loop });
            each_value(action, &mut |expr| self.reads(expr, Some(step)));
            match &action.kind {
                ActionKind::SetVar { target: Target::Variable(span), .. } => {
                    let name = variable_name(self.source, *span);
                    self.variables.entry(name).or_default().sets.push((*span, step));
                }
                ActionKind::If { branches, otherwise } => {
                    let mut parent = guard;
                    for Branch { condition, actions } in branches {
                        let taken = self.guard(parent, condition, true, false);
                        self.actions(actions, handler, Some(taken), outer_loop);
                        parent = Some(self.guard(parent, condition, false, false));
                    }
                    if let Some(actions) = otherwise {
                        self.actions(actions, handler, parent, outer_loop);
                    }
                }
                ActionKind::While(branch) => {
                    let inside = self.guard(guard, &branch.condition, true, true);
                    self.actions(&branch.actions, handler, Some(inside), outer_loop);
                }
                _ => {}
            }
        }
    }

    fn guard(
        &mut self,
        parent: Option<usize>,
        condition: &'s Expr,
        expected: bool,
        is_loop: bool,
    ) -> usize {
        self.guards.push(Guard { parent, condition, expected, is_loop });
        self.guards.len() - 1
    }

    fn reads(&mut self, expr: &'s Expr, step: Option<usize>) {
        each_node(expr, &mut |node| {
            if node.kind == ExprKind::Variable {
                let name = variable_name(self.source, node.span);
                self.variables.entry(name).or_default().reads.push((node.span, step));
            }
        });
    }

    /// Where a variable is set to a text, if all it is ever set to are texts that read as 0.
    pub(super) fn set_to_texts_only(&self, variable: &Expr) -> Option<Span> {
        if variable.kind != ExprKind::Variable {
            return None;
        }
        let sets = &self.variables.get(&variable_name(self.source, variable.span))?.sets;
        let mut found = None;
        for &(_, step) in sets {
            let ActionKind::SetVar { value, .. } = &self.steps[step].action.kind else {
                return None;
            };
            let value = unbracketed(value);
            let text = unescape(value.span.of(self.source));
            let is_text = value.kind == ExprKind::Text
                && text.trim_ascii_start().first().is_some_and(u8::is_ascii_alphabetic);
            if !is_text {
                return None;
            }
            found = found.or(Some(value.span));
        }
        found
    }

    /// The conditions a step stands under, by their index, innermost first.
    pub(super) fn guards_of(&self, step: &Step<'s>) -> impl Iterator<Item = usize> {
        let mut next = step.guard;
        core::iter::from_fn(move || {
            let guard = next?;
            next = self.guards[guard].parent;
            Some(guard)
        })
    }

    /// The event of a step's handler.
    pub(super) fn event(&self, step: &Step<'s>) -> &'s Event {
        &self.handlers[step.handler].event
    }

    /// Calls `each` with every expression of the script that is not part of another, in order.
    pub(super) fn each_expression(&self, each: &mut dyn FnMut(&'s Expr)) {
        let mut steps = self.steps.iter().peekable();
        for (index, clause) in self.handlers.iter().enumerate() {
            if let Event::Topic { filter, .. } = &clause.event {
                each(filter);
            }
            while let Some(step) = steps.next_if(|step| step.handler == index) {
                each_value(step.action, each);
            }
        }
    }
}

/// A variable's name without its `$`.
pub(super) fn variable_name(source: &[u8], span: Span) -> Cow<'_, [u8]> {
    match unescape(span.of(source)) {
        Cow::Borrowed(name) => Cow::Borrowed(name.get(1..).unwrap_or_default()),
        Cow::Owned(name) => Cow::Owned(name.get(1..).unwrap_or_default().to_vec()),
    }
}

/// Calls `each` with the expressions an action evaluates itself: its operands, or the conditions of
/// an `if` or `while`, without those of the actions within.
pub(super) fn each_value<'s>(action: &'s Action, each: &mut dyn FnMut(&'s Expr)) {
    match &action.kind {
        ActionKind::Publish { topic, data, .. } => {
            each(topic);
            each(data);
        }
        ActionKind::Subscribe { filter, .. } | ActionKind::Unsubscribe { filter, .. } => {
            each(filter);
        }
        ActionKind::SetVar { value, .. }
        | ActionKind::Numbered { value, .. }
        | ActionKind::Unary { value, .. } => each(value),
        ActionKind::Pair { first, second, .. } => {
            each(first);
            each(second);
        }
        ActionKind::PinMode { .. } => {}
        ActionKind::If { branches, .. } => {
            branches.iter().for_each(|branch| each(&branch.condition));
        }
        ActionKind::While(branch) => each(&branch.condition),
    }
}

/// Calls `each` with an expression and every expression within it, in the order of the source.
pub(super) fn each_node<'s>(expr: &'s Expr, each: &mut dyn FnMut(&'s Expr)) {
    let mut waiting = vec![expr];
    while let Some(node) = waiting.pop() {
        each(node);
        match &node.kind {
            ExprKind::Bracketed(inner) => waiting.push(inner),
            ExprKind::Call(call) => match &**call {
                Call::Unary(_, a)
                | Call::Substr(a, ..)
                | Call::ByteVal(a, _)
                | Call::CsvStr(a, ..) => waiting.push(a),
                Call::Pair(_, a, b) => waiting.extend([b, a]),
                Call::PinRead(_) => {}
            },
            ExprKind::Chain(chain) => {
                waiting.extend(chain.rest.iter().rev().map(|link| &link.operand));
                waiting.push(&chain.first);
            }
            ExprKind::Logic(chain) => {
                waiting.extend(chain.rest.iter().rev().map(|link| &link.operand));
                waiting.push(&chain.first);
            }
            ExprKind::Text
            | ExprKind::Hex
            | ExprKind::Variable
            | ExprKind::Flash(_)
            | ExprKind::Special(_) => {}
        }
    }
}

/// The expression within any brackets around it.
pub(super) fn unbracketed(mut expr: &Expr) -> &Expr {
    while let ExprKind::Bracketed(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

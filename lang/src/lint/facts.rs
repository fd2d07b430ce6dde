//! What the lints look at, collected in one walk: handlers, their actions in order with the
//! conditions they stand under, and who sets and reads each variable.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use logos::Logos;
use umqtt_vm::isa::MAX_CALL_DEPTH;

use crate::ast::*;
use crate::lexer::Lexeme;
use crate::literal::unescape;

/// The script as the lints see it.
pub(super) struct ScriptFacts<'s> {
    /// The source text.
    pub(super) source: &'s [u8],
    /// The statements.
    pub(super) script: &'s [Statement],
    /// Every `const`, in order.
    pub(super) constants: Vec<&'s Constant>,
    /// The subs by their names.
    pub(super) subs: BTreeMap<&'s [u8], Sub<'s>>,
    /// Some sub is called: its steps are there for each call.
    pub(super) has_calls: bool,
    /// Every `on` clause, in order; behind them the subs that no handler comes to.
    pub(super) handlers: Vec<&'s OnClause>,
    /// Every action, in order; an `if` or `while` before the actions within it, a `call` before
    /// those of the sub, as steps of the handler that calls.
    pub(super) steps: Vec<Step<'s>>,
    /// The conditions steps stand under.
    pub(super) guards: Vec<Guard<'s>>,
    /// Every `$name`, by the bytes behind its `$`.
    pub(super) variables: BTreeMap<Cow<'s, [u8]>, Variable<'s>>,
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
    /// Behind the last step within it.
    pub(super) end: usize,
}

/// A sub.
pub(super) struct Sub<'s> {
    /// Its statement.
    pub(super) clause: &'s OnClause,
    /// Some handler comes to it.
    pub(super) is_reached: bool,
}

/// Most steps that are looked at: those of a sub count for each call. Of a script with more
/// nothing is told.
pub(super) const MAX_STEPS: usize = 100_000;

/// Where actions stand.
#[derive(Clone, Copy)]
struct Place {
    handler: usize,
    guard: Option<usize>,
    outer_loop: Option<usize>,
    /// How many calls deep.
    calls: u8,
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
pub(super) struct Variable<'s> {
    /// Its value, if it is a constant.
    pub(super) constant: Option<&'s Expr>,
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
            constants: Vec::new(),
            subs: BTreeMap::new(),
            has_calls: false,
            handlers: Vec::new(),
            steps: Vec::new(),
            guards: Vec::new(),
            variables: BTreeMap::new(),
        };
        for statement in script {
            if let Statement::On(clause) = statement
                && let EventPattern::Sub(name) = clause.event
            {
                facts.subs.insert(name.of(source), Sub { clause, is_reached: false });
            }
        }
        for statement in script {
            let clause = match statement {
                Statement::On(clause) => clause,
                Statement::Config(line) => {
                    if let ConfigValue::Flash(number) = line.value {
                        facts.names(number.span, None);
                    }
                    continue;
                }
                Statement::Constant(constant) => {
                    let name = variable_name(source, constant.name);
                    facts.variables.entry(name).or_default().constant = Some(&constant.value);
                    facts.constants.push(constant);
                    facts.reads(&constant.value, None);
                    continue;
                }
            };
            if let EventPattern::Sub(_) = clause.event {
                continue;
            }
            let handler = facts.handlers.len();
            facts.handlers.push(clause);
            match &clause.event {
                EventPattern::Topic { filter, .. } => facts.reads(filter, None),
                _ => facts.names(clause.event_span, None),
            }
            facts.actions(
                &clause.actions,
                Place { handler, guard: None, outer_loop: None, calls: 0 },
            );
        }
        let lonely: Vec<_> = facts.subs.values().filter(|sub| !sub.is_reached).collect();
        let lonely: Vec<&OnClause> = lonely.into_iter().map(|sub| sub.clause).collect();
        for clause in lonely {
            let handler = facts.handlers.len();
            facts.handlers.push(clause);
            facts.actions(
                &clause.actions,
                Place { handler, guard: None, outer_loop: None, calls: 0 },
            );
        }
        facts
    }

    /// Follows the nesting of `if` and `while`, which the parser has limited, and calls.
    fn actions(&mut self, actions: &'s [Action], place: Place) {
        let Place { handler, guard, outer_loop, calls } = place;
        for action in actions {
            if self.steps.len() >= MAX_STEPS {
                return;
            }
            let step = self.steps.len();
            let is_while = matches!(action.kind, ActionKind::While(_));
            let outer_loop = outer_loop.or(is_while.then_some(step));
            let inside = Place { handler, guard, outer_loop, calls };
            self.steps.push(Step { action, handler, guard, outer_loop, end: step + 1 });
            each_value(action, &mut |expr| self.reads(expr, Some(step)));
            match &action.kind {
                ActionKind::Numbered { number, .. }
                | ActionKind::PinMode { pin: number, .. }
                | ActionKind::SetVar { target: Target::Flash(number), .. } => {
                    self.names(number.span, Some(step));
                }
                ActionKind::SetVar { target: Target::Variable(span), .. } => {
                    let name = variable_name(self.source, *span);
                    self.variables.entry(name).or_default().sets.push((*span, step));
                }
                ActionKind::If { branches, otherwise } => {
                    let mut parent = guard;
                    for Branch { condition, actions } in branches {
                        let taken = self.guard(parent, condition, true, false);
                        self.actions(actions, Place { guard: Some(taken), ..inside });
                        parent = Some(self.guard(parent, condition, false, false));
                    }
                    if let Some(actions) = otherwise {
                        self.actions(actions, Place { guard: parent, ..inside });
                    }
                }
                ActionKind::While(branch) => {
                    let taken = self.guard(guard, &branch.condition, true, true);
                    self.actions(&branch.actions, Place { guard: Some(taken), ..inside });
                }
                ActionKind::Call(name) => {
                    self.has_calls = true;
                    let is_handler = !matches!(self.handlers[handler].event, EventPattern::Sub(_));
                    let sub = self.subs.get_mut(name.of(self.source));
                    if let Some(sub) = sub.filter(|_| calls < MAX_CALL_DEPTH) {
                        sub.is_reached |= is_handler;
                        let clause = sub.clause;
                        self.actions(&clause.actions, Place { calls: calls + 1, ..inside });
                    }
                }
                _ => {}
            }
            self.steps[step].end = self.steps.len();
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
        each_node(expr, &mut |node| match &node.kind {
            ExprKind::Variable => {
                let name = variable_name(self.source, node.span);
                self.variables.entry(name).or_default().reads.push((node.span, step));
            }
            ExprKind::Flash(number) => self.names(number.span, step),
            ExprKind::Call(call) => match **call {
                Call::Substr(_, start, len) => {
                    self.names(start.span, step);
                    self.names(len.span, step);
                }
                Call::ByteVal(_, number) | Call::PinRead(number) => self.names(number.span, step),
                Call::CsvStr(_, number, separator) => {
                    self.names(number.span, step);
                    self.names(separator, step);
                }
                _ => {}
            },
            _ => {}
        });
    }

    /// The constants named in words that the tree has the values of.
    fn names(&mut self, words: Span, step: Option<usize>) {
        let source = self.source;
        let mut lexer = Lexeme::lexer(words.of(source));
        while let Some(lexeme) = lexer.next() {
            let name = lexer.slice();
            let sign = usize::from(name.first() == Some(&b'@'));
            if lexeme != Ok(Lexeme::Word) || name.get(sign) != Some(&b'$') {
                continue;
            }
            let start = words.start as usize + lexer.span().start + sign;
            let span = Span::new(start, words.start as usize + lexer.span().end);
            let name = variable_name(source, span);
            self.variables.entry(name).or_default().reads.push((span, step));
        }
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

    /// What a constant is, where an expression is one by its name; else the expression.
    pub(super) fn constant<'e>(&self, mut expr: &'e Expr) -> &'e Expr
    where
        's: 'e,
    {
        /// Most constants that name each other.
        const MOST: usize = 8;
        for _ in 0..MOST {
            let name = variable_name(self.source, expr.span);
            let constant = self.variables.get(&name).and_then(|variable| variable.constant);
            match constant.filter(|_| expr.kind == ExprKind::Variable) {
                Some(value) => expr = value,
                None => break,
            }
        }
        expr
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
    pub(super) fn event(&self, step: &Step<'s>) -> &'s EventPattern {
        &self.handlers[step.handler].event
    }

    /// Calls `each` with every expression of the script that is not part of another, in order.
    pub(super) fn each_expression(&self, each: &mut dyn FnMut(&'s Expr)) {
        self.constants.iter().for_each(|constant| each(&constant.value));
        let mut steps = self.steps.iter().peekable();
        for (index, clause) in self.handlers.iter().enumerate() {
            if let EventPattern::Topic { filter, .. } = &clause.event {
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
pub(crate) fn each_value<'s>(action: &'s Action, each: &mut dyn FnMut(&'s Expr)) {
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
        ActionKind::PinMode { .. } | ActionKind::Call(_) => {}
        ActionKind::If { branches, .. } => {
            branches.iter().for_each(|branch| each(&branch.condition));
        }
        ActionKind::While(branch) => each(&branch.condition),
    }
}

/// Calls `each` with an expression and every expression within it, in the order of the source.
pub(crate) fn each_node<'s>(expr: &'s Expr, each: &mut dyn FnMut(&'s Expr)) {
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
                Call::Triple(_, a, b, c) => waiting.extend([c, b, a]),
                Call::List(_, values) => waiting.extend(values.iter().rev()),
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

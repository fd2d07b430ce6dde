//! Where the parser puts what it has read: actions and the heads of blocks, in the order of the
//! source.
//!
//! The compiler makes code of each at once and keeps none. [`Tree`] puts them together to the tree
//! of a statement, for the linter and the formatter.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ast::{
    Action, ActionKind, Branch, ConfigLine, Constant, EventPattern, Expr, OnClause, Span, Statement,
};

/// Takes one statement in. Blocks are closed in the order they were opened.
pub(crate) trait Sink {
    /// A `config` line.
    fn config(&mut self, line: ConfigLine);
    /// `const $name = value`
    fn constant(&mut self, constant: Constant);
    /// The event a handler waits for; its words.
    fn clause(&mut self, event: EventPattern, event_span: Span);
    /// An action that is not a block.
    fn action(&mut self, action: Action);
    /// `if condition then`; where the `if` starts.
    fn open_if(&mut self, start: u32, condition: Expr);
    /// `elseif condition then`, in the innermost block.
    fn else_if(&mut self, condition: Expr);
    /// `else`, in the innermost block.
    fn otherwise(&mut self);
    /// `while condition do`; where the `while` starts.
    fn open_while(&mut self, start: u32, condition: Expr);
    /// `endif` or `done`; the whole block.
    fn end_block(&mut self, span: Span);
    /// The end of the handler; all of it.
    fn end_clause(&mut self, span: Span);
}

/// A block that is open.
#[derive(Debug)]
enum Open {
    If { branches: Vec<Branch>, otherwise: Option<Vec<Action>> },
    While(Branch),
}

/// Puts the tree of a statement together.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    event: Option<(EventPattern, Span)>,
    actions: Vec<Action>,
    open: Vec<Open>,
    done: Option<Statement>,
}

impl Tree {
    /// The statement, if it was read to its end.
    pub(crate) fn into_statement(self) -> Option<Statement> {
        self.done
    }

    fn actions(&mut self) -> &mut Vec<Action> {
        match self.open.last_mut() {
            None => &mut self.actions,
            Some(Open::While(branch)) => &mut branch.actions,
            Some(Open::If { otherwise: Some(actions), .. }) => actions,
            Some(Open::If { branches, otherwise }) => match branches.last_mut() {
                Some(branch) => &mut branch.actions,
                None => otherwise.get_or_insert_default(), // there is always a branch
            },
        }
    }
}

impl Sink for Tree {
    fn config(&mut self, line: ConfigLine) {
        self.done = Some(Statement::Config(line));
    }

    fn constant(&mut self, constant: Constant) {
        self.done = Some(Statement::Constant(constant));
    }

    fn clause(&mut self, event: EventPattern, event_span: Span) {
        self.event = Some((event, event_span));
    }

    fn action(&mut self, action: Action) {
        self.actions().push(action);
    }

    fn open_if(&mut self, _start: u32, condition: Expr) {
        let branches = Vec::from([Branch { condition, actions: Vec::new() }]);
        self.open.push(Open::If { branches, otherwise: None });
    }

    fn else_if(&mut self, condition: Expr) {
        if let Some(Open::If { branches, .. }) = self.open.last_mut() {
            branches.push(Branch { condition, actions: Vec::new() });
        }
    }

    fn otherwise(&mut self) {
        if let Some(Open::If { otherwise, .. }) = self.open.last_mut() {
            *otherwise = Some(Vec::new());
        }
    }

    fn open_while(&mut self, _start: u32, condition: Expr) {
        self.open.push(Open::While(Branch { condition, actions: Vec::new() }));
    }

    fn end_block(&mut self, span: Span) {
        let kind = match self.open.pop() {
            None => return,
            Some(Open::If { branches, otherwise }) => ActionKind::If { branches, otherwise },
            Some(Open::While(branch)) => ActionKind::While(Box::new(branch)),
        };
        self.actions().push(Action { span, kind });
    }

    fn end_clause(&mut self, span: Span) {
        if let Some((event, event_span)) = self.event.take() {
            let actions = core::mem::take(&mut self.actions);
            self.done = Some(Statement::On(OnClause { span, event, event_span, actions }));
        }
    }
}

//! Handlers and blocks as the parser reads them: heads, then actions, then ends. What is open is
//! kept in a list, so that no recursion follows the nesting of a script.

use umqtt_vm::image::{Record, Trigger};
use umqtt_vm::isa::Op;

use super::Compiler;
use super::function::{LoopStart, Mark};
use super::jump::Label;
use super::subs::Caller;
use crate::ast::{Action, ConfigLine, Constant, EventPattern, Expr, Span};
use crate::parse::Sink;

/// How far the code and the constants were when something began that leaves no code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checkpoint {
    mark: Mark,
    constants: usize,
    /// Variables that the script does not name.
    kept: u16,
}

/// An open `if` or `while`.
#[derive(Debug)]
pub(super) struct Block {
    kind: Kind,
    /// The branch at hand leaves no code: its condition is known.
    dead: Option<Checkpoint>,
    /// Actions of the branch at hand are behind an endless loop: from here on they are checked, but
    /// leave no code.
    unreached: Option<Checkpoint>,
}

#[derive(Debug)]
enum Kind {
    If {
        end: Label,
        /// Where to go on if the condition at hand is false; `None` if it is known.
        next: Option<Label>,
        /// A condition is always true: what comes behind its branch leaves no code.
        decided: bool,
        /// The `else` was read, but nothing in it: an empty one is none.
        at_else: bool,
    },
    /// `None` if it never runs.
    While(Option<(LoopStart, Label)>),
}

impl Sink for Compiler<'_, '_, '_> {
    fn config(&mut self, line: ConfigLine) {
        self.config_line(&line);
    }

    /// Its value is known already.
    fn constant(&mut self, constant: Constant) {
        if self.reserve_step(constant.span.len()) {
            self.check_literals(&constant.value);
        }
    }

    fn clause(&mut self, event: EventPattern, event_span: Span) {
        if !self.reserve_step(event_span.len()) || !self.reserve_sub(event_span.len()) {
            return;
        }
        self.clause = self.event(&event);
        let base = self.base;
        self.clause_at = Span { start: event_span.start + base, end: event_span.end + base };
        self.caller = match self.clause {
            (Trigger::Sub, _, number) => Caller::Sub(number),
            _ => Caller::Handler(None),
        };
        self.context = Some(self.clause.0.of_specials());
    }

    fn action(&mut self, action: Action) {
        if self.reserve_step(action.span.len()) && self.begin_action(action.span) {
            let deepest = self.function.deepest();
            self.action_code(&action);
            self.check_deepest(deepest, action.span);
        }
    }

    fn open_if(&mut self, start: u32, condition: Expr) {
        let span = Span { start, end: condition.span.end };
        if self.reserve_block_head(span.len()) && self.begin_action(span) {
            let end = self.function.label();
            let kind = Kind::If { end, next: None, decided: false, at_else: false };
            self.open(kind);
            self.branch_of(&condition, span);
        }
    }

    fn else_if(&mut self, condition: Expr) {
        if self.reserve_block_head(condition.span.len()) {
            self.end_branch(false);
            let line = self.line_of(condition.span);
            self.function.line(line);
            self.branch_of(&condition, condition.span);
        }
    }

    fn otherwise(&mut self) {
        if let Some(Block { kind: Kind::If { at_else, .. }, .. }) = self.blocks.last_mut() {
            *at_else = true;
        }
    }

    fn open_while(&mut self, start: u32, condition: Expr) {
        let span = Span { start, end: condition.span.end };
        if !self.reserve_block_head(span.len()) || !self.begin_action(span) {
            return;
        }
        let deepest = self.function.deepest();
        let truth = self.truth(&condition);
        if truth == Some(false) {
            let here = self.checkpoint();
            self.open(Kind::While(None));
            self.set_dead(here);
            self.operand(&condition);
        } else {
            let start = self.function.loop_start();
            let end = self.function.label();
            self.open(Kind::While(Some((start, end))));
            match truth {
                Some(_) => self.check_only(&condition),
                None => self.branch(&condition, false, end),
            }
        }
        self.check_deepest(deepest, span);
    }

    fn end_block(&mut self, _span: Span) {
        if !self.reserve_step(0) {
            return;
        }
        if let Some(Block { kind: Kind::If { .. }, .. }) = self.blocks.last() {
            self.end_branch(true);
        }
        let Some(block) = self.blocks.pop() else { return };
        self.forget(block.unreached);
        match block.kind {
            Kind::If { end, .. } => {
                self.forget(block.dead);
                self.function.place(end);
            }
            Kind::While(None) => self.forget(block.dead),
            Kind::While(Some((start, end))) => {
                self.function.loop_end(start);
                self.function.place(end);
            }
        }
    }

    fn end_clause(&mut self, _span: Span) {
        if !self.reserve_step(0) {
            return;
        }
        let unreached = self.unreached.take();
        self.forget(unreached);
        self.context = None;
        if let (Trigger::Sub, _, number) = self.clause {
            return self.end_sub(number);
        }
        // Also behind an endless loop: the verifier wants every segment to end.
        self.function.op(Op::End, &[]);
        let code = self.finish_function();
        let (trigger, key, filter) = self.clause;
        let made = &mut *self.made;
        if made.budget.grow(&mut made.records, 1) {
            made.records.push(Record { trigger, key, code, filter });
        }
        self.clause = (Trigger::Init, 0, 0);
    }
}

impl Compiler<'_, '_, '_> {
    fn open(&mut self, kind: Kind) {
        self.blocks.push(Block { kind, dead: None, unreached: None });
    }

    /// Before an action of the innermost block: false if there is no room for it.
    fn begin_action(&mut self, span: Span) -> bool {
        if let Some(Block { kind: Kind::If { at_else: true, .. }, .. }) = self.blocks.last() {
            self.end_branch(false);
            self.begin_else();
        }
        if !self.function.reachable() {
            let here = self.checkpoint();
            let made = &mut *self.made;
            let unreached = match made.blocks.last_mut() {
                Some(block) => &mut block.unreached,
                None => &mut made.unreached,
            };
            unreached.get_or_insert(here);
        }
        let line = self.line_of(span);
        self.function.line(line);
        self.budget.refused().is_none()
    }

    /// The condition of a branch, of which the innermost `if` may have had others before.
    fn branch_of(&mut self, condition: &Expr, span: Span) {
        let deepest = self.function.deepest();
        let here = self.checkpoint();
        let truth = self.truth(condition);
        let Some(Block { kind: Kind::If { next, decided, .. }, dead, .. }) = self.blocks.last_mut()
        else {
            return;
        };
        *next = None;
        if *decided || truth == Some(false) {
            *dead = Some(here);
            self.operand(condition);
        } else if truth == Some(true) {
            *decided = true;
            self.check_only(condition);
        } else {
            let label = self.function.label();
            self.branch(condition, false, label);
            self.set_next(label);
        }
        self.check_deepest(deepest, span);
    }

    fn set_next(&mut self, label: Label) {
        if let Some(Block { kind: Kind::If { next, .. }, .. }) = self.blocks.last_mut() {
            *next = Some(label);
        }
    }

    fn set_dead(&mut self, here: Checkpoint) {
        if let Some(block) = self.blocks.last_mut() {
            block.dead = Some(here);
        }
    }

    /// The end of a branch with a condition, unless the `if` is past those; `last`: nothing comes
    /// behind it.
    fn end_branch(&mut self, last: bool) {
        let Some(block) = self.blocks.last_mut() else { return };
        let (unreached, dead) = (block.unreached.take(), block.dead.take());
        let Kind::If { end, next, at_else, .. } = &mut block.kind else { return };
        let (end, next) = (*end, next.take());
        *at_else = false;
        self.forget(unreached);
        self.forget(dead);
        if let Some(next) = next {
            if self.function.reachable() && !last {
                self.function.jump(Op::Jump, &[], end);
            }
            self.function.place(next);
        }
    }

    fn begin_else(&mut self) {
        let here = self.checkpoint();
        if let Some(Block { kind: Kind::If { decided: true, .. }, dead, .. }) =
            self.blocks.last_mut()
        {
            *dead = Some(here);
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint { mark: self.function.mark(), constants: self.constants.len(), kept: self.kept }
    }

    /// Takes back what leaves no code.
    fn forget(&mut self, since: Option<Checkpoint>) {
        if let Some(Checkpoint { mark, constants, kept }) = since {
            self.kept = kept;
            self.function.forget_since(mark);
            self.constants.truncate(constants);
        }
    }

    /// Reports what is wrong with an expression that leaves no code.
    fn check_only(&mut self, expr: &Expr) {
        let here = self.checkpoint();
        self.operand(expr);
        self.forget(Some(here));
    }
}

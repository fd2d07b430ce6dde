//! The image while it is being made: all that outlives a statement and its source.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::Profile;
use umqtt_vm::image::{Record, Trigger};
use umqtt_vm::isa::{Op, TEMPORARIES};

use super::blocks::{Block, Checkpoint};
use super::constants::Constants;
use super::function::FunctionBuilder;
use super::options::ConfigValues;
use super::renumber::renumber_operands;
use super::subs::{Caller, Subs, SubsSavepoint};
use super::variable::Variable;
use super::{EmitOptions, image};
use crate::ast::Span;
use crate::budget::{MemoryBudget, StepMemory};
use crate::diagnostic::{Code, Diagnostic, Edit, HINTS};
use crate::named::NamedConstants;
use crate::parse::{DIAGNOSTIC, MAX_DIAGNOSTICS, shown};
use crate::suggest::nearest;

/// What is made of a script: all that outlives a statement and its source.
pub(crate) struct ImageBuilder<'r> {
    pub(super) profile: &'r Profile,
    pub(super) budget: &'r MemoryBudget<'r>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) variables: Vec<Variable>,
    /// The names of the variables, with their `$`, one behind the other.
    pub(super) names: Vec<u8>,
    pub(super) too_many_variables: bool,
    /// There are more than the device has room for, which was reported: what nothing sets may be
    /// one of them.
    pub(crate) too_many_constants: bool,
    /// Variables that the script does not name.
    pub(super) kept: u16,
    pub(super) constants: Constants,
    pub(super) records: Vec<Record>,
    pub(super) code: Vec<u32>,
    pub(super) lines: Vec<(u32, u32)>,
    pub(super) temporaries: usize,
    pub(super) pwm_pins: u64,
    pub(super) interrupt_pins: u64,
    /// The event of the clause being compiled.
    pub(super) context: Option<Trigger>,
    /// The record of the handler being compiled, without its code.
    pub(super) clause: (Trigger, u8, u16),
    /// Where its event stands in the script.
    pub(super) clause_at: Span,
    pub(super) caller: Caller,
    pub(super) subs: Subs,
    pub(super) function: FunctionBuilder,
    /// The code of all `config` lines: one handler, whose code comes last.
    pub(super) config: FunctionBuilder,
    pub(super) has_config: bool,
    /// What values of `config` lines are compiled to.
    pub(crate) config_values: Option<&'r ConfigValues<'r>>,
    pub(super) blocks: Vec<Block>,
    /// Of the handler's own actions; see [`Block`].
    pub(super) unreached: Option<Checkpoint>,
    /// Bytes the step at hand may allocate, besides the lists that grow.
    pub(super) step: StepMemory,
    /// What a token that names a constant adds to a step, bytes.
    pub(super) named_step: usize,
    /// An offset of the source at hand and its line, from which the next line is counted.
    pub(super) line_at: (usize, u32),
}

/// What a statement that turns out to be wrong is taken back to.
#[derive(Clone, Copy)]
pub(crate) struct Savepoint {
    pub(super) diagnostics: usize,
    pub(super) variables: usize,
    pub(super) names: usize,
    pub(super) too_many_variables: bool,
    pub(super) kept: u16,
    pub(super) subs: SubsSavepoint,
    pub(super) pwm_pins: u64,
    pub(super) interrupt_pins: u64,
}

impl<'r> ImageBuilder<'r> {
    /// An empty one on the heap; `None` if there is no room for it.
    #[inline(never)]
    pub(crate) fn boxed(
        profile: &'r Profile,
        budget: &'r MemoryBudget<'r>,
    ) -> Option<Box<ImageBuilder<'r>>> {
        let fits = budget.has(size_of::<ImageBuilder<'_>>());
        fits.then(|| Box::new(ImageBuilder::new(profile, budget)))
    }

    pub(crate) fn new(profile: &'r Profile, budget: &'r MemoryBudget<'r>) -> ImageBuilder<'r> {
        ImageBuilder {
            profile,
            budget,
            diagnostics: Vec::new(),
            variables: Vec::new(),
            names: Vec::new(),
            too_many_variables: false,
            too_many_constants: false,
            kept: 0,
            constants: Constants::default(),
            records: Vec::new(),
            code: Vec::new(),
            lines: Vec::new(),
            temporaries: 0,
            pwm_pins: 0,
            interrupt_pins: 0,
            context: None,
            clause: (Trigger::Init, 0, 0),
            clause_at: Span::default(),
            caller: Caller::Handler(None),
            subs: Subs::default(),
            function: FunctionBuilder::new(),
            config: FunctionBuilder::new(),
            has_config: false,
            config_values: None,
            blocks: Vec::new(),
            unreached: None,
            step: StepMemory::default(),
            named_step: 0,
            line_at: (0, 1),
        }
    }

    /// How it is now, before a statement.
    pub(crate) fn before(&self) -> Savepoint {
        Savepoint {
            diagnostics: self.diagnostics.len(),
            variables: self.variables.len(),
            names: self.names.len(),
            too_many_variables: self.too_many_variables,
            kept: self.kept,
            subs: self.subs.savepoint(),
            pwm_pins: self.pwm_pins,
            interrupt_pins: self.interrupt_pins,
        }
    }

    /// Takes back the diagnostics of a statement that does not parse, and those that would follow
    /// from it. There will be no image any more.
    #[cold]
    pub(crate) fn roll_back(&mut self, before: &Savepoint) {
        self.diagnostics.truncate(before.diagnostics);
        self.variables.truncate(before.variables);
        self.names.truncate(before.names);
        self.too_many_variables = before.too_many_variables;
        self.kept = before.kept;
        self.subs.roll_back(before.subs);
        self.pwm_pins = before.pwm_pins;
        self.interrupt_pins = before.interrupt_pins;
        self.blocks.clear();
        self.unreached = None;
        self.context = None;
        self.function.clear();
    }

    /// The source at hand ends here; the next piece of it starts with the line it ends in.
    pub(crate) fn next_piece(&mut self, source: &[u8]) {
        let line = self.line_at(source, source.len());
        self.line_at = (0, line);
    }

    /// The code to come may have these constants in it.
    pub(crate) fn will_name(&mut self, named: &NamedConstants) {
        self.named_step = 2 * named.longest();
    }

    /// What was found wrong so far.
    pub(crate) fn diagnostics_mut(&mut self) -> &mut Vec<Diagnostic> {
        &mut self.diagnostics
    }

    /// The name of a variable.
    pub(super) fn name(&self, number: usize) -> &[u8] {
        let start = self.variables.get(number).map_or(0, |variable| variable.start as usize);
        let end = self.variables.get(number + 1).map(|next| next.start as usize);
        self.names.get(start..end.unwrap_or(self.names.len())).unwrap_or_default()
    }

    /// The line of an offset; quick when asked in the order of the source.
    pub(super) fn line_at(&mut self, source: &[u8], start: usize) -> u32 {
        if start < self.line_at.0 {
            // Nothing asks for a line before the statement: the source at hand starts with this
            // one.
            return self.line_at.1;
        }
        let between = source.get(self.line_at.0..start).unwrap_or_default();
        let ends = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u32;
        let mut line = self.line_at.1;
        // Eight at a time: in most there is no end of a line.
        let (eights, rest) = between.as_chunks::<8>();
        for eight in eights {
            let &[a, b, c, d, e, f, g, h] = eight;
            let is_end = |byte| byte == b'\n';
            if is_end(a) || is_end(b) || is_end(c) || is_end(d) {
                line += ends(eight);
            } else if is_end(e) || is_end(f) || is_end(g) || is_end(h) {
                line += ends(&[e, f, g, h]);
            }
        }
        line += ends(rest);
        self.line_at = (start, line);
        line
    }

    pub(crate) fn report(&mut self, make: impl FnOnce() -> Diagnostic) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS
            && self.budget.grow(&mut self.diagnostics, 1)
            && self.budget.has_beside(DIAGNOSTIC, self.step)
        {
            self.diagnostics.push(make());
        }
    }

    /// Ends the script, and gives the image out piece by piece if nothing is wrong with it and
    /// there was room for all. False if `out` is.
    #[inline(never)]
    pub(crate) fn finish(
        &mut self,
        options: EmitOptions,
        source: &[u8],
        out: &mut dyn FnMut(&[u8]) -> bool,
    ) -> bool {
        self.report_undeclared();
        self.finish_subs();
        if self.has_config {
            core::mem::swap(&mut self.function, &mut self.config);
            self.function.op(Op::End, &[]);
            let code = self.finish_function();
            if !self.budget.grow(&mut self.records, 1) {
                return true;
            }
            self.records.push(Record { trigger: Trigger::Config, key: 0, code, filter: 0 });
        }
        if !self.diagnostics.is_empty() || self.budget.refused().is_some() {
            return true;
        }
        let temporaries = self.temporaries.min(TEMPORARIES.into()) as u8;
        renumber_operands(&mut self.code, temporaries, self.variables.len() as u32, &self.subs);
        let subs = self.subs.records();
        if !self.budget.grow(&mut self.records, subs.len()) {
            return true;
        }
        self.records.extend(subs);
        image::sort(&mut self.records);
        let names = image::Names { names: &self.names, variables: &self.variables };
        let sections = image::Sections {
            variables: self.variables.len() + usize::from(self.kept),
            temporaries: self.temporaries,
            constants: &self.constants,
            records: &self.records,
            code: &self.code,
            debug: options.debug.then_some((names, &self.lines)),
            source: if options.source { source } else { b"" },
        };
        match image::write(&sections, self.profile.image, out) {
            Ok(written) => written,
            Err(error) => {
                let name = self.profile.name;
                let whole = Span::new(0, source.len());
                self.report(|| {
                    let image::TooLarge { what, found, allowed } = error;
                    let message =
                        format!("compiled, the script has {found} {what}, {name} holds {allowed}");
                    Diagnostic::new(Code::ImageTooLarge, whole, message)
                });
                true
            }
        }
    }

    pub(super) fn report_undeclared(&mut self) {
        if self.too_many_constants {
            return;
        }
        for number in 0..self.variables.len() {
            if self.variables[number].set || !self.budget.has(2 * DIAGNOSTIC) {
                continue;
            }
            let text = self.name(number);
            let set = (0..self.variables.len()).filter(|at| self.variables[*at].set);
            let near = HINTS.then(|| nearest(text, set.map(|at| self.name(at)))).flatten();
            let diagnostic = undeclared(text, self.variables[number].first, near);
            self.report(|| diagnostic);
        }
    }

    /// Puts the finished code of the body away; returns its offset.
    pub(super) fn finish_function(&mut self) -> u16 {
        self.temporaries = self.temporaries.max(self.function.deepest());
        let offset = self.code.len();
        self.function.finish(self.budget, &mut self.code, &mut self.lines);
        // Larger than 16 bits is found when the image is written.
        offset as u16
    }

    /// Whether there is room for all that the tokens since the last step, of so many bytes, can
    /// become.
    pub(super) fn reserve_step(&mut self, bytes: usize) -> bool {
        let tokens = self.budget.take_tokens() + 2;
        self.reserve_tokens(tokens, bytes)
    }

    /// Whether there is room for what a statement can add to what is known of subs, with a name of
    /// so many bytes.
    pub(super) fn reserve_sub(&mut self, bytes: usize) -> bool {
        self.subs.reserve(self.budget, bytes) && self.budget.has_step(self.step)
    }

    /// The same for the head of a block.
    pub(super) fn reserve_block_head(&mut self, bytes: usize) -> bool {
        let budget = self.budget;
        let tokens = budget.take_tokens() + 2;
        self.function.reserve_jumps(budget, tokens)
            && budget.grow(&mut self.blocks, 1)
            && self.reserve_tokens(tokens, bytes)
    }

    pub(super) fn reserve_tokens(&mut self, tokens: usize, bytes: usize) -> bool {
        let budget = self.budget;
        // Operands and operators of chains, and texts that are being joined.
        let named = (tokens * self.named_step).min(3 * self.profile.value);
        let link = size_of::<[usize; 4]>();
        let all = 192 + (8 + link) * tokens + 2 * bytes + named;
        // A list grows to a power of two.
        self.step = StepMemory::new(all, (link * tokens.next_power_of_two()).max(bytes).max(named));
        self.function.reserve(budget, tokens)
            && self.constants.reserve(budget, tokens, bytes)
            && budget.grow(&mut self.variables, tokens)
            && budget.grow(&mut self.names, bytes)
            && budget.has_step(self.step)
    }
}

/// The diagnostic of a variable that nothing sets; `near` is one that something does, and that it
/// may be meant to be.
pub(crate) fn undeclared(name: &[u8], at: Span, near: Option<&[u8]>) -> Diagnostic {
    let shown_name = shown(name);
    let message = format!("nothing sets `{shown_name}`");
    Diagnostic::new(Code::UndeclaredVariable, at, message).hinted(|diagnostic| {
        let Some(near) = near else {
            return diagnostic.help(format!("give it a value first: `setvar {shown_name} = 0`"));
        };
        let meant = shown(near);
        diagnostic
            .help(format!("did you mean `{meant}`?"))
            .fix(format!("replace by `{meant}`"), Vec::from([Edit { span: at, text: near.into() }]))
    })
}

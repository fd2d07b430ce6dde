//! The code generator: syntax trees, a statement at a time, to an image; and the errors only it can
//! see: ranges, limits, variables that nothing sets, event data outside its event.
//!
//! | file | job |
//! |---|---|
//! | `mod.rs` | statements, variables, limits |
//! | `actions.rs` | actions |
//! | `blocks.rs` | handlers, `if` and `while`, as the parser reads them |
//! | `expr.rs` | expressions and conditions |
//! | `fold.rs` | computing what is known |
//! | `function.rs` | instructions and jumps of one handler |
//! | `constants.rs` | each text once |
//! | `renumber.rs` | operands, once the number of temporaries is known |
//! | `image.rs` | writing it all down |
//! | `options.rs` | what an image carries besides its code |

mod actions;
mod blocks;
mod constants;
mod expr;
pub(crate) mod fold;
mod function;
mod image;
mod options;
mod renumber;

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use umqtt_topic::has_wildcard;
use umqtt_vm::image::{FilterKind, Record, Trigger, fingerprint};
use umqtt_vm::isa::{Op, TEMPORARIES};
use umqtt_vm::{Profile, Side};

use self::blocks::{Block, Checkpoint};
use self::constants::Constants;
use self::fold::known;
use self::function::{Dest, FunctionBuilder};
pub use self::options::EmitOptions;
use self::renumber::renumber_operands;
use crate::ast::{ConfigLine, ConfigValue, Event, Expr, ExprKind, Number, Span};
use crate::budget::MemoryBudget;
use crate::diagnostic::{Code, Diagnostic, Edit, HINTS};
use crate::literal::unescape;
use crate::parse::{DIAGNOSTIC, MAX_DIAGNOSTICS, shown};
use crate::suggest::nearest;

/// The event of the clause being compiled, as far as event data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    None,
    Topic,
    Gpio,
    Serial,
    Http,
}

impl Context {
    fn clause(self) -> &'static str {
        match self {
            Context::None => "",
            Context::Topic => "topic",
            Context::Gpio => "gpio_interrupt",
            Context::Serial => "serial",
            Context::Http => "http_response",
        }
    }
}

/// The diagnostic of a variable that nothing sets; `near` is one that something does, and that it
/// may be meant to be.
pub(crate) fn undeclared(name: &[u8], at: Span, near: Option<&[u8]>) -> Diagnostic {
    let shown_name = shown(name);
    let diagnostic =
        Diagnostic::new(Code::UndeclaredVariable, at, format!("nothing sets `{shown_name}`"));
    let Some(near) = near else {
        return diagnostic.help(format!("give it a value first: `setvar {shown_name} = 0`"));
    };
    let meant = shown(near);
    diagnostic
        .help(format!("did you mean `{meant}`?"))
        .fix(format!("replace by `{meant}`"), Vec::from([Edit { span: at, text: near.into() }]))
}

struct Variable {
    /// Where in [`ImageBuilder::names`] its name starts; it ends where the next one starts.
    start: u32,
    /// Where in the script it was first seen.
    first: Span,
    set: bool,
}

/// What is made of a script: all that outlives a statement and its source.
pub(crate) struct ImageBuilder<'r> {
    profile: &'r Profile,
    budget: &'r MemoryBudget<'r>,
    diagnostics: Vec<Diagnostic>,
    variables: Vec<Variable>,
    /// The names of the variables, with their `$`, one behind the other.
    names: Vec<u8>,
    too_many_variables: bool,
    constants: Constants,
    records: Vec<Record>,
    code: Vec<u32>,
    lines: Vec<(u32, u32)>,
    temporaries: usize,
    pwm_pins: u64,
    interrupt_pins: u64,
    context: Context,
    /// The record of the handler being compiled, without its code.
    clause: (Trigger, u8, u16),
    function: FunctionBuilder,
    /// The code of all `config` lines: one handler, whose code comes last.
    config: FunctionBuilder,
    has_config: bool,
    blocks: Vec<Block>,
    /// Of the handler's own actions; see [`Block`].
    unreached: Option<Checkpoint>,
    /// Bytes the step at hand may allocate, besides the lists that grow.
    step: usize,
    /// An offset of the source at hand and its line, from which the next line is counted.
    line_at: (usize, u32),
}

/// What a statement that turns out to be wrong is taken back to.
#[derive(Clone, Copy)]
pub(crate) struct Savepoint {
    diagnostics: usize,
    variables: usize,
    names: usize,
    too_many_variables: bool,
    pwm_pins: u64,
    interrupt_pins: u64,
}

impl<'r> ImageBuilder<'r> {
    pub(crate) fn new(profile: &'r Profile, budget: &'r MemoryBudget<'r>) -> ImageBuilder<'r> {
        ImageBuilder {
            profile,
            budget,
            diagnostics: Vec::new(),
            variables: Vec::new(),
            names: Vec::new(),
            too_many_variables: false,
            constants: Constants::default(),
            records: Vec::new(),
            code: Vec::new(),
            lines: Vec::new(),
            temporaries: 0,
            pwm_pins: 0,
            interrupt_pins: 0,
            context: Context::None,
            clause: (Trigger::Init, 0, 0),
            function: FunctionBuilder::new(),
            config: FunctionBuilder::new(),
            has_config: false,
            blocks: Vec::new(),
            unreached: None,
            step: 0,
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
        self.pwm_pins = before.pwm_pins;
        self.interrupt_pins = before.interrupt_pins;
        self.blocks.clear();
        self.unreached = None;
        self.context = Context::None;
        self.function.clear();
    }

    /// The source at hand ends here; the next piece of it starts with the line it ends in.
    pub(crate) fn next_piece(&mut self, source: &[u8]) {
        let line = self.line_at(source, source.len());
        self.line_at = (0, line);
    }

    /// What was found wrong so far.
    pub(crate) fn diagnostics_mut(&mut self) -> &mut Vec<Diagnostic> {
        &mut self.diagnostics
    }

    /// The name of a variable.
    fn name(&self, number: usize) -> &[u8] {
        let start = self.variables.get(number).map_or(0, |variable| variable.start as usize);
        let end = self.variables.get(number + 1).map(|next| next.start as usize);
        self.names.get(start..end.unwrap_or(self.names.len())).unwrap_or_default()
    }

    /// The line of an offset; quick when asked in the order of the source.
    fn line_at(&mut self, source: &[u8], start: usize) -> u32 {
        if start < self.line_at.0 {
            // Nothing asks for a line before the statement: the source at hand starts with this
            // one.
            return self.line_at.1;
        }
        let between = source.get(self.line_at.0..start).unwrap_or_default();
        let line = self.line_at.1 + between.iter().filter(|byte| **byte == b'\n').count() as u32;
        self.line_at = (start, line);
        line
    }

    fn report(&mut self, make: impl FnOnce() -> Diagnostic) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS
            && self.budget.grow(&mut self.diagnostics, 1)
            && self.budget.has(DIAGNOSTIC + self.step)
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
        renumber_operands(&mut self.code, self.temporaries.min(TEMPORARIES.into()) as u8);
        image::sort(&mut self.records);
        let names = image::Names { names: &self.names, variables: &self.variables };
        let sections = image::Sections {
            variables: self.variables.len(),
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

    fn report_undeclared(&mut self) {
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
    fn finish_function(&mut self) -> u16 {
        self.temporaries = self.temporaries.max(self.function.deepest());
        let offset = self.code.len();
        self.function.finish(self.budget, &mut self.code, &mut self.lines);
        // Larger than 16 bits is found when the image is written.
        offset as u16
    }

    /// Whether there is room for all that the tokens since the last step, of so many bytes, can
    /// become.
    fn reserve_step(&mut self, bytes: usize) -> bool {
        let tokens = self.budget.take_tokens() + 2;
        self.reserve_tokens(tokens, bytes)
    }

    /// The same for the head of a block.
    fn reserve_block_head(&mut self, bytes: usize) -> bool {
        let budget = self.budget;
        let tokens = budget.take_tokens() + 2;
        self.function.reserve_jumps(budget, tokens)
            && budget.grow(&mut self.blocks, 1)
            && self.reserve_tokens(tokens, bytes)
    }

    fn reserve_tokens(&mut self, tokens: usize, bytes: usize) -> bool {
        let budget = self.budget;
        // Operands and operators of chains, and texts that are being joined.
        self.step = 192 + (8 + size_of::<[usize; 4]>()) * tokens + 2 * bytes;
        self.function.reserve(budget, tokens)
            && self.constants.reserve(budget, tokens, bytes)
            && budget.grow(&mut self.variables, tokens)
            && budget.grow(&mut self.names, bytes)
            && budget.has(self.step)
    }
}

/// See the module. Feed it statements of one piece of source, then [`ImageBuilder::finish`].
pub(crate) struct Compiler<'s, 'c, 'r> {
    pub(crate) source: &'s [u8],
    /// Where in the script that starts.
    pub(crate) base: u32,
    pub(crate) made: &'c mut ImageBuilder<'r>,
}

impl<'r> Deref for Compiler<'_, '_, 'r> {
    type Target = ImageBuilder<'r>;

    fn deref(&self) -> &ImageBuilder<'r> {
        self.made
    }
}

impl<'r> DerefMut for Compiler<'_, '_, 'r> {
    fn deref_mut(&mut self) -> &mut ImageBuilder<'r> {
        self.made
    }
}

impl<'s> Compiler<'s, '_, '_> {
    /// What wakes the handler: trigger, key and filter of its record.
    fn event(&mut self, event: &Event) -> (Trigger, u8, u16) {
        match event {
            Event::Simple(trigger) => (*trigger, 0, 0),
            Event::Timer(number) => {
                (Trigger::Timer, self.in_range(*number, "timer", 1, self.profile.timers), 0)
            }
            Event::Alarm(number) => {
                (Trigger::Alarm, self.in_range(*number, "alarm", 1, self.profile.alarms), 0)
            }
            Event::GpioInterrupt { pin, pullup } => {
                let number = self.pin(*pin);
                let allowed = self.profile.interrupt_pins;
                self.interrupt_pins |= 1 << number;
                self.check_pins(self.interrupt_pins, allowed, "gpio_interrupt", pin.span);
                (Trigger::Gpio, number, (*pullup).into())
            }
            Event::Topic { broker, filter } => {
                let (name, pattern) = match broker.side {
                    Side::Local => (Trigger::LocalName, Trigger::LocalFilter),
                    Side::Remote => (Trigger::RemoteName, Trigger::RemoteFilter),
                };
                self.filter(filter, name, pattern)
            }
        }
    }

    fn filter(&mut self, filter: &Expr, name: Trigger, pattern: Trigger) -> (Trigger, u8, u16) {
        if let Some(known) = known(self.source, filter, self.profile.value) {
            self.check_literals(filter);
            let text = known.into_bytes();
            let offset = self.constants.text(&text) as u16;
            return if has_wildcard(&text) {
                (pattern, FilterKind::Constant as u8, offset)
            } else {
                (name, fingerprint(&text), offset)
            };
        }
        let mut inner = filter;
        while let ExprKind::Bracketed(bracketed) = &inner.kind {
            inner = bracketed;
        }
        if inner.kind == ExprKind::Variable {
            let number = self.read_variable(inner.span);
            return (pattern, FilterKind::Variable as u8, number);
        }
        let line = self.line_of(filter.span);
        self.function.line(line);
        let value = self.operand(filter);
        self.function.op(Op::Return, &[value]);
        (pattern, FilterKind::Expression as u8, self.finish_function())
    }

    fn config_line(&mut self, line: &ConfigLine) {
        self.has_config = true;
        self.swap_config();
        if !self.reserve_step(line.span.len()) {
            return self.swap_config();
        }
        let number = self.line_of(line.span);
        self.function.line(number);
        let name = line.name.of(self.source);
        // `config @N value` writes the flash variable, as `set` on the console does.
        let flash = name.strip_prefix(b"@").map(|digits| {
            let number = Number { span: line.name, value: umqtt_vm::parse_number(digits) };
            self.flash_variable(number)
        });
        // The name first: what has to be brought into temporaries comes in the order of the
        // operands.
        let name =
            flash.is_none().then(|| self.known_value(fold::ConstValue::Text(Cow::Borrowed(name))));
        let value = match line.value {
            ConfigValue::Text(span) => {
                self.known_value(fold::ConstValue::Text(unescape(span.of(self.source))))
            }
            ConfigValue::Flash(number) => {
                let number = self.flash_variable(number);
                self.function.result(Op::Flash, &[], number, Dest::Temporary);
                self.function.top()
            }
        };
        match (name, flash) {
            (Some(name), _) => self.function.op(Op::Config, &[name, value]),
            (None, number) => {
                self.function.with_number(Op::SetFlash, &[value], number.unwrap_or_default());
            }
        }
        self.swap_config();
    }

    fn swap_config(&mut self) {
        let made = &mut *self.made;
        core::mem::swap(&mut made.function, &mut made.config);
    }

    fn set_variable(&mut self, name: Span) -> u16 {
        let Some(number) = self.variable(name) else { return 0 };
        self.variables[usize::from(number)].set = true;
        number
    }

    fn read_variable(&mut self, name: Span) -> u16 {
        self.variable(name).unwrap_or(0)
    }

    /// The number of a variable, a new one if the name is new.
    fn variable(&mut self, name: Span) -> Option<u16> {
        let text = name.of(self.source);
        if let Some(number) = (0..self.variables.len()).find(|at| self.name(*at) == text) {
            return Some(number as u16);
        }
        let allowed = self.profile.variables;
        if self.variables.len() == allowed {
            if !self.too_many_variables {
                self.too_many_variables = true;
                let device = self.profile.name;
                self.report(|| {
                    let message =
                        format!("variable number {}, {device} has room for {allowed}", allowed + 1);
                    Diagnostic::new(Code::TooManyVariables, name, message)
                });
            }
            return None;
        }
        let start = self.names.len() as u32;
        self.names.extend_from_slice(text);
        let first = Span { start: name.start + self.base, end: name.end + self.base };
        self.variables.push(Variable { start, first, set: false });
        Some((self.variables.len() - 1) as u16)
    }

    fn count_pwm_pin(&mut self, pin: u8, span: Span) {
        self.pwm_pins |= 1 << pin;
        self.check_pins(self.pwm_pins, self.profile.pwm_channels, "gpio_pwm", span);
    }

    fn check_pins(&mut self, pins: u64, allowed: u8, what: &str, span: Span) {
        let found = pins.count_ones();
        if found > allowed.into() {
            let device = self.profile.name;
            self.report(|| {
                let message = format!("{found} pins used by {what}, {device} has {allowed}");
                Diagnostic::new(Code::TooManyPins, span, message)
            });
        }
    }

    /// The source line of a span.
    fn line_of(&mut self, span: Span) -> u32 {
        let source = self.source;
        self.line_at(source, span.start as usize)
    }
}

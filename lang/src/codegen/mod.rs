//! The code generator: syntax trees, a statement at a time, to an image; and the errors only it can see: ranges, limits,
//! variables that nothing sets, event data outside its event.
//!
//! | file | job |
//! |---|---|
//! | `mod.rs` | statements, variables, limits |
//! | `actions.rs` | actions |
//! | `expr.rs` | expressions and conditions |
//! | `fold.rs` | computing what is known |
//! | `body.rs` | instructions and jumps of one handler |
//! | `constants.rs` | each text once |
//! | `image.rs` | writing it all down |

mod actions;
mod body;
mod constants;
mod expr;
pub(crate) mod fold;
mod image;

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use umqtt_topic::has_wildcard;
use umqtt_vm::decode::settle_places;
use umqtt_vm::image::{FilterKind, Record, Trigger, fingerprint};
use umqtt_vm::isa::{Op, TEMPORARIES};
use umqtt_vm::{Profile, Side};

use self::body::{Body, To};
use self::constants::Constants;
use self::fold::known;
use crate::ast::{
    ConfigLine, ConfigValue, Event, Expr, ExprKind, Number, OnClause, Span, Statement,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::nearest::nearest;
use crate::parse::MAX_DIAGNOSTICS;
use crate::text::unescape;

/// What the image carries besides what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extras {
    /// Variable names and line numbers.
    pub debug: bool,
    /// The source.
    pub source: bool,
}

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

struct Variable {
    /// The name where it was first seen, with its `$`.
    name: Span,
    set: bool,
}

/// See the module. Feed it statements, then [`Compiler::finish`].
pub(crate) struct Compiler<'s> {
    source: &'s [u8],
    profile: &'s Profile,
    diagnostics: Vec<Diagnostic>,
    variables: Vec<Variable>,
    too_many_variables: bool,
    constants: Constants,
    records: Vec<Record>,
    code: Vec<u32>,
    lines: Vec<(u32, u32)>,
    temporaries: usize,
    pwm_pins: u64,
    interrupt_pins: u64,
    context: Context,
    body: Body,
    /// The code of all `config` lines: one handler, whose code comes last.
    config: Body,
    has_config: bool,
    /// An offset and its line, from which the next line is counted.
    line_at: (usize, u32),
}

impl<'s> Compiler<'s> {
    pub(crate) fn new(source: &'s [u8], profile: &'s Profile) -> Compiler<'s> {
        Compiler {
            source,
            profile,
            diagnostics: Vec::new(),
            variables: Vec::new(),
            too_many_variables: false,
            constants: Constants::default(),
            records: Vec::new(),
            code: Vec::new(),
            lines: Vec::new(),
            temporaries: 0,
            pwm_pins: 0,
            interrupt_pins: 0,
            context: Context::None,
            body: Body::new(),
            config: Body::new(),
            has_config: false,
            line_at: (0, 1),
        }
    }

    pub(crate) fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::On(clause) => self.on_clause(clause),
            Statement::Config(line) => self.config_line(line),
        }
    }

    /// The image, or what is wrong.
    #[inline(never)]
    pub(crate) fn finish(mut self, extras: Extras) -> Result<Vec<u8>, Vec<Diagnostic>> {
        self.report_undeclared();
        if self.has_config {
            core::mem::swap(&mut self.body, &mut self.config);
            self.body.op(Op::End, &[]);
            let code = self.finish_body();
            self.records.push(Record { trigger: Trigger::Config, key: 0, code, filter: 0 });
        }
        if !self.diagnostics.is_empty() {
            return Err(self.diagnostics);
        }
        settle_places(&mut self.code, self.temporaries.min(TEMPORARIES.into()) as u8);
        let names = self.variables.iter().map(|variable| variable.name.of(self.source));
        let debug = if extras.debug { image::debug(names, &self.lines) } else { Vec::new() };
        let sections = image::Sections {
            variables: self.variables.len(),
            temporaries: self.temporaries,
            constants: &self.constants,
            records: &self.records,
            code: &self.code,
            debug: &debug,
            source: if extras.source { self.source } else { b"" },
        };
        let whole = Span::new(0, self.source.len());
        let too_large = |what, found, allowed| {
            Vec::from([Diagnostic::new(
                Code::ImageTooLarge,
                whole,
                format!(
                    "compiled, the script has {found} {what}, {} holds {allowed}",
                    self.profile.name
                ),
            )])
        };
        let image = image::write(&sections)
            .map_err(|error| too_large(error.what, error.found, error.allowed))?;
        let runs = image.len() - sections.source.len();
        if runs > self.profile.image {
            return Err(too_large("bytes", runs, self.profile.image));
        }
        Ok(image)
    }

    /// What was found wrong so far, for a script that will not be finished.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    fn on_clause(&mut self, clause: &OnClause) {
        let (trigger, key, filter) = self.event(&clause.event);
        self.context = match clause.event {
            Event::Topic { .. } => Context::Topic,
            Event::GpioInterrupt { .. } => Context::Gpio,
            Event::Serial => Context::Serial,
            Event::HttpResponse => Context::Http,
            _ => Context::None,
        };
        self.actions(&clause.actions);
        self.context = Context::None;
        // Also behind an endless loop: the verifier wants every segment to end.
        self.body.op(Op::End, &[]);
        let code = self.finish_body();
        self.records.push(Record { trigger, key, code, filter });
    }

    /// What wakes the handler: trigger, key and filter of its record.
    fn event(&mut self, event: &Event) -> (Trigger, u8, u16) {
        match event {
            Event::Init => (Trigger::Init, 0, 0),
            Event::WifiConnect => (Trigger::WifiConnect, 0, 0),
            Event::WifiDisconnect => (Trigger::WifiDisconnect, 0, 0),
            Event::MqttConnect => (Trigger::MqttConnect, 0, 0),
            Event::Serial => (Trigger::Serial, 0, 0),
            Event::HttpResponse => (Trigger::HttpResponse, 0, 0),
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
        self.body.line(line);
        let value = self.operand(filter);
        self.body.op(Op::Return, &[value]);
        (pattern, FilterKind::Expression as u8, self.finish_body())
    }

    fn config_line(&mut self, line: &ConfigLine) {
        self.has_config = true;
        core::mem::swap(&mut self.body, &mut self.config);
        let number = self.line_of(line.span);
        self.body.line(number);
        let name = line.name.of(self.source);
        // `config @N value` writes the flash variable, as `set` on the console does.
        let flash = name.strip_prefix(b"@").map(|digits| {
            let number = Number { span: line.name, value: umqtt_vm::parse_number(digits) };
            self.flash_variable(number)
        });
        // The name first: what has to be brought into temporaries comes in the order of the operands.
        let name =
            flash.is_none().then(|| self.known_value(fold::Known::Text(Cow::Borrowed(name))));
        let value = match line.value {
            ConfigValue::Text(span) => {
                self.known_value(fold::Known::Text(unescape(span.of(self.source))))
            }
            ConfigValue::Flash(number) => {
                let number = self.flash_variable(number);
                self.body.result(Op::Flash, &[], number, To::Temporary);
                self.body.top()
            }
        };
        match (name, flash) {
            (Some(name), _) => self.body.op(Op::Config, &[name, value]),
            (None, number) => {
                self.body.with_number(Op::SetFlash, &[value], number.unwrap_or_default());
            }
        }
        core::mem::swap(&mut self.body, &mut self.config);
    }

    /// Puts the finished code of the body away; returns its offset.
    fn finish_body(&mut self) -> u16 {
        let body = core::mem::replace(&mut self.body, Body::new());
        self.temporaries = self.temporaries.max(body.deepest());
        let offset = self.code.len();
        body.finish(&mut self.code, &mut self.lines);
        // Larger than 16 bits is found when the image is written.
        offset as u16
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
        let same = |variable: &Variable| variable.name.of(self.source) == text;
        if let Some(number) = self.variables.iter().position(same) {
            return Some(number as u16);
        }
        let allowed = self.profile.variables;
        if self.variables.len() == allowed {
            if !self.too_many_variables {
                self.too_many_variables = true;
                self.report(Diagnostic::new(
                    Code::TooManyVariables,
                    name,
                    format!(
                        "variable number {}, {} has room for {allowed}",
                        allowed + 1,
                        self.profile.name
                    ),
                ));
            }
            return None;
        }
        self.variables.push(Variable { name, set: false });
        Some((self.variables.len() - 1) as u16)
    }

    fn report_undeclared(&mut self) {
        let unset: Vec<Span> = self
            .variables
            .iter()
            .filter(|variable| !variable.set)
            .map(|variable| variable.name)
            .collect();
        for name in unset {
            let text = name.of(self.source);
            let set = self.variables.iter().filter(|variable| variable.set);
            let near = nearest(text, set.map(|variable| variable.name.of(self.source)));
            let mut diagnostic = Diagnostic::new(
                Code::UndeclaredVariable,
                name,
                format!("nothing sets {}", text.escape_ascii()),
            );
            diagnostic.help = Some(match near {
                Some(near) => format!("is it {}?", near.escape_ascii()),
                None => format!("give it a value first: setvar {} = 0", text.escape_ascii()),
            });
            self.report(diagnostic);
        }
    }

    fn count_pwm_pin(&mut self, pin: u8, span: Span) {
        self.pwm_pins |= 1 << pin;
        self.check_pins(self.pwm_pins, self.profile.pwm_channels, "gpio_pwm", span);
    }

    fn check_pins(&mut self, pins: u64, allowed: u8, what: &str, span: Span) {
        let found = pins.count_ones();
        if found > allowed.into() {
            self.report(Diagnostic::new(
                Code::TooManyPins,
                span,
                format!("{found} pins used by {what}, {} has {allowed}", self.profile.name),
            ));
        }
    }

    /// The source line of a span; quick when asked in the order of the source.
    fn line_of(&mut self, span: Span) -> u32 {
        let start = span.start as usize;
        if start < self.line_at.0 {
            self.line_at = (0, 1);
        }
        let between = self.source.get(self.line_at.0..start).unwrap_or_default();
        let line = self.line_at.1 + between.iter().filter(|byte| **byte == b'\n').count() as u32;
        self.line_at = (start, line);
        line
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        }
    }
}

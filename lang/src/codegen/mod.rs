//! The code generator: syntax trees, a statement at a time, to an image; and the errors only it can
//! see: ranges, limits, variables that nothing sets, event data outside its event.
//!
//! | file | job |
//! |---|---|
//! | `mod.rs` | statements, variables, limits |
//! | `actions.rs` | actions |
//! | `subs.rs`, `calls.rs` | subs and their calls |
//! | `blocks.rs` | handlers, `if` and `while`, as the parser reads them |
//! | `builder.rs` | the image while it is being made |
//! | `expr.rs`, `chain.rs` | expressions, chains of operators |
//! | `condition.rs` | conditions |
//! | `checks.rs` | lengths and ranges |
//! | `fold.rs` | computing what is known |
//! | `function.rs` | instructions and jumps of one handler |
//! | `constants.rs`, `variable.rs` | each constant once, variables |
//! | `renumber.rs` | operands, once the number of temporaries is known |
//! | `image.rs` | writing it all down |
//! | `options.rs` | what an image carries besides its code |

mod actions;
mod blocks;
mod builder;
mod calls;
mod chain;
mod checks;
mod condition;
mod constants;
mod expr;
pub(crate) mod fold;
mod function;
mod image;
mod jump;
mod options;
mod renumber;
mod subs;
mod variable;

use alloc::borrow::Cow;
use alloc::format;
use core::ops::{Deref, DerefMut};

use umqtt_topic::has_wildcard;
use umqtt_vm::Side;
use umqtt_vm::image::{FilterKind, Trigger, fingerprint};
use umqtt_vm::isa::Op;

pub(crate) use self::builder::{ImageBuilder, undeclared};
pub(crate) use self::checks::value_too_long;
use self::fold::{ConstValue, Scope, known};
use self::jump::Dest;
pub use self::options::{ConfigValues, EmitOptions};
use self::variable::Variable;
use crate::ast::{ConfigLine, ConfigValue, EventPattern, Expr, ExprKind, Number, Span};
use crate::diagnostic::{Code, Diagnostic};
use crate::literal::unescape;
use crate::named::NamedConstants;
use crate::parse::shown;

/// See the module. Feed it statements of one piece of source, then [`ImageBuilder::finish`].
pub(crate) struct Compiler<'s, 'c, 'r> {
    pub(crate) source: &'s [u8],
    /// Where in the script that starts.
    pub(crate) base: u32,
    /// The constants that the script names.
    pub(crate) named: &'s NamedConstants,
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
    fn event(&mut self, event: &EventPattern) -> (Trigger, u8, u16) {
        match event {
            EventPattern::Simple(trigger) => (*trigger, 0, 0),
            EventPattern::Sub(name) => (Trigger::Sub, 0, self.define_sub(*name)),
            EventPattern::Timer(number) => {
                (Trigger::Timer, self.in_range(*number, "timer", 1, self.profile.timers), 0)
            }
            EventPattern::Alarm(number) => {
                (Trigger::Alarm, self.in_range(*number, "alarm", 1, self.profile.alarms), 0)
            }
            EventPattern::Every(period, span) => {
                self.timed(Trigger::Every, period.cast_signed(), self.profile.timers, *span)
            }
            EventPattern::Clock(time, span) => {
                self.timed(Trigger::Clock, time.to_int(), self.profile.alarms, *span)
            }
            EventPattern::GpioInterrupt { pin, pullup } => {
                let number = self.pin(*pin);
                let allowed = self.profile.interrupt_pins;
                self.interrupt_pins |= 1 << number;
                self.check_pins(self.interrupt_pins, allowed, "gpio_interrupt", pin.span);
                (Trigger::Gpio, number, (*pullup).into())
            }
            EventPattern::Topic { broker, filter } => {
                let (name, pattern) = match broker.side {
                    Side::Local => (Trigger::LocalName, Trigger::LocalFilter),
                    Side::Remote => (Trigger::RemoteName, Trigger::RemoteFilter),
                };
                self.filter(filter, name, pattern)
            }
        }
    }

    /// A handler that time wakes: each has a number of its own, and a constant that says when.
    #[inline(never)]
    fn timed(&mut self, trigger: Trigger, when: i32, most: u8, span: Span) -> (Trigger, u8, u16) {
        let before = self.records.iter().filter(|record| record.trigger == trigger).count();
        let key = u8::try_from(before).ok().filter(|key| *key < most).unwrap_or_else(|| {
            let device = self.profile.name;
            self.report(|| {
                let (found, word) = (before + 1, trigger.event_word());
                let message = format!("{found} handlers of `on {word}`, {device} has {most}");
                Diagnostic::new(Code::TooManyTimed, span, message)
            });
            0
        });
        (trigger, key, self.constants.int(when) as u16)
    }

    fn filter(&mut self, filter: &Expr, name: Trigger, pattern: Trigger) -> (Trigger, u8, u16) {
        if let Some(known) = self.known(filter) {
            self.check_literals(filter);
            let text = known.into_bytes();
            let offset = self.constant_text(&text) as u16;
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

    /// The number of the constant with these bytes, which may be more than those of the source.
    fn constant_text(&mut self, text: &[u8]) -> u32 {
        let made = &mut *self.made;
        if made.constants.reserve_text(made.budget, text.len(), made.step) {
            made.constants.text(text)
        } else {
            0
        }
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
        let name = flash.is_none().then(|| self.known_value(ConstValue::Text(Cow::Borrowed(name))));
        let value = match line.value {
            ConfigValue::Text(span) => {
                let written = unescape(span.of(self.source));
                let values = self.config_values;
                let name = line.name.of(self.source);
                match values.and_then(|values| values(name, &written)) {
                    // On a chip there are none, and there is no more room than was asked for.
                    Some(value) => {
                        let text = self.constant_text(&value);
                        self.function.constant(text)
                    }
                    None => self.known_value(ConstValue::Text(written)),
                }
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

    /// The value of an expression, if it is known.
    fn known(&self, expr: &Expr) -> Option<ConstValue<'s>> {
        let scope = Scope { text: self.source, named: self.named, missing: None };
        known(scope, expr, self.profile.value)
    }

    fn set_variable(&mut self, name: Span) -> u16 {
        if let Some(constant) = self.named.find(name.of(self.source)) {
            let at = self.named.entries.get(constant).map(|entry| entry.at).unwrap_or_default();
            let (text, base) = (shown(name.of(self.source)), self.base);
            self.report(|| {
                let message = format!("`{text}` is a constant, it cannot be set");
                // The diagnostic is moved by the base of the piece later.
                let at =
                    Span { start: at.start.wrapping_sub(base), end: at.end.wrapping_sub(base) };
                Diagnostic::new(Code::SetConstant, name, message)
                    .hinted(|it| it.related(at, "defined here"))
            });
            return 0;
        }
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
        if !self.is_room_for_variable(name) {
            return None;
        }
        let start = self.names.len() as u32;
        self.names.extend_from_slice(text);
        let first = Span { start: name.start + self.base, end: name.end + self.base };
        self.variables.push(Variable { start, first, set: false });
        Some((self.variables.len() - 1) as u16)
    }

    /// Whether there is room for one more variable, named or not; reported once if not.
    #[inline(never)]
    fn is_room_for_variable(&mut self, at: Span) -> bool {
        let (allowed, kept) = (self.profile.variables, self.kept);
        if self.variables.len() + usize::from(kept) < allowed {
            return true;
        }
        if !self.too_many_constants && !self.too_many_variables {
            self.too_many_variables = true;
            let device = self.profile.name;
            self.report(|| {
                let message =
                    format!("variable number {}, {device} has room for {allowed}", allowed + 1);
                let diagnostic = Diagnostic::new(Code::TooManyVariables, at, message);
                diagnostic.hinted(|it| match kept {
                    0 => it,
                    1 => it.help("`changed` takes one"),
                    _ => it.help(format!("each `changed` takes one: {kept} so far")),
                })
            });
        }
        false
    }

    /// The source line of a span.
    fn line_of(&mut self, span: Span) -> u32 {
        let source = self.source;
        self.line_at(source, span.start as usize)
    }
}

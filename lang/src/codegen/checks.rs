//! What the parser does not check: lengths of literals, ranges of numbers, how many pins there are.

use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::Profile;

use super::Compiler;
use crate::ast::{Call, Expr, ExprKind, Number, Span};
use crate::diagnostic::{Code, Diagnostic};
use crate::literal::unescape;
use crate::parse::shown;

/// A literal has more bytes than a value may have.
#[cold]
#[inline(never)]
pub(crate) fn value_too_long(span: Span, len: usize, profile: &Profile) -> Diagnostic {
    let (device, most) = (profile.name, profile.value);
    let message = format!("this text has {len} bytes, a value on {device} holds at most {most}");
    Diagnostic::new(Code::ValueTooLong, span, message)
}

impl Compiler<'_, '_, '_> {
    /// Reports what is wrong with literals, wherever in an expression they stand.
    pub(super) fn check_literals(&mut self, expr: &Expr) {
        let mut left = Vec::new();
        let mut next = Some(expr);
        while let Some(expr) = next.take().or_else(|| left.pop())
            && self.budget.refused().is_none()
        {
            match &expr.kind {
                ExprKind::Text => {
                    let len = unescape(expr.span.of(self.source)).len();
                    self.check_len(expr, len);
                }
                ExprKind::Hex => self.check_len(expr, (expr.span.of(self.source).len() - 1) / 2),
                ExprKind::Bracketed(inner) => next = Some(inner),
                ExprKind::Call(call) => match &**call {
                    Call::Unary(_, operand) => next = Some(operand),
                    Call::Pair(_, first, second) => {
                        next = Some(first);
                        self.put_off(&mut left, [second].into_iter());
                    }
                    Call::Triple(_, first, second, third) => {
                        next = Some(first);
                        self.put_off(&mut left, [second, third].into_iter());
                    }
                    _ => {}
                },
                ExprKind::Chain(chain) => {
                    next = Some(&chain.first);
                    self.put_off(&mut left, chain.rest.iter().map(|link| &link.operand));
                }
                ExprKind::Logic(chain) => {
                    next = Some(&chain.first);
                    self.put_off(&mut left, chain.rest.iter().map(|link| &link.operand));
                }
                ExprKind::Variable | ExprKind::Flash(_) | ExprKind::Special(_) => {}
            }
        }
    }

    /// Puts these on the list, the first of them on top.
    fn put_off<'a>(
        &self,
        left: &mut Vec<&'a Expr>,
        operands: impl DoubleEndedIterator<Item = &'a Expr> + ExactSizeIterator,
    ) {
        if self.budget.grow_beside(left, operands.len(), self.step) {
            left.extend(operands.rev());
        }
    }

    fn check_len(&mut self, expr: &Expr, len: usize) {
        if len > self.profile.value {
            let profile = self.profile;
            self.report(|| value_too_long(expr.span, len, profile));
        }
    }

    /// A pin's number, checked.
    pub(super) fn pin(&mut self, number: Number) -> u8 {
        self.in_range(number, "pin", 0, self.profile.max_pin)
    }

    /// A flash variable's number, checked.
    pub(super) fn flash_variable(&mut self, number: Number) -> u8 {
        self.in_range(number, "flash variable", 1, self.profile.flash_variables)
    }

    /// A number, checked; the lowest allowed if it is wrong, which has been reported then.
    pub(super) fn in_range(&mut self, number: Number, what: &str, low: u8, high: u8) -> u8 {
        match u8::try_from(number.value) {
            Ok(value) if (low..=high).contains(&value) => value,
            _ => {
                let device = self.profile.name;
                let name = number.span.of(self.source);
                let name = name.strip_prefix(b"@").unwrap_or(name);
                let is_named = name.first() == Some(&b'$');
                self.report(|| {
                    let value = number.value;
                    let message =
                        format!("{what} {value} does not exist: {device} has {low} to {high}");
                    Diagnostic::new(Code::OutOfRange, number.span, message).hinted(|it| {
                        match is_named.then(|| shown(name)) {
                            Some(name) => it.related(number.span, format!("`{name}` is {value}")),
                            None => it,
                        }
                    })
                });
                low
            }
        }
    }

    pub(super) fn count_pwm_pin(&mut self, pin: u8, span: Span) {
        self.pwm_pins |= 1 << pin;
        self.check_pins(self.pwm_pins, self.profile.pwm_channels, "gpio_pwm", span);
    }

    pub(super) fn check_pins(&mut self, pins: u64, allowed: u8, what: &str, span: Span) {
        let found = pins.count_ones();
        if found > allowed.into() {
            let device = self.profile.name;
            self.report(|| {
                let message = format!("{found} pins used by {what}, {device} has {allowed}");
                Diagnostic::new(Code::TooManyPins, span, message)
            });
        }
    }
}

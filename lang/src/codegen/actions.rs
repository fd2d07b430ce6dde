//! Code for actions.

use alloc::format;

use umqtt_vm::isa::{Format, Op};
use umqtt_vm::{PinMode, Side};

use super::Compiler;
use super::jump::Dest;
use crate::ast::{Action, ActionKind, Broker, Expr, Number, Span, Target};
use crate::diagnostic::{Code, Diagnostic};

impl Compiler<'_, '_, '_> {
    /// Reports an action that takes more temporaries than there are; before it, so many were taken
    /// at most.
    pub(super) fn check_deepest(&mut self, before: usize, span: Span) {
        let (found, allowed) = (self.function.deepest(), self.profile.temporaries);
        if found > allowed && before <= allowed {
            let device = self.profile.name;
            self.report(|| {
                let message = format!("{found} values at once, {device} holds {allowed}");
                Diagnostic::new(Code::ChainTooLong, span, message)
                    .hinted(|it| it.help("compute parts of it into variables first"))
            });
        }
    }

    pub(super) fn action_code(&mut self, action: &Action) {
        match &action.kind {
            ActionKind::Publish { broker, topic, data, retained } => {
                let operands = [self.operand(topic), self.operand(data)];
                let op = match (broker.side, retained) {
                    (Side::Local, false) => Op::PublishLocal,
                    (Side::Local, true) => Op::PublishLocalRetained,
                    (Side::Remote, false) => Op::PublishRemote,
                    (Side::Remote, true) => Op::PublishRemoteRetained,
                };
                self.function.op(op, &operands);
            }
            ActionKind::Subscribe { broker, filter } => {
                self.on_side(*broker, filter, Op::SubscribeLocal, Op::SubscribeRemote);
            }
            ActionKind::Unsubscribe { broker, filter } => {
                self.on_side(*broker, filter, Op::UnsubscribeLocal, Op::UnsubscribeRemote);
            }
            ActionKind::Numbered { word, number, value } => {
                let op = word.op();
                let value = self.operand(value);
                let number = self.numbered(op, *number);
                self.function.with_number(op, &[value], number);
            }
            ActionKind::Unary { word, value } => self.one(word.op(), value),
            ActionKind::Pair { word, first, second } => {
                let operands = [self.operand(first), self.operand(second)];
                self.function.op(word.op(), &operands);
            }
            ActionKind::SetVar { target, value } => match target {
                Target::Variable(name) => {
                    let number = self.set_variable(*name);
                    if let Some(leaf) = self.compute(value, Dest::Variable(number)) {
                        self.function.set(number, leaf);
                    }
                }
                Target::Flash(number) => {
                    let value = self.operand(value);
                    let number = self.flash_variable(*number);
                    self.function.with_number(Op::SetFlash, &[value], number);
                }
            },
            ActionKind::PinMode { pin, mode } => {
                let pin = self.pin(*pin);
                let mode = match mode {
                    PinMode::Input => 0,
                    PinMode::InputPullup => 1,
                    PinMode::Output => 2,
                };
                self.function.pin_mode(pin, mode);
            }
            ActionKind::Call(name) => {
                if self.reserve_sub(name.len()) {
                    self.call_sub(*name);
                }
            }
            // Blocks come as heads and ends; see `blocks`.
            ActionKind::If { .. } | ActionKind::While(_) => {}
        }
    }

    /// The number of what an action sets, checked.
    fn numbered(&mut self, op: Op, number: Number) -> u8 {
        match op.format() {
            Format::Timer => self.in_range(number, "timer", 1, self.profile.timers),
            Format::Alarm => self.in_range(number, "alarm", 1, self.profile.alarms),
            _ => {
                let pin = self.pin(number);
                if op == Op::Pwm {
                    self.count_pwm_pin(pin, number.span);
                }
                pin
            }
        }
    }

    fn on_side(&mut self, broker: Broker, filter: &Expr, local: Op, remote: Op) {
        let op = match broker.side {
            Side::Local => local,
            Side::Remote => remote,
        };
        self.one(op, filter);
    }

    fn one(&mut self, op: Op, value: &Expr) {
        let value = self.operand(value);
        self.function.op(op, &[value]);
    }

    pub(super) fn truth(&self, condition: &Expr) -> Option<bool> {
        self.known(condition).map(|value| value.truth())
    }
}

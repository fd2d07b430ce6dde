//! Code for actions.

use alloc::format;

use umqtt_vm::isa::Op;
use umqtt_vm::{PinMode, Side};

use super::Compiler;
use super::body::To;
use super::fold::known;
use crate::ast::{Action, ActionKind, Broker, Expr, Output, Span, Target};
use crate::diagnostic::{Code, Diagnostic};

impl Compiler<'_, '_, '_> {
    /// Reports an action that takes more temporaries than there are; before it, so many were taken at most.
    pub(super) fn check_deepest(&mut self, before: usize, span: Span) {
        let (found, allowed) = (self.body.deepest(), self.profile.temporaries);
        if found > allowed && before <= allowed {
            let device = self.profile.name;
            self.report(|| {
                let message = format!("{found} values at once, {device} holds {allowed}");
                Diagnostic::new(Code::ChainTooLong, span, message)
                    .help("compute parts of it into variables first")
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
                self.body.op(op, &operands);
            }
            ActionKind::Subscribe { broker, filter } => {
                self.on_side(*broker, filter, Op::SubscribeLocal, Op::SubscribeRemote);
            }
            ActionKind::Unsubscribe { broker, filter } => {
                self.on_side(*broker, filter, Op::UnsubscribeLocal, Op::UnsubscribeRemote);
            }
            ActionKind::SetTimer { timer, value } => {
                let value = self.operand(value);
                let timer = self.in_range(*timer, "timer", 1, self.profile.timers);
                self.body.with_number(Op::SetTimer, &[value], timer);
            }
            ActionKind::SetAlarm { alarm, value } => {
                let value = self.operand(value);
                let alarm = self.in_range(*alarm, "alarm", 1, self.profile.alarms);
                self.body.with_number(Op::SetAlarm, &[value], alarm);
            }
            ActionKind::SetVar { target, value } => match target {
                Target::Variable(name) => {
                    let number = self.set_variable(*name);
                    if let Some(leaf) = self.compute(value, To::Variable(number)) {
                        self.body.set(number, leaf);
                    }
                }
                Target::Flash(number) => {
                    let value = self.operand(value);
                    let number = self.flash_variable(*number);
                    self.body.with_number(Op::SetFlash, &[value], number);
                }
            },
            ActionKind::HttpGet { url } => self.one(Op::HttpGet, url),
            ActionKind::HttpPost { url, body } => {
                let operands = [self.operand(url), self.operand(body)];
                self.body.op(Op::HttpPost, &operands);
            }
            ActionKind::PinMode { pin, mode } => {
                let pin = self.pin(*pin);
                let mode = match mode {
                    PinMode::Input => 0,
                    PinMode::InputPullup => 1,
                    PinMode::Output => 2,
                };
                self.body.pin_mode(pin, mode);
            }
            ActionKind::PinWrite { pin, value } => {
                let value = self.operand(value);
                let pin = self.pin(*pin);
                self.body.with_number(Op::PinWrite, &[value], pin);
            }
            ActionKind::Pwm { pin, value } => {
                let value = self.operand(value);
                let number = self.pin(*pin);
                self.count_pwm_pin(number, pin.span);
                self.body.with_number(Op::Pwm, &[value], number);
            }
            ActionKind::Output { to, value } => {
                let op = match to {
                    Output::SerialOut => Op::SerialOut,
                    Output::Print => Op::Print,
                    Output::Println => Op::Println,
                    Output::System => Op::System,
                };
                self.one(op, value);
            }
            // Blocks come as heads and ends; see `blocks`.
            ActionKind::If { .. } | ActionKind::While(_) => {}
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
        self.body.op(op, &[value]);
    }

    pub(super) fn truth(&self, condition: &Expr) -> Option<bool> {
        known(self.source, condition, self.profile.value).map(|value| value.truth())
    }
}

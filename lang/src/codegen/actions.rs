//! Code for actions.

use alloc::format;

use umqtt_vm::isa::Op;
use umqtt_vm::{PinMode, Side};

use super::Compiler;
use super::body::To;
use super::fold::known;
use crate::ast::{Action, ActionKind, Branch, Broker, Expr, Output, Target};
use crate::diagnostic::{Code, Diagnostic};

impl Compiler<'_> {
    /// Code for actions in a row. What comes behind an endless loop is checked, but leaves no code.
    pub(super) fn actions(&mut self, actions: &[Action]) {
        for (index, action) in actions.iter().enumerate() {
            if !self.body.reachable() {
                return self.unreachable(|this| {
                    actions[index..].iter().for_each(|action| this.action(action));
                });
            }
            self.action(action);
        }
    }

    /// Checks something that leaves no code.
    fn unreachable(&mut self, check: impl FnOnce(&mut Self)) {
        let (mark, constants) = (self.body.mark(), self.constants.len());
        check(self);
        self.body.forget_since(mark);
        self.constants.truncate(constants);
    }

    fn action(&mut self, action: &Action) {
        let line = self.line_of(action.span);
        self.body.line(line);
        let deepest = self.body.deepest();
        self.action_code(action);
        let (found, allowed) = (self.body.deepest(), self.profile.temporaries);
        if found > allowed && deepest <= allowed {
            self.report(
                Diagnostic::new(
                    Code::ChainTooLong,
                    action.span,
                    format!("{found} values at once, {} holds {allowed}", self.profile.name),
                )
                .help("compute parts of it into variables first"),
            );
        }
    }

    fn action_code(&mut self, action: &Action) {
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
            ActionKind::If { branches, otherwise } => {
                self.if_action(branches, otherwise.as_deref().unwrap_or_default());
            }
            ActionKind::While(branch) => self.while_action(branch),
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

    fn truth(&self, condition: &Expr) -> Option<bool> {
        known(self.source, condition, self.profile.value).map(|value| value.truth())
    }

    fn if_action(&mut self, branches: &[Branch], otherwise: &[Action]) {
        let end = self.body.label();
        let mut decided = false;
        for (index, branch) in branches.iter().enumerate() {
            if decided {
                self.unreachable(|this| {
                    this.operand(&branch.condition);
                    this.actions(&branch.actions);
                });
                continue;
            }
            match self.truth(&branch.condition) {
                Some(true) => {
                    self.check_only(&branch.condition);
                    self.actions(&branch.actions);
                    decided = true;
                }
                Some(false) => self.unreachable(|this| {
                    this.operand(&branch.condition);
                    this.actions(&branch.actions);
                }),
                None => {
                    let next = self.body.label();
                    self.branch(&branch.condition, false, next);
                    self.actions(&branch.actions);
                    let last = index + 1 == branches.len() && otherwise.is_empty();
                    if self.body.reachable() && !last {
                        self.body.jump(Op::Jump, &[], end);
                    }
                    self.body.place(next);
                }
            }
        }
        if decided {
            self.unreachable(|this| this.actions(otherwise));
        } else {
            self.actions(otherwise);
        }
        self.body.place(end);
    }

    fn while_action(&mut self, branch: &Branch) {
        match self.truth(&branch.condition) {
            Some(false) => self.unreachable(|this| {
                this.operand(&branch.condition);
                this.actions(&branch.actions);
            }),
            always => {
                let start = self.body.loop_start();
                let end = self.body.label();
                match always {
                    Some(_) => self.check_only(&branch.condition),
                    None => self.branch(&branch.condition, false, end),
                }
                self.actions(&branch.actions);
                self.body.loop_end(start);
                self.body.place(end);
            }
        }
    }

    /// Reports what is wrong with an expression that leaves no code.
    fn check_only(&mut self, expr: &Expr) {
        self.unreachable(|this| {
            this.operand(expr);
        });
    }
}

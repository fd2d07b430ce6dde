//! Pins used both as PWM output and as input (W0015).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::PinMode;

use super::facts::{Facts, each_node};
use crate::ast::{ActionKind, Call, Event, ExprKind, Number, Span};
use crate::diagnostic::{Code, Diagnostic};

/// W0015, once for each pin, at the later of the two uses.
pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut pwm: BTreeMap<i32, Span> = BTreeMap::new();
    let mut input: BTreeMap<i32, Span> = BTreeMap::new();
    let note = |uses: &mut BTreeMap<i32, Span>, pin: Number| {
        uses.entry(pin.value).or_insert(pin.span);
    };
    for clause in &facts.handlers {
        if let Event::GpioInterrupt { pin, .. } = clause.event {
            note(&mut input, pin);
        }
    }
    for step in &facts.steps {
        match step.action.kind {
            ActionKind::Pwm { pin, .. } => note(&mut pwm, pin),
            ActionKind::PinMode { pin, mode: PinMode::Input | PinMode::InputPullup } => {
                note(&mut input, pin);
            }
            _ => {}
        }
    }
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if let ExprKind::Call(call) = &node.kind
                && let Call::PinRead(pin) = **call
            {
                note(&mut input, pin);
            }
        });
    });
    for (pin, &output) in &pwm {
        let Some(&input) = input.get(pin) else { continue };
        let (first, words, second) = if output < input {
            (output, "here it is a PWM output", input)
        } else {
            (input, "here it is an input", output)
        };
        found.push(
            Diagnostic::new(
                Code::PinUsedTwice,
                second,
                format!("pin {pin} is used both as PWM output and as input"),
            )
            .related(first, words)
            .help("a pin that puts out PWM reads back its own pulses; use two pins"),
        );
    }
}

//! Pins used both as PWM output and as input (W0015), and pins that the flash chip needs (W0025).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::{PinMode, Profile};

use super::facts::{ScriptFacts, each_node};
use crate::ast::{ActionKind, ActionWord, Call, EventPattern, ExprKind, Number, Span};
use crate::diagnostic::{Code, Diagnostic};

/// The pins an ESP8266 reads its program through.
const FLASH_PINS: core::ops::RangeInclusive<i32> = 6..=11;

/// W0015, once for each pin, at the later of the two uses; W0025, once for each pin, at the first.
pub(super) fn check(facts: &ScriptFacts<'_>, profile: &Profile, found: &mut Vec<Diagnostic>) {
    let mut pwm: BTreeMap<i32, Span> = BTreeMap::new();
    let mut input: BTreeMap<i32, Span> = BTreeMap::new();
    let mut output: BTreeMap<i32, Span> = BTreeMap::new();
    let note = |uses: &mut BTreeMap<i32, Span>, pin: Number| {
        uses.entry(pin.value).or_insert(pin.span);
    };
    for clause in &facts.handlers {
        if let EventPattern::GpioInterrupt { pin, .. } = clause.event {
            note(&mut input, pin);
        }
    }
    for step in &facts.steps {
        match step.action.kind {
            ActionKind::Numbered { word: ActionWord::Pwm, number, .. } => note(&mut pwm, number),
            ActionKind::PinMode { pin, mode: PinMode::Input | PinMode::InputPullup } => {
                note(&mut input, pin);
            }
            ActionKind::PinMode { pin, .. }
            | ActionKind::Numbered { word: ActionWord::PinWrite, number: pin, .. } => {
                note(&mut output, pin);
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
    if profile.name == Profile::ESP8266.name {
        flash_pins([&pwm, &input, &output], found);
    }
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

fn flash_pins(uses: [&BTreeMap<i32, Span>; 3], found: &mut Vec<Diagnostic>) {
    for pin in FLASH_PINS {
        let first = uses.iter().filter_map(|pins| pins.get(&pin)).min();
        let Some(&span) = first else { continue };
        found.push(
            Diagnostic::new(
                Code::FlashPin,
                span,
                format!("pin {pin} is wired to the flash chip the program runs from"),
            )
            .help("using pins 6 to 11 of an ESP8266 stops the device; free are 0, 2, 4, 5 and 12 to 16"),
        );
    }
}

//! Calls: what they cost, how deep they go, and images that would break that.
#![allow(clippy::unwrap_used)]

mod common;

use common::Script;
use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::decode::instructions;
use umqtt_vm::image::{CHECKED_FROM, RECORD_WORDS, Trigger, WORD, checksum};
use umqtt_vm::isa::Op;
use umqtt_vm::{CodeError, Event, Image, Profile, Program, Side, TrapCode, VerifyError};

/// One sub calls the other, which looks at the message.
const TWO: &str = "on topic local a do call outer setvar $after = 1
sub inner do setvar $x = $x | $this_data
sub outer do call inner setvar $n = $n + 1 call inner";

#[test]
fn a_sub_does_what_stands_in_it_and_goes_on_behind_its_call() {
    let mut script = Script::new(TWO, 500, 100);
    script.message(b"a", b"x");
    script.message(b"a", b"y");
    assert_eq!(script.variable("$x"), b"xxyy");
    assert_eq!(script.variable("$n"), b"2");
    assert_eq!(script.variable("$after"), b"1");
}

#[test]
fn calls_within_loops_and_branches_come_back_to_them() {
    let mut script = Script::new(
        "on topic local a do
    setvar $i = 0
    while $i lt 5 do
        call step
        if $i mod 2 then call odd elseif $i = 2 then call two else call even endif
    done
    call deep
sub step do setvar $i = $i + 1
sub odd do setvar $x = $x | \"o\" call both
sub even do setvar $x = $x | \"e\" if $i > 3 then call both else setvar $x = $x | \"!\" endif
sub two do setvar $j = 0 while $j lt 2 do setvar $j = $j + 1 call both done
sub both do setvar $x = $x | $i
sub deep do call d2
sub d2 do call d3
sub d3 do call d4
sub d4 do call d5
sub d5 do call d6
sub d6 do call d7
sub d7 do call both setvar $x = $x | \".\"",
        500,
        100,
    );
    script.message(b"a", b"");
    assert_eq!(script.variable("$x"), b"o122o3e4o55.");
}

#[test]
fn what_calls_do_is_paid_for() {
    // Each sub calls the next one ten times: a hundred million calls.
    let calls = |to: usize| format!("call s{to} ").repeat(10);
    let subs: String = (1..8).map(|n| format!("sub s{n} do {}\n", calls(n + 1))).collect();
    let source = format!(
        "on topic local a do setvar $ran = $ran + 1 call s1\non topic local b do setvar $b = 1 call s8 setvar $b = 2\n{subs}sub s8 do setvar $x = $x + 1"
    );
    let mut script = Script::new(&source, 500, 100);
    let event = |topic| Event::Topic { side: Side::Local, topic, data: b"" };
    for _ in 0..3 {
        let trap = script.run(&event(b"a"), 100_000).unwrap_err();
        assert_eq!(trap.code, TrapCode::OutOfFuel);
        // The next handler starts with no call open.
        script.run(&event(b"b"), 1_000).unwrap();
        assert_eq!(script.variable("$b"), b"2");
    }
    assert_eq!(script.variable("$ran"), b"3");
    let count: u32 = String::from_utf8(script.variable("$x")).unwrap().parse().unwrap();
    assert!((1_000..100_000).contains(&count), "{count}");
}

#[test]
fn memory_that_runs_out_in_a_sub_leaves_no_call_open() {
    let mut script = Script::new(
        "on topic local a do call one\nsub one do setvar $x = $this_data | \"!\" call two\nsub two do setvar $y = $x | $x | $x | $x\non topic local b do setvar $z = 1 call three setvar $z = $z | \"b\"\nsub three do setvar $z = 2",
        70,
        100,
    );
    let event = |topic, data| Event::Topic { side: Side::Local, topic, data };
    for _ in 0..20 {
        let trap = script.run(&event(b"a", b"twenty bytes of a text"), 10_000).unwrap_err();
        assert_eq!(trap.code, TrapCode::OutOfMemory);
        script.run(&event(b"b", b""), 10_000).unwrap();
        assert_eq!(script.variable("$z"), b"2b");
    }
}

#[test]
fn an_argument_that_a_sub_uses_is_counted_when_it_is_cut() {
    for (source, cut) in [
        ("on topic local a do call s\nsub s do call t\nsub t do setvar $x = $this_data", 1),
        ("on topic local a do call s\nsub s do call t\nsub t do setvar $x = $this_topic", 0),
    ] {
        let mut script = Script::new(source, 500, 20);
        script.message(b"a", &[b'x'; 21]);
        assert_eq!(script.machine.warnings().values_cut, cut, "{source}");
    }
}

/// The words of the image of [`TWO`], to be changed.
fn changed(change: impl FnOnce(&mut [u32], &Image<'_>)) -> Vec<u8> {
    let mut bytes = compile(TWO.as_bytes(), &Profile::ESP8266, EmitOptions::new()).unwrap();
    let copy = bytes.clone();
    let image = Image::parse(&copy).unwrap();
    let start = image.layout().handlers.start;
    let end = image.layout().code.end;
    let mut words: Vec<u32> = bytes[start..end]
        .chunks(WORD)
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .collect();
    change(&mut words, &image);
    for (place, word) in bytes[start..end].chunks_mut(WORD).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    let crc = checksum(&bytes[CHECKED_FROM..]).to_le_bytes();
    bytes[CHECKED_FROM - 4..CHECKED_FROM].copy_from_slice(&crc);
    bytes
}

fn refusal(bytes: &[u8]) -> Option<VerifyError> {
    Program::verify(bytes, &Profile::ESP8266).err()
}

#[test]
fn an_image_that_calls_itself_is_refused() {
    let records = 3;
    let code = records * RECORD_WORDS;
    let is = |op: Op| move |word: &u32| *word as u8 == op as u8;
    assert_eq!(refusal(&changed(|_, _| {})), None);
    let calls = |image: &Image<'_>| -> Vec<usize> {
        let found =
            instructions(image.code()).filter(|(_, instruction)| instruction.op == Op::Call);
        found.map(|(at, _)| at).collect()
    };
    let call_error = |bytes: &[u8]| match refusal(bytes) {
        Some(VerifyError::Code { why: CodeError::Call, .. }) => true,
        other => panic!("{other:?}"),
    };
    // The outer sub calls itself, and one that there is not.
    for number in [1, 2, 0xffff] {
        let bytes = changed(|words, image| {
            let at = code + calls(image)[1];
            words[at] = words[at] & 0xffff | number << 16;
        });
        assert!(call_error(&bytes));
    }
    // The depths of the records are what keeps them from that.
    let depth = |sub: usize, depth: u32| {
        changed(|words, _| {
            let at = (1 + sub) * RECORD_WORDS;
            assert_eq!(words[at] as u8, Trigger::Sub as u8);
            words[at] = words[at] & !0xff00 | depth << 8;
        })
    };
    assert!(call_error(&depth(0, 2)));
    for wrong in [0, 9, 255] {
        // Found at the record, or before at a handler that calls it.
        let refused = refusal(&depth(1, wrong));
        let at_call = matches!(refused, Some(VerifyError::Code { why: CodeError::Call, .. }));
        assert!(at_call || matches!(refused, Some(VerifyError::Handler(_))), "{wrong}");
    }
    assert_eq!(refusal(&depth(1, 8)), None);
    // A sub may not look at what its record does not have, and who calls it must have it.
    let arguments =
        |sub: usize, mask: u32| changed(|words, _| words[(1 + sub) * RECORD_WORDS + 1] = mask);
    assert!(matches!(
        refusal(&arguments(0, 0)),
        Some(VerifyError::Code { why: CodeError::Operand, .. })
    ));
    assert!(call_error(&arguments(1, 0)));
    assert!(call_error(&arguments(1, 4)));
    assert!(call_error(&arguments(1, 16)));
    assert!(matches!(refusal(&arguments(0, 18)), Some(VerifyError::Handler(_))));
    // It ends as a sub, at its own start, and a handler does not.
    let leave = |change: fn(u32) -> u32| {
        changed(|words, _| {
            let at = words.iter().rposition(is(Op::Leave)).unwrap();
            words[at] = change(words[at]);
        })
    };
    for bytes in [
        leave(|word| word - (1 << 16)),
        leave(|word| word & 0xffff),
        leave(|word| word & !0xff | Op::End as u32),
        changed(|words, _| {
            let at = code + words[code..].iter().position(is(Op::End)).unwrap();
            words[at] = Op::Leave as u32 | 3 << 16;
        }),
    ] {
        let refused = refusal(&bytes);
        assert!(
            matches!(refused, Some(VerifyError::Code { why: CodeError::Misplaced, .. })),
            "{refused:?}"
        );
    }
}

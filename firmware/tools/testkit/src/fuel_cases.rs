//! Every operation of a script with every kind of value, each again and again until the fuel is
//! used up: for who counts what a unit of fuel buys. An operation that is new does not compile here
//! before it has a case.

use umqtt_vm::isa::Op;

/// A script that does the same again and again when its timer is due, a millisecond after its
/// start.
pub struct FuelCase {
    /// The operation, what it is done in, and with what.
    pub name: String,
    /// The script.
    pub script: String,
}

/// Statements in a round, mostly: the jump back is a small part of it.
const STATEMENTS: usize = 6;
/// Most values in a list of a case.
const MANY: usize = 50;

/// A kind of value.
#[derive(PartialEq)]
struct Kind {
    name: &'static str,
    variable: &'static str,
    /// What makes it, in a handler of its own; `$one` is 1.
    made: &'static str,
}

/// Texts of 63 bytes, as flash variables have room for, and of 400: more would leave no room for
/// two and a result of 1,024 in the memory of a chip's script.
const KINDS: &[Kind] = &[
    Kind { name: "digit", variable: "$one", made: "" },
    Kind { name: "integer", variable: "$n", made: "setvar $n = -2147483647" },
    Kind { name: "decimal", variable: "$z", made: "setvar $z = $one * -0.123456789" },
    Kind { name: "text", variable: "$s", made: "setvar $s = \"on\"" },
    Kind {
        name: "digits",
        variable: "$d",
        made: "setvar $d = \"123456789\" setvar $d = $d | $d | $d | $d | $d | $d | $d",
    },
    Kind {
        name: "blanks",
        variable: "$w",
        made: "setvar $w = \"       \" setvar $w = $w | $w | $w | $w | $w | $w | $w | $w | \"      1\"",
    },
    Kind {
        name: "decimals",
        variable: "$q",
        made: "setvar $q = \"12345678\" setvar $q = \"0.\" | $q | $q | $q | $q | $q | $q | $q | \"12345\"",
    },
    Kind {
        name: "long text",
        variable: "$a",
        made: "setvar $a = \"aaaaaaaaaa\" setvar $a = $a | $a | $a | $a | $a | $a | $a | $a
            setvar $a = $a | $a | $a | $a | $a",
    },
    Kind {
        name: "long digits",
        variable: "$e",
        made: "setvar $e = \"1234567890\" setvar $e = $e | $e | $e | $e | $e | $e | $e | $e
            setvar $e = $e | $e | $e | $e | $e",
    },
    Kind {
        name: "long blanks",
        variable: "$b",
        made: "setvar $b = \"          \" setvar $b = $b | $b | $b | $b | $b | $b | $b | $b
            setvar $b = $b | $b | $b | $b | $b",
    },
    Kind {
        name: "JSON",
        variable: "$j",
        // Members named `a`.
        made: "setvar $j = #2261223a312c setvar $j = $j | $j | $j | $j | $j | $j | $j | $j | $j | $j
            setvar $j = #7b | $j | $j | $j | $j | $j | $j | #2261223a317d",
    },
    Kind {
        name: "JSON array",
        variable: "$l",
        made: "setvar $l = #312c312c312c312c312c setvar $l = $l | $l | $l | $l | $l | $l | $l | $l
            setvar $l = #5b | $l | $l | $l | $l | $l | #315d",
    },
    Kind {
        name: "JSON brackets",
        variable: "$g",
        made: "setvar $g = #5b5b5b5b5b5b5d5d5d5d5d5d2c setvar $g = $g | $g | $g | $g | $g | $g | $g | $g
            setvar $g = #5b | $g | $g | $g | $g | #315d",
    },
    Kind {
        name: "JSON escapes",
        variable: "$m",
        made: "setvar $m = #5c6e5c6e5c7530303431 setvar $m = $m | $m | $m | $m | $m | $m | $m | $m
            setvar $m = #22 | $m | $m | $m | $m | $m | #22",
    },
    Kind {
        name: "control bytes",
        variable: "$o",
        made: "setvar $o = #01010101010101010101 setvar $o = $o | $o | $o | $o | $o | $o | $o | $o",
    },
    Kind {
        name: "no UTF-8",
        variable: "$u",
        made: "setvar $u = #ff80ff80ff80ff80ff80 setvar $u = $u | $u | $u | $u | $u | $u | $u | $u",
    },
    Kind { name: "short decimal", variable: "$p", made: "setvar $p = \"1.5\"" },
    Kind { name: "empty", variable: "$r", made: "setvar $r = \"\"" },
];

/// How an operation is tried.
enum Trial {
    /// In these statements, each kind of value in the place of `A`, and of `B` where there is one;
    /// `A..` is a list of many.
    With(&'static [&'static str]),
    /// Not at all, and why.
    Not(#[expect(dead_code, reason = "for who reads it")] &'static str),
}

/// The trial of each operation.
fn trial(op: Op) -> Trial {
    use Trial::{Not, With};
    match op {
        Op::JumpEqual => With(&["if A neq B then setvar $x = 1 endif"]),
        Op::JumpNotEqual => With(&["if A = B then setvar $x = 1 endif"]),
        Op::Equal => With(&["setvar $x = A = B"]),
        Op::NotEqual => With(&["setvar $x = A neq B"]),
        Op::JumpGreater => With(&["if A lte B then setvar $x = 1 endif"]),
        Op::JumpLessEqual => With(&["if A > B then setvar $x = 1 endif"]),
        Op::JumpLess => With(&["if A gte B then setvar $x = 1 endif"]),
        Op::JumpGreaterEqual => With(&["if A lt B then setvar $x = 1 endif"]),
        Op::Greater => With(&["setvar $x = A > B"]),
        Op::LessEqual => With(&["setvar $x = A lte B"]),
        Op::Less => With(&["setvar $x = A lt B"]),
        Op::GreaterEqual => With(&["setvar $x = A gte B"]),
        Op::Add => With(&["setvar $x = A + B"]),
        Op::Sub => With(&["setvar $x = A - B"]),
        Op::Mul => With(&["setvar $x = A * B"]),
        Op::Div => With(&["setvar $x = A div B"]),
        Op::Mod => With(&["setvar $x = A mod B"]),
        Op::And => With(&["setvar $x = A and B"]),
        Op::Or => With(&["setvar $x = A or B"]),
        Op::StringGreater => With(&["setvar $x = A str_gt B"]),
        Op::StringGreaterEqual => With(&["setvar $x = A str_gte B"]),
        Op::ByteVal => With(&["setvar $x = byte_val(A, 3)"]),
        Op::Find => With(&["setvar $x = find(A, B)"]),
        Op::JsonParse => With(&["setvar $x = json_parse(A, B)", "setvar $x = json_parse(\"\", A)"]),
        Op::PublishLocal => With(&["publish local A B"]),
        Op::PublishLocalRetained => With(&["publish local A B retained"]),
        Op::PublishRemote => With(&["publish remote A B"]),
        Op::PublishRemoteRetained => With(&["publish remote A B retained"]),
        Op::HttpPost => With(&["http_post A, B"]),
        Op::JumpFalse => With(&["if A then setvar $x = 1 endif"]),
        Op::JumpTrue => With(&["if not(A) then setvar $x = 1 endif"]),
        Op::Set => With(&["setvar $x = A", "setvar $x = A setvar $x = 1"]),
        Op::Not => With(&["setvar $x = not(A)"]),
        Op::PinWrite => With(&["gpio_out 4 A"]),
        Op::Pwm => With(&["gpio_pwm 4 A"]),
        Op::SetTimer => With(&["settimer 1 A", 
            "settimer 1 60001 settimer 2 60002 settimer 3 60003 settimer 4 60004 settimer 5 60005
             settimer 6 60006 settimer 7 60007 settimer 8 60008 settimer 9 60009 settimer 10 60010
             settimer 11 60011 settimer 12 60012 settimer 13 60013 settimer 14 60014
             settimer 15 60015 settimer 16 50000",
        ]),
        Op::Print => With(&["print A"]),
        Op::Println => With(&["println A"]),
        Op::SubscribeLocal => With(&["subscribe local A"]),
        Op::SubscribeRemote => With(&["subscribe remote A"]),
        Op::UnsubscribeLocal => With(&["unsubscribe local A"]),
        Op::UnsubscribeRemote => With(&["unsubscribe remote A"]),
        Op::SerialOut => With(&["serial_out A"]),
        Op::System => With(&["system A"]),
        Op::HttpGet => With(&["http_get A"]),
        Op::SetAlarm => With(&[
            "setalarm 1 A",
            "setalarm 1 \"00:59:59\" setalarm 2 \"02:00\" setalarm 3 \"03:01:02\" setalarm 4 \"04\"
             setalarm 5 \"05\" setalarm 6 \"06\" setalarm 7 \"07\" setalarm 8 \"08\" setalarm 9 \"09\"
             setalarm 10 \"10\" setalarm 11 \"11\" setalarm 12 \"12\" setalarm 13 \"13\"
             setalarm 14 \"14\" setalarm 15 \"15\" setalarm 16 \"00:00\"",
        ]),
        Op::SetFlash => With(&["setvar @1 = A"]),
        Op::Binary => With(&["setvar $x = binary(A)"]),
        Op::EatWhite => With(&["setvar $x = eatwhite(A)"]),
        Op::Lower => With(&["setvar $x = lower(A)"]),
        Op::Upper => With(&["setvar $x = upper(A)"]),
        Op::Len => With(&["setvar $x = len(A)"]),
        Op::Retained => With(&["setvar $x = retained_topic(A)"]),
        Op::Join => With(&["setvar $x = A | B", "setvar $x = A | A | A | A | A | A | A | A | B"]),
        Op::PinRead => With(&["setvar $x = gpio_in(4)"]),
        Op::PinMode => With(&["gpio_pinmode 4 output"]),
        Op::Adc => With(&["setvar $x = $adc"]),
        Op::Timestamp => With(&["setvar $x = $timestamp"]),
        Op::Weekday => With(&["setvar $x = $weekday"]),
        Op::Flash => With(&["setvar $x = @1"]),
        Op::Substr => With(&["setvar $x = substr(A, 1, 700)", "setvar $x = substr(A, 0, 9)"]),
        Op::CsvStr => With(&["setvar $x = csvstr(A, 90, \",\")", "setvar $x = csvstr(A, 1, \";\")"]),
        Op::Random => With(&["setvar $x = random(A)"]),
        Op::Changed => With(&["setvar $x = changed(A)", "setvar $x = changed(A | $x)"]),
        Op::Json => With(&["setvar $x = json(\"a\", A, \"b\", B)"]),
        Op::JsonArray => With(&["setvar $x = json_array(A)", "setvar $x = json_array(A..)"]),
        Op::JsonLen => With(&["setvar $x = json_len(A, B)", "setvar $x = json_len(\"\", A)"]),
        Op::Round => With(&["setvar $x = round(A, B)"]),
        Op::Fixed => With(&["setvar $x = fixed(A, B)", "setvar $x = fixed(A, 9)"]),
        Op::Divide => With(&["setvar $x = divide(A, B, 9)", "setvar $x = divide(1, B, A)"]),
        Op::Int => With(&["setvar $x = int(A)"]),
        Op::Abs => With(&["setvar $x = abs(A)"]),
        Op::Min => With(&["setvar $x = min(A, B)"]),
        Op::Max => With(&["setvar $x = max(A, B)"]),
        Op::Call | Op::Leave => With(&["call nothing"]),
        Op::Sunrise => With(&["setvar $x = $sunrise"]),
        Op::Sunset => With(&["setvar $x = $sunset"]),
        Op::Date => With(&["setvar $x = $date"]),
        Op::UnixTime => With(&["setvar $x = $unixtime"]),
        Op::Uptime => With(&["setvar $x = $uptime"]),
        Op::Between => With(&["setvar $x = between(A, B)"]),
        Op::Jump => With(&["if A = 1 then setvar $x = 1 else setvar $x = 2 endif"]),
        Op::Head | Op::Loop => With(&["setvar $k = 0 while $k lt 1 do setvar $k = $k + 1 done"]),
        Op::LoadVariable | Op::StoreVariable | Op::LoadConstant => {
            Not("they cost what a copy costs, where there are more values than places")
        }
        Op::End => Not("once in a handler"),
        Op::Return => Not("once for a handler with a computed filter"),
        Op::HttpCut => Not("reads a flag of the event, in the handler of an answer alone"),
        Op::Config => Not("in `on config` alone, once"),
    }
}

/// All cases.
pub fn fuel_cases() -> Vec<FuelCase> {
    Op::ALL.iter().flat_map(|op| cases_of(*op)).collect()
}

/// The cases of an operation.
pub fn cases_of(op: Op) -> Vec<FuelCase> {
    let Trial::With(templates) = trial(op) else { return Vec::new() };
    templates.iter().flat_map(|template| with_values(op, template)).collect()
}

/// A template with each value, and of two values with each beside itself, a digit, an integer and a
/// decimal.
fn with_values(op: Op, template: &str) -> Vec<FuelCase> {
    let has = |place: char| {
        template.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word == place.to_string())
    };
    let firsts = if has('A') { KINDS } else { &KINDS[..1] };
    let mut cases = Vec::new();
    for a in firsts {
        for b in if has('B') { KINDS } else { &KINDS[..1] } {
            let is_number = |kind: &Kind| ["digit", "integer", "decimal"].contains(&kind.name);
            if has('B') && a != b && !is_number(a) && !is_number(b) && !is_pair(op) {
                continue;
            }
            cases.push(case(op, template, a, b));
        }
    }
    cases
}

/// Whether what an operation does with one text depends on the other.
fn is_pair(op: Op) -> bool {
    matches!(op, Op::Find | Op::JsonParse | Op::JsonLen | Op::StringGreater | Op::Equal)
}

fn case(op: Op, template: &str, a: &Kind, b: &Kind) -> FuelCase {
    let list = [a.variable; MANY].join(", ");
    let statement = template
        .replace("A..", &list)
        .split_inclusive(|c: char| !c.is_ascii_alphabetic())
        .map(|word| match word.strip_suffix(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word) {
            "A" => word.replace('A', a.variable),
            "B" => word.replace('B', b.variable),
            _ => word.to_owned(),
        })
        .collect::<String>();
    let made = if a == b { a.made.to_owned() } else { format!("{} {}", a.made, b.made) };
    // Each `changed` keeps a value of its own.
    let times = if op == Op::Changed { 2 } else { STATEMENTS };
    let statements = vec![statement; times].join("\n");
    FuelCase {
        name: format!("{} `{template}` of {}, {}", op.mnemonic(), a.name, b.name),
        script: format!(
            "sub nothing do setvar $x = 0
on init do settimer 1 1 setvar $one = 1 {made}
on timer 1 do while 1 do
{statements}
done"
        ),
    }
}

#[cfg(test)]
mod tests {
    use umqtt_lang::{EmitOptions, compile};
    use umqtt_vm::decode::instructions;
    use umqtt_vm::{Image, Profile};

    use super::*;

    #[test]
    fn every_case_compiles_to_its_operation() {
        let mut wrong = Vec::new();
        for op in Op::ALL {
            for FuelCase { name, script } in cases_of(*op) {
                match compile(script.as_bytes(), &Profile::ESP8266, EmitOptions::new()) {
                    Err(errors) => wrong.push(format!("{name}: {:?}", errors[0].message)),
                    Ok(image) => {
                        let image = Image::parse(&image).unwrap();
                        if !instructions(image.code()).any(|(_, found)| found.op == *op) {
                            wrong.push(format!("{name}: it is not done"));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

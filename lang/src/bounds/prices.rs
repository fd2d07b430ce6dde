//! What each instruction pays at most, and how long a text it makes at most. The machine's own
//! sums are in `umqtt_vm`; a test holds that none is above these.

use umqtt_vm::decode::Instruction;
use umqtt_vm::fuel;
use umqtt_vm::isa::Op;

/// Longest text of a number that was computed, bytes.
pub(super) const NUMBER: u32 = 12;
/// Longest text of `fixed`, bytes.
const FIXED: u32 = 24;
/// Longest text of what the clock and the calendar tell, bytes.
const TOLD: u32 = 24;

/// What an instruction takes, and what it gives.
pub(super) struct Price {
    /// Fuel at most, without what making room for a text takes.
    pub(super) fuel: u64,
    /// Longest text it gives, bytes.
    pub(super) text: u32,
    /// Whether that may be a text and not a number.
    pub(super) is_text: bool,
    /// How many pieces it makes that text of in new memory; 0: it needs none.
    pub(super) pieces: u64,
    /// It looks at places of the broker's.
    pub(super) looks: bool,
}

/// The price of an instruction whose values are at most so long, where a value has `limit` bytes
/// at most and writing a flash variable costs `flash_write`.
pub(super) fn price(
    instruction: &Instruction<'_>,
    lens: &[u32],
    limit: u32,
    flash_write: u64,
) -> Price {
    let len = |at: usize| u64::from(lens.get(at).copied().unwrap_or(0));
    let all: u64 = lens.iter().map(|&len| u64::from(len)).sum();
    let count = lens.len() as u64;
    let (a, b, c) = (len(0), len(1), len(2));
    let per = |bytes: u64, per: usize| bytes / per as u64;
    let unit = |fuel: i32| fuel as u64;
    // A value read as a number; a number whose text is needed.
    let read = |len: u64| {
        unit(fuel::TEXT_NUMBER) + per(len, fuel::READ) + unit(fuel::DECIMAL_TEXT + fuel::QUOTIENT)
    };
    let number_text = unit(fuel::NUMBER_TEXT);
    let (text, call) = (unit(fuel::TEXT), unit(fuel::CALL));
    let free = Price { fuel: 0, text: 0, is_text: false, pieces: 0, looks: false };
    let costs = |fuel: u64| Price { fuel, ..free };
    let gives = |fuel: u64, text: u64| Price {
        fuel,
        text: u32::try_from(text).unwrap_or(limit).min(limit),
        is_text: true,
        pieces: 1,
        ..free
    };
    let copy = || Price { text: lens.first().copied().unwrap_or(0), is_text: true, ..free };
    let number = |fuel: u64| Price { fuel, text: NUMBER, ..free };
    let equal = 2 * text + 2 * number_text + per(a.min(b), fuel::COMPARED);
    let computed = unit(fuel::DECIMAL + fuel::QUOTIENT) + read(a) + read(b);
    match instruction.op {
        Op::JumpEqual | Op::JumpNotEqual => costs(equal),
        Op::Equal | Op::NotEqual => number(equal),
        Op::JumpGreater | Op::JumpLessEqual | Op::JumpLess | Op::JumpGreaterEqual => {
            costs(computed)
        }
        Op::Greater
        | Op::LessEqual
        | Op::Less
        | Op::GreaterEqual
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Mod
        | Op::And
        | Op::Or => number(computed),
        Op::StringGreater | Op::StringGreaterEqual => number(equal + text),
        Op::ByteVal => gives(unit(fuel::PART) + text + number_text + read(b), 3),
        // Each place, and what agrees there.
        Op::Find => number(2 * text + 2 * number_text + per(a * (b + 1), fuel::READ)),
        Op::JsonParse => {
            gives(unit(fuel::JSON) + 2 * number_text + per(a + 5 * b, fuel::READ), b.max(12))
        }
        Op::PublishLocal
        | Op::PublishLocalRetained
        | Op::PublishRemote
        | Op::PublishRemoteRetained => {
            Price { fuel: call + per(a + b, fuel::SENT) + unit(fuel::PUBLISH), looks: true, ..free }
        }
        Op::HttpPost | Op::Config => costs(call + per(a + b, fuel::SENT) + unit(fuel::REQUEST)),
        Op::JumpFalse | Op::JumpTrue => costs(read(a)),
        Op::Set | Op::StoreVariable | Op::LoadVariable | Op::LoadConstant => copy(),
        Op::Not => number(read(a)),
        Op::PinWrite | Op::Pwm | Op::SetTimer => costs(read(a) + call),
        Op::Print | Op::Println | Op::SerialOut => costs(call + a * unit(fuel::PRINTED)),
        Op::SubscribeLocal | Op::SubscribeRemote | Op::UnsubscribeLocal | Op::UnsubscribeRemote => {
            Price {
                fuel: call
                    + per(a, fuel::READ)
                    + unit(fuel::SUBSCRIBE)
                    + a * fuel::FILTER_BYTE as u64,
                looks: true,
                ..free
            }
        }
        Op::System => costs(call + per(a, fuel::READ) + unit(fuel::COMMAND)),
        Op::HttpGet => costs(call + per(a, fuel::READ) + unit(fuel::REQUEST)),
        Op::SetAlarm => costs(call + per(a, fuel::READ) + unit(fuel::ALARM)),
        Op::SetFlash => costs(call + per(a, fuel::READ) + flash_write),
        Op::Binary => gives(2 * text + read(a), 1),
        Op::EatWhite | Op::Lower | Op::Upper => gives(2 * text + a, a),
        Op::Len => number(text + number_text),
        Op::Retained => Price {
            looks: true,
            ..gives(
                call + unit(fuel::LOOKUP) + number_text + per(limit.into(), fuel::COPIED),
                limit.into(),
            )
        },
        Op::Join => Price {
            pieces: count,
            ..gives(count * (unit(fuel::JOINED) + number_text) + per(all, fuel::COPIED), all)
        },
        Op::Json | Op::JsonArray => Price {
            pieces: 4 * count + 2,
            // What is no UTF-8, and control bytes, become six bytes each.
            ..gives(
                count * (unit(fuel::JSON_NUMBER + fuel::JSON_TEXT) + number_text + 2)
                    + 3 * all
                    + per(6 * all, fuel::READ),
                6 * all + 3 * count + 2,
            )
        },
        Op::PinRead | Op::Adc => number(call),
        Op::HttpCut => number(0),
        Op::Random => number(call + read(a)),
        Op::Timestamp | Op::Weekday | Op::Date | Op::UnixTime | Op::Uptime => {
            gives(call, TOLD.into())
        }
        Op::Sunrise | Op::Sunset => gives(call + unit(fuel::SUN), TOLD.into()),
        Op::Flash => gives(call, umqtt_vm::FLASH_VARIABLE_LEN as u64),
        Op::Substr => gives(3 * text + number_text + read(b) + read(c), a.max(12)),
        Op::CsvStr => gives(4 * text + a + 2 * number_text + read(b), a.max(12)),
        Op::Changed => Price { pieces: 1, ..number(equal + text + per(a, fuel::COPIED)) },
        Op::JsonLen => Price {
            pieces: 2,
            ..number(unit(fuel::JSON) + 2 * number_text + per(a + 8 * b, fuel::READ))
        },
        Op::Fixed => gives(unit(fuel::DECIMAL) + read(a) + read(b), FIXED.into()),
        Op::Round | Op::Divide | Op::Int | Op::Abs | Op::Min | Op::Max => {
            number(unit(fuel::DECIMAL + fuel::DIVISION) + read(a) + read(b) + read(c))
        }
        Op::Between => number(2 * call + per(a + b, fuel::READ)),
        Op::Call => costs(unit(fuel::PART)),
        Op::Leave | Op::Loop => costs(unit(fuel::WORD) * u64::from(instruction.number())),
        Op::PinMode => costs(call),
        Op::Jump | Op::Head | Op::End | Op::Return => free,
    }
}

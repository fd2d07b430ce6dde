//! Actions: what instructions do outside the machine, and what that costs.

use umqtt_topic::check_filter;

use super::interpreter::Interpreter;
use super::value::Value;
use crate::isa::code;
use crate::number::NumberText;
use crate::{FLASH_VARIABLE_LEN, Host, PinMode, Side, Supervisor, fuel};

/// Most places an action is made to pay for: so many that no fuel is left, and fuel cannot wrap.
const MAX_LOOKUPS: u32 = i32::MAX as u32 / 4 / fuel::LOOKUP as u32;

// A number is written for what each action costs anyway.
impl Interpreter<'_> {
    #[inline(never)]
    pub(super) fn exec_pin_mode(&mut self, pin: u8, mode: u8) {
        let mode = match mode {
            0 => PinMode::Input,
            1 => PinMode::InputPullup,
            _ => PinMode::Output,
        };
        self.host.pin_mode(pin, mode);
        self.end_action();
    }

    /// An action with one value.
    #[inline(never)]
    pub(super) fn exec_action(&mut self, op: u8, value: Value, number: u8) {
        let mut digits = NumberText::new();
        let bytes = self.store.bytes(value, &mut digits);
        let host = &mut *self.host;
        let len = bytes.len();
        let printed = fuel::CALL + len as i32 * fuel::PRINTED;
        let mut cost = fuel::CALL + fuel::bytes(len, fuel::READ);
        match op {
            code::Print => {
                cost = printed;
                host.print(bytes, false);
            }
            code::Println => {
                cost = printed;
                host.print(bytes, true);
            }
            code::SerialOut => {
                cost = printed;
                host.serial_write(bytes);
            }
            code::SubscribeLocal
            | code::SubscribeRemote
            | code::UnsubscribeLocal
            | code::UnsubscribeRemote => {
                let lookups = subscription(host, self.supervisor, op, bytes);
                cost += subscription_cost(len, lookups);
            }
            code::System => {
                host.system(bytes);
                cost += fuel::COMMAND;
            }
            code::HttpGet => {
                host.http_get(bytes);
                cost += fuel::REQUEST;
            }
            code::SetAlarm => {
                self.supervisor.set_alarm(number, bytes);
                cost += fuel::ALARM;
            }
            _ => {
                host.flash_write(number, &bytes[..len.min(FLASH_VARIABLE_LEN)]);
                if len > FLASH_VARIABLE_LEN {
                    self.store.count_cut();
                }
                cost += self.store.state.flash_fuel;
            }
        }
        self.end_action_for(cost);
    }

    /// An action with two values.
    #[inline(never)]
    pub(super) fn exec_pair_action(&mut self, op: u8, a: Value, b: Value) {
        let (mut a_digits, mut b_digits) = (NumberText::new(), NumberText::new());
        let (a, b) = (self.store.bytes(a, &mut a_digits), self.store.bytes(b, &mut b_digits));
        let host = &mut *self.host;
        let mut cost = fuel::CALL + fuel::bytes(a.len() + b.len(), fuel::SENT);
        if op < code::HttpPost {
            let side = if op < code::PublishRemote { Side::Local } else { Side::Remote };
            // Of the two instructions for each broker the second retains.
            let lookups = match host.publish(side, a, b, op & 1 != 0) {
                Ok(lookups) => {
                    if side == Side::Local {
                        self.supervisor.published(a, self.store.event);
                    }
                    lookups.min(MAX_LOOKUPS)
                }
                Err(error) => {
                    self.supervisor.refused("publish to", a, error);
                    0
                }
            };
            cost += fuel::PUBLISH + lookups as i32 * fuel::LOOKUP;
        } else {
            if op == code::HttpPost {
                host.http_post(a, b);
            } else {
                host.config(a, b);
            }
            cost += fuel::REQUEST;
        }
        self.end_action_for(cost);
    }

    #[inline(always)]
    pub(super) fn end_action(&mut self) {
        self.end_action_for(fuel::CALL);
    }

    #[inline(always)]
    pub(super) fn end_action_for(&mut self, cost: i32) {
        self.store.pay(cost);
        self.store.end_statement();
    }
}

/// Subscribes or unsubscribes, unless the filter is none; at how many places that looked.
fn subscription(
    host: &mut dyn Host,
    supervisor: &mut dyn Supervisor,
    op: u8,
    filter: &[u8],
) -> u32 {
    let subscribe = op < code::UnsubscribeLocal;
    if let Err(error) = check_filter(filter) {
        let action = if subscribe { "subscribe to" } else { "unsubscribe from" };
        supervisor.refused(action, filter, error);
        return 0;
    }
    // Of each two instructions the second is for the remote broker.
    let local = (op - code::SubscribeLocal) & 1 == 0;
    let side = if local { Side::Local } else { Side::Remote };
    if subscribe { host.subscribe(side, filter) } else { host.unsubscribe(side, filter) }
}

fn subscription_cost(len: usize, lookups: u32) -> i32 {
    let lookups = lookups.min(MAX_LOOKUPS) as i32;
    fuel::SUBSCRIBE + lookups * fuel::LOOKUP + (len * fuel::FILTER_BYTE) as i32
}

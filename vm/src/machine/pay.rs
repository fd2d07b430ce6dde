//! What operations on values pay for, beside what their words cost: see [`crate::fuel`].

use super::store::ValueStore;
use super::value::Value;
use crate::fuel;

impl ValueStore<'_> {
    /// Takes fuel. Where none is left, the instruction is carried out, and the next one is not.
    #[inline(always)]
    pub(super) fn pay(&mut self, fuel: i32) {
        self.fuel -= fuel;
        if self.fuel < 0 {
            self.stop();
        }
    }

    /// Takes fuel for the text of a value, if it is a number.
    #[inline(always)]
    pub(super) fn pay_text(&mut self, value: Value) {
        if value.is_number() {
            self.pay_number_text(value);
        }
    }

    #[inline(never)]
    pub(super) fn pay_number_text(&mut self, value: Value) {
        // One digit is not written.
        if !value.as_int().is_some_and(|int| (0..10).contains(&int)) {
            self.pay(fuel::NUMBER_TEXT);
        }
    }

    /// Takes fuel for a string that is compared with another.
    #[inline(always)]
    pub(super) fn pay_comparison(&mut self, len: usize) {
        self.pay(fuel::TEXT + fuel::bytes(len, fuel::COMPARED));
    }

    /// Takes fuel for a string that is copied.
    #[inline(always)]
    pub(super) fn pay_copy(&mut self, len: usize) {
        self.pay(fuel::TEXT + fuel::bytes(len, fuel::COPIED));
    }

    /// Takes fuel for a string that is read as a number.
    #[inline(always)]
    pub(super) fn pay_read(&mut self, value: Value) {
        self.pay(fuel::TEXT_NUMBER + fuel::bytes(value.len(), fuel::READ));
    }

    #[cold]
    #[inline(never)]
    pub(super) fn pay_decimal(&mut self) {
        self.pay(fuel::DECIMAL_TEXT);
    }
}

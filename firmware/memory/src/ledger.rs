//! What is used of each share, the most that was, and what was refused.

use core::ops::{Index, IndexMut};

use crate::{Plan, Share};

/// One share's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The most it may hold, bytes.
    pub budget: usize,
    /// What it holds now.
    pub used: usize,
    /// The most it ever held.
    pub high_water: usize,
    /// How often something was refused for want of room in it, or of memory.
    pub refused: u32,
}

impl Account {
    /// Sets what it holds now.
    pub fn set_used(&mut self, bytes: usize) {
        self.used = bytes;
        self.high_water = self.high_water.max(bytes);
    }

    /// Bytes that are not used.
    pub fn free(&self) -> usize {
        self.budget.saturating_sub(self.used)
    }

    /// Whether so many bytes more are within the budget; if not, that counts as refused.
    #[must_use]
    pub fn admits(&mut self, more: usize) -> bool {
        let fits = more <= self.free();
        if !fits {
            self.refuse();
        }
        fits
    }

    /// Takes so many bytes; false, and counted, if they are not within the budget.
    #[must_use]
    pub fn take(&mut self, bytes: usize) -> bool {
        let fits = self.admits(bytes);
        if fits {
            self.set_used(self.used + bytes);
        }
        fits
    }

    /// Gives so many bytes back.
    pub fn give(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// Counts a refusal.
    pub fn refuse(&mut self) {
        self.refused = self.refused.saturating_add(1);
    }
}

/// The accounts of a device.
///
/// ```
/// use umqtt_memory::{Ledger, Plan, Share};
///
/// let mut ledger = Ledger::new(&Plan::ESP8266);
/// let account = &mut ledger[Share::Http];
/// assert!(account.take(1_000));
/// assert!(!account.take(1_000), "no more than the budget");
/// assert_eq!((account.used, account.refused), (1_000, 1));
/// ```
#[derive(Clone, Debug)]
pub struct Ledger([Account; Share::COUNT]);

impl Ledger {
    /// A ledger with nothing in it yet.
    pub fn new(plan: &Plan) -> Ledger {
        Ledger(Share::ALL.map(|share| Account { budget: plan.budget(share), ..Account::default() }))
    }

    /// All accounts, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (Share, &Account)> {
        Share::ALL.into_iter().zip(&self.0)
    }
}

impl Index<Share> for Ledger {
    type Output = Account;

    fn index(&self, share: Share) -> &Account {
        &self.0[share as usize]
    }
}

impl IndexMut<Share> for Ledger {
    fn index_mut(&mut self, share: Share) -> &mut Account {
        &mut self.0[share as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_refuses_what_passes_its_budget() {
        let mut ledger = Ledger::new(&Plan { console: 10, ..Plan::DESKTOP });
        let account = &mut ledger[Share::Console];
        assert!(account.take(7) && !account.take(4) && account.take(3));
        account.give(5);
        assert_eq!(
            ledger[Share::Console],
            Account { budget: 10, used: 5, high_water: 10, refused: 1 }
        );
        let order: alloc::vec::Vec<Share> = ledger.iter().map(|(share, _)| share).collect();
        assert_eq!(order, Share::ALL);
        assert!(Share::ALL.iter().enumerate().all(|(at, share)| *share as usize == at));
    }
}

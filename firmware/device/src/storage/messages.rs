//! The retained messages that are stored, saved a few records at a time.

use core::ops::Bound;

use embedded_storage::nor_flash::NorFlash;

use super::retained::{self, Saving};
use super::{SavedMessage, SavedMessages, Storage, StorageError};

impl<F: NorFlash> Storage<F> {
    /// Saves the retained messages in the place of those saved before, each by itself, and only
    /// those that have changed. `from` gives them from a topic on, in the order of their topics;
    /// `refused` gets the topics that do not fit.
    ///
    /// # Errors
    /// [`StorageError`]; each message is the one saved before or the new one then.
    pub fn save_retained<'m, I: Iterator<Item = SavedMessage<'m>>>(
        &mut self,
        from: &dyn Fn(Bound<&[u8]>) -> I,
        refused: &mut dyn FnMut(&[u8]),
    ) -> Result<(), StorageError> {
        self.saving = None;
        while !self.save_some_retained(from, refused)? {}
        Ok(())
    }

    /// As [`Storage::save_retained`], but at most [`retained::RECORDS_PER_STEP`] records of it,
    /// going on where the last call has stopped; true once all are saved.
    ///
    /// # Errors
    /// As [`Storage::save_retained`]; the next call begins anew.
    pub fn save_some_retained<'m, I: Iterator<Item = SavedMessage<'m>>>(
        &mut self,
        from: &dyn Fn(Bound<&[u8]>) -> I,
        refused: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, StorageError> {
        let mut saving = match self.saving.take() {
            Some(saving) => saving,
            None => Saving::new(&mut self.map)?,
        };
        let done = saving.step(&mut self.map, from, refused)?;
        if !done {
            self.saving = Some(saving);
        }
        Ok(done)
    }

    /// Whether [`Storage::save_some_retained`] has begun and has not come to its end.
    pub fn is_saving_retained(&self) -> bool {
        self.saving.is_some()
    }

    /// The retained messages that were saved.
    ///
    /// # Errors
    /// What the flash reports.
    pub fn load_retained(&mut self) -> Result<SavedMessages, StorageError> {
        retained::load(&mut self.map)
    }
}

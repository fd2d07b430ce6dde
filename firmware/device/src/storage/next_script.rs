//! The next script, which comes in pieces and takes the place of the one that is stored.

use embedded_storage::nor_flash::NorFlash;

use super::incoming::Incoming;
use super::{ImageBytes, MapFlash, Storage, StorageError};

impl<F: NorFlash> Storage<F> {
    /// More of the next script has come: source or bytecode. It goes beside the current one, which
    /// stays that until [`Storage::commit_incoming`].
    ///
    /// # Errors
    /// [`StorageError`]; [`Storage::drop_incoming`] is due then.
    pub fn append_incoming(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.slots.incoming_mut()?.append(self.map.flash(), bytes)
    }

    /// What the next script takes of the memory while it comes, bytes.
    pub fn incoming_memory(&self) -> usize {
        self.slots.incoming().map_or(0, Incoming::memory)
    }

    /// How much of the next script has come, bytes.
    pub fn incoming_len(&self) -> usize {
        self.slots.incoming().map_or(0, Incoming::len)
    }

    /// How the next script begins, up to four bytes.
    pub fn incoming_head(&self) -> &[u8] {
        self.slots.incoming().map_or(&[], Incoming::head)
    }

    /// The byte that has come last.
    pub fn incoming_last(&self) -> Option<u8> {
        self.slots.incoming().and_then(Incoming::last)
    }

    /// Whether an image was begun or looked at, and nothing more can come.
    pub fn incoming_is_closed(&self) -> bool {
        self.slots.incoming().is_some_and(Incoming::is_closed)
    }

    /// Reads what has come of the next script, from `offset` on; false where there is not so much,
    /// or the flash fails.
    pub fn read_incoming(&mut self, offset: usize, out: &mut [u8]) -> bool {
        let flash = self.map.flash();
        let incoming = self.slots.incoming();
        incoming.is_some_and(|incoming| incoming.read(flash, offset, out) == Ok(true))
    }

    /// More of the image that is compiled from what has come, which is source and all there.
    ///
    /// # Errors
    /// As [`Storage::append_incoming`].
    pub fn append_incoming_image(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.slots.incoming_mut()?.append_image(self.map.flash(), bytes)
    }

    /// The image of the next script: what has come, or what was compiled from it. Where it lies if
    /// `map` can; else in memory, if there is `room`. Nothing more can come then.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn incoming_image(
        &mut self,
        map: MapFlash<'_>,
        room: &dyn Fn(usize) -> bool,
    ) -> Result<ImageBytes, StorageError> {
        let flash = self.map.flash();
        self.slots.incoming_mut()?.image_bytes(flash, map, room)
    }

    /// What has come is bytecode of so many bytes, and something behind it that is not kept.
    /// Nothing more can come then.
    ///
    /// # Errors
    /// [`StorageError`]; [`Storage::drop_incoming`] is due then.
    pub fn cut_incoming(&mut self, len: usize) -> Result<(), StorageError> {
        let flash = self.map.flash();
        self.slots.incoming_mut()?.cut(flash, len)
    }

    /// Gives up what has come of the next script.
    pub fn drop_incoming(&mut self) {
        self.slots.drop_incoming();
    }

    /// Makes what has come the script, with the image that was compiled from it; if it is bytecode,
    /// its last `source` bytes are its source.
    ///
    /// # Errors
    /// [`StorageError`]; the old script is still there, and what had come is given up.
    pub fn commit_incoming(&mut self, source: usize) -> Result<(), StorageError> {
        // First the count of starts: should the power go between the two, the old script has three
        // more tries.
        let begun = self.script_start_done().and_then(|()| self.script_changes());
        if let Err(error) = begun {
            self.slots.drop_incoming();
            return Err(error);
        }
        self.slots.commit_incoming(self.map.flash(), source)
    }
}

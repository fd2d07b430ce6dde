//! The keys of the map's records.

use super::FLASH_VARIABLES;

/// Records for retained messages.
pub(super) const RETAINED_SLOTS: u8 = 127;
/// Pieces of the set in which older versions kept them.
pub(super) const RETAINED_CHUNKS: u8 = 8;

/// Room for the key, and for the padding to the flash's word.
pub(super) const MARGIN: usize = 64;

/// The key of a record. Never given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) u8);

impl Key {
    pub(super) const SETTINGS: Key = Key(0);
    pub(super) const LOCK: Key = Key(1);
    pub(super) const STARTS: Key = Key(2);
    pub(super) const RETAINED: Key = Key(3);
    pub(super) const LEASES: Key = Key(4);
    const FIRST_VARIABLE: u8 = 16;
    const FIRST_CHUNK: u8 = 64;
    const FIRST_RETAINED: u8 = 128;

    /// The key of flash variable `n`, if there is one.
    pub(super) fn variable(n: u8) -> Option<Key> {
        (1..=FLASH_VARIABLES).contains(&n).then_some(Key(Key::FIRST_VARIABLE + n))
    }

    /// The key of a retained message.
    pub(super) fn retained(slot: u8) -> Key {
        Key(Key::FIRST_RETAINED + slot % RETAINED_SLOTS)
    }

    /// The key of a piece of one of the two sets of retained messages of older versions.
    pub(super) fn chunk(set: u8, chunk: u8) -> Key {
        Key(Key::FIRST_CHUNK + set % 2 * RETAINED_CHUNKS + chunk % RETAINED_CHUNKS)
    }

    /// Every key there is.
    pub(super) fn all() -> impl Iterator<Item = Key> {
        [Key::SETTINGS, Key::LOCK, Key::STARTS, Key::RETAINED, Key::LEASES]
            .into_iter()
            .chain((1..=FLASH_VARIABLES).filter_map(Key::variable))
            .chain((0..2 * RETAINED_CHUNKS).map(|n| Key(Key::FIRST_CHUNK + n)))
            .chain((0..RETAINED_SLOTS).map(Key::retained))
    }
}

//! Numbered places for values: a slab that grows by pieces.
//!
//! What is there never moves, so growing needs no second, larger block of memory next to the first:
//! on a chip with some tens of KiB that block might not be found. A place costs the value and
//! nothing more.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Bytes of a piece, about: some values on a chip, a page of them where memory is plenty.
pub(crate) const PIECE: usize = if cfg!(target_pointer_width = "64") { 4096 } else { 512 };

#[derive(Debug)]
enum Place<T> {
    Taken(T),
    /// The next free place, or [`NONE`].
    Free(u32),
}

const NONE: u32 = u32::MAX;

/// See the module. The place given up last is given out first.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    /// Each has room for `1 << SHIFT` places; only the last one may have fewer.
    pieces: Vec<Vec<Place<T>>>,
    free: u32,
    len: u32,
}

impl<T> Arena<T> {
    const SHIFT: u32 = match PIECE / size_of::<Place<T>>() {
        0 => 0,
        places => places.ilog2(),
    };

    pub(crate) const fn new() -> Self {
        Arena { pieces: Vec::new(), free: NONE, len: 0 }
    }

    /// Values there are.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// Bytes of the block that the next value takes; 0 if there is a free place.
    pub(crate) fn grows_by(&self) -> usize {
        let full = 1 << Self::SHIFT;
        let is_full = self.free == NONE && self.pieces.last().is_none_or(|p| p.len() == full);
        if is_full { full * size_of::<Place<T>>() } else { 0 }
    }

    /// Puts a value into a free place; its number. There are fewer than 2^32 places: that many
    /// would not fit the memory of the machines this is for, and the limits are far below.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        self.len += 1;
        let at = self.free;
        if let Some(place) = self.place_mut(at) {
            if let Place::Free(next) = *place {
                *place = Place::Taken(value);
                self.free = next;
            }
            return at;
        }
        let full = 1 << Self::SHIFT;
        if self.pieces.last().is_none_or(|piece| piece.len() == full) {
            make_room(&mut self.pieces);
            self.pieces.push(Vec::with_capacity(full));
        }
        let before = (self.pieces.len() - 1) << Self::SHIFT;
        match self.pieces.last_mut() {
            Some(last) => {
                last.push(Place::Taken(value));
                (before + last.len() - 1) as u32
            }
            None => NONE, // there is one, made above
        }
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        let (piece, place) = Self::split(at);
        match self.pieces.get(piece)?.get(place)? {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        match self.place_mut(at)? {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    /// Takes a value out. With the last one all memory is given back.
    pub(crate) fn remove(&mut self, at: u32) -> Option<T> {
        let free = self.free;
        let place = self.place_mut(at)?;
        if matches!(place, Place::Free(_)) {
            return None;
        }
        let old = core::mem::replace(place, Place::Free(free));
        self.free = at;
        self.len -= 1;
        if self.len == 0 {
            *self = Arena::new();
        }
        match old {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    /// Takes out all values but the one whose number is 0, and gives back the memory of the pieces
    /// behind it.
    pub(crate) fn keep_first(&mut self) {
        self.pieces.truncate(1);
        if let Some(first) = self.pieces.first_mut() {
            first.truncate(1);
        }
        self.free = NONE;
        self.len = self.pieces.len() as u32;
    }

    /// All values and their numbers.
    #[cfg(any(test, feature = "journal"))]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.pieces.iter().flatten().enumerate().filter_map(|(at, place)| match place {
            Place::Taken(value) => Some((at as u32, value)),
            Place::Free(_) => None,
        })
    }

    fn place_mut(&mut self, at: u32) -> Option<&mut Place<T>> {
        let (piece, place) = Self::split(at);
        self.pieces.get_mut(piece)?.get_mut(place)
    }

    fn split(at: u32) -> (usize, usize) {
        let at = at as usize;
        (at >> Self::SHIFT, at & ((1 << Self::SHIFT) - 1))
    }
}

/// For a number that is known to be one; else a panic.
impl<T> Index<u32> for Arena<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        self.get(at).expect("a number that was given out")
    }
}

impl<T> IndexMut<u32> for Arena<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        self.get_mut(at).expect("a number that was given out")
    }
}

/// Makes room for one more in a table that many clients share: an eighth at a time instead of
/// doubling.
pub(crate) fn make_room<T>(table: &mut Vec<T>) {
    if table.len() == table.capacity() {
        table.reserve_exact((table.len() / 8).max(4));
    }
}

/// Bytes of the block to which [`make_room`] moves a table; 0 if it has room.
pub(crate) fn table_grows_by<T>(table: &Vec<T>) -> usize {
    if table.len() < table.capacity() {
        return 0;
    }
    (table.len() + (table.len() / 8).max(4)) * size_of::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_map_that_chooses_its_keys(steps in proptest::collection::vec(any::<u16>(), 0..600)) {
            let mut arena = Arena::<[u64; 40]>::new();
            let mut known = BTreeMap::new();
            for step in steps {
                if step % 5 < 3 {
                    let at = arena.insert([u64::from(step); 40]);
                    prop_assert_eq!(known.insert(at, u64::from(step)), None);
                } else {
                    let at = u32::from(step) % (known.len() as u32 + 2);
                    prop_assert_eq!(arena.get_mut(at).map(|v| v[0]), known.get(&at).copied());
                    prop_assert_eq!(arena.remove(at).map(|v| v[0]), known.remove(&at));
                }
                prop_assert_eq!(arena.len(), known.len());
            }
            prop_assert!(arena.iter().map(|(at, v)| (at, v[0])).eq(known.clone()));
            prop_assert_eq!(arena.get(u32::MAX), None);
            for at in known.keys() {
                arena.remove(*at);
            }
            prop_assert_eq!(arena.pieces.capacity(), 0);
        }
    }
}

//! Vectors that grow, or say that they cannot and stay as they are.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::credit::fallible;

/// Makes room for `more` values, doubling; false if there is no memory.
#[must_use]
pub fn try_room<T>(vec: &mut Vec<T>, more: usize) -> bool {
    vec.capacity() - vec.len() >= more || fallible(|| vec.try_reserve(more).is_ok())
}

/// Makes room for exactly `more` values; false if there is no memory.
#[must_use]
pub fn try_room_exact<T>(vec: &mut Vec<T>, more: usize) -> bool {
    vec.capacity() - vec.len() >= more || fallible(|| vec.try_reserve_exact(more).is_ok())
}

/// Makes room for `more` values in a queue; false if there is no memory.
#[must_use]
pub fn try_deque_room<T>(queue: &mut VecDeque<T>, more: usize) -> bool {
    queue.capacity() - queue.len() >= more || fallible(|| queue.try_reserve(more).is_ok())
}

/// Appends a value.
///
/// # Errors
/// The value, if there is no memory.
pub fn try_push<T>(vec: &mut Vec<T>, value: T) -> Result<(), T> {
    if !try_room(vec, 1) {
        return Err(value);
    }
    vec.push(value);
    Ok(())
}

/// Appends a value to a queue.
///
/// # Errors
/// The value, if there is no memory.
pub fn try_push_back<T>(queue: &mut VecDeque<T>, value: T) -> Result<(), T> {
    if !try_deque_room(queue, 1) {
        return Err(value);
    }
    queue.push_back(value);
    Ok(())
}

/// Appends bytes, all or none; room is made by doubling.
#[must_use]
pub fn try_append(vec: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let fits = try_room(vec, bytes.len());
    if fits {
        vec.extend_from_slice(bytes);
    }
    fits
}

/// Appends bytes, all or none, without room for more.
#[must_use]
pub fn try_extend(vec: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let fits = try_room_exact(vec, bytes.len());
    if fits {
        vec.extend_from_slice(bytes);
    }
    fits
}

/// Gives back what a queue has over room for `keep` values, as far as there is memory for the
/// smaller block: shrinking allocates too.
pub fn shrink_deque<T>(queue: &mut VecDeque<T>, keep: usize) {
    let keep = keep.max(queue.len());
    let mut smaller = VecDeque::new();
    if queue.capacity() > keep && fallible(|| smaller.try_reserve_exact(keep).is_ok()) {
        smaller.append(queue);
        *queue = smaller;
    }
}

/// A copy, if there is memory for it.
pub fn try_to_vec(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    try_extend(&mut copy, bytes).then_some(copy)
}

/// Makes room for `more` bytes of text; false if there is no memory.
#[must_use]
pub fn try_string_room(text: &mut String, more: usize) -> bool {
    text.capacity() - text.len() >= more || fallible(|| text.try_reserve(more).is_ok())
}

/// Text, cut where memory ends.
pub fn try_format(text: fmt::Arguments<'_>) -> String {
    struct Cut(String);
    impl fmt::Write for Cut {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            if !try_string_room(&mut self.0, text.len()) {
                return Err(fmt::Error);
            }
            self.0.push_str(text);
            Ok(())
        }
    }
    let mut cut = Cut(String::new());
    let _ = fmt::write(&mut cut, text);
    cut.0
}

/// A copy, if there is memory for it.
pub fn try_to_string(text: &str) -> Option<String> {
    let mut copy = String::new();
    fallible(|| copy.try_reserve_exact(text.len()).is_ok()).then(|| {
        copy.push_str(text);
        copy
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut bytes = try_to_vec(b"abc").unwrap_or_default();
        assert!(
            !try_room(&mut bytes, isize::MAX as usize) && !try_room_exact(&mut bytes, usize::MAX)
        );
        assert!(try_append(&mut bytes, b"d") && try_extend(&mut bytes, b"e"));
        assert_eq!(bytes, b"abcde");
        assert_eq!(try_push(&mut bytes, b'f'), Ok(()));
        let mut queue = VecDeque::new();
        assert!(!try_deque_room::<u64>(&mut queue, usize::MAX / 8));
        assert_eq!(try_push_back(&mut queue, 1u64), Ok(()));
        queue.reserve(100);
        shrink_deque(&mut queue, 0);
        assert!(queue.capacity() < 100 && queue == [1]);
        assert_eq!(try_to_string("abc").as_deref(), Some("abc"));
    }
}

//! Whether a bounded step finds the memory it needs.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

/// What one step of the device (a network event, a console line, an event of the script, a timer)
/// may allocate infallibly in all, bytes.
pub const STEP_MARGIN: usize = 1024;

/// No such allocation is larger, bytes: so a step may find its margin in pieces. What is larger is
/// reserved by itself.
pub const STEP_BLOCK: usize = 64 * size_of::<usize>();
/// Pieces that do for a margin: one more than it has, for what is left over at their ends.
const PIECES: usize = STEP_MARGIN.div_ceil(STEP_BLOCK) + 1;

/// Blocks that [`reserve_blocks`] looks for at most.
pub const BLOCKS: usize = 6;

/// Whether [`reserve()`] looks at all: off where memory is the operating system's.
static PROBING: AtomicBool = AtomicBool::new(false);

/// Turns [`reserve()`] on, for boards whose heap is small, and for tests that make allocations
/// fail.
pub fn set_probing(on: bool) {
    PROBING.store(on, Ordering::Relaxed);
}

/// Begins a step: whether the heap has its margin, [`STEP_MARGIN`], in one block or in pieces of
/// [`STEP_BLOCK`]. What was reserved before counts no more.
#[must_use]
pub fn reserve_step() -> bool {
    credit::set(0, 0);
    reserve_margin()
}

/// As [`reserve()`] for [`STEP_MARGIN`] bytes, but what follows allocates no more than
/// [`STEP_BLOCK`] of them at once, and so finds them in pieces as well: a heap that was in use for
/// long has hardly another kind of room.
#[must_use]
pub fn reserve_margin() -> bool {
    look(STEP_MARGIN, STEP_BLOCK) || has_pieces()
}

#[cold]
#[inline(never)]
fn has_pieces() -> bool {
    let before = credit::get();
    let mut pieces = [const { Vec::<u8>::new() }; PIECES];
    let there = credit::fallible(|| {
        pieces.iter_mut().all(|piece| piece.try_reserve_exact(STEP_BLOCK).is_ok())
    });
    core::hint::black_box(&pieces);
    drop(pieces);
    credit::restore(before, there, STEP_MARGIN, STEP_BLOCK);
    there
}

/// Whether the heap has a block of this many bytes now. What follows may allocate less than that
/// without asking again.
///
/// It allocates the block and gives it back, so `false` counts fragmentation too; what was reserved
/// before, and has not been used, is there as before then. Always true without [`set_probing`].
///
/// ```
/// umqtt_memory::set_probing(true);
/// assert!(umqtt_memory::reserve(100));
/// let label = format!("{} bytes", 100); // cannot fail: it is smaller
/// assert!(!umqtt_memory::reserve(usize::MAX / 2));
/// # assert_eq!(label, "100 bytes");
/// ```
#[must_use]
pub fn reserve(bytes: usize) -> bool {
    look(bytes, bytes)
}

/// The same where what follows allocates no more than `block` at once.
fn look(bytes: usize, block: usize) -> bool {
    if !PROBING.load(Ordering::Relaxed) {
        return true;
    }
    let before = credit::get();
    let mut probe = Vec::<u8>::new();
    let there = credit::fallible(|| probe.try_reserve_exact(bytes).is_ok());
    // Not to be optimised away, as allocations that are not used may be.
    core::hint::black_box(&probe);
    drop(probe);
    credit::restore(before, there, bytes, block);
    there
}

/// Whether the heap has blocks of these sizes at the same time (a size of 0 is none), and `rest`
/// bytes in one block or in pieces of [`STEP_BLOCK`]: as [`reserve()`] for their sum, but a heap in
/// pieces will do. At most [`BLOCKS`] blocks; `rest` is no more than [`STEP_MARGIN`].
#[must_use]
pub fn reserve_blocks<const N: usize>(blocks: [usize; N], rest: usize) -> bool {
    const { assert!(N <= BLOCKS) };
    let total = blocks.iter().sum::<usize>() + rest;
    look(total, largest(&blocks, rest)) || has_blocks(&blocks, rest)
}

/// The largest block that is asked for: one of them, or a piece of the rest.
fn largest(blocks: &[usize], rest: usize) -> usize {
    blocks.iter().copied().max().unwrap_or(0).max(if rest > 0 { STEP_BLOCK } else { 0 })
}

#[cold]
#[inline(never)]
fn has_blocks(blocks: &[usize], rest: usize) -> bool {
    let before = credit::get();
    let mut probes = [const { Vec::<u8>::new() }; BLOCKS + PIECES];
    // One more than `rest` has, for what is left over at their ends.
    let pieces = rest.min(STEP_MARGIN).div_ceil(STEP_BLOCK) + usize::from(rest > 0);
    let sizes = blocks.iter().copied().chain(core::iter::repeat_n(STEP_BLOCK, pieces));
    let there = credit::fallible(|| {
        probes.iter_mut().zip(sizes).all(|(probe, size)| probe.try_reserve_exact(size).is_ok())
    });
    core::hint::black_box(&probes);
    drop(probes);
    let total = blocks.iter().sum::<usize>() + rest;
    credit::restore(before, there, total, largest(blocks, rest));
    there
}

pub mod credit {
    //! What a test allocator needs to know: an allocation that the last
    //! [`reserve()`](super::reserve) covers cannot fail; one for which its caller is prepared may
    //! fail at any time; any other that fails is a fault of the device.

    use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    static LEFT: AtomicUsize = AtomicUsize::new(0);
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    static BLOCK: AtomicUsize = AtomicUsize::new(0);
    static FALLIBLE: AtomicBool = AtomicBool::new(false);

    /// Bytes that may still be allocated without asking.
    pub fn left() -> usize {
        LEFT.load(Ordering::Relaxed)
    }

    /// The largest of them: a margin may be there in pieces of
    /// [`STEP_BLOCK`](super::STEP_BLOCK).
    pub fn block() -> usize {
        BLOCK.load(Ordering::Relaxed)
    }

    /// An allocation takes so many bytes of it.
    pub fn take(bytes: usize) {
        LEFT.store(left().saturating_sub(bytes), Ordering::Relaxed);
    }

    /// So many bytes were freed.
    pub fn give(bytes: usize) {
        let limit = LIMIT.load(Ordering::Relaxed);
        LEFT.store(left().saturating_add(bytes).min(limit), Ordering::Relaxed);
    }

    /// Whether the caller of the allocation under way is prepared for its failure.
    pub fn is_fallible() -> bool {
        FALLIBLE.load(Ordering::Relaxed)
    }

    pub(crate) fn set(bytes: usize, block: usize) {
        LEFT.store(bytes, Ordering::Relaxed);
        LIMIT.store(bytes, Ordering::Relaxed);
        BLOCK.store(block, Ordering::Relaxed);
    }

    /// What is left, of how much, and in which blocks.
    pub(crate) fn get() -> (usize, usize, usize) {
        (left(), LIMIT.load(Ordering::Relaxed), block())
    }

    /// What was there before a look at the heap is there again, and if that found something no less
    /// than so many bytes in blocks of this size.
    pub(crate) fn restore(
        (left, limit, before): (usize, usize, usize),
        found: bool,
        bytes: usize,
        block: usize,
    ) {
        let (bytes, block) = if found { (bytes, block) } else { (0, 0) };
        set(left.max(bytes), before.max(block));
        LIMIT.store(limit.max(bytes), Ordering::Relaxed);
    }

    /// Runs an allocation that may fail.
    pub(crate) fn fallible<T>(allocate: impl FnOnce() -> T) -> T {
        FALLIBLE.store(true, Ordering::Relaxed);
        let done = allocate();
        FALLIBLE.store(false, Ordering::Relaxed);
        done
    }
}

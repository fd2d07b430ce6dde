//! An allocator that counts what the device allocates, and fails what it is told to.
//!
//! What belongs to the world around the device (network, board, flash, the story itself) never
//! fails: see [`device`] and [`outside`]. An allocation that the last [`umqtt_memory::reserve`]
//! covers does not fail either, as on the chip: the block was there. With [`heap`] it is a
//! first-fit heap as the chip's, where memory is in pieces, and decides all by itself.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Write, stderr};
use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use linked_list_allocator::Heap;
use umqtt_memory::{STEP_BLOCK, credit};
use umqtt_testkit::memory::{is_booting, is_in_device, on_test_heap};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations that could fail so far.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The first that fails, and whether those after it do.
static FAIL_AT: AtomicUsize = AtomicUsize::new(usize::MAX);
static FAIL_ON: AtomicBool = AtomicBool::new(false);
/// How many have failed.
static FAILED: AtomicUsize = AtomicUsize::new(0);
/// Bytes the device may hold, holds, and has held at most.
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);
static USED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// Fails what a look at the heap covers in pieces alone: see `fail_large_blocks`.
static FAIL_LARGE: AtomicBool = AtomicBool::new(false);
/// Prints where the device was when an allocation failed.
static TRACE: AtomicBool = AtomicBool::new(false);

/// The chip's kind of heap, if there is one, and where it lies.
static HEAP: Mutex<Option<Heap>> = Mutex::new(None);
static HEAP_AT: AtomicUsize = AtomicUsize::new(0);
static HEAP_SIZE: AtomicUsize = AtomicUsize::new(0);
static LEAST_FREE: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Gives the device a first-fit heap of so many bytes from here on, for good.
pub(crate) fn heap(bytes: usize) {
    look_whether_to_trace();
    let memory = Vec::leak(vec![0u128; bytes / size_of::<u128>()]);
    let start = memory.as_mut_ptr().cast::<u8>();
    HEAP_AT.store(start.addr(), Ordering::Relaxed);
    HEAP_SIZE.store(size_of_val(memory), Ordering::Relaxed);
    let mut heap = Heap::empty();
    // SAFETY: leaked, so it is the heap's for ever.
    unsafe { heap.init(start, size_of_val(memory)) };
    *HEAP.lock().unwrap() = Some(heap);
    umqtt_testkit::memory::measure(heap_free);
}

/// The fewest bytes that were free of it since this was last called.
pub(crate) fn least_free() -> usize {
    LEAST_FREE.swap(heap_free(), Ordering::Relaxed)
}

/// Bytes that are free in it, in however many pieces.
pub(crate) fn heap_free() -> usize {
    HEAP.lock().unwrap().as_ref().map_or(0, Heap::free)
}

/// A block of the heap, if there is one; null if it has none.
fn from_heap(layout: Layout) -> Option<*mut u8> {
    let wanted = umqtt_testkit::memory::heap();
    if wanted > 0 && HEAP_SIZE.load(Ordering::Relaxed) == 0 {
        on_test_heap(|| heap(wanted));
    }
    let mut heap = HEAP.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let heap = heap.as_mut()?;
    let block = heap.allocate_first_fit(layout);
    LEAST_FREE.fetch_min(heap.free(), Ordering::Relaxed);
    if block.is_err() {
        FAILED.fetch_add(1, Ordering::Relaxed);
    }
    Some(block.map_or(ptr::null_mut(), NonNull::as_ptr))
}

fn is_in_heap(block: *mut u8) -> bool {
    block.addr().wrapping_sub(HEAP_AT.load(Ordering::Relaxed)) < HEAP_SIZE.load(Ordering::Relaxed)
}

/// Fails the `n`-th allocation from here on, counted from 0, and with `on` all after it until
/// [`stop_failing`].
pub(crate) fn fail(n: usize, on: bool) {
    look_whether_to_trace();
    COUNT.store(0, Ordering::Relaxed);
    FAILED.store(0, Ordering::Relaxed);
    FAIL_ON.store(on, Ordering::Relaxed);
    FAIL_AT.store(n, Ordering::Relaxed);
}

fn look_whether_to_trace() {
    TRACE.store(std::env::var_os("UMQTT_OOM_TRACE").is_some(), Ordering::Relaxed);
}

/// Fails from here on, for good, each allocation that is larger than what the last look at the heap
/// was for: on the chip it may have found its bytes in pieces.
pub(crate) fn fail_large_blocks() {
    look_whether_to_trace();
    FAIL_LARGE.store(true, Ordering::Relaxed);
}

/// Fails no more.
pub(crate) fn stop_failing() {
    FAIL_AT.store(usize::MAX, Ordering::Relaxed);
}

/// Ends a run of failures that has begun.
pub(crate) fn end_of_step() {
    if failed() > 0 {
        stop_failing();
    }
}

/// Lets the device hold so many bytes from here on.
pub(crate) fn limit(bytes: usize) {
    USED.store(0, Ordering::Relaxed);
    MOST.store(0, Ordering::Relaxed);
    FAILED.store(0, Ordering::Relaxed);
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Allocations that could have failed.
pub(crate) fn count() -> usize {
    COUNT.load(Ordering::Relaxed)
}

/// Allocations that failed.
pub(crate) fn failed() -> usize {
    FAILED.load(Ordering::Relaxed)
}

/// The most bytes the device held.
pub(crate) fn most() -> usize {
    MOST.load(Ordering::Relaxed)
}

/// Whether an allocation is larger than any the last look at the heap was for. Bytes are as large
/// on the chip as here, what holds pointers is half of what it is here.
fn is_larger_than_asked(layout: Layout) -> bool {
    if is_booting() {
        return false;
    }
    let asked = match credit::block() {
        STEP_BLOCK if layout.align() == 1 => STEP_BLOCK / (size_of::<usize>() / 4),
        block => block,
    };
    layout.size() > asked
}

impl Counting {
    /// Whether an allocation of the device goes through.
    fn admits(layout: Layout) -> bool {
        let size = layout.size();
        let fallible = credit::is_fallible();
        let covered = !fallible && size <= credit::left() && !is_larger_than_asked(layout);
        let in_pieces = !fallible && size <= credit::left() && !covered;
        let used = USED.load(Ordering::Relaxed) + size;
        let mut fails = used > LIMIT.load(Ordering::Relaxed) && !covered;
        fails |= in_pieces && FAIL_LARGE.load(Ordering::Relaxed);
        if !covered {
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let at = FAIL_AT.load(Ordering::Relaxed);
            fails |= n == at || n > at && FAIL_ON.load(Ordering::Relaxed);
        }
        if fails {
            FAILED.fetch_add(1, Ordering::Relaxed);
            if !fallible {
                // The program ends now; it has memory to say where.
                stop_failing();
                LIMIT.store(usize::MAX, Ordering::Relaxed);
                trace(size);
            }
            return false;
        }
        credit::take(size);
        USED.store(used, Ordering::Relaxed);
        MOST.fetch_max(used, Ordering::Relaxed);
        true
    }

    fn freed(size: usize) {
        credit::give(size);
        USED.store(USED.load(Ordering::Relaxed).saturating_sub(size), Ordering::Relaxed);
    }
}

/// Ends the program at an allocation larger than what was asked for, unless its caller tries it,
/// and so is prepared for its failure.
fn fail_unless_tried(size: usize) {
    let trace = std::backtrace::Backtrace::force_capture().to_string();
    if !trace.contains("try_reserve") {
        // Not `eprintln!`, whose output would be lost with the test that is under way.
        let asked = credit::block();
        let _ = writeln!(stderr(), "{size} bytes in one block, {asked} asked for\n{trace}");
        std::process::abort();
    }
}

fn trace(size: usize) {
    if TRACE.load(Ordering::Relaxed) {
        on_test_heap(|| {
            let trace = std::backtrace::Backtrace::force_capture().to_string();
            let ours = |line: &&str| line.contains("umqtt_") && !line.contains("memory::");
            let place: Vec<&str> = trace.lines().filter(ours).take(8).map(str::trim).collect();
            eprintln!("fails {size} bytes, {} left: {}", credit::left(), place.join("\n    "));
        });
    }
}

// SAFETY: all of it is the system's, or nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_in_device() {
            if let Some(block) = from_heap(layout) {
                if block.is_null() && !credit::is_fallible() {
                    // The program ends now; it has memory to say where.
                    on_test_heap(|| trace(layout.size()));
                } else if is_larger_than_asked(layout) && !credit::is_fallible() {
                    on_test_heap(|| fail_unless_tried(layout.size()));
                }
                return block;
            }
            if !Counting::admits(layout) {
                return ptr::null_mut();
            }
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_in_heap(block) {
            if let (Some(heap), Some(block)) = (HEAP.lock().unwrap().as_mut(), NonNull::new(block))
            {
                // SAFETY: the caller's promise, and it is the heap's.
                unsafe { heap.deallocate(block, layout) };
            }
            return;
        }
        if is_in_device() {
            Counting::freed(layout.size());
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // As on the chip: the new block is there before the old one goes.
        if HEAP_SIZE.load(Ordering::Relaxed) > 0 {
            // SAFETY: the caller's promise.
            unsafe {
                let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !new.is_null() {
                    ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                return new;
            }
        }
        if is_in_device() {
            // SAFETY: the caller's promise.
            if !Counting::admits(unsafe { Layout::from_size_align_unchecked(size, layout.align()) })
            {
                return ptr::null_mut();
            }
            Counting::freed(layout.size());
        }
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }
}

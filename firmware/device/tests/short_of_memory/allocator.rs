//! An allocator that has nothing left, when the test says so, for whoever is prepared for that.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use umqtt_memory::credit;

/// Allocations that are still granted; negative: all.
static GRANTED: AtomicIsize = AtomicIsize::new(-1);
/// Smaller ones are granted all the same.
static LEAST: AtomicUsize = AtomicUsize::new(0);

/// From the `after`-th on, no allocation of `least` bytes or more is granted.
pub(crate) fn run_short(after: usize, least: usize) {
    LEAST.store(least, Ordering::SeqCst);
    GRANTED.store(after as isize, Ordering::SeqCst);
}

/// There is memory again.
pub(crate) fn recover() {
    GRANTED.store(-1, Ordering::SeqCst);
}

struct Short;

impl Short {
    fn grants(size: usize) -> bool {
        if !credit::is_fallible() || size < LEAST.load(Ordering::SeqCst) {
            return true;
        }
        let left = GRANTED.load(Ordering::SeqCst);
        if left > 0 {
            GRANTED.store(left - 1, Ordering::SeqCst);
        }
        left != 0
    }
}

// SAFETY: it passes on what it does not refuse.
unsafe impl GlobalAlloc for Short {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match Short::grants(layout.size()) {
            // SAFETY: as the caller's.
            true => unsafe { System.alloc(layout) },
            false => std::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(block, layout) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match size < layout.size() || Short::grants(size) {
            // SAFETY: as the caller's.
            true => unsafe { System.realloc(block, layout, size) },
            false => std::ptr::null_mut(),
        }
    }
}

#[global_allocator]
static ALLOCATOR: Short = Short;

//! The heap: what is left of the RAM, in a first-fit list of holes: no overhead per block,
//! eight-byte steps.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::RefCell;
use core::ptr::{self, NonNull};

use critical_section::Mutex;
use linked_list_allocator::Heap;

unsafe extern "C" {
    static mut _heap_start: u8;
    static _heap_end: u8;
}

/// What the heap holds and has held, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All there is.
    pub size: usize,
    /// In use now.
    pub used: usize,
    /// The most that was ever in use, or in use since [`reset_high_water`].
    pub high_water: usize,
}

struct Allocator(Mutex<RefCell<State>>);

struct State {
    heap: Heap,
    high_water: usize,
}

#[global_allocator]
static ALLOCATOR: Allocator =
    Allocator(Mutex::new(RefCell::new(State { heap: Heap::empty(), high_water: 0 })));

impl Allocator {
    fn with<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        critical_section::with(|section| run(&mut self.0.borrow_ref_mut(section)))
    }
}

// SAFETY: the list of holes keeps the contract; it is reached by one at a time.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.with(|state| {
            let block = state.heap.allocate_first_fit(layout);
            state.high_water = state.high_water.max(state.heap.used());
            block.map_or(ptr::null_mut(), NonNull::as_ptr)
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(block) = NonNull::new(block) else { return };
        // SAFETY: the caller's promise: it came from `alloc` with this layout.
        self.with(|state| unsafe { state.heap.deallocate(block, layout) });
    }
}

/// Takes the RAM between the program's data and its end. Once, at the start.
pub(crate) fn init() {
    let start = &raw mut _heap_start;
    let size = (&raw const _heap_end).addr() - start.addr();
    // SAFETY: the linker leaves this range to us, and nobody else uses it.
    ALLOCATOR.with(|state| unsafe { state.heap.init(start, size) });
}

/// What the heap holds now.
pub fn usage() -> Usage {
    ALLOCATOR.with(|state| Usage {
        size: state.heap.size(),
        used: state.heap.used(),
        high_water: state.high_water,
    })
}

/// Counts the high-water mark anew from what is in use now.
pub fn reset_high_water() {
    ALLOCATOR.with(|state| state.high_water = state.heap.used());
}

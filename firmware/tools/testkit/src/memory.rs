//! Whose memory is allocated: the device's, or that of the world around it. For test allocators.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

thread_local! {
    static IN_DEVICE: Cell<bool> = const { Cell::new(false) };
    static BOOTING: Cell<bool> = const { Cell::new(false) };
}

/// Bytes of the heap that the device is to have; 0 if it has the computer's.
static HEAP: AtomicUsize = AtomicUsize::new(0);

/// How many bytes of it are free.
static FREE: Mutex<Option<fn() -> usize>> = Mutex::new(None);

/// Runs a part of the device: what it allocates is on the device's heap.
pub fn on_device_heap<T>(run: impl FnOnce() -> T) -> T {
    within(true, run)
}

/// Runs a part of the test that the device has called: what it allocates is on the test's heap.
pub fn on_test_heap<T>(run: impl FnOnce() -> T) -> T {
    within(false, run)
}

fn within<T>(device: bool, run: impl FnOnce() -> T) -> T {
    let before = IN_DEVICE.replace(device);
    let done = run();
    IN_DEVICE.set(before);
    done
}

/// Makes a device: what it allocates is on the device's heap, which is whole and empty then, so
/// that nothing is asked for.
pub fn boot<T>(make: impl FnOnce() -> T) -> T {
    BOOTING.set(true);
    let made = on_device_heap(make);
    BOOTING.set(false);
    made
}

/// Whether a device is being made on this thread.
pub fn is_booting() -> bool {
    BOOTING.get()
}

/// Whether the device runs on this thread.
pub fn is_in_device() -> bool {
    IN_DEVICE.get()
}

/// The device has a heap of so many bytes, if the test's allocator gives it one.
pub fn set_heap(bytes: usize) {
    HEAP.store(bytes, Ordering::Relaxed);
}

/// Bytes of the heap that the device is to have; 0 if it has the computer's.
pub fn heap() -> usize {
    HEAP.load(Ordering::Relaxed)
}

/// The device has a heap, of which `free` says how many bytes are free.
pub fn measure(free: fn() -> usize) {
    *FREE.lock().unwrap_or_else(PoisonError::into_inner) = Some(free);
}

/// Bytes that are free of the device's heap, if it has one of its own.
pub fn free() -> Option<usize> {
    let measure = *FREE.lock().unwrap_or_else(PoisonError::into_inner);
    measure.map(|free| free())
}

//! Numbers that differ, for a machine without a source of randomness: QEMU's board. For tests only:
//! whoever knows when it was started can guess them.

use core::sync::atomic::{AtomicU32, Ordering};

use umqtt_chip_rt::clock;
use umqtt_qemu_board::MAC;

/// Fills a buffer from the cycles since the start, the address of the board, and how often this was
/// called.
pub(crate) fn fill(into: &mut [u8]) {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let calls = CALLS.load(Ordering::Relaxed).wrapping_add(1);
    CALLS.store(calls, Ordering::Relaxed);
    let [_, _, a, b, c, d] = MAC;
    let own = u64::from(u32::from_be_bytes([a, b, c, d])) << 32;
    let mut state = clock::cycles() ^ own ^ u64::from(calls).rotate_left(17);
    for byte in into {
        // splitmix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        *byte = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB).to_be_bytes()[0];
    }
}

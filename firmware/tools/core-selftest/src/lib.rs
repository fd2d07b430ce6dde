//! Does what the emulator's command line says, so that tests can see what the core and its runtime
//! make of it. After a reset it says why it was and ends.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::{clock, heap, interrupt, println, reset, stack, watchdog};

/// An address where nothing is.
const NOWHERE: usize = 0x10;

/// The program.
pub fn main<E: Emulator>() -> ! {
    if E::command_line() == "count" {
        count::<E>();
    }
    if let Some(why) = reset::last_cause() {
        println!("was reset: {why}");
        E::exit(3);
    }
    let status = match E::command_line() {
        "hello" => hello(),
        "heap" => fill_heap(),
        "sleep" => sleep(),
        "stack" => measure_stack(),
        "load" => load(NOWHERE as *const u32),
        "unaligned" => load((&raw const *b"1234567").wrapping_byte_add(1).cast()),
        "store" => store(),
        "jump" => jump(),
        "panic" => panic!("as asked"),
        "memory" => exhaust(),
        "overflow" => recurse(0),
        "stuck" => stuck(),
        "copies" => copies(),
        "reset" => reset::restart(format_args!("as asked")),
        other => {
            println!("what is {other:?}?");
            2
        }
    };
    E::exit(status)
}

fn hello() -> u8 {
    println!("hello from the core");
    0
}

/// Faults until there were three, a wanted restart, and one fault more.
fn count<E: Emulator>() -> ! {
    let faults = reset::fault_count();
    let wanted = reset::last_cause().is_some_and(|why| why.ends_with("wanted"));
    println!("{faults} faults");
    match (faults, wanted) {
        (3, _) => reset::restart(format_args!("wanted")),
        (0, true) => {
            reset::clear_faults();
            println!("{} faults", reset::fault_count());
            E::exit(0)
        }
        _ => panic!("one more"),
    }
}

fn load(address: *const u32) -> u8 {
    // SAFETY: none; it is to fail.
    let word = unsafe { black_box(address).read_volatile() };
    println!("read {word:#x}");
    1
}

/// Where the program is.
fn store() -> u8 {
    // SAFETY: none; it is to fail.
    unsafe { black_box(store as *mut u32).write_volatile(0) };
    1
}

fn jump() -> u8 {
    // SAFETY: none; it is to fail.
    let function: extern "C" fn() = unsafe { core::mem::transmute(black_box(NOWHERE)) };
    function();
    1
}

/// Deeper than any stack; what comes back is used, so that it is no loop.
fn recurse(depth: u32) -> u8 {
    let frame = black_box([depth; 16]);
    let deeper = if black_box(depth) == u32::MAX { 0 } else { recurse(depth + 1) };
    black_box(frame);
    deeper
}

fn stuck() -> u8 {
    watchdog::feed();
    loop {
        black_box(0);
    }
}

fn exhaust() -> u8 {
    let all = heap::usage().size;
    black_box(Vec::<u8>::with_capacity(all + 1));
    1
}

fn fill_heap() -> u8 {
    let before = heap::usage();
    let blocks: Vec<Vec<u8>> = (1..=32).map(|n| alloc::vec![n as u8; n * 8]).collect();
    let full = heap::usage();
    let sound = blocks.iter().zip(1..).all(|(block, n)| block.iter().all(|&byte| byte == n));
    drop(blocks);
    let after = heap::usage();
    println!("sound {sound}, leaked {}", after.used - before.used);
    println!(
        "peak is the most in use {}",
        after.high_water == full.used && full.used > 32 * 33 / 2 * 8
    );
    0
}

/// What must be in cycles is said in cycles: the emulator's clock can be made exact.
fn sleep() -> u8 {
    let start = clock::millis();
    let mut wakes = 0;
    while clock::millis() < start + 100 {
        watchdog::feed();
        interrupt::sleep(clock::cycle_at(start + 100), 0, || false);
        wakes += 1;
    }
    let ticks = 100 / interrupt::TICK_MILLIS;
    println!("woke at the ticks only {}", (ticks..=ticks + 2).contains(&wakes));
    println!("not late {}", clock::millis() <= start + 101);
    0
}

fn measure_stack() -> u8 {
    const FRAME: usize = 1024;
    /// What is not painted anew below the stack pointer, and what else a frame has.
    const NEAR: usize = 128;
    #[inline(never)]
    fn deep() {
        black_box([1u8; FRAME]);
    }
    stack::reset_high_water();
    let before = stack::high_water();
    deep();
    let after = stack::high_water();
    println!(
        "a frame of {FRAME} bytes is seen {}",
        (FRAME - NEAR..FRAME + NEAR).contains(&(after - before))
    );
    0
}

/// What copies, fills and compares memory, with all lengths, alignments and overlaps there are,
/// beside what it should do.
fn copies() -> u8 {
    const SIZE: usize = 48;
    const MAX: usize = 20;
    let fresh = || -> [u8; SIZE] { core::array::from_fn(|at| at as u8 ^ 0xa5) };
    let mut wrong = 0;
    for len in 0..=MAX {
        for from in 0..SIZE - MAX {
            for to in 0..SIZE - MAX {
                watchdog::feed();
                let (before, mut after) = (fresh(), fresh());
                after.copy_within(black_box(from..from + len), to);
                wrong += u32::from(!(0..SIZE).all(|at| {
                    let inside = (to..to + len).contains(&at);
                    after[at] == if inside { before[at - to + from] } else { before[at] }
                }));
                let mut other = [0u8; SIZE];
                other[to..to + len].copy_from_slice(black_box(&before[from..from + len]));
                let copied = (0..len).all(|at| other[to + at] == before[from + at]);
                let outside = other.iter().filter(|&&byte| byte != 0).count() <= len;
                wrong += u32::from(!(copied && outside));
                wrong += u32::from(other[to..to + len] != before[from..from + len]);
                if let Some(last) = len.checked_sub(1) {
                    other[to + last] = before[from + last].wrapping_add(1);
                    let order = other[to..to + len].cmp(&before[from..from + len]);
                    wrong += u32::from(order != other[to + last].cmp(&before[from + last]));
                }
            }
            let mut filled = fresh();
            filled[from..from + len].fill(black_box(0x3c));
            wrong += u32::from(!(0..SIZE).all(|at| {
                let inside = (from..from + len).contains(&at);
                filled[at] == if inside { 0x3c } else { fresh()[at] }
            }));
        }
    }
    println!("wrong {wrong}");
    u8::from(wrong != 0)
}

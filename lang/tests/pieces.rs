//! A script that is compiled piece by piece gives what it gives as a whole, and allocates nothing
//! it has not asked for.

#![allow(unsafe_code)] // an allocator that counts
#![allow(clippy::unwrap_used)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;

use common::scripts;
use proptest::prelude::*;
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::{CompileError, EmitOptions, PIECE, compile, compile_pieces};
use umqtt_vm::Profile;

thread_local! {
    /// Bytes that may still be allocated of those that were asked for last; `None`: nobody counts.
    static GRANTED: Cell<Option<usize>> = const { Cell::new(None) };
    /// Bytes that were asked for last.
    static ASKED: Cell<usize> = const { Cell::new(0) };
    /// Of what was asked for last in one block, bytes that may still be allocated in blocks larger
    /// than a piece.
    static LARGE: Cell<usize> = const { Cell::new(0) };
    /// The most that was allocated beyond that.
    static EXCESS: Cell<usize> = const { Cell::new(0) };
}

/// Holds every allocation against what was asked for.
struct Counting;

/// Given back: it can be had again, as far as it was taken since.
fn count_back(bytes: usize) {
    let _ = GRANTED.try_with(|granted| {
        let Some(left) = granted.get() else { return };
        granted.set(Some((left + bytes).min(ASKED.get())));
        if bytes > PIECE {
            LARGE.set(LARGE.get() + bytes);
        }
    });
}

fn count(bytes: usize) {
    let _ = GRANTED.try_with(|granted| {
        let Some(left) = granted.get() else { return };
        granted.set(Some(left.saturating_sub(bytes)));
        if bytes > left {
            EXCESS.set(EXCESS.get().max(bytes - left));
        }
        if bytes > PIECE {
            let large = LARGE.get();
            LARGE.set(large.saturating_sub(bytes));
            EXCESS.set(EXCESS.get().max(bytes.saturating_sub(large)));
        }
    });
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count_back(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const OPTIONS: EmitOptions = EmitOptions::new().debug(true);

/// Compiles piece by piece, where no more than so many bytes can be had at once.
fn in_pieces(source: &[u8], profile: &Profile, most: usize) -> Result<Vec<u8>, CompileError> {
    let mut image = Vec::with_capacity(profile.image);
    EXCESS.set(0);
    let room = |block: usize, pieces: usize| {
        let there = block + pieces <= most;
        let granted = if there { block + pieces } else { 0 };
        GRANTED.set(Some(granted));
        ASKED.set(granted);
        LARGE.set(if there { block } else { 0 });
        there
    };
    GRANTED.set(Some(0));
    ASKED.set(0);
    let compiled = compile_pieces(&mut &*source, profile, true, &room, &mut |bytes| {
        image.extend_from_slice(bytes);
        true
    });
    GRANTED.set(None);
    let excess = EXCESS.get();
    let text = String::from_utf8_lossy(source);
    assert_eq!(excess, 0, "bytes allocated that were not asked for:\n{text}");
    compiled.map(|()| image)
}

/// The same as a whole.
fn check(source: &[u8]) {
    for profile in [Profile::ESP8266, Profile::DESKTOP] {
        let whole = compile(source, &profile, OPTIONS).map_err(CompileError::Script);
        let pieces = in_pieces(source, &profile, usize::MAX);
        assert_eq!(pieces, whole, "{}", String::from_utf8_lossy(source));
    }
}

/// The same image, or the same first error: what else is told behind an error may differ where it
/// has to be guessed what was meant.
fn check_image(source: &[u8]) {
    let whole = compile(source, &Profile::ESP8266, OPTIONS);
    match (in_pieces(source, &Profile::ESP8266, usize::MAX), whole) {
        (Err(CompileError::Script(pieces)), Err(whole)) => {
            let first = |found: &[Diagnostic]| found[0].message.clone();
            assert_eq!(first(&pieces), first(&whole), "{}", String::from_utf8_lossy(source));
        }
        (pieces, whole) => assert_eq!(pieces.ok(), whole.ok()),
    }
}

/// With too little memory nothing else happens than that it is told.
fn check_short(source: &[u8]) {
    let whole = compile(source, &Profile::ESP8266, OPTIONS).map_err(CompileError::Script);
    for most in (0..16_384).step_by(347) {
        match in_pieces(source, &Profile::ESP8266, most) {
            Err(CompileError::Memory(wanted)) => assert!(wanted > most),
            other => assert_eq!(other, whole),
        }
    }
}

fn samples() -> impl Iterator<Item = Vec<u8>> {
    let files = fs::read_dir("../scripts").unwrap().map(|file| file.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "script"))
        .map(|path| fs::read(path).unwrap())
}

#[test]
fn the_samples() {
    for script in samples() {
        check(&script);
        check_short(&script);
    }
}

#[test]
fn scripts_that_take_much() {
    let one_handler: String = (0..28)
        .map(|n| format!(" if $this_data = \"cmd{n}\" then publish local stat/{n} \"value {n}\" retained endif\n"))
        .collect();
    let variables: String = (0..64)
        .map(|n| format!(" setvar $variable_{n} = \"value {n}\" | $variable_{n}\n"))
        .collect();
    let chain = "println $timestamp".to_string() + &" | \"\\\\part\"".repeat(59);
    let folded = "println ".to_string() + &["\"a\\\"b\""; 60].join(" | ");
    let blocks = "if $timestamp then ".repeat(32) + " println 1 " + &"endif ".repeat(32);
    let brackets =
        "println ".to_string() + &"find(x | (1 + ".repeat(8) + "$timestamp" + &"), y)".repeat(8);
    for body in [&one_handler, &variables, &chain, &folded, &blocks, &brackets, &chain.repeat(20)] {
        let script = format!("on topic local a/# do\n{body}\non init do\n{body}\n");
        check(script.as_bytes());
        check_short(script.as_bytes());
    }
}

/// More memory would not help: that is said where there is too little to find out by compiling.
#[test]
fn a_literal_that_is_too_long_is_told_instead_of_a_lack_of_memory() {
    let text = format!("on init do\n println \"{}\"\n", "x".repeat(3000));
    let hex =
        format!("on init do\n println 1\n println #{}\non init do print 1", "0d".repeat(1500));
    for script in [text, hex] {
        let script = script.as_bytes();
        check_short(script);
        let whole = compile(script, &Profile::ESP8266, OPTIONS).map_err(CompileError::Script);
        for most in [1500, 2000, 4000, 5000] {
            assert_eq!(in_pieces(script, &Profile::ESP8266, most), whole, "{most}");
        }
    }
    let right = format!("on init do\n println \"{}\"\n", "x".repeat(1024));
    let short = in_pieces(right.as_bytes(), &Profile::ESP8266, 500);
    assert!(matches!(short, Err(CompileError::Memory(_))), "{short:?}");
}

#[test]
fn broken_scripts() {
    let errors =
        "on init do\n println (\n foo bar\n setvar x = 1\nconfig a b c\nprint\n".repeat(12);
    let nested = format!("on init do println {}1\n", "(".repeat(100));
    let deep = format!("on init do {} println 1\n", "if 1 then ".repeat(100));
    let undeclared: String =
        (0..60).map(|n| format!("on init do println $x{n} settimer 99 $y{n}\n")).collect();
    for script in
        [&errors, &nested, &deep, &undeclared, "on init do print \"a\non init do x", "on on\non"]
    {
        check(script.as_bytes());
        check_short(script.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_script(source in scripts::source()) {
        check(source.as_bytes());
    }

    #[test]
    fn any_bytes(source in prop::collection::vec(any::<u8>(), 0..512)) {
        check_image(&source);
    }

    #[test]
    fn bytes_that_mean_something(source in "[\"\\\\%#$@()|=> \\-,\n\r\tonif1dea]{0,300}") {
        check_image(source.as_bytes());
    }

    #[test]
    fn words(source in prop::collection::vec(prop::sample::select(&["on init do", "print", "a", "\"b\"", "%c\n", "\n", "\n\n",
        " ", "if", "then", "endif", "else", "config", "on", "\non", "\nconfig", "(", ")", "|", "not(", "-", ",", "\\", "\"", "=",
        "setvar $x =", "$x", "1", "const", "const $x =", "\nconst $y =", "sub x do", "\nsub y do", "call x", "json(", "changed(", "publish local", "#00", "while", "done", "elseif"][..]), 0..40)) {
        check_image(source.join(" ").as_bytes());
    }
}

/// Two faults in one statement: the list of what is wrong grew unasked.
#[test]
fn two_faults_of_one_statement() {
    check_image(b"on init do call x | - const $x = on init do");
}

/// Both chains begin when the call ends.
#[test]
fn chains_that_end_with_a_call() {
    for value in ["1 and 2 = json(3, 4)", "1 or 2 + find(3, 4)", "(1 and 2 = csvstr(1, 2, 3))"] {
        let script = format!(
            "on serial do println {value} setvar $x = {value} publish local {value} {value}"
        );
        check(script.as_bytes());
        check_short(script.as_bytes());
    }
}

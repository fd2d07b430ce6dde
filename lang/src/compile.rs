//! Source to image in one call: of a text in memory, or of one that is read piece by piece and may
//! be longer than the memory there is.

use alloc::vec::Vec;

use umqtt_vm::Profile;

use crate::ast::Span;
use crate::budget::{MemoryBudget, Room};
pub use crate::codegen::EmitOptions;
use crate::codegen::{Compiler, ImageBuilder, value_too_long};
use crate::constants::collect;
use crate::diagnostic::Diagnostic;
use crate::named::NamedConstants;
use crate::parse::{DIAGNOSTIC, MAX_DIAGNOSTICS, StatementReader, too_long};
pub use crate::pieces::Source;
use crate::pieces::{LongLiteral, Piece, Pieces};

/// Compiles a script for a device of this profile. Errors only: warnings are the linter's.
///
/// ```
/// use umqtt_lang::{EmitOptions, compile, umqtt_vm::{Profile, Program}};
///
/// let script = b"on topic local lamp do gpio_out 12 $this_data";
/// let image = compile(script, &Profile::ESP8266, EmitOptions::new()).expect("is right");
/// assert!(Program::verify(image, &Profile::ESP8266).is_ok());
///
/// let wrong = compile(b"on init do println $x", &Profile::ESP8266, EmitOptions::new());
/// assert_eq!(wrong.unwrap_err()[0].message, "nothing sets `$x`");
/// ```
///
/// # Errors
/// What is wrong, in the order of the source, at most [`MAX_DIAGNOSTICS`].
pub fn compile(
    source: &[u8],
    profile: &Profile,
    options: EmitOptions,
) -> Result<Vec<u8>, Vec<Diagnostic>> {
    if source.len() > profile.source {
        return Err(Vec::from([too_long(source.len(), profile)]));
    }
    let budget = MemoryBudget::new(None);
    let mut made = ImageBuilder::new(profile, &budget);
    let mut wrong = Vec::new();
    let named = collect(&mut &*source, profile, &budget, &mut made).unwrap_or_default();
    made.will_name(&named);
    piece(source, (0, source.len()), profile, &budget, &named, &mut made, &mut wrong);
    let mut image = Vec::new();
    if wrong.is_empty() {
        made.finish(options, source, &mut |bytes| {
            image.extend_from_slice(bytes);
            true
        });
    }
    finish_diagnostics(&budget, &mut made, wrong).map(|()| image)
}

/// Why there is no image of a script that was read piece by piece.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileError {
    /// What is wrong with it, in the order of the source, at most [`MAX_DIAGNOSTICS`].
    Script(Vec<Diagnostic>),
    /// There is not enough memory: so many bytes were not to be had.
    Memory(usize),
    /// The source could not be read.
    Read,
    /// The image was not taken.
    Write,
}

impl core::fmt::Display for CompileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            CompileError::Script(found) => match &found[..] {
                [] => f.write_str("the script is wrong"),
                [first, ..] => write!(f, "{}: {}", first.code, first.message),
            },
            CompileError::Memory(bytes) => write!(f, "not enough memory: {bytes} bytes more"),
            CompileError::Read => f.write_str("the source cannot be read"),
            CompileError::Write => f.write_str("the image cannot be written"),
        }
    }
}

impl core::error::Error for CompileError {}

/// Compiles a script as [`compile`] does, to the same image, but holds no more of its source than a
/// statement, and gives the image out piece by piece once all is known to be right. Before anything
/// is allocated `room` is asked whether there is a block of so many bytes, and beside it so many
/// bytes in pieces of at most [`PIECE`](crate::PIECE); where there is not, compiling ends.
///
/// # Errors
/// [`CompileError`].
#[inline(never)]
pub fn compile_pieces(
    source: &mut dyn Source,
    profile: &Profile,
    debug: bool,
    room: &Room<'_>,
    out: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<(), CompileError> {
    let budget = MemoryBudget::new(Some(room));
    let no_memory = || CompileError::Memory(budget.refused().unwrap_or_default());
    if source.len() > profile.source && budget.has(DIAGNOSTIC) {
        return Err(CompileError::Script(Vec::from([too_long(source.len(), profile)])));
    }
    if budget.refused().is_some() {
        return Err(no_memory());
    }
    // Not on the stack, which compiling needs for itself.
    let Some(mut made) = ImageBuilder::boxed(profile, &budget) else {
        return Err(no_memory());
    };
    let named = collect(source, profile, &budget, &mut made).ok_or(CompileError::Read)?;
    if budget.refused().is_some() {
        return Err(no_memory());
    }
    made.will_name(&named);
    let mut wrong = Vec::new();
    let mut pieces = Pieces::default();
    let mut text = Vec::new();
    while wrong.len() < MAX_DIAGNOSTICS
        && let Some(found) = pieces.next(source, profile.value).ok_or(CompileError::Read)?
    {
        // Not more than there are in the end: where one statement is much longer than the others,
        // only it takes much.
        text.clear();
        if budget.grow(&mut text, found.read.len()) {
            text.resize(found.read.len(), 0);
            if !source.read(found.read.start, &mut text) {
                return Err(CompileError::Read);
            }
            let place = (found.read.start as u32, found.len);
            piece(&text, place, profile, &budget, &named, &mut made, &mut wrong);
        }
        if budget.refused().is_some() {
            drop(text);
            return Err(too_long_for_any(found, profile, room).unwrap_or_else(no_memory));
        }
    }
    drop(text);
    let written = !wrong.is_empty() || made.finish(EmitOptions::new().debug(debug), b"", out);
    let finish_diagnostics = finish_diagnostics(&budget, &mut made, wrong);
    if budget.refused().is_some() {
        return Err(no_memory());
    }
    finish_diagnostics.map_err(CompileError::Script)?;
    if written { Ok(()) } else { Err(CompileError::Write) }
}

/// What is wrong with a piece that there is no memory for, if more memory would not help: a literal
/// in it is longer than a value may be.
#[cold]
#[inline(never)]
fn too_long_for_any(piece: Piece, profile: &Profile, room: &Room<'_>) -> Option<CompileError> {
    let LongLiteral { at, len } = piece.too_long?;
    if !room(DIAGNOSTIC, 0) {
        return None;
    }
    let found = value_too_long(Span::new(at.start, at.end), len, profile);
    Some(CompileError::Script(Vec::from([found])))
}

/// Compiles the statements that begin in the first bytes of a piece of source; where in the script
/// it starts, and how many bytes.
#[inline(never)]
fn piece(
    source: &[u8],
    (base, len): (u32, usize),
    profile: &Profile,
    budget: &MemoryBudget<'_>,
    named: &NamedConstants,
    made: &mut ImageBuilder<'_>,
    wrong: &mut Vec<Diagnostic>,
) {
    let before = (made.diagnostics_mut().len(), wrong.len());
    let left = MAX_DIAGNOSTICS - wrong.len();
    let mut reader = StatementReader::new(source, len, profile, left, Some(budget));
    let mut compiler = Compiler { source, base, named, made };
    loop {
        let before = compiler.made.before();
        match reader.next(&mut compiler, budget, Some(named)) {
            None => break,
            Some(Ok(())) => {}
            Some(Err(found)) => {
                // What a broken statement would have set is not known, so its absence is no error.
                compiler.made.roll_back(&before);
                if budget.grow(wrong, found.len()) {
                    wrong.extend(found);
                }
            }
        }
    }
    made.next_piece(&source[..len]);
    let (own, parsers) = before;
    let new = made.diagnostics_mut().iter_mut().skip(own).chain(wrong.iter_mut().skip(parsers));
    new.for_each(|diagnostic| diagnostic.move_by(base));
}

/// What is wrong with all of it, in the order of the source.
pub(crate) fn finish_diagnostics(
    budget: &MemoryBudget<'_>,
    made: &mut ImageBuilder<'_>,
    mut wrong: Vec<Diagnostic>,
) -> Result<(), Vec<Diagnostic>> {
    for diagnostic in made.diagnostics_mut().drain(..) {
        let at = wrong.partition_point(|before| before.span <= diagnostic.span);
        if budget.grow(&mut wrong, 1) {
            wrong.insert(at, diagnostic);
        }
    }
    wrong.truncate(MAX_DIAGNOSTICS);
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

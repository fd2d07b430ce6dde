//! Is what has come to flash a script this device can run?

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use embedded_storage::nor_flash::NorFlash;
use umqtt_lang::diagnostic::{Diagnostic, HINTS, Severity, position};
use umqtt_lang::{CompileError, PIECE, Room, Source, compile_pieces};

use umqtt_memory::STEP_BLOCK;
use umqtt_vm::image::{CHECKED_FROM, Checksum, FIRST_VERSION, ImageError, MAGIC, VERSION};
use umqtt_vm::{Image, Profile, Program, VerifyError};

use super::signature::{SignatureError, incoming_suffix};
use super::whole::{Compiled, WholeCompiler};
use crate::settings::Capabilities;
use crate::signature::SUFFIX_LEN;
use crate::storage::{ImageBytes, MapFlash, Storage, StorageError};

/// Diagnostics printed of one script.
const MAX_DIAGNOSTICS: usize = 10;
/// Bytes that printing one takes, with the copies of it on its way to the user.
const PRINTED: usize = 1024;
/// Bytes of them up to which help is added.
const MAX_TEXT: usize = 1000;
/// Bytes looked at together.
const AT_ONCE: usize = 64;

/// A script that can run here.
#[derive(Debug)]
pub struct Checked {
    /// The verified image.
    pub program: Program<ImageBytes>,
    /// Bytes of source at the end of it, if it came as bytecode.
    pub source: usize,
    /// The compiler's warnings, a line each, after a line end; empty if there are none.
    pub warnings: String,
}

/// Why a script cannot run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// There is nothing in it.
    Empty,
    /// There is no handler in it, so that it would do nothing: comments, say.
    NoHandlers,
    /// It is larger than this device takes, bytes.
    TooLarge(usize),
    /// There is not enough memory to compile it now: so many bytes were not to be had.
    CompileMemory(usize),
    /// There is not enough memory to load it now, bytes.
    LoadMemory(usize),
    /// The source has errors: one line each, with line and column.
    Source(Vec<String>),
    /// The bytecode is not sound, or not for a device of this size.
    Image(VerifyError),
    /// It has to be signed, and is not as it has to be.
    Signature(SignatureError),
    /// The flash.
    Storage(StorageError),
}

impl core::fmt::Display for CheckError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            CheckError::Empty => f.write_str("the script is empty, nothing has changed"),
            CheckError::NoHandlers => {
                f.write_str("the script has no handlers (on ... do ...), nothing has changed")
            }
            CheckError::TooLarge(limit) => {
                write!(f, "the script is too long: at most {limit} bytes")
            }
            CheckError::CompileMemory(bytes) => write!(
                f,
                "not enough memory to compile this script: {bytes} bytes more; \
                 disconnect clients, or send it as bytecode, which takes less"
            ),
            CheckError::LoadMemory(bytes) => write!(
                f,
                "not enough memory to run this script beside what runs now: it takes {bytes} bytes; \
                 delete the script there is, or disconnect clients"
            ),
            CheckError::Source(lines) => {
                for (place, line) in lines.iter().enumerate() {
                    write!(f, "{}{line}", if place == 0 { "" } else { "\r\n" })?;
                }
                Ok(())
            }
            CheckError::Image(error) => write!(f, "the bytecode cannot run here: {error}"),
            CheckError::Signature(error) => error.fmt(f),
            CheckError::Storage(error) => write!(f, "the script cannot be kept: {error}"),
        }
    }
}

impl core::error::Error for CheckError {}

/// Most bytes a script that begins like this may have, as source or as bytecode, and its signature
/// with it.
pub fn limit(beginning: &[u8], profile: &Profile) -> usize {
    if is_image(beginning) { profile.image + SUFFIX_LEN } else { profile.source }
}

/// What the compiler takes in pieces the heap is asked for in pieces.
const _: () = assert!(PIECE <= STEP_BLOCK);

/// Whether a script that begins like this is bytecode.
pub fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Checks what has come to flash whole: compiles it if it is source, and proves that the image may
/// run. Before the compiler allocates it asks `room`, as [`compile_pieces`] does; `whole`, if
/// there is one, compiles in memory. The image is run where it lies if `map` can.
///
/// # Errors
/// [`CheckError`]; nothing has changed, unless [`Storage::incoming_is_closed`].
// By itself, so that what it needs is on the stack no longer than it runs.
#[inline(never)]
pub fn check<F: NorFlash>(
    storage: &mut Storage<F>,
    profile: &Profile,
    room: &Room<'_>,
    whole: Option<WholeCompiler>,
    capabilities: Capabilities,
    map: MapFlash<'_>,
) -> Result<Checked, CheckError> {
    let bytecode = is_image(storage.incoming_head());
    let len = match bytecode {
        true => image_len(storage).map_err(CheckError::Image)?,
        false => storage.incoming_len(),
    };
    let limit = if bytecode { profile.image } else { profile.source };
    if len > limit {
        return Err(CheckError::TooLarge(limit));
    }
    if is_blank(storage, len) {
        return Err(CheckError::Empty);
    }
    let mut warnings = String::new();
    if bytecode {
        if len < storage.incoming_len() {
            storage.cut_incoming(len).map_err(CheckError::Storage)?;
        }
    } else if HINTS && let Some(whole) = whole {
        warnings = compile_in_memory(storage, profile, room, whole, capabilities)?;
    } else {
        compile(storage, profile, room)?;
    }
    load(storage, profile, room, map, (bytecode, len), warnings)
}

/// The program that has come, or was compiled of what has; whether it came as bytecode, and how
/// many bytes.
// By itself: compiling takes the stack.
#[inline(never)]
fn load<F: NorFlash>(
    storage: &mut Storage<F>,
    profile: &Profile,
    room: &Room<'_>,
    map: MapFlash<'_>,
    (bytecode, len): (bool, usize),
    warnings: String,
) -> Result<Checked, CheckError> {
    let image =
        storage.incoming_image(map, &|bytes| room(bytes, 0)).map_err(|error| match error {
            StorageError::Memory => CheckError::LoadMemory(len),
            error => CheckError::Storage(error),
        })?;
    let program = Program::verify(image, profile).map_err(CheckError::Image)?;
    let image: Image<'_> = program.image();
    if program.handlers().next().is_none() {
        return Err(CheckError::NoHandlers);
    }
    let source = if bytecode { image.source().unwrap_or_default().len() } else { 0 };
    Ok(Checked { program, source, warnings })
}

/// Bytes of the image that has come, which is whole: what is behind it is its signature. But the
/// source at its own end may be signed as well.
// By itself, as `check` is: compiling takes the stack.
#[inline(never)]
fn image_len<F: NorFlash>(storage: &mut Storage<F>) -> Result<usize, VerifyError> {
    let len = storage.incoming_len();
    let unsigned = incoming_suffix(storage).map(|_| len - SUFFIX_LEN);
    if let Some(unsigned) = unsigned.filter(|len| check_whole(storage, *len).is_ok()) {
        return Ok(unsigned);
    }
    check_whole(storage, len).map(|()| len).map_err(VerifyError::Image)
}

/// Whether bytecode is all there, by its checksum. Without closing it: if not, the rest may still
/// come.
#[inline(never)]
fn check_whole<F: NorFlash>(storage: &mut Storage<F>, len: usize) -> Result<(), ImageError> {
    let mut head = [0; CHECKED_FROM];
    if len < CHECKED_FROM || !storage.read_incoming(0, &mut head) {
        return Err(ImageError::Length);
    }
    let [.., version, a, b, c, d] = head;
    if !(FIRST_VERSION..=VERSION).contains(&version) {
        return Err(ImageError::Version(version));
    }
    let mut sum = Checksum::new();
    let mut piece = [0; AT_ONCE];
    for at in (CHECKED_FROM..len).step_by(AT_ONCE) {
        let piece = &mut piece[..AT_ONCE.min(len - at)];
        if !storage.read_incoming(at, piece) {
            return Err(ImageError::Length);
        }
        sum.update(piece);
    }
    if sum.finish() == u32::from_le_bytes([a, b, c, d]) {
        Ok(())
    } else {
        Err(ImageError::Checksum)
    }
}

/// White space is any byte up to the blank, NULs included.
#[inline(never)]
fn is_blank<F: NorFlash>(storage: &mut Storage<F>, len: usize) -> bool {
    let mut piece = [0; AT_ONCE];
    (0..len).step_by(AT_ONCE).all(|at| {
        let piece = &mut piece[..AT_ONCE.min(len - at)];
        storage.read_incoming(at, piece) && piece.iter().all(|byte| *byte <= b' ')
    })
}

/// What has come, for the compiler.
struct IncomingSource<'s, 'f, F: NorFlash> {
    storage: &'s RefCell<&'f mut Storage<F>>,
    len: usize,
}

impl<F: NorFlash> Source for IncomingSource<'_, '_, F> {
    fn len(&self) -> usize {
        self.len
    }

    fn read(&mut self, offset: usize, into: &mut [u8]) -> bool {
        self.storage.borrow_mut().read_incoming(offset, into)
    }
}

#[inline(never)]
fn compile<F: NorFlash>(
    storage: &mut Storage<F>,
    profile: &Profile,
    room: &Room<'_>,
) -> Result<(), CheckError> {
    let len = storage.incoming_len();
    let mut failed = None;
    let compiled = {
        let storage = RefCell::new(&mut *storage);
        let mut source = IncomingSource { storage: &storage, len };
        compile_pieces(&mut source, profile, true, room, &mut |bytes| {
            let written = storage.borrow_mut().append_incoming_image(bytes);
            failed = written.err();
            failed.is_none()
        })
    };
    compiled.map_err(|error| match (error, failed) {
        (CompileError::Script(found), _) => describe(storage, &found, room),
        (CompileError::Memory(bytes), _) => CheckError::CompileMemory(bytes),
        (_, Some(error)) => CheckError::Storage(error),
        (_, None) => CheckError::Storage(StorageError::Broken),
    })
}

/// Reads all that has come, and compiles it there.
#[inline(never)]
fn compile_in_memory<F: NorFlash>(
    storage: &mut Storage<F>,
    profile: &Profile,
    room: &Room<'_>,
    whole: WholeCompiler,
    capabilities: Capabilities,
) -> Result<String, CheckError> {
    let len = storage.incoming_len();
    if !room(len, 0) {
        return Err(CheckError::CompileMemory(len));
    }
    let mut source = alloc::vec![0; len];
    if !storage.read_incoming(0, &mut source) {
        return Err(CheckError::Storage(StorageError::Broken));
    }
    match whole(&source, profile, capabilities) {
        Ok(Compiled { image, warnings }) => {
            storage.append_incoming_image(&image).map_err(CheckError::Storage)?;
            Ok(warnings)
        }
        Err(found) => Err(describe(storage, &found, room)),
    }
}

#[inline(never)]
fn describe<F: NorFlash>(
    storage: &mut Storage<F>,
    diagnostics: &[Diagnostic],
    room: &Room<'_>,
) -> CheckError {
    let (mut lines, mut len) = (Vec::new(), 0);
    let errors = diagnostics.iter().filter(|found| found.severity() == Severity::Error);
    for found in errors.take(MAX_DIAGNOSTICS) {
        // What there is no memory for is left out; all of it is not.
        if !room(PRINTED * (lines.len() + 1), 0) {
            break;
        }
        let (line, column) = place(storage, found.span.start as usize, room);
        let mut text = alloc::format!("Error in line {line}, column {column}: {}", found.message);
        // What the report has no room for is left out: a few mistakes are enough to mend.
        if HINTS
            && let Some(help) =
                found.help.as_ref().filter(|help| len + text.len() + help.len() < MAX_TEXT)
        {
            text.push_str(" (");
            text.push_str(help);
            text.push(')');
        }
        len += text.len();
        lines.push(text);
    }
    if lines.is_empty() { CheckError::CompileMemory(PRINTED) } else { CheckError::Source(lines) }
}

/// Line and column of an offset of what has come.
fn place<F: NorFlash>(storage: &mut Storage<F>, offset: usize, room: &Room<'_>) -> (u32, u32) {
    let (mut line, mut start) = (1, 0);
    let mut piece = [0; AT_ONCE];
    for at in (0..offset).step_by(AT_ONCE) {
        let piece = &mut piece[..AT_ONCE.min(offset - at)];
        if !storage.read_incoming(at, piece) {
            break;
        }
        for (at, _) in (at..).zip(&*piece).filter(|(_, byte)| **byte == b'\n') {
            (line, start) = (line + 1, at + 1);
        }
    }
    // The line up to there, and a whole character behind.
    let mut text = Vec::new();
    let len = offset - start;
    if !room(len, 0) || text.try_reserve_exact(len).is_err() {
        return (line, 1);
    }
    text.resize(len, 0);
    if !storage.read_incoming(start, &mut text) {
        return (line, 1);
    }
    (line, position(&text, len).1)
}

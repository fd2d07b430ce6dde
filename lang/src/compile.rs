//! Source to image in one call.

use alloc::vec::Vec;

use umqtt_vm::Profile;

use crate::codegen::Compiler;
pub use crate::codegen::Extras;
use crate::diagnostic::Diagnostic;
use crate::parse::{MAX_DIAGNOSTICS, statements};

/// Compiles a script for a device of this profile. Errors only: warnings are the linter's.
///
/// One statement at a time is held as a tree, so on a chip the heap needed is that of the longest
/// statement, the image, and the parser's tables.
///
/// # Errors
/// What is wrong, in the order of the source, at most [`MAX_DIAGNOSTICS`].
pub fn compile(
    source: &[u8],
    profile: &Profile,
    extras: Extras,
) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let mut compiler = Compiler::new(source, profile);
    let mut wrong = Vec::new();
    for statement in statements(source, profile) {
        match statement {
            Ok(statement) => compiler.statement(&statement),
            Err(diagnostics) => wrong.extend(diagnostics),
        }
    }
    let image = if wrong.is_empty() {
        compiler.finish(extras)
    } else {
        // What a broken statement would have set is not known: that much must not be complained about.
        Err(compiler.into_diagnostics())
    };
    image.map_err(|diagnostics| {
        wrong.extend(diagnostics);
        wrong.sort_by_key(|diagnostic| diagnostic.span);
        wrong.truncate(MAX_DIAGNOSTICS);
        wrong
    })
}

//! The diagnostics of a script in one call: the compiler's errors, and the linter's warnings with
//! the device's parameters known.

use umqtt_device::device::Options;
use umqtt_device::settings::lint::Parameters;
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::{Analysis, EmitOptions, advice};
use umqtt_vm::{Profile, Program};

use crate::failure::Failure;
use crate::input::Input;
use crate::render;
use crate::terminal::Terminal;

/// Errors and warnings, in the order of the source.
pub(crate) fn check(source: &[u8], profile: &Profile) -> Vec<Diagnostic> {
    let analysis = Analysis::new(source, profile, EmitOptions::default());
    let mut found = errors(source, &analysis);
    found.extend(analysis.warnings(&parameters(profile)));
    found.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    found
}

/// Compiles a script and writes its diagnostics on standard error. `None` if it does not compile.
///
/// # Errors
/// [`Failure::Output`]; [`Failure::Unsound`] where the compiler is at fault.
pub(crate) fn compile_or_report(
    input: &Input,
    profile: &Profile,
    options: EmitOptions,
    terminal: &mut Terminal,
) -> Result<Option<Program<Vec<u8>>>, Failure> {
    let analysis = Analysis::new(&input.bytes, profile, options);
    let mut found = errors(&input.bytes, &analysis);
    // Warnings of a script that does not compile can wait until it does.
    if found.is_empty() {
        found = analysis.warnings(&parameters(profile));
    }
    let color = terminal.err.color();
    render::human::write(&mut terminal.err, color, &input.name, &input.bytes, &found)
        .map_err(Failure::Output)?;
    analysis.into_program().transpose().map_err(|error| Failure::Unsound(input.name.clone(), error))
}

/// The parameters of the board of a profile; all, if there is none yet.
fn parameters(profile: &Profile) -> Parameters {
    let mut boards = [Options::DESKTOP, Options::ESP8266].into_iter();
    let board = boards.find(|board| board.profile.name == profile.name);
    board.map_or(Parameters::ALL, |board| Parameters::new(board.capabilities))
}

/// The errors, with what may have been meant.
fn errors(source: &[u8], analysis: &Analysis<'_>) -> Vec<Diagnostic> {
    let mut errors = analysis.errors().to_vec();
    advice::advise(source, &mut errors);
    errors
}

/// The script in the one layout all scripts share.
///
/// # Errors
/// What keeps it from being parsed.
pub(crate) fn format(source: &[u8]) -> Result<Vec<u8>, Vec<Diagnostic>> {
    // The layout is the same for every device; this is the one with the widest limits.
    umqtt_lang::format(source, &Profile::DESKTOP)
}

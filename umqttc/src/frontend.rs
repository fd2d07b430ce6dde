//! The diagnostics of a script in one call: the compiler's errors, and the linter's warnings with
//! the device's parameters known.

use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::{Analysis, EmitOptions, advice};
use umqtt_vm::{Profile, Program, VerifyError};

use crate::failure::Failure;
use crate::input::Input;
use crate::parameters::parameters;
use crate::render;
use crate::terminal::Terminal;
use crate::zones;

/// Errors and warnings, in the order of the source; hints at what is right, too, if asked for.
pub(crate) fn check(source: &[u8], profile: &Profile, pedantic: bool) -> Vec<Diagnostic> {
    let analysis = analyse(source, profile, EmitOptions::default());
    let mut found = errors(source, &analysis);
    found.extend(analysis.warnings(&parameters(profile)));
    if pedantic {
        found.extend(analysis.pedantic());
    }
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
    let (found, program) = compile(&input.bytes, profile, options);
    let color = terminal.err.color();
    render::human::write(&mut terminal.err, color, &input.name, &input.bytes, &found)
        .map_err(Failure::Output)?;
    program.map_err(|error| Failure::Unsound(input.name.clone(), error))
}

/// The program, if there are no errors; [`VerifyError`] where the compiler is at fault.
pub(crate) type Compiled = Result<Option<Program<Vec<u8>>>, VerifyError>;

/// Compiles a script: its errors, or its warnings and the program. Warnings of a script that does
/// not compile can wait until it does.
pub(crate) fn compile(
    source: &[u8],
    profile: &Profile,
    options: EmitOptions,
) -> (Vec<Diagnostic>, Compiled) {
    let analysis = analyse(source, profile, options);
    let mut found = errors(source, &analysis);
    if found.is_empty() {
        found = analysis.warnings(&parameters(profile));
    }
    (found, analysis.into_program().transpose())
}

fn analyse<'s>(source: &'s [u8], profile: &Profile, options: EmitOptions) -> Analysis<'s> {
    Analysis::with_config_values(source, profile, options, Some(&zones::config_value))
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

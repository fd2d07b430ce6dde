//! Everything the compiler can tell about a script, in one call: its errors, and the linter's warnings with the device's parameters
//! known.

use umqtt_lang::diagnostic::{Diagnostic, Severity};
use umqtt_lang::{Extras, advice, compile, lint, parse};
use umqtt_vm::Profile;

use crate::failure::Failure;
use crate::input::Input;
use crate::render;
use crate::terminal::Terminal;
use umqtt_device::settings::lint::Parameters;

/// Errors and warnings, in the order of the source.
pub(crate) fn check(source: &[u8], profile: &Profile) -> Vec<Diagnostic> {
    let extras = Extras { debug: false, source: false };
    let mut found = compile(source, profile, extras).err().unwrap_or_default();
    advice::advise(source, &mut found);
    found.extend(warnings(source, profile));
    found.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    found
}

/// Compiles a script and shows on standard error what there is to tell. `None` if it does not compile.
///
/// # Errors
/// [`Failure::Output`].
pub(crate) fn compile_or_report(
    input: &Input,
    profile: &Profile,
    extras: Extras,
    terminal: &mut Terminal,
) -> Result<Option<Vec<u8>>, Failure> {
    let (image, mut found) = match compile(&input.bytes, profile, extras) {
        Ok(image) => (Some(image), Vec::new()),
        Err(mut errors) => {
            advice::advise(&input.bytes, &mut errors);
            (None, errors)
        }
    };
    // Warnings of a script that does not compile can wait until it does.
    if image.is_some() {
        found = warnings(&input.bytes, profile);
    }
    let color = terminal.err.color();
    render::human::write(&mut terminal.err, color, &input.name, &input.bytes, &found)
        .map_err(Failure::Output)?;
    debug_assert_eq!(
        image.is_none(),
        found.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
    );
    Ok(image)
}

/// The linter's. None for what does not parse: statements would be missing, and warnings wrong.
fn warnings(source: &[u8], profile: &Profile) -> Vec<Diagnostic> {
    if source.len() > profile.source {
        return Vec::new();
    }
    match parse(source, profile) {
        (script, errors) if errors.is_empty() => lint::lint(source, &script, profile, &Parameters),
        _ => Vec::new(),
    }
}

/// The script in the one layout all scripts share.
///
/// # Errors
/// What keeps it from being parsed.
pub(crate) fn format(source: &[u8]) -> Result<Vec<u8>, Vec<Diagnostic>> {
    // The layout is the same for every device; this is the one with the widest limits.
    umqtt_lang::format(source, &Profile::DESKTOP)
}

//! What is wrong with a document, as the protocol has it.

use gen_lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity,
    DiagnosticTag, Location, PublishDiagnosticsParams, Range, Uri,
};
use umqtt_lang::diagnostic::{self, Severity, explain};

use super::documents::{Document, MAX_TEXT};
use super::options::Options;
use super::script::Checked;
use crate::script_test::Problem;

/// Where the pages of the diagnostics are.
const PAGES: &str = "https://github.com/umqtt/umqtt/blob/main/lang/docs/diagnostics.md";

/// All that is wrong with a document; `tests` are the expectations that failed in it.
pub(super) fn publish(
    document: &Document,
    options: &Options,
    tests: &[Diagnostic],
) -> PublishDiagnosticsParams {
    let mut diagnostics = match document.is_too_long {
        true => vec![too_long()],
        false => match document.checked(options) {
            Checked::Script(found) => {
                found.iter().map(|found| of_script(document, found)).collect()
            }
            Checked::Test(found) => found.iter().map(|found| of_test(document, found)).collect(),
        },
    };
    diagnostics.extend_from_slice(tests);
    PublishDiagnosticsParams {
        uri: document.uri.clone(),
        version: Some(document.version),
        diagnostics,
    }
}

/// Of a document that was closed.
pub(super) fn none(uri: Uri) -> PublishDiagnosticsParams {
    PublishDiagnosticsParams { uri, version: None, diagnostics: Vec::new() }
}

/// An error or a warning of a script.
pub(super) fn of_script(document: &Document, found: &diagnostic::Diagnostic) -> Diagnostic {
    let range = |span| document.lines.range(&document.text, span);
    let related = found.related.iter().map(|(span, message)| {
        let location = Location::new(document.uri.clone(), range(*span));
        DiagnosticRelatedInformation::new(location, message.clone())
    });
    let message = match &found.help {
        Some(help) => format!("{}\nhelp: {help}", found.message),
        None => found.message.clone(),
    };
    let is_unused = matches!(
        found.code,
        diagnostic::Code::NeverRead
            | diagnostic::Code::UnusedConstant
            | diagnostic::Code::NeverCalled
    );
    Diagnostic {
        range: range(found.span),
        severity: Some(match found.severity() {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning if is_hint(found.code) => DiagnosticSeverity::Hint,
            Severity::Warning => DiagnosticSeverity::Warning,
        }),
        code: Some(Code::from(found.code.as_str())),
        code_description: Some(CodeDescription::new(page(found.code))),
        source: Some("umqttc".into()),
        message: message.into(),
        tags: is_unused.then(|| vec![DiagnosticTag::Unnecessary]),
        related_information: Some(related.collect::<Vec<_>>()).filter(|all| !all.is_empty()),
        data: None,
    }
}

/// What is told of who asks for hints alone.
fn is_hint(code: diagnostic::Code) -> bool {
    matches!(code, diagnostic::Code::TimerAsPeriod | diagnostic::Code::VariableAsConstant)
}

/// The page of a code: its heading's anchor.
fn page(code: diagnostic::Code) -> Uri {
    let heading = explain(code).lines().next().unwrap_or_default().trim_start_matches("## ");
    let heading = heading.to_lowercase();
    let anchor = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() || matches!(letter, '-' | '_') => Some(letter),
        _ => None,
    });
    Uri(format!("{PAGES}#{}", anchor.collect::<String>()))
}

/// A problem of a test file, or an expectation of it that failed.
pub(super) fn of_test(document: &Document, problem: &Problem) -> Diagnostic {
    let lines = std::iter::once(&problem.message).chain(&problem.notes);
    let message = lines.map(String::as_str).collect::<Vec<_>>().join("\n");
    Diagnostic {
        range: document.lines.range(&document.text, problem.span),
        severity: Some(DiagnosticSeverity::Error),
        source: Some("umqttc test".into()),
        message: message.into(),
        ..Diagnostic::default()
    }
}

fn too_long() -> Diagnostic {
    let message =
        format!("the text is longer than {MAX_TEXT} bytes, so nothing is looked for in it");
    Diagnostic {
        range: Range::default(),
        severity: Some(DiagnosticSeverity::Error),
        source: Some("umqttc".into()),
        message: message.into(),
        ..Diagnostic::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page() {
        for code in diagnostic::Code::ALL {
            let page = page(*code);
            let (_, anchor) = page.as_ref().split_once('#').expect("an anchor");
            let begins = format!("{}-", code.as_str().to_lowercase());
            assert!(anchor.starts_with(&begins) && !anchor.ends_with('-'), "{page}");
        }
    }
}

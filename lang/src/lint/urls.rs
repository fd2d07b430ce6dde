//! Requests to a URL that is none (W0019): they are answered by the code `000` and never sent.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_url::{UrlError, UrlParts, check_beginning, check_characters};

use super::facts::{ScriptFacts, unbracketed};
use super::fold::{Literals, value};
use super::topics::Topics;
use super::{quote, quote_bytes};
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic, Edit};

/// W0019.
pub(super) fn check(facts: &ScriptFacts<'_>, topics: &Topics<'_>, found: &mut Vec<Diagnostic>) {
    for step in &facts.steps {
        if let ActionKind::Unary { word: ActionWord::HttpGet, value: url }
        | ActionKind::Pair { word: ActionWord::HttpPost, first: url, .. } = &step.action.kind
        {
            if let Some(warning) = unquoted(facts, url) {
                found.push(warning);
                continue;
            }
            match value(facts.source, url, topics) {
                Some(known) => {
                    if let Err(why) = UrlParts::parse(&known) {
                        found.push(warning(facts, url, &known, why));
                    }
                }
                None => check_parts(facts, topics, url, found),
            }
        }
    }
}

/// `http_get http://host/path?a=1`, whose `=` compares.
fn unquoted(facts: &ScriptFacts<'_>, url: &Expr) -> Option<Diagnostic> {
    let ExprKind::Chain(chain) = &unbracketed(url).kind else { return None };
    let link = chain.rest.first()?;
    let is_url = |raw: &[u8]| raw.starts_with(b"http://") || raw.starts_with(b"https://");
    let is_cut = chain.first.kind == ExprKind::Text
        && is_url(chain.first.span.of(facts.source))
        && link.operator != Operator::Join
        && chain.first.span.end == link.operator_span.start;
    let whole = unbracketed(url).span;
    let raw = whole.of(facts.source);
    let sign = quote(facts.source, link.operator_span);
    let diagnostic = is_cut.then(|| {
        let message =
            format!("{} is not in quotes, so its {sign} is an operator", quote_bytes(raw));
        Diagnostic::new(Code::InvalidUrl, whole, message)
    })?;
    if raw.iter().any(|byte| byte.is_ascii_whitespace() || b"$@\"\\".contains(byte)) {
        let help =
            "put quotes around its texts, and join values with `|`: `\"http://host/?a=\" | $a`";
        return Some(diagnostic.help(help));
    }
    Some(
        diagnostic
            .help("put quotes around the URL")
            .fix("quote it", crate::parse::quote(facts.source, whole)),
    )
}

/// What is known of a URL that is joined: its beginning, and whether parts of it can be in a URL at
/// all.
fn check_parts(
    facts: &ScriptFacts<'_>,
    topics: &Topics<'_>,
    url: &Expr,
    found: &mut Vec<Diagnostic>,
) {
    let ExprKind::Chain(chain) = &unbracketed(url).kind else { return };
    if chain.rest.iter().any(|link| link.operator != Operator::Join) {
        return;
    }
    let mut beginning = Some(Vec::new());
    let parts = core::iter::once(&chain.first).chain(chain.rest.iter().map(|link| &link.operand));
    for part in parts {
        let Some(known) = value(facts.source, part, topics) else {
            beginning = None;
            continue;
        };
        let checked = match &mut beginning {
            Some(bytes) => {
                bytes.extend_from_slice(&known);
                check_beginning(bytes)
            }
            None => check_characters(&known),
        };
        if let Err(why) = checked {
            return found.push(warning(facts, part, &known, why));
        }
    }
}

fn warning(facts: &ScriptFacts<'_>, expr: &Expr, known: &[u8], why: UrlError) -> Diagnostic {
    let shown = match value(facts.source, expr, &Literals) {
        Some(_) => quote(facts.source, expr.span),
        None => format!("{} ({})", quote_bytes(known), quote(facts.source, expr.span)),
    };
    let message = format!("{shown} cannot be asked for: {why}");
    let raw = expr.span.of(facts.source);
    let inner = raw.strip_prefix(b"\"").unwrap_or(raw);
    let is_bare = why == UrlError::Scheme
        && expr.kind == ExprKind::Text
        && !known.windows(3).any(|part| part == b"://")
        && known.contains(&b'.');
    let at = expr.span.start + (raw.len() - inner.len()) as u32;
    let edit = Edit { span: Span { start: at, end: at }, text: b"http://".to_vec() };
    let diagnostic = Diagnostic::new(Code::InvalidUrl, expr.span, message).help(match why {
        UrlError::Https => "the device has no TLS; ask a server that speaks plain HTTP, or a proxy",
        UrlError::UserInfo => "leave it out; the device does not log in to web servers",
        _ => "nothing is sent, and `on http_response` gets the code 000",
    });
    if is_bare { diagnostic.fix("add `http://`", vec![edit]) } else { diagnostic }
}

//! Texts and positions as a client counts them, written for clarity: the model of the server's.

use serde_json::{Value, json};

/// The text with the range of a change replaced, positions counted in UTF-16.
pub(crate) fn replaced(text: &str, range: &Value, new: &str) -> String {
    let (start, end) = (offset(text, &range["start"]), offset(text, &range["end"]));
    format!("{}{new}{}", &text[..start], &text[end..])
}

/// The text with edits applied that do not overlap.
pub(crate) fn edited(text: &str, edits: &Value) -> String {
    let mut edits: Vec<&Value> = edits.as_array().expect("edits").iter().collect();
    edits.sort_by_key(|edit| offset(text, &edit["range"]["start"]));
    let mut text = text.to_owned();
    for edit in edits.into_iter().rev() {
        text = replaced(&text, &edit["range"], edit["newText"].as_str().expect("a text"));
    }
    text
}

/// The offset of a position.
pub(crate) fn offset(text: &str, position: &Value) -> usize {
    let mut line = position["line"].as_u64().expect("a line");
    let mut at = 0;
    while line > 0 {
        let Some(end) = text[at..].find('\n') else { return text.len() };
        at += end + 1;
        line -= 1;
    }
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let end = if text[at..end].ends_with('\r') { end - 1 } else { end };
    let mut units = position["character"].as_u64().expect("a character") as usize;
    for (from, letter) in text[at..end].char_indices() {
        if units < letter.len_utf16() {
            return at + from;
        }
        units -= letter.len_utf16();
    }
    end
}

/// The position of an offset.
pub(crate) fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": line, "character": before[start..].encode_utf16().count() })
}

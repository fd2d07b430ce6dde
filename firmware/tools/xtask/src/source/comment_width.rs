//! Comments are not wider than the code. rustfmt leaves them as they are; a nightly one mends them
//! with `cargo +nightly fmt -- --config wrap_comments=true,comment_width=100`.

use std::path::Path;

/// Columns of a line, as in `rustfmt.toml`.
const COLUMNS: usize = 100;

/// The comments that are too wide. Rows of tables, and what has no blank to break at, may be.
pub(super) fn check(file: &Path, text: &str) -> Vec<String> {
    let wide = |line: &str| {
        let line = line.trim_end();
        let Some(comment) = line.trim_start().strip_prefix("//") else { return false };
        let comment = comment.trim_start_matches(['/', '!']).trim_start();
        line.chars().count() > COLUMNS && !comment.starts_with('|') && comment.contains(' ')
    };
    let lines = text.lines().zip(1..).filter(|(line, _)| wide(line));
    lines
        .map(|(_, number)| {
            format!("{}:{number}: a comment beyond {COLUMNS} columns", file.display())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::check;

    #[test]
    fn only_comments_that_can_be_broken_are_found() {
        let wide = "word ".repeat(25);
        let text = format!(
            "/// {wide}\n//! | {wide} |\n    // https://{}\n// short\nlet a = \"{wide}\";\n//{wide}\n",
            "x".repeat(100)
        );
        let found = check(Path::new("a.rs"), &text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a.rs:1: ") && found[1].starts_with("a.rs:6: "), "{found:?}");
    }
}

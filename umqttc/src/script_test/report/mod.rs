//! What came of tests, for people and for programs.

pub(crate) mod coverage;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod tap;

use super::problem::Problem;

/// A problem as plain text: its message and notes.
fn plain(problem: &Problem) -> String {
    let mut text = problem.message.clone();
    for note in &problem.notes {
        text.push('\n');
        text.push_str(note);
    }
    text
}

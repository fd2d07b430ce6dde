//! Tests of scripts: `.test` files, run in virtual time on the real compiler, image and engine.
//!
//! | file | job |
//! |---|---|
//! | `token.rs`, `cursor.rs` | a file as lines of tokens; a line from left to right |
//! | `parse.rs`, `steps.rs`, `expectations.rs` | lines to what they mean |
//! | `surplus.rs` | what to do about more on a line than belongs there |
//! | `scope.rs` | what names mean in a test |
//! | `file.rs`, `pattern.rs` | what a file says: tests, steps; values and what is compared with them |
//! | `operand.rs`, `possible.rs` | the operands of actions; what each of them can be |
//! | `problem.rs` | what is wrong, and where |
//! | `script.rs` | a script, compiled |
//! | `bench.rs` | the devices in virtual time, and the messages between them |
//! | `limits.rs` | what a test may take |
//! | `run.rs` | the steps of a test |
//! | `story.rs` | what a failure tells |
//! | `suite.rs` | all tests of a file, and what came of them |
//! | `coverage.rs` | which lines of the scripts ran |
//! | `discover.rs` | the files below a folder |
//! | `watch.rs` | waiting until one of the files changes |
//! | `report/` | for people, and for programs |

mod bench;
pub(crate) mod coverage;
mod cursor;
pub(crate) mod discover;
mod expectations;
mod file;
mod limits;
mod operand;
mod parse;
mod pattern;
mod possible;
mod problem;
pub(crate) mod report;
mod run;
mod scope;
mod script;
mod steps;
mod story;
pub(crate) mod suite;
mod surplus;
mod token;
pub(crate) mod watch;

#[cfg(test)]
pub(crate) use parse::first_words as step_words;
pub(crate) use parse::parse as read;
pub(crate) use problem::Problem;

//! The umqtt script language: from source text to diagnostics and a bytecode image.
//!
//! No standard library, no I/O, the same code on the desktop and on the chip, and the same image
//! byte for byte.
//!
//! | module | job |
//! |---|---|
//! | [`lexer`], `tokens`, `token_stream`, [`mod@parse`] | source to syntax trees, a statement at a time |
//! | [`ast`] | the syntax tree |
//! | [`statements()`], [`parse()`] | its trees, pulled or all at once; on the desktop |
//! | [`literal`] | the values of literals |
//! | [`diagnostic`] | errors and warnings |
//! | [`compile()`], [`compile_pieces`] | source to image in one call, of a text in memory or one that is read piece by piece |
//! | `pieces` | where a script can be cut |
//! | `budget` | the memory that compiling may take |
//! | `codegen` | trees to an image, with the errors only it can see |
//! | [`Analysis`] | source to tree, diagnostics and image, read once; on the desktop |
//! | [`advice`] | help and fixes for syntax errors; on the desktop |
//! | [`bounds`] | what a compiled script takes at most; on the desktop |
//! | [`lint`] | warnings; looks at the whole script, so it stays on the desktop |
//! | [`mod@format`] | the formatter |
//! | [`mod@reference`] | the language's reference by word |
//! | [`roles`] | what each word of a script is, right or not; for editors |
//! | [`symbols`] | the names of a script and where they stand; for editors |
//! | [`expects`] | what may stand at a place of a script; for editors |
//! | [`suggest`] | the known name a misspelt one was probably meant to be |
#![no_std]
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

extern crate alloc;

pub mod advice;
mod analysis;
pub mod ast;
pub mod bounds;
mod budget;
mod codegen;
mod compile;
mod constants;
pub mod diagnostic;
pub mod expects;
pub mod format;
pub mod lexer;
pub mod lint;
pub mod literal;
mod named;
pub mod parse;
mod pieces;
pub mod reference;
pub mod roles;
mod statements;
pub mod suggest;
pub mod symbols;
mod token_stream;
mod tokens;

pub use analysis::Analysis;
/// The machine: profiles, programs and their errors are its.
pub use umqtt_vm;

pub use budget::{PIECE, Room};
pub use codegen::ConfigValues;
pub use compile::{CompileError, EmitOptions, Source, compile, compile_pieces};
pub use format::format;
pub use statements::{Parsed, Statements, parse, statements};

//! Mends the compiler's assembly for GNU's assembler.
//!
//! The code generator has no working object writer for this core, and its assembly has two faults:
//! each function's literals come after the place where the assembler has to know them, in front of
//! the function's section (`l32r` loads only from lower addresses); and debug directives name files
//! that cannot be assembled. So literals move to just behind the `.type` line of the function that
//! follows, which stands right in front of its label, and debug directives go.

use std::fmt::{self, Write};

/// Directives that are dropped.
const DROPPED: [&str; 4] = [".file\t", ".loc\t", ".cfi_", ".addrsig"];

/// Literals after which no function comes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LostLiterals {
    /// How many lines.
    count: usize,
}

impl fmt::Display for LostLiterals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the compiler's assembly ends with {} literals of no function", self.count)
    }
}

impl std::error::Error for LostLiterals {}

/// The mended assembly.
pub(crate) fn mend(source: &str) -> Result<String, LostLiterals> {
    let mut mended = String::with_capacity(source.len());
    let mut literals: Vec<&str> = Vec::new();
    for line in source.lines() {
        let directive = line.strip_prefix('\t').unwrap_or_default();
        if is_literal(directive) {
            literals.push(line);
        } else if !DROPPED.iter().any(|dropped| directive.starts_with(dropped)) {
            let _ = writeln!(mended, "{line}");
            if is_function_type(directive) {
                literals.drain(..).for_each(|literal| _ = writeln!(mended, "{literal}"));
            }
        }
    }
    match literals.len() {
        0 => Ok(mended),
        count => Err(LostLiterals { count }),
    }
}

fn is_literal(directive: &str) -> bool {
    let name = directive.split_whitespace().next().unwrap_or_default();
    name == ".literal" || name == ".literal_position"
}

fn is_function_type(directive: &str) -> bool {
    directive.starts_with(".type") && directive.trim_end().ends_with("@function")
}

#[cfg(test)]
mod tests {
    use super::{LostLiterals, mend};

    #[test]
    fn literals_move_into_the_function_that_follows() {
        let source = "\t.literal_position\n\t.literal .LCPI0_0, main\n\t.section\t.text.f,\"ax\",@progbits\n\
                      \t.p2align\t2\n\t.type\tf,@function\nf:\n\tl32r\ta2, .LCPI0_0\n\tret\n";
        let mended = [
            "\t.section\t.text.f,\"ax\",@progbits\n\t.p2align\t2\n\t.type\tf,@function\n",
            "\t.literal_position\n\t.literal .LCPI0_0, main\n",
            "f:\n\tl32r\ta2, .LCPI0_0\n\tret\n",
        ];
        assert_eq!(mend(source).unwrap(), mended.concat());
    }

    #[test]
    fn data_between_literals_and_function_is_passed() {
        let source =
            "\t.literal .L0, x\n\t.type\tx,@object\nx:\n\t.word\t1\n\t.type\tf,@function\nf:\n";
        let mended = mend(source).unwrap();
        assert!(mended.ends_with("\t.type\tf,@function\n\t.literal .L0, x\nf:\n"), "{mended}");
    }

    #[test]
    fn debug_directives_go_and_nothing_else() {
        let source = "\t.file\t1 \"a.rs\"\n\t.loc\t1 2 3\n\t.cfi_startproc\n\t.addrsig\n\
                      \t.local\tx\n\t.ascii\t\"\t.loc\"\n.file_of:\n";
        assert_eq!(mend(source).unwrap(), "\t.local\tx\n\t.ascii\t\"\t.loc\"\n.file_of:\n");
    }

    #[test]
    fn literals_of_no_function_are_an_error() {
        assert_eq!(mend("\t.literal .L0, x\nx:\n"), Err(LostLiterals { count: 1 }));
    }
}

//! The language's and the machine's own test corpus on the core: every text their tests and the
//! sample scripts hold, compiled and run there and here. What comes of it must be the same, byte
//! for byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use proc_macro2::{TokenStream, TokenTree};

use super::build;
use super::cargo::Program;
use super::emulator::Emulator;
use super::paths::Paths;
use super::toolchain::Toolchain;

/// Where texts are: tests in Rust, of which every string literal is one, and scripts.
const TESTS: [&str; 4] =
    ["lang/tests", "vm/tests", "firmware/device/tests/engine", "firmware/device/tests/scripts"];
const SCRIPTS: &str = "scripts";
/// Texts above this, in bytes, are for the desktop: the tests' own random monsters.
const MAX_TEXT: usize = 4096;
/// The emulator may take so long.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Begins the core's last lines, which are not the corpus's.
const END: &[u8] = b"=== ";

/// Runs the corpus here and on the core; returns what it took there.
pub(crate) fn run(paths: &Paths, toolchain: &Toolchain) -> Result<String> {
    let elf = build::build(paths, toolchain, &Program::new("corpus", &[]))?;
    let (mut texts, mut here) = (Vec::new(), String::new());
    for text in collect(&paths.root)? {
        let mut came = String::new();
        umqtt_corpus::exercise(&text, &mut came)?;
        if !came.lines().any(|line| line == umqtt_corpus::FEEDS_ITSELF) {
            here += &format!("== {} bytes\n{came}", text.len());
            texts.push(text);
        }
    }
    let flash = paths.target.join("corpus.flash");
    fs::write(&flash, umqtt_corpus::pack(texts.iter().map(Vec::as_slice)))?;
    let ended = Emulator::new(paths.chip, &elf).flash(&flash)?.run(TIMEOUT)?;
    let end = ended.bytes.windows(END.len()).rposition(|bytes| bytes == END);
    let end =
        end.and_then(|last| ended.bytes[..last].windows(END.len()).rposition(|bytes| bytes == END));
    let there = &ended.bytes[..end.unwrap_or(ended.bytes.len())];
    if there != here.as_bytes() {
        bail!("{}", Difference::find(here.as_bytes(), there));
    }
    ensure!(ended.status == 0, "the core lost memory on the way:\n{}", ended.text());
    let took = String::from_utf8_lossy(&ended.bytes[there.len()..]).replace("=== ", "");
    Ok(format!(
        "{} texts, {} bytes came of them, the same here and there\n{took}",
        texts.len(),
        here.len()
    ))
}

/// Where two outputs part, with what leads there.
struct Difference {
    line: usize,
    here: String,
    there: String,
    lead: Vec<String>,
}

impl Difference {
    fn find(here: &[u8], there: &[u8]) -> Difference {
        let (here, there) = (String::from_utf8_lossy(here), String::from_utf8_lossy(there));
        let line = here.lines().zip(there.lines()).take_while(|(a, b)| a == b).count();
        let lead = here.lines().take(line).skip(line.saturating_sub(8)).map(String::from).collect();
        let at = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
        Difference { line: line + 1, here: at(&here), there: at(&there), lead }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "the core's output differs in line {}:", self.line)?;
        self.lead.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
        writeln!(f, "here:  {}\nthere: {}", self.here, self.there)
    }
}

/// All texts, each once, in an order that does not depend on the computer.
fn collect(root: &Path) -> Result<Vec<Vec<u8>>> {
    let mut texts = BTreeSet::new();
    for folder in TESTS {
        for file in files(&root.join(folder), "rs")? {
            literals(&fs::read_to_string(&file)?, &mut texts)
                .with_context(|| file.display().to_string())?;
        }
    }
    for file in files(&root.join(SCRIPTS), "script")? {
        texts.insert(fs::read(file)?);
    }
    texts.retain(|text| (1..=MAX_TEXT).contains(&text.len()));
    Ok(texts.into_iter().collect())
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The string literals of Rust source.
fn literals(source: &str, into: &mut BTreeSet<Vec<u8>>) -> Result<()> {
    let tokens = source.parse::<TokenStream>().ok().context("this is not Rust")?;
    let mut open = vec![tokens.into_iter()];
    while let Some(tokens) = open.last_mut() {
        match tokens.next() {
            Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
            Some(TokenTree::Literal(literal)) => match syn::Lit::new(literal) {
                syn::Lit::Str(text) => _ = into.insert(text.value().into_bytes()),
                syn::Lit::ByteStr(bytes) => _ = into.insert(bytes.value()),
                _ => {}
            },
            Some(_) => {}
            None => _ = open.pop(),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{Difference, collect, literals};

    #[test]
    fn literals_are_found_wherever_they_stand() {
        let mut found = BTreeSet::new();
        literals(r##"/// doc
            fn f() { g(b"by\x01", ["plain\n"], r#"raw "x""#, 'c', 7) } mod m { const A: &str = "plain\n"; }"##, &mut found)
            .unwrap();
        let found: Vec<&[u8]> = found.iter().map(Vec::as_slice).collect();
        assert_eq!(found, [&b" doc"[..], b"by\x01", b"plain\n", b"raw \"x\""]);
    }

    #[test]
    fn the_corpus_holds_the_tests_scripts_and_the_samples() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let texts = collect(&root).unwrap();
        let compiling = texts.iter().filter(|text| umqtt_corpus::compiles(text));
        let (all, compiling) = (texts.len(), compiling.count());
        assert!(all > 500 && compiling > 200, "{all} texts, {compiling} compile");
    }

    #[test]
    fn a_difference_is_shown_with_what_leads_there() {
        let difference = Difference::find(b"a\nb\nc\nd\n", b"a\nb\nx\nd\n");
        insta::assert_snapshot!(difference, @r"
        the core's output differs in line 3:
            a
            b
        here:  c
        there: x
        ");
        insta::assert_snapshot!(Difference::find(b"a\nb\n", b"a\n"), @r"
        the core's output differs in line 2:
            a
        here:  b
        there: (the end)
        ");
    }
}

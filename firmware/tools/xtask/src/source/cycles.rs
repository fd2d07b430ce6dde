//! Files that use each other in a cycle. A module and those inside it may: they are one thing in
//! parts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::imports::{self, Imports};
use super::modules::{self, Module};

/// The cycles of a crate, a line for each import of them.
pub(super) fn check(root: &Path, file: &Path) -> Result<Vec<String>> {
    let modules = modules::read(root, file)?;
    let imports = imports::find(&modules);
    let cycles = find(modules.len(), &imports);
    Ok(cycles.iter().flat_map(|cycle| describe(cycle, &modules, &imports)).collect())
}

/// The groups of modules from each of which one comes to every other.
fn find(count: usize, imports: &Imports) -> Vec<BTreeSet<usize>> {
    let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(from, to) in imports.keys() {
        next.entry(from).or_default().push(to);
    }
    let reached: Vec<BTreeSet<usize>> = (0..count).map(|from| reach(from, &next)).collect();
    let mut cycles = Vec::new();
    for from in 0..count {
        let cycle: BTreeSet<usize> =
            reached[from].iter().copied().filter(|&to| reached[to].contains(&from)).collect();
        if cycle.first() == Some(&from) && cycle.len() > 1 {
            cycles.push(cycle);
        }
    }
    cycles
}

fn reach(from: usize, next: &BTreeMap<usize, Vec<usize>>) -> BTreeSet<usize> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(at) = open.pop() {
        open.extend(next.get(&at).into_iter().flatten().filter(|&&to| reached.insert(to)));
    }
    reached
}

fn describe(cycle: &BTreeSet<usize>, modules: &[Module], imports: &Imports) -> Vec<String> {
    let file = |module: usize| modules[module].file.display();
    let mut lines = vec![format!("a cycle of {} files:", cycle.len())];
    for (&(from, to), names) in imports {
        if cycle.contains(&from) && cycle.contains(&to) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            lines.push(format!("    {} uses {}: {}", file(from), file(to), names.join(", ")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::check;

    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        check(folder.path(), Path::new("src/lib.rs")).unwrap()
    }

    #[test]
    fn a_cycle_is_found_through_re_exports_and_in_macros() {
        let found = cycles(&[
            ("src/lib.rs", "mod a; mod b; mod c; pub use c::C;"),
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "pub struct B; fn f() { print!(\"{}\", crate::C) }"),
            ("src/c/mod.rs", "mod inner; pub use inner::C;"),
            ("src/c/inner.rs", "pub struct C(super::super::a::A);"),
        ]);
        assert_eq!(
            found,
            [
                "a cycle of 3 files:",
                "    src/a.rs uses src/b.rs: B",
                "    src/b.rs uses src/c/inner.rs: C",
                "    src/c/inner.rs uses src/a.rs: A",
            ]
        );
    }

    #[test]
    fn parts_of_a_module_and_tests_make_no_cycle() {
        let found = cycles(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "mod part; use part::P; use crate::b::B; pub struct A;"),
            ("src/a/part.rs", "use super::A; pub struct P;"),
            ("src/b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_module_at_another_path_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/lib.rs"), "#[path = \"b.rs\"] mod a;").unwrap();
        assert!(check(folder.path(), Path::new("src/lib.rs")).is_err());
    }
}

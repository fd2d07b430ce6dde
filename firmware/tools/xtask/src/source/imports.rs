//! Which file uses which of the same crate: every path that is written, followed through `use` to
//! where its name is defined.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, UseTree};

use super::modules::Module;

/// Re-exports of re-exports are followed so far.
const MAX_DEPTH: usize = 16;

/// From module to module, with the names that are used.
pub(super) type Imports = BTreeMap<(usize, usize), BTreeSet<String>>;

/// What a module's `use` items bring into it.
#[derive(Default)]
struct Scope {
    names: HashMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

/// All imports between modules of which neither is inside the other.
pub(super) fn find(modules: &[Module]) -> Imports {
    let scopes: Vec<Scope> = modules.iter().map(scope).collect();
    let resolver = Resolver { modules, scopes: &scopes };
    let mut imports = Imports::new();
    for (own, module) in modules.iter().enumerate() {
        let used = scopes[own].names.values().chain(&scopes[own].globs).cloned();
        let mut paths: Vec<Vec<String>> = used.collect();
        for item in module.items.iter().filter(|item| !matches!(item, Item::Use(_))) {
            collect(item.to_token_stream(), &mut paths);
        }
        for path in paths {
            let Some(target) = resolver.resolve(own, &path, 0) else { continue };
            if !resolver.inside(own, target) && !resolver.inside(target, own) {
                let name = path.last().cloned().unwrap_or_default();
                imports.entry((own, target)).or_default().insert(name);
            }
        }
    }
    imports
}

fn scope(module: &Module) -> Scope {
    let mut scope = Scope::default();
    for item in &module.items {
        if let Item::Use(item) = item {
            expand(&item.tree, &mut Vec::new(), &mut scope);
        }
    }
    scope
}

fn expand(tree: &UseTree, before: &mut Vec<String>, scope: &mut Scope) {
    let mut add = |name: String, last: String, before: &[String]| {
        let mut path = before.to_vec();
        let name = match &last[..] {
            "self" => path.last().cloned().filter(|_| name == "self").unwrap_or(name),
            _ => {
                path.push(last);
                name
            }
        };
        scope.names.insert(name, path);
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            expand(&path.tree, before, scope);
            before.pop();
        }
        UseTree::Name(name) => add(name.ident.to_string(), name.ident.to_string(), before),
        UseTree::Rename(name) => add(name.rename.to_string(), name.ident.to_string(), before),
        UseTree::Glob(_) => scope.globs.push(before.clone()),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| expand(tree, before, scope));
        }
    }
}

/// The paths of several names that stand in these tokens, in macros too.
fn collect(tokens: TokenStream, paths: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    take(&mut path, paths);
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            other => {
                take(&mut path, paths);
                colons = 0;
                if let TokenTree::Group(group) = other {
                    collect(group.stream(), paths);
                }
            }
        }
    }
    take(&mut path, paths);
}

fn take(path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    let path = std::mem::take(path);
    if path.len() > 1 {
        paths.push(path);
    }
}

struct Resolver<'a> {
    modules: &'a [Module],
    scopes: &'a [Scope],
}

impl Resolver<'_> {
    /// The module in which what a path names is defined; `None` if that is another crate's.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<usize> {
        if depth == MAX_DEPTH {
            return None;
        }
        let mut rest = path;
        let mut at = match path.first()?.as_str() {
            "crate" => 0,
            "self" => from,
            "super" => self.modules[from].parent?,
            first if self.modules[from].children.contains_key(first) => {
                return self.descend(from, path, depth);
            }
            first => {
                let used = self.scopes[from].names.get(first).filter(|used| *used != path)?;
                let path: Vec<String> = used.iter().chain(&path[1..]).cloned().collect();
                return self.resolve(from, &path, depth + 1);
            }
        };
        rest = &rest[1..];
        while rest.first().is_some_and(|name| name == "super") {
            at = self.modules[at].parent?;
            rest = &rest[1..];
        }
        self.descend(at, rest, depth)
    }

    fn descend(&self, mut at: usize, path: &[String], depth: usize) -> Option<usize> {
        let mut rest = path;
        while let Some(&child) = rest.first().and_then(|name| self.modules[at].children.get(name)) {
            (at, rest) = (child, &rest[1..]);
        }
        let Some(name) = rest.first() else { return Some(at) };
        if let Some(used) = self.scopes[at].names.get(name) {
            let path: Vec<String> = used.iter().chain(&rest[1..]).cloned().collect();
            // What comes from another crate is this module's as far as others see.
            return self.resolve(at, &path, depth + 1).or(Some(at));
        }
        Some(at)
    }

    /// Whether a module is another one, or inside it.
    fn inside(&self, module: usize, outer: usize) -> bool {
        std::iter::successors(Some(module), |&at| self.modules[at].parent).any(|at| at == outer)
    }
}

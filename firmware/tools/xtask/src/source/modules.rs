//! A crate's modules and their files, without its tests.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use syn::{Attribute, Item, ItemMod};

/// A module.
pub(super) struct Module {
    pub(super) parent: Option<usize>,
    /// Named from the project's root.
    pub(super) file: PathBuf,
    /// By name.
    pub(super) children: HashMap<String, usize>,
    /// All but modules and tests.
    pub(super) items: Vec<Item>,
}

/// All modules of a crate; the first is its root.
pub(super) fn read(root: &Path, file: &Path) -> Result<Vec<Module>> {
    let mut modules = Vec::new();
    add_file(root, file, None, &mut modules)?;
    Ok(modules)
}

fn add_file(
    root: &Path,
    file: &Path,
    parent: Option<usize>,
    modules: &mut Vec<Module>,
) -> Result<usize> {
    let text = fs::read_to_string(root.join(file))
        .with_context(|| format!("cannot read {}", file.display()))?;
    let items = syn::parse_file(&text).with_context(|| file.display().to_string())?.items;
    let stem = file.file_stem().unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new(""));
    let folder = match ["lib", "main", "mod"].iter().any(|&name| stem == name) {
        true => folder.to_owned(),
        false => folder.join(stem),
    };
    add_items(root, file, &folder, parent, items, modules)
}

fn add_items(
    root: &Path,
    file: &Path,
    folder: &Path,
    parent: Option<usize>,
    items: Vec<Item>,
    modules: &mut Vec<Module>,
) -> Result<usize> {
    let own = modules.len();
    modules.push(Module {
        parent,
        file: file.to_owned(),
        children: HashMap::new(),
        items: Vec::new(),
    });
    for item in items {
        let Item::Mod(ItemMod { attrs, ident, content, .. }) = item else {
            if !attributes(&item).iter().any(is_test) {
                modules[own].items.push(item);
            }
            continue;
        };
        if attrs.iter().any(is_test) {
            continue;
        }
        if attrs.iter().any(|attribute| attribute.path().is_ident("path")) {
            bail!("{}: `#[path]` hides where the module {ident} is", file.display());
        }
        let (name, inner) = (ident.to_string(), folder.join(ident.to_string()));
        let child = match content {
            Some((_, items)) => add_items(root, file, &inner, Some(own), items, modules)?,
            None => {
                let flat = inner.with_extension("rs");
                let path = if root.join(&flat).exists() { flat } else { inner.join("mod.rs") };
                add_file(root, &path, Some(own), modules)?
            }
        };
        modules[own].children.insert(name, child);
    }
    Ok(own)
}

/// `#[cfg(test)]`, or another condition that names `test` alone.
fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("test")
        || attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

//! The commands for cargo, and a program's crate.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::description::CompilerTarget;
use super::paths::Paths;
use super::toolchain::Toolchain;

/// The library is built from its source.
const BUILD_STD: [&str; 4] = [
    "-Z",
    "build-std=core,alloc,compiler_builtins",
    "-Z",
    "build-std-features=compiler-builtins-mem",
];
/// SHA-256 in a loop: unrolled it takes 12 KB of flash.
pub(crate) const SMALL_HASH: &str =
    r#"profile.release.package.sha2.rustflags=['--cfg', 'sha2_backend_soft="compact"']"#;

/// A program for the core.
pub(crate) struct Program {
    /// Its name.
    pub(crate) name: String,
    /// Features of its crate.
    pub(crate) features: Vec<String>,
}

impl Program {
    /// The binary `name` of the core's workspace, its crate with these features.
    pub(crate) fn new(name: &str, features: &[String]) -> Program {
        let mut features = features.to_vec();
        features.sort_unstable();
        Program { name: name.to_owned(), features }
    }

    /// A name of its own for every choice of features.
    pub(crate) fn file_name(&self) -> String {
        [&self.name[..]]
            .into_iter()
            .chain(self.features.iter().map(|name| &name[..]))
            .collect::<Vec<_>>()
            .join("+")
    }
}

pub(crate) fn cargo(paths: &Paths, toolchain: &Toolchain, command: &str) -> Command {
    let mut cargo = toolchain.cargo();
    cargo.current_dir(&paths.workspace).env("CARGO_TARGET_DIR", paths.target.join("cargo"));
    cargo.args([command, "--locked"]);
    cargo
}

/// Arguments with which the library is built from its source, and the target.
pub(crate) fn target(paths: &Paths) -> Vec<OsString> {
    BUILD_STD.map(OsString::from).into_iter().chain(target_alone(paths)).collect()
}

/// The target's arguments, for what builds nothing.
pub(crate) fn target_alone(paths: &Paths) -> [OsString; 4] {
    let target = match paths.chip.target {
        CompilerTarget::File(file) => paths.workspace.join(file).into(),
        CompilerTarget::Known(name, _) => name.into(),
    };
    ["-Z".into(), "json-target-spec".into(), "--target".into(), target]
}

/// The crate a binary is of.
pub(crate) fn package(paths: &Paths, toolchain: &Toolchain, binary: &str) -> Result<String> {
    let output = cargo(paths, toolchain, "metadata")
        .args(["--no-deps", "--format-version", "1"])
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let binaries = |package: &Value| -> Vec<String> {
        let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        targets
            .iter()
            .filter(|target| target["kind"][0] == "bin")
            .filter_map(|target| target["name"].as_str().map(str::to_owned))
            .collect()
    };
    if let Some(package) =
        packages.iter().find(|package| binaries(package).iter().any(|name| name == binary))
    {
        return Ok(package["name"].as_str().context("a package has a name")?.to_owned());
    }
    let all: Vec<String> = packages.iter().flat_map(binaries).collect();
    bail!("there is no program `{binary}` for {}; there are: {}", paths.chip.core, all.join(", "))
}

/// The compiler's options that shorten the paths a panic names, which are part of the image:
/// without them its size depends on where the sources lie.
pub(crate) fn short_paths(paths: &Paths, toolchain: &Toolchain) -> Result<Vec<OsString>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registry = home.context("there is no home folder")?.join("registry/src");
    let mut folders = vec![paths.root.clone()];
    if let Ok(indexes) = fs::read_dir(registry) {
        folders.extend(indexes.flatten().map(|index| index.path()));
    }
    folders.extend(toolchain.library_source());
    folders.sort_unstable();
    let remap = |folder: PathBuf| {
        let mut option = OsString::from("--remap-path-prefix=");
        option.push(folder);
        option.push("=");
        option
    };
    Ok(folders.into_iter().map(remap).collect())
}

/// Options of the compiler as cargo takes them from the environment.
pub(crate) fn encoded(options: &[OsString]) -> OsString {
    options.join(OsStr::new("\u{1f}"))
}

#[cfg(test)]
mod tests {
    use super::Program;

    #[test]
    fn a_program_has_a_file_for_every_choice_of_features() {
        let name = |features: &[&str]| {
            Program::new("device", &features.iter().map(ToString::to_string).collect::<Vec<_>>())
                .file_name()
        };
        assert_eq!(name(&[]), "device");
        assert_eq!(name(&["b", "a"]), "device+a+b");
        assert_eq!(name(&["a", "b"]), name(&["b", "a"]));
    }
}

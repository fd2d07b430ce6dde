//! The tools: a Rust compiler with its library's source, a linker, the emulator, and what else a
//! core takes. If any is missing, one message says so, with the one command that installs them all.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::description::{Chip, CompilerTarget};

/// Its names, of version 5 and before.
const ESPTOOL: [&str; 2] = ["esptool", "esptool.py"];

/// Debian's packages of the compiler.
const COMPILER_PACKAGES: &str = "rustc-web cargo-web rust-web-src";
/// Debian's package of clippy, which only `lint` needs.
const CLIPPY_PACKAGE: &str = "rust-web-clippy";
/// LLVM's linker: rustup's compiler brings it by the first name, Debian has it by the others.
const LINKERS: [&str; 3] = ["rust-lld", "ld.lld", "ld.lld-19"];
/// Where Debian puts its compiler, behind which rustup's stands in most people's path.
const DEBIAN: &str = "/usr/bin";

/// The Rust toolchain that builds for the core.
pub(crate) struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    /// The name rustup knows it by.
    toolchain: Option<String>,
    /// What links programs for a core that has no linker of its own.
    pub(crate) linker: Option<PathBuf>,
}

impl Toolchain {
    /// A cargo command with this toolchain, and nothing of the one that runs us.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        for variable in
            ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTUP_TOOLCHAIN"]
        {
            command.env_remove(variable);
        }
        if let Some(toolchain) = &self.toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        // The library is built with features a stable compiler keeps to itself.
        command.env("RUSTC", &self.rustc).env("RUSTC_BOOTSTRAP", "1");
        command.env("RUSTDOC", self.rustc.with_file_name("rustdoc"));
        command
    }

    /// A clippy command with this toolchain.
    pub(crate) fn clippy(&self) -> Result<Command> {
        let clippy = self.cargo.with_file_name("cargo-clippy");
        ensure!(
            clippy.exists(),
            "the lints need {}; install it with\n\n    \
             sudo apt-get install -y --no-install-recommends {CLIPPY_PACKAGE}\n",
            clippy.display()
        );
        // Not as a subcommand: cargo would find that of another toolchain first.
        let mut command = Command::new(clippy);
        command.arg("clippy").env("CARGO", &self.cargo);
        let cargo = self.cargo();
        for (name, value) in cargo.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Ok(command)
    }

    /// Where the compiler looks for the source of its library.
    pub(crate) fn library_source(&self) -> Option<PathBuf> {
        let mut command = Command::new(&self.rustc);
        command.env_remove("RUSTUP_TOOLCHAIN").args(["--print", "sysroot"]);
        if let Some(toolchain) = &self.toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        let output = command.output().ok().filter(|output| output.status.success())?;
        let sysroot = String::from_utf8_lossy(&output.stdout);
        let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        source.join("library/Cargo.lock").exists().then_some(source)
    }
}

/// Finds all tools.
pub(crate) fn find(chip: &'static Chip, toolchain: Option<&str>) -> Result<Toolchain> {
    let found = candidates(toolchain).find(|toolchain| toolchain.library_source().is_some());
    let linker = match chip.target {
        CompilerTarget::Known(..) => Some(linker()),
        CompilerTarget::File(_) => None,
    };
    let programs = chip.tools.iter().chain([&chip.machine.program]).copied();
    let programs = programs.filter(|name| in_path(name).is_none());
    let compiler = found.is_none().then_some("a Rust compiler with its library's source");
    let no_linker = (linker == Some(None)).then_some("LLVM's linker");
    let missing =
        Missing { chip, what: compiler.into_iter().chain(no_linker).chain(programs).collect() };
    match found {
        Some(toolchain) if missing.what.is_empty() => {
            Ok(Toolchain { linker: linker.flatten(), ..toolchain })
        }
        _ => bail!("{missing}"),
    }
}

/// Finds the compiler alone.
pub(crate) fn compiler() -> Result<Toolchain> {
    let toolchain = candidates(None).find(|toolchain| toolchain.library_source().is_some());
    toolchain.with_context(|| {
        format!(
            "building for a chip needs a Rust compiler with its library's source; install it with\n\n    \
             sudo apt-get install -y --no-install-recommends {COMPILER_PACKAGES}\n"
        )
    })
}

/// Finds LLVM's linker, in the path or with rustup's compiler.
fn linker() -> Option<PathBuf> {
    LINKERS.into_iter().find_map(in_path).or_else(|| {
        let ask = |what: &str| {
            let output = Command::new("rustc").args(["--print", what]).output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let folder = Path::new(&ask("sysroot")?).join("lib/rustlib").join(ask("host-tuple")?);
        Some(folder.join("bin").join(LINKERS[0])).filter(|linker| linker.exists())
    })
}

/// Finds the tool that makes images of the chip's flash and writes them.
pub(crate) fn esptool() -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Where pipx installs, whether it is in the path or not.
    let own = env::home_dir().map(|home| home.join(".local/bin"));
    let mut candidates =
        env::split_paths(&path).chain(own).flat_map(|folder| ESPTOOL.map(|name| folder.join(name)));
    candidates.find(|tool| tool.exists()).context(
        "the chip's image needs esptool; install it with\n\n    \
         sudo apt-get install -y pipx && pipx install esptool\n",
    )
}

/// What is not there.
struct Missing {
    chip: &'static Chip,
    what: Vec<&'static str>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "building for {} needs {}; install all its tools with\n\n    \
             sudo apt-get install -y --no-install-recommends {}\n",
            self.chip.core,
            self.what.join(", "),
            self.chip.packages
        )
    }
}

fn candidates(toolchain: Option<&str>) -> impl Iterator<Item = Toolchain> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = match toolchain {
        Some(_) => env::split_paths(&path).collect(),
        None => std::iter::once(DEBIAN.into()).chain(env::split_paths(&path)).collect(),
    };
    let toolchain = toolchain.map(str::to_owned);
    folders
        .into_iter()
        .map(move |folder| Toolchain {
            cargo: folder.join("cargo"),
            rustc: folder.join("rustc"),
            toolchain: toolchain.clone(),
            linker: None,
        })
        .filter(|toolchain| toolchain.cargo.exists() && toolchain.rustc.exists())
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.exists())
}

#[cfg(test)]
mod tests {
    use super::Missing;
    use crate::esp8266::ESP8266;

    #[test]
    fn one_message_names_what_is_missing_and_the_command() {
        let what = vec!["a Rust compiler with its library's source", ESP8266.tools[1]];
        let missing = Missing { chip: &ESP8266, what };
        insta::assert_snapshot!(missing, @r"
        building for the ESP8266's core needs a Rust compiler with its library's source, xtensa-lx106-elf-ld; install all its tools with

            sudo apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src binutils-xtensa-lx106 qemu-system-misc
        ");
    }
}

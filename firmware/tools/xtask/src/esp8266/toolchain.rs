//! The tools: a Rust compiler with its library's source, GNU's assembler and linker for the core,
//! the emulator. If any is missing, one message says so, with the one command that installs them
//! all.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

pub(crate) const ASSEMBLER: &str = "xtensa-lx106-elf-as";
pub(crate) const LINKER: &str = "xtensa-lx106-elf-ld";
pub(crate) const EMULATOR: &str = "qemu-system-xtensa";

/// Its names, of version 5 and before.
const ESPTOOL: [&str; 2] = ["esptool", "esptool.py"];

/// Debian's package of clippy, which only `lint` needs, and those of all others.
const CLIPPY_PACKAGE: &str = "rust-web-clippy";
const PACKAGES: &str = "rustc-web cargo-web rust-web-src binutils-xtensa-lx106 qemu-system-misc";
/// Where Debian puts its compiler, behind which rustup's stands in most people's path.
const DEBIAN: &str = "/usr/bin";

/// The Rust toolchain that builds for the core.
pub(crate) struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    /// The name rustup knows it by.
    toolchain: Option<String>,
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
pub(crate) fn find(toolchain: Option<&str>) -> Result<Toolchain> {
    let tools = candidates(toolchain).find(|tools| tools.library_source().is_some());
    let programs = [ASSEMBLER, LINKER, EMULATOR].into_iter().filter(|name| !in_path(name));
    let compiler = tools.is_none().then_some("a Rust compiler with its library's source");
    let missing = Missing(compiler.into_iter().chain(programs).collect());
    match tools {
        Some(tools) if missing.0.is_empty() => Ok(tools),
        _ => bail!("{missing}"),
    }
}

/// Finds the tool that makes images of the chip's flash and writes them.
pub(crate) fn esptool() -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Where pipx installs, whether it is in the path or not.
    let own = env::home_dir().map(|home| home.join(".local/bin"));
    let mut places =
        env::split_paths(&path).chain(own).flat_map(|folder| ESPTOOL.map(|name| folder.join(name)));
    places.find(|tool| tool.exists()).context(
        "the chip's image needs esptool; install it with\n\n    \
         sudo apt-get install -y pipx && pipx install esptool\n",
    )
}

/// What is not there.
struct Missing(Vec<&'static str>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "building for the ESP8266's core needs {}; install all its tools with\n\n    \
             sudo apt-get install -y --no-install-recommends {PACKAGES}\n",
            self.0.join(", ")
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
        })
        .filter(|tools| tools.cargo.exists() && tools.rustc.exists())
}

fn in_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(name).exists())
}

#[cfg(test)]
mod tests {
    use super::Missing;

    #[test]
    fn one_message_names_what_is_missing_and_the_command() {
        let missing = Missing(vec!["a Rust compiler with its library's source", super::LINKER]);
        insta::assert_snapshot!(missing, @r"
        building for the ESP8266's core needs a Rust compiler with its library's source, xtensa-lx106-elf-ld; install all its tools with

            sudo apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src binutils-xtensa-lx106 qemu-system-misc
        ");
    }
}

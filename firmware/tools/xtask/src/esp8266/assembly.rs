//! From a crate to an ELF file. Cargo decides what has to be compiled; what follows is done again
//! only for files that came out different.
//!
//! 1. `cargo rustc`, with the library built for the core, gives the assembly of the whole program
//!    in one file, and that of `compiler_builtins`, which never takes part in link-time
//!    optimisation.
//! 2. It is mended (`asm_fixup`) and assembled; so is the runtime's own.
//! 3. The linker puts it where `link.ld` says.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use object::{Object, ObjectSymbol};
use serde_json::Value;

use super::asm_fixup;
use super::fake_linker;
use super::flash_dependency_check;
use crate::chip::cargo::{self, Program, SMALL_HASH};
use crate::chip::paths::Paths;
use crate::chip::toolchain::Toolchain;

/// GNU's assembler and linker for the core.
pub(crate) const ASSEMBLER: &str = "xtensa-lx106-elf-as";
pub(crate) const LINKER: &str = "xtensa-lx106-elf-ld";

/// The linker scripts, in their folder of the chips' workspace.
const LINKER_SCRIPTS: &str = "lx106-rt";
const LINKER_SCRIPT: &str = "link.ld";
const MEMORY_SCRIPT: &str = "memory.ld";

/// The program that counts instructions does more in one function than the device, so it has the
/// stack the device had at first.
const BENCH: &str = "bench";
const BENCH_STACK: &str = "--defsym=_stack_size=8192";
/// The runtime's assembly.
const RUNTIME: &str = "lx106-rt/asm";
/// The crate of the library that is linked by itself.
const BUILTINS: &str = "compiler_builtins";
/// 128-bit divisions: caller and callee do not agree on how their arguments are passed.
const MISCOMPILED: [&str; 4] = ["__udivti3", "__umodti3", "__divti3", "__modti3"];

/// Builds the program; returns the ELF file.
pub(crate) fn build(paths: &Paths, toolchain: &Toolchain, program: &Program) -> Result<PathBuf> {
    let parts = paths.target.join("parts").join(program.file_name());
    fs::create_dir_all(&parts)?;

    let compiled = parts.join("program.s");
    // Cargo keeps what other options gave apart, but this file has one name for all of them.
    let (stamp, options) =
        (parts.join("options"), format!("{:?}", compiler(paths, toolchain, program, &compiled)?));
    if !compiled.exists() || fs::read_to_string(&stamp).ok().as_ref() != Some(&options) {
        clean(paths, toolchain, program)?;
    }
    let builtins = compile(paths, toolchain, program, &compiled)?;
    fs::write(&stamp, options)?;

    let mut objects = Vec::new();
    for (source, name) in [(&compiled, "program"), (&builtins, BUILTINS)] {
        let mended = parts.join(name).with_extension("mended.s");
        mend(source, &mended)?;
        objects.push(assemble(&mended, &parts.join(name).with_extension("o"))?);
    }
    for source in assembly_files(&paths.workspace.join(RUNTIME))? {
        let name = source.file_stem().context("the runtime's assembly has names")?;
        let object = parts.join(format!("rt-{}.o", name.to_string_lossy()));
        objects.push(assemble(&source, &object)?);
    }

    let elf = paths.target.join(program.file_name()).with_extension("elf");
    link(paths, &objects, &elf)?;
    Ok(elf)
}

/// Compiles the program to `output`; returns where the assembly of `compiler_builtins` is.
fn compile(
    paths: &Paths,
    toolchain: &Toolchain,
    program: &Program,
    output: &Path,
) -> Result<PathBuf> {
    let mut command = compiler(paths, toolchain, program, output)?;
    let mut cargo = command.spawn().context("cannot start cargo")?;
    let messages = cargo.stdout.take().context("cargo has an output")?;
    let mut builtins = None;
    for line in BufReader::new(messages).lines() {
        let message: Value = serde_json::from_str(&line?).unwrap_or_default();
        if message["target"]["name"] == BUILTINS && message["reason"] == "compiler-artifact" {
            builtins = message["filenames"].as_array().and_then(|names| library(names));
        }
    }
    ensure!(cargo.wait()?.success(), "{} does not compile", program.name);
    let builtins = builtins.context("cargo does not say where compiler_builtins is")?;
    // `libNAME-HASH.rlib` stands beside `NAME-HASH.s`.
    let name = builtins.file_stem().context("a library has a name")?.to_string_lossy();
    Ok(builtins.with_file_name(name.trim_start_matches("lib")).with_extension("s"))
}

/// The command that compiles the program to `output`.
fn compiler(
    paths: &Paths,
    toolchain: &Toolchain,
    program: &Program,
    output: &Path,
) -> Result<Command> {
    let mut emit = OsString::from("--emit=asm=");
    emit.push(output);
    let mut linker = OsString::from("linker=");
    linker.push(env::current_exe()?);
    let mut command = cargo::cargo(paths, toolchain, "rustc");
    command
        .args([
            "--release",
            "-p",
            &cargo::package(paths, toolchain, &program.name)?,
            "--bin",
            &program.name,
        ])
        .args(["--features", &program.features.join(",")])
        .args(cargo::target(paths))
        .args(["-Z", "profile-rustflags"])
        .args(["--config", "profile.release.package.compiler_builtins.rustflags=['--emit=asm']"])
        .args(["--config", SMALL_HASH])
        .args(["--message-format", "json-render-diagnostics", "--"])
        .arg(emit)
        // GNU's linker does that, of what GNU's assembler made; but cargo wants to see a file.
        .arg("-C")
        .arg(linker)
        .env("CARGO_ENCODED_RUSTFLAGS", cargo::encoded(&cargo::short_paths(paths, toolchain)?))
        .env(fake_linker::VARIABLE, "1")
        .stdout(Stdio::piped());
    Ok(command)
}

fn library(names: &[Value]) -> Option<PathBuf> {
    names.iter().filter_map(Value::as_str).find(|name| name.ends_with(".rlib")).map(PathBuf::from)
}

fn clean(paths: &Paths, toolchain: &Toolchain, program: &Program) -> Result<()> {
    let package = cargo::package(paths, toolchain, &program.name)?;
    let status = cargo::cargo(paths, toolchain, "clean")
        .args(["--release", "-p", &package])
        .args(cargo::target_alone(paths))
        .status()?;
    ensure!(status.success(), "cargo cannot clean {package}");
    Ok(())
}

fn assembly_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "s"));
    files.sort_unstable();
    Ok(files)
}

/// Writes the mended assembly, unless it is there already: then its time stays, and so does what
/// was made of it.
fn mend(source: &Path, mended: &Path) -> Result<()> {
    let text =
        fs::read_to_string(source).with_context(|| format!("cannot read {}", source.display()))?;
    let text = asm_fixup::mend(&text).with_context(|| source.display().to_string())?;
    if fs::read_to_string(mended).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(mended, text).with_context(|| format!("cannot write {}", mended.display()))
}

fn assemble(source: &Path, object: &Path) -> Result<PathBuf> {
    make(object, &[source], |output| {
        let mut command = Command::new(ASSEMBLER);
        command.args(["--text-section-literals", "-o"]).arg(output).arg(source);
        command
    })?;
    Ok(object.to_owned())
}

fn link(paths: &Paths, objects: &[PathBuf], elf: &Path) -> Result<()> {
    let folder = paths.workspace.join(LINKER_SCRIPTS);
    let scripts = [LINKER_SCRIPT, MEMORY_SCRIPT].map(|name| folder.join(name));
    let sources: Vec<&Path> = objects.iter().chain(&scripts).map(PathBuf::as_path).collect();
    make(elf, &sources, |output| {
        let mut command = Command::new(LINKER);
        // Before the scripts, which ask whether it is defined.
        if elf.file_stem().is_some_and(|name| name == BENCH) {
            command.arg(BENCH_STACK);
        }
        command.args(["--gc-sections", "-T", LINKER_SCRIPT, "-o"]).arg(output);
        command.arg("-Map").arg(elf.with_extension("map")).args(objects);
        command.current_dir(&folder);
        command
    })?;
    check(elf).inspect_err(|_| _ = fs::remove_file(elf))
}

/// An error for a program that would not work on the core.
fn check(elf: &Path) -> Result<()> {
    let bytes = fs::read(elf)?;
    let file = object::File::parse(&*bytes).context("the linker's output is no ELF file")?;
    let wrong = file
        .symbols()
        .filter_map(|symbol| symbol.name().ok())
        .find(|name| MISCOMPILED.contains(name));
    if let Some(name) = wrong {
        bail!(
            "the program divides 128-bit numbers ({name}), which this compiler gets wrong for this core"
        );
    }
    flash_dependency_check::check(&file)
}

/// Runs a command that makes `output` of `sources`, unless it is newer than all of them. What is
/// half made has another name.
fn make(output: &Path, sources: &[&Path], command: impl FnOnce(&Path) -> Command) -> Result<()> {
    if is_newer(output, sources) {
        return Ok(());
    }
    let half = output.with_extension("half");
    let mut command = command(&half);
    let status =
        command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    ensure!(status.success(), "{:?} cannot make {}", command.get_program(), output.display());
    fs::rename(&half, output).with_context(|| format!("cannot make {}", output.display()))
}

fn is_newer(output: &Path, sources: &[&Path]) -> bool {
    let time = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let Some(made) = time(output) else { return false };
    sources.iter().all(|source| time(source).is_some_and(|changed| changed < made))
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn what_is_missing_or_as_old_as_its_source_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let (source, output) = (folder.path().join("source"), folder.path().join("output"));
        std::fs::write(&source, "").unwrap();
        assert!(!is_newer(&output, &[&source]));
        let stamp = std::fs::metadata(&source).unwrap().modified().unwrap();
        let made = std::fs::File::create(&output).unwrap();
        made.set_modified(stamp).unwrap();
        assert!(!is_newer(&output, &[&source]));
        made.set_modified(stamp + std::time::Duration::from_secs(1)).unwrap();
        assert!(is_newer(&output, &[&source]));
    }
}

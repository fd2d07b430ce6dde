//! Stands in for the linker where the compiler's own object is not wanted: makes the file cargo
//! looks for, and nothing else.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::process::ExitCode;

/// Set for the compiler, so that this program knows what it is called for.
pub(crate) const VARIABLE: &str = "UMQTT_XTASK_NO_LINKER";

/// If the compiler has called this program as its linker, does what it has to.
pub fn stand_in() -> Option<ExitCode> {
    env::var_os(VARIABLE)?;
    Some(match make_output(env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    })
}

fn make_output(arguments: impl Iterator<Item = OsString>) -> io::Result<()> {
    match arguments.skip_while(|argument| argument != "-o").nth(1) {
        Some(output) => File::create(output).map(drop),
        None => Err(io::Error::other("the compiler names no output to its linker")),
    }
}

#[cfg(test)]
mod tests {
    use super::make_output;

    #[test]
    fn the_output_is_there_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("program");
        let arguments =
            ["linker", "a.o", "-o"].map(Into::into).into_iter().chain([output.clone().into()]);
        make_output(arguments).unwrap();
        assert!(output.exists());
        assert!(make_output(["linker", "a.o"].map(Into::into).into_iter()).is_err());
    }
}

//! Whether a script can run on the device, before that is started: by the same compiler and the
//! same verifier as the device's. Only whether its memory suffices is known there alone.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, bail};
use umqtt_lang::diagnostic::position;
use umqtt_lang::umqtt_vm::image::MAGIC;
use umqtt_lang::umqtt_vm::{Profile, Program};
use umqtt_lang::{EmitOptions, compile};

/// Checks the script in this file, source or bytecode.
pub(super) fn check(profile: &Profile, path: &Path, script: &[u8]) -> Result<()> {
    let shown = path.display();
    if script.starts_with(&MAGIC) {
        return match Program::verify(script, profile) {
            Ok(_) => Ok(()),
            Err(error) => bail!("{shown} is bytecode that cannot run here: {error}"),
        };
    }
    let Err(found) = compile(script, profile, EmitOptions::new()) else { return Ok(()) };
    let mut text = format!("the device is not started, {shown} has errors:\n");
    for error in found {
        let (line, column) = position(script, error.span.start as usize);
        writeln!(text, "line {line}, column {column}: {}", error.message)?;
    }
    let name = profile.name;
    bail!("{text}`umqttc check --profile {name} {shown}` shows them in the script, with help")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Profile, check, compile};
    use umqtt_lang::EmitOptions;

    fn refusal(script: &[u8]) -> String {
        format!("{:#}", check(&Profile::ESP8266, Path::new("my.script"), script).unwrap_err())
    }

    #[test]
    fn a_script_with_errors_is_refused_with_all_of_them() {
        check(&Profile::ESP8266, Path::new("my.script"), b"on init do\n println 1\n").unwrap();
        insta::assert_snapshot!(refusal(b"on init do\n setvar x = 1\non init do\n printn 1\n"), @r"
        the device is not started, my.script has errors:
        line 2, column 9: unexpected `x`, expected a variable
        line 4, column 2: unexpected `printn`, expected an action
        `umqttc check --profile esp8266 my.script` shows them in the script, with help
        ");
    }

    #[test]
    fn so_is_bytecode_for_a_larger_device() {
        let source = b"on init do\n gpio_out 40 1\n";
        let image = compile(source, &Profile::DESKTOP, EmitOptions::new()).unwrap();
        insta::assert_snapshot!(refusal(&image), @"my.script is bytecode that cannot run here: pin 40 is not on this device (0 to 16): build it with --profile esp8266");
        let image = compile(b"on init do\n gpio_out 4 1\n", &Profile::DESKTOP, EmitOptions::new());
        check(&Profile::ESP8266, Path::new("my.script"), &image.unwrap()).unwrap();
    }
}

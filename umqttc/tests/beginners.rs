//! Whole scripts as people write them who come from Arduino, Tasmota, ESPHome, JavaScript, Python
//! or a shell: what `umqttc check` tells of each, and what `--fix` leaves of it.

use std::path::Path;
use std::process::Command;

/// What a run prints, without the lines of drawing that say nothing.
fn check(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_umqttc"))
        .current_dir(folder)
        .args(["check", "--color", "never", "--profile", "esp8266"])
        .args(arguments)
        .output()
        .expect("umqttc runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_end().ends_with('│');
    text.lines().filter(says).fold(String::new(), |all, line| all + line + "\n")
}

fn told(name: &str) -> String {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/beginners");
    let file = format!("{name}.script");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(scripts.join(&file), folder.path().join(&file)).expect("a copy");
    let before = std::fs::read_to_string(folder.path().join(&file)).expect("the script");
    let first = check(folder.path(), &[&file]);
    assert!(first.contains("help: "), "{name} is not told what to do:\n{first}");
    let left = check(folder.path(), &["--fix", &file]);
    let after = std::fs::read_to_string(folder.path().join(&file)).expect("the script");
    format!("{before}\n---- check\n{first}\n---- after --fix\n{after}\n---- left\n{left}")
}

macro_rules! scripts {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            insta::assert_snapshot!(told(stringify!($name)));
        })*
    };
}

scripts! {
    alarm_clock alarm_esphome blink_arduino blink_loop blink_timer bridge counter counter_flash dice
    doorbell fan_pwm http_shell http_switch json_sensor lamp_arduino lamp_esphome
    lamp_half_arduino lamp_tasmota misspelt motion_js motion_light night_light_esp serial_gateway
    smooth_average thermostat_js thermostat_python timer_tasmota toggle_switch
}

#[test]
fn every_script_is_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/beginners");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".script").map(str::to_owned))
        .collect();
    files.sort();
    assert_eq!(files, NAMES);
}

//! A script that tests of `umqttc test` share, and running one beside it.

use super::{Ran, folder, umqttc};

pub const LAMP: &str = "% A lamp.
on init
do
    setvar $on = 0
    subscribe local lamp/set

on topic local lamp/set
do
    setvar $on = $this_data = \"on\"
    gpio_out 12 $on
    setvar @1 = $this_data
    publish local lamp/state $this_data retained
    settimer 1 5000

on timer 1
do
    publish local lamp/state \"off\" retained
";

/// Runs a test file beside the lamp's script.
pub fn test(file: &str, args: &[&str]) -> Ran {
    let dir = folder(&[("lamp.script", LAMP.as_bytes()), ("lamp.test", file.as_bytes())]);
    let mut all = vec!["test"];
    all.extend(args);
    umqttc(dir.path(), &all)
}

/// What passed in how many seconds is different every time.
pub fn without_time(out: &str) -> String {
    let end = out.rfind(" (").unwrap_or(out.len());
    out[..end].to_owned()
}

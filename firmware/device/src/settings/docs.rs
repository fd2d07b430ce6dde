//! The table as a page: `docs/settings.md` is this text, and a test keeps it so.

use alloc::string::String;
use core::fmt::Write;

use super::table::{DefaultValue, Spec, TABLE};
use crate::device::DeviceOptions;

/// A board by name, and what it is started with to have more.
struct BoardKind {
    name: &'static str,
    options: DeviceOptions,
    with: &'static [(&'static str, DeviceOptions)],
}

const BOARDS: &[BoardKind] = &[
    BoardKind {
        name: "desktop",
        options: DeviceOptions::DESKTOP,
        with: &[
            ("`--radio`", DeviceOptions::DESKTOP.with_radio()),
            ("`--ap-interface`", DeviceOptions::DESKTOP.with_own_addresses()),
        ],
    },
    BoardKind {
        name: "ESP8266",
        options: DeviceOptions::ESP8266.with_network_services(),
        with: &[],
    },
    BoardKind { name: "ESP32-C3", options: DeviceOptions::ESP32C3_WITH_RADIO, with: &[] },
];

/// The page, in Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# Parameters\n\n\
         `set NAME VALUE` on the console sets one until the next restart, `save` keeps it; `config NAME VALUE` in a\n\
         script sets it while that script is loaded. This page is made from the table in `src/settings/table.rs`.\n\n\
         A board has only those that do something on it: `help set` there lists them. In a script the others are\n\
         noted in the log and do nothing.\n\n\
         What concerns WiFi (`ssid`, `password`, `auto_connect`, `ap_...`) counts at once, three seconds after the last of it\n\
         was set, so that a name and its password can be set one after the other. Setting `ap_password` sets `ap_open` 0,\n\
         taking it away sets 1; with `ap_open 0` and no password there is no own network. A network that cannot be joined\n\
         is tried again after 1, 2, 4 and at last 60 seconds; one whose password is wrong after 120.\n\n\
         `ip`, `netmask`, `gw` and `dns` count from the next start on: half a change would cut you off. A fixed `ip` without a\n\
         netmask, or with one that is none, is taken with 255.255.255.0.\n\n\
         `speed` has to be saved: the clock is set before anything else starts, so a script's `config speed` does nothing. `bitrate` counts\n\
         at once: the answer still comes at the old speed. A chip's first lines come at 115,200 bit/s, and a USB port has no speed.\n\n\
         | name | value | default | boards | what it does |\n|---|---|---|---|---|\n",
    );
    for spec in TABLE {
        let mut default = String::new();
        // Writing to a String cannot fail.
        let _ = match spec.default {
            DefaultValue::Number(number) => spec.kind.write_number(&mut default, number),
            DefaultValue::Text("") => default.write_str("none"),
            DefaultValue::Text(text) => default.write_str(text),
            DefaultValue::TimeServer => {
                default.write_str("1.pool.ntp.org; none on the desktop and in the emulator")
            }
            DefaultValue::IdFromMac => default.write_str("ESPRouter_ and half the MAC address"),
        };
        let note = match (spec.secret, spec.saved) {
            (true, _) => "; never shown while locked",
            (_, false) => "; not saved",
            _ => "",
        };
        let (name, boards) = (spec.name, boards(spec));
        let _ = writeln!(
            page,
            "| `{name}` | {} | {default} | {boards} | {}{note} |",
            spec.kind, spec.help
        );
    }
    page
}

/// The boards that have a parameter.
fn boards(spec: &Spec) -> String {
    let lacks = |needed| BOARDS.iter().any(|board| !board.options.capabilities.has(needed));
    let Some(needed) = spec.needs.filter(|needed| lacks(*needed)) else {
        return String::from("all");
    };
    let mut names = String::new();
    for BoardKind { name, options, with } in BOARDS {
        let before = if names.is_empty() { "" } else { ", " };
        let has = |options: &DeviceOptions| options.capabilities.has(needed);
        // Writing to a String cannot fail.
        let _ = match with.iter().find(|(_, options)| has(options)) {
            _ if has(options) => write!(names, "{before}{name}"),
            Some((option, _)) => write!(names, "{before}{name} with {option}"),
            None => Ok(()),
        };
    }
    names
}

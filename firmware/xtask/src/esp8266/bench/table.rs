//! What the design sets aims for, beside what others take on the same core.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::{perform, script_task};
use crate::esp8266::places::Places;
use crate::esp8266::tools::Tools;

/// Where the measured scripts are.
const SCRIPTS: &str = "firmware/device/benches/scripts";

/// An event the design has an aim for.
struct Case {
    name: &'static str,
    script: &'static str,
    event: &'static str,
    aim: u64,
}

const CASES: [Case; 4] = [
    Case {
        name: "T relay toggle",
        script: "relay",
        event: "topic local switch/1/command toggle",
        aim: 1600,
    },
    Case {
        name: "N matches nothing",
        script: "relay",
        event: "topic local kitchen/temperature 21.5",
        aim: 200,
    },
    Case { name: "P PWM tick", script: "fade", event: "timer 1", aim: 580 },
    Case {
        name: "B bridge",
        script: "bridge",
        event: "topic local kitchen/temperature 21.5",
        aim: 800,
    },
];

pub(super) fn run(places: &Places, _tools: &Tools, elf: &Path) -> Result<ExitCode> {
    let mut tasks = Vec::new();
    for case in &CASES {
        let path = places.root.join(SCRIPTS).join(case.script).with_extension("script");
        let source = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        tasks.extend([script_task(&source), format!("event {}", case.event).into_bytes()]);
    }
    tasks.extend([b"publish 1".to_vec(), b"publish 8".to_vec()]);
    let report = perform(places, elf, &tasks)?;
    for (case, instructions) in CASES.iter().zip(report.events()) {
        println!("{:<20}{instructions:>8} aim {}", case.name, case.aim);
    }
    for n in report.all("publish", "instructions") {
        println!("publish {n}");
    }
    print!("{report}");
    Ok(ExitCode::SUCCESS)
}

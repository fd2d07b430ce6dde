//! `lang/docs/language.md` is what the compiler and the engine do: its scripts and traces run, its
//! rows of examples are computed, its limits are the profiles'. That it has every keyword is tested
//! beside the compiler's table of them.
#![allow(clippy::unwrap_used)]

use umqtt_device::engine::LocalTime;
use umqtt_device::net::Duration;
use umqtt_device::settings::lint::Parameters;
use umqtt_device::sim::Simulator;
use umqtt_lang::lint::lint;
use umqtt_lang::{EmitOptions, compile, parse};
use umqtt_vm::isa::MAX_CALL_DEPTH;
use umqtt_vm::{FLASH_VARIABLE_LEN, Profile};

const PAGE: &str = include_str!("../../../lang/docs/language.md");

/// The fenced blocks: the word behind the fence, and the text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let blocks: Vec<_> =
        PAGE.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).collect();
    assert!(blocks.iter().all(|(word, _)| ["grammar", "script", "trace"].contains(word)));
    blocks
}

/// The rows of all tables that have these words in their heading.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for table in PAGE.split(heading).skip(1) {
        for line in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let row = line.replace("\\|", "\0");
            let cells = row.trim_matches('|').split('|').map(|cell| cell.replace('\0', "|"));
            found.push(cells.map(|cell| cell.trim().to_string()).collect());
        }
    }
    assert!(!found.is_empty(), "there is no table {heading}");
    found
}

fn image(script: &str, profile: &Profile) -> Vec<u8> {
    compile(script.as_bytes(), profile, EmitOptions::new().debug(true))
        .unwrap_or_else(|errors| panic!("{script}\n{errors:#?}"))
}

#[test]
fn its_scripts_compile_without_a_warning_and_do_what_their_traces_say() {
    let blocks = blocks();
    let mut traces = 0;
    for (at, (word, script)) in blocks.iter().enumerate() {
        if *word != "script" {
            continue;
        }
        for profile in Profile::ALL {
            image(script, &profile);
            let umqtt_lang::Parsed { statements, .. } = parse(script.as_bytes(), &profile);
            let warnings = lint(script.as_bytes(), &statements, &profile, &Parameters::ALL);
            assert!(warnings.is_empty(), "{script}\n{warnings:#?}");
        }
        if let Some(("trace", trace)) = blocks.get(at + 1) {
            traces += 1;
            assert_eq!(played(script, trace), *trace);
        }
    }
    assert!(traces >= 4, "{traces}");
}

/// The trace again, with what the script really did.
fn played(script: &str, trace: &str) -> String {
    let profile = Profile::ESP8266;
    let mut sim = Simulator::new(image(script, &profile), &profile).unwrap();
    let mut played = String::new();
    for input in trace.lines().filter(|line| !line.starts_with(' ')) {
        give(&mut sim, input);
        played += &format!("{input}\n");
        for action in sim.done() {
            played += &format!("  {action}\n");
        }
    }
    played
}

fn give(sim: &mut Simulator, input: &str) {
    let mut words = input.splitn(3, ' ');
    let (what, first, rest) =
        (words.next().unwrap(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match what {
        "start" => sim.start(),
        "local" => sim.local(first, rest),
        "remote" => sim.remote(first, rest),
        "connect" => sim.connect_remote(),
        "wifi" => sim.wifi(first == "up"),
        "serial" => sim.serial(input.strip_prefix("serial ").unwrap()),
        "answer" => {
            assert!(sim.http_answer(first.as_bytes().try_into().unwrap(), rest), "{input}");
        }
        "pin" => sim.drive_pin(first.parse().unwrap(), rest == "1"),
        "wait" => sim.advance(ms(first.parse().unwrap())),
        "clock" => sim.set_clock(clock(first, rest)),
        _ => panic!("no input {input}"),
    }
}

/// A day of the second week of 1970, whose first day was a Thursday.
fn clock(weekday: &str, time: &str) -> LocalTime {
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let day = days.iter().position(|day| *day == weekday).unwrap() as u32 + 7;
    let parts: Vec<u32> = time.split(':').map(|part| part.parse().unwrap()).collect();
    LocalTime { day, millis: ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 }
}

#[test]
fn its_expressions_have_the_values_it_says() {
    let mut computed = 0;
    for row in rows("| expression | value |") {
        let [expression, value] = &row[..] else { panic!("{row:?}") };
        let (expression, value) = (expression.trim_matches('`'), value.trim_matches('`'));
        let script = format!("on init do setvar $one = 1 setvar $value = {expression}");
        let mut sim = Simulator::new(image(&script, &Profile::ESP8266), &Profile::ESP8266).unwrap();
        sim.start();
        assert_eq!(sim.variable("$value").as_deref(), Some(value), "{expression}");
        computed += 1;
    }
    assert!(computed >= 30, "{computed}");
}

#[test]
fn its_limits_are_those_of_the_profiles() {
    let figure = |name: &str, profile: &Profile| match name {
        "script, bytes" => profile.source,
        "compiled script, bytes" => profile.image,
        "variables" => profile.variables,
        "flash variables" => profile.flash_variables.into(),
        "flash variable, bytes" => FLASH_VARIABLE_LEN,
        "value, bytes" => profile.value,
        "timers" => profile.timers.into(),
        "alarms" => profile.alarms.into(),
        "handlers of `on every`" => profile.timers.into(),
        "handlers of `on clock`" => profile.alarms.into(),
        "constants" | "subs" => profile.variables,
        "highest pin" => profile.max_pin.into(),
        "pins with `gpio_interrupt`" => profile.interrupt_pins.into(),
        "pins with `gpio_pwm`" => profile.pwm_channels.into(),
        "nesting of `if`, `while`, brackets" => profile.nesting,
        "operands of a chain without brackets" => profile.temporaries,
        "values in the brackets of a function" => profile.temporaries,
        "subs that call each other, one within the other" => MAX_CALL_DEPTH.into(),
        "RAM for variables and texts, bytes" => profile.ram,
        "fuel of an event" => profile.fuel as usize,
        _ => panic!("no limit {name}"),
    };
    let heading = Profile::ALL.map(|profile| profile.name).join(" | ");
    let rows = rows(&format!("| | {heading} |"));
    assert_eq!(rows.len(), 21, "a limit is missing");
    for row in rows {
        let figures = Profile::ALL.map(|profile| figure(&row[0], &profile).to_string());
        assert_eq!(row[1..], figures, "{}", row[0]);
    }
}

/// So many milliseconds.
fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

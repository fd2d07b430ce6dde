//! `umqttc test`: the samples' tests, what people and programs read, exit codes.

mod common;

use std::fs;

use common::lamp::{test, without_time};
use common::{folder, repository, umqttc};

/// Every sample has a test file, and they pass on every device.
#[test]
fn the_samples_do_what_their_tests_say() {
    let scripts = repository("scripts");
    for entry in fs::read_dir(&scripts).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "script") {
            let test = fs::read_to_string(path.with_extension("test"));
            let test = test.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(test.contains(&format!("use {name}\n")), "{}", path.display());
        }
    }
    for device in ["esp8266", "esp32", "desktop"] {
        let ran = umqttc(&scripts, &["test", "--profile", device]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    }
}

#[test]
fn what_holds_is_counted() {
    let ran = test(
        "use lamp.script\ntest \"a\"\n start\ntest \"b\"\n start\n expect subscribe local lamp/set",
        &[],
    );
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.starts_with("ok      lamp.test: 2 tests\n2 tests: 2 passed ("), "{}", ran.out);
}

#[test]
fn a_failure_shows_what_happened_instead() {
    let ran = test(
        "use lamp.script

test \"it goes off by itself\"
    clock Mon 06:59:58
    start
    forget
    topic local lamp/set on
    expect publish local lamp/state on retained
    wait 4s
    expect publish local lamp/state off retained
",
        &[],
    );
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(without_time(&ran.out));
}

/// Each line of a test that is wrong about the script.
#[test]
fn failures() {
    let mut shown = String::new();
    for steps in [
        "expect publish local lamp/state off",
        "topic local lamp/set on\n expect publish local lamp/state on not retained",
        "topic local lamp/set on\n expect no publish local lamp/state on",
        "topic local lamp/sett on\n expect publish local lamp/state",
        "topic remote lamp/set on\n expect publish local lamp/state",
        "topic local door open\n pin 12 1\n expect no gpio\n expect gpio 12",
        "topic local lamp/set on\n expect no gpio 12 = on",
        "topic local lamp/set on\n expect gpio 12 = off",
        "topic local lamp/set on\n expect pin 12 = high",
        "expect no gpio 99",
        "expect retained \"lamp/#\" = \"\"",
        "expect subscribe local lamp/set\n expect subscribe local lamp/set",
        "expect nothing more",
        "expect no subscribe",
        "expect $on = 1",
        "expect $one = 1",
        "expect @1 = on",
        "expect pin 12 = 1",
        "expect pin 13 = 1",
        "pin 13 1",
        "pin 12 2",
        "adc 1024",
        "http 200 x",
        "topic local \"a/#\" x",
        "expect retained lamp/state = on",
        "expect stopped",
        "expect within 1s publish local lamp/state off retained",
        "wait until 07:00",
        "set broker_usr none",
        "set broker_timeout never",
        "expect log like \"*\"",
    ] {
        let ran = test(&format!("use lamp.script\ntest \"t\"\n start\n {steps}\n"), &[]);
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{steps}: {}", ran.out);
        assert!(!ran.out.contains("has errors"), "{}", ran.out);
        let lines: Vec<&str> = ran.out.lines().collect();
        let end = lines.iter().position(|line| line.starts_with("FAILED")).unwrap();
        shown.push_str(&lines[..end].join("\n"));
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_script_with_errors_fails_all_its_tests() {
    let test = "use b.script\ntest \"x\"\n start\ntest \"y\"\n start\n";
    let dir = folder(&[("b.script", b"on init do printl 1"), ("b.test", test.as_bytes())]);
    let ran = umqttc(dir.path(), &["test"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("b.script:1:12") && ran.out.contains("FAILED  b.test: 2 of 2 tests"));
}

#[test]
fn what_cannot_be_read_is_told() {
    let empty = folder(&[]);
    let ran = umqttc(empty.path(), &["test"]);
    assert_eq!((ran.code, ran.err.as_str()), (2, "umqttc: there are no *.test files in .\n"));
    let ran = umqttc(empty.path(), &["test", "nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("umqttc: cannot read nowhere: No such file"), "{}", ran.err);
    let ran = umqttc(&repository("scripts"), &["test", "--filter", "no such test"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.err, "umqttc: no test has \"no such test\" in its name\n");
}

#[test]
fn each_value_is_a_run_of_its_own() {
    let ran = test(
        "use lamp.script
each state in on off
test \"it tells its state\"
    start
    topic local lamp/set $state
    expect publish local lamp/state $state retained
    expect @1 = $state
",
        &["--format", "json"],
    );
    assert_eq!(ran.code, 0, "{}", ran.out);
    let names: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["test"].to_string())
        .collect();
    let expected = ["\"it tells its state (state = on)\"", "\"it tells its state (state = off)\""];
    assert_eq!(names, expected);
}

/// What differs in one word is told.
#[test]
fn near_misses() {
    let script = "on init do println a print b gpio_pinmode 4 input pullup\n";
    for (expected, help) in [
        ("print a", "it did, but by `println`"),
        ("println b", "it did, but by `print`"),
        ("gpio_pinmode 4 input not pullup", "it did, but with `pullup`"),
    ] {
        let file = format!("use s.script\ntest \"x\"\n start\n expect {expected}\n");
        let files = [("s.script", script.as_bytes()), ("s.test", file.as_bytes())];
        let ran = umqttc(folder(&files).path(), &["test"]);
        assert!(ran.code == 1 && ran.out.contains(help), "{}", ran.out);
    }
}

/// Zone and place, by the script's own lines and by settings: the longest day in Berlin.
#[test]
fn zone_and_place() {
    let script = "config timezone CET-1CEST,M3.5.0,M10.5.0/3
config latitude 52.52
on clock sunset do println \"dark \" | $date
on clock 03:00 do println $timestamp
";
    let file = "use s.script
test \"x\"
    clock 2026-06-21 12:00:00
    set longitude 13.405
    start
    wait until 21:00:00
    expect no println
    wait until 22:00:00
    expect println \"dark 2026-06-21\"

test \"a time that summer time leaps over comes at the leap\"
    clock 2026-03-29 01:59:59
    start
    wait 1s
    expect println \"03:00:00\"
";
    let files = [("s.script", script.as_bytes()), ("s.test", file.as_bytes())];
    let ran = umqttc(folder(&files).path(), &["test"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// A power cut: flash and saved retained messages stay, variables and timers do not.
#[test]
fn a_power_cut() {
    let ran = test(
        "use lamp.script
test \"what stays\"
    retained kept 1
    start
    topic local lamp/set on
    wait 1s
    restart
    expect @1 = on
    expect $on = 0
    expect pin 12 = 0
    expect retained kept = 1
    expect retained lamp/state = \"\"
    forget
    wait 1h
    expect nothing more
",
        &[],
    );
    assert_eq!(ran.code, 0, "{}", ran.out);
}

/// Two devices: what one publishes on its remote broker comes to the other, and back.
#[test]
fn devices_side_by_side() {
    let kitchen = "on init do setvar $x = 0
on mqttconnect do subscribe remote hall/# publish remote kitchen/up 1 retained
on topic remote hall/# do println $this_topic | \" \" | $this_data
on gpio_interrupt 0 pullup do publish remote kitchen/button $this_gpio
";
    let hall = "on init do subscribe local kitchen/#
on topic local kitchen/button do publish local hall/bell ring
on topic local kitchen/up do settimer 1 2000
on timer 1 do publish local hall/time 2
";
    let file = "use kitchen.script as kitchen
use hall.script as hall
link kitchen remote hall

test \"a button rings\"
    hall: retained hall/old news
    hall: start
    kitchen: start
    kitchen: expect println \"hall/old news\"
    hall: expect retained kitchen/up = 1
    kitchen: pin 0 0
    kitchen: wait 50ms
    kitchen: expect publish remote kitchen/button 0
    hall: expect publish local hall/bell ring
    kitchen: expect println \"hall/bell ring\"
    kitchen: expect within 5s println \"hall/time 2\"
    hall: topic local hall/note hello
    kitchen: expect println \"hall/note hello\"
    hall: stop
    kitchen: pin 0 1
    kitchen: wait 1s
    kitchen: expect no publish
";
    let files = [
        ("kitchen.script", kitchen.as_bytes()),
        ("hall.script", hall.as_bytes()),
        ("house.test", file.as_bytes()),
    ];
    let ran = umqttc(folder(&files).path(), &["test"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// The page's own example of several devices runs, and fails without its link.
#[test]
fn the_pages_example_of_several_devices() {
    let page = fs::read_to_string(repository("umqttc/docs/test.md")).unwrap();
    let page = &page[page.find("## Several devices").unwrap()..];
    let blocks: Vec<&str> = page.split("```\n").skip(1).step_by(2).take(3).collect();
    let ran = |test: &str| {
        let files = [
            ("kitchen.script", blocks[0].as_bytes()),
            ("hall.script", blocks[1].as_bytes()),
            ("house.test", test.as_bytes()),
        ];
        umqttc(folder(&files).path(), &["test"])
    };
    let whole = ran(blocks[2]);
    assert_eq!(whole.code, 0, "{}{}", whole.out, whole.err);
    let parted = ran(&blocks[2].replace("link ", "% "));
    assert!(parted.code == 1 && parted.out.contains("this did not happen"), "{}", parted.out);
}

/// Two devices that answer each other for ever fail, and do not hang.
#[test]
fn endless_answers_are_found_out() {
    let ping = "on init do setvar $x = 0
on mqttconnect do subscribe remote pong publish remote ping 1
on topic remote pong do publish remote ping 1
";
    let pong = "on init do subscribe local ping\non topic local ping do publish local pong 1\n";
    let file = "use a.script as a\nuse b.script as b\nlink a remote b
test \"x\"
    b: start
    a: start
";
    let files =
        [("a.script", ping.as_bytes()), ("b.script", pong.as_bytes()), ("x.test", file.as_bytes())];
    let ran = umqttc(folder(&files).path(), &["test"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("answer each other without end"), "{}", ran.out);
}

/// A file from somebody else comes to its end, and fits into memory.
#[test]
fn what_takes_too_long_or_too_much_is_given_up() {
    let script = "on init do subscribe local a
on topic local a do publish local a $this_data
on every 1ms do publish local b c
on topic local busy do setvar $x = $x + 1
";
    let endless = "repeat 1000000 do\n repeat 1000000 do\n done\n done\n";
    let busy = "subscribe".to_owned() + &" x".repeat(200_000);
    for (steps, says) in [
        ("wait 36000d", "more has happened than is kept: 64 MiB"),
        ("expect within 36500d publish local never", "more has happened than is kept"),
        (endless, "the test takes too long"),
        (&busy, "larger than 262144 bytes"),
        (&"nonsense\n".repeat(1000), "what is wrong behind this is not shown"),
        ("\nuse /etc/passwd", "a script's file ends in `.script`"),
        ("\nuse ../../etc/passwd as x", "a script's file ends in `.script`"),
    ] {
        let uses = if steps.contains("passwd") { "" } else { "use a.script\ntest \"x\"\n start\n" };
        let test = format!("{uses}{steps}\n");
        let files = [("a.script", script.as_bytes()), ("x.test", test.as_bytes())];
        let ran = umqttc(folder(&files).path(), &["test"]);
        let said = ran.out + &ran.err;
        assert!(said.contains(says) && ran.code > 0, "{said}");
        assert!(!said.contains("root:"), "{said}");
    }
}

/// What a test forgets takes no memory any more.
#[test]
fn forgetting_makes_room() {
    let script = "on topic local a do publish local b $this_data\non init do subscribe local a\n";
    let data = "x".repeat(1000);
    let test = format!(
        "use a.script\ntest \"x\"\n start\n repeat 100000 do\n topic local a {data}\n \
         expect publish local b {data}\n forget\n done\n",
    );
    let files = [("a.script", script.as_bytes()), ("x.test", test.as_bytes())];
    let ran = umqttc(folder(&files).path(), &["test"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

const MIXED: &str = "use lamp.script
test \"good\"
    start
test \"bad # <&>\"
    start
    expect $on = \"<1>\"
";

#[test]
fn junit() {
    let ran = test(MIXED, &["--format", "junit"]);
    assert_eq!(ran.code, 1);
    let mut shown = String::new();
    for line in ran.out.lines() {
        let (before, after) = line.split_once(" time=\"").unwrap_or((line, ""));
        let after = after.split_once('"').map_or("", |(_, after)| after);
        shown.push_str(&format!("{before}{after}\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn tap() {
    let ran = test(MIXED, &["--format", "tap"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
}

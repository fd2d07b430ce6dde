//! `umqttc build` and `umqttc dis`: images and what is in them.

mod common;

use std::fs;

use common::{UMQTTC, folder, output_of, umqttc, umqttc_with};

const SCRIPT: &str = "\
% Counts button presses.
config ntp_timezone 1
on init
do
    gpio_pinmode 12 output
    setvar $count = 0
    settimer 2 1000
on gpio_interrupt 0 pullup
do
    if $this_gpio = 0 then
        setvar $count = $count + 1
        publish local \"button/count\" $count retained
    endif
on timer 2
do
    gpio_out 12 $count > 10
    setvar @3 = $count
on topic local \"button/+\"
do
    println $this_topic | \": \" | $this_data
";

#[test]
fn the_size_and_the_needs_are_told() {
    let dir = folder(&[("count.script", SCRIPT.as_bytes())]);
    let ran = umqttc(dir.path(), &["build", "count.script"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.out);
    let image = fs::read(dir.path().join("count.umq")).unwrap();
    assert!(image.starts_with(b"uMQ!"));
    assert!(ran.out.contains(&format!("{} bytes", image.len())));
}

#[test]
fn the_same_source_gives_the_same_image() {
    let dir = folder(&[("a.script", SCRIPT.as_bytes()), ("b.script", SCRIPT.as_bytes())]);
    for name in ["a", "b"] {
        assert_eq!(umqttc(dir.path(), &["build", &format!("{name}.script")]).code, 0);
    }
    let image = |name| fs::read(dir.path().join(name)).unwrap();
    assert_eq!(image("a.umq"), image("b.umq"));
}

#[test]
fn strip_and_embed_source() {
    let dir = folder(&[("s.script", SCRIPT.as_bytes())]);
    let build = |out: &str, more: &[&str]| {
        let args = [&["build", "s.script", "-o", out], more].concat();
        assert_eq!(umqttc(dir.path(), &args).code, 0);
        fs::read(dir.path().join(out)).unwrap()
    };
    let has = |image: &[u8], text: &str| image.windows(text.len()).any(|w| w == text.as_bytes());
    let plain = build("plain.umq", &[]);
    let stripped = build("stripped.umq", &["--strip"]);
    let whole = build("whole.umq", &["--embed-source"]);
    let both = build("both.umq", &["--strip", "--embed-source"]);
    assert!(has(&plain, "$count") && !has(&plain, "% Counts"));
    assert!(!has(&stripped, "$count") && stripped.len() < plain.len());
    assert!(has(&whole, SCRIPT) && whole.len() >= plain.len() + SCRIPT.len());
    assert!(has(&both, SCRIPT) && both.len() >= stripped.len() + SCRIPT.len());
}

#[test]
fn the_image_goes_to_standard_output_on_request() {
    let dir = folder(&[]);
    let mut command = std::process::Command::new(UMQTTC);
    command.args(["build", "-", "-o", "-"]).current_dir(dir.path());
    let output = output_of(&mut command, SCRIPT.as_bytes());
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"uMQ!"));
    assert!(String::from_utf8(output.stderr).unwrap().contains("constants"));
    let ran = umqttc_with(dir.path(), &["build", "-"], SCRIPT.as_bytes());
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("-o"), "{}", ran.err);
}

#[test]
fn what_does_not_compile_leaves_the_old_image() {
    let dir = folder(&[("x.script", b"on init do println $nosuch"), ("x.umq", b"old")]);
    let ran = umqttc(dir.path(), &["build", "x.script"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("error[E0011]"), "{}", ran.err);
    assert_eq!(fs::read(dir.path().join("x.umq")).unwrap(), b"old");
}

#[test]
fn a_place_that_cannot_be_written_is_2() {
    let dir = folder(&[("x.script", SCRIPT.as_bytes())]);
    let ran = umqttc(dir.path(), &["build", "x.script", "-o", "no/such/folder/x.umq"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("cannot write no/such/folder/x.umq"), "{}", ran.err);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half is left");
}

#[test]
fn disassembly_with_source_lines() {
    let dir = folder(&[("count.script", SCRIPT.as_bytes())]);
    let of_script = umqttc(dir.path(), &["dis", "count.script"]);
    assert_eq!(of_script.code, 0, "{}", of_script.err);
    insta::assert_snapshot!(of_script.out);

    let build = |more: &[&str]| {
        let args = [&["build", "count.script", "-o", "count.umq"], more].concat();
        assert_eq!(umqttc(dir.path(), &args).code, 0);
        umqttc(dir.path(), &["dis", "count.umq"]).out
    };
    let listing = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(listing(&build(&["--embed-source"])), listing(&of_script.out));
    let without_source = build(&[]);
    assert!(without_source.contains("   11 |\n"), "{without_source}");
    assert!(without_source.contains("add $count 1"), "{without_source}");
    let stripped = build(&["--strip"]);
    assert!(!stripped.contains('|') && stripped.contains("add $0 1"), "{stripped}");
}

#[test]
fn disassembly_of_damaged_images_and_broken_scripts() {
    let dir = folder(&[("x.script", SCRIPT.as_bytes()), ("bad.script", b"on nothing")]);
    assert_eq!(umqttc(dir.path(), &["dis", "bad.script"]).code, 1);
    assert_eq!(umqttc(dir.path(), &["build", "x.script"]).code, 0);
    let mut image = fs::read(dir.path().join("x.umq")).unwrap();
    let middle = image.len() / 2;
    image[middle] ^= 1;
    fs::write(dir.path().join("x.umq"), image).unwrap();
    let ran = umqttc(dir.path(), &["dis", "x.umq"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("damaged"), "{}", ran.err);
}

/// By whatever name: the script is never the place of its image.
#[cfg(unix)]
#[test]
fn the_script_is_not_overwritten_by_its_image() {
    let dir = folder(&[("count.script", SCRIPT.as_bytes()), ("source.umq", SCRIPT.as_bytes())]);
    let at = |name: &str| dir.path().join(name);
    std::os::unix::fs::symlink(at("count.script"), at("symbolic")).unwrap();
    fs::hard_link(at("count.script"), at("hard")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    let absolute = at("count.script").display().to_string();
    for output in ["count.script", "./folder/../count.script", &absolute, "symbolic", "hard"] {
        let ran = umqttc(dir.path(), &["build", "count.script", "-o", output]);
        assert_eq!(ran.code, 2, "{output}");
        assert!(ran.err.contains("is the script itself"), "{output}: {}", ran.err);
        assert_eq!(fs::read(at("count.script")).unwrap(), SCRIPT.as_bytes(), "{output}");
    }
    // The default name, too, and a script that goes by a link.
    assert_eq!(umqttc(dir.path(), &["build", "source.umq"]).code, 2);
    assert_eq!(umqttc(dir.path(), &["build", "symbolic", "-o", "count.script"]).code, 2);
    assert_eq!(fs::read(at("source.umq")).unwrap(), SCRIPT.as_bytes());
    // Links elsewhere are followed, those to nowhere refused.
    std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
    let ran = umqttc(dir.path(), &["build", "count.script", "-o", "dangling"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("link to a file that does not exist"), "{}", ran.err);
    assert!(at("dangling").is_symlink());
    assert_eq!(umqttc(dir.path(), &["build", "count.script", "-o", "/dev/null"]).code, 0);
}

/// A limit on the size of files, a full device: the system's words, and what was there stays.
#[cfg(unix)]
#[test]
fn what_cannot_be_written_is_said_in_the_systems_words() {
    let dir = folder(&[("count.script", SCRIPT.as_bytes()), ("count.umq", b"old")]);
    let limited = format!("ulimit -f 0; exec {UMQTTC} build count.script");
    let mut shell = std::process::Command::new("sh");
    let output = output_of(shell.args(["-c", &limited]).current_dir(dir.path()), b"");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("File too large"), "{text}");
    assert_eq!(fs::read(dir.path().join("count.umq")).unwrap(), b"old");
    if std::path::Path::new("/dev/full").exists() {
        let ran = umqttc(dir.path(), &["build", "count.script", "-o", "/dev/full"]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("No space left on device"), "{}", ran.err);
    }
}

#[test]
fn an_image_is_no_script_to_build() {
    let dir = folder(&[("s.script", SCRIPT.as_bytes())]);
    assert_eq!(umqttc(dir.path(), &["build", "s.script"]).code, 0);
    let ran = umqttc(dir.path(), &["build", "s.umq"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("s.umq is a compiled image, not a script"), "{}", ran.err);
}

/// No device knows the names of zones: the image has the rules.
#[test]
fn a_time_zone_goes_by_its_name() {
    let script = |zone: &str| format!("config timezone {zone}\non init do println 1\n");
    for (name, rules) in [
        ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("\"America/New_York\"", "EST5EDT,M3.2.0,M11.1.0"),
        ("Asia/Kolkata", "IST-5:30"),
        ("UTC", "UTC0"),
    ] {
        let dir = folder(&[
            ("name.script", script(name).as_bytes()),
            ("rules.script", script(rules).as_bytes()),
        ]);
        let image = |file: &str| {
            let ran = umqttc(dir.path(), &["build", &format!("{file}.script")]);
            assert_eq!((ran.code, &*ran.err), (0, ""), "{name}");
            fs::read(dir.path().join(file).with_extension("umq")).unwrap()
        };
        assert_eq!(image("name"), image("rules"), "{name}");
    }
    for (zone, told) in [
        ("Berlin", "it takes the name of a zone, such as Europe/Berlin,"),
        ("Europe/Berlim", "such as Europe/Berlin,"),
        ("UTC+1", "is 1 hour behind UTC"),
    ] {
        let dir = folder(&[("wrong.script", script(zone).as_bytes())]);
        let ran = umqttc(dir.path(), &["check", "wrong.script"]);
        assert!(ran.out.contains("W0018") && ran.out.contains(told), "{zone}: {}", ran.out);
    }
}

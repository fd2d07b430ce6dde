//! `umqttc fmt`, `explain`, `completions`, `man`, and the help.

mod common;

use std::fs;
use std::io::BufRead as _;
use std::process::{Command, Stdio};

use common::{UMQTTC, folder, output_of, repository, umqttc, umqttc_with};

const UGLY: &str =
    "on   init do println   \"a\"   % a comment\n\n\n\n\nsettimer 1 100\non timer 1 do print 1";

#[test]
fn formatting_is_done_in_place_and_once() {
    let dir = folder(&[("u.script", UGLY.as_bytes())]);
    let check = umqttc(dir.path(), &["fmt", "--check", "u.script"]);
    assert_eq!((check.code, check.out.as_str()), (1, "u.script: would change\n"));
    assert_eq!(fs::read_to_string(dir.path().join("u.script")).unwrap(), UGLY);

    let ran = umqttc(dir.path(), &["fmt", "u.script"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    let formatted = fs::read_to_string(dir.path().join("u.script")).unwrap();
    insta::assert_snapshot!(formatted);
    assert_eq!(umqttc(dir.path(), &["fmt", "--check", "u.script"]).code, 0);
    assert_eq!(umqttc_with(dir.path(), &["fmt", "-"], UGLY.as_bytes()).out, formatted);
}

#[test]
fn what_does_not_parse_is_not_formatted() {
    let dir = folder(&[("b.script", b"on init do if then"), ("u.script", UGLY.as_bytes())]);
    let ran = umqttc(dir.path(), &["fmt", "b.script", "u.script"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error["), "{}", ran.err);
    assert_eq!(fs::read(dir.path().join("b.script")).unwrap(), b"on init do if then");
    assert_ne!(fs::read(dir.path().join("u.script")).unwrap(), UGLY.as_bytes());
    assert_eq!(umqttc(dir.path(), &["fmt", "missing.script"]).code, 2);
}

/// Every event, action and function has a line on how it is written and one on what it is for.
#[test]
fn every_word_is_explained() {
    use umqtt_vm::words::{ActionWord, FunctionWord, Trigger};
    let dir = folder(&[]);
    let events =
        Trigger::ALL[1..].iter().filter(|word| **word != Trigger::Sub).map(|word| word.keyword());
    let actions = ActionWord::ALL.iter().map(|word| word.keyword());
    let functions = FunctionWord::ALL.iter().map(|word| word.keyword());
    for word in events.chain(actions).chain(functions) {
        let word = word.split(' ').next().unwrap();
        let ran = umqttc(dir.path(), &["explain", word]);
        assert!(ran.out.contains(word) && ran.out.contains(".\n"), "{word}: {}", ran.out);
    }
    let ran = umqttc(dir.path(), &["explain", "http_post"]);
    assert_eq!(
        ran.out,
        "http_post URL, BODY\n    Sends a body to a web server; the answer comes as `on http_response`.\n"
    );
    for (word, said) in [
        ("call", "call NAME\n    Does what the `sub` of that name says, and goes on.\n"),
        ("timer", "on timer N\n    The timer of that number ran out.\n"),
        ("alarm", "on alarm N\n    The time of day of the alarm of that number came.\n"),
        ("gpio_interrupt", "on gpio_interrupt N pullup|nopullup\n    A pin changed and settled.\n"),
        ("init", "on init\n    The script starts.\n"),
        (
            "topic",
            "on topic local FILTER\n    A message on the own broker, on a topic that the filter",
        ),
        ("if", "if E then ... elseif E then ... else ... endif\n    decides\n"),
        ("while", "while E do ... done\n    repeats as long as E is true\n"),
        ("config", "config NAME VALUE\n    sets a parameter of the device before `init` runs"),
        ("on", "on EVENT do ACTION ...\n    a handler: "),
        ("div", "div\n    quotient of whole numbers, without remainder; by 0 it is 0\n"),
        ("$adc", "$adc\n    the analogue input, 0 to 1023 (anywhere)\n"),
        (
            "$this_item",
            "$this_data\n    the message's data; `$this_item` is an older name (`on topic`)\n",
        ),
        ("@3", "setvar @N = E\n    sets a flash variable"),
        ("$sunset", "$sunset\n    when the sun sets today, `hh:mm:ss`"),
        ("sunset", "on clock sunset\n    when the sun does so"),
        ("sunset", "on clock TIME [OFFSET] [DAYS]\n"),
        ("weekdays", "on clock 07:00 weekdays\n    Monday to Friday\n"),
        ("on clock", "on clock TIME [OFFSET] [DAYS]\n"),
        ("on topic local", "on topic local FILTER\n"),
        ("timezone", "config timezone "),
        ("==", "`==` is no sign of the language; here it is `=`\n=\n    1 if the bytes are equal"),
        ("!=", "here it is `neq`\nneq\n"),
        ("<", "here it is `lt`\nlt\n"),
        ("<=", "here it is `lte`\nlte\n"),
        (">=", "here it is `gte`\ngte\n"),
        ("&&", "here it is `and`\nand\n"),
        ("||", "here it is `or`\nor\n"),
        ("/", "here it is `div`\ndiv\n"),
    ] {
        let ran = umqttc(dir.path(), &["explain", word]);
        assert!(ran.code == 0 && ran.out.contains(said), "{word}: {}", ran.out);
    }
    assert_eq!(umqttc(dir.path(), &["explain", "on nothing"]).code, 2);
    let ran = umqttc(dir.path(), &["explain", "nosuch"]);
    assert!(ran.code == 2 && ran.err.contains("no word, sign or special variable"), "{}", ran.err);
}

#[test]
fn every_code_is_explained() {
    let dir = folder(&[]);
    let list = umqttc(dir.path(), &["explain"]);
    assert_eq!(list.code, 0);
    insta::assert_snapshot!(list.out);
    for line in list.out.lines() {
        let code = line.split(' ').next().unwrap();
        let page = umqttc(dir.path(), &["explain", code]);
        assert_eq!(page.code, 0, "{code}");
        assert!(page.out.contains(code) && page.out.len() > 100, "{code}: {}", page.out);
    }
    insta::assert_snapshot!(umqttc(dir.path(), &["explain", "w0001"]).out);
    for short in ["w1", "W01", "W0001"] {
        assert!(umqttc(dir.path(), &["explain", short]).out.starts_with("W0001: "), "{short}");
    }
    let ran = umqttc(dir.path(), &["explain", "E9999"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("E9999"), "{}", ran.err);
}

#[test]
fn an_address_that_is_none_is_told_what_one_is() {
    let dir = folder(&[]);
    let ran = umqttc(dir.path(), &["run", "--bind", "localhost"]);
    assert!(ran.code == 2 && ran.err.contains("127.0.0.1 (reached from"), "{}", ran.err);
}

#[test]
fn completions_for_every_shell() {
    let dir = folder(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = umqttc(dir.path(), &["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("deny-warnings"), "{shell}");
    }
    assert_eq!(umqttc(dir.path(), &["completions", "tcsh"]).code, 2);
}

#[test]
fn manual_pages() {
    let dir = folder(&[]);
    let overview = umqttc(dir.path(), &["man"]);
    assert!(overview.code == 0 && overview.out.contains(".TH umqttc 1"), "{}", overview.out);
    let check = umqttc(dir.path(), &["man", "check"]);
    assert!(check.out.contains(".TH umqttc-check 1"), "{}", check.out);
    assert_eq!(umqttc(dir.path(), &["man", "nothing"]).code, 2);
    fs::create_dir(dir.path().join("man1")).unwrap();
    assert_eq!(umqttc(dir.path(), &["man", "--dir", "man1"]).code, 0);
    let pages = fs::read_dir(dir.path().join("man1")).unwrap();
    let mut names: Vec<_> = pages.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    insta::assert_debug_snapshot!(names);
}

#[test]
fn the_help_of_everything() {
    let dir = folder(&[]);
    let mut text = umqttc(dir.path(), &["--help"]).out;
    for command in ["check", "explain", "build", "dis", "fmt", "run", "find", "completions", "man"]
    {
        let ran = umqttc(dir.path(), &[command, "--help"]);
        assert_eq!(ran.code, 0);
        text += &format!("\n----- {command}\n{}", ran.out);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_full_disk_is_reported() {
    if !fs::exists("/dev/full").unwrap_or(false) {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    let dir = folder(&[
        ("u.script", UGLY.as_bytes()),
        ("w.script", b"on init do println 1 - 2 - 3"),
        ("e.script", b"on init do println $no"),
    ]);
    for args in EVERY_OUTPUT {
        let mut command = Command::new(UMQTTC);
        command.args(args.split(' ')).current_dir(dir.path());
        command.stdin(fs::File::open(dir.path().join("u.script")).unwrap()).stderr(Stdio::piped());
        command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args}: {told}");
        let about = told.lines().filter(|line| line.starts_with("umqttc: ")).collect::<Vec<_>>();
        assert!(
            matches!(about[..], [line] if line.contains("cannot write to standard output")),
            "{args}: {told}"
        );
    }
}

/// Whatever prints on standard output, and ends.
const EVERY_OUTPUT: [&str; 27] = [
    "help",
    "--help",
    "-h",
    "--version",
    "-V",
    "--color always help",
    "help check",
    "help run",
    "check --help",
    "explain -h",
    "build --help",
    "dis --help",
    "fmt --help",
    "run --help",
    "find --help",
    "completions --help",
    "man --help",
    "check w.script",
    "check e.script",
    "check --format json w.script",
    "check --fix -",
    "explain",
    "explain W0001",
    "build w.script -o -",
    "dis w.script",
    "fmt -",
    "fmt --check u.script",
];

#[test]
fn the_shells_and_the_manual_too() {
    if !fs::exists("/dev/full").unwrap_or(false) {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    for args in ["completions bash", "completions fish", "man", "man check"] {
        let mut command = Command::new(UMQTTC);
        command.args(args.split(' ')).stderr(Stdio::piped());
        command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args}");
        assert_eq!(output.stderr.iter().filter(|byte| **byte == b'\n').count(), 1, "{args}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let dir =
        folder(&[("u.script", UGLY.as_bytes()), ("w.script", b"on init do println 1 - 2 - 3")]);
    for args in EVERY_OUTPUT.into_iter().filter(|args| !args.contains("e.script")) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(UMQTTC);
        command.args(args.split(' ')).current_dir(dir.path());
        command.stdin(fs::File::open(dir.path().join("u.script")).unwrap());
        let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let expected = if args.contains("fmt --check") { 1 } else { 0 };
        assert_eq!(output.status.code(), Some(expected), "{args}: {told}");
        assert!(!told.contains("umqttc: "), "{args}: {told}");
    }
}

/// A device whose output goes to a full disk serves on, and its end says what was missed.
#[test]
fn a_device_outlives_a_full_disk() {
    if !fs::exists("/dev/full").unwrap_or(false) {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    for serial in ["stdio", "none"] {
        let mut seen = false;
        while !seen {
            let dir = folder(&[]);
            let mut command = Command::new(UMQTTC);
            command.args([
                "run",
                "--mqtt-port",
                "0",
                "--console-port",
                "0",
                "--log",
                "off",
                "--data",
            ]);
            command.arg("d").args(["--serial", serial]).current_dir(dir.path());
            command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
            let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let mut lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
            let told = lines.next().unwrap().unwrap();
            assert!(told.starts_with("cannot write to standard output: No space left"), "{told}");
            assert_eq!(child.try_wait().unwrap(), None, "it goes on");
            let id = child.id().to_string();
            // It may not catch signals yet: then, once more.
            let code = common::eventually("the end", || {
                assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
                child.try_wait().unwrap()
            });
            if let Some(code) = code.code() {
                assert_eq!(code, 2);
                let rest = lines.map(Result::unwrap).collect::<Vec<_>>();
                assert_eq!(rest, [""; 0]);
                seen = true;
            }
        }
    }
}

#[test]
fn what_is_no_command_gets_a_tip() {
    let dir = folder(&[("notes", b"on init do\n println 1\n")]);
    for (word, tip) in [
        ("relay.script", "\n  tip: `umqttc run relay.script` runs a script"),
        ("notes", "\n  tip: `umqttc run notes` runs a script"),
        ("rnu", "\n  tip: did you mean `umqttc run`?"),
    ] {
        let ran = umqttc(dir.path(), &[word]);
        assert_eq!(ran.code, 2);
        assert!(
            ran.err.contains("unrecognized subcommand") && ran.err.contains(tip),
            "{}",
            ran.err
        );
    }
}

#[test]
fn why_a_device_cannot_start_there() {
    let dir = folder(&[("notes", b"no folder")]);
    for (args, why) in [
        // An address that is for documentation.
        (
            ["--bind", "192.0.2.7"],
            "192.0.2.7 is no address of this computer: --bind takes one, or 0.0.0.0 for all",
        ),
        (["--data", "notes"], "notes is a file: --data takes a directory"),
    ] {
        // The option's other spelling.
        let all = [&["run", "--port", "0", "--console-port", "0"], &args[..]].concat();
        let ran = umqttc(dir.path(), &all);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(why), "{}", ran.err);
    }
}

#[test]
fn run_refuses_what_cannot_run() {
    let dir =
        folder(&[("bad.script", b"on init do println $nosuch"), ("bad.umq", b"uMQ!nonsense")]);
    let script = umqttc(dir.path(), &["run", "--data", "d", "bad.script"]);
    assert_eq!(script.code, 1);
    assert!(script.err.contains("error[E0011]"), "{}", script.err);
    let image = umqttc(dir.path(), &["run", "--data", "d", "bad.umq"]);
    assert_eq!(image.code, 2);
    assert_eq!(umqttc(dir.path(), &["run", "--data", "d", "missing.script"]).code, 2);
    assert_eq!(umqttc(dir.path(), &["run", "--bind", "nowhere"]).code, 2);
    assert!(!dir.path().join("d").exists(), "nothing is touched before the script is known good");
}

#[test]
fn sample_scripts_are_formatted() {
    let scripts = fs::read_dir(repository("scripts")).unwrap();
    for path in scripts.map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|ending| ending == "script") {
            let mut command = Command::new(UMQTTC);
            command.args(["fmt", "--check"]).arg(&path);
            let output = output_of(&mut command, b"");
            assert!(output.status.success(), "{} would change", path.display());
        }
    }
}

#[test]
fn a_url_and_an_address_of_others_are_told_of() {
    let dir = folder(&[]);
    for command in ["run", "check"] {
        let ran = umqttc(dir.path(), &[command, "http://host/a.script"]);
        assert_eq!(ran.code, 2);
        assert!(
            ran.err.contains("is no file: a device that runs fetches it by `script URL`"),
            "{}",
            ran.err
        );
    }
    // An address that is set aside for documentation.
    let ran = umqttc(dir.path(), &["find", "--bind", "192.0.2.1", "--timeout", "1"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.err, "umqttc: this computer has no such address: --bind takes one of its own\n");
}

#[cfg(target_os = "linux")]
#[test]
fn interfaces_that_cannot_be_used_are_named() {
    let dir = folder(&[]);
    for (name, why) in [
        ("no-such-if", "no-such-if is no interface of this computer: `ip link` lists them"),
        ("../net/lo", "../net/lo is no interface of this computer"),
        ("lo", "lo is this computer alone, which reaches the device anyway"),
    ] {
        let ran = umqttc(dir.path(), &["run", "--data", "state", "--ap-interface", name]);
        assert_eq!(ran.code, 2, "{name}: {}", ran.err);
        assert!(ran.err.contains(why) && ran.out.is_empty(), "{name}: {}", ran.err);
    }
    assert!(!dir.path().join("state").exists(), "nothing was begun");
}

//! The running device, from outside: a script's text becomes a device that does it.
#![cfg(unix)]

mod common;

use common::device::{Device, free_port, local};
use common::{folder, repository};

fn relay() -> String {
    std::fs::read_to_string(repository("scripts/relay.script")).expect("the sample script")
}

#[test]
fn the_relay_is_driven_over_mqtt_the_button_and_the_console() {
    let dir = folder(&[]);
    let mut device = Device::start(dir.path(), Some(&relay()));
    let client = device.mqtt("tester");
    client.subscribe("relay/status");
    assert_eq!(client.on("relay/status"), "off", "retained from its start");

    client.publish("relay/command", "toggle");
    assert_eq!(client.on("relay/status"), "on");
    device.logs("gpio 12 = 1");
    client.publish("relay/command", "off");
    assert_eq!(client.on("relay/status"), "off");
    device.logs("gpio 12 = 0");

    // A simulated press of the button, over TCP and on the terminal the device runs in.
    let mut console = device.console();
    console.ask("sim gpio 0 0");
    assert_eq!(client.on("relay/status"), "on");
    let before = script_events(&console.ask("show stats"));
    console.ask("sim gpio 0 1");
    // The release counts once the pin has settled.
    console.ask_until("show stats", |reply| script_events(reply) > before);
    device.types("sim gpio 0 0");
    assert_eq!(client.on("relay/status"), "off");

    // From the console as if from a client.
    let said = console.ask("publish local relay/command on");
    assert!(said.ends_with("Published topic"), "{said}");
    assert_eq!(client.on("relay/status"), "on");

    // A second client is told the state at once.
    let late = device.mqtt("late");
    late.subscribe("relay/+");
    let message = late.message();
    assert_eq!((message.data.as_str(), message.retained), ("on", true));

    assert!(device.interrupt().success(), "Ctrl-C ends it in order");
}

#[test]
fn the_console_shows_script_variables_and_clients() {
    let dir = folder(&[]);
    let script = "config ntp_timezone 2\non init\ndo\n    setvar $name = \"a\" | #07\n    setvar @2 = 42\non topic local \"go\"\ndo\n    println $name\n";
    let device = Device::start(dir.path(), Some(script));
    let mut console = device.console();
    let shown = console.ask_until("show script", |reply| reply.contains("--end--"));
    let expected: String =
        script.lines().enumerate().map(|(at, line)| format!("{:4}: {line}\n", at + 1)).collect();
    assert!(shown.contains(expected.trim_end_matches('\n')), "{shown}");
    let rest = console.ask("show script 5");
    assert!(rest.contains("   5:") && !rest.contains("   4:"), "{rest}");

    let vars = console.ask("show vars");
    assert!(vars.contains("name: a\\x07"), "{vars}");
    assert!(vars.contains("@2: 42"), "{vars}");

    let client = device.mqtt("somebody");
    client.subscribe("news/#");
    let mqtt = console.ask_until("show mqtt", |reply| reply.contains("somebody"));
    assert!(mqtt.contains("Current clients: 1"), "{mqtt}");
    assert!(mqtt.contains("somebody: \"news/#\" (QoS 0)"), "{mqtt}");
    assert!(mqtt.contains("Script enabled"), "{mqtt}");

    assert!(console.ask("show").contains("broker_port"));
    assert!(console.ask("help").contains("show"));
    assert_eq!(console.ask("nonsense"), "Invalid Command\nhelp lists the commands");
    assert!(console.ask("set ntp_timezone 99").contains("Invalid"), "out of range");

    console.send(b"quit\r\n");
    assert!(console.read_rest().contains("Quitting console"));
}

#[test]
fn what_the_script_prints_reaches_terminal_and_console() {
    let dir = folder(&[]);
    let device = Device::start(
        dir.path(),
        Some(
            "on init do subscribe local \"say\"\non topic local \"say\" do println \"said \" | $this_data\n",
        ),
    );
    let mut console = device.console();
    device.mqtt("speaker").publish("say", "hello");
    console.until("said hello");
    device.logs("said hello");
}

#[test]
fn timers_and_feedback_through_the_broker_run_in_order() {
    let dir = folder(&[]);
    let script = "on init do setvar $n = 0 subscribe local \"step\" settimer 1 50\n\
                  on timer 1 do publish local \"step\" \"go\"\n\
                  on topic local \"step\" do setvar $n = $n + 1 publish local \"count\" $n if $n lt 5 then settimer 1 20 endif\n";
    let device = Device::start(dir.path(), Some(script));
    let client = device.mqtt("counter");
    client.subscribe("count");
    // Some may have passed before we came; the last must come.
    let mut last = 0;
    let mut console = device.console();
    console.ask_until("show vars", |reply| reply.contains("n: 5"));
    while let Some(message) = client.message_within(std::time::Duration::from_millis(300)) {
        let count: u32 = message.data.parse().expect("a number");
        assert!(count > last, "in order: {count} after {last}");
        last = count;
    }
    assert!(last <= 5);
}

#[test]
fn the_end_of_standard_input_does_not_end_the_device() {
    let dir = folder(&[]);
    let mut device = Device::start(dir.path(), Some(&relay()));
    device.close_stdin();
    #[cfg(target_os = "linux")]
    common::eventually("the end of the thread that reads standard input", || {
        (!threads(device.pid()).iter().any(|name| name == "serial in")).then_some(())
    });
    assert!(device.console().ask("show mqtt").contains("Script enabled"));
    assert!(device.runs());
}

/// The names of a process's threads.
#[cfg(target_os = "linux")]
fn threads(pid: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).ok();
    tasks.filter_map(|task| name(task.ok()?)).map(|name| name.trim().to_owned()).collect()
}

/// How many events have woken handlers, out of `show stats`.
fn script_events(stats: &str) -> u32 {
    let count = stats.lines().find_map(|line| line.strip_prefix("Script events: "));
    let count = count.and_then(|rest| rest.split(' ').next()).expect("the line is there");
    count.parse().expect("a number")
}

#[test]
fn a_taken_port_is_named() {
    let dir = folder(&[]);
    for taken in ["mqtt", "console"] {
        let held = std::net::TcpListener::bind(local(0)).expect("a port");
        let port = held.local_addr().expect("has one").port();
        let (mqtt, console) =
            if taken == "mqtt" { (port, free_port()) } else { (free_port(), port) };
        let mut device = Device::spawn(&dir.path().join(taken), None, mqtt, console);
        let status = device.wait();
        assert_eq!(status.code(), Some(2));
        device.logs(&format!("port {port} is in use"));
    }
}

#[test]
fn two_devices_do_not_share_a_folder() {
    let dir = folder(&[]);
    let first = Device::start(dir.path(), Some(&relay()));
    let mut second = Device::spawn(&first.data, None, free_port(), free_port());
    assert_eq!(second.wait().code(), Some(2));
    assert!(first.console().ask("show mqtt").contains("Script enabled"));
}

#[test]
fn the_first_lines_say_where_everything_is() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(&relay()));
    for text in [
        device.mqtt_port.to_string(),
        device.console_port.to_string(),
        device.data.display().to_string(),
        "--bind".to_owned(),
    ] {
        device.logs(&text);
    }
}

#[test]
fn without_a_serial_port_nobody_types_and_the_consoles_still_hear() {
    let dir = folder(&[(
        "t.script",
        b"on init do settimer 1 50\non timer 1 do println \"tick\" settimer 1 200\n",
    )]);
    let script = dir.path().join("t.script");
    let (mqtt, console) = (free_port(), free_port());
    let mut device = Device::spawn_with(
        &dir.path().join("d"),
        Some(&script),
        mqtt,
        console,
        &["--serial", "none"],
    );
    assert!(device.serves());
    let mut console = device.console();
    console.until("tick\r\nCMD>");
    device.types("reset factory");
    console.until("tick\r\nCMD>");
    assert!(console.ask("show script").contains("settimer"), "what is typed is not read");
    let log = device.log();
    let mut lines = log.lines().map(|line| line.split_once(' ').unwrap_or_default());
    let (time, _) = lines.find(|(_, rest)| *rest == "INFO  tick").expect("the log has levels");
    assert!(time.len() == 29 && time.as_bytes()[10] == b'T', "and times: {time}");
    assert!(log.lines().all(|line| line != "tick"), "{log}");
    assert!(device.signal("-TERM").success(), "SIGTERM ends it in order");
}

#[test]
fn what_is_logged_can_be_chosen() {
    let source = b"on init do println \"says\" publish local \"+\" 1";
    let dir = folder(&[("t.script", source)]);
    let logged = |more: &[&str]| {
        let data = dir.path().join(more.join("-"));
        let script = dir.path().join("t.script");
        let mut device = Device::spawn_with(&data, Some(&script), free_port(), free_port(), more);
        assert!(device.serves());
        device.console().ask("show stats");
        let log = device.log();
        assert!(device.signal("-TERM").success());
        let has = |text: &str| log.lines().any(|line| line.contains(text));
        [" INFO  says", " WARN  Script warning in the handler", " DEBUG connection from "].map(has)
    };
    assert_eq!(logged(&[]), [false; 3], "the terminal shows it");
    assert_eq!(logged(&["--serial", "none"]), [true, true, false]);
    assert_eq!(logged(&["--serial", "none", "--log", "off"]), [false; 3]);
    assert_eq!(logged(&["--log", "error"]), [false; 3]);
    assert_eq!(logged(&["--log", "warn"]), [false, true, false]);
    assert_eq!(logged(&["--log", "debug"]), [true; 3]);
}

#[test]
fn an_address_that_is_not_ours_is_refused() {
    let dir = folder(&[]);
    // From the range kept for documentation: nobody has it.
    let more = ["--bind", "192.0.2.1"];
    let mut device =
        Device::spawn_with(&dir.path().join("d"), None, free_port(), free_port(), &more);
    assert_eq!(device.wait().code(), Some(2));
    device.logs("umqttc: ");
}

#[test]
fn without_a_console_port_there_is_no_console() {
    let dir = folder(&[]);
    let mqtt = free_port();
    let mut device = Device::spawn(&dir.path().join("d"), None, mqtt, 0);
    device.logs("MQTT broker on");
    device.logs("console off");
    let client = device.mqtt("somebody");
    client.subscribe("x");
    device.types("show mqtt");
    device.logs("somebody: \"x\"");
    assert!(device.interrupt().success());
}

#[test]
fn the_console_executes_what_a_script_asks_for() {
    let dir = folder(&[]);
    let script = "on init do subscribe local \"do\"\non topic local \"do\" do system \"set \" | $this_data\n";
    let device = Device::start(dir.path(), Some(script));
    device.mqtt("boss").publish("do", "ntp_timezone 7");
    device.console().ask_until("show", |reply| reply.contains("ntp_timezone: 7"));
}

#[test]
fn a_second_device_is_the_remote_broker() {
    let (far_dir, near_dir) = (folder(&[]), folder(&[]));
    let far = Device::start(far_dir.path(), None);
    let client = far.mqtt("far");
    client.subscribe("hello");
    client.subscribe("up");
    let script = format!(
        "config mqtt_host 127.0.0.1\nconfig mqtt_port {}\nconfig mqtt_id near\n\
         on init do subscribe local \"up\"\n\
         on mqttconnect do subscribe remote \"down\" publish remote \"hello\" \"here I am\"\n\
         on topic local \"up\" do publish remote $this_topic $this_data\n\
         on topic remote \"down\" do publish local \"down\" $this_data\n",
        far.mqtt_port
    );
    let near = Device::start(near_dir.path(), Some(&script));
    assert_eq!(client.on("hello"), "here I am");
    let neighbour = near.mqtt("neighbour");
    neighbour.subscribe("down");
    neighbour.publish("up", "from below");
    assert_eq!(client.on("up"), "from below");
    client.publish("down", "from above");
    assert_eq!(neighbour.on("down"), "from above");

    // The remote broker dies and comes back: so does the connection.
    let (mqtt, console, state) = (far.mqtt_port, far.console_port, far.data.clone());
    far.kill();
    let mut far = Device::spawn(&state, None, mqtt, console);
    assert!(far.serves());
    far.console().ask_until("show mqtt", |reply| reply.contains("near: \"down\""));
    far.mqtt("again").publish("down", "from above again");
    assert_eq!(neighbour.on("down"), "from above again");
}

//! Whole dialogues, as users and their expect-scripts see them.

use insta::assert_snapshot;
use umqtt_device::console::{Origin, ScriptText};
use umqtt_device::settings::{Param, Source};
use umqtt_net::Duration;

use crate::fake::{Fake, User};

#[test]
fn help() {
    let mut user = User::over_tcp();
    assert_snapshot!(user.says(&["help", "help publish", "help nothing", "help a b"]).screen());
}

#[test]
fn help_set_lists_the_parameters() {
    let mut user = User::over_tcp();
    assert_snapshot!(user.says(&["help set"]).screen());
}

#[test]
fn mistakes() {
    let mut user = User::over_tcp();
    user.says(&[
        "",
        "   ",
        "hlep",
        "Show",
        "quit now",
        "time x",
        "set ssid",
        "set ssid my net",
        "set sid x",
        "set broker_port 70000",
        "set port 1884",
        "set brokerport 1884",
        "set mqtt_server x",
        "set mqtt_host broker.lan:1883",
        "set mqtt_host mqtt://broker.lan",
        "set mqtt_host fd00::1",
        "set ntp_time 07:30",
        "set broker_access 0",
        "set broker_access 1",
        "set broker_access 2",
        "set broker_user me",
        "set broker_password secret",
        "set broker_user none",
        "set mqtt_port = 1884",
        "set mqtt_port=1884",
        "set mqtt port 1884",
        "set mqtt password secret",
        "mqtt_port 1884",
        "set ap_password short",
        "set @17 x",
        "set @ x",
        "set @1 0123456789012345678901234567890123456789012345678901234567890123",
        "show everything",
        "show var",
        "show stat",
        "show mqtr",
        "help mqtt_prt",
        "help shwo",
        "help nothing",
        "show config 2",
        "show script 0",
        "show script x",
        "save all",
        "lock \"\"",
        "unlock",
        "reset now",
        "publish local a",
        "publish nowhere a b",
        "publish local a b for_ever",
        "script 0",
        "script 65536",
        "script https://host/x",
        "script http://host/a%0db",
        "print \"no end",
        "a b c d e f g h i j k l m n o p q",
    ]);
    assert_snapshot!(user.screen());
}

#[test]
fn words_of_other_consoles() {
    let mut user = User::over_tcp();
    user.says(&[
        "exit", "bye", "logout", "?", "reboot", "restart", "uptime", "ls", "log", "wifi", "EXIT",
    ]);
    user.says(&[
        "set @1 hello world",
        "set broker_password",
        "show scripts",
        "help me",
        "help sim",
    ]);
    user.device.settings.set_capabilities(umqtt_device::settings::Capabilities::NONE);
    user.says(&["help scan", "help ssid", "help broker_port", "set ssid", "help set"]);
    user.says(&["show backlog", "set backlog 5000", "show backlog"]);
    assert_snapshot!(user.screen());
}

#[test]
fn comments_and_prompts_that_are_pasted_are_passed_over() {
    let mut user = User::over_tcp();
    user.says(&[
        "time      # what it is",
        "CMD>time",
        "CMD> CMD>script 2000 # waits for a script: it's \"one\" of many words, a b c d e f g h i j",
        "# nothing but a comment",
        "CMD>",
        "show script # the script",
        "publish local a b # retained",
        "publish local a b retained # a comment",
        "sim gpio 12 1 # the board knows",
        // Where a value can hold it, it is one.
        "publish local a #",
        "publish local a #ff00ff",
        "set mqtt_id # x",
        "set mqtt_id #x",
        "lock \"# x",
        "lock #",
    ]);
    assert_snapshot!(user.screen());
}

#[test]
fn of_a_script_that_is_pasted_nothing_is_executed() {
    let mut user = User::over_tcp();
    let script = "on init do\npublish local a b\nprintln \"x\n\nreset factory\n";
    user.says(&script.lines().collect::<Vec<_>>());
    assert_eq!(user.device.asked, [""; 0]);
    user.now += Duration::from_secs(1);
    user.says(&["time", "config", "config ssid x", "time"]);
    user.now += Duration::from_secs(1);
    user.says(&["done"]);
    assert_snapshot!(user.screen());
}

#[test]
fn configuration_is_set_shown_and_saved() {
    let mut user = User::over_tcp();
    user.says(&[
        "set ssid \"My Home\"",
        "set password s%65cret\\ word",
        "set ap_password 12345678",
        "set network 10.0.7.9",
        "set ntp_timezone -3",
        "set broker_user none",
        "set mqtt_id caf\u{e9}%00",
        "set ntp_time 12:34:56",
        "set ntp_weekday wed",
        "set speed 160",
        "set config_port 0",
        "set broker_password x",
        "set broker_user me",
        "set broker_password y",
        "set @3 \"a b\"",
        "show",
        "save",
        "save config",
    ]);
    assert_eq!(user.device.settings.bytes(Param::Password), b"secret word");
    assert_snapshot!(user.screen());
}

#[test]
fn locked_it_shows_no_password_and_takes_no_change() {
    let mut user = User::over_tcp();
    user.device.settings.set(Param::Password, b"wifi secret", Source::Persistent).unwrap();
    user.says(&["lock", "lock sesame", "lock other", "lock"]);
    user.says(&["show config"]);
    assert!(!user.screen().contains("wifi secret"));
    user.says(&[
        "set ssid x",
        "set nonsense",
        "save",
        "show mqtt",
        "show script",
        "show vars",
        "show backlog",
        "publish local a b",
        "scan",
        "script 2000",
        "script delete",
        "save_retained",
        "delete_retained",
        "sim gpio 1 1",
        "reset",
        "reset factory",
        "hlep",
        "time",
        "help time",
        "show stats",
    ]);
    user.says(&["unlock Sesame", "unlock sesame"]);
    user.now += Duration::from_millis(999);
    user.says(&["unlock sesame"]);
    user.now += Duration::from_millis(1);
    user.says(&["unlock sesame", "set ssid x", "lock", "unlock sesame", "show mqtt"]);
    assert!(!user.screen().replace("lock sesame", "").contains("sesame"));
    assert_snapshot!(user.screen());
}

#[test]
fn a_locked_device_is_reset_from_its_serial_line() {
    let mut user = User::new(Origin::Serial);
    user.says(&["lock sesame", "set ssid x", "reset factory"]);
    assert_snapshot!(user.screen());
    assert!(!user.session.is_over(), "the serial line has no end");
}

#[test]
fn what_is_going_on() {
    let mut user = User::over_tcp();
    user.device.variables[0] = b"kept".to_vec();
    user.device.variables[15] = b"a\tb\xFE".to_vec();
    user.says(&["show stats", "show mqtt", "show vars", "set backlog 100", "show backlog", "time"]);
    user.device.time = None;
    user.device.refused_answers = 3;
    user.says(&["time", "show stats"]);
    assert_snapshot!(user.screen());
}

#[test]
fn scripts_are_shown_in_pieces() {
    let mut user = User::over_tcp();
    user.says(&["show script"]);
    let lines: String = (1..=200).map(|n| format!("% comment number {n}\r\n")).collect();
    user.device.source = format!("{lines}% {}\n\x1b[2J no line end", "x".repeat(600)).into_bytes();
    user.says(&["show script", "show script 36", "show script 200", "show script 203"]);
    user.device.source = Vec::new();
    user.says(&["show script"]);
    user.device.script = ScriptText::Bytecode;
    user.says(&["show script", "show script 998", "script delete", "show script"]);
    assert_snapshot!(user.screen());
}

#[test]
fn scripts_come_by_port_and_url() {
    let mut user = User::over_tcp();
    user.says(&["script 2000"]);
    user.session.report(b"Script upload completed (451 Bytes)\nSyntax okay\n");
    user.says(&["script 1883", "script http://host:8080/scripts/relay.script"]);
    user.session.report(b"HTTP script download completed (330 Bytes)\nSyntax okay");
    user.says(&["script delete"]);
    user.device.flash_works = false;
    user.says(&["script delete"]);
    assert_snapshot!(user.screen());
}

#[test]
fn messages_and_networks() {
    let mut user = User::over_tcp();
    user.says(&[
        "publish local command/relay on",
        "publish remote stat/x {\"a\":1} retained",
        "publish local \"a topic\" \"\"",
        "publish local a/# x",
        "save_retained",
        "delete_retained",
        "scan",
    ]);
    user.session.report(Fake::networks().as_bytes());
    user.says(&["sim gpio 12 1", "sim", "quit"]);
    assert_snapshot!(user.screen());
    assert!(user.session.is_over());
}

#[test]
fn a_flash_that_fails_is_told() {
    let mut user = User::over_tcp();
    user.device.flash_works = false;
    user.says(&["save", "set @1 x", "save_retained", "lock pw", "unlock pw"]);
    assert_snapshot!(user.screen());
}

#[test]
fn a_restart_closes_the_session() {
    let mut user = User::over_tcp();
    user.says(&["reset"]);
    assert_snapshot!(user.screen());
    assert!(user.session.is_over());
}

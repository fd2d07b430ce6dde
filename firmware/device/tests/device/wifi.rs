//! WiFi: the station, the own network, scans, and who may come in from where.

use umqtt_device::wifi::{MAX_NETWORKS, MAX_SSID};

use crate::world::World;

/// Says what comes, in order.
const EVENTS: &str = "on wificonnect do println \"up\"\non wifidisconnect do println \"down\"\n";

/// A device with `home` in reach, whose settings name it, and which runs a script that says what
/// comes.
fn home() -> World {
    let mut world = World::with_radio();
    world.radio(|radio| radio.add(b"home", b"secret99", -50, 6));
    let console = world.console();
    world.ask(console, "set ssid home");
    world.ask(console, "set password secret99");
    world.ask(console, "save");
    world.install(EVENTS);
    let mut world = world.power_cycle_radio();
    world.settle();
    world
}

fn joined(world: &World) -> String {
    world.radio(|radio| String::from_utf8_lossy(radio.joined().unwrap_or(b"-")).into_owned())
}

/// Seconds until something is logged that begins so, at most this many.
fn until(world: &mut World, line: &str, most: u64) -> u64 {
    for second in 1..=most {
        world.advance(1000);
        if world.serial().contains(line) {
            return second;
        }
    }
    panic!("no {line:?} within {most} s")
}

fn lines(world: &mut World) -> Vec<String> {
    let serial = world.serial().replace("CMD>", "");
    serial
        .lines()
        .map(|line| line.trim_matches(['\r', ' ']).to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn it_joins_at_the_start_and_scripts_hear_of_it() {
    let mut world = home();
    assert_eq!(joined(&world), "home");
    assert_eq!(
        lines(&mut world),
        [
            "WiFi: own network MyAP, channel 1, open",
            "WiFi: connected to home, channel 6, -50 dBm",
            "up"
        ]
    );
    let console = world.console();
    let stats = world.ask(console, "show stats");
    for line in ["Connected to AP: -50 dBm", "0 stations connected to AP", "IP address: 10.0.0.7"] {
        assert!(stats.contains(line), "{line}: {stats}");
    }
}

#[test]
fn it_is_connected_when_it_has_an_address() {
    let mut world = World::with_radio();
    world.net.has_station_address = false;
    world.radio(|radio| radio.add(b"home", b"", -50, 6));
    world.install(EVENTS);
    let console = world.console();
    world.ask(console, "set ssid home");
    world.advance(10_000);
    assert_eq!(joined(&world), "home");
    assert!(!world.serial().contains("up"));
    // Lost before it had one: scripts hear nothing.
    world.radio(|radio| radio.lose());
    world.advance(1000);
    assert!(!world.serial().contains("down"));
    world.advance(10_000);
    world.net.has_station_address = true;
    world.advance(0);
    assert_eq!(lines(&mut world).last().map(String::as_str), Some("up"));
}

#[test]
fn a_network_that_was_lost_is_joined_again_later_and_later() {
    let mut world = home();
    world.advance(60_000);
    world.serial();
    world.radio(|radio| radio.set_down(true));
    world.settle();
    assert_eq!(lines(&mut world), ["WiFi: lost home", "down"]);
    // 1 + 2 + 4 + 8 + 16 seconds of tries, which are said once.
    world.advance(31_500);
    assert_eq!(lines(&mut world), ["WiFi: not connected to home: not found"]);
    world.radio(|radio| radio.set_down(false));
    assert_eq!(until(&mut world, "WiFi: connected to home", 40), 32);
    // Lost once, after a long time: it is back at once.
    world.advance(60_000);
    world.serial();
    world.radio(|radio| radio.lose());
    world.settle();
    world.advance(1000);
    assert_eq!(
        lines(&mut world),
        ["WiFi: lost home", "down", "WiFi: connected to home, channel 6, -50 dBm", "up"]
    );
}

#[test]
fn a_wrong_password_is_said_once_and_tried_rarely() {
    let mut world = home();
    world.radio(|radio| {
        radio.add(b"home", b"another99", -50, 6);
        radio.lose()
    });
    world.advance(100_000);
    let said = world.serial();
    assert_eq!(said.matches("wrong password").count(), 1, "{said}");
    world.advance(1_000_000);
    assert_eq!(world.serial(), "");
    world.radio(|radio| radio.add(b"home", b"secret99", -50, 6));
    assert!(until(&mut world, "WiFi: connected to home", 120) > 10);
    // A new password is tried soon.
    world.radio(|radio| {
        radio.add(b"home", b"another99", -50, 6);
        radio.lose()
    });
    world.advance(10_000);
    let console = world.console();
    world.ask(console, "set password another99");
    world.serial();
    assert_eq!(until(&mut world, "WiFi: connected to home", 10), 3);
}

#[test]
fn a_network_that_comes_later_is_joined_then() {
    let mut world = World::with_radio();
    let console = world.console();
    world.ask(console, "set ssid later");
    world.advance(500_000);
    assert_eq!(joined(&world), "-");
    world.radio(|radio| radio.add(b"later", b"", -80, 11));
    assert!(until(&mut world, "WiFi: connected to later, channel 11, -80 dBm", 60) <= 60);
}

#[test]
fn another_network_is_joined_when_both_settings_are_there() {
    let mut world = home();
    world.radio(|radio| radio.add(b"garden", b"roses1234", -70, 3));
    let console = world.console();
    world.serial();
    world.ask(console, "set ssid garden");
    world.advance(2000);
    world.ask(console, "set password roses1234");
    world.advance(2900);
    assert_eq!(joined(&world), "home", "half a change changes nothing");
    world.advance(100);
    assert_eq!(joined(&world), "garden");
    assert_eq!(
        lines(&mut world),
        ["WiFi: disconnected", "WiFi: connected to garden, channel 3, -70 dBm", "down", "up"]
    );
    // Set to what it is: nothing happens.
    world.ask(console, "set ssid garden");
    world.advance(10_000);
    assert_eq!(lines(&mut world), [] as [&str; 0]);
    world.ask(console, "set ssid none");
    world.advance(3000);
    assert_eq!(joined(&world), "-");
    assert_eq!(lines(&mut world), ["WiFi: disconnected", "down"]);
}

#[test]
fn without_auto_connect_it_stays_but_does_not_come_back() {
    let mut world = home();
    let console = world.console();
    world.ask(console, "set auto_connect 0");
    world.advance(10_000);
    assert_eq!(joined(&world), "home");
    world.radio(|radio| radio.lose());
    world.advance(1_000_000);
    assert_eq!(joined(&world), "-");
    let console = world.console();
    world.ask(console, "set auto_connect 1");
    world.advance(3000);
    assert_eq!(joined(&world), "home");
}

#[test]
fn a_scripts_config_lines_name_the_network() {
    let mut world = home();
    world.radio(|radio| radio.add(b"work", b"", -70, 3));
    let script = format!("config ssid work\n{EVENTS}");
    world.install(&script);
    world.advance(3000);
    assert_eq!(joined(&world), "work");
    let mut world = world.power_cycle_radio();
    world.settle();
    assert_eq!(joined(&world), "work");
    let said = world.serial();
    assert!(!said.contains("home"), "not the saved one first: {said}");
    // The same script again: the network stays.
    world.install(&script);
    world.advance(10_000);
    let said = world.serial();
    assert!(!said.contains("WiFi"), "{said}");
    let console = world.console();
    world.ask(console, "script delete");
    world.advance(3000);
    assert_eq!(joined(&world), "home");
}

#[test]
fn a_radio_that_does_not_answer_keeps_nobody_waiting() {
    let mut world = home();
    let console = world.console();
    world.radio(|radio| radio.set_mute(true));
    world.radio(|radio| radio.lose());
    world.text(console);
    assert_eq!(world.ask(console, "scan"), "Scanning...\r\n");
    assert_eq!(world.ask(console, "scan"), "Scan failed: another one is under way\r\n");
    world.advance(21_000);
    assert!(world.serial().contains("WiFi: not connected to home: no answer"));
    world.text(console);
    world.advance(9000);
    assert_eq!(world.text(console), "Scan failed: no answer\r\n");
    world.radio(|radio| radio.set_mute(false));
    assert!(until(&mut world, "WiFi: connected to home", 60) > 0);
    assert!(world.ask(console, "scan").contains("home"));
}

#[test]
fn the_own_network_follows_its_settings() {
    let mut world = World::with_radio();
    let console = world.console();
    let config = |world: &World| {
        world.radio(|radio| {
            let own = radio.access_point()?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Some((text(&own.ssid), text(&own.password), own.channel))
        })
    };
    let own = |ssid: &str, password: &str, channel| Some((ssid.into(), password.into(), channel));
    assert_eq!(config(&world), own("MyAP", "", 1));
    for line in ["set ap_ssid box", "set ap_password 12345678", "set ap_channel 13"] {
        world.ask(console, line);
    }
    world.advance(3000);
    assert_eq!(config(&world), own("box", "12345678", 13));
    world.ask(console, "set ap_open 1");
    world.advance(3000);
    assert_eq!(config(&world), own("box", "", 13));
    world.ask(console, "set ap_password none");
    world.ask(console, "set ap_open 0");
    world.advance(3000);
    assert_eq!(config(&world), None, "closed rather than open");
    assert!(world.text(console).contains("ap_open 0 needs an ap_password"));
    world.ask(console, "set ap_open 1");
    world.ask(console, "set ap_on 0");
    world.advance(3000);
    assert_eq!(config(&world), None);
    let stats = world.ask(console, "show stats");
    assert!(stats.contains("Not connected to AP") && !stats.contains("stations"), "{stats}");
}

#[test]
fn stations_are_counted_however_many_come() {
    let mut world = World::with_radio();
    let console = world.console();
    for n in 0..1000u16 {
        let [a, b] = n.to_be_bytes();
        world.radio(|radio| radio.add_station([2, 0, 0, 0, a, b]));
        world.settle();
    }
    assert!(world.ask(console, "show stats").contains("8 stations connected to AP"));
    for round in 0..1000 {
        world.radio(|radio| radio.remove_station([2, 0, 0, 0, 0, 1]));
        world.radio(|radio| radio.add_station([2, 0, 0, 0, 0, 1]));
        if round % 10 == 0 {
            world.settle();
        }
    }
    let said = world.serial();
    assert!(said.matches("WiFi: station").count() < 200, "the log is not flooded");
    for n in 0..8 {
        world.radio(|radio| radio.remove_station([2, 0, 0, 0, 0, n]));
    }
    world.settle();
    assert!(world.ask(console, "show stats").contains("0 stations connected to AP"));
}

#[test]
fn a_scan_shows_the_strongest_networks_beside_a_connection() {
    let mut world = home();
    for n in 0..100u8 {
        world.radio(|radio| radio.add(format!("net {n}").as_bytes(), b"", -99 + n as i8 / 2, 1));
    }
    let console = world.console();
    let said = world.ask(console, "scan");
    assert!(said.starts_with("Scanning...\r\n"), "{said}");
    let said = said + &world.text(console);
    let shown: Vec<&str> = said.lines().filter(|line| line.contains("\",-")).collect();
    assert_eq!(shown.len(), MAX_NETWORKS);
    assert!(shown.iter().any(|line| line.contains("3,\"home\",-50,\"02:00:00:00:00:01\",6")));
    assert!(said.contains("... and 37 more"), "{said}");
    assert_eq!(joined(&world), "home");
    assert!(world.ask(console, "scan").contains("\"home\""), "and another one");
}

#[test]
fn a_scan_of_nothing_says_so() {
    let mut world = World::with_radio();
    let console = world.console();
    let said = world.ask(console, "scan") + &world.text(console);
    assert!(said.contains("no networks found"), "{said}");
}

#[test]
fn hostile_names_are_shown_as_one_line_each() {
    let mut world = World::with_radio();
    let control: Vec<u8> = (0..MAX_SSID as u8).collect();
    let names: [&[u8]; 6] =
        [b"", &control, b"a\",0,\"b", b"\\x41", "caf\u{e9}".as_bytes(), b"\x1b[2J\xff\xc3"];
    for name in names {
        world.radio(|radio| radio.add(name, b"", -60, 1));
    }
    let console = world.console();
    let said = world.ask(console, "scan") + &world.text(console);
    let mut shown: Vec<&str> = said.lines().filter_map(|line| line.split("0,\"").nth(1)).collect();
    shown.iter_mut().for_each(|line| *line = line.strip_suffix("\",-6").unwrap());
    let all = (0..32).map(|n| format!("\\x{n:02x}")).collect::<String>();
    let escaped = ["", &all, "a\\x22,0,\\x22b", "\\x5cx41", "caf\u{e9}", "\\x1b[2J\\xff\\xc3"];
    assert_eq!(shown, escaped);
    // One of them joined: the log is as safe.
    world.ask(console, "set ssid \"%1b[2J%ff%c3\"");
    world.advance(3000);
    assert!(world.serial().contains("WiFi: connected to \\x1b[2J\\xff\\xc3, channel"));
}

#[test]
fn who_asks_for_a_scan_gets_it() {
    let mut world = home();
    let (first, second) = (world.console(), world.console());
    world.serial();
    world.send(first, "scan\r\n");
    assert!(world.text(first).contains("\"home\""));
    assert_eq!((world.text(second), world.serial()), (String::new(), String::new()));
    world.type_in("scan\n");
    assert!(world.serial().contains("\"home\""));
    world.install("on init do system \"scan\"\n");
    assert!(world.serial().contains("\"home\""));
}

#[test]
fn a_network_is_let_in_or_kept_out_as_a_whole() {
    for (mode, own, others) in
        [(0, false, false), (1, true, false), (2, false, true), (3, true, true)]
    {
        let mut world = World::with_radio();
        let console = world.console();
        world.ask(console, "script 2000");
        world.ask(console, &format!("set broker_access {mode}"));
        world.ask(console, &format!("set config_access {mode}"));
        for port in [1883, 7777] {
            for (internal, permitted) in [(true, own), (false, others)] {
                let end = world.connect_from(port, internal);
                let open = !world.is_closed(end);
                assert_eq!(open, permitted, "mode {mode}, port {port}, internal {internal}");
            }
        }
        let refused = [own, others].iter().filter(|open| !**open).count();
        let shown = world.ask(console, "show mqtt");
        assert!(shown.contains(&format!("Refused: connections {refused},")), "{mode}: {shown}");
        // Who is kept out of the console cannot answer it with a script either.
        if mode != 0 {
            let stranger = world.connect_from(2000, !own);
            assert_eq!(world.is_closed(stranger), mode != 3);
        }
    }
}

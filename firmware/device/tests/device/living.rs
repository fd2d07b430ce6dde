//! Everyday life: clients, consoles, scripts, clocks and restarts.

use crate::world::{World, connect_packet, publish_packet};

const RELAY: &str = "on init do\n subscribe local set\non topic local set do\n \
    gpio_out 12 $this_data\n publish local state $this_data retained\n println \"now \" | $this_data\n";

#[test]
fn a_client_switches_a_relay_and_another_sees_it() {
    let mut world = World::running(RELAY);
    let watcher = world.client("w", "state");
    let phone = world.client("p", "none");
    let console = world.console();
    world.send(phone, publish_packet("set", "1"));
    assert_eq!(world.messages(watcher), ["state: 1"]);
    assert_eq!(world.wires.borrow().outputs, [(12, true)]);
    assert_eq!(world.text(console), "now 1\r\n");
    assert!(world.serial().contains("now 1\r\n"));
    // A latecomer learns the state, which is retained.
    let late = world.client("l", "state");
    assert_eq!(world.messages(late), ["state: 1"]);
}

#[test]
fn names_and_passwords_are_asked_for_once_they_are_set() {
    let mut world = World::new();
    let console = world.console();
    let half = "WARNING: broker_password is none: set it too, clients must send both\r\n";
    let said = world.ask(console, "set broker_user me");
    assert_eq!(said, format!("broker_user set to me\r\n{half}"));
    assert_eq!(world.ask(console, "set broker_password secret"), "broker_password set\r\n");
    let stranger = world.connect(1883);
    world.send(stranger, connect_packet("s"));
    assert_eq!(world.received(stranger), [0x20, 2, 0, 4]);
    assert!(world.is_closed(stranger));
    let friend = world.connect(1883);
    world.send(friend, b"\x10\x19\0\x04MQTT\x04\xc2\0\0\0\x01f\0\x02me\0\x06secret");
    assert_eq!(world.received(friend), [0x20, 2, 0, 0]);
}

#[test]
fn what_does_nothing_on_a_board_is_not_there() {
    let mut world = World::running("config bitrate 9600\non init do println \"still runs\"\n");
    let note = "config bitrate: bitrate is not on this board, which has no serial speed to choose";
    let serial = world.serial();
    assert!(serial.contains(note) && serial.contains("still runs"), "{serial}");
    let console = world.console();
    let said = world.ask(console, "set ssid home");
    assert_eq!(said, "Invalid argument: ssid is not on this board, which has no WiFi\r\n");
    for (command, there) in [("help set", "  broker_port"), ("show", "broker_port:")] {
        let said = world.ask(console, command);
        let lines = || said.lines().map(str::trim_start);
        assert!(said.contains(there), "{said}");
        for gone in ["ssid", "ap_ssid", "dns_name", "speed", "bitrate"] {
            assert!(!lines().any(|line| line.starts_with(gone)), "{command}: {gone}");
        }
    }
    assert!(!world.ask(console, "help").contains("scan"));
    assert_eq!(world.ask(console, "scan"), "Scan failed: this board has no WiFi\r\n");
}

#[test]
fn what_is_taken_away_is_said_to_be_none() {
    let mut world = World::new();
    let console = world.console();
    for name in ["broker_user", "broker_password", "mqtt_password"] {
        let said = world.ask(console, &format!("set {name} somewhat-long"));
        let shown = if name.ends_with("user") { " to somewhat-long" } else { "" };
        let expected = format!("{name} set{shown}");
        assert_eq!(said.lines().next(), Some(expected.as_str()));
        assert_eq!(
            world.ask(console, &format!("set {name} none")),
            format!("{name} set to none\r\n")
        );
    }
}

#[test]
fn who_shuts_himself_out_is_warned() {
    let warned = |access: u8, internal: bool| {
        let mut world = World::new();
        let console = world.connect_from(7777, internal);
        world.text(console);
        let said = world.ask(console, &format!("set config_access {access}"));
        said.split_once("WARNING: ").map(|(_, warning)| warning.trim_end().to_owned())
    };
    for (access, internal) in [(3, true), (3, false), (1, true), (2, false)] {
        assert_eq!(warned(access, internal), None, "{access} {internal}");
    }
    for (access, internal) in [(1, false), (2, true)] {
        let from_here = "there is no more console from where you are, once this one is closed";
        assert_eq!(warned(access, internal).as_deref(), Some(from_here));
    }
    for internal in [false, true] {
        let at_all = "there is no more console over the network";
        assert_eq!(warned(0, internal).as_deref(), Some(at_all));
    }
}

#[test]
fn the_ports_really_listened_on_are_shown() {
    let mut world = World::new();
    let console = world.console();
    assert!(world.ask(console, "show").contains("broker_port: 1883\r\n"));
    world.net.bound.insert(2883, 41_234);
    world.ask(console, "set broker_port 2883");
    let config = world.ask(console, "show config");
    assert!(config.contains("broker_port: 2883 (listening on 41234)\r\n"), "{config}");
    assert!(config.contains("config_port: 7777\r\n"), "{config}");
}

#[test]
fn a_device_without_a_script_does_not_say_it_is_disabled() {
    let mut world = World::new();
    let console = world.console();
    assert!(world.ask(console, "show mqtt").contains("\r\nNo script\r\n"));
    world.install(RELAY);
    assert!(world.ask(console, "show mqtt").contains("\r\nScript enabled\r\n"));
    assert_eq!(world.ask(console, "script delete"), "Script deleted\r\n");
    assert!(world.ask(console, "show mqtt").contains("\r\nNo script\r\n"));
}

#[test]
fn access_modes_keep_networks_out() {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "set broker_access 1");
    let outsider = world.connect_from(1883, false);
    assert!(world.is_closed(outsider));
    let insider = world.connect_from(1883, true);
    assert!(!world.is_closed(insider));
}

#[test]
fn ports_move_while_it_runs() {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "set broker_port 1884");
    assert!(world.listens(1884) && !world.listens(1883));
    // A port that cannot be had leaves the old one open.
    world.send(console, "set broker_port 7777\r\n");
    assert!(world.listens(1884));
    assert!(world.text(console).contains("cannot listen on port 7777 for mqtt"));
    world.ask(console, "set broker_port 1883");
    assert!(world.listens(1883) && !world.listens(1884));
    world.ask(console, "set config_port 0");
    assert!(!world.listens(7777));
    assert_eq!(world.ask(console, "set config_port 7777"), "config_port set to 7777\r\n");
    assert!(world.listens(7777));
}

#[test]
fn four_consoles_may_be_open_and_idle_ones_close() {
    let mut world = World::new();
    let consoles: Vec<_> = (0..4).map(|_| world.console()).collect();
    consoles.iter().for_each(|console| drop(world.ask(*console, "time")));
    let fifth = world.connect(7777);
    assert_eq!(world.text(fifth), "Too many console sessions\r\n");
    assert!(world.is_closed(fifth));
    world.advance(200_000);
    world.ask(consoles[1], "time");
    world.advance(150_000);
    let closed: Vec<bool> = consoles.iter().map(|end| world.is_closed(*end)).collect();
    assert_eq!(closed, [true, false, true, true]);
    world.console();
}

#[test]
fn settings_and_script_are_there_after_a_power_cut() {
    let mut world = World::running(RELAY);
    let console = world.console();
    world.ask(console, "set broker_port 2883");
    world.ask(console, "set mqtt_user unsaved");
    world.ask(console, "set @1 kept");
    let mut world = world.power_cycle();
    let console = world.console();
    assert!(world.ask(console, "show").contains("mqtt_user: none"));
    assert!(world.ask(console, "show vars").contains("@1: kept"));
    assert!(world.ask(console, "show mqtt").contains("local: \"set\" (QoS 0)"));
    assert!(world.listens(1883));
    world.ask(console, "set broker_port 2883");
    assert_eq!(world.ask(console, "save"), "Config saved\r\n");
    assert!(world.power_cycle().listens(2883));
}

#[test]
fn what_a_scripts_config_lines_set_goes_with_it() {
    let mut world = World::running("config broker_port 1999\nconfig mqtt_user script\n");
    assert!(world.listens(1999) && !world.listens(1883));
    let console = world.console();
    assert!(world.ask(console, "show").contains("mqtt_user: script"));
    assert_eq!(world.ask(console, "script delete"), "Script deleted\r\n");
    assert!(world.ask(console, "show").contains("mqtt_user: none"));
    assert!(world.listens(1883) && !world.listens(1999));
}

#[test]
fn a_script_uses_the_console() {
    let script = "on init do\n system \"set mqtt_user from_script\"\n system \"time\"\n";
    let mut world = World::running(script);
    assert!(world.serial().contains("mqtt_user set to from_script\r\nxxx 99:99:99\r\n"));
    let mut world =
        World::running("on init do\n settimer 1 100\non timer 1 do\n system \"reset\"\n");
    world.advance(3000);
    assert!(world.wires.borrow().restarted);
}

#[test]
fn the_serial_line_is_a_console_until_the_script_takes_it() {
    let mut world = World::running("on serial do\n serial_out \"got \" | $this_serial\n");
    world.type_in("show vars\r\n");
    assert!(world.serial().contains("@1: \r\n"));
    world.type_in("set system_output 0\r\n");
    world.serial();
    world.type_in("show vars\r");
    assert_eq!(world.serial(), "got show vars", "a terminal sends CR for the return key");
    world.type_in("\nnext");
    assert_eq!(world.serial(), "", "CR LF is one end");
    world.type_in("\n");
    assert_eq!(world.serial(), "got next");
    world.type_in("a\rb\r\n\nc\n\r");
    assert_eq!(world.serial(), "got agot bgot got cgot ");
}

#[test]
fn log_lines_take_the_place_of_the_prompt_and_give_it_back() {
    let script = "on init do\n subscribe local \"#\"\n\
        on topic local line do\n println $this_data\n\
        on topic local open do\n print $this_data\n";
    let mut world = World::running(script);
    let console = world.console();
    let client = world.client("c", "none");
    world.serial();
    let both = |world: &mut World| {
        let shown = world.raw_text(console);
        assert_eq!(world.serial(), shown);
        shown
    };
    world.send(client, publish_packet("line", "hello there"));
    assert_eq!(both(&mut world), "\rhello there\r\nCMD>");
    world.send(client, publish_packet("line", "hi"));
    assert_eq!(both(&mut world), "\r    \rhi\r\nCMD>", "nothing of the prompt is left");
    // What has been typed comes back, and is carried out.
    for byte in "ti".chars() {
        world.send(console, byte.to_string());
        world.type_in(&byte.to_string());
    }
    world.send(client, publish_packet("line", "12345"));
    assert_eq!(both(&mut world), "\r      \r12345\r\nCMD>ti");
    world.send(console, "me\r\n");
    world.type_in("me\r\n");
    assert_eq!(both(&mut world), "xxx 99:99:99\r\nCMD>");
    // A line that is not whole is not torn.
    world.send(client, publish_packet("open", "1, "));
    assert_eq!(both(&mut world), "\r    \r1, ");
    world.send(client, publish_packet("open", "2, "));
    assert_eq!(both(&mut world), "2, ");
    world.send(client, publish_packet("line", "3"));
    assert_eq!(both(&mut world), "3\r\nCMD>");
}

#[test]
fn the_clock_shows_in_a_topic_and_rings_alarms() {
    let mut world =
        World::running("on init do\n setalarm 1 \"12:00:01\"\non alarm 1 do\n println \"ring\"\n");
    let watcher = world.client("w", "$SYS/broker/time");
    let console = world.console();
    assert_eq!(world.ask(console, "time"), "xxx 99:99:99\r\n");
    assert_eq!(world.ask(console, "set ntp_time 11:59:59"), "ntp_time set to 11:59:59\r\n");
    world.advance(12_000);
    assert!(world.text(console).contains("ring\r\n"));
    let times = world.messages(watcher);
    assert_eq!(times.last().map(String::as_str), Some("$SYS/broker/time: 12:00:11"));
    // Once a second, and no second twice.
    assert!(times.len() >= 2 && times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
}

#[test]
fn a_board_with_a_clock_tells_local_time() {
    let mut world = World::new();
    // 2024-02-29 22:30:00 UTC, a Thursday.
    world.wires.borrow_mut().clock = Some(1_709_245_800_000);
    let console = world.console();
    assert_eq!(world.ask(console, "time"), "Thu 22:30:00\r\n");
    world.ask(console, "set ntp_timezone 2");
    assert_eq!(world.ask(console, "time"), "Fri 00:30:00 UTC+2\r\n");
}

#[test]
fn a_board_with_a_zone_of_its_own_tells_its_time_until_another_is_set() {
    let mut world = World::new();
    world.wires.borrow_mut().clock = Some(1_709_245_800_000);
    world.wires.borrow_mut().zone = 19_800; // India: five and a half hours
    let console = world.console();
    assert_eq!(world.ask(console, "time"), "Fri 04:00:00 UTC+5:30\r\n");
    for (zone, time) in
        [("0", "Thu 22:30:00 UTC"), ("-3", "Thu 19:30:00 UTC-3"), ("none", "Fri 04:00:00 UTC+5:30")]
    {
        let said = world.ask(console, &format!("set ntp_timezone {zone}"));
        assert_eq!(said, format!("ntp_timezone set to {zone}\r\n"));
        assert_eq!(world.ask(console, "time"), format!("{time}\r\n"));
    }
    // UTC is a choice, which is kept.
    world.ask(console, "set ntp_timezone 0");
    world.ask(console, "save");
    let mut world = world.power_cycle();
    world.wires.borrow_mut().zone = 19_800;
    let console = world.console();
    assert_eq!(world.ask(console, "time"), "Thu 22:30:00 UTC\r\n");
}

#[test]
fn a_clock_set_by_hand_has_no_day_until_one_is_set() {
    let mut world = World::running(
        "on init do\n subscribe local x\non topic local x do\n println $weekday | $timestamp\n",
    );
    let console = world.console();
    world.ask(console, "set ntp_time 23:59:59");
    assert_eq!(world.ask(console, "time"), "xxx 23:59:59\r\n");
    world.advance(1000);
    assert_eq!(world.ask(console, "time"), "xxx 00:00:00\r\n");
    let said = world.ask(console, "publish local x 1");
    assert!(said.contains("Published topic"), "{said}");
    assert!(world.serial().contains("xxx00:00:00\r\n"));
    world.ask(console, "set ntp_weekday Wed");
    assert_eq!(world.ask(console, "time"), "Wed 00:00:00\r\n");
    world.ask(console, "set ntp_time 12:00:00");
    assert_eq!(world.ask(console, "time"), "Wed 12:00:00\r\n");
}

/// Set forward to the very second of an alarm, the clock passes it. Set for the first time, or set
/// back, to that second, it has passed nothing: the alarm is for the next day, so that a handler
/// which sets the clock back to its own alarm does not ring it for ever.
#[test]
fn a_clock_set_to_the_second_of_an_alarm_rings_it_only_if_set_forward() {
    let mut world = World::running(
        "on init do\n subscribe local set\n setalarm 1 \"00:00:00\"\n setalarm 2 \"07:00\"\n\
         on topic local set do\n system \"set ntp_time \" | $this_data\n\
         on alarm 1 do\n println \"ring 1\"\n\
         on alarm 2 do\n println \"ring 2\"\n system \"set ntp_time 07:00:00\"\n",
    );
    let mut rings = |time: &str, ms: u64| {
        world.wires.borrow_mut().serial.clear();
        if !time.is_empty() {
            let console = world.console();
            world.ask(console, &format!("publish local set {time}"));
        }
        world.advance(ms);
        let shown = world.serial();
        ["ring 1", "ring 2"].map(|ring| shown.matches(ring).count())
    };
    const HOUR: u64 = 3_600_000;
    assert_eq!(rings("00:00:00", HOUR), [0, 0], "for the first time");
    assert_eq!(rings("07:00:00", HOUR), [0, 1], "forward, and by the handler to the same again");
    assert_eq!(rings("07:00:00", HOUR), [0, 0], "an hour back");
    assert_eq!(rings("23:30:00", HOUR), [1, 0], "midnight comes by itself");
    assert_eq!(rings("00:00:00", HOUR), [0, 0], "half an hour back");
    assert_eq!(rings("", 24 * HOUR), [1, 1], "the next day");
}

#[test]
fn alarms_follow_a_clock_that_is_set() {
    let mut world = World::running(
        "on init do\n setalarm 1 \"07:00\"\non alarm 1 do\n println \"ring \" | $timestamp\n",
    );
    let console = world.console();
    world.ask(console, "set ntp_time 09:00:00");
    world.advance(1000);
    let rings = |world: &mut World, line: &str, ms: u64| {
        world.wires.borrow_mut().serial.clear();
        world.ask(console, line);
        world.advance(ms);
        world.serial().matches("ring 07:00:00").count()
    };
    assert_eq!(rings(&mut world, "set ntp_time 06:59:59", 2000), 1, "back before it");
    assert_eq!(rings(&mut world, "set ntp_weekday Sun", 2000), 0, "only another day");
    assert_eq!(rings(&mut world, "set ntp_time 06:59:50", 11_000), 1, "and back again");
    assert_eq!(rings(&mut world, "time", 86_400_000), 1, "the next day");
}

#[test]
fn messages_of_clients_are_counted_and_not_the_devices_own() {
    let mut world = World::running(
        "on init do\n subscribe local set\n settimer 1 1000\non topic local set do\n println 1\non timer 1 do\n publish local lonely 1\n settimer 1 1000\n",
    );
    let nosy = world.client("n", "$SYS/#");
    let idle = world.client("i", "state");
    world.advance(60_000);
    let last = |said: &[String], name: &str| {
        let start = format!("$SYS/broker/messages/{name}: ");
        said.iter().rev().find_map(|line| line.strip_prefix(&start).map(str::to_owned))
    };
    let said = world.messages(nosy);
    assert_eq!(last(&said, "received").as_deref(), Some("0"));
    assert_eq!(last(&said, "sent").as_deref(), Some("0"));
    let sender = world.client("s", "none");
    for _ in 0..3 {
        world.send(sender, publish_packet("set", "1"));
        world.send(sender, publish_packet("state", "1"));
    }
    assert_eq!(world.messages(idle).len(), 3);
    world.advance(20_000);
    let said = world.messages(nosy);
    assert_eq!(last(&said, "received").as_deref(), Some("6"));
    assert_eq!(last(&said, "sent").as_deref(), Some("3"));
}

#[test]
fn figures_about_the_broker_are_retained() {
    let mut world = World::new();
    world.advance(10_000);
    let watcher = world.client("w", "$SYS/broker/clients/connected");
    world.advance(10_000);
    let name = "$SYS/broker/clients/connected";
    assert_eq!(world.messages(watcher), [format!("{name}: 0"), format!("{name}: 1")]);
}

#[test]
fn a_factory_reset_clears_everything_and_waits_for_its_reply_to_leave() {
    let mut world = World::running(RELAY);
    let console = world.console();
    world.ask(console, "set mqtt_user mine");
    world.ask(console, "save");
    world.ask(console, "set @1 x");
    world.send(console, "reset factory\r\n");
    assert_eq!(world.text(console), "Restarting ...\r\n");
    assert!(world.is_closed(console));
    world.advance(2000);
    assert!(world.wires.borrow().restarted);
    let mut world = world.power_cycle();
    let console = world.console();
    assert!(world.ask(console, "show").contains("mqtt_user: none"));
    assert!(world.ask(console, "show vars").contains("@1: \r\n"));
    assert!(world.ask(console, "show script").contains("No script"));
}

#[test]
fn a_script_that_resets_the_device_at_its_start_is_left_out_the_fourth_time() {
    // It is cut off before its init is over: the power fails at the same place again and again.
    let mut world = World::running("on init do\n println \"up\"\n");
    for _ in 0..3 {
        world = world.cut_while_starting();
    }
    let mut world = world.power_cycle();
    assert!(world.serial().contains("Script disabled"));
    let console = world.console();
    assert!(world.ask(console, "show mqtt").contains("Script disabled"));
    assert!(world.ask(console, "show script").contains("println"));
    // A new one starts.
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "on init do\n println \"new\"\n");
    world.finish(sender);
    assert!(world.text(console).contains("new"));
    let mut world = world.power_cycle();
    assert!(world.serial().contains("new"));
}

#[test]
fn a_script_that_asks_for_a_reset_soon_after_its_start_is_left_out_too() {
    for script in [
        "on init do\n println \"up\"\n system \"reset\"\n",
        "on init do\n println \"up\"\n settimer 1 1\non timer 1 do\n system \"reset\"\n",
    ] {
        let mut world = World::running(script);
        for start in 1..=3 {
            world.advance(2000);
            assert!(world.wires.borrow().restarted, "start {start}");
            assert!(world.serial().contains("up"), "start {start}");
            world = world.power_cycle();
        }
        world.advance(2000);
        assert!(!world.wires.borrow().restarted);
        assert!(world.serial().contains("Script disabled"));
    }
}

#[test]
fn a_board_may_have_the_script_left_out() {
    let world = World::running("on init do\n println \"up\"\n");
    let mut world = world.power_cycle_without_script("it is Monday");
    let said = world.serial();
    assert!(said.contains("Script disabled until the next start: it is Monday"), "{said}");
    let console = world.console();
    assert!(world.ask(console, "show script").contains("println"));
    assert!(world.ask(console, "show mqtt").contains("Script disabled"));
    let mut world = world.power_cycle();
    assert!(world.serial().contains("up"));
}

#[test]
fn a_script_that_resets_the_device_now_and_then_runs_on() {
    let mut world = World::running(
        "on init do\n println \"up\"\n settimer 1 15000\non timer 1 do\n system \"reset\"\n",
    );
    for start in 1..=6 {
        world.advance(17_000);
        assert!(world.wires.borrow().restarted, "start {start}");
        world = world.power_cycle();
        assert!(world.serial().contains("up"), "start {start}");
    }
}

#[test]
fn the_log_does_not_run_into_what_a_script_prints() {
    let mut world = World::running(
        "on init do\n subscribe local go\non topic local go do\n print \"no end\"\n publish remote a b\n println \"next\"\n",
    );
    let console = world.console();
    world.serial();
    let reply = world.ask(console, "publish local go 1");
    let told =
        "no end\r\nScript warning: publish remote a: the client is not connected\r\nnext\r\n";
    assert!(reply.ends_with(told), "{reply}");
    assert_eq!(world.serial(), format!("\r{told}CMD>"));
}

#[test]
fn random_numbers_come_from_the_board() {
    let mut world = World::running("on init do println random(100) | \" \" | random(0)");
    // The test's board fills with fours: 0x04040404 of 2^32.
    assert!(world.serial().contains("1 0\r\n"));
}

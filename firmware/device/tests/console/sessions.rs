//! Sessions: prompt, pieces, bounds, time.

use umqtt_device::console::session::LEAST_OUTPUT;
use umqtt_device::console::{IDLE_MS, MAX_LINE, Origin, Outcome, Output, Session, execute_line};

use crate::fake::{Fake, User};

#[test]
fn a_new_session_has_the_prompt() {
    assert_eq!(Session::new(Origin::Remote(3), 0, 0).output(), b"CMD>");
}

#[test]
fn lines_may_come_in_any_pieces() {
    let mut user = User::over_tcp();
    user.read();
    for byte in b"ti\x08\x08\xFF\xFD\x01time\r\n" {
        user.send(&[*byte]);
    }
    assert_eq!(user.reply("time"), "Wed 12:34:56\r\n");
    let two = user.reply("time\ntime");
    assert_eq!(two, "Wed 12:34:56\r\nCMD>Wed 12:34:56\r\n");
}

#[test]
fn a_line_of_512_bytes_is_taken_and_one_of_513_refused() {
    let mut user = User::over_tcp();
    let line = |len: usize| format!("publish local t {}", "x".repeat(len - 16));
    assert_eq!(user.reply(&line(MAX_LINE)), "Published topic\r\n");
    assert_eq!(user.reply(&line(MAX_LINE + 1)), "Line too long (at most 512 bytes)\r\n");
    assert_eq!(user.reply(&"x".repeat(100_000)), "Line too long (at most 512 bytes)\r\n");
    assert_eq!(user.device.asked.len(), 1);
    assert_eq!(user.reply("time"), "Wed 12:34:56\r\n");
}

#[test]
fn a_user_who_does_not_read_is_given_no_more() {
    let mut device = Fake::new();
    let mut session = Session::new(Origin::Remote(0), 0, 0);
    let input = b"show\n".repeat(1000);
    let taken = session.receive(&input, 0, &mut device);
    assert!(taken < 30, "{taken} bytes taken");
    assert_eq!(session.receive(&input[taken..], 0, &mut device), 0);
    assert!(session.output().len() <= LEAST_OUTPUT);
    for _ in 0..100 {
        session.report(&[b'x'; 300]);
        session.print(b"printed by a script\n");
    }
    assert!(session.output().len() <= LEAST_OUTPUT);
    // All he gets are whole replies, and he can go on.
    let waiting = session.output().len();
    session.sent(waiting);
    assert!(session.receive(b"time\n", 0, &mut device) > 0);
    assert!(session.output().ends_with(b"Wed 12:34:56\r\nCMD>"));
}

#[test]
fn the_whole_configuration_fits_the_least_output() {
    let mut device = Fake::new();
    for line in [
        "set ssid 12345678901234567890123456789012",
        "set mqtt_password 1234567890123456789012345678901234567890",
        "set mqtt_host a-long-name-of-a-host.in-some-domain.example.org",
    ] {
        let mut output = Output::new(LEAST_OUTPUT);
        execute_line(line.as_bytes(), Origin::Serial, 0, &mut device, &mut output);
    }
    for long in ["show", "help", "show vars", "show stats"] {
        let mut output = Output::new(LEAST_OUTPUT / 2);
        execute_line(long.as_bytes(), Origin::Serial, 0, &mut device, &mut output);
        output.end_reply(b"");
        assert!(!output.bytes().ends_with(b"...\r\n"), "{long} was cut");
    }
}

#[test]
fn what_is_counted_is_shown_however_long_the_lists_are() {
    let mut user = User::over_tcp();
    user.device.many = 10_000;
    let mut output = Output::new(LEAST_OUTPUT);
    execute_line(b"show mqtt", Origin::Serial, 0, &mut user.device, &mut output);
    let small = String::from_utf8(output.bytes().to_vec()).unwrap();
    for shown in [user.reply("show mqtt"), small] {
        assert!(shown.starts_with("Current clients: 10002\r\nmosq-1, odd\\x07id, client-0, "));
        for (list, len) in [("subscriptions:", 10_002), ("Retained", 10_002), ("MQTT", 10_001)] {
            let next = if list == "subscriptions:" { "Current " } else { "" };
            let end = format!("... and more, {len} in all\r\n{next}{list}");
            assert!(shown.contains(&end), "{shown}");
        }
        assert!(shown.ends_with("unknown acknowledgements 0\r\n"), "{shown}");
    }
}

#[test]
fn what_does_not_fit_is_cut_and_marked() {
    let mut device = Fake::new();
    let mut output = Output::new(256);
    execute_line(b"help set", Origin::Serial, 0, &mut device, &mut output);
    output.end_reply(b"CMD>");
    assert!(output.bytes().len() <= 256);
    assert!(output.bytes().ends_with(b"\r\n...\r\nCMD>"));
}

#[test]
fn an_idle_session_is_closed_and_a_busy_one_is_not() {
    let mut user = User::over_tcp();
    assert_eq!(user.session.poll_at(), Some(IDLE_MS));
    user.now = IDLE_MS - 1;
    user.session.handle_timeout(user.now);
    user.send(b"t");
    assert_eq!(user.session.poll_at(), Some(2 * IDLE_MS - 1));
    user.session.handle_timeout(IDLE_MS);
    assert!(!user.session.is_over());
    user.session.handle_timeout(2 * IDLE_MS);
    let screen = String::from_utf8(user.read()).unwrap();
    assert_eq!(screen, "\r\nConsole closed: nobody typed for 300 s\r\n");
    assert!(user.session.is_over());
}

#[test]
fn a_session_that_has_ended_does_not_wait_for_ever_to_be_read() {
    let mut device = Fake::new();
    let mut session = Session::new(Origin::Remote(0), 0, 0);
    session.receive(b"quit\ntime\n", 0, &mut device);
    assert!(!session.is_over());
    let deadline = session.poll_at().unwrap();
    assert!(deadline <= 10_000);
    session.handle_timeout(deadline);
    assert!(session.is_over());
}

#[test]
fn the_serial_line_is_never_idle_and_never_over() {
    let mut user = User::new(Origin::Serial);
    assert_eq!(user.session.poll_at(), None);
    assert_eq!(user.reply("quit"), "CMD>Quitting console\r\n".trim_start_matches("CMD>"));
    assert!(!user.session.is_over());
    assert_eq!(user.reply("time"), "Wed 12:34:56\r\n");
}

#[test]
fn a_script_s_system_action_gets_replies_without_prompt() {
    let mut device = Fake::new();
    let mut output = Output::new(1000);
    let mut run = |line: &[u8]| execute_line(line, Origin::Script, 0, &mut device, &mut output);
    assert_eq!(run(b"set broker_port 1884"), Outcome::Continue);
    assert_eq!(run(b"reset"), Outcome::Restart);
    assert_eq!(output.bytes(), b"broker_port set to 1884\r\nRestarting ...\r\n");
}

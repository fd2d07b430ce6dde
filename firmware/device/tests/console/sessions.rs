//! Sessions: prompt, pieces, bounds, time.

use umqtt_device::console::session::LEAST_OUTPUT;
use umqtt_device::console::{
    CommandOutcome, IDLE_TIMEOUT, MAX_LINE, Origin, Output, Session, execute_line, resume_reply,
};
use umqtt_memory::Share;
use umqtt_net::{Duration, Instant};

use crate::fake::{Fake, User};

#[test]
fn a_new_session_has_the_prompt() {
    assert_eq!(Session::new(Origin::Network(3), 0, Instant::ZERO).output(), b"CMD>");
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
fn a_reply_does_not_run_into_what_a_script_has_left_open() {
    let mut user = User::over_tcp();
    user.read();
    user.session.print(b"no end");
    assert_eq!(user.read(), b"\rno end");
    assert_eq!(user.reply("time"), "\r\nWed 12:34:56\r\n");
    user.session.print(b"no end");
    user.read();
    assert_eq!(user.reply(""), "\r\n");
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

/// Whatever its length and however it comes, nothing of a line that is too long is executed, and
/// the next line is.
#[test]
fn no_part_of_a_line_that_is_too_long_is_executed() {
    for len in [511, MAX_LINE, MAX_LINE + 1, MAX_LINE + 2, 1024, 1025, 5000] {
        for end in ["\n", "\r\n", "\r"] {
            // Wherever it may be cut, a command begins.
            let mut line = "time reset  ".repeat(len / 12 + 1);
            line.truncate(len);
            let input = format!("{line}{end}time{end}");
            for piece in [1, 2, 3, 7, 127, 128, 129, 511, 512, 513, 6000] {
                let mut user = User::over_tcp();
                user.reply("time"); // or it would be nobody's who types
                for bytes in input.as_bytes().chunks(piece) {
                    user.send(bytes);
                }
                let first = match len > MAX_LINE {
                    true => "Line too long (at most 512 bytes)",
                    false => "Invalid number of arguments",
                };
                let said = user.screen();
                let what = format!("{len} bytes, {piece} at a time, {end:?}: {said}");
                assert!(said.starts_with(&format!("{first}\n")), "{what}");
                assert!(said.ends_with("\nCMD>Wed 12:34:56\nCMD>"), "{what}");
                assert_eq!(said.matches("CMD>").count(), 2, "{what}");
                assert!(user.device.asked.is_empty(), "{:?}", user.device.asked);
            }
        }
    }
    // What is deleted of it does not make it short again.
    let mut user = User::over_tcp();
    user.reply("time");
    let line = format!("time{}{}", "x".repeat(600), "\x08".repeat(600));
    assert_eq!(user.reply(&line), "Line too long (at most 512 bytes)\r\n");
    // A page that makes a browser send a long first line commands nothing either.
    for first in ["GET /", "publish /", "x"] {
        let mut user = User::over_tcp();
        user.send(format!("{first}{}\ntime\n", "x".repeat(2000)).as_bytes());
        assert!(user.session.is_over());
    }
}

#[test]
fn a_user_who_does_not_read_is_given_no_more() {
    let mut device = Fake::new();
    let mut session = Session::new(Origin::Network(0), 0, Instant::ZERO);
    let input = b"show\n".repeat(1000);
    let taken = session.receive(&input, Instant::ZERO, &mut device);
    assert!(taken < 30, "{taken} bytes taken");
    assert_eq!(session.receive(&input[taken..], Instant::ZERO, &mut device), 0);
    assert!(session.output().len() <= LEAST_OUTPUT);
    for _ in 0..100 {
        session.report(&[b'x'; 300]);
        session.print(b"printed by a script\n");
    }
    assert!(session.output().len() <= LEAST_OUTPUT);
    // He gets all of it when he reads: the rest of the reply first, then what was reported, and he
    // can go on.
    let mut seen = String::new();
    while session.has_more() || !session.output().is_empty() {
        seen += &String::from_utf8_lossy(session.output());
        let waiting = session.output().len();
        session.sent(waiting);
        session.resume(&mut device);
        assert!(session.output().len() <= LEAST_OUTPUT);
    }
    assert!(seen.starts_with("CMD>umqtt"), "{seen}");
    assert!(seen.contains("CMD>\r") && seen.contains("xxx\r\nCMD>"), "{seen}");
    assert!(session.receive(b"time\n", Instant::ZERO, &mut device) > 0);
    assert!(session.output().ends_with(b"Wed 12:34:56\r\nCMD>"));
}

/// All of a reply, however small the buffer it is made in.
fn whole_reply(line: &str, limit: usize, device: &mut Fake) -> String {
    let mut all = Vec::new();
    let mut output = Output::new(limit);
    let mut outcome =
        execute_line(line.as_bytes(), Origin::Serial, Instant::ZERO, device, &mut output);
    loop {
        assert!(output.bytes().len() <= limit);
        all.extend_from_slice(output.bytes());
        output.sent(output.bytes().len());
        let CommandOutcome::More(rest) = outcome else { break };
        outcome = resume_reply(rest, device, &mut output);
        assert!(!output.bytes().is_empty(), "no progress");
    }
    String::from_utf8(all).unwrap()
}

#[test]
fn a_reply_is_the_same_however_small_the_buffer() {
    let mut device = Fake::new();
    for line in [
        "set ssid 12345678901234567890123456789012",
        "set mqtt_host a-long-name-of-a-host.in-some-domain.example.org",
    ] {
        whole_reply(line, LEAST_OUTPUT, &mut device);
    }
    device.many = 200;
    for line in [
        "help",
        "help set",
        "show",
        "show stats",
        "show mqtt",
        "show vars",
        "show script",
        "show script 2",
        "show backlog",
    ] {
        let whole = whole_reply(line, 1 << 20, &mut device);
        for limit in [48, 100, LEAST_OUTPUT, 1000] {
            assert_eq!(whole_reply(line, limit, &mut device), whole, "{line} in {limit} bytes");
        }
    }
}

#[test]
fn what_is_counted_is_shown_however_long_the_lists_are() {
    let mut user = User::over_tcp();
    user.device.many = 10_000;
    let small = whole_reply("show mqtt", LEAST_OUTPUT, &mut user.device);
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
fn a_line_there_is_no_memory_for_is_refused() {
    let mut user = User::over_tcp();
    user.session.set_line_room(100);
    let line = |len: usize| format!("publish local t {}", "x".repeat(len - 16));
    assert_eq!(user.reply(&line(60)), "Published topic\r\n");
    assert_eq!(user.reply(&line(400)), "Not enough memory for this line\r\n");
    assert_eq!(user.device.ledger[Share::Console].refused, 1);
    assert_eq!(user.reply("time"), "Wed 12:34:56\r\n");
    user.session.set_line_room(600);
    assert_eq!(user.reply(&line(400)), "Published topic\r\n");
}

#[test]
fn an_idle_session_is_closed_and_a_busy_one_is_not() {
    let mut user = User::over_tcp();
    assert_eq!(user.session.poll_at(), Some(Instant::ZERO + IDLE_TIMEOUT));
    user.now = Instant::ZERO + IDLE_TIMEOUT - Duration::from_millis(1);
    user.session.handle_timeout(user.now);
    user.send(b"t");
    assert_eq!(user.session.poll_at(), Some(user.now + IDLE_TIMEOUT));
    user.session.handle_timeout(Instant::ZERO + IDLE_TIMEOUT);
    assert!(!user.session.is_over());
    user.session.handle_timeout(Instant::ZERO + IDLE_TIMEOUT * 2);
    let screen = String::from_utf8(user.read()).unwrap();
    assert_eq!(screen, "\r\nConsole closed: nobody typed for 300 s\r\n");
    assert!(user.session.is_over());
}

#[test]
fn a_session_that_has_ended_does_not_wait_for_ever_to_be_read() {
    let mut device = Fake::new();
    let mut session = Session::new(Origin::Network(0), 0, Instant::ZERO);
    session.receive(b"quit\ntime\n", Instant::ZERO, &mut device);
    assert!(!session.is_over());
    let deadline = session.poll_at().unwrap();
    assert!(deadline <= Instant::from_millis(10_000));
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
    let mut run =
        |line: &[u8]| execute_line(line, Origin::Script, Instant::ZERO, &mut device, &mut output);
    assert_eq!(run(b"set broker_port 1884"), CommandOutcome::Continue);
    assert_eq!(run(b"reset"), CommandOutcome::Restart);
    assert_eq!(output.bytes(), b"broker_port set to 1884\r\nRestarting ...\r\n");
}

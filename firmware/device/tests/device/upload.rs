//! Scripts that are pushed and pulled.

use crate::world::{End, World};
use umqtt_device::net::CloseReason;

const OLD: &str = "on init do\n println \"old\"\n";
const NEW: &str = "on init do\n println \"new\"\n";

/// A device with the old script, a console that asked for an upload, and the sender.
fn waiting() -> (World, End, End) {
    let mut world = World::running(OLD);
    let console = world.console();
    let reply = world.ask(console, "script 2000");
    assert_eq!(reply, "Waiting for script upload on port 2000\r\n");
    let sender = world.connect(2000);
    (world, console, sender)
}

fn shows(world: &mut World, console: End, what: &str) -> bool {
    world.ask(console, "show script").contains(what)
}

#[test]
fn source_and_bytecode_are_taken() {
    let (mut world, console, sender) = waiting();
    world.send(sender, NEW);
    world.finish(sender);
    let report = world.text(console);
    assert!(
        report.contains("Script upload completed (26 Bytes)\r\nSyntax okay\r\nCMD>"),
        "{report}"
    );
    assert!(world.text(sender).contains("Syntax okay") && world.is_closed(sender));
    assert!(shows(&mut world, console, "\"new\""));

    let profile = crate::world::options().profile;
    for source in [true, false] {
        let options = umqtt_lang::EmitOptions::new().debug(source).source(source);
        let image = umqtt_lang::compile(OLD.as_bytes(), &profile, options).unwrap();
        world.ask(console, "script 2001");
        let sender = world.connect(2001);
        world.send(sender, &image);
        world.finish(sender);
        // Without the source there is nothing to warn of, not even that it is empty.
        let report = world.raw_text(console);
        let completed =
            format!("Script upload completed ({} Bytes)\r\nSyntax okay\r\nCMD>", image.len());
        assert!(report.contains(&completed) && !report.contains("Warning"), "{report}");
        let shown = world.ask(console, "show script");
        assert_eq!(shown.contains("on init do"), source, "{shown}");
        assert_eq!(shown.starts_with("Bytecode"), !source, "{shown}");
        assert_eq!(shown.contains("2:         0000  "), !source, "{shown}");
    }
}

/// The errors of a script as a sender is told them that has room for so many bytes.
fn told_within(window: usize) -> String {
    let (mut world, _, sender) = waiting();
    world.net.window = window;
    world.send(sender, "on init do\n printt 1\non init do\n printt 2\n");
    world.finish(sender);
    world.text(sender)
}

#[test]
fn a_sender_with_little_room_is_told_whole_lines() {
    let all = told_within(4096);
    let lines: Vec<&str> = all.split_inclusive("\r\n").collect();
    let [head, first, ref others @ ..] = lines[..] else { panic!("{all}") };
    assert!(head.starts_with("Script ") && others[0].contains("line 4"), "{all}");
    assert_eq!(told_within(all.len()), all);
    // What became of it is left out first.
    let errors = [first, &others.concat()].concat();
    assert_eq!(told_within(all.len() - 1), errors);
    assert_eq!(told_within(errors.len()), errors);
    let more = "...\r\n";
    assert_eq!(told_within(first.len() + more.len()), format!("{first}{more}"));
    // There is room for no line: words of the first.
    let words = told_within(first.len() - 1);
    let cut = words.strip_suffix(more).unwrap();
    assert!(first.strip_prefix(cut).unwrap().starts_with(' '), "{words}");
    assert_eq!(told_within(8), more);
}

#[test]
fn what_is_wrong_is_refused_with_its_reason_and_the_old_script_stays() {
    let too_long = vec![b' '; 70_000];
    let most = crate::world::options().profile.source;
    let refused = format!("the script is too long: at most {most} bytes");
    for (sent, reason) in [
        (&b""[..], "the script is empty"),
        (b" \r\n", "the script is empty"),
        (b"% A note.\n% And another.\n", "the script has no handlers"),
        (b"on init do\n println (1\n", "Error in line "),
        (b"on init do\n setvar $x = $y\n", "Error in line 2, column 14"),
        (b"uMQ!", "the bytecode cannot run here"),
        (&too_long, &refused),
    ] {
        let (mut world, console, sender) = waiting();
        world.send(sender, sent);
        world.finish(sender);
        let report = world.text(console);
        assert!(report.contains(reason), "{report}");
        assert!(!report.contains("completed"), "{report}");
        let source = reason.starts_with("Error");
        let there =
            format!("Script not taken ({} Bytes), the one that was there goes on\r\n", sent.len());
        assert_eq!(report.contains(&there), sent.len() < 70_000, "{report}");
        assert_eq!(report.contains("umqttc check FILE tells more\r\n"), source, "{report}");
        assert!(world.is_closed(sender));
        assert!(shows(&mut world, console, "\"old\""));
    }
}

#[test]
fn a_web_page_is_called_so_and_where_no_script_runs_none_goes_on() {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "<!DOCTYPE html>\n<html>\n");
    world.finish(sender);
    let report = world.text(console);
    assert!(report.contains("Script not taken (23 Bytes)\r\nError in line 1"), "{report}");
    assert!(report.ends_with("It is a web page, not a script\r\n"), "{report:?}");
}

#[test]
fn nobody_comes() {
    let mut world = World::running(OLD);
    let console = world.console();
    world.ask(console, "script 2000");
    world.advance(59_000);
    assert!(world.listens(2000));
    world.advance(2_000);
    assert!(!world.listens(2000));
    assert!(world.text(console).contains("Script upload failed: nobody connected"));
    assert!(shows(&mut world, console, "\"old\""));
}

#[test]
fn a_sender_that_falls_silent_or_breaks_is_given_up() {
    let (mut world, console, sender) = waiting();
    world.send(sender, &NEW[..20]);
    world.advance(9_000);
    world.send(sender, &NEW[20..21]);
    world.advance(9_000);
    assert!(!world.is_closed(sender));
    world.advance(2_000);
    assert!(world.is_closed(sender));
    assert!(world.text(console).contains("nothing came for 10 seconds"));
    assert!(shows(&mut world, console, "\"old\""));

    let (mut world, console, sender) = waiting();
    world.send(sender, NEW);
    world.reset(sender);
    assert!(world.text(console).contains("Script upload failed: the connection broke"));
    assert!(shows(&mut world, console, "\"old\""));
}

#[test]
fn a_sender_of_a_byte_now_and_then_does_not_hold_the_port_for_ever() {
    let (mut world, console, sender) = waiting();
    let mut sent = 0;
    while !world.is_closed(sender) {
        world.send(sender, "%");
        world.advance(9_000);
        world.send(console, "\r\n"); // or it would be closed before that
        sent += 1;
    }
    assert_eq!(sent, 300_u64.div_ceil(9));
    assert!(
        world.text(console).contains("Script upload failed: it was not all there after 5 minutes")
    );
    assert!(shows(&mut world, console, "\"old\""));
    assert!(world.ask(console, "script 2000").starts_with("Waiting"));
}

#[test]
fn a_sender_that_sent_all_but_does_not_close_is_understood() {
    let (mut world, console, sender) = waiting();
    world.send(sender, "on init do\n if 1 then\n");
    world.advance(5_000);
    // Incomplete so far: it goes on.
    world.send(sender, "  println \"new\"\n endif\n");
    world.advance(3_000);
    assert!(world.text(console).contains("Syntax okay"));
    assert!(world.is_closed(sender));
}

#[test]
fn only_one_upload_at_a_time() {
    let (mut world, console, sender) = waiting();
    let other = world.console();
    let reply = world.ask(other, "script 2001");
    assert_eq!(reply, "Script upload refused: another upload is under way\r\n");
    world.send(sender, NEW);
    world.finish(sender);
    assert!(world.text(console).contains("Syntax okay"));
    // One that nobody has come for makes room, but only for the user who asked for it.
    world.ask(other, "script 2001");
    world.ask(other, "script 2002");
    assert!(!world.listens(2001) && world.listens(2002));
    let reply = world.ask(other, "script 7777");
    assert_eq!(
        reply,
        "Script upload refused: the port is in use: try another, such as script 2000\r\n"
    );
}

#[test]
fn an_upload_that_waits_is_not_taken_away_by_somebody_else() {
    let mut world = World::running(OLD);
    let (console, other) = (world.console(), world.console());
    world.ask(console, "script 2000");
    world.advance(20_000);
    let refusal = "another upload waits on port 2000, for 40 s at most";
    let reply = world.ask(other, "script 2001");
    assert_eq!(reply, format!("Script upload refused: {refusal}\r\n"));
    let reply = world.ask(other, "script http://server/x");
    assert_eq!(reply, format!("HTTP script upload failed ({refusal})\r\n"));
    let sender = world.connect(2000);
    world.send(sender, NEW);
    world.finish(sender);
    assert!(world.text(console).contains("Syntax okay"));
}

#[test]
fn an_upload_whose_user_has_gone_is_taken_and_may_be_replaced() {
    let mut world = World::running(OLD);
    let (first, other) = (world.console(), world.console());
    world.send(first, "script 2000\r\nquit\r\n");
    assert!(world.is_closed(first));
    let sender = world.connect(2000);
    let next = world.console();
    world.serial();
    world.send(sender, NEW);
    world.finish(sender);
    assert!(world.serial().contains("Syntax okay"));
    assert_eq!(
        world.text(next),
        "new\r\n",
        "it did not ask, and is told nothing but what the script prints"
    );
    assert!(shows(&mut world, other, "\"new\""));

    world.send(next, "script 2000\r\nquit\r\n");
    assert_eq!(world.ask(other, "script 2001"), "Waiting for script upload on port 2001\r\n");
    assert!(!world.listens(2000));
}

#[test]
fn a_script_is_pulled() {
    let mut world = World::running(OLD);
    let console = world.console();
    let reply = world.ask(console, "script http://server:8000/dir/new.script");
    assert_eq!(reply, "HTTP request to http://server:8000/dir/new.script started\r\n");
    let (host, port, end) = world.take_asked();
    assert_eq!((host.as_str(), port), ("server", 8000));
    let request = world.text(end);
    assert!(request.starts_with("GET /dir/new.script HTTP/1.1\r\nHost: server:8000\r\n"));
    world.send(end, "HTTP/1.0 200 OK\r\n\r\non init do\n println");
    world.send(end, " \"new\"\n");
    world.finish(end);
    let report = world.text(console);
    let expected = "HTTP script download completed (26 Bytes)\r\nSyntax okay\r\n";
    assert!(report.contains(expected), "{report}");
    assert!(shows(&mut world, console, "\"new\""));
}

#[test]
fn pulls_fail_with_their_reasons() {
    let mut world = World::running(OLD);
    let console = world.console();
    let pull = |world: &mut World| world.ask(console, "script http://server/x");
    let mut reports = Vec::new();
    for answer in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        "220 mail server\r\n\r\n",
    ] {
        pull(&mut world);
        let (_, _, end) = world.take_asked();
        world.received(end);
        world.send(end, answer);
        world.finish(end);
        reports.push(world.text(console));
    }
    for reason in [CloseReason::NameNotFound, CloseReason::Refused] {
        pull(&mut world);
        world.refuse_asked(reason);
        reports.push(world.text(console));
    }
    pull(&mut world);
    let (_, _, silent) = world.take_asked();
    world.advance(11_000);
    assert!(world.is_closed(silent));
    reports.push(world.text(console));
    for _ in 0..4 {
        if world.net.asked.is_empty() {
            pull(&mut world);
        }
        let (_, _, end) = world.take_asked();
        world.send(end, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
    }
    reports.push(world.text(console));
    let most = crate::world::options().profile.source;
    let too_long = format!("(script too long): at most {most} bytes\r\n");
    let reasons = [
        "(error code 404)\r\n",
        &too_long,
        "(error code 0): the answer was cut short",
        "(error code 0): the answer is not HTTP",
        "(error code 0): the host name is unknown",
        "(error code 0): the connection was refused",
        "(error code 0): it took too long",
        "(error code 0): too many redirects",
    ];
    for (report, reason) in reports.iter().zip(reasons) {
        assert!(report.contains(&format!("HTTP script upload failed {reason}")), "{report}");
    }
    assert_eq!(reports.len(), reasons.len());
    assert!(shows(&mut world, console, "\"old\""));
}

#[test]
fn warnings_about_a_script_that_is_taken_are_told_with_their_places() {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "on init do\n println $adc * 10 + 5\n setvar $x = 1\n");
    world.finish(sender);
    let told = world.raw_text(console);
    let start = "\rScript upload completed (49 Bytes)\r\nSyntax okay\r\nWarning W0001 in line 2, column 10: operators group";
    assert!(told.starts_with(start), "{told}");
    assert!(told.contains("\r\nWarning W0002 in line 3, column "), "{told}");
    // The script starts behind the report: what it prints takes the prompt's place, and the prompt
    // comes again.
    assert!(told.ends_with("\r\n2 warnings\r\nCMD>\r    \r0\r\nCMD>"), "{told:?}");
    // Whoever sent it learns that too.
    assert!(world.text(sender).contains("Warning W0001 in line 2"));
}

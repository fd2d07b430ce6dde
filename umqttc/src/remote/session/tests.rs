use proptest::prelude::*;

use super::*;

/// What has come: the reply, and what was not asked for.
fn came(session: &mut ConsoleSession) -> (Option<Reply>, Vec<Unasked>) {
    let unasked = std::iter::from_fn(|| session.next_unasked()).collect();
    (session.take_reply(), unasked)
}

fn ready() -> ConsoleSession {
    let mut session = ConsoleSession::new();
    session.receive(b"CMD").unwrap();
    assert!(!session.is_ready());
    session.receive(b">").unwrap();
    assert!(session.is_ready());
    session
}

fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines().map(|line| line.as_bytes().to_vec()).collect()
}

fn reply(text: &str) -> Option<Reply> {
    Some(Reply::new(lines(text)))
}

fn unasked(text: &str) -> Unasked {
    Unasked::Line(text.as_bytes().to_vec())
}

const QUIET: Unasked = Unasked::Quiet;

#[test]
fn a_command_and_its_reply() {
    let mut session = ready();
    assert_eq!(session.begin(b"show stats").unwrap(), b"show stats\r\n");
    session.receive(b"System uptime: 0:00:01\r\nClock not set\r\n").unwrap();
    assert_eq!(came(&mut session), (None, vec![]));
    session.receive(b"CMD>").unwrap();
    assert_eq!(came(&mut session), (reply("System uptime: 0:00:01\nClock not set"), vec![]));
}

#[test]
fn what_comes_unasked_is_no_reply() {
    let mut session = ready();
    session.begin(b"save").unwrap();
    session.receive(b"\r    \rhi\r\nCMD>Config saved\r\nCMD>\rlater\r\nsecond\r\nCMD>").unwrap();
    let others = vec![unasked("hi"), QUIET, unasked("later"), unasked("second"), QUIET];
    assert_eq!(came(&mut session), (reply("Config saved"), others));
}

#[test]
fn what_was_typed_stands_behind_the_prompt_that_comes_back() {
    let mut session = ready();
    session.begin(b"show stats").unwrap();
    session.receive(b"\rhi\r\nCMD>show sSystem uptime: 0:00:01\r\nCMD>").unwrap();
    let expected = (reply("System uptime: 0:00:01"), vec![unasked("hi"), QUIET]);
    assert_eq!(came(&mut session), expected);
}

#[test]
fn a_reply_behind_an_open_line() {
    let mut session = ready();
    session.receive(b"\rno end").unwrap();
    assert!(!session.is_at_prompt());
    session.begin(b"save").unwrap();
    session.receive(b"\r\nConfig saved\r\nCMD>").unwrap();
    assert_eq!(came(&mut session), (None, vec![]));
    assert!(session.settle());
    let mixed = Reply::mixed(lines("no end\nConfig saved"));
    assert_eq!(came(&mut session), (Some(mixed), vec![]));
    assert!(!session.settle());
}

#[test]
fn a_script_that_never_ends_a_line() {
    let mut session = ready();
    session.receive(b"\rchatty chatty ").unwrap();
    // The empty line ends it; its prompt is the reply, though the script goes on.
    session.begin(b"").unwrap();
    session.receive(b"chatty \r\nCMD>\r    \rchatty ").unwrap();
    assert_eq!(came(&mut session), (reply(""), vec![unasked("chatty chatty chatty "), QUIET]));
    session.begin(b"save").unwrap();
    session.receive(b"chatty \r\nConfig saved\r\nCMD>\r    \rchatty chatty ").unwrap();
    assert!(session.may_settle() && session.settle());
    let mixed = Reply::mixed(lines("chatty chatty \nConfig saved"));
    assert_eq!(came(&mut session), (Some(mixed), vec![]));
}

#[test]
fn the_prompt_of_a_line_before_is_no_reply() {
    let mut session = ready();
    session.begin(b"save").unwrap();
    session.receive(b"CMD>Config saved\r\nCMD>").unwrap();
    assert_eq!(came(&mut session), (reply("Config saved"), vec![]));
    // What was pasted with a line of a script is answered so.
    session.begin(b"save").unwrap();
    session.receive(b"CMD>").unwrap();
    assert!(session.settle());
    assert_eq!(came(&mut session), (Some(Reply::mixed(Vec::new())), vec![]));
}

#[test]
fn an_empty_reply() {
    let mut session = ready();
    session.begin(b"").unwrap();
    session.receive(b"CMD>").unwrap();
    assert_eq!(came(&mut session), (reply(""), vec![]));
}

#[test]
fn commands_are_one_line() {
    let mut session = ready();
    for command in [&b"a\nb"[..], b"a\r", &[b'a'; MAX_COMMAND + 1]] {
        assert_eq!(session.begin(command), None);
    }
    assert_eq!(session.begin(b"unlock \xff").unwrap(), b"unlock \xff\xff\r\n");
}

#[test]
fn a_reply_without_end_is_an_error() {
    let mut session = ready();
    session.begin(b"show vars").unwrap();
    let mut taken = 0;
    while session.receive(b"a: b\r\n").is_ok() {
        taken += 1;
        assert!(taken < MAX_REPLY);
    }
}

#[test]
fn of_lines_that_nobody_reads_the_oldest_are_dropped() {
    let mut session = ready();
    let line = [b'x'; 1000];
    for _ in 0..1000 {
        session.receive(&[b"\r", &line[..], b"\r\nCMD>"].concat()).unwrap();
    }
    session.receive(b"\rlast\r\nCMD>").unwrap();
    let dropped = session.take_dropped();
    let (_, mut left) = came(&mut session);
    left.retain(|what| *what != QUIET);
    assert_eq!(dropped + left.len(), 1001);
    assert_eq!(left.last(), Some(&unasked("last")));
}

/// One thing a console does.
#[derive(Clone, Debug)]
enum Step {
    Command(Vec<String>),
    Log(Vec<String>),
}

fn texts(most: usize) -> impl Strategy<Value = Vec<String>> {
    // Lines that begin as no prompt does.
    prop::collection::vec("[a-z%@=:][ -~]{0,12}", 1..most)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![texts(5).prop_map(Step::Command), texts(4).prop_map(Step::Log)]
}

proptest! {
    /// Any bytes whatever: no panic, and no more is kept than the bounds say.
    #[test]
    fn any_bytes(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..50)) {
        let mut session = ConsoleSession::new();
        for piece in pieces {
            let _ = session.receive(&piece);
            if piece.len() % 3 == 0 {
                session.begin(b"show stats");
            }
            if piece.len() % 7 == 0 {
                session.settle();
            }
        }
        let _ = session.finish();
    }

    /// A session as devices send it comes out as it was meant.
    #[test]
    fn replies_and_logs_are_told_apart(steps in prop::collection::vec(step(), 0..12), size in 1usize..7) {
        let mut session = ready();
        for step in steps {
            let (sent, expected) = match &step {
                Step::Command(reply) => {
                    session.begin(b"#1").unwrap();
                    let text: String = reply.iter().map(|line| format!("{line}\r\n")).collect();
                    let lines = reply.iter().map(|line| line.as_bytes().to_vec()).collect();
                    (format!("{text}CMD>"), (Some(Reply::new(lines)), vec![]))
                }
                Step::Log(log) => {
                    let text: String = log.iter().map(|line| format!("{line}\r\n")).collect();
                    let mut expected: Vec<_> = log.iter().map(|line| unasked(line)).collect();
                    expected.push(QUIET);
                    (format!("\r    \r{text}CMD>"), (None, expected))
                }
            };
            for piece in sent.as_bytes().chunks(size) {
                session.receive(piece).unwrap();
            }
            prop_assert_eq!(came(&mut session), expected);
            prop_assert!(session.is_at_prompt());
        }
    }
}

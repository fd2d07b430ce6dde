//! Whatever is typed: no panic, bounded output, and the console still works.

use proptest::prelude::*;
use umqtt_device::console::{Origin, Session};
use umqtt_net::Instant;

use crate::fake::Fake;

/// Input that gets further than noise does.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => "help|show|set|save|lock|unlock|reset|quit|scan|time|publish|script|sim|config|stats",
        4 => "mqtt|vars|backlog|local|remote|retained|delete|factory|@[0-9]{1,3}|-?[0-9]{1,11}",
        4 => "[a-z]{2,4}_[a-z]{2,9}|broker_port|ap_password|network|mqtt_id|ntp_time|backlog",
        2 => "http://[a-z.:/%]{0,20}|10\\.0\\.0\\.[0-9]{1,3}|[0-9]{2}:[0-9]{2}:[0-9]{2}",
        2 => "[\"\\\\%0-9a-f ]{0,8}",
        1 => "[^\n]{0,20}",
    ];
    let line = proptest::collection::vec(word, 0..5).prop_map(|words| words.join(" "));
    proptest::collection::vec(line, 0..8).prop_map(|lines| lines.join("\n").into_bytes())
}

/// When nothing counts as pasted with what came before.
const LATER: Instant = Instant::from_millis(10_000);

fn survives(origin: Origin, input: &[u8], piece: usize) -> Result<(), TestCaseError> {
    const LIMIT: usize = 8192;
    let mut device = Fake::new();
    let mut session = Session::new(origin, LIMIT, Instant::ZERO);
    for bytes in input.chunks(piece) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = session.receive(rest, Instant::ZERO, &mut device);
            prop_assert!(taken > 0 || !session.output().is_empty(), "neither took nor gave");
            rest = &rest[taken..];
            prop_assert!(session.output().len() <= LIMIT);
            let waiting = session.output().len();
            session.sent(waiting);
        }
    }
    while session.has_more() {
        session.resume(&mut device);
        prop_assert!(!session.output().is_empty());
        let waiting = session.output().len();
        session.sent(waiting);
    }
    if !session.is_over() {
        // The end of whatever command or subnegotiation is open, then a line.
        let end = [&b"\n"[..], &[0; 300], b"\r\n"].concat();
        let mut rest = &[&end[..], b"time\r\n"].concat()[..];
        while !rest.is_empty() {
            let (now, len) = match rest.len() > 6 {
                true => (Instant::ZERO, rest.len() - 6),
                false => (LATER, rest.len()),
            };
            rest = &rest[session.receive(&rest[..len], now, &mut device)..];
            let output = session.output().to_vec();
            session.sent(output.len());
            if rest.is_empty() {
                let over = session.is_over(); // it was HTTP
                prop_assert!(over || output.ends_with(b"Wed 12:34:56\r\nCMD>"), "{output:?}");
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn noise(input in proptest::collection::vec(any::<u8>(), 0..2000), piece in 1..600usize) {
        survives(Origin::Network(1), &input, piece)?;
        survives(Origin::Serial, &input, piece)?;
    }

    #[test]
    fn noise_of_telnet(input in proptest::collection::vec(
        prop_oneof![Just(255u8), 240..=254u8, Just(b'\n'), Just(b'\r'), Just(8), any::<u8>()],
        0..600,
    )) {
        survives(Origin::Network(1), &input, 7)?;
    }

    #[test]
    fn almost_commands(input in lines(), piece in 1..100usize) {
        survives(Origin::Network(1), &input, piece)?;
    }
}

//! When the client asks, and which answers it believes.

#![allow(clippy::unwrap_used, missing_docs)]

use std::net::SocketAddr;

use proptest::prelude::*;
use umqtt_net::{Duration, Instant};
use umqtt_ntp::{
    Client, LEN, Leap, MAX_BACKOFF, MIN_INTERVAL, Mode, Packet, Refusal, Sample, TRIES, Timeout,
    Timestamp,
};

const RANDOM: u64 = 0x0123_4567_89ab_cdef;
/// 2027-01-15 08:00:00 UTC.
const NOON: u64 = 1_800_000_000_000;

fn server() -> SocketAddr {
    "192.0.2.1:123".parse().unwrap()
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A client that has asked at the time 0.
fn asked() -> Client {
    let mut client = Client::new();
    client.start(at(0));
    assert_eq!(client.handle_timeout(at(0)), None);
    assert!(client.poll_transmit(at(0), server(), RANDOM).is_some());
    client
}

/// An answer to that.
fn answer(unix_millis: u64) -> Packet {
    Packet {
        mode: Mode::Server,
        stratum: 2,
        origin: Timestamp::from_bits(RANDOM),
        receive: Timestamp::from_unix_millis(unix_millis),
        transmit: Timestamp::from_unix_millis(unix_millis),
        ..Packet::request(1)
    }
}

fn judged(change: impl Fn(&mut Packet)) -> Result<Sample, Refusal> {
    let mut packet = answer(NOON);
    change(&mut packet);
    asked().handle_datagram(at(100), server(), &packet.to_bytes())
}

#[test]
fn a_request_says_nothing_but_its_random_number() {
    let mut client = Client::new();
    client.start(at(0));
    client.handle_timeout(at(0));
    let request = client.poll_transmit(at(0), server(), RANDOM).unwrap();
    let mut expected = [0; LEN];
    expected[0] = 0o43;
    expected[40..].copy_from_slice(&RANDOM.to_be_bytes());
    assert_eq!(request, expected);
    assert_eq!(client.poll_transmit(at(0), server(), RANDOM), None, "one at a time");
}

#[test]
fn the_time_is_that_of_the_four_timestamps() {
    // Asked at 0, it took 30 ms there, 20 ms at the server, and the answer is here at 100: 80 ms on
    // the way, so it took 40 ms back.
    let mut packet = answer(NOON);
    packet.transmit = Timestamp::from_unix_millis(NOON + 20);
    let sample = asked().handle_datagram(at(100), server(), &packet.to_bytes()).unwrap();
    assert_eq!(sample.round_trip, Duration::from_millis(80));
    assert_eq!(sample.unix_millis, NOON + 20 + 40);
    assert_eq!(sample.unix_millis_at(at(1_100)), NOON + 1_060);
    // RFC 5905, section 8, with a clock of our own that was NOON - 500 when it was asked:
    // ((T2 - T1) + (T3 - T4)) / 2 = ((500) + (NOON + 20 - (NOON - 400))) / 2.
    assert_eq!(sample.offset(NOON - 500 + 100), (500 + 420) / 2);
    assert_eq!(sample.offset(NOON + 1_000_000), 60 - 1_000_000);
}

#[test]
fn an_answer_as_a_server_sent_it() {
    // An answer of stratum 2: root delay 0x1f5,
    // dispersion 0x2b4, reference 172.67.5.1; received 16.5 s after 2024 began, sent 4 ms later.
    let bytes = b"\x24\x02\x03\xe8\x00\x00\x01\xf5\x00\x00\x02\xb4\xac\x43\x05\x01\
        \xe9\x3c\x7f\x00\x00\x00\x00\x00\x01\x23\x45\x67\x89\xab\xcd\xef\
        \xe9\x3c\x7f\x10\x80\x00\x00\x00\xe9\x3c\x7f\x10\x81\x06\x24\xde";
    let packet = Packet::parse(bytes).unwrap();
    assert_eq!((packet.leap, packet.version, packet.mode), (Leap::None, 4, Mode::Server));
    assert_eq!((packet.poll, packet.precision), (3, -24));
    assert_eq!((packet.root_delay, packet.root_dispersion), (0x1f5, 0x2b4));
    assert_eq!(packet.reference_id, [172, 67, 5, 1]);
    assert_eq!(&packet.to_bytes(), bytes);
    let sample = asked().handle_datagram(at(24), server(), bytes).unwrap();
    assert_eq!(sample.unix_millis, (1_704_067_216_504) + 10);
    assert_eq!((sample.stratum, sample.root_delay), (2, 0x1f5));
}

#[test]
fn what_is_not_plausible_is_refused() {
    assert!(judged(|_| {}).is_ok());
    assert!(judged(|p| p.version = 3).is_ok());
    assert_eq!(judged(|p| p.version = 0), Err(Refusal::Kind));
    assert_eq!(judged(|p| p.version = 5), Err(Refusal::Kind));
    for mode in [Mode::Client, Mode::Broadcast, Mode::SymmetricPassive, Mode::Control] {
        assert_eq!(judged(|p| p.mode = mode), Err(Refusal::Kind));
    }
    assert_eq!(judged(|p| p.origin = Timestamp::from_bits(RANDOM ^ 1)), Err(Refusal::Origin));
    assert_eq!(judged(|p| p.origin = Timestamp::NONE), Err(Refusal::Origin));
    assert_eq!(judged(|p| p.leap = Leap::Unknown), Err(Refusal::Unsynchronised));
    assert!(judged(|p| p.leap = Leap::Longer).is_ok());
    assert_eq!(judged(|p| p.stratum = 16), Err(Refusal::Unsynchronised));
    assert!(judged(|p| p.stratum = 15).is_ok());
    assert_eq!(judged(|p| p.transmit = Timestamp::NONE), Err(Refusal::NoTime));
    assert_eq!(judged(|p| p.receive = Timestamp::NONE), Err(Refusal::NoTime));
    let earlier = Timestamp::from_unix_millis(NOON - 1);
    assert_eq!(judged(|p| p.transmit = earlier), Err(Refusal::NoTime), "sent before it came");
    let later = Timestamp::from_unix_millis(NOON + 1_000);
    assert_eq!(judged(|p| p.transmit = later), Err(Refusal::RoundTrip));
    assert_eq!(judged(|p| p.reference = later), Err(Refusal::RootDistance), "set in its future");
    assert!(judged(|p| p.reference = earlier).is_ok());
    assert_eq!(judged(|p| p.root_dispersion = 16 << 16), Err(Refusal::RootDistance));
    assert_eq!(judged(|p| p.root_delay = 32 << 16), Err(Refusal::RootDistance));
    let huge = |p: &mut Packet| (p.root_delay, p.root_dispersion) = (u32::MAX, u32::MAX);
    assert_eq!(judged(huge), Err(Refusal::RootDistance));
    let near = |p: &mut Packet| (p.root_delay, p.root_dispersion) = (16 << 16, (8 << 16) - 1);
    assert!(judged(near).is_ok());
    // A kiss code before all else, though its clock is not synchronised.
    let kiss = |p: &mut Packet| {
        (p.stratum, p.leap, p.reference_id) = (0, Leap::Unknown, *b"INIT");
    };
    assert_eq!(judged(kiss), Err(Refusal::Kiss(*b"INIT")));
}

#[test]
fn what_strangers_send_changes_nothing() {
    let mut client = asked();
    let good = answer(NOON).to_bytes();
    let other_port = "192.0.2.1:124".parse().unwrap();
    let other_host = "192.0.2.2:123".parse().unwrap();
    for from in [other_port, other_host] {
        assert_eq!(client.handle_datagram(at(5), from, &good), Err(Refusal::Address));
    }
    assert_eq!(client.handle_datagram(at(5), server(), &good[..47]), Err(Refusal::Length));
    assert_eq!(client.handle_datagram(at(5), server(), b""), Err(Refusal::Length));
    // A kiss code by somebody who has not seen the request.
    let mut forged = answer(NOON);
    (forged.stratum, forged.reference_id) = (0, *b"DENY");
    forged.origin = Timestamp::from_bits(RANDOM + 1);
    let forged = forged.to_bytes();
    assert_eq!(client.handle_datagram(at(5), server(), &forged), Err(Refusal::Origin));
    assert_eq!(client.stats().refused, 5);
    assert!(client.is_waiting() && !client.is_denied());
    let mapped = "[::ffff:192.0.2.1]:123".parse().unwrap();
    assert!(client.handle_datagram(at(10), mapped, &good).is_ok());
    // Once is enough.
    assert_eq!(client.handle_datagram(at(11), server(), &good), Err(Refusal::NotAsked));
    assert_eq!((client.stats().answered, client.stats().asked), (1, 1));
}

#[test]
fn dates_run_past_the_end_of_the_era_and_of_31_bits() {
    // 2036-02-07 06:28:16, 2038-01-19 03:14:08, 2099-12-31, 2159.
    for second in [2_085_978_496, 2_147_483_648, 4_102_358_400, 5_990_000_000] {
        for ms in [second * 1000 - 10, second * 1000, second * 1000 + 10] {
            let packet = answer(ms).to_bytes();
            let sample = asked().handle_datagram(at(0), server(), &packet);
            assert_eq!(sample.map(|sample| sample.unix_millis), Ok(ms));
        }
    }
    assert!(!Timestamp::from_unix_millis(2_085_978_496_000).is_none());
}

/// Lets a client ask whom nobody answers; returns when it asked.
fn asks(client: &mut Client, end: u64) -> Vec<u64> {
    let (mut times, mut now) = (Vec::new(), 0);
    while now <= end {
        client.handle_timeout(at(now));
        if client.poll_transmit(at(now), server(), RANDOM + now).is_some() {
            times.push(now);
        }
        now = client.poll_at().unwrap().as_millis();
    }
    times
}

#[test]
fn without_an_answer_it_asks_again_and_then_ever_more_seldom() {
    let mut client = Client::new();
    client.start(at(0));
    let times = asks(&mut client, 4_000_000);
    assert_eq!(times[..6], [0, 1_000, 3_000, 7_000, 30_000, 31_000]);
    let rounds: Vec<_> = times.chunks(TRIES.into()).map(|round| round[0] / 1000).collect();
    assert_eq!(rounds[..8], [0, 30, 75, 150, 285, 540, 1_035, 2_010]);
    assert_eq!(rounds[8] - rounds[7], MAX_BACKOFF.as_secs() + 15, "no longer than that");
    assert_eq!(u64::from(client.stats().timeouts), times.len() as u64);
    // A name that is not found is no different.
    let mut client = Client::new();
    client.start(at(0));
    client.fail(at(0));
    client.fail(at(0));
    assert_eq!(client.poll_at(), Some(at(30_000)));
}

#[test]
fn each_try_has_another_random_number_and_the_last_one_counts() {
    let mut client = asked();
    assert_eq!(client.handle_timeout(at(999)), None);
    assert_eq!(client.handle_timeout(at(1_000)), Some(Timeout::Again));
    let late = answer(NOON).to_bytes();
    assert_eq!(client.handle_datagram(at(1_000), server(), &late), Err(Refusal::NotAsked));
    assert!(client.poll_transmit(at(1_000), server(), 77).is_some());
    assert_eq!(client.handle_datagram(at(1_001), server(), &late), Err(Refusal::Origin));
    let mut packet = answer(NOON);
    packet.origin = Timestamp::from_bits(77);
    assert!(client.handle_datagram(at(1_002), server(), &packet.to_bytes()).is_ok());
}

#[test]
fn intervals_are_kept_to_and_none_is_shorter_than_permitted() {
    let mut client = asked();
    client.set_interval(Duration::from_secs(600));
    client.handle_datagram(at(100), server(), &answer(NOON).to_bytes()).unwrap();
    assert_eq!(client.poll_at(), Some(at(600_100)));
    let mut client = asked();
    client.set_interval(Duration::from_secs(1));
    client.handle_datagram(at(0), server(), &answer(NOON).to_bytes()).unwrap();
    assert_eq!(client.poll_at(), Some(at(MIN_INTERVAL.as_millis())));
    client.stop();
    assert_eq!(client.poll_at(), None);
}

fn kissed(code: &[u8; 4]) -> Client {
    let mut client = asked();
    let mut packet = answer(NOON);
    (packet.stratum, packet.reference_id) = (0, *code);
    let said = client.handle_datagram(at(100), server(), &packet.to_bytes());
    assert_eq!(said, Err(Refusal::Kiss(*code)));
    client
}

#[test]
fn kiss_codes_are_obeyed() {
    for code in [b"DENY", b"RSTR"] {
        let mut client = kissed(code);
        assert!(client.is_denied());
        assert_eq!(client.poll_at(), None, "never again");
        client.start(at(500));
        assert_eq!(client.poll_at(), Some(at(500)), "until the owner says so");
    }
    let mut client = kissed(b"RATE");
    assert_eq!(client.poll_at(), Some(at(100 + 600_000)), "half as often");
    // And so after the next answer.
    client.handle_timeout(at(700_000));
    client.poll_transmit(at(700_000), server(), RANDOM);
    client.handle_datagram(at(700_000), server(), &answer(NOON).to_bytes()).unwrap();
    assert_eq!(client.poll_at(), Some(at(700_000 + 600_000)));
    assert_eq!(kissed(b"STEP").poll_at(), Some(at(100 + 15_000)), "as any failure");
    assert_eq!(Refusal::Kiss(*b"R\n\xffE").to_string(), "refused with R??E");
}

proptest! {
    #[test]
    fn milliseconds_survive(millis in 1_704_067_200_000_u64..5_999_000_000_000) {
        prop_assert_eq!(Timestamp::from_unix_millis(millis).to_unix_millis(), millis);
    }

    #[test]
    fn spans_are_differences(base in 1_704_067_200_000_u64..3_000_000_000_000, by in -2_000_000_000_000_i64..2_000_000_000_000) {
        let other = base.saturating_add_signed(by);
        let span = Timestamp::from_unix_millis(other).millis_since(Timestamp::from_unix_millis(base));
        // Each was rounded up to a fraction.
        prop_assert!((span - (other as i64 - base as i64)).abs() <= 1, "{}", span);
    }

    #[test]
    fn any_bytes_are_a_packet_and_the_same_bytes(bytes in proptest::array::uniform::<_, LEN>(any::<u8>())) {
        prop_assert_eq!(Packet::parse(&bytes).unwrap().to_bytes(), bytes);
    }

    /// However long the ways are: the time is right to half the round trip.
    #[test]
    fn the_time_is_right_to_half_the_round_trip(there in 0_u64..400, serving in 0_u64..100, back in 0_u64..400) {
        let mut packet = answer(NOON + there);
        packet.transmit = Timestamp::from_unix_millis(NOON + there + serving);
        let now = there + serving + back;
        let sample = asked().handle_datagram(at(now), server(), &packet.to_bytes()).unwrap();
        prop_assert!(sample.round_trip.as_millis().abs_diff(there + back) <= 1);
        let wrong = sample.unix_millis.abs_diff(NOON + now);
        prop_assert!(wrong <= sample.round_trip.as_millis().div_ceil(2) + 1, "{}", wrong);
    }

    /// Whatever a stranger sends, without having seen the request.
    #[test]
    fn nobody_sets_the_time_who_has_not_seen_the_request(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut client = asked();
        prop_assert!(client.handle_datagram(at(10), server(), &bytes).is_err());
        prop_assert!(client.is_waiting());
    }
}

#[test]
fn a_request_that_is_taken_back_was_never_sent() {
    let mut client = asked();
    client.take_back();
    assert!(client.wants_to_ask() && !client.is_waiting());
    let late = client.handle_datagram(at(100), server(), &answer(NOON).to_bytes());
    assert_eq!(late, Err(Refusal::NotAsked), "its socket is gone");
    // All tries of a round are left.
    let mut now = at(1_000);
    for attempt in 1..=TRIES {
        assert!(client.poll_transmit(now, server(), RANDOM + u64::from(attempt)).is_some());
        now = client.poll_at().unwrap();
        let last = attempt == TRIES;
        let expected = if last { Timeout::GaveUp } else { Timeout::Again };
        assert_eq!(client.handle_timeout(now), Some(expected));
    }
    // While nothing is asked there is nothing to take back.
    client.take_back();
    assert!(!client.wants_to_ask());
}

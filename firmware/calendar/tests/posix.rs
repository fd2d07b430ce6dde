//! What is read as a time zone, and what is refused.

use proptest::prelude::*;
use umqtt_calendar::{Change, ChangeDay, Summer, Zone, ZoneError};

#[test]
fn strings_of_every_form() {
    let month = |month, week, weekday| ChangeDay::Month { month, week, weekday };
    let berlin = Summer {
        offset: 7200,
        start: Change { day: month(3, 5, 6), second: 7200 },
        end: Change { day: month(10, 5, 6), second: 10_800 },
    };
    let summer = |standard, summer| Ok(Zone { standard, summer: Some(summer) });
    assert_eq!(Zone::parse(b"CET-1CEST,M3.5.0,M10.5.0/3"), summer(3600, berlin));
    let days = Summer {
        offset: -9000,
        start: Change { day: ChangeDay::Julian(60), second: 7200 },
        end: Change { day: ChangeDay::Ordinal(299), second: -(3600 + 1800 + 5) },
    };
    assert_eq!(Zone::parse(b"<-03>3<-02>2:30,J60,299/-1:30:05"), summer(-10_800, days));
    for (text, seconds) in [
        ("UTC0", 0),
        ("<+03>-3", 10_800),
        ("IST-5:30", 19_800),
        ("1", 3600),
        ("0", 0),
        ("5.5", 19_800),
        ("-3:30", -12_600),
        ("+14", 50_400),
        ("-0.5", -1800),
        ("5.75", 20_700),
        ("5.3333", 19_200),
        ("-12", -43_200),
        ("08", 28_800),
    ] {
        assert_eq!(Zone::parse(text.as_bytes()), Ok(Zone::fixed(seconds)), "{text}");
    }
}

#[test]
fn what_is_no_zone_is_refused_with_what_is_wrong() {
    use ZoneError::{Abbreviation, Day, Length, Name, NoRules, Offset, Rest, Time};
    for (text, error) in [
        ("", Length),
        ("Europe/Berlin", Name),
        ("America/North_Dakota/Center", Name),
        ("Etc/GMT+1", Name),
        ("CE-1", Abbreviation),
        ("<+03-3", Abbreviation),
        ("CET", Offset),
        ("CET25", Offset),
        ("CET1:60", Offset),
        ("25", Offset),
        ("5.", Offset),
        ("-", Offset),
        ("CET-1CEST", NoRules),
        ("CET-1CEST,M3.5.0", NoRules),
        ("CET-1CEST,M13.5.0,M10.5.0", Day),
        ("CET-1CEST,M3.6.0,M10.5.0", Day),
        ("CET-1CEST,M3.5.7,M10.5.0", Day),
        ("CET-1CEST,M3.5,M10.5.0", Day),
        ("CET-1CEST,J0,J1", Day),
        ("CET-1CEST,366,1", Day),
        ("CET-1CEST,M3.5.0/168,M10.5.0", Time),
        ("CET-1CEST,M3.5.0/,M10.5.0", Time),
        ("CET-1CEST,M3.5.0,M10.5.0/3 ", Rest),
        ("3:30.5", Rest),
        ("5.5.5", Rest),
        ("1 ", Rest),
    ] {
        assert_eq!(Zone::parse(text.as_bytes()), Err(error), "{text}");
    }
    assert_eq!(Zone::parse(&[b'A'; 64]), Err(Length));
}

/// A string of the grammar, and the zone it means.
fn zones() -> impl Strategy<Value = (String, i32)> {
    let name = prop_oneof!["[A-Za-z]{3,6}", "<[A-Za-z0-9+-]{3,6}>"];
    let day = prop_oneof![
        (1..13, 1..6, 0..7).prop_map(|(month, week, day)| format!("M{month}.{week}.{day}")),
        (1..366).prop_map(|day| format!("J{day}")),
        (0..366).prop_map(|day| format!("{day}")),
    ];
    let change = (day, proptest::option::of(-167..168)).prop_map(|(day, hour)| match hour {
        Some(hour) => format!(",{day}/{hour}"),
        None => format!(",{day}"),
    });
    let summer = proptest::option::of((name.clone(), change.clone(), change));
    (name, -24..25_i32, 0..60_i32, summer).prop_map(|(name, hours, minutes, summer)| {
        let mut text = format!("{name}{hours}:{minutes:02}");
        if let Some((name, start, end)) = summer {
            text += &format!("{name}{start}{end}");
        }
        let west = hours * 3600 + if hours < 0 { -minutes * 60 } else { minutes * 60 };
        (text, -west)
    })
}

proptest! {
    #[test]
    fn what_the_grammar_makes_is_read((text, standard) in zones()) {
        let zone = Zone::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(zone.standard, standard);
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_any_time_has_an_offset(
        text in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(&b"CESTMJ<>+-,./:0123456789"[..]),
                any::<u8>(),
            ], 0..70),
        utc: i64,
    ) {
        if let Ok(zone) = Zone::parse(&text) {
            let period = zone.period_at(utc);
            prop_assert!(period.from <= utc && utc <= period.until);
            zone.to_utc(utc);
            zone.to_local(utc);
        }
    }

    #[test]
    fn the_offset_changes_only_at_the_end_of_a_period((text, _) in zones(), utc in 0_i64..1 << 32) {
        let zone = Zone::parse(text.as_bytes()).unwrap();
        let period = zone.period_at(utc);
        for at in [period.from.max(utc - 86_400), utc, period.until.min(utc + 86_400) - 1] {
            prop_assert_eq!(zone.offset_at(at), period.offset, "{} at {}", text, at);
        }
    }
}

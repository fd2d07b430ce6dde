use super::{is_time, milliseconds, time};

#[test]
fn durations() {
    for (text, expected) in [
        ("10s", Some(10_000)),
        ("1.5min", Some(90_000)),
        ("2 h", Some(7_200_000)),
        ("250ms", Some(250)),
        ("600h", None),
        ("1.25s", None),
        ("10x", None),
        (".s", None),
    ] {
        assert_eq!(milliseconds(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn times() {
    for right in ["07", "07:00", "23:59:59", "00"] {
        assert!(is_time(right.as_bytes()), "{right}");
    }
    for wrong in ["7", "7:00", "24", "07:60", "07:00:00:00", "07:0", "", "noon", "07:00 "] {
        assert!(!is_time(wrong.as_bytes()), "{wrong}");
    }
    assert_eq!(time(b"7:5").as_deref(), Some("07:05"));
    assert_eq!(time(b"19.30").as_deref(), Some("19:30"));
    for (text, expected) in [
        ("7am", Some("07")),
        ("7:30 PM", Some("19:30")),
        ("12am", Some("00")),
        ("12:15pm", Some("12:15")),
        ("13pm", None),
        ("am", None),
    ] {
        assert_eq!(time(text.as_bytes()).as_deref(), expected, "{text}");
    }
    assert_eq!(time(b"25:00"), None);
    assert_eq!(time(b"Noon").as_deref(), Some("12:00"));
}

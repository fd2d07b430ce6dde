//! What `ntp_server` says: a host, and maybe a port.

use core::net::IpAddr;

use umqtt_ntp::PORT;

/// Whether it can be a server: no URL, and what stands behind the colon is a port.
pub(crate) fn is_server(text: &[u8]) -> bool {
    let Ok(server) = core::str::from_utf8(text) else { return false };
    let (host, _) = split(server);
    // Of `host:port` the port, unless there is none.
    let port = server[host.len()..].strip_prefix(':').unwrap_or("123");
    !server.contains('/') && port.parse::<u16>().is_ok_and(|port| port != 0)
}

/// `host`, `host:port` or `[address]:port`; the port of NTP if there is none.
pub(crate) fn split(server: &str) -> (&str, u16) {
    let one_colon = server.bytes().filter(|byte| *byte == b':').count() == 1;
    match server.rsplit_once(':') {
        Some((host, port)) if one_colon || host.ends_with(']') => {
            (host, port.parse().unwrap_or(PORT))
        }
        _ => (server, PORT),
    }
}

/// An address as it stands.
pub(crate) fn literal(host: &str) -> Result<IpAddr, core::net::AddrParseError> {
    host.trim_start_matches('[').trim_end_matches(']').parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_server_is_told_from_what_can() {
        for text in
            ["", "none", "pool.example", "pool.example:123", "10.0.0.1:1123", "::1", "[::1]:5"]
        {
            assert!(is_server(text.as_bytes()), "{text}");
        }
        for text in [
            "pool.example:abc",
            "pool.example:",
            "10.0.0.1:0",
            "a:70000",
            "ntp://pool.example",
            "[::1]:x",
        ] {
            assert!(!is_server(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_server_may_have_a_port() {
        for (text, host, port) in [
            ("pool.example", "pool.example", 123),
            ("pool.example:1123", "pool.example", 1123),
            ("10.0.0.1", "10.0.0.1", 123),
            ("10.0.0.1:5", "10.0.0.1", 5),
            ("fe80::1", "fe80::1", 123),
            ("[fe80::1]:5", "[fe80::1]", 5),
            ("[::1]", "[::1]", 123),
            ("a:b", "a", 123),
        ] {
            assert_eq!(split(text), (host, port), "{text}");
        }
        assert_eq!(literal("[::1]"), "::1".parse());
    }
}

//! Any bytes as a URL, and as the place a web server sends the device on to.

use umqtt_device::http::Url;
use umqtt_url::{UrlParts, check_beginning, check_characters};

/// Runs the target: the first line is a URL, the rest where it leads.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (text, rest) = input.split_at(end);
    let location = rest.get(1..).unwrap_or_default();
    let parts = UrlParts::parse(text);
    let url = Url::parse(text);
    if let Ok(parts) = parts {
        assert!(check_characters(text).is_ok());
        for end in 0..=text.len() {
            assert!(check_beginning(&text[..end]).is_ok(), "no beginning of a URL is wrong");
        }
        assert!(!parts.host.is_empty() && parts.host.is_ascii());
    } else {
        assert!(url.is_err(), "what has no parts is no URL");
    }
    let Ok(url) = url else { return };
    sound(&url);
    if let Ok(next) = url.join(location) {
        sound(&next);
    }
}

/// Nothing of it ends the line of a request.
fn sound(url: &Url) {
    let clean = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(clean(&url.host) && clean(&url.path) && url.path.starts_with('/'), "{url:?}");
}

//! A small HTTP/1.1 client without sockets: fetches scripts for the console and pages for scripts.
//!
//! Plain HTTP only; one request per connection; no cookies, no compression (none is asked for).
//!
//! What scripts see of it is in `docs/http.md`.
//!
//! | module | job |
//! |---|---|
//! | [`url`] | addresses of pages, and where a redirect leads |
//! | [`response`] | what came back, or why it is no response |
//! | [`reader`] | bytes to a response, in any chunking |
//! | `field` | values of header fields |
//! | [`foreign_protocol`] | what a browser sends to ports that are not for browsers |
//! | [`fetch`] | a request from its connection to its response, with redirects and timeouts |

pub mod fetch;
mod field;
pub mod foreign_protocol;
pub mod reader;
pub mod response;
pub mod url;

pub use fetch::{Fetch, FetchError, HttpRequest};
pub use response::{Overflow, ReadError, Response};
pub use url::{Url, UrlError};

#[cfg(test)]
mod tests {
    /// A number as it is written in the documentation.
    fn written(number: u64) -> alloc::string::String {
        match number {
            0..1000 => alloc::format!("{number}"),
            _ => alloc::format!("{},{:03}", number / 1000, number % 1000),
        }
    }

    #[test]
    fn the_documentation_names_the_limits_there_are() {
        let text = include_str!("../../docs/http.md");
        let said = |before: &str, number: u64, after: &str| {
            let wanted = alloc::format!("{before}{}{after}", written(number));
            assert!(text.contains(&wanted), "{wanted}");
        };
        said("up to ", super::url::MAX_URL as u64, " bytes");
        said("may have ", super::reader::MAX_HEAD as u64, " bytes");
        said(" and ", super::reader::MAX_HEADERS as u64, " fields");
        said("Up to ", super::fetch::MAX_REDIRECTS.into(), " redirects");
        said("* ", super::fetch::IDLE_TIMEOUT.as_secs(), " seconds without progress");
        said(", or ", super::fetch::TOTAL_TIMEOUT.as_secs(), " seconds in all");
    }
}

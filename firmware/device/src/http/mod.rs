//! A small HTTP/1.1 client without sockets: fetches scripts for the console and pages for scripts.
//!
//! Plain HTTP only; one request per connection; no cookies, no compression (none is asked for).
//!
//! | module | job |
//! |---|---|
//! | [`url`] | addresses of pages, and where a redirect leads |
//! | [`response`] | bytes to a response, in any chunking |
//! | [`fetch`] | a request from its connection to its response, with redirects and timeouts |

pub mod fetch;
pub mod response;
pub mod url;

pub use fetch::{Fetch, FetchError, Request};
pub use response::{Overflow, ReadError, Response};
pub use url::{Url, UrlError};

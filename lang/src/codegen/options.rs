//! What an image carries besides its code, and what is written otherwise in it.

use alloc::vec::Vec;

/// What an image carries besides its code: nothing, unless it is asked for.
///
/// ```
/// use umqtt_lang::{EmitOptions, compile, umqtt_vm::Profile};
///
/// let options = EmitOptions::new().debug(true);
/// let image = compile(b"on init do println 1", &Profile::ESP8266, options);
/// assert!(image.is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmitOptions {
    /// Variable names and line numbers.
    pub debug: bool,
    /// The source.
    pub source: bool,
}

/// What the value of a `config` line is compiled to, by the parameter's name and the value that is
/// written; `None`: that value.
pub type ConfigValues<'v> = dyn Fn(&[u8], &[u8]) -> Option<Vec<u8>> + 'v;

impl EmitOptions {
    /// Code only.
    pub const fn new() -> EmitOptions {
        EmitOptions { debug: false, source: false }
    }

    /// The same with or without variable names and line numbers.
    #[must_use]
    pub const fn debug(mut self, debug: bool) -> EmitOptions {
        self.debug = debug;
        self
    }

    /// The same with or without the source.
    #[must_use]
    pub const fn source(mut self, source: bool) -> EmitOptions {
        self.source = source;
        self
    }
}

//! Standard output and standard error. A reader that goes away (`umqttc ... | head`) is no error
//! and no panic: what it would have read is dropped, and the exit code stays what it would have
//! been.

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal, Write};

use clap::ValueEnum;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Both streams.
pub(crate) struct Terminal {
    /// Standard output, buffered: the result of a command.
    pub(crate) out: Stream<BufWriter<io::Stdout>>,
    /// Standard error: diagnostics and progress.
    pub(crate) err: Stream<io::Stderr>,
}

impl Terminal {
    /// The streams of this process.
    pub(crate) fn new(color: ColorChoice) -> Terminal {
        let (out, err) = (io::stdout(), io::stderr());
        Terminal {
            out: Stream {
                color: colored(color, out.is_terminal()),
                writer: BufWriter::new(out),
                gone: false,
            },
            err: Stream { color: colored(color, err.is_terminal()), writer: err, gone: false },
        }
    }

    /// Where diagnostics go when they are what was asked for, and whether to colour them: standard
    /// output, unless that carries something else.
    pub(crate) fn diagnostics_stream(&mut self, out_is_taken: bool) -> (&mut dyn Write, bool) {
        match out_is_taken {
            true => {
                let color = self.err.color;
                (&mut self.err, color)
            }
            false => {
                let color = self.out.color;
                (&mut self.out, color)
            }
        }
    }

    /// Writes on standard error why something could not be done. If that fails, nothing is left to
    /// report it to.
    pub(crate) fn report_error(&mut self, failure: &dyn std::error::Error) {
        // Output written before belongs above it.
        let _ = self.out.flush();
        let text = crate::render::printable(failure.to_string().as_bytes());
        let _ = writeln!(self.err, "umqttc: {text}");
    }
}

/// A stream that stays writable when its reader has gone.
pub(crate) struct Stream<W> {
    writer: W,
    color: bool,
    gone: bool,
}

impl<W> Stream<W> {
    /// Whether to colour what is written.
    pub(crate) fn color(&self) -> bool {
        self.color
    }

    fn swallow<T>(&mut self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(instead)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let result = self.writer.write(bytes);
        self.swallow(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let result = self.writer.flush();
        self.swallow(result, ())
    }
}

fn colored(choice: ColorChoice, terminal: bool) -> bool {
    decide(choice, terminal, &|name| std::env::var_os(name))
}

/// `NO_COLOR` counts when it is set and not empty (no-color.org).
fn decide(
    choice: ColorChoice,
    terminal: bool,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            terminal
                && variable("NO_COLOR").is_none_or(|value| value.is_empty())
                && variable("TERM").is_none_or(|value| value != "dumb")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let mut stream = Stream { writer: Closed, color: false, gone: false };
        stream.write_all(b"text").unwrap();
        stream.flush().unwrap();
        assert!(stream.gone);
    }

    #[test]
    fn the_choice_outranks_the_environment_and_that_the_terminal() {
        use ColorChoice::{Always, Auto, Never};
        let plain = |_: &str| None;
        let set = |wanted: &'static str, value: &'static str| {
            move |name: &str| (name == wanted).then(|| OsString::from(value))
        };
        assert!(decide(Auto, true, &plain));
        assert!(!decide(Auto, false, &plain));
        assert!(!decide(Auto, true, &set("NO_COLOR", "1")));
        assert!(decide(Auto, true, &set("NO_COLOR", "")));
        assert!(!decide(Auto, true, &set("TERM", "dumb")));
        assert!(decide(Always, false, &set("NO_COLOR", "1")));
        assert!(!decide(Never, true, &plain));
    }
}

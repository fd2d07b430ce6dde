//! Reads a test file: the lines of the file itself; those of a test are in [`super::steps`].

use umqtt_lang::ast::Span;

use super::cursor::Cursor;
use super::file::{Each, Link, Test, TestFile, Use};
use super::problem::{Problem, nearest};
use super::scope::Scope;
use super::steps::{self, STEPS};
use super::token::{Token, lines};

/// Most problems of one file that are told.
const MAX_PROBLEMS: usize = 20;
/// How the file of a script ends: no other is read, for a failure shows lines of it.
const SCRIPT: &str = ".script";
/// Most devices of one file.
const MAX_DEVICES: usize = 16;

/// The words that begin a line of the file itself.
const FILE_WORDS: [&str; 4] = ["use", "link", "each", "test"];

/// The words that may begin a line, for the grammars of editors.
#[cfg(test)]
pub(crate) fn first_words() -> impl Iterator<Item = &'static str> {
    FILE_WORDS.into_iter().chain(STEPS.iter().map(|step| step.word))
}

/// Reads a test file; with problems it does not run.
pub(crate) fn parse(source: &[u8]) -> (TestFile, Vec<Problem>) {
    let mut problems = Vec::new();
    let lines = lines(source, &mut problems);
    let mut parser = Parser { file: TestFile::default(), each: None };
    if let Some(problem) = lines.first().and_then(|line| script(&Cursor::new(line))) {
        return (parser.file, vec![problem]);
    }
    for line in &lines {
        if problems.len() > MAX_PROBLEMS {
            break;
        }
        if let Err(problem) = parser.line(line) {
            problems.push(problem);
        }
    }
    parser.end(&mut problems);
    problems.sort_by_key(|problem| problem.span);
    if problems.len() > MAX_PROBLEMS {
        problems.truncate(MAX_PROBLEMS);
        if let Some(last) = problems.last_mut() {
            last.notes.push("what is wrong behind this is not shown".to_owned());
        }
    }
    (parser.file, problems)
}

/// A script in the place of a test file.
fn script(first: &Cursor<'_, '_>) -> Option<Problem> {
    const WORDS: [&str; 4] = ["on", "config", "const", "sub"];
    first.peek_word().filter(|word| WORDS.contains(word))?;
    let problem = Problem::new(first.span(), "this is a script, not a test of one");
    Some(problem.help("`umqttc check` looks at scripts; a test begins with `use FILE.script`"))
}

struct Parser {
    file: TestFile,
    /// An `each` that waits for its test.
    each: Option<(Span, Each)>,
}

impl Parser {
    fn line(&mut self, line: &[Token<'_>]) -> Result<(), Problem> {
        let mut cursor = Cursor::new(line);
        match cursor.peek_word() {
            Some("use") => self.uses(&mut cursor),
            Some("link") => self.link(&mut cursor),
            Some("each") => self.each(&mut cursor),
            Some("test") => self.test(&mut cursor),
            _ => self.step(&mut cursor),
        }
    }

    /// `use FILE [as NAME]`
    fn uses(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Problem> {
        let span = cursor.span();
        cursor.skip();
        if !self.file.tests.is_empty() {
            return Err(Problem::new(span, "`use` stands before the first test"));
        }
        if self.file.devices.len() == MAX_DEVICES {
            return Err(Problem::new(span, format!("more than {MAX_DEVICES} devices")));
        }
        let at = cursor.span();
        let path = cursor.string("the script's file", "use relay.script")?;
        if !path.ends_with(SCRIPT) {
            let problem = Problem::new(at, format!("a script's file ends in `{SCRIPT}`"));
            return Err(
                problem.help(format!("`use {path}{SCRIPT}`, with the path as seen from here"))
            );
        }
        let mut name = None;
        if cursor.take_word("as") {
            let at = cursor.span();
            let word = cursor.word("a name for the device", "use relay.script as kitchen")?;
            if self.device(word).is_some() {
                return Err(Problem::new(at, format!("there is a device `{word}` already")));
            }
            name = Some(word.to_owned());
        }
        cursor.end()?;
        self.file.devices.push(Use { span, path, name });
        Ok(())
    }

    /// `link CLIENT remote BROKER`
    fn link(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Problem> {
        const FORM: &str = "link kitchen remote hall";
        let span = cursor.span();
        cursor.skip();
        let client = self.named(cursor, FORM)?;
        cursor.expect_word("remote", FORM)?;
        let broker = self.named(cursor, FORM)?;
        cursor.end()?;
        if client == broker {
            return Err(Problem::new(span, "a device cannot be its own remote broker"));
        }
        if self.file.links.iter().any(|link| link.client == client) {
            return Err(Problem::new(span, "this device has a remote broker already"));
        }
        self.file.links.push(Link { client, broker });
        Ok(())
    }

    /// `each VAR in VALUE...`
    fn each(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Problem> {
        const FORM: &str = "each n in 1 2 3";
        let span = cursor.span();
        cursor.skip();
        let variable = cursor.word("a name", FORM)?;
        let variable = variable.trim_start_matches('$').to_owned();
        if variable == "any" {
            let problem = Problem::new(span, "`$any` stands for any value in tests already");
            return Err(problem.help(format!("another name, as in `{FORM}`")));
        }
        cursor.expect_word("in", FORM)?;
        let mut values = vec![cursor.value("a value", FORM)?];
        while !cursor.is_at_end() {
            values.push(cursor.value("a value", FORM)?);
        }
        if let Some((before, _)) = self.each.replace((span, Each { variable, values })) {
            return Err(Problem::new(before, "no test follows this `each`"));
        }
        Ok(())
    }

    /// `test "NAME"`
    fn test(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Problem> {
        let span = cursor.span();
        cursor.skip();
        let at = cursor.span();
        let name = cursor.string("the test's name", "test \"the button toggles the relay\"");
        let name = name.and_then(|name| match cursor.is_at_end() {
            true => Ok(name),
            false => Err(Problem::new(cursor.line_span(), "the test's name ends before this")
                .help("a name of several words stands in quotes: `test \"it works\"`")),
        });
        // The steps that follow belong to it, whatever is wrong with its name.
        let (name, failed) = match name {
            Ok(name) => (name, None),
            Err(problem) => (String::new(), Some(problem)),
        };
        let taken = self.file.tests.iter().any(|test| test.name == name);
        let each = self.each.take().map(|(_, each)| each);
        self.file.tests.push(Test { span, name, each, steps: Vec::new() });
        match failed {
            Some(problem) => Err(problem),
            None if taken => Err(Problem::new(at, "there is a test of this name already")),
            None => Ok(()),
        }
    }

    /// A line of a test, with the device it is for where there are several.
    fn step(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Problem> {
        let span = cursor.line_span();
        let TestFile { devices, tests, .. } = &mut self.file;
        let at = cursor.span();
        let Some(test) = tests.last_mut() else {
            let word = cursor.shown();
            let known = nearest(&word, FILE_WORDS);
            return Err(match known {
                Some(known) => Problem::new(at, format!("`{word}` is nothing I know")).help(known),
                None => Problem::new(at, "this stands before the first test")
                    .help("a test begins with `test \"its name\"`"),
            });
        };
        let device = match cursor.peek_word().and_then(|word| word.strip_suffix(':')) {
            Some(name) => {
                let found = devices.iter().position(|device| device.name.as_deref() == Some(name));
                cursor.skip();
                found.ok_or_else(|| unknown_device(at, name, devices))?
            }
            None if devices.len() > 1 => {
                return Err(no_device(cursor, devices));
            }
            None => 0,
        };
        let scope = Scope { each: test.each.as_ref().map(|each| each.variable.as_str()) };
        let kind = steps::step(cursor, scope).map_err(|problem| {
            // A line of the file with a typing error, rather than one of the test.
            match cursor.is_untouched().then(|| nearest(&cursor.shown(), FILE_WORDS)).flatten() {
                Some(known) if problem.notes.is_empty() => problem.help(known),
                _ => problem,
            }
        })?;
        cursor.end()?;
        test.steps.push(super::file::Step { span, device, kind });
        Ok(())
    }

    fn device(&self, name: &str) -> Option<usize> {
        self.file.devices.iter().position(|device| device.name.as_deref() == Some(name))
    }

    fn named(&self, cursor: &mut Cursor<'_, '_>, form: &str) -> Result<usize, Problem> {
        let at = cursor.span();
        let name = cursor.word("the name of a device", form)?;
        self.device(name).ok_or_else(|| unknown_device(at, name, &self.file.devices))
    }

    fn end(&mut self, problems: &mut Vec<Problem>) {
        if let Some((span, _)) = self.each.take() {
            problems.push(Problem::new(span, "no test follows this `each`"));
        }
        let file = &self.file;
        let start = Span::new(0, 0);
        if file.devices.is_empty() && problems.is_empty() {
            let problem = Problem::new(start, "no script is named");
            problems.push(problem.help("the file begins with `use relay.script`"));
        }
        if file.devices.len() > 1 {
            for device in file.devices.iter().filter(|device| device.name.is_none()) {
                let problem = Problem::new(device.span, "with several devices each needs a name");
                problems.push(problem.help(format!("`use {} as kitchen`", device.path)));
            }
        }
        if file.tests.is_empty() && problems.is_empty() {
            let problem = Problem::new(start, "there is no test in this file");
            problems.push(problem.help(format!(
                "a test is a line `test \"its name\"`, then steps: {}",
                STEPS.map(|step| step.word).join(", ")
            )));
        }
        // With lines that mean nothing the order of the others says little.
        if !problems.is_empty() {
            return;
        }
        for test in &file.tests {
            problems.extend(steps::order(test, file.devices.len()));
        }
    }
}

/// A step without a device where there are several.
fn no_device(cursor: &Cursor<'_, '_>, devices: &[Use]) -> Problem {
    let problem = Problem::new(cursor.span(), "for which of the devices is this?");
    let mut names = devices.iter().filter_map(|device| device.name.as_deref());
    let word = cursor.shown();
    let next = cursor.rest_words().get(1).copied().flatten().unwrap_or("start");
    let (begin, step) = word.split_once(':').unwrap_or((&word, next));
    problem.help(match names.clone().any(|name| name == begin) {
        true => format!("a `:` and a blank follow the device's name: `{begin}: {step}`"),
        false => format!("write its name first: `{}: ...`", names.next().unwrap_or("kitchen")),
    })
}

fn unknown_device(at: Span, name: &str, devices: &[Use]) -> Problem {
    let known: Vec<&str> = devices.iter().filter_map(|device| device.name.as_deref()).collect();
    let problem = Problem::new(at, format!("no device is called `{name}`"));
    match nearest(name, known.iter().copied()) {
        Some(nearest) => problem.help(nearest),
        None if known.is_empty() => problem.help("`use FILE as NAME` names one"),
        None => problem.help(format!("there are {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use umqtt_vm::Profile;

    use super::parse;
    use crate::script_test::suite::Suite;

    const SCRIPT: &str = "on init do subscribe local a settimer 1 10
on topic local a do publish local b $this_data http_get \"http://x/\"
on timer 1 do settimer 1 10 gpio_out 12 1 setvar @1 = 1 setvar $x = $x + 1
on gpio_interrupt 0 pullup do println $this_gpio
";

    #[rustfmt::skip]
    const WORDS: &[&str] = &[
        "use", "a.script", "as", "link", "remote", "local", "test", "each", "in", "start", "stop", "restart",
        "forget", "wait", "until", "07:00", "5s", "50ms", "topic", "pin", "0", "1", "12", "255", "-1", "adc",
        "serial", "http", "200", "fails", "clock", "Mon", "2026-03-29", "flash", "@1", "retained", "set",
        "broker_user", "repeat", "3", "do", "done", "expect", "no", "nothing", "more", "within", "stopped",
        "publish", "gpio", "println", "like", "$any", "$x", "=", "\"*\"", "\"a", "a", "b", "b:", "#", "+", "%", "wificonnect",
        "mqttconnect", "mqttdisconnect", "log",
    ];

    proptest! {
        /// Whatever stands in a test file, it is read; what can be read runs to an end.
        #[test]
        fn any_words_in_any_order(
            words in prop::collection::vec((0..WORDS.len(), prop::bool::weighted(0.4)), 0..60),
        ) {
            let mut file = String::from("use a.script\ntest x\nstart\n");
            for (word, ends_line) in words {
                file.push_str(WORDS[word]);
                file.push(if ends_line { '\n' } else { ' ' });
            }
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("a.script"), SCRIPT).unwrap();
            let path = folder.path().join("a.test");
            std::fs::write(&path, file).unwrap();
            let _ = Suite::run(&path, "", &Profile::DESKTOP, false);
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse(&bytes);
        }
    }
}

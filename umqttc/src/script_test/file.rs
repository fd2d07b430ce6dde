//! A test file, read: which scripts it uses, and its tests as steps.

use umqtt_device::net::Duration;
use umqtt_lang::ast::Span;

use super::pattern::{ActionPattern, Pattern, Text};

/// A test file.
#[derive(Debug, Default)]
pub(crate) struct TestFile {
    /// The devices, each with its script.
    pub(crate) devices: Vec<Use>,
    /// Whose remote broker is whose.
    pub(crate) links: Vec<Link>,
    /// The tests, in order.
    pub(crate) tests: Vec<Test>,
}

/// `use relay.script as kitchen`
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) span: Span,
    /// The script, relative to the test file.
    pub(crate) path: String,
    /// Its name in the tests.
    pub(crate) name: Option<String>,
}

/// `link kitchen remote hall`, as indices of the devices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// The client.
    pub(crate) client: usize,
    /// The broker.
    pub(crate) broker: usize,
}

/// A test, once per value of its `each`.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) span: Span,
    pub(crate) name: String,
    pub(crate) each: Option<Each>,
    pub(crate) steps: Vec<Step>,
}

/// `each VAR in a b c`
#[derive(Clone, Debug)]
pub(crate) struct Each {
    pub(crate) variable: String,
    pub(crate) values: Vec<Vec<u8>>,
}

/// A line of a test.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) span: Span,
    /// The device it is for.
    pub(crate) device: usize,
    pub(crate) kind: StepKind,
}

/// What a step does or asks.
#[derive(Debug)]
pub(crate) enum StepKind {
    /// The script starts.
    Start,
    /// It is stopped for good.
    Stop,
    /// A power cut, after which the script starts again.
    Restart,
    /// What happened so far is not looked at.
    Forget,
    /// The steps up to the `done` that belongs to it, so many times.
    Repeat(u32),
    /// The end of a `repeat`.
    Done,
    /// Time passes.
    Wait(Duration),
    /// Until the clock shows this time: seconds of the day.
    WaitUntil(u32),
    /// Something happens.
    Input(Input),
    /// Something must have happened.
    Expect(Expectation),
}

/// What happens to a device.
#[derive(Debug)]
pub(crate) enum Input {
    /// The clock is set.
    Clock(ClockTime),
    /// A flash variable has a value.
    Flash(u8, Text),
    /// The broker has a retained message.
    Retained(Text, Text),
    /// A setting.
    Set(Text, Text),
    /// A message on one of the brokers.
    Topic { remote: bool, topic: Text, data: Text, retained: bool },
    /// A pin is driven from outside.
    Pin(u8, Text),
    /// What the analogue input shows.
    Adc(Text),
    /// A line on the serial port.
    Serial(Text),
    /// The oldest open request is answered.
    Http { code: [u8; 3], body: Text },
    /// The network comes or goes.
    Wifi(bool),
    /// The remote broker accepts the device or is lost.
    Remote(bool),
}

/// What the clock is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockTime {
    /// Days since 1970.
    pub(crate) day: u32,
    /// Seconds of the day.
    pub(crate) second: u32,
}

/// What must have happened, or be so.
#[derive(Debug)]
pub(crate) enum Expectation {
    /// An action, behind those that were expected before.
    Action(ActionPattern),
    /// No such action since then.
    No(ActionPattern),
    /// No action at all since then.
    NothingMore,
    /// An action, if need be after some time.
    Within(Duration, ActionPattern),
    /// The value of a variable.
    Variable(String, Pattern),
    /// That of a flash variable.
    Flash(u8, Pattern),
    /// The level of a pin.
    Pin(u8, Pattern),
    /// The retained message of a topic.
    Retained(Text, Pattern),
    /// The script was stopped.
    Stopped,
}

//! A device that is made up: it remembers what it was asked to do.

use std::fmt::Write;
use std::net::IpAddr;
use umqtt_net::{Duration, Instant};

use umqtt_device::console::{
    BrokerFigures, CommandError, DeviceControl, DeviceStats, Lock, Network, Origin,
    RetainedMessage, ScriptText, Session, Subscribed, TimeOfDay,
};
use umqtt_device::http::foreign_protocol::ForeignProtocol;
use umqtt_device::settings::{Capability, Param, Settings};
use umqtt_device::storage::StorageError;
use umqtt_memory::{Ledger, Plan, Share};
use umqtt_vm::Side;

/// A ledger with something in it.
fn ledger() -> Ledger {
    let plan = Plan {
        fixed: 1000,
        network: 2000,
        broker: 3000,
        upload: 4000,
        script: 5000,
        console: 6000,
        log: 7000,
        http: 8000,
        upstream: 9000,
        services: 500,
        storage: 10_000,
        margin: 1024,
    };
    let mut ledger = Ledger::new(&plan);
    ledger[Share::Fixed].set_used(999);
    assert!(ledger[Share::Broker].take(2000) && !ledger[Share::Broker].take(1001));
    ledger[Share::Broker].give(500);
    ledger
}

/// The device.
pub(crate) struct Fake {
    pub(crate) settings: Settings,
    pub(crate) lock: Lock,
    pub(crate) script: ScriptText,
    pub(crate) source: Vec<u8>,
    pub(crate) flash_works: bool,
    pub(crate) time: Option<TimeOfDay>,
    pub(crate) refused_answers: u32,
    pub(crate) variables: Vec<Vec<u8>>,
    pub(crate) log: Vec<u8>,
    /// So many more clients, subscriptions and retained messages.
    pub(crate) many: usize,
    pub(crate) ledger: Ledger,
    /// What it was asked to do.
    pub(crate) asked: Vec<String>,
}

impl Fake {
    pub(crate) fn new() -> Fake {
        Fake {
            settings: Settings::new([0, 0, 0, 0xAB, 0xCD, 0xEF]),
            lock: Lock::default(),
            script: ScriptText::Source,
            source: b"on init\ndo\n\tprint \"hi\"\r\n".to_vec(),
            flash_works: true,
            time: Some(TimeOfDay { weekday: 2, seconds: 45_296 }),
            refused_answers: 0,
            variables: vec![Vec::new(); 16],
            log: b"started\nclient a connected\n".to_vec(),
            many: 0,
            ledger: ledger(),
            asked: Vec::new(),
        }
    }

    /// Has a scan to report.
    pub(crate) fn networks() -> String {
        let mac = [0xA0, 0xB1, 0, 0, 0, 0x0F];
        let home = Network { auth: 3, ssid: b"Home", rssi: -61, mac, channel: 6 };
        let odd = Network { auth: 0, ssid: b"caf\xC3\xA9\x00", rssi: -90, mac, channel: 13 };
        format!("{home}\n{odd}\n")
    }

    fn stored(&self) -> Result<(), StorageError> {
        if self.flash_works { Ok(()) } else { Err(StorageError::Broken) }
    }

    fn ask(&mut self, what: String) -> Result<(), CommandError> {
        self.asked.push(what);
        Ok(())
    }
}

impl DeviceControl for Fake {
    fn refused_line(&mut self) {
        self.ledger[Share::Console].refuse();
    }
    fn version(&self) -> &str {
        "umqtt 0.0.0 (test)"
    }
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }
    fn changed(&mut self, param: Param) {
        self.asked.push(format!("changed {}", param.name()));
    }
    fn save_settings(&mut self) -> Result<(), StorageError> {
        self.asked.push(String::from("save settings"));
        self.stored()
    }
    fn listening(&self, param: Param) -> Option<u16> {
        Some(self.settings.port(param)).filter(|port| *port > 0)
    }

    fn admits(&self, access: Param, origin: Origin) -> bool {
        let internal = origin == Origin::Network(0);
        self.settings.access(access).permits(internal)
    }

    fn lock(&self) -> &Lock {
        &self.lock
    }
    fn lock_mut(&mut self) -> &mut Lock {
        &mut self.lock
    }
    fn save_lock(&mut self) -> Result<(), StorageError> {
        self.asked.push(String::from("save lock"));
        self.stored()
    }
    fn salt(&mut self) -> [u8; 16] {
        *b"saltsaltsaltsalt"
    }
    fn peer(&self, origin: Origin) -> Option<IpAddr> {
        let Origin::Network(number) = origin else { return None };
        Some([10, 0, 0, number].into())
    }
    fn refused_browser(&mut self, _what: ForeignProtocol, origin: Origin) {
        self.asked.push(format!("refused a browser {origin:?}"));
    }
    fn script_cancel(&mut self) {
        self.asked.push(String::from("cancel uploads"));
    }
    fn flash_variable(&mut self, n: u8, out: &mut [u8; 63]) -> Result<usize, StorageError> {
        let value = &self.variables[usize::from(n) - 1];
        out[..value.len()].copy_from_slice(value);
        Ok(value.len())
    }
    fn settings_restored(&mut self) -> Result<(), StorageError> {
        self.settings.restored();
        Ok(())
    }
    fn set_flash_variable(&mut self, n: u8, value: &[u8]) -> Result<(), StorageError> {
        self.stored()?;
        self.variables[usize::from(n) - 1] = value.to_vec();
        Ok(())
    }
    fn stats(&mut self) -> DeviceStats {
        DeviceStats {
            uptime: Duration::from_millis(36_125_999),
            free_memory: Some(21_344),
            script_events: 42,
            script_mean_us: 17,
            bytes_received: 1000,
            bytes_sent: 20_000,
            joined: Some(false),
            rssi: None,
            stations: Some(1),
            ntp: None,
            browsers: 0,
            refused_answers: self.refused_answers,
        }
    }
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }
    fn addresses(&self, each: &mut dyn FnMut(IpAddr)) {
        each([192, 168, 4, 1].into());
    }
    fn time(&self) -> Option<TimeOfDay> {
        self.time
    }
    fn backlog(&self, each: &mut dyn FnMut(&[u8])) {
        self.log.chunks(10).for_each(each);
    }
    fn backlog_limit(&self) -> usize {
        2048
    }
    fn broker(&self) -> BrokerFigures {
        let many = self.many;
        let mut counted = umqtt_mqtt::Stats::default();
        counted.opened = 20;
        counted.accepted = 15;
        counted.refused = 5;
        counted.unauthorized = 2;
        counted.protocol_errors = 1;
        counted.slow = 3;
        counted.subscribed = 30;
        counted.takeovers = 4;
        counted.messages_dropped = 1000;
        BrokerFigures {
            clients: 2 + many,
            subscriptions: 2 + many,
            retained: 1 + many,
            counted,
            remote_dropped: 7,
        }
    }
    fn clients(&self, each: &mut dyn FnMut(&[u8]) -> bool) {
        let more = (0..self.many).map(|n| format!("client-{n}").into_bytes());
        let _ =
            [b"mosq-1".to_vec(), b"odd\x07id".to_vec()].into_iter().chain(more).all(|id| each(&id));
    }
    fn subscriptions(&self, each: &mut dyn FnMut(Subscribed<'_>) -> bool) {
        let first = Subscribed { client: b"local", filter: b"command/+", qos: 0 };
        let more = Subscribed { client: b"mosq-1", filter: b"#", qos: 2 };
        let _ = each(first) && (0..=self.many).all(|_| each(more));
    }
    fn retained(&self, each: &mut dyn FnMut(RetainedMessage<'_>) -> bool) {
        let _ =
            (0..=self.many).all(|_| each(RetainedMessage { topic: b"stat/relay", len: 3, qos: 0 }));
    }
    fn remote_connected(&self) -> bool {
        false
    }
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<(), CommandError> {
        if topic.contains(&b'#') {
            return Err(CommandError(String::from("a topic has no wildcards")));
        }
        let (topic, data) = (String::from_utf8_lossy(topic), String::from_utf8_lossy(data));
        self.ask(format!("publish {side:?} {topic:?} {data:?} retained {retained}"))
    }
    fn save_some_retained(&mut self) -> Option<Result<(), CommandError>> {
        self.asked.push(String::from("save retained"));
        Some(self.stored().map_err(CommandError::from))
    }
    fn delete_retained(&mut self) -> Result<(), CommandError> {
        self.ask(String::from("delete retained"))
    }
    fn script_enabled(&self) -> bool {
        self.script != ScriptText::None
    }
    fn script_text(&self) -> ScriptText {
        self.script
    }
    fn read_source(&mut self, offset: usize, out: &mut [u8]) -> usize {
        let rest = self.source.get(offset..).unwrap_or_default();
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        len
    }
    fn disassemble(&mut self, out: &mut dyn Write) {
        for line in 0..1000 {
            if writeln!(out, "{line:04} push {line}").is_err() {
                return;
            }
        }
    }
    fn variables(&self, each: &mut dyn FnMut(&[u8], &[u8])) {
        each(b"$count", b"7");
        each(b"$raw", b"a\x00b\r\n\xFF");
    }
    fn trace_on(&mut self, line: Option<u32>, origin: Origin) -> Result<(), CommandError> {
        if let Some(line @ 13..) = line {
            return Err(CommandError(format!("line {line} belongs to no handler")));
        }
        self.ask(format!("trace on {line:?} for {origin:?}"))
    }
    fn trace_off(&mut self, origin: Origin) {
        self.asked.push(format!("trace off for {origin:?}"));
    }
    fn script_listen(&mut self, port: u16, origin: Origin) -> Result<(), CommandError> {
        if port == 1883 {
            return Err(CommandError(String::from("the port is in use")));
        }
        self.ask(format!("listen on {port} for {origin:?}"))
    }
    fn script_download(&mut self, url: &str, origin: Origin) -> Result<(), CommandError> {
        self.ask(format!("download {url} for {origin:?}"))
    }
    fn script_delete(&mut self) -> Result<(), CommandError> {
        self.stored()?;
        self.script = ScriptText::None;
        self.ask(String::from("delete script"))
    }
    fn restart(&mut self, factory: bool) {
        self.asked.push(format!("restart, factory {factory}"));
    }
    fn scan(&mut self, origin: Origin) -> Result<(), CommandError> {
        if !self.settings.capabilities().has(Capability::Wifi) {
            return Err(CommandError(String::from("this board has no WiFi")));
        }
        self.ask(format!("scan for {origin:?}"))
    }
    fn board_command(&mut self, words: &[&[u8]], reply: &mut dyn FnMut(&[u8])) -> bool {
        let [b"sim", what, ..] = words else { return false };
        reply(format!("sim {}", String::from_utf8_lossy(what)).as_bytes());
        reply(b" = 1\n");
        reply(b"done");
        true
    }
    fn board_help(&self) -> &str {
        "sim gpio PIN LEVEL: drives an input\nsim adc VALUE: sets the analogue input"
    }
}

/// A user at a console.
pub(crate) struct User {
    pub(crate) device: Fake,
    pub(crate) session: Session,
    pub(crate) now: Instant,
    seen: Vec<u8>,
}

impl User {
    pub(crate) fn new(origin: Origin) -> User {
        User {
            device: Fake::new(),
            session: Session::new(origin, 16 * 1024, Instant::ZERO),
            now: Instant::ZERO,
            seen: Vec::new(),
        }
    }

    pub(crate) fn over_tcp() -> User {
        User::new(Origin::Network(0))
    }

    /// Reads what there is to read.
    pub(crate) fn read(&mut self) -> Vec<u8> {
        let output = self.session.output().to_vec();
        self.session.sent(output.len());
        self.seen.extend_from_slice(&output);
        output
    }

    /// Types raw bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.session.receive(rest, self.now, &mut self.device);
            rest = &rest[taken..];
            self.read();
        }
        self.read_on();
    }

    /// Reads what is left of a reply that is made in pieces.
    fn read_on(&mut self) {
        while self.session.has_more() {
            self.session.resume(&mut self.device);
            self.read();
        }
    }

    /// Types a line, which the terminal shows.
    pub(crate) fn types(&mut self, line: &str) -> &mut User {
        self.read();
        self.seen.extend_from_slice(line.as_bytes());
        self.seen.extend_from_slice(b"\r\n");
        self.send(line.as_bytes());
        self.send(b"\r\n");
        self
    }

    /// Types some lines.
    pub(crate) fn says(&mut self, lines: &[&str]) -> &mut User {
        for line in lines {
            self.types(line);
        }
        self
    }

    /// The reply to a line, without the prompt.
    pub(crate) fn reply(&mut self, line: &str) -> String {
        self.read();
        self.seen.clear();
        self.send(line.as_bytes());
        self.send(b"\n");
        let reply = String::from_utf8(std::mem::take(&mut self.seen)).unwrap();
        reply.strip_suffix("CMD>").expect("every reply ends with the prompt").to_owned()
    }

    /// The reply to a line, without the prompt if there is one, as a terminal shows it.
    pub(crate) fn said(&mut self, line: &str) -> String {
        self.read();
        self.seen.clear();
        self.send(line.as_bytes());
        self.send(b"\n");
        let reply = String::from_utf8(std::mem::take(&mut self.seen)).unwrap();
        reply.strip_suffix("CMD>").unwrap_or(&reply).replace("\r\n", "\n")
    }

    /// What the terminal shows. Every line has ended with CR LF.
    pub(crate) fn screen(&mut self) -> String {
        self.read();
        let screen = String::from_utf8(self.seen.clone()).unwrap();
        assert!(!screen.replace("\r\n", "").contains('\n'), "a line without CR");
        let mut shown = screen.replace("\r\n", "\n").replace('\r', "<CR>");
        if !self.device.asked.is_empty() {
            shown += "\n--- the device was asked to\n";
            shown += &self.device.asked.join("\n");
        }
        shown
    }
}

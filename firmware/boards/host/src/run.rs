//! The loop: wait, feed, drain.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use umqtt_device::board::{LogLevel, Restart};
use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::Param;
use umqtt_device::{Board, Device, Platform};
use umqtt_net::{Instant, Interface, Net};

use crate::board::HostBoard;
use crate::flash::{FileFlash, WriteFailure};
use crate::journal_store;
use crate::journal_writer::JournalWriter;
use crate::log::{Log, Verbosity};
use crate::memory_limit;
use crate::net::{HostNet, Interfaces};
use crate::options::{HostOptions, RunError, Serial};
use crate::signals;
use crate::stop::StopHandle;
use crate::terminal::{Terminal, report_output};

/// File descriptors wanted: every connection is one.
const DESCRIPTORS: u64 = 65_536;
/// How long the last output may take to appear, and the last words to the remote broker to go out.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);
/// How long writing what is to be kept may take at the end.
const LAST_COMMIT: Duration = Duration::from_secs(10);

/// The computer it runs on.
struct Host;

impl Platform for Host {
    type Board = HostBoard;
    type Flash = FileFlash;
}

/// The desktop device.
pub struct HostDevice {
    options: HostOptions,
    device: Device<Host>,
    net: HostNet,
    /// Keeps the broker's sessions and messages, if that is wanted.
    journal: Option<JournalWriter>,
    /// Why the flash file could not be written.
    flash_failure: WriteFailure,
    started: std::time::Instant,
    stop: Arc<AtomicBool>,
    /// The script has the terminal to itself.
    script_has_terminal: bool,
    /// Standard output could not be written.
    output_failure: Option<std::io::Error>,
}

/// Runs the desktop device until it is stopped with Ctrl-C or SIGTERM; the end of its terminal does
/// not stop it. Signals are caught from then on, so only once per process; a program that wants
/// more makes a [`HostDevice`].
///
/// # Errors
/// [`RunError`]: it could not start, or the operating system failed it.
pub fn run(options: HostOptions) -> Result<(), RunError> {
    signals::report_full_files();
    let _ = rlimit::increase_nofile_limit(DESCRIPTORS); // what there is has to do
    signals::survive_background()?;
    let desktop = HostDevice::start(options)?;
    signals::handle(desktop.stop_handle())?;
    desktop.run()
}

impl HostDevice {
    /// Opens the flash and the ports, prints where everything is, and starts the script.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn start(options: HostOptions) -> Result<HostDevice, RunError> {
        let net = open_net(&options)?;
        let mut flash = FileFlash::open(&options.data, DeviceOptions::DESKTOP.layout)?;
        let notice = flash.take_notice();
        let terminal = match options.serial {
            Serial::Stdio => Terminal::stdio(net.waker())?,
            Serial::None => Terminal::none(),
        };
        let log = Log::new(options.log, terminal.shared_output())?;
        let mut board = HostBoard::new(terminal, mac(&options.data));
        board.set_log(log);
        if options.radio {
            board.add_radio();
        }
        let stop = Arc::new(AtomicBool::new(false));
        let mut desktop = HostDevice::assemble(options, board, flash, net, stop)?;
        if let Some(notice) = notice {
            warn(&mut desktop.device, &desktop.options, &notice);
        }
        if let Some(script) = desktop.options.script.take() {
            let HostDevice { device, net, .. } = &mut desktop;
            let installed = device.install(script.program, script.source.as_deref(), net);
            installed.map_err(|refusal| RunError::Script(refusal.to_string()))?;
        } else {
            desktop.device.start(Instant::ZERO);
        }
        Ok(desktop)
    }

    fn assemble(
        options: HostOptions,
        board: HostBoard,
        flash: FileFlash,
        mut net: HostNet,
        stop: Arc<AtomicBool>,
    ) -> Result<HostDevice, RunError> {
        let device_options = DeviceOptions {
            mqtt_port: options.mqtt_port,
            console_port: options.console_port,
            ..device_options(&options)
        };
        let flash_failure = flash.failure();
        let mut device = Device::new(board, flash, device_options)
            .map_err(|error| RunError::Storage(error.to_string()))?;
        let journal = open_journal(&mut device, &options, &net)?;
        device.listen(&mut net).map_err(|refused| RunError::Port {
            service: refused.service,
            port: refused.port,
            error: refused.error,
        })?;
        let started = std::time::Instant::now();
        let mut desktop = HostDevice {
            options,
            device,
            net,
            journal,
            flash_failure,
            started,
            stop,
            script_has_terminal: false,
            output_failure: None,
        };
        desktop.print_banner();
        Ok(desktop)
    }

    /// Ends [`HostDevice::run`] from another thread.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle::new(self.stop.clone(), self.net.waker())
    }

    /// Runs until it is stopped.
    ///
    /// # Errors
    /// [`RunError`]: the operating system failed it, or it could not restart.
    pub fn run(mut self) -> Result<(), RunError> {
        while !self.stop.load(Ordering::SeqCst) {
            let (device, started) = (&mut self.device, self.started);
            let clock = || Instant::from_millis(started.elapsed().as_millis() as u64);
            let next = umqtt_net::turn(&mut self.net, clock, |now, net| device.poll(now, net));
            if let Some(how) = self.device.board().take_restart() {
                self = self.restart(how)?;
                continue;
            }
            self.tell_whose_terminal_it_is();
            if let Some(why) = self.flash_failure.take() {
                self.device.warn(format_args!("the flash file cannot be written: {why}"));
                continue;
            }
            if self.turn_journal() {
                continue;
            }
            let wait = next.map(|at| at.saturating_duration_since(clock()).as_millis());
            self.net.sleep(wait.map(Duration::from_millis))?;
        }
        self.leave()?;
        self.device.save_now();
        self.finish_journal();
        let board = self.device.board();
        board.log(LogLevel::Info, b"stopped");
        let terminal = board.terminal();
        let edited = terminal.end_editing();
        terminal.write(if edited { b"stopped\r\n" } else { b"\r\nstopped\r\n" });
        terminal.flush(SHUTDOWN_TIMEOUT);
        board.flush_log(SHUTDOWN_TIMEOUT);
        let failure = board.terminal().take_failure();
        match failure.or(self.output_failure) {
            Some(error) => Err(RunError::Output(error)),
            None => Ok(()),
        }
    }

    /// Where the console is, when the script has just taken the terminal for its serial port.
    fn tell_whose_terminal_it_is(&mut self) {
        let serial = self.options.serial == Serial::Stdio;
        let taken = serial && self.device.settings().number(Param::SystemOutput) == 0;
        if !taken || core::mem::replace(&mut self.script_has_terminal, taken) {
            self.script_has_terminal = taken;
            return;
        }
        let bind = self.options.bind;
        let console = match self.device.ports().1 {
            Some(port) => format!("the console is on {}", std::net::SocketAddr::new(bind, port)),
            None => "there is no console over the network".to_owned(),
        };
        let line = format!("system_output is 0: this terminal is the script's alone; {console}");
        let terminal = self.device.board().terminal();
        if terminal.edits_lines() {
            terminal.write(format!("{line}\r\n").as_bytes());
        } else {
            eprintln!("{line}"); // the other is a serial port to some program
        }
    }

    /// Takes leave of the remote broker, if that does not take too long.
    fn leave(&mut self) -> Result<(), RunError> {
        let until = std::time::Instant::now() + SHUTDOWN_TIMEOUT;
        while !self.device.leave(&mut self.net) {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                break;
            }
            self.net.wait(Some(left))?;
            let now = self.now();
            self.device.poll(now, &mut self.net);
        }
        Ok(())
    }

    /// Writes what is to be kept, and lets go what waited for that; true if something has to be
    /// sent because of it.
    fn turn_journal(&mut self) -> bool {
        let now = self.now();
        let Some(journal) = &mut self.journal else { return false };
        self.device.broker().set_unix_time(journal_store::unix_time(), now);
        let mut warnings = Vec::new();
        let released = journal.turn(self.device.broker(), &mut |line| warnings.push(line));
        for line in &warnings {
            self.device.warn(format_args!("{line}"));
        }
        released || !warnings.is_empty()
    }

    fn finish_journal(&mut self) {
        let Some(mut journal) = self.journal.take() else { return };
        if !journal.finish(self.device.broker(), LAST_COMMIT) {
            self.device.warn(format_args!(
                "the last messages could not be kept; none of them was acknowledged"
            ));
        }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.started.elapsed().as_millis() as u64)
    }

    /// What a chip does at a reset: every connection is gone, and only the flash is left.
    fn restart(mut self, how: Restart) -> Result<HostDevice, RunError> {
        self.finish_journal();
        let HostDevice { options, device, mut net, stop, output_failure, .. } = self;
        if how == Restart::Factory {
            journal_store::remove(&options.data).map_err(RunError::System)?;
        }
        net.reset();
        let (board, flash) = device.into_parts();
        let mut desktop = HostDevice::assemble(options, board.after_reset(), flash, net, stop)?;
        desktop.output_failure = output_failure.or(desktop.output_failure);
        desktop.device.start(Instant::ZERO);
        Ok(desktop)
    }

    /// The first lines.
    fn print_banner(&mut self) {
        let bind = self.options.bind;
        let interfaces = self.options.interfaces.as_ref();
        let (mqtt, console) = self.device.ports();
        let mut text = Vec::new();
        let open = |service: &str, port: Option<u16>| match (port, interfaces) {
            (Some(port), None) => format!("{service} on {}", std::net::SocketAddr::new(bind, port)),
            (Some(port), Some(_)) => format!("{service} on port {port}"),
            (None, _) => format!("{service} off"),
        };
        let mut lines = vec![
            format!("{}, the desktop device", DeviceOptions::DESKTOP.version),
            open("MQTT broker", mqtt),
            open("console", console),
            format!("data in {}", self.options.data.display()),
        ];
        if let Some(Interfaces { access_point, station }) = interfaces {
            let station = station.as_deref().map(|it| format!(", the joined one on {it}"));
            let station = station.unwrap_or_default();
            lines.insert(1, format!("own network on {access_point}{station}"));
        }
        for line in &lines {
            if self.options.serial == Serial::Stdio {
                self.device.board().log(LogLevel::Info, line.as_bytes());
            }
            text.extend_from_slice(line.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        if bind.is_loopback() && interfaces.is_none() {
            let line = "reachable from this computer; from other computers too: --bind 0.0.0.0\r\n";
            text.extend_from_slice(line.as_bytes());
        }
        if self.options.serial == Serial::None {
            // The port that leads nowhere cannot say it.
            let mut out = std::io::stdout();
            if let Err(error) = out.write_all(&text).and_then(|()| out.flush())
                && error.kind() != ErrorKind::BrokenPipe
            {
                report_output(&error);
                self.output_failure = Some(error);
            }
        } else {
            self.device.board().terminal().write(&text);
        }
    }
}

/// What the board has.
fn device_options(options: &HostOptions) -> DeviceOptions {
    let plain = memory_limit::options();
    let radio = if options.radio { plain.with_radio() } else { plain };
    if options.interfaces.is_some() { radio.with_own_addresses() } else { radio }
}

/// The network that the options name, if it can be had.
fn open_net(options: &HostOptions) -> Result<HostNet, RunError> {
    let Some(interfaces) = &options.interfaces else {
        let own = std::net::TcpListener::bind((options.bind, 0));
        if own.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable) {
            return Err(RunError::Address(options.bind));
        }
        return Ok(HostNet::new(options.bind)?);
    };
    let Interfaces { access_point, station } = interfaces;
    let refused = |name: &String, why| Err(RunError::Interface { name: name.clone(), why });
    if !cfg!(target_os = "linux") {
        return refused(access_point, "cannot be used: interfaces can on Linux alone");
    }
    for name in [Some(access_point), station.as_ref()].into_iter().flatten() {
        if !crate::net::is_interface(name) {
            return refused(name, "is no interface of this computer: `ip link` lists them");
        }
        if name == "lo" {
            return refused(name, "is this computer alone, which reaches the device anyway");
        }
    }
    if Some(access_point) == station.as_ref() {
        return refused(access_point, "cannot be both the own network and the joined one");
    }
    let net = HostNet::at(interfaces)?;
    let mut found = false;
    net.addresses(&mut |own| found |= own.interface == Interface::AccessPoint);
    if !found {
        let why = "has no IPv4 address: the device is 192.168.4.1/24 there unless `network` is set";
        return refused(access_point, why);
    }
    Ok(net)
}

/// Puts back what was kept, and keeps what happens from now on.
fn open_journal(
    device: &mut Device<Host>,
    options: &HostOptions,
    net: &HostNet,
) -> Result<Option<JournalWriter>, RunError> {
    let dir = options.data.as_path();
    if !device.wants_persistence() {
        journal_store::remove(dir).map_err(RunError::System)?;
        return Ok(None);
    }
    crate::flash::refuse_odd(&dir.join(journal_store::FILE_NAME))?;
    let limits = *device.broker().limits();
    let opened = journal_store::open(dir, limits).map_err(|error| {
        let path = dir.join(journal_store::FILE_NAME);
        RunError::Storage(format!("{}: {error}", path.display()))
    })?;
    let journal_store::Opened { store, mut broker, restored, warning } = opened;
    if restored.is_none() {
        // What `save_retained` has put into the flash.
        for message in device.broker().retained_to_keep() {
            let _ = broker.retain(message.topic, message.payload, message.qos); // it was there
        }
    }
    *device.broker() = broker;
    if let Some(warning) = warning {
        warn(device, options, &warning);
    }
    Ok(Some(JournalWriter::start(store, net.waker())?))
}

/// Says what was wrong with a file: in the log, and on standard error unless that shows it anyway.
fn warn(device: &mut Device<Host>, options: &HostOptions, what: &str) {
    let shown = match options.serial {
        Serial::Stdio => device.settings().number(Param::SystemOutput) > 0,
        Serial::None => options.log >= Verbosity::Warn,
    };
    if !shown {
        eprintln!("{what}");
    }
    device.warn(format_args!("{what}"));
}

/// A MAC address that stays the same for a data directory: the last three bytes make names. Locally
/// administered.
fn mac(data: &Path) -> [u8; 6] {
    // FNV-1a, which unlike the standard library's hasher never changes.
    let bytes = data.as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let [a, b, c, ..] = hash.to_be_bytes();
    [0x02, 0x75, 0x6d, a, b, c]
}

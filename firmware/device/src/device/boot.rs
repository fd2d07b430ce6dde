//! A device from what is in its flash.

use alloc::boxed::Box;

use umqtt_memory::Ledger;
use umqtt_mqtt::Broker;
use umqtt_net::Instant;

use super::commands::SystemCommands;
use super::connections::Connections;
use super::consoles::Consoles;
use super::http_client::HttpClient;
use super::http_requests::HttpRequests;
use super::listeners::Listeners;
use super::memory::MemoryPressure;
use super::mqtt::MqttClients;
use super::restart::PendingRestart;
use super::retained::{self, Retention};
use super::script::Script;
use super::state::DeviceState;
use super::sys_topics::SysTopics;
use super::unsaved_retained::UnsavedRetained;
use super::uploads::Uploads;
use super::variables::PendingVariables;
use super::wifi_state::Wifi;
use super::{Device, DeviceOptions};
use crate::board::{Board, Random};
use crate::console::Lock;
use crate::log::{Level, Log, PrintRateLimiter, RepeatLimiter};
use crate::notices::SETTINGS_DAMAGED;
use crate::platform::Platform;
use crate::settings::{Capability, Settings};
use crate::storage::{MountReport, ProtectedServices, Storage, StorageError};
use crate::upstream::Upstream;
use crate::wall_clock::WallClock;

const LOCK_DAMAGED: &str = "the lock is damaged: the configuration is locked. Set a new password with lock PASSWORD on the serial line";

/// The storage, and what was found when it was mounted.
type Mounted<F> = (Storage<F>, MountReport);

/// A device whose flash has been read: see [`Device::prepare`].
pub struct Prepared<P: Platform>(Box<DeviceState<P>>);

impl<P: Platform> Prepared<P> {
    /// The device.
    #[inline(never)]
    pub fn into_device(self) -> Device<P> {
        let Prepared(state) = self;
        let options = state.options;
        let edits_lines = state.board.edits_lines();
        Device {
            state,
            connections: Connections::default(),
            mqtt: MqttClients::new(options.send_buffer),
            uploads: Uploads::default(),
            consoles: Consoles::new(options.plan.console, edits_lines, Instant::ZERO),
            script: Script::new(),
            http: HttpClient::default(),
            sys_topics: SysTopics::default(),
            retention: Retention::default(),
        }
    }
}

/// See [`Device::prepare`].
#[inline(never)]
pub(super) fn prepare<P: Platform>(
    board: P::Board,
    flash: P::Flash,
    options: DeviceOptions,
) -> Result<Prepared<P>, StorageError> {
    let mut state = read(board, flash, options)?;
    retained::load(&mut state);
    Ok(Prepared(state))
}

// In parts, each by itself: what is large is on the stack no longer than it takes to make it, and
// not while the flash is mended, which takes most.
#[inline(never)]
fn read<P: Platform>(
    board: P::Board,
    flash: P::Flash,
    options: DeviceOptions,
) -> Result<Box<DeviceState<P>>, StorageError> {
    let mut mounted = mount::<P>(flash, &options)?;
    let settings = load_settings::<P>(&board, &mut mounted, &options)?;
    join(board, mounted, settings, options)
}

#[inline(never)]
fn mount<P: Platform>(
    flash: P::Flash,
    options: &DeviceOptions,
) -> Result<Box<Mounted<P::Flash>>, StorageError> {
    Storage::mount(flash, options.layout).map(Box::new)
}

#[inline(never)]
fn load_settings<P: Platform>(
    board: &P::Board,
    (storage, report): &mut Mounted<P::Flash>,
    options: &DeviceOptions,
) -> Result<Box<Settings>, StorageError> {
    let mut settings = Box::new(Settings::load(board.mac(), &storage.load_settings()?));
    settings.set_capabilities(options.capabilities);
    settings.set_time_server(options.time_server);
    if report.settings_damaged {
        settings.set_damaged();
    }
    Ok(settings)
}

/// Whether a service is there, by the options and by what is in the image.
fn has<P: Platform>(options: &DeviceOptions, one: Capability) -> bool {
    !P::LACKS.has(one) && options.capabilities.has(one)
}

// Boxed, so that they do not lie on the caller's stack.
#[expect(clippy::boxed_local)]
#[inline(never)]
fn join<P: Platform>(
    mut board: P::Board,
    mounted: Box<Mounted<P::Flash>>,
    settings: Box<Settings>,
    options: DeviceOptions,
) -> Result<Box<DeviceState<P>>, StorageError> {
    let (mut storage, report) = *mounted;
    let lock = match report.lock_damaged {
        true => Lock::damaged(),
        false => Lock::load(&storage.load_lock()?),
    };
    let mut seed = [0; 4];
    board.random(&mut seed);
    let wifi = board.radio().is_some().then(|| Box::new(Wifi::new()));
    let upstream = Upstream::new(u32::from_le_bytes(seed));
    let mut state = Box::new(DeviceState {
        board,
        storage,
        settings: *settings,
        lock,
        broker: Broker::new(options.limits),
        upstream,
        log: Log::new(options.plan.log),
        repeats: RepeatLimiter::default(),
        print_rate: PrintRateLimiter::new(options.print_rate),
        clock: WallClock::default(),
        ntp: has::<P>(&options, Capability::Ntp).then(Box::default),
        mdns: has::<P>(&options, Capability::Mdns).then(Box::default),
        dhcp: has::<P>(&options, Capability::OwnAddresses).then(Box::default),
        name_server: has::<P>(&options, Capability::NameServer).then(Box::default),
        trace: None,
        options,
        listeners: Listeners::default(),
        ledger: Ledger::new(&options.plan),
        now: Instant::ZERO,
        commands: SystemCommands::default(),
        requests: HttpRequests::default(),
        own_changes: 0,
        retained_unsaved: false,
        unprotected: ProtectedServices::default(),
        unread: false,
        unsaved: UnsavedRetained::default(),
        variables: PendingVariables::default(),
        restart: PendingRestart::default(),
        lent: 0,
        memory: MemoryPressure::default(),
        wifi,
        browsers: 0,
    });
    state.apply_all();
    report_mount(&mut state, report);
    Ok(state)
}

fn report_mount<P: Platform>(state: &mut DeviceState<P>, report: MountReport) {
    let MountReport { formatted, finished_deletion, script_damaged, .. } = report;
    for (found, what) in [
        (formatted, "the stored settings could not be read and are gone"),
        (finished_deletion, "finished a deletion that was cut off"),
        (script_damaged, "a stored script is damaged and is not used"),
        (state.settings.is_damaged(), SETTINGS_DAMAGED),
        (state.lock.is_damaged(), LOCK_DAMAGED),
    ] {
        if found {
            state.log(Level::Warning, format_args!("{what}"));
        }
    }
}

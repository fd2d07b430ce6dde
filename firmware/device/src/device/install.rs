//! New scripts: the upload among the services, and what becomes of the script it brought.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;

use umqtt_lang::diagnostic::HINTS;
use umqtt_memory::{STEP_MARGIN, Share, reserve, reserve_blocks, try_format};
use umqtt_net::Instant;
use umqtt_vm::Program;

use super::Device;
use super::ntp;
use super::options::DeviceOptions;
use super::service::Service;
use super::state::DeviceState;
use super::uploads::{UploadEvent, Uploads};
use crate::board::Board;
use crate::console::CommandError;
use crate::http::foreign_protocol::ForeignProtocol;
use crate::log::Level;
use crate::net::{ConnId, Net, NetEvent};
use crate::platform::Platform;
use crate::settings::codec::with_counter;
use crate::settings::{Capability, Param};
use crate::signature::read_public_key;
use crate::storage::StorageError;
use crate::upload::{self, CheckError, Checked, SignatureError, incoming_suffix, verify_incoming};

/// What an upload that finds no memory comes to.
const NO_MEMORY: &str = "Script not stored: not enough memory";

impl<P: Platform> Service<P> for Uploads {
    fn handle_event(
        device: &mut Device<P>,
        conn: ConnId,
        event: NetEvent,
        net: &mut dyn Net,
    ) -> bool {
        let (state, uploads) = (&mut *device.state, &mut device.uploads);
        if let NetEvent::Accepted { port, peer, .. } = event {
            let its = uploads.port() == Some(port);
            // Who may not use the console may not answer it either.
            if its && !state.settings.access(Param::ConfigAccess).permits(peer.is_internal()) {
                net.abort(conn);
            } else if its && !uploads.accept(conn, state.now, net) {
                net.close(conn);
            }
            return its;
        }
        let its = uploads.owns(conn);
        if its {
            uploads.handle(event, state.now, &state.options.profile, net, &mut state.storage);
        }
        its
    }

    fn handle_timeout(device: &mut Device<P>, net: &mut dyn Net) {
        let state = &mut *device.state;
        if device.uploads.deadline().is_some_and(|at| at <= state.now) && state.has_margin() {
            let (now, profile) = (state.now, &state.options.profile);
            device.uploads.handle_deadline(now, net, profile, &state.storage);
        }
    }

    // By itself: compiling takes the stack.
    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        if device.uploads.has_event()
            && device.state.has_margin()
            && let Some(event) = device.uploads.take_event()
        {
            uploaded(device, event, net);
        }
        false
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.uploads.deadline()
    }
}

/// See [`Device::install`].
pub(super) fn install<P: Platform>(
    device: &mut Device<P>,
    program: Program<Vec<u8>>,
    source: Option<&[u8]>,
    net: &mut dyn Net,
) -> Result<(), CommandError> {
    device.state.storage.drop_incoming();
    let stored = store(device, &program, source);
    let program = program.convert();
    let installed = stored
        .and_then(|source| put(device, Checked { program, source, warnings: String::new() }, net));
    device.state.storage.drop_incoming();
    installed
}

fn put<P: Platform>(
    device: &mut Device<P>,
    new: Checked,
    net: &mut dyn Net,
) -> Result<(), CommandError> {
    device.http.cancel(net);
    device.script.install(new, &mut device.state)
}

/// Writes a program and its source where scripts come in; the bytes of source at the end of the
/// image.
fn store<P: Platform>(
    device: &mut Device<P>,
    program: &Program<Vec<u8>>,
    source: Option<&[u8]>,
) -> Result<usize, CommandError> {
    let storage = &mut device.state.storage;
    match source {
        Some(source) => {
            storage.append_incoming(source)?;
            storage.append_incoming_image(program.bytes())?;
            Ok(0)
        }
        None => {
            storage.append_incoming(program.bytes())?;
            Ok(program.image().source().unwrap_or_default().len())
        }
    }
}

/// Checks what has come. The running script's image is in flash as well, and leaves the memory for
/// that time.
#[inline(never)]
fn check<P: Platform>(device: &mut Device<P>) -> Result<Checked, CheckError> {
    device.script.unload();
    let held = device.uploads.memory() + device.state.storage.incoming_memory();
    let checked = check_incoming(&mut device.state, held);
    if checked.is_err() {
        device.script.reload(&mut device.state);
    }
    checked
}

/// An upload has come to something.
#[inline(never)]
fn uploaded<P: Platform>(device: &mut Device<P>, came: UploadEvent, net: &mut dyn Net) {
    let report = match came {
        UploadEvent::Failed(report) if P::LACKS.has(Capability::SignedScripts) => {
            Some(report.into())
        }
        UploadEvent::Failed(report) => Some(with_signature_missing(report, &mut device.state)),
        UploadEvent::ForeignProtocol(what) => {
            device.state.storage.drop_incoming();
            match what {
                Some(ForeignProtocol::Http) => {
                    device.state.refused_browser("HTTP on the upload port", None);
                }
                Some(ForeignProtocol::Binary) => {
                    let what = "not a script on the upload port, maybe TLS";
                    device.state.refused_browser(what, None);
                }
                None => {}
            }
            None
        }
        UploadEvent::Script { perhaps } => try_script(device, perhaps, net),
    };
    if let Some(report) = report {
        end_upload(device, &report, net);
    }
}

/// Checks and installs what has come; what there is to report, unless the rest may still come.
#[inline(never)]
fn try_script<P: Platform>(
    device: &mut Device<P>,
    perhaps: bool,
    net: &mut dyn Net,
) -> Option<Cow<'static, str>> {
    // In one block: a compiler's lists are longer than those of other steps.
    if !reserve(STEP_MARGIN) {
        device.state.ledger[Share::Upload].refuse();
        return Some(Cow::Borrowed(NO_MEMORY));
    }
    ntp::give_way(device, net);
    let mut counter = None;
    let signed = match P::LACKS.has(Capability::SignedScripts) {
        true => Ok(()),
        false => signer(&mut device.state).map(|found| counter = found),
    };
    let checked = match signed {
        Ok(()) => check(device),
        Err(error) => Err(error),
    };
    if perhaps && may_go_on(&checked) && !device.state.storage.incoming_is_closed() {
        return None;
    }
    if !reserve(STEP_MARGIN) {
        device.state.ledger[Share::Upload].refuse();
        return Some(Cow::Borrowed(NO_MEMORY));
    }
    Some(install_checked(device, checked, counter, net).into())
}

#[inline(never)]
fn install_checked<P: Platform>(
    device: &mut Device<P>,
    checked: Result<Checked, CheckError>,
    counter: Option<u64>,
    net: &mut dyn Net,
) -> String {
    let len = device.state.storage.incoming_len();
    let page = HINTS && device.state.storage.incoming_head().starts_with(b"<");
    let taken = checked.map(|mut new| {
        let warnings = core::mem::take(&mut new.warnings);
        if !P::LACKS.has(Capability::SignedScripts)
            && let Err(error) = note_counter(counter, &mut device.state)
        {
            drop(new);
            device.script.reload(&mut device.state);
            return Err(error);
        }
        put(device, new, net).map(|()| warnings)
    });
    let (stored, why): (_, &dyn core::fmt::Display) = match &taken {
        Ok(Ok(warnings)) => {
            let completed = match device.uploads.is_pull() {
                true => "HTTP script download completed",
                false => "Script upload completed",
            };
            return try_format(format_args!("{completed} ({len} Bytes)\r\nSyntax okay{warnings}"));
        }
        Ok(Err(refusal)) => ("Script not stored: ", refusal),
        Err(error) => ("", error),
    };
    let goes_on = match device.script.enabled() {
        true => ", the one that was there goes on",
        false => "",
    };
    let more = match taken {
        Err(CheckError::Source(_)) if page => "\r\nIt is a web page, not a script",
        Err(CheckError::Source(_)) => "\r\numqttc check FILE tells more",
        _ => "",
    };
    // Cut where memory ends: that is what many a verdict is about.
    try_format(format_args!("Script not taken ({len} Bytes){goes_on}\r\n{stored}{why}{more}"))
}

/// Ends the upload for want of memory; true if there was one.
pub(super) fn give_up<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) -> bool {
    let was = device.uploads.stop(net);
    if was {
        end_upload(device, NO_MEMORY, net);
    }
    was
}

#[inline(never)]
fn end_upload<P: Platform>(device: &mut Device<P>, report: &str, net: &mut dyn Net) {
    device.state.storage.drop_incoming();
    match device.uploads.finish(report, net) {
        Some(origin) => device.consoles.report(origin, report, &mut device.state),
        None => device.state.log(Level::Info, format_args!("{report}")),
    }
}

/// Whether what has come may be taken from the network, as far as that depends on who signed it;
/// the counter of its signature, if there has to be one.
#[inline(never)]
fn signer<P: Platform>(state: &mut DeviceState<P>) -> Result<Option<u64>, CheckError> {
    if !state.settings.script_key_counts() {
        return Ok(None);
    }
    if state.settings.is_damaged() {
        return Err(CheckError::Signature(SignatureError::KeyDamaged));
    }
    let least = state.settings.script_counter();
    let key = read_public_key(state.settings.bytes(Param::ScriptKey));
    key.ok_or(SignatureError::Key)
        .and_then(|key| verify_incoming(&mut state.storage, &key, least))
        .map(Some)
        .map_err(CheckError::Signature)
}

/// Why an upload came to nothing, and what it would have wanted even so: who sends the script as it
/// is may wait for an answer that would say no more than that.
#[inline(never)]
fn with_signature_missing<P: Platform>(
    report: String,
    state: &mut DeviceState<P>,
) -> Cow<'static, str> {
    let some = state.storage.incoming_len() > 0;
    if some && state.settings.script_key_counts() && incoming_suffix(&mut state.storage).is_none() {
        return try_format(format_args!("{report}\r\n{}", SignatureError::Missing)).into();
    }
    report.into()
}

/// Keeps in mind that a script with this counter is taken, before it is: should the power go
/// between the two, no older one is, and the same one may come again.
fn note_counter<P: Platform>(
    counter: Option<u64>,
    state: &mut DeviceState<P>,
) -> Result<(), CommandError> {
    let Some(counter) = counter.filter(|counter| *counter > state.settings.script_counter()) else {
        return Ok(());
    };
    // What was set and not saved is not saved by this.
    let saved = state.storage.load_settings()?;
    let saved = with_counter(&saved, counter).ok_or(StorageError::Memory)?;
    state.storage.save_settings(&saved)?;
    state.settings.note_script_counter(counter);
    Ok(())
}

/// Whether a script that is not right may be the beginning of one that is.
fn may_go_on<T>(checked: &Result<T, CheckError>) -> bool {
    match checked {
        Ok(_) => false,
        Err(CheckError::CompileMemory(_) | CheckError::LoadMemory(_)) => false,
        Err(_) => true,
    }
}

/// Whether the heap has this block, and beside it so many bytes, for which pieces will do.
fn has_memory(block: usize, pieces: usize) -> bool {
    if pieces <= STEP_MARGIN { reserve_blocks([block], pieces) } else { reserve(block + pieces) }
}

/// Checks what has come of a script, of which so many bytes are in memory, and writes down what
/// that takes: by the board's figure, or on a board without one the most that was asked for at
/// once. More than an upload may hold is not given.
fn check_incoming<P: Platform>(
    state: &mut DeviceState<P>,
    held: usize,
) -> Result<Checked, CheckError> {
    let free = || state.board.free_memory().unwrap_or_default();
    let (before, most) = (free(), Cell::new(held));
    let limit = state.upload_limit();
    let room = |block: usize, pieces: usize| {
        let used = held + before.saturating_sub(free()) as usize;
        let bytes = block.saturating_add(pieces);
        let there = used.saturating_add(bytes) <= limit && has_memory(block, pieces);
        if there {
            most.set(most.get().max(used + bytes));
        }
        there
    };
    let DeviceOptions { profile, compiler, capabilities, .. } = &state.options;
    let map = |range| state.board.map_flash(range);
    let checked = upload::check(&mut state.storage, profile, &room, *compiler, *capabilities, &map);
    let account = &mut state.ledger[Share::Upload];
    account.set_used(most.get());
    account.set_used(held);
    if let Err(CheckError::CompileMemory(_) | CheckError::LoadMemory(_)) = checked {
        account.refuse();
    }
    checked
}

//! The trace of the script, for the console that asked for it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use super::Device;
use super::script::Script;
use super::state::DeviceState;
use super::trace_session::TraceSession;
use crate::console::{CommandError, Origin};
use crate::engine::handler_of;
use crate::platform::Platform;
use crate::settings::Capability;
use crate::trace::{HandlerFilter, Tracer};

/// The part of the consoles' memory that lines which wait may take: as much as a session's output.
const CONSOLE_PART: usize = 8;
/// Most bytes of lines that wait.
const MAX_WAITING: usize = 32 << 10;
/// Bytes of lines that a console is given at once.
const PIECE: usize = 1024;

/// Starts a trace; one that another console has ends.
///
/// # Errors
/// Why not.
pub(super) fn start<P: Platform>(
    state: &mut DeviceState<P>,
    script: &Script,
    line: Option<u32>,
    origin: Origin,
) -> Result<(), CommandError> {
    if !state.settings.capabilities().has(Capability::Trace) {
        return Err(CommandError("this board has no room for it".to_string()));
    }
    if origin == Origin::Script {
        return Err(CommandError("it is for a console".to_string()));
    }
    let filter = match line {
        None => None,
        Some(line) => {
            let program = script.engine.as_ref().map(|engine| engine.program());
            let handler = program.and_then(|program| handler_of(program, line));
            let why = || CommandError(format!("line {line} belongs to no handler"));
            Some(HandlerFilter { line, trigger: handler.ok_or_else(why)?.trigger })
        }
    };
    let waiting = (state.options.plan.console / CONSOLE_PART).min(MAX_WAITING);
    state.trace = None;
    let tracer = Tracer::new(waiting, filter);
    let tracer = tracer.ok_or_else(|| CommandError("there is no memory for it now".to_string()))?;
    state.trace = Some(Box::new(TraceSession { tracer, origin, conn: None }));
    Ok(())
}

/// Ends the trace of this console.
pub(super) fn stop<P: Platform>(state: &mut DeviceState<P>, origin: Origin) {
    state.trace.take_if(|session| session.origin == origin);
}

/// Whether more waits that the console has room for.
pub(super) fn can_go_on<P: Platform>(device: &Device<P>) -> bool {
    let waits = |session: &TraceSession| {
        session.tracer.has_lines() && device.consoles.takes_report(session.origin)
    };
    !P::LACKS.has(Capability::Trace) && device.state.trace.as_deref().is_some_and(waits)
}

/// Shows what waits, as far as the console has room; ends the trace of one that has gone, and that
/// of a device that was locked.
pub(super) fn show<P: Platform>(device: &mut Device<P>) {
    let Some(session) = &mut device.state.trace else { return };
    let origin = session.origin;
    if let Origin::Network(number) = origin {
        let conn = device.consoles.conn(number.into());
        session.conn = session.conn.or(conn);
        if conn.is_none() || conn != session.conn {
            device.state.trace = None;
            return;
        }
    }
    if device.state.lock.is_locked() {
        device.state.trace = None;
        device.consoles.show(origin, "trace off: Config locked\n", &mut device.state);
        return;
    }
    if session.tracer.has_lines() && device.consoles.takes_report(origin) {
        // What waits goes to the console and stays there until it has left.
        let Some(mut session) = device.state.trace.take() else { return };
        let (consoles, state) = (&mut device.consoles, &mut device.state);
        session.tracer.take(PIECE, |lines| consoles.show(origin, lines, state));
        device.state.trace = Some(session);
    }
}

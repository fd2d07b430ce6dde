//! The upload that is under way: one at a time, pushed or pulled.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use umqtt_vm::Profile;
use umqtt_vm::image::MAGIC;

use crate::console::{CommandError, Origin};
use umqtt_net::Instant;

use crate::http::foreign_protocol::ForeignProtocol;
use crate::http::{Fetch, FetchError, HttpRequest, Overflow, ReadError, Response, Url};
use crate::net::{ConnId, Net, NetError, NetEvent};
use crate::upload::push::{Progress, Push};
use crate::upload::{PushError, ScriptSink, check};

/// The upload.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    /// Who asked for it, as long as that console is open, and where it comes from.
    current: Option<(Option<Origin>, Transfer)>,
    /// What came of it, until that is looked at.
    event: Option<UploadEvent>,
}

#[derive(Debug)]
enum Transfer {
    Push(Push),
    /// And the bytes that came.
    Pull(Box<Fetch>, usize),
}

/// What came of an upload.
#[derive(Debug)]
pub(super) enum UploadEvent {
    /// A script is in flash; it may be incomplete if `perhaps`, and then counts only if it is
    /// correct.
    Script { perhaps: bool },
    /// Nothing: what to report.
    Failed(String),
    /// Nothing from this sender, and the port waits for another; `None` if the sender said nothing.
    ForeignProtocol(Option<ForeignProtocol>),
}

impl Uploads {
    /// Opens a port.
    pub(super) fn listen(
        &mut self,
        port: u16,
        origin: Origin,
        now: Instant,
        net: &mut dyn Net,
    ) -> Result<(), CommandError> {
        self.make_room(origin, now, net)?;
        let push = Push::start(port, now, net).map_err(|error| {
            CommandError(match error {
                NetError::PortInUse => {
                    let other = if port == 2000 { 2001 } else { 2000 };
                    alloc::format!("the port is in use: try another, such as script {other}")
                }
                error => error.to_string(),
            })
        })?;
        self.current = Some((Some(origin), Transfer::Push(push)));
        Ok(())
    }

    /// Bytes that a download takes at its start.
    pub(super) fn needs(url: &str) -> usize {
        size_of::<Fetch>() + Fetch::needs(url.len()) + 2 * url.len()
    }

    /// Starts a download of at most `limit` bytes, for which the caller has found
    /// [`needs`](Self::needs) free.
    pub(super) fn download(
        &mut self,
        url: &str,
        origin: Origin,
        limit: usize,
        now: Instant,
        net: &mut dyn Net,
    ) -> Result<(), CommandError> {
        self.make_room(origin, now, net)?;
        let url = Url::parse(url.as_bytes()).map_err(|error| CommandError(error.to_string()))?;
        let request = HttpRequest { url, post: None, limit, overflow: Overflow::Refuse };
        let fetch =
            Fetch::start(request, now, net).map_err(|error| CommandError(error.to_string()))?;
        self.current = Some((Some(origin), Transfer::Pull(fetch.into(), 0)));
        Ok(())
    }

    /// One without a connection yet makes room for the next that the same user asks for.
    /// While that user's console is open no other console replaces it.
    fn make_room(
        &mut self,
        origin: Origin,
        now: Instant,
        net: &mut dyn Net,
    ) -> Result<(), CommandError> {
        match &self.current {
            None => Ok(()),
            Some((first, Transfer::Push(push))) if push.conn().is_none() => {
                if first.is_some_and(|first| first != origin) {
                    let seconds = push.poll_at().saturating_duration_since(now).as_secs_ceil();
                    return Err(CommandError(alloc::format!(
                        "another upload waits on port {}, for {seconds} s at most",
                        push.port()
                    )));
                }
                push.stop(net);
                self.current = None;
                Ok(())
            }
            Some(_) => Err(CommandError("another upload is under way".to_string())),
        }
    }

    /// The port that waits for a script.
    pub(super) fn port(&self) -> Option<u16> {
        match &self.current {
            Some((_, Transfer::Push(push))) => Some(push.port()),
            _ => None,
        }
    }

    /// Whether something has come of it that is not looked at yet.
    pub(super) fn has_event(&self) -> bool {
        self.event.is_some()
    }

    /// What came of it.
    pub(super) fn take_event(&mut self) -> Option<UploadEvent> {
        self.event.take()
    }

    /// Handles an event of its connection. If something has come of it already that is not looked
    /// at yet, that stays; but a script that may not be all there gives way to the rest of it, or
    /// to its end.
    pub(super) fn handle(
        &mut self,
        event: NetEvent,
        now: Instant,
        profile: &Profile,
        net: &mut dyn Net,
        incoming: &mut dyn ScriptSink,
    ) {
        if let Some(before) = &self.event
            && !matches!(before, UploadEvent::Script { perhaps: true })
        {
            return;
        }
        let before = incoming.len();
        let new = self.transfer(event, now, profile, net, incoming);
        if new.is_some() || incoming.len() != before {
            self.event = new;
        }
    }

    /// Takes a connection to that port; false if it was not the first.
    pub(super) fn accept(&mut self, conn: ConnId, now: Instant, net: &mut dyn Net) -> bool {
        match &mut self.current {
            Some((_, Transfer::Push(push))) => push.accept(conn, now, net),
            _ => false,
        }
    }

    pub(super) fn owns(&self, conn: ConnId) -> bool {
        match &self.current {
            Some((_, Transfer::Push(push))) => push.conn() == Some(conn),
            Some((_, Transfer::Pull(fetch, _))) => fetch.conn() == conn,
            None => false,
        }
    }

    /// When [`handle_deadline`](Self::handle_deadline) is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.current.as_ref().map(|(_, way)| match way {
            Transfer::Push(push) => push.poll_at(),
            Transfer::Pull(fetch, _) => fetch.poll_at(),
        })
    }

    fn transfer(
        &mut self,
        event: NetEvent,
        now: Instant,
        profile: &Profile,
        net: &mut dyn Net,
        incoming: &mut dyn ScriptSink,
    ) -> Option<UploadEvent> {
        match &mut self.current.as_mut()?.1 {
            Transfer::Push(push) => pushed(push.handle(event, now, profile, net, incoming)),
            Transfer::Pull(fetch, received) => {
                let outcome = fetch.handle(event, now, net);
                let (body, ended) = match outcome {
                    None => (fetch.take_body(), None),
                    Some(Ok(mut response)) if response.status == 200 => {
                        (core::mem::take(&mut response.body), Some(Ok(response)))
                    }
                    Some(ended) => (fetch.take_body(), Some(ended)),
                };
                if let Err(error) = pull(received, &body, fetch.expected(), profile, incoming) {
                    if ended.is_none() {
                        net.abort(fetch.conn());
                    }
                    return Some(UploadEvent::Failed(error));
                }
                ended.map(|outcome| pulled(outcome, profile))
            }
        }
    }

    /// Acts on a deadline that has passed.
    pub(super) fn handle_deadline(
        &mut self,
        now: Instant,
        net: &mut dyn Net,
        profile: &Profile,
        incoming: &dyn ScriptSink,
    ) {
        let Some((_, way)) = &mut self.current else { return };
        let event = match way {
            Transfer::Push(push) => pushed(push.handle_timeout(now, net, incoming)),
            Transfer::Pull(fetch, _) => {
                fetch.handle_timeout(now, net).map(|outcome| pulled(outcome, profile))
            }
        };
        self.event = self.event.take().or(event);
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        match &self.current {
            Some((_, Transfer::Pull(fetch, _))) => size_of::<Fetch>() + fetch.memory(),
            _ => 0,
        }
    }

    /// Whether it is pulled from a web server.
    pub(super) fn is_pull(&self) -> bool {
        matches!(self.current, Some((_, Transfer::Pull(..))))
    }

    /// The console that asked for it and gets its report.
    pub(super) fn requester(&self) -> Option<Origin> {
        self.current.as_ref()?.0
    }

    /// The console that asked for it was closed; it is taken all the same.
    pub(super) fn asker_is_gone(&mut self) {
        if let Some((requester, _)) = &mut self.current {
            *requester = None;
        }
    }

    /// Ends what was asked for, whatever has come of it; true if there was something.
    pub(super) fn cancel(&mut self, report: &str, net: &mut dyn Net) -> bool {
        let was = self.stop(net);
        self.finish(report, net);
        was
    }

    /// Takes nothing more of what was asked for, nor what has come of it: [`Uploads::finish`] is
    /// due. True if there was something.
    pub(super) fn stop(&mut self, net: &mut dyn Net) -> bool {
        if let Some((_, Transfer::Pull(fetch, _))) = &self.current {
            net.abort(fetch.conn());
        }
        self.event = None;
        self.current.is_some()
    }

    /// Ends it, with a report to the sender. Returns the console that asked for it, if still open.
    pub(super) fn finish(&mut self, report: &str, net: &mut dyn Net) -> Option<Origin> {
        let (requester, way) = self.current.take()?;
        if let Transfer::Push(push) = way {
            if let Some(conn) = push.conn() {
                // Best effort: a peer that does not read it does not get it.
                let (report, end) = fitting(report.as_bytes(), net.send_room(conn));
                net.send(conn, report);
                net.send(conn, end);
            }
            push.stop(net);
        }
        requester
    }
}

/// What of a report a sender is told for whom there is room for so many bytes, and how that ends:
/// all, or whole lines. The first one, which is not why, is left out first.
fn fitting(mut report: &[u8], room: usize) -> (&[u8], &'static [u8]) {
    const END: &[u8] = b"\r\n";
    const MORE: &[u8] = b"...\r\n";
    if report.len().saturating_add(END.len()) > room {
        let completed = report.iter().position(|byte| *byte == b'\n');
        report = &report[completed.map_or(0, |at| at + 1)..];
    }
    if report.len().saturating_add(END.len()) <= room {
        return (report, END);
    }
    let head = &report[..room.saturating_sub(MORE.len()).min(report.len())];
    // A line that is longer than all the room is cut between two words.
    let lines = head.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
    let words = || head.iter().rposition(|byte| *byte == b' ');
    (&head[..lines.or_else(words).unwrap_or(0)], MORE)
}

/// Keeps what came of a script that is pulled; `expected` bytes more are known to come.
fn pull(
    received: &mut usize,
    body: &[u8],
    expected: u64,
    profile: &Profile,
    incoming: &mut dyn ScriptSink,
) -> Result<(), String> {
    let failed = |why: &dyn core::fmt::Display| {
        alloc::format!("HTTP script upload failed (error code 0): {why}")
    };
    if incoming.len() != *received {
        return Err(failed(&PushError::Deleted));
    }
    if body.is_empty() {
        return Ok(());
    }
    let first = if *received == 0 { body } else { incoming.head() };
    // Too short to be detected.
    let limit = match MAGIC.starts_with(first) {
        true => check::limit(&MAGIC, profile),
        false => check::limit(first, profile),
    };
    let len = (*received + body.len()) as u64;
    if len.saturating_add(expected) > limit as u64 {
        return Err(too_long(limit));
    }
    incoming.append(body).map_err(|error| failed(&PushError::Storage(error)))?;
    *received += body.len();
    Ok(())
}

fn too_long(limit: usize) -> String {
    alloc::format!("HTTP script upload failed (script too long): at most {limit} bytes")
}

fn pushed(progress: Progress) -> Option<UploadEvent> {
    match progress {
        Progress::Waiting => None,
        Progress::Perhaps => Some(UploadEvent::Script { perhaps: true }),
        Progress::ForeignProtocol(what) => Some(UploadEvent::ForeignProtocol(what)),
        Progress::Done => Some(UploadEvent::Script { perhaps: false }),
        Progress::Failed(error) => {
            Some(UploadEvent::Failed(alloc::format!("Script upload failed: {error}")))
        }
    }
}

fn pulled(outcome: Result<Response, FetchError>, profile: &Profile) -> UploadEvent {
    match outcome {
        Ok(response) if response.status == 200 => UploadEvent::Script { perhaps: false },
        Ok(response) => UploadEvent::Failed(alloc::format!(
            "HTTP script upload failed (error code {})",
            response.status
        )),
        Err(FetchError::Read(ReadError::BodyTooLong)) => {
            UploadEvent::Failed(too_long(profile.source))
        }
        Err(error) => {
            UploadEvent::Failed(alloc::format!("HTTP script upload failed (error code 0): {error}"))
        }
    }
}

//! The server between standard input and output. A thread reads messages, one runs tests, this one
//! answers. Diagnostics wait until there is nothing else to do: keys that come while a script is
//! being checked are checked together.

use std::io::{self, BufReader, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use lsp_server::Message;

use super::framing::{self, Frame};
use super::queue::Queue;
use super::server::{Server, Status};
use super::test_run::{MAX_JOBS, TestJob, TestResult};

/// What the server waits for.
enum Event {
    Frame(Frame),
    Tested(TestResult),
    /// The client is gone.
    End,
}

/// Serves a client until it leaves; whether it took leave as it should.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn serve() -> io::Result<bool> {
    let (events, incoming) = sync_channel(0);
    let (jobs, waiting) = sync_channel(MAX_JOBS);
    let results = events.clone();
    // Both end with the process: a read cannot be broken off.
    thread::spawn(move || read(&events));
    thread::spawn(move || run_tests(&waiting, &results));
    answer(&incoming, &jobs, &mut io::stdout().lock())
}

fn read(events: &SyncSender<Event>) {
    let mut input = BufReader::new(io::stdin().lock());
    while let Ok(Some(frame)) = framing::read(&mut input) {
        if events.send(Event::Frame(frame)).is_err() {
            return;
        }
    }
    // Nobody waits for it any more if it cannot be sent.
    let _ = events.send(Event::End);
}

fn run_tests(jobs: &Receiver<TestJob>, events: &SyncSender<Event>) {
    while let Ok(job) = jobs.recv() {
        if events.send(Event::Tested(job.run())).is_err() {
            return;
        }
    }
}

fn answer(
    incoming: &Receiver<Event>,
    jobs: &SyncSender<TestJob>,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let mut server = Server::default();
    let mut queue = Queue::default();
    let mut is_gone = false;
    loop {
        // All that has come already, so that what is cancelled is not begun.
        while queue.has_room() && !is_gone {
            let event = match incoming.try_recv() {
                Ok(event) => event,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => Event::End,
            };
            is_gone = take(event, &mut server, &mut queue, out)?;
        }
        match queue.pop() {
            Some(message) => server.handle(message),
            None if is_gone => return Ok(false),
            None if !server.poll_diagnostics() => {
                flush(&mut server, jobs, out)?;
                let event = incoming.recv().unwrap_or(Event::End);
                is_gone = take(event, &mut server, &mut queue, out)?;
            }
            None => {}
        }
        flush(&mut server, jobs, out)?;
        if let Status::Ended { in_order } = server.status() {
            return Ok(in_order);
        }
    }
}

/// Takes in what came; true if nothing more will.
fn take(
    event: Event,
    server: &mut Server,
    queue: &mut Queue,
    out: &mut dyn Write,
) -> io::Result<bool> {
    match event {
        Event::Frame(Frame::Message(message)) => {
            if let Some(response) = queue.push(message) {
                Message::Response(response).write(&mut &mut *out)?;
            }
        }
        Event::Frame(Frame::Malformed(answer)) => framing::write_value(out, &answer)?,
        Event::Tested(result) => server.handle_tested(result),
        Event::End => return Ok(true),
    }
    Ok(false)
}

/// Sends what the server has left.
fn flush(server: &mut Server, jobs: &SyncSender<TestJob>, out: &mut dyn Write) -> io::Result<()> {
    for job in server.take_jobs() {
        // The server leaves no more than the channel takes.
        let _ = jobs.try_send(job);
    }
    for message in server.take_messages() {
        message.write(&mut &mut *out)?;
    }
    out.flush()
}

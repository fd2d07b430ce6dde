//! Console commands of a script: its `system` action. They are executed when its handler is over,
//! and before its next event.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use umqtt_memory::{try_push_back, try_to_vec};

use super::Device;
use super::service::Service;
use crate::console::{CommandOutcome, LongReply, Origin, Output, execute_line, resume_reply};
use crate::log::Level;
use crate::net::Net;
use crate::platform::Platform;

/// Commands that wait for their turn.
const MAX_COMMANDS: usize = 32;
/// Room for the output of one, bytes.
const COMMAND_OUTPUT: usize = 4096;

/// The commands that are still to be executed.
#[derive(Debug, Default)]
pub(super) struct SystemCommands {
    waiting: VecDeque<Vec<u8>>,
    /// The rest of the reply to the one that is under way.
    reply: Option<LongReply>,
}

impl SystemCommands {
    /// Queues a command; false if there is no memory for it, if too many wait, or if all of them
    /// would be more than `budget` bytes.
    pub(super) fn push(&mut self, command: &[u8], budget: usize) -> bool {
        let full = self.waiting.len() == self.waiting.capacity();
        let list = if full { self.waiting.len().max(4) * size_of::<Vec<u8>>() } else { 0 };
        if self.waiting.len() >= MAX_COMMANDS || self.memory() + list + command.len() > budget {
            return false;
        }
        try_to_vec(command).is_some_and(|line| try_push_back(&mut self.waiting, line).is_ok())
    }

    /// Whether one of them waits to be begun.
    pub(super) fn any_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether one is under way, with the rest of its reply to come.
    pub(super) fn is_under_way(&self) -> bool {
        self.reply.is_some()
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.reply = None;
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        self.waiting.iter().map(Vec::capacity).sum::<usize>()
            + self.waiting.capacity() * size_of::<Vec<u8>>()
    }
}

impl<P: Platform> Service<P> for SystemCommands {
    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        while (device.state.commands.is_under_way() || device.state.commands.any_waiting())
            && device.state.has_margin()
        {
            let mut rest = device.state.commands.reply.take();
            let commands = &mut device.state.commands.waiting;
            let line = if rest.is_none() { commands.pop_front() } else { None };
            if commands.is_empty() {
                *commands = VecDeque::new();
            }
            let line = line.unwrap_or_default();
            let now = device.state.now;
            let resetting = device.state.restart.is_requested();
            let most = device.state.options.plan.console / 4;
            let mut output = Output::new(COMMAND_OUTPUT.min(most));
            loop {
                let (_, mut context) = device.console_context(None, net);
                let outcome = match rest {
                    None => execute_line(&line, Origin::Script, now, &mut context, &mut output),
                    Some(reply) => resume_reply(reply, &mut context, &mut output),
                };
                output.end_reply(b"");
                device.state.print(Level::Script, output.bytes());
                output.sent(output.bytes().len());
                let CommandOutcome::More(reply) = outcome else { break };
                if reply.takes_turns() {
                    device.state.commands.reply = Some(reply);
                    return false;
                }
                rest = Some(reply);
            }
            if !resetting && device.state.restart.is_requested() {
                device.script.asked_for_reset(&mut device.state);
            }
        }
        false
    }
}

//! The ledger is brought up to date after each poll, and steps are put off when the heap has not what they may need.

use alloc::vec::Vec;
use core::cell::Cell;

use umqtt_memory::{Share, reserve, reserve_step};

use super::Device;
use super::state::DeviceState;
use crate::board::Board;
use umqtt_net::Duration;

use crate::net::Net;
use crate::platform::Platform;
use crate::upload::{CheckError, Checked, check};

/// Milliseconds after which a step that was put off is tried again.
pub(super) const RETRY: Duration = Duration::from_millis(20);
/// Milliseconds in which no step found memory before a client gives way.
const STARVED: u32 = 1000;
/// The same when one has given way not long ago: it was not enough.
const STARVED_AGAIN: u32 = 100;
/// Milliseconds that are not long.
const LATELY: u32 = 10_000;
/// Milliseconds after which there is nothing left that could give way, and only a restart helps.
const HOPELESS: u32 = 30_000;

impl<P: Platform> DeviceState<P> {
    /// Whether the heap has what the next step may need. If not, that is counted, and the step is put off.
    pub(super) fn has_margin(&mut self) -> bool {
        let there = reserve_step();
        if there {
            self.starved_since = None;
            self.broker.begin_step();
        } else {
            self.broker.begin_step_without_margin();
            self.starved_since.get_or_insert(self.now.as_millis() as u32);
            self.ledger[Share::Margin].refuse();
            self.put_off = true;
        }
        there
    }

    /// Checks what has come of a script, and writes down what the compiler takes: by the board's figure, or on a board without
    /// one the most it has asked for at once.
    pub(super) fn check_incoming(&mut self) -> Result<Checked, CheckError> {
        let free = || self.board.free_memory().unwrap_or_default();
        let (before, most) = (free(), Cell::new(0));
        let room = |bytes: usize| {
            let there = reserve(bytes);
            if there {
                let used = before.saturating_sub(free()) as usize;
                most.set(most.get().max(used + bytes));
            }
            there
        };
        let checked = check(&mut self.storage, &self.options.profile, &room, &|range| {
            self.board.map_flash(range)
        });
        let account = &mut self.ledger[Share::Upload];
        account.set_used(account.used + most.get());
        account.give(most.get());
        if let Err(CheckError::CompileMemory(_) | CheckError::LoadMemory(_)) = checked {
            account.refuse();
        }
        checked
    }
}

impl<P: Platform> Device<P> {
    /// Ends a wait for memory that nothing would end: what clients have begun to send, or do not take, may hold what they need
    /// to go on. Those who hold the most give way, one at a time, until a step finds its memory; then what the script asked the
    /// web for and an upload under way. A device that finds no memory although nobody holds any is restarted.
    #[inline(never)]
    pub(super) fn relieve(&mut self, net: &mut dyn Net) {
        let now = self.state.now;
        let passed = |since: Option<u32>| Some((now.as_millis() as u32).wrapping_sub(since?));
        let starved = passed(self.state.starved_since).max(passed(self.script.unloaded_since));
        let Some(starved) = starved else { return };
        let lately = passed(self.state.relieved_at).is_some_and(|ago| ago < LATELY);
        if starved < if lately { STARVED_AGAIN } else { STARVED } {
            return;
        }
        self.state.relieved_at = Some(now.as_millis() as u32);
        if self.state.broker.relieve(now) {
            return self.flush_broker(net);
        }
        self.http.cancel(net);
        if self.uploads.cancel("not enough memory", net) {
            self.state.ledger[Share::Upload].refuse();
        }
        if starved >= HOPELESS {
            self.state.wishes.restart.get_or_insert(false);
        }
    }

    /// Writes down what each part holds now.
    pub(super) fn account(&mut self, net: &dyn Net) {
        let fixed = size_of::<DeviceState<P>>() + size_of::<Self>() + self.send_buffer.capacity();
        let commands = &self.state.commands;
        let requests = &self.state.requests;
        let waiting: usize = requests
            .iter()
            .map(|(url, body)| url.capacity() + body.as_ref().map_or(0, |body| body.capacity()))
            .sum();
        let script = self.script.memory()
            + commands.iter().map(|line| line.capacity()).sum::<usize>()
            + commands.capacity() * size_of::<Vec<u8>>()
            + self.state.variables.memory();
        let used = [
            (Share::Fixed, fixed),
            (Share::Network, net.memory()),
            (Share::Broker, self.state.broker.memory()),
            (Share::Upload, self.uploads.memory() + self.state.storage.incoming_memory()),
            (Share::Script, script),
            (Share::Console, self.consoles.memory()),
            (Share::Log, self.state.log.memory()),
            (Share::Http, self.http.memory() + waiting),
            (Share::Upstream, self.state.upstream.memory()),
        ];
        for (share, bytes) in used {
            self.state.ledger[share].set_used(bytes);
        }
        self.state.lend();
        // While no script runs, messages on their way may use its memory, what its flash variables take to write, and half of
        // what consoles may keep: a console that finds none left reads on when the messages have left.
        let plan = &self.state.options.plan;
        let idle = plan.script + plan.storage + plan.console / 2;
        let idle = if self.script.engine.is_some() { 0 } else { idle };
        self.state.broker.lend_memory(idle);
        let stats = self.state.broker.stats();
        let refused = stats.out_of_memory + stats.no_memory + stats.retained_refused;
        let log = &mut self.state.ledger[Share::Log];
        log.refused = log.refused.saturating_add(self.state.log.take_dropped());
        self.state.ledger[Share::Broker].refused = u32::try_from(refused).unwrap_or(u32::MAX);
    }
}

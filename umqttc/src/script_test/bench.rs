//! The devices of a test side by side in virtual time, and the messages that go between them.

use std::mem;

use umqtt_device::engine::{LoadError, LocalTime};
use umqtt_device::net::{Duration, Instant};
use umqtt_device::sim::{Action, Coverage, Simulator};
use umqtt_vm::{Profile, Side};

use super::file::Link;
use super::limits::{Overrun, Taken};
use super::script::Script;

/// So often the devices may answer each other at one instant.
const MAX_ROUNDS: usize = 1000;

/// Something that happened, and when.
pub(super) struct Done {
    pub(super) at: Instant,
    /// What the clock showed.
    pub(super) clock: Option<LocalTime>,
    /// The line of the script that did it, if that is known.
    pub(super) line: Option<u32>,
    pub(super) what: What,
}

/// What happened to a device.
pub(super) enum What {
    /// Its script did this.
    Did(Action),
    /// This came in, as a test says it.
    CameIn { shown: String, ignored: Option<Ignored> },
}

/// The topic of a message that no subscription of the script takes.
pub(super) struct Ignored {
    pub(super) side: Side,
    pub(super) topic: String,
}

impl Done {
    /// The action, if it is one.
    pub(super) fn action(&self) -> Option<&Action> {
        match &self.what {
            What::Did(action) => Some(action),
            What::CameIn { .. } => None,
        }
    }

    /// Bytes it takes beside itself, roughly.
    fn len(&self) -> usize {
        match &self.what {
            What::CameIn { shown, ignored } => {
                shown.len() + ignored.as_ref().map_or(0, |ignored| ignored.topic.len())
            }
            What::Did(action) => match action {
                Action::Publish { topic, data, .. } => topic.len() + data.len(),
                Action::HttpPost(one, two) | Action::Config(one, two) => one.len() + two.len(),
                Action::Subscribe(_, bytes)
                | Action::Unsubscribe(_, bytes)
                | Action::Serial(bytes)
                | Action::Print { text: bytes, .. }
                | Action::HttpGet(bytes)
                | Action::System(bytes)
                | Action::Flash(_, bytes) => bytes.len(),
                Action::Log(text) => text.len(),
                Action::Pin(..) | Action::Pwm(..) | Action::PinMode(..) => 0,
            },
        }
    }
}

/// A device of a test.
pub(super) struct Device<'s> {
    pub(super) script: &'s Script,
    pub(super) sim: Simulator,
    /// Everything it did, and what came in.
    pub(super) done: Vec<Done>,
    /// Fuel its script had used when that was last looked at.
    fuel: u32,
    /// Bytes that are kept since then.
    kept: usize,
    /// What was looked at of that.
    pub(super) seen: usize,
    /// What was passed on of that.
    passed_on: usize,
    pub(super) is_on: bool,
}

impl Device<'_> {
    /// Takes what it did since the last call.
    fn collect(&mut self) {
        let clock = self.sim.clock();
        for done in self.sim.placed_actions() {
            let line = done.offset.and_then(|offset| self.script.line(offset));
            self.keep(Done { at: done.at, clock, line, what: What::Did(done.action) });
        }
    }

    /// Notes what comes in, before it does something.
    pub(super) fn came_in(&mut self, shown: String) {
        self.note(shown, None);
    }

    fn note(&mut self, shown: String, ignored: Option<Ignored>) {
        let what = What::CameIn { shown, ignored };
        self.keep(Done { at: self.sim.now(), clock: self.sim.clock(), line: None, what });
    }

    fn keep(&mut self, done: Done) {
        self.kept += size_of::<Done>() + done.len();
        self.done.push(done);
    }

    /// What happened until now is not looked at any more; how many bytes are free by that.
    fn forget(&mut self) -> usize {
        let freed = self.done.iter().map(|done| size_of::<Done>() + done.len()).sum();
        self.done.clear();
        (self.seen, self.passed_on) = (0, 0);
        freed
    }

    /// Fuel its script has used, and bytes that are kept more, since this was last asked.
    fn take(&mut self) -> (u32, usize) {
        let used = self.sim.engine().fuel_used();
        let fuel = used.wrapping_sub(self.fuel);
        self.fuel = used;
        (fuel, mem::take(&mut self.kept))
    }

    /// A message comes in, by a step of the test or from another device. That it is retained
    /// concerns the device's own broker only.
    fn message(&mut self, side: Side, (topic, data, retained): (&str, &[u8], bool), by_step: bool) {
        let takes = |(at, filter): (Side, &[u8])| {
            at == side && umqtt_topic::matches(filter, topic.as_bytes())
        };
        let is_taken = self.sim.subscriptions().any(takes);
        // A remote broker keeps from a client what it has not subscribed to.
        if is_taken || by_step || side == Side::Local {
            let broker = if side == Side::Local { "local" } else { "remote" };
            let flag = if retained { " retained" } else { "" };
            let shown = format!("topic {broker} {topic} {:?}{flag}", String::from_utf8_lossy(data));
            // One that is retained may be for a subscription to come.
            let ignored = !is_taken && by_step && !retained;
            self.note(shown, ignored.then(|| Ignored { side, topic: topic.to_owned() }));
        }
        match (side, retained) {
            (Side::Local, true) => self.sim.local_retained(topic, data),
            (Side::Local, false) => self.sim.local(topic, data),
            (Side::Remote, _) => self.sim.remote(topic, data),
        }
    }

    /// What was not looked at yet.
    pub(super) fn unseen(&self) -> &[Done] {
        &self.done[self.seen..]
    }
}

/// The devices of a test.
pub(super) struct Bench<'s> {
    pub(super) devices: Vec<Device<'s>>,
    links: &'s [Link],
    profile: &'s Profile,
    now: Instant,
    taken: Taken,
}

impl<'s> Bench<'s> {
    /// All of them, their scripts not started; scripts without an image are left out. Watched ones
    /// tell the lines of what they do, and what of their code runs.
    ///
    /// # Errors
    /// An image does not load.
    pub(super) fn new(
        scripts: &'s [Script],
        links: &'s [Link],
        profile: &'s Profile,
        is_watched: bool,
    ) -> Result<Bench<'s>, LoadError> {
        let mut devices = Vec::new();
        for script in scripts {
            let Some(image) = &script.image else { continue };
            let mut sim = Simulator::new(image.clone(), profile)?;
            if is_watched {
                sim.watch();
            }
            devices.push(Device {
                script,
                sim,
                done: Vec::new(),
                fuel: 0,
                kept: 0,
                seen: 0,
                passed_on: 0,
                is_on: false,
            });
        }
        Ok(Bench { devices, links, profile, now: Instant::ZERO, taken: Taken::default() })
    }

    /// What ran of each script, if they are watched.
    pub(super) fn coverage(&self) -> impl Iterator<Item = &Coverage> {
        self.devices.iter().filter_map(|device| device.sim.coverage())
    }

    /// Does something to a device, and lets everything happen that comes of it at this instant.
    pub(super) fn act(
        &mut self,
        device: usize,
        act: impl FnOnce(&mut Simulator),
    ) -> Result<(), Overrun> {
        act(&mut self.devices[device].sim);
        self.exchange()
    }

    /// A message comes in from outside; clients of that broker get it too.
    pub(super) fn message(
        &mut self,
        device: usize,
        remote: bool,
        (topic, data, retained): (&str, &[u8], bool),
    ) -> Result<(), Overrun> {
        match remote {
            true => {
                self.devices[device].message(Side::Remote, (topic, data, retained), true);
            }
            false => self.deliver(device, None, (topic, data, retained)),
        }
        self.exchange()
    }

    /// Starts a device's script; remote brokers that are linked and up accept their clients.
    pub(super) fn start(&mut self, device: usize) -> Result<(), Overrun> {
        self.devices[device].is_on = true;
        self.devices[device].sim.start();
        self.exchange()?;
        for &Link { client, broker } in self.links {
            let both = self.devices[client].is_on && self.devices[broker].is_on;
            if both && (client == device || broker == device) {
                self.devices[client].sim.connect_remote();
                self.exchange()?;
            }
        }
        Ok(())
    }

    /// Stops a device's script for good; its clients lose their remote broker.
    pub(super) fn stop(&mut self, device: usize) -> Result<(), Overrun> {
        self.devices[device].sim.stop();
        self.turn_off(device);
        self.exchange()
    }

    /// A power cut, then a start.
    pub(super) fn restart(&mut self, device: usize) -> Result<Result<(), LoadError>, Overrun> {
        self.turn_off(device);
        let image = self.devices[device].script.image.clone().unwrap_or_default();
        if let Err(error) = self.devices[device].sim.power_cut(image, self.profile) {
            return Ok(Err(error));
        }
        // Its engine is a new one.
        self.devices[device].fuel = 0;
        self.start(device).map(Ok)
    }

    fn turn_off(&mut self, device: usize) {
        self.devices[device].is_on = false;
        for link in self.links.iter().filter(|link| link.broker == device) {
            self.devices[link.client].sim.disconnect_remote();
        }
    }

    /// Lets time pass, for all devices alike.
    pub(super) fn advance(&mut self, by: Duration) -> Result<(), Overrun> {
        let end = self.now.saturating_add(by);
        while let Some(next) = self.next_at().filter(|next| *next <= end) {
            self.advance_to(next)?;
        }
        self.advance_to(end)
    }

    /// Lets time pass to a moment at which something may happen, or to the end of a span if nothing
    /// does before. False at the end.
    pub(super) fn advance_to_next(&mut self, end: Instant) -> Result<bool, Overrun> {
        let next = self.next_at().filter(|next| *next < end);
        self.advance_to(next.unwrap_or(end))?;
        Ok(next.is_some())
    }

    /// The virtual time.
    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// When the next thing is due, a millisecond from now at least.
    fn next_at(&self) -> Option<Instant> {
        let soon = self.now.saturating_add(Duration::from_millis(1));
        let next = self.devices.iter().filter_map(|device| device.sim.next_at()).min()?;
        Some(next.max(soon))
    }

    fn advance_to(&mut self, to: Instant) -> Result<(), Overrun> {
        self.taken.turn()?;
        let by = to.saturating_duration_since(self.now);
        self.now = to;
        self.devices.iter_mut().for_each(|device| device.sim.advance(by));
        self.exchange()
    }

    /// A step of the test.
    ///
    /// # Errors
    /// [`Overrun`].
    pub(super) fn turn(&mut self) -> Result<(), Overrun> {
        self.taken.turn()
    }

    /// What happened to a device until now is not looked at any more.
    pub(super) fn forget(&mut self, device: usize) {
        self.taken.kept = self.taken.kept.saturating_sub(self.devices[device].forget());
    }

    /// Takes what the devices did.
    fn collect(&mut self) -> Result<(), Overrun> {
        for device in &mut self.devices {
            device.collect();
            let (fuel, kept) = device.take();
            self.taken.take(fuel, kept)?;
        }
        Ok(())
    }

    /// Takes what the devices did and passes on what is for the others, until they are idle.
    fn exchange(&mut self) -> Result<(), Overrun> {
        self.collect()?;
        if self.links.is_empty() {
            return Ok(());
        }
        for _ in 0..MAX_ROUNDS {
            let mut any = false;
            for device in 0..self.devices.len() {
                while let Some(done) = self.devices[device].done.get(self.devices[device].passed_on)
                {
                    let action = done.action().cloned();
                    self.devices[device].passed_on += 1;
                    any |= action.is_some_and(|action| self.pass_on(device, action));
                }
            }
            if !any {
                return Ok(());
            }
            self.collect()?;
        }
        Err(Overrun::Answering)
    }

    /// Passes on one action; false if nobody is concerned.
    fn pass_on(&mut self, device: usize, action: Action) -> bool {
        let broker = self.links.iter().find(|link| link.client == device).map(|link| link.broker);
        match (action, broker) {
            (Action::Publish { side: Side::Remote, topic, data, retained }, Some(broker)) => {
                let topic = String::from_utf8_lossy(&topic).into_owned();
                self.deliver(broker, Some(device), (&topic, &data, retained));
                true
            }
            (Action::Subscribe(Side::Remote, filter), Some(broker)) => {
                let kept = self.devices[broker].sim.retained_messages(&filter);
                for (topic, data) in &kept {
                    let topic = String::from_utf8_lossy(topic).into_owned();
                    self.devices[device].message(Side::Remote, (&topic, data, true), false);
                }
                !kept.is_empty()
            }
            (Action::Publish { side: Side::Local, topic, data, .. }, _) => {
                let topic = String::from_utf8_lossy(&topic).into_owned();
                self.clients(device, None, &topic, &data)
            }
            _ => false,
        }
    }

    /// A message comes to a device's own broker, from a client of it or from elsewhere.
    fn deliver(
        &mut self,
        device: usize,
        from: Option<usize>,
        (topic, data, retained): (&str, &[u8], bool),
    ) {
        let by_step = from.is_none();
        self.devices[device].message(Side::Local, (topic, data, retained), by_step);
        self.clients(device, from, topic, data);
    }

    /// A broker's clients get a message, except the one it is from, which has it already.
    fn clients(&mut self, broker: usize, from: Option<usize>, topic: &str, data: &[u8]) -> bool {
        let mut any = false;
        for link in self.links {
            if link.broker == broker && Some(link.client) != from && self.devices[link.client].is_on
            {
                self.devices[link.client].message(Side::Remote, (topic, data, false), false);
                any = true;
            }
        }
        any
    }
}

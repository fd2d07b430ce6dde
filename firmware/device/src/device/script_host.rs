//! What the script engine is given of the device.

use umqtt_mqtt::client::ClientPublishError;
use umqtt_mqtt::{PublishError, QoS};
use umqtt_topic::TopicError;
use umqtt_vm::{
    Almanac, Console, FLASH_VARIABLE_LEN, FlashVariables, Gpio, Http, Mqtt, Random, Serial, Side,
    Step, Tracing,
};

use super::state::DeviceState;
use crate::log::Level;
use crate::platform::Platform;
use crate::printable::{self, Printable};
use crate::settings::{Capability, Param, SetError, Source};
use crate::storage::ProtectedServices;

/// The device, as a script uses it.
pub(super) struct ScriptHost<'c, P: Platform> {
    pub(super) state: &'c mut DeviceState<P>,
}

impl<P: Platform> ScriptHost<'_, P> {
    /// Logs a line; returns what that costs, as so many looks.
    fn warn(&mut self, line: core::fmt::Arguments<'_>) -> u32 {
        if self.is_tracing() {
            self.step(Step::Note(line));
        }
        self.state.log(Level::Script, format_args!("Script warning: {line}"));
        LOGGED
    }
}

/// Looks that a line of the log costs.
const LOGGED: u32 = 30;
/// Bytes of a topic that a line of the log shows.
const SHOWN: usize = 64;

/// A topic as a line of the log shows it.
fn shown(topic: &[u8]) -> Printable<'_> {
    Printable(topic.get(..SHOWN).unwrap_or(topic))
}

impl<P: Platform> Mqtt for ScriptHost<'_, P> {
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<u32, TopicError> {
        let shown = shown(topic);
        match side {
            Side::Local => {
                match self.state.broker.publish(topic, data, QoS::AtMostOnce, retained) {
                    Ok(()) => {}
                    Err(PublishError::Topic(error)) => return Err(error),
                    Err(error) => {
                        let looks = self.warn(format_args!("publish local {shown}: {error}"));
                        return Ok(looks + self.state.broker.looked_at() as u32);
                    }
                }
            }
            Side::Remote => match self.state.publish_remote(topic, data, retained) {
                Ok(()) => return Ok(0),
                Err(ClientPublishError::Topic(error)) => return Err(error),
                Err(error) => {
                    return Ok(self.warn(format_args!("publish remote {shown}: {error}")));
                }
            },
        }
        Ok(self.state.broker.looked_at() as u32)
    }

    #[inline(never)]
    fn subscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        let shown = shown(filter);
        match side {
            Side::Local => {
                if let Err(error) = self.state.broker.subscribe(filter, QoS::AtMostOnce) {
                    return self.warn(format_args!("subscribe local {shown}: {error}"));
                }
            }
            Side::Remote => {
                if let Err(error) = self.state.upstream.subscribe(filter) {
                    return self.warn(format_args!("subscribe remote {shown}: {error}"));
                }
                return self.state.upstream.looked_at();
            }
        }
        0
    }

    #[inline(never)]
    fn unsubscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        match side {
            Side::Local => {
                self.state.broker.unsubscribe(filter);
            }
            Side::Remote => {
                if !self.state.upstream.unsubscribe(filter) {
                    let shown = shown(filter);
                    return self.warn(format_args!(
                        "unsubscribe remote {shown}: the client is not connected"
                    ));
                }
                return self.state.upstream.looked_at();
            }
        }
        0
    }

    fn unsubscribe_all(&mut self) {
        self.state.broker.unsubscribe_all();
        self.state.upstream.unsubscribe_all();
        // What is on its way is for the script that ends, not for the next.
        while self.state.broker.poll_local().is_some() {}
        self.state.commands.clear();
        self.state.requests.clear();
    }

    fn retained(&mut self, filter: &[u8], out: &mut [u8], looks: &mut u32) -> usize {
        let Some(message) = self.state.broker.first_retained(filter, looks) else { return 0 };
        let len = message.payload.len().min(out.len());
        out[..len].copy_from_slice(&message.payload[..len]);
        len
    }
}

impl<P: Platform> Http for ScriptHost<'_, P> {
    fn http_get(&mut self, url: &[u8]) {
        self.state.request(url, None);
    }

    fn http_post(&mut self, url: &[u8], body: &[u8]) {
        self.state.request(url, Some(body));
    }
}

impl<P: Platform> Gpio for ScriptHost<'_, P> {
    fn gpio(&mut self) -> Option<&mut dyn Gpio> {
        Some(&mut self.state.board)
    }
}

impl<P: Platform> Tracing for ScriptHost<'_, P> {
    fn is_tracing(&self) -> bool {
        !P::LACKS.has(Capability::Trace)
            && self.state.trace.is_some()
            && !self.state.lock.is_locked()
    }

    fn step(&mut self, step: Step<'_>) {
        if !P::LACKS.has(Capability::Trace)
            && let Some(session) = &mut self.state.trace
        {
            session.tracer.step(&step, self.state.now);
        }
    }
}

impl<P: Platform> Serial for ScriptHost<'_, P> {
    fn serial(&mut self) -> Option<&mut dyn Serial> {
        Some(&mut self.state.board)
    }
}

impl<P: Platform> Random for ScriptHost<'_, P> {
    fn random_source(&mut self) -> Option<&mut dyn Random> {
        Some(&mut self.state.board)
    }
}

impl<P: Platform> Almanac for ScriptHost<'_, P> {
    fn sun(&mut self, day: u32) -> Option<[i32; 2]> {
        self.state.sun(day)
    }

    fn unix_time(&mut self) -> u32 {
        let utc = self.state.utc().map(|millis| millis / 1000);
        utc.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(0)
    }
}

impl<P: Platform> Console for ScriptHost<'_, P> {
    fn print(&mut self, text: &[u8], newline: bool) {
        // Writing to the log never fails.
        let _ = printable::pieces(text, true, &mut |piece| {
            self.state.print(Level::Script, piece.as_bytes());
            Ok(())
        });
        if newline {
            self.state.print(Level::Script, b"\r\n");
        }
    }

    fn system(&mut self, command: &[u8]) {
        self.state.command(command);
    }

    fn config(&mut self, name: &[u8], value: &[u8]) {
        let services = Param::by_name(name).map(Param::protects).unwrap_or_default();
        if value.is_empty() && services.has(ProtectedServices::BROKER) {
            // As of a flash variable that is empty, damaged, or cannot be read.
            self.state.unprotected.add(services);
            self.warn(format_args!(
                "config {}: no value, so nobody is let in; none lets everybody in",
                shown(name)
            ));
            return;
        }
        match self.state.settings.set_by_name(name, value, Source::Script) {
            Ok(param) => self.state.apply(param),
            // A script is for many boards.
            Err(error @ SetError::Lacks(..)) => {
                self.state.log(Level::Info, format_args!("config {}: {error}", shown(name)));
            }
            Err(error) => {
                self.state.unprotected.add(services);
                self.warn(format_args!("config {}: {error}", shown(name)));
            }
        }
    }

    fn log(&mut self, line: core::fmt::Arguments<'_>) {
        self.state.log(Level::Script, line);
    }
}

impl<P: Platform> FlashVariables for ScriptHost<'_, P> {
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        match self.state.flash_variable(n, out) {
            Ok(len) => len,
            Err(error) => {
                // What is made of the empty value must not take the place of what is there.
                self.state.unread = true;
                self.warn(format_args!("@{n} cannot be read, and none is written now: {error}"));
                0
            }
        }
    }

    fn flash_write(&mut self, n: u8, value: &[u8]) {
        if self.state.unread {
            self.warn(format_args!("@{n} was not written: one could not be read before"));
        } else {
            self.state.set_variable_later(n, value);
        }
    }
}

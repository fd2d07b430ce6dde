//! At the end of each poll: the ledger is brought up to date, and a wait for memory that nothing
//! would end is ended.

use umqtt_memory::Share;

use super::Device;
use super::install;
use super::memory::MemoryPressure;
use super::mqtt::MqttClients;
use super::service::{Service, is_in_image};
use super::trace_session::TraceSession;
use crate::dhcp::Dhcp;
use crate::mdns::Mdns;
use crate::name_server::NameServer;
use crate::net::Net;
use crate::ntp::Ntp;
use crate::platform::Platform;
use crate::settings::Capability;

/// Milliseconds in which no step found memory before a client gives way.
const STARVED: u32 = 1000;
/// The same when one has given way not long ago: it was not enough.
const STARVED_AGAIN: u32 = 100;
/// Milliseconds that are not long.
const LATELY: u32 = 10_000;
/// Milliseconds after which there is nothing left that could give way, and only a restart helps.
const HOPELESS: u32 = 30_000;

impl<P: Platform> Service<P> for MemoryPressure {
    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        relieve(device, net);
        account(device, net);
        false
    }
}

/// Ends a wait for memory that nothing would end: what clients have begun to send, or do not take,
/// may hold what they need to go on. Those who hold the most give way, one at a time, until a step
/// finds its memory; then what the script asked the web for, the connection to the remote broker
/// and an upload under way. A device that finds no memory although nobody holds any is restarted.
#[inline(never)]
fn relieve<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) {
    let now = device.state.now;
    let passed = |since: Option<u32>| Some((now.as_millis() as u32).wrapping_sub(since?));
    let starved =
        passed(device.state.memory.starved_since).max(passed(device.script.unloaded_since));
    let Some(starved) = starved else { return };
    let lately = passed(device.state.memory.relieved_at).is_some_and(|ago| ago < LATELY);
    if starved < if lately { STARVED_AGAIN } else { STARVED } {
        return;
    }
    device.state.memory.relieved_at = Some(now.as_millis() as u32);
    if device.state.broker.relieve(now) {
        return MqttClients::flush(device, net);
    }
    if device.http.cancel(net) {
        device.state.ledger[Share::Http].refuse();
    }
    device.state.upstream.give_way(now, net);
    if install::give_up(device, net) {
        device.state.ledger[Share::Upload].refuse();
    }
    if starved >= HOPELESS {
        device.state.restart.require();
    }
}

/// Writes down what each part holds now.
fn account<P: Platform>(device: &mut Device<P>, net: &dyn Net) {
    let mut fixed = size_of_val(&*device.state) + size_of::<Device<P>>() + device.mqtt.memory();
    let boxed = [
        (is_in_image::<P, Ntp>(), device.state.ntp.as_deref().map(size_of_val)),
        (is_in_image::<P, Mdns>(), device.state.mdns.as_deref().map(size_of_val)),
        (is_in_image::<P, Dhcp>(), device.state.dhcp.as_deref().map(size_of_val)),
        (is_in_image::<P, NameServer>(), device.state.name_server.as_deref().map(size_of_val)),
    ];
    for (in_image, bytes) in boxed {
        fixed += bytes.filter(|_| in_image).unwrap_or(0);
    }
    let script =
        device.script.memory() + device.state.commands.memory() + device.state.variables.memory();
    let wifi = device.state.wifi().map_or(0, |wifi| wifi.memory());
    let trace = device.state.trace.as_deref().filter(|_| !P::LACKS.has(Capability::Trace));
    let trace = trace.map_or(0, TraceSession::memory);
    let mdns = device.state.mdns.as_deref().filter(|_| is_in_image::<P, Mdns>());
    let mdns = mdns.map_or(0, Mdns::memory);
    let network = net.memory();
    let own = network.min(device.state.ledger[Share::Network].budget);
    let used = [
        (Share::Fixed, fixed),
        (Share::Network, own),
        (Share::Services, network - own + mdns),
        (Share::Broker, device.state.broker.memory()),
        (Share::Upload, device.uploads.memory() + device.state.storage.incoming_memory()),
        (Share::Script, script),
        (Share::Console, device.consoles.memory() + wifi + trace),
        (Share::Log, device.state.log.memory()),
        (Share::Http, device.http.memory() + device.state.requests.memory()),
        (Share::Upstream, device.state.upstream.memory()),
    ];
    for (share, bytes) in used {
        device.state.ledger[share].set_used(bytes);
    }
    device.state.lend();
    // A console that finds none left reads on when the messages have left.
    let idle = device.state.options.plan.idle();
    device.state.broker.lend_memory(if device.script.engine.is_some() { 0 } else { idle });
    let stats = device.state.broker.stats();
    let refused = stats.out_of_memory + stats.no_memory + stats.retained_refused;
    let script = &mut device.state.ledger[Share::Script];
    script.refused = script.refused.saturating_add(device.script.take_refused());
    let log = &mut device.state.ledger[Share::Log];
    log.refused = log.refused.saturating_add(device.state.log.take_dropped());
    let seen = core::mem::replace(&mut device.state.memory.network_refused, net.refused());
    device.state.memory.refused_answers = net.refused_answers();
    let network = &mut device.state.ledger[Share::Network];
    network.refused = network.refused.saturating_add(net.refused().saturating_sub(seen));
    let storage = &mut device.state.ledger[Share::Storage];
    storage.refused = storage.refused.saturating_add(device.state.storage.take_refused());
    device.state.ledger[Share::Broker].refused = u32::try_from(refused).unwrap_or(u32::MAX);
    device.state.ledger[Share::Upstream].refused = device.state.upstream.refused();
}

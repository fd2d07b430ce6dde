//! `show stats`.

use umqtt_dns::mdns::MdnsStats;
use umqtt_memory::Account;

use crate::console::device_control::{DeviceControl, MdnsStatus, Synchronisation, Synchronised};
use crate::console::output::Output;

pub(super) fn stats(device: &mut dyn DeviceControl, out: &mut Output) {
    let stats = device.stats();
    let up = stats.uptime.as_secs();
    line!(out, "System uptime: {}:{:02}:{:02}", up / 3600, up / 60 % 60, up % 60);
    if let Some(bytes) = stats.free_memory {
        line!(out, "Free mem: {bytes}");
    }
    line!(out, "Script events: {} (mean {} us)", stats.script_events, stats.script_mean_us);
    line!(out, "Received: {} bytes, sent: {} bytes", stats.bytes_received, stats.bytes_sent);
    device.addresses(&mut |address| line!(out, "IP address: {address}"));
    if stats.joined == Some(false) {
        line!(out, "Not connected to AP");
    }
    if let Some(rssi) = stats.rssi {
        line!(out, "Connected to AP: {rssi} dBm");
    }
    if stats.browsers > 0 {
        line!(out, "HTTP refused: {}", stats.browsers);
    }
    if stats.refused_answers > 0 {
        line!(out, "DNS answers refused: {}", stats.refused_answers);
    }
    match stats.stations {
        Some(1) => line!(out, "1 station connected to AP"),
        Some(count) => line!(out, "{count} stations connected to AP"),
        None => {}
    }
    match device.time() {
        Some(time) => line!(out, "Clock set: {time}"),
        None => line!(out, "Clock not set"),
    }
    if let Some(ntp) = &stats.ntp {
        synchronisation(ntp, out);
    }
    if let Some(mdns) = device.mdns() {
        let MdnsStatus { name, established, stats } = mdns;
        let state = if established { "" } else { ", not ours yet" };
        let MdnsStats { multicasts, unicasts, conflicts, ignored, refused, .. } = stats;
        let sent = multicasts.saturating_add(unicasts);
        line!(
            out,
            "mDNS: {name}{state}, sent {sent}, conflicts {conflicts}, refused {}",
            ignored.saturating_add(refused)
        );
    }
    device.own_network(&mut |text| out.line(text));
    line!(out, "{:<9}{:>11}{:>11}{:>11}{:>8}", "Memory", "budget", "used", "most", "refused");
    for (share, account) in device.ledger().iter() {
        let Account { budget, used, high_water, refused } = account;
        let name = share.name();
        line!(out, "  {name:<8}{budget:>10}{used:>11}{high_water:>11}{refused:>8}");
    }
}

fn synchronisation(ntp: &Synchronisation, out: &mut Output) {
    if let Some(Synchronised { server, ago, offset, stratum }) = ntp.last {
        let ago = ago.as_secs();
        let by = format_args!("{ago} s ago by {server}, stratum {stratum}, offset");
        match offset {
            Some(offset) => line!(out, "Clock synchronized: {by} {offset} ms"),
            None => line!(out, "Clock synchronized: {by} unknown"),
        }
    } else if ntp.used {
        line!(out, "Clock not synchronized");
    }
    if ntp.used {
        let denied = if ntp.denied { ", denied by the server" } else { "" };
        let Synchronisation { asked, timeouts, refused, .. } = ntp;
        line!(out, "NTP: asked {asked}, no answer {timeouts}, refused {refused}{denied}");
    }
    if ntp.serves {
        line!(out, "NTP service: answered {}, refused {}", ntp.answered, ntp.not_answered);
    }
}

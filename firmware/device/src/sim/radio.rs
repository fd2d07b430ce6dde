//! A simulated radio and the networks around it, for boards without a real one and for tests.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use umqtt_net::Interface;

use crate::wifi::{
    ApConfig, Credentials, JoinError, Password, Radio, RadioError, RadioEvent, ScanResult,
    Security, Ssid,
};

/// Most networks around it.
const NETWORKS: usize = 128;
/// Most stations its access point takes, as that of a chip.
const STATIONS: usize = 8;
/// Most events that wait for the device; of results of a scan there is always room for all.
const EVENTS: usize = 64;
/// What is right behind `sim`.
pub const RADIO_USAGE: &str = "sim wifi add SSID [PASSWORD|none] [RSSI] [CHANNEL], \
    sim wifi remove SSID, sim wifi signal SSID RSSI, sim wifi lose, sim wifi up|down, \
    sim wifi station MAC [gone]";

/// A network in reach.
#[derive(Clone)]
struct Around {
    ssid: Ssid,
    password: Password,
    rssi: i8,
    channel: u8,
    mac: [u8; 6],
}

/// The radio, what is around it, and what it is used for. Answers come at once.
pub struct SimulatedRadio {
    mac: [u8; 6],
    around: Vec<Around>,
    /// Networks made so far: makes their addresses.
    made: u32,
    /// Nothing is in reach.
    down: bool,
    /// Joins and scans get no answer.
    mute: bool,
    joined: Option<Ssid>,
    access_point: Option<ApConfig>,
    stations: Vec<[u8; 6]>,
    events: VecDeque<RadioEvent>,
}

impl SimulatedRadio {
    /// A radio with this address, and nothing around it.
    pub fn new(mac: [u8; 6]) -> SimulatedRadio {
        SimulatedRadio {
            mac,
            around: Vec::new(),
            made: 0,
            down: false,
            mute: false,
            joined: None,
            access_point: None,
            stations: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// What a reset leaves: what is around.
    pub fn after_reset(&self) -> SimulatedRadio {
        let (around, made, down) = (self.around.clone(), self.made, self.down);
        SimulatedRadio { around, made, down, ..SimulatedRadio::new(self.mac) }
    }

    /// Has a network in reach, instead of one of the same name; false if there are too many, or the
    /// name or the password is too long.
    pub fn add(&mut self, ssid: &[u8], password: &[u8], rssi: i8, channel: u8) -> bool {
        let (Ok(ssid), Ok(password)) = (Ssid::from_slice(ssid), Password::from_slice(password))
        else {
            return false;
        };
        if let Some(known) = self.around.iter_mut().find(|known| known.ssid == ssid) {
            (known.password, known.rssi, known.channel) = (password, rssi, channel);
            return true;
        }
        let room = self.around.len() < NETWORKS;
        if room {
            self.made = self.made.wrapping_add(1);
            let [a, b, c, d] = self.made.to_be_bytes();
            let mac = [2, 0, a, b, c, d];
            self.around.push(Around { ssid, password, rssi, channel, mac });
        }
        room
    }

    /// Takes a network away; false if there is none of this name.
    pub fn remove(&mut self, ssid: &[u8]) -> bool {
        let before = self.around.len();
        self.around.retain(|known| known.ssid != ssid);
        if self.joined.as_deref() == Some(ssid) {
            self.lose();
        }
        self.around.len() < before
    }

    /// Loses the network that is joined, which is still there.
    pub fn lose(&mut self) -> bool {
        let lost = self.joined.take().is_some();
        if lost {
            self.push(RadioEvent::Lost);
        }
        lost
    }

    /// Takes everything out of reach, or back.
    pub fn set_down(&mut self, down: bool) {
        self.down = down;
        if down {
            self.lose();
        }
    }

    /// Has joins and scans get no answer.
    pub fn set_mute(&mut self, mute: bool) {
        self.mute = mute;
    }

    /// A station joins the access point; false if there is none, or it takes no more.
    pub fn add_station(&mut self, mac: [u8; 6]) -> bool {
        let known = self.stations.contains(&mac);
        let taken = self.access_point.is_some() && !known && self.stations.len() < STATIONS;
        if taken {
            self.stations.push(mac);
            self.push(RadioEvent::StationJoined(mac));
        }
        taken || known
    }

    /// A station leaves the access point; false if it is not there.
    pub fn remove_station(&mut self, mac: [u8; 6]) -> bool {
        let before = self.stations.len();
        self.stations.retain(|known| *known != mac);
        let left = self.stations.len() < before;
        if left {
            self.push(RadioEvent::StationLeft(mac));
        }
        left
    }

    /// The name of the network that is joined.
    pub fn joined(&self) -> Option<&[u8]> {
        self.joined.as_deref()
    }

    /// The access point there is.
    pub fn access_point(&self) -> Option<&ApConfig> {
        self.access_point.as_ref()
    }

    /// Does a command `sim wifi`, given without these words.
    ///
    /// # Errors
    /// What would be right.
    pub fn simulate(&mut self, words: &[&[u8]]) -> Result<String, String> {
        let done = match *words {
            [b"add", ssid, ref rest @ ..] if rest.len() <= 3 => {
                return self.simulate_add(ssid, rest);
            }
            [b"remove", ssid] if self.remove(ssid) => String::from("removed"),
            [b"signal", ssid, rssi] => {
                let rssi = number(rssi).ok_or("RSSI is -128 to 127")?;
                let known = self.around.iter_mut().find(|known| known.ssid == ssid);
                known.ok_or_else(|| no_network(ssid))?.rssi = rssi;
                format!("{rssi} dBm")
            }
            [b"remove", ssid] => return Err(no_network(ssid)),
            [b"lose"] => String::from(if self.lose() { "lost" } else { "not connected" }),
            [b"up"] => {
                self.set_down(false);
                String::from("wifi up")
            }
            [b"down"] => {
                self.set_down(true);
                String::from("wifi down")
            }
            [b"station", mac, ref rest @ ..] if matches!(rest, [] | [b"gone"]) => {
                let mac = mac_address(mac).ok_or("MAC is such as 02:00:00:00:00:0f")?;
                match (rest.is_empty(), self.access_point.is_some()) {
                    (false, _) if self.remove_station(mac) => String::from("gone"),
                    (false, _) => String::from("it was not there"),
                    (true, false) => String::from("not taken: there is no own network"),
                    (true, true) if self.add_station(mac) => String::from("joined"),
                    (true, true) => format!("not taken: at most {STATIONS} stations"),
                }
            }
            _ => return Err(String::from(RADIO_USAGE)),
        };
        Ok(done)
    }

    fn simulate_add(&mut self, ssid: &[u8], rest: &[&[u8]]) -> Result<String, String> {
        let password = match rest.first() {
            None | Some(&b"none") => &b""[..],
            Some(password) => password,
        };
        let rssi =
            rest.get(1).map_or(Some(-60), |word| number(word)).ok_or("RSSI is -128 to 127")?;
        let channel = rest.get(2).map_or(Some(6), |word| number(word));
        let channel = channel.filter(|channel| (1..=13).contains(channel));
        let channel = channel.ok_or("CHANNEL is 1 to 13")?;
        match self.add(ssid, password, rssi, channel.cast_unsigned()) {
            true => Ok(format!("in reach at {rssi} dBm, channel {channel}")),
            false => Err(format!("the name or password is too long, or there are {NETWORKS}")),
        }
    }

    fn push(&mut self, event: RadioEvent) {
        if self.events.len() < EVENTS {
            self.events.push_back(event);
        }
    }

    /// Forgets what was not told of the network.
    fn forget_joins(&mut self) {
        self.joined = None;
        self.events.retain(|event| {
            !matches!(
                event,
                RadioEvent::Joined { .. } | RadioEvent::JoinFailed(_) | RadioEvent::Lost
            )
        });
    }

    fn answer(&self, network: &Credentials) -> Result<&Around, JoinError> {
        let found = self.around.iter().find(|known| known.ssid == network.ssid && !self.down);
        let found = found.ok_or(JoinError::NotFound)?;
        // An open network asks for none.
        let right = found.password.is_empty() || found.password == network.password;
        if right { Ok(found) } else { Err(JoinError::WrongPassword) }
    }
}

impl Radio for SimulatedRadio {
    fn join(&mut self, network: &Credentials) -> Result<(), RadioError> {
        self.forget_joins();
        if self.mute {
            return Ok(());
        }
        let event = match self.answer(network) {
            Ok(&Around { channel, rssi, .. }) => {
                self.joined = Some(network.ssid.clone());
                RadioEvent::Joined { channel, rssi }
            }
            Err(why) => RadioEvent::JoinFailed(why),
        };
        self.push(event);
        Ok(())
    }

    fn leave(&mut self) {
        self.forget_joins();
    }

    fn start_ap(&mut self, config: &ApConfig) -> Result<(), RadioError> {
        self.stop_ap();
        self.access_point = Some(config.clone());
        Ok(())
    }

    fn stop_ap(&mut self) {
        self.access_point = None;
        self.stations.clear();
    }

    fn scan(&mut self) -> Result<(), RadioError> {
        if self.mute {
            return Ok(());
        }
        for known in self.around.iter().filter(|_| !self.down) {
            let Around { ssid, rssi, channel, mac, .. } = known.clone();
            let open = known.password.is_empty();
            let security = if open { Security::Open } else { Security::Wpa2 };
            let found = ScanResult { ssid, security, rssi, mac, channel };
            self.events.push_back(RadioEvent::Network(found));
        }
        self.events.push_back(RadioEvent::ScanDone(true));
        Ok(())
    }

    fn poll_event(&mut self) -> Option<RadioEvent> {
        self.events.pop_front()
    }

    fn rssi(&mut self) -> Option<i8> {
        let joined = self.joined.as_ref()?;
        self.around.iter().find(|known| known.ssid == *joined).map(|known| known.rssi)
    }

    /// That of the access point differs in a bit, as on a chip.
    fn mac(&self, interface: Interface) -> [u8; 6] {
        let mut mac = self.mac;
        if interface == Interface::AccessPoint {
            mac[0] ^= 2;
        }
        mac
    }
}

fn no_network(ssid: &[u8]) -> String {
    format!("no network {} was added", crate::printable::Printable(ssid))
}

fn number(word: &[u8]) -> Option<i8> {
    core::str::from_utf8(word).ok()?.parse().ok()
}

fn mac_address(word: &[u8]) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = core::str::from_utf8(word).ok()?.split(':');
    for byte in &mut mac {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sim(radio: &mut SimulatedRadio, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        radio.simulate(&words).unwrap_or_else(|right| right)
    }

    #[test]
    fn the_simulation_says_what_would_be_right() {
        let mut radio = SimulatedRadio::new([0; 6]);
        assert_eq!(sim(&mut radio, "add home secret99"), "in reach at -60 dBm, channel 6");
        assert_eq!(sim(&mut radio, "add cafe none -80 13"), "in reach at -80 dBm, channel 13");
        assert_eq!(sim(&mut radio, "signal home -70"), "-70 dBm");
        assert_eq!(sim(&mut radio, "lose"), "not connected");
        assert_eq!(sim(&mut radio, "remove cafe"), "removed");
        assert_eq!(
            sim(&mut radio, "station 02:00:00:00:00:0f"),
            "not taken: there is no own network"
        );
        assert_eq!(sim(&mut radio, "station 02:00:00:00:00:0f gone"), "it was not there");
        let (rssi, mac) = ("RSSI is -128 to 127", "MAC is such as 02:00:00:00:00:0f");
        for (wrong, right) in [
            ("", RADIO_USAGE),
            ("add", RADIO_USAGE),
            ("add x y -129", rssi),
            ("add x y -60 14", "CHANNEL is 1 to 13"),
            ("add x y -60 1 z", RADIO_USAGE),
            ("remove cafe", "no network cafe was added"),
            ("signal cafe -1", "no network cafe was added"),
            ("signal home -200", rssi),
            ("station 02:00:00:00:00", mac),
            ("station 02:00:00:00:00:0f:00", mac),
            ("station 2:0:0:0:0:0", mac),
            (
                "add 012345678901234567890123456789012",
                "the name or password is too long, or there are 128",
            ),
        ] {
            assert_eq!(sim(&mut radio, wrong), right, "{wrong}");
        }
    }

    #[test]
    fn what_is_around_has_a_bound() {
        let mut radio = SimulatedRadio::new([0; 6]);
        let added = (0..1000).filter(|n| radio.add(format!("{n}").as_bytes(), b"", -1, 1)).count();
        assert_eq!(added, NETWORKS);
        assert!(radio.add(b"1", b"password", -2, 1), "one of the same name is no more");
        for n in 0..1000 {
            radio.joined = Some(Ssid::new());
            assert!(radio.lose(), "{n}");
        }
        assert_eq!(radio.events.len(), EVENTS);
    }
}

//! The table: what each part of the device may hold at most.

/// A part of the device with a budget of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// What is there from the start and stays: settings, storage, tables.
    Fixed,
    /// Sockets and their buffers.
    Network,
    /// Clients, sessions, subscriptions, retained messages, messages in transit. New publishes wait
    /// while messages fill it.
    Broker,
    /// A script that is being received, checked and compiled. See [`Plan::within`].
    Upload,
    /// The running script: its image, engine, variables, queued events and commands.
    Script,
    /// Output that waits for users, and the lines they are typing.
    Console,
    /// The log's lines for consoles, and its backlog.
    Log,
    /// A script's HTTP request, its answer, and those that wait.
    Http,
    /// The client of the remote broker.
    Upstream,
    /// What services take only while they are on or ask something: datagrams and names, so far as
    /// the network's share has no room for them, and the device's name in its network.
    Services,
    /// Buffers of a change in flash.
    Storage,
    /// Small allocations of a step: see [`reserve()`](crate::reserve()). Refused: steps that were
    /// put off.
    Margin,
}

impl Share {
    /// How many there are.
    pub const COUNT: usize = 12;

    /// All, in the order of the table.
    pub const ALL: [Share; Share::COUNT] = [
        Share::Fixed,
        Share::Network,
        Share::Broker,
        Share::Upload,
        Share::Script,
        Share::Console,
        Share::Log,
        Share::Http,
        Share::Upstream,
        Share::Services,
        Share::Storage,
        Share::Margin,
    ];

    /// What `show stats` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Share::Fixed => "fixed",
            Share::Network => "network",
            Share::Broker => "broker",
            Share::Upload => "upload",
            Share::Script => "script",
            Share::Console => "console",
            Share::Log => "log",
            Share::Http => "http",
            Share::Upstream => "upstream",
            Share::Services => "services",
            Share::Storage => "storage",
            Share::Margin => "margin",
        }
    }
}

/// The budgets of a board, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// See [`Share::Fixed`].
    pub fixed: usize,
    /// See [`Share::Network`].
    pub network: usize,
    /// See [`Share::Broker`].
    pub broker: usize,
    /// See [`Share::Upload`].
    pub upload: usize,
    /// See [`Share::Script`].
    pub script: usize,
    /// See [`Share::Console`].
    pub console: usize,
    /// See [`Share::Log`].
    pub log: usize,
    /// See [`Share::Http`].
    pub http: usize,
    /// See [`Share::Upstream`].
    pub upstream: usize,
    /// See [`Share::Services`].
    pub services: usize,
    /// See [`Share::Storage`].
    pub storage: usize,
    /// See [`Share::Margin`].
    pub margin: usize,
}

impl Plan {
    /// For the ESP8266: 48 KiB of RAM with a stack of 7,040 bytes, of which the heap is what static
    /// data leaves.
    pub const ESP8266: Plan = Plan {
        fixed: 6_480,
        network: 16_064,
        broker: 9_856,
        upload: 9_856,
        script: 3_584,
        console: 1_536,
        log: 384,
        http: 1_536,
        upstream: 1_280,
        services: 5_120,
        storage: 512,
        margin: crate::STEP_MARGIN,
    };

    /// For the ESP32-C3: 32 clients in 128 KiB of RAM with a stack of 16 KiB. The rest is the
    /// radio's.
    pub const ESP32C3: Plan = Plan {
        fixed: 9_056,
        network: 41_472,
        broker: 24_576,
        upload: 24_576,
        script: 24_576,
        console: 4_096,
        log: 2_048,
        http: 4_096,
        upstream: 4_096,
        services: 8_192,
        storage: 1_024,
        margin: crate::STEP_MARGIN,
    };

    /// For a desktop: bounds against what runs wild rather than against the end of memory.
    pub const DESKTOP: Plan = Plan {
        fixed: 1 << 20,
        network: 1 << 30,
        broker: 1 << 30,
        upload: 1 << 20,
        script: 1 << 20,
        console: 5 * 16 * 1024,
        log: 256 * 1024,
        http: 256 * 1024,
        upstream: 16 << 20,
        services: 1 << 20,
        storage: 1 << 20,
        margin: crate::STEP_MARGIN,
    };

    /// All budgets so many times as large.
    pub const fn scaled(&self, by: usize) -> Plan {
        Plan {
            fixed: self.fixed * by,
            network: self.network * by,
            broker: self.broker * by,
            upload: self.upload * by,
            script: self.script * by,
            console: self.console * by,
            log: self.log * by,
            http: self.http * by,
            upstream: self.upstream * by,
            services: self.services * by,
            storage: self.storage * by,
            margin: self.margin,
        }
    }

    /// A share's budget.
    pub const fn budget(&self, share: Share) -> usize {
        match share {
            Share::Fixed => self.fixed,
            Share::Network => self.network,
            Share::Broker => self.broker,
            Share::Upload => self.upload,
            Share::Script => self.script,
            Share::Console => self.console,
            Share::Log => self.log,
            Share::Http => self.http,
            Share::Upstream => self.upstream,
            Share::Services => self.services,
            Share::Storage => self.storage,
            Share::Margin => self.margin,
        }
    }

    /// The share whose memory this one uses: they are one share, and count once. What this one
    /// holds lowers what that one may.
    ///
    /// A script is compiled when the messages in transit have left the broker's; HTTP requests and
    /// the messages of the remote broker are in transit themselves. What services ask is answered
    /// in a moment, or they are on because somebody wants that more than memory for messages.
    pub const fn within(share: Share) -> Option<Share> {
        match share {
            Share::Upload | Share::Http | Share::Upstream | Share::Services => Some(Share::Broker),
            _ => None,
        }
    }

    /// What messages on their way may use beside the broker's share while no script runs, and an
    /// upload beside its own as far as nobody does: the script's, what its flash variables take to
    /// write, and half of what consoles may keep.
    pub const fn idle(&self) -> usize {
        self.script + self.storage + self.console / 2
    }

    /// The most that a share can ever hold: its budget, and what is lent to it.
    pub const fn most(&self, share: Share) -> usize {
        let lent = match share {
            Share::Broker | Share::Upload => self.idle(),
            // An answer that the script has seen stands beside what follows it, for a moment.
            Share::Http => self.http,
            // What the broker does not use.
            Share::Upstream => self.broker.saturating_sub(self.upstream),
            _ => 0,
        };
        self.budget(share) + lent
    }

    /// All budgets together, each byte once.
    pub const fn total(&self) -> usize {
        let (mut sum, mut at) = (0, 0);
        while at < Share::COUNT {
            let share = Share::ALL[at];
            if Plan::within(share).is_none() {
                sum += self.budget(share);
            }
            at += 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_table_is_the_table() {
        let page = include_str!("../docs/ledger.md");
        for share in Share::ALL {
            let [esp8266, esp32c3, desktop] =
                [Plan::ESP8266, Plan::ESP32C3, Plan::DESKTOP].map(|plan| plan.budget(share));
            let row = alloc::format!("| {} | {esp8266} | {esp32c3} | {desktop} |", share.name());
            assert!(page.contains(&row), "no row {row}");
        }
    }

    #[test]
    fn a_share_within_another_is_no_larger() {
        for plan in [Plan::ESP8266, Plan::ESP32C3, Plan::DESKTOP] {
            for share in Share::ALL {
                if let Some(outer) = Plan::within(share) {
                    assert!(plan.budget(share) <= plan.budget(outer), "{}", share.name());
                }
            }
        }
    }
}

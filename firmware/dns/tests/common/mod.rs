//! Messages as text, by way of another implementation: `simple-dns` reads and writes them.

#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

pub mod link;

use std::net::Ipv4Addr;

use simple_dns::rdata::{A, AAAA, CNAME, PTR, RData, SOA, SRV, TXT};
use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, ResourceRecord, TYPE,
};

/// A message in lines: `? name TYPE` for questions (`QU` if an answer by unicast is welcome), and
/// `= name TYPE ttl data` for answers, `~` for the authority section, `+` for additional records; a
/// `!` at the end says that a record replaces all others.
pub fn dump(bytes: &[u8]) -> Vec<String> {
    let packet = Packet::parse(bytes).unwrap_or_else(|e| panic!("{e}: {bytes:x?}"));
    let mut lines = Vec::new();
    for question in &packet.questions {
        let qtype = match question.qtype {
            QTYPE::TYPE(qtype) => format!("{qtype:?}"),
            other => format!("{other:?}"),
        };
        let welcome = if question.unicast_response { " QU" } else { "" };
        lines.push(format!("? {} {qtype}{welcome}", question.qname));
    }
    for (sign, records) in
        [('=', &packet.answers), ('~', &packet.name_servers), ('+', &packet.additional_records)]
    {
        for record in records {
            let data = match &record.rdata {
                RData::A(a) => format!("A {} {}", record.ttl, Ipv4Addr::from(a.address)),
                RData::PTR(PTR(name)) => format!("PTR {} {name}", record.ttl),
                RData::CNAME(CNAME(name)) => format!("CNAME {} {name}", record.ttl),
                RData::SRV(srv) => format!("SRV {} {}:{}", record.ttl, srv.target, srv.port),
                RData::TXT(txt) => {
                    let mut entries: Vec<_> = txt
                        .iter_raw()
                        .map(|(key, value)| {
                            let value = String::from_utf8_lossy(value.unwrap_or_default());
                            format!("{}={value}", String::from_utf8_lossy(key))
                        })
                        .collect();
                    entries.sort();
                    format!("TXT {} {}", record.ttl, entries.join(" "))
                }
                RData::NSEC(nsec) => {
                    let types: Vec<_> = nsec.types().collect();
                    format!("NSEC {} {} {types:?}", record.ttl, nsec.next_name)
                }
                other => format!("{other:?}"),
            };
            let flush = if record.cache_flush { " !" } else { "" };
            lines.push(format!("{sign} {} {data}{flush}", record.name));
        }
    }
    lines
}

pub fn code(bytes: &[u8]) -> RCODE {
    Packet::parse(bytes).unwrap().rcode()
}

/// A message that is being made.
pub struct Build(Packet<'static>);

fn name(text: &str) -> Name<'static> {
    Name::new(text).unwrap().into_owned()
}

impl Build {
    pub fn query(id: u16) -> Build {
        let mut packet = Packet::new_query(id);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        Build(packet)
    }

    pub fn multicast_query() -> Build {
        Build(Packet::new_query(0))
    }

    pub fn reply(id: u16) -> Build {
        Build(Packet::new_reply(id))
    }

    /// The answer to a question, with the question in it.
    pub fn reply_to(query: &[u8]) -> Build {
        let query = Packet::parse(query).unwrap();
        let mut packet = Packet::new_reply(query.id());
        packet.questions.extend(query.questions.into_iter().map(Question::into_owned));
        Build(packet)
    }

    pub fn code(mut self, code: RCODE) -> Build {
        *self.0.rcode_mut() = code;
        self
    }

    pub fn flag(mut self, flag: PacketFlag) -> Build {
        self.0.set_flags(flag);
        self
    }

    pub fn ask(mut self, text: &str, qtype: TYPE) -> Build {
        let (qtype, class) = (QTYPE::TYPE(qtype), QCLASS::CLASS(CLASS::IN));
        self.0.questions.push(Question::new(name(text), qtype, class, false));
        self
    }

    pub fn ask_any(mut self, text: &str) -> Build {
        let class = QCLASS::CLASS(CLASS::IN);
        self.0.questions.push(Question::new(name(text), QTYPE::ANY, class, false));
        self
    }

    /// The last question welcomes an answer by unicast.
    pub fn unicast(mut self) -> Build {
        self.0.questions.last_mut().unwrap().unicast_response = true;
        self
    }

    fn record(text: &str, ttl: u32, data: RData<'static>) -> ResourceRecord<'static> {
        ResourceRecord::new(name(text), CLASS::IN, ttl, data)
    }

    pub fn a(self, text: &str, ttl: u32, address: [u8; 4]) -> Build {
        let address = u32::from_be_bytes(address);
        self.answer(text, ttl, RData::A(A { address }))
    }

    pub fn aaaa(self, text: &str, ttl: u32) -> Build {
        self.answer(text, ttl, RData::AAAA(AAAA { address: 7 }))
    }

    /// The last proposal says that it replaces all other records.
    pub fn flush(mut self) -> Build {
        self.0.name_servers.last_mut().unwrap().cache_flush = true;
        self
    }

    pub fn cname(self, text: &str, ttl: u32, target: &str) -> Build {
        self.answer(text, ttl, RData::CNAME(CNAME(name(target))))
    }

    pub fn ptr(self, text: &str, ttl: u32, target: &str) -> Build {
        self.answer(text, ttl, RData::PTR(PTR(name(target))))
    }

    pub fn srv(self, text: &str, ttl: u32, target: &str, port: u16) -> Build {
        let srv = SRV { priority: 0, weight: 0, port, target: name(target) };
        self.answer(text, ttl, RData::SRV(srv))
    }

    pub fn txt(self, text: &str, ttl: u32, entries: &[&'static str]) -> Build {
        let mut txt = TXT::new();
        for entry in entries {
            txt.add_string(entry).unwrap();
        }
        self.answer(text, ttl, RData::TXT(txt))
    }

    pub fn answer(mut self, text: &str, ttl: u32, data: RData<'static>) -> Build {
        self.0.answers.push(Build::record(text, ttl, data));
        self
    }

    /// Proposes an address.
    pub fn propose_a(mut self, text: &str, address: [u8; 4]) -> Build {
        let address = u32::from_be_bytes(address);
        self.0.name_servers.push(Build::record(text, 120, RData::A(A { address })));
        self
    }

    pub fn soa(mut self, ttl: u32, minimum: u32) -> Build {
        let soa = SOA {
            mname: name("ns.example"),
            rname: name("admin.example"),
            serial: 1,
            refresh: 1,
            retry: 1,
            expire: 1,
            minimum,
        };
        self.0.name_servers.push(Build::record("example", ttl, RData::SOA(soa)));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.build_bytes_vec_compressed().unwrap()
    }
}

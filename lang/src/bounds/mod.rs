//! Bounds: what a compiled script takes at most, known before it runs.
//!
//! Every figure is an upper bound, whatever comes from outside: all ways through the code are
//! looked at, values are as long as they may be, and where memory runs short is anywhere. So they
//! are above what a script takes as a rule, often far. What the broker does with a message is not
//! in them: [`Cost::looking`] says how often it is asked.
//!
//! | module | job |
//! |---|---|
//! | `cost` | what a way through code costs |
//! | `prices` | what an instruction costs |
//! | `flow` | all ways through the code of a handler |
//! | `loops` | how often a loop comes round |

mod cost;
mod flow;
mod loops;
mod prices;

use alloc::vec::Vec;

pub use cost::Cost;
use flow::{Flow, MEMORY_STEP, constant_len};
use loops::{Code, loops};
use umqtt_vm::image::{FilterKind, Record, Trigger};
use umqtt_vm::{Profile, Program, Slot};

/// What a script takes at most.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Bounds {
    /// Its handlers, in the order of the script.
    pub handlers: Vec<HandlerBounds>,
    /// Bytes of memory for its values: variables, and the texts of a statement. Where this is
    /// more than [`Profile::ram`], a handler may be stopped for want of memory.
    pub memory: usize,
}

/// What a handler takes at most.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HandlerBounds {
    /// Which.
    pub record: Record,
    /// Its line, where the program has lines.
    pub line: Option<u32>,
    /// What it takes each time.
    pub cost: Cost,
    /// What each message takes beside, whether it wakes the handler or not, to compute the topic.
    pub filter: Option<Cost>,
}

impl HandlerBounds {
    /// Microseconds on the profile's processor, with those for its topic; not counted what looking
    /// at places takes.
    pub fn micros(&self, profile: &Profile) -> u64 {
        let filter = self.filter.map_or(0, |filter| filter.micros(profile));
        self.cost.micros(profile).saturating_add(filter)
    }
}

/// More rounds than that, and what is not settled is as long as anything.
const ROUNDS: usize = 4;

impl Bounds {
    /// Those of a program.
    pub fn of<B: AsRef<[u8]>>(program: &Program<B>, profile: &Profile) -> Bounds {
        let image = program.image();
        let header = image.layout().header;
        let code = Code { image: &image, words: image.code(), temporaries: header.temporaries };
        let records: Vec<Record> = image.records().collect();
        let subs = records.iter().filter(|record| record.trigger == Trigger::Sub);
        let subs: Vec<usize> = subs.map(|record| record.code.into()).collect();
        let variables = alloc::vec![0; program.variables()];
        let mut flow = Flow {
            code,
            profile,
            loops: loops(code.words),
            constants: (0..header.constants).map(|n| constant_len(image.constant(n))).collect(),
            variables,
            sub_costs: alloc::vec![None; subs.len()],
            subs,
            scratch: 0,
            compaction: 0,
            start: 0,
        };
        for round in 0.. {
            let before = flow.variables.clone();
            flow.all(&records);
            if flow.variables == before {
                break;
            }
            if round >= ROUNDS {
                let limit = profile.value as u32;
                let lens = flow.variables.iter_mut().zip(&before);
                lens.filter(|(now, before)| now != before).for_each(|(now, _)| *now = limit);
            }
        }
        let texts: u64 = flow.variables.iter().map(|&len| u64::from(len).next_multiple_of(4)).sum();
        let strings = texts + flow.scratch;
        let memory = program.slots() * size_of::<Slot>() + strings as usize;
        // Each text is looked for among all variables; what is moved was not above what there is.
        let longest = flow.variables.iter().copied().max().unwrap_or_default();
        let held = (strings + u64::from(longest) + MEMORY_STEP).min(profile.ram as u64);
        let texts = flow.variables.len() as u64 + 1;
        flow.compaction = texts * program.slots() as u64 + held / umqtt_vm::fuel::COPIED as u64;
        let mut handlers = flow.all(&records);
        handlers.sort_by_key(|handler| handler.record.code);
        for handler in &mut handlers {
            handler.line = program.line(handler.record.code);
        }
        Bounds { handlers, memory }
    }
}

impl Flow<'_> {
    /// All handlers once.
    fn all(&mut self, records: &[Record]) -> Vec<HandlerBounds> {
        self.sub_costs.fill(None);
        let mut all = Vec::new();
        for &record in records {
            let is_filter = matches!(record.trigger, Trigger::LocalFilter | Trigger::RemoteFilter);
            let is_computed =
                is_filter && FilterKind::from_code(record.key) == Some(FilterKind::Expression);
            let filter = is_computed.then(|| self.run(record.filter.into()));
            let cost = self.run(record.code.into());
            all.push(HandlerBounds {
                record,
                line: None,
                cost: cost.stopped(self.profile),
                filter: filter.map(|filter| filter.stopped(self.profile)),
            });
        }
        all
    }
}

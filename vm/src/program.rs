//! A verified image: the only thing that can run.

use crate::decode::instructions;
use crate::image::{Entry, Layout, RECORD_WORDS, Record, Trigger, WORD, words};
use crate::isa::Format;
use crate::verify::{Starts, verify};
use crate::{Image, Profile, VerifyError};

/// A handler of a program: its place in the handler table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler(pub(crate) u16);

impl Handler {
    /// The place in the handler table, for tables kept per handler.
    pub fn index(self) -> usize {
        self.0.into()
    }
}

/// A verified image, and the bytes it is in: `&[u8]`, `Vec<u8>`, `Rc<[u8]>`, ...
#[derive(Clone, Debug)]
pub struct Program<B> {
    bytes: B,
    layout: Layout,
    starts: Starts,
}

/// What a program needs of its device besides memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Bit n: timer n.
    pub timers: u64,
    /// Bit n: alarm n.
    pub alarms: u64,
    /// Bit n: pin n.
    pub pins: u64,
    /// Bit n: flash variable n.
    pub flash_variables: u64,
    /// Bytes of buffer for variables that hold numbers and for the stack; texts come on top.
    pub ram: usize,
}

impl<B: AsRef<[u8]>> Program<B> {
    /// Proves that an image may run on a device of this profile. Takes time linear in its size and
    /// about 300 bytes of stack.
    ///
    /// # Errors
    /// The first thing found wrong with it.
    pub fn verify(bytes: B, profile: &Profile) -> Result<Program<B>, VerifyError> {
        let image = Image::parse(bytes.as_ref()).map_err(VerifyError::Image)?;
        let starts = verify(bytes.as_ref(), &image.layout, profile)?;
        let layout = image.layout;
        Ok(Program { bytes, layout, starts })
    }

    /// The image, to look at.
    pub fn image(&self) -> Image<'_> {
        Image { bytes: self.bytes.as_ref(), layout: self.layout.clone() }
    }

    /// The bytes of the image.
    pub fn bytes(&self) -> &B {
        &self.bytes
    }

    /// The handlers with what wakes them.
    pub fn handlers(&self) -> impl Iterator<Item = (Handler, Record)> + '_ {
        self.image().records().enumerate().map(|(index, record)| (Handler(index as u16), record))
    }

    /// The source line (from 1) of a code offset, if the image has debug information.
    pub fn line(&self, offset: u16) -> Option<u32> {
        self.image().debug().line(offset)
    }

    /// How many variables it has.
    pub fn variables(&self) -> usize {
        self.layout.header.variables.into()
    }

    /// Timers, alarms, pins, flash variables and memory it uses.
    pub fn needs(&self) -> Needs {
        let mut needs =
            Needs { ram: crate::machine::needed(&self.layout.header), ..Needs::default() };
        let bit = |n: u32| 1u64.checked_shl(n).unwrap_or(0);
        for (_, record) in self.handlers() {
            match record.trigger {
                Trigger::Timer => needs.timers |= bit(record.key.into()),
                Trigger::Alarm => needs.alarms |= bit(record.key.into()),
                Trigger::Gpio => needs.pins |= bit(record.key.into()),
                _ => {}
            }
        }
        for (_, instruction) in instructions(self.image().code()) {
            let [_, number, _] = instruction.fields();
            let bit = bit(number.into());
            match instruction.op.format() {
                Format::Timer => needs.timers |= bit,
                Format::Alarm => needs.alarms |= bit,
                Format::Pin | Format::PinResult | Format::PinMode => needs.pins |= bit,
                Format::Flash | Format::FlashResult => needs.flash_variables |= bit,
                _ => {}
            }
        }
        needs
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The records of a trigger: the index of the first and of the one behind the last.
    #[inline]
    pub(crate) fn range(&self, trigger: Trigger) -> (u16, u16) {
        (self.starts[trigger as usize], self.starts[trigger as usize + 1])
    }

    #[inline]
    pub(crate) fn entry(&self, index: u16) -> Option<Entry> {
        let start = self.layout.handlers.start / WORD + usize::from(index) * RECORD_WORDS;
        let words = words(self.bytes.as_ref(), &(0..self.layout.handlers.end));
        Some(Entry::from_words([*words.get(start)?, *words.get(start + 1)?]))
    }
}

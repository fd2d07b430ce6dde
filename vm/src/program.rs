//! A verified image: the only thing that can run.

use crate::decode::instructions;
use crate::image::{ImageLayout, Record, Trigger, WORD};
use crate::isa::{ARGUMENTS, Format};
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

/// What is known of a verified image, as the machine needs it. Words are counted from the
/// start of the image.
#[derive(Clone, Debug)]
pub(crate) struct ProgramInfo {
    pub(crate) layout: ImageLayout,
    /// The word where the constants start.
    pub(crate) constants: usize,
    /// The word where the handler records start.
    pub(crate) records: usize,
    /// The word where the code starts.
    pub(crate) code: usize,
    /// The byte where the strings start.
    pub(crate) strings: usize,
    /// The slot of variable 0.
    pub(crate) first_variable: usize,
    /// How many variables.
    pub(crate) variables: usize,
    pub(crate) starts: Starts,
}

impl ProgramInfo {
    fn new(layout: ImageLayout, starts: Starts) -> ProgramInfo {
        ProgramInfo {
            constants: layout.constants.start / WORD,
            records: layout.handlers.start / WORD,
            code: layout.code.start / WORD,
            strings: layout.strings.start,
            first_variable: usize::from(ARGUMENTS) + usize::from(layout.header.temporaries),
            variables: layout.header.variables.into(),
            starts,
            layout,
        }
    }

    /// Slots of memory: the event's arguments, temporaries, variables, and one more for a value
    /// that may move.
    pub(crate) fn slots(&self) -> usize {
        self.first_variable + self.variables + 1
    }
}

/// A verified image, and the bytes it is in: `&[u8]`, `Vec<u8>`, `Rc<[u8]>`, ...
#[derive(Clone, Debug)]
pub struct Program<B> {
    bytes: B,
    info: ProgramInfo,
}

/// What a program needs of its device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirements {
    /// Bit n: timer n.
    pub timers: u64,
    /// Bit n: alarm n.
    pub alarms: u64,
    /// Bit n: pin n.
    pub pins: u64,
    /// Bit n: flash variable n.
    pub flash_variables: u64,
    /// Slots of memory for variables, arguments and temporaries; their strings come on top.
    pub slots: usize,
}

impl Requirements {
    /// Bytes of memory the slots take.
    pub fn ram(&self) -> usize {
        self.slots * size_of::<crate::Slot>()
    }
}

impl<B: AsRef<[u8]>> Program<B> {
    /// Proves that an image may run on a device of this profile. Takes time linear in its size and
    /// about 300 bytes of stack.
    ///
    /// ```
    /// use umqtt_vm::{Profile, Program};
    ///
    /// let script = b"on init do settimer 3 500";
    /// let image = umqtt_lang::compile(script, &Profile::ESP8266, Default::default()).unwrap();
    /// let program = Program::verify(&image[..], &Profile::ESP8266).unwrap();
    /// assert_eq!(program.requirements().timers, 1 << 3);
    /// assert!(Program::verify(&image[1..], &Profile::ESP8266).is_err());
    /// ```
    ///
    /// # Errors
    /// The first thing found wrong with it.
    pub fn verify(bytes: B, profile: &Profile) -> Result<Program<B>, VerifyError> {
        let image = Image::parse(bytes.as_ref()).map_err(VerifyError::Image)?;
        let starts = verify(bytes.as_ref(), &image.layout, profile)?;
        let layout = image.layout;
        Ok(Program { bytes, info: ProgramInfo::new(layout, starts) })
    }

    /// Takes the bytes out, for the time memory is short. Until [`Program::reload`] no event finds
    /// a handler.
    pub fn unload(&mut self) -> B
    where
        B: Default,
    {
        core::mem::take(&mut self.bytes)
    }

    /// Takes the same bytes again: false, and nothing has changed, if these are not sound or of
    /// another program. Two programs that only differ in their constants cannot be told apart.
    pub fn reload(&mut self, bytes: B, profile: &Profile) -> bool {
        let same = Program::verify(bytes, profile)
            .ok()
            .filter(|program| program.info.layout == self.info.layout);
        let reloaded = same.is_some();
        if let Some(program) = same {
            *self = program;
        }
        reloaded
    }

    /// The same program, its bytes held as another type.
    pub fn convert<C: AsRef<[u8]> + From<B>>(self) -> Program<C> {
        Program { bytes: self.bytes.into(), info: self.info }
    }

    /// The image, to look at.
    pub fn image(&self) -> Image<'_> {
        Image { bytes: self.bytes.as_ref(), layout: self.info.layout.clone() }
    }

    /// The bytes of the image.
    pub fn bytes(&self) -> &B {
        &self.bytes
    }

    /// The handlers with what wakes them; a sub is none.
    pub fn handlers(&self) -> impl Iterator<Item = (Handler, Record)> + '_ {
        let records = self.image().records().zip(0..).map(|(record, at)| (Handler(at), record));
        records.filter(|(_, record)| record.trigger != Trigger::Sub)
    }

    /// The source line (from 1) of a code offset, if the image has debug information.
    pub fn line(&self, offset: u16) -> Option<u32> {
        self.image().debug().line(offset)
    }

    /// How many variables it has.
    pub fn variables(&self) -> usize {
        self.info.variables
    }

    /// Slots of memory it runs in at least: [`Requirements::slots`] without the rest.
    pub fn slots(&self) -> usize {
        self.info.slots()
    }

    /// Timers, alarms, pins, flash variables and memory it uses.
    pub fn requirements(&self) -> Requirements {
        let mut requirements = Requirements { slots: self.info.slots(), ..Requirements::default() };
        let bit = |n: u32| 1u64.checked_shl(n).unwrap_or(0);
        for (_, record) in self.handlers() {
            match record.trigger {
                Trigger::Timer => requirements.timers |= bit(record.key.into()),
                Trigger::Alarm => requirements.alarms |= bit(record.key.into()),
                Trigger::Gpio => requirements.pins |= bit(record.key.into()),
                _ => {}
            }
        }
        for (_, instruction) in instructions(self.image().code()) {
            let [_, number, _] = instruction.fields();
            let bit = bit(number.into());
            match instruction.op.format() {
                Format::Timer => requirements.timers |= bit,
                Format::Alarm => requirements.alarms |= bit,
                Format::Pin | Format::PinResult | Format::PinMode => requirements.pins |= bit,
                Format::Flash | Format::FlashResult => requirements.flash_variables |= bit,
                _ => {}
            }
        }
        requirements
    }

    pub(crate) fn info(&self) -> &ProgramInfo {
        &self.info
    }
}

//! What is sent: the script as it is, or the bytecode made of it here, for one kind of device.

use std::borrow::Cow;

use umqtt_lang::EmitOptions;
use umqtt_lang::diagnostic::{Diagnostic, Severity};
use umqtt_vm::{Profile, Program, VerifyError};

use crate::frontend;
use crate::input::Input;
use crate::signing::arguments::ScriptSigner;

/// The script, and what is to be made of it.
#[derive(Clone, Copy)]
pub(super) struct Payload<'i> {
    pub(super) input: &'i Input,
    /// Bytecode is made of it.
    pub(super) compiled: bool,
    pub(super) embed_source: bool,
    /// It is sent whatever it is.
    pub(super) unchecked: bool,
    /// What signs it, if it is to be signed.
    pub(super) signer: Option<&'i ScriptSigner>,
}

/// What was found of it, for one kind of device.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Why it is not sent.
    pub(super) unfit: Option<Unfit>,
    /// The bytes to send, if they are others than those of the file.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Why a device of some kind cannot run it.
#[derive(Debug)]
pub(super) enum Unfit {
    /// Among the diagnostics are errors.
    Errors,
    /// The image is not for it, or damaged.
    Image(VerifyError),
}

impl Payload<'_> {
    /// Whether the bytes to send are made for the kind of device.
    pub(super) fn is_made(&self) -> bool {
        self.compiled && !self.input.is_image()
    }

    /// `source` or `bytecode`.
    pub(super) fn form(&self) -> &'static str {
        if self.compiled || self.input.is_image() { "bytecode" } else { "source" }
    }

    /// What is sent, signed if it is to be.
    pub(super) fn signed<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        match self.signer {
            Some(signer) => signer.sign(bytes).into(),
            None => bytes.into(),
        }
    }

    /// Checks it, and makes what is to be sent.
    pub(super) fn check(&self, profile: &Profile) -> Checked {
        let source = &self.input.bytes;
        if self.unchecked {
            return Checked::default();
        }
        if self.input.is_image() {
            let unfit =
                Program::verify(self.input.image().to_vec(), profile).err().map(Unfit::Image);
            return Checked { unfit, ..Checked::default() };
        }
        if !self.compiled {
            let diagnostics = frontend::check(source, profile, false);
            let is_error = |found: &Diagnostic| found.severity() == Severity::Error;
            let unfit = diagnostics.iter().any(is_error).then_some(Unfit::Errors);
            return Checked { diagnostics, unfit, bytes: None };
        }
        let options = EmitOptions::new().debug(true).source(self.embed_source);
        let (diagnostics, program) = frontend::compile(self.input.unsigned(), profile, options);
        match program {
            Ok(Some(program)) => {
                Checked { diagnostics, unfit: None, bytes: Some(program.bytes().to_vec()) }
            }
            Ok(None) => Checked { diagnostics, unfit: Some(Unfit::Errors), bytes: None },
            Err(error) => Checked { diagnostics, unfit: Some(Unfit::Image(error)), bytes: None },
        }
    }
}

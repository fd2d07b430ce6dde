//! A verified image.
use crate::image::{ImageError, Layout, Record};
use crate::{Image, Profile};

/// Number of a handler in a program: its place in the handler table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler(pub(crate) u16);

impl Handler {
    /// The place in the handler table, for tables kept per handler.
    pub fn index(self) -> usize {
        self.0.into()
    }
}

/// Why an image may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// Not an image at all.
    Image(ImageError),
}

/// A verified image, and the bytes it is in: `&[u8]`, `Vec<u8>`, `Rc<[u8]>`, ... Only this can run.
#[derive(Clone, Debug)]
pub struct Program<B> {
    bytes: B,
    layout: Layout,
}

impl<B: AsRef<[u8]>> Program<B> {
    /// Proves that an image may run on a device of this profile.
    ///
    /// # Errors
    /// The first thing found wrong with it.
    pub fn verify(bytes: B, _profile: &Profile) -> Result<Program<B>, VerifyError> {
        let layout = Image::parse(bytes.as_ref()).map_err(VerifyError::Image)?.layout;
        Ok(Program { bytes, layout })
    }

    /// The image, to look at.
    pub fn image(&self) -> Image<'_> {
        Image { bytes: self.bytes.as_ref(), layout: self.layout.clone() }
    }

    /// The handlers with what wakes them.
    pub fn handlers(&self) -> impl Iterator<Item = (Handler, Record)> + '_ {
        self.image().records().enumerate().map(|(index, record)| (Handler(index as u16), record))
    }

    /// The source line (from 1) of a code offset, if the image has debug information.
    pub fn line(&self, offset: u16) -> Option<u32> {
        self.image().debug().line(offset)
    }
}

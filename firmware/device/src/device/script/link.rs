//! What the script has to be told of the network: in order, and each change once.

/// The network, up or down, and what the script knows of it. However often it has come and gone
/// until the script has its turn, at most two events wait, and they end with what is so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    up: bool,
    /// What the script was told last.
    told: bool,
    /// It is as the script was told, and was otherwise meanwhile.
    flapped: bool,
}

impl Link {
    /// The network came up or was lost.
    pub(super) fn set(&mut self, up: bool) {
        if up != self.up {
            self.up = up;
            self.flapped = up == self.told;
        }
    }

    /// Another script starts, which knows nothing yet.
    pub(super) fn restart(&mut self) {
        *self = Link { up: self.up, ..Link::default() };
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Option<bool> {
        if self.up == self.told && !self.flapped {
            return None;
        }
        self.flapped = false;
        self.told = !self.told;
        Some(self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn told(link: &mut Link, changes: &[bool]) -> Vec<bool> {
        changes.iter().for_each(|up| link.set(*up));
        core::iter::from_fn(|| link.next()).collect()
    }

    #[test]
    fn events_alternate_and_end_with_what_is_so() {
        let mut link = Link::default();
        assert_eq!(told(&mut link, &[true]), [true]);
        assert_eq!(told(&mut link, &[true]), []);
        assert_eq!(told(&mut link, &[false, true]), [false, true]);
        assert_eq!(told(&mut link, &[false, true, false, true]), [false, true]);
        assert_eq!(told(&mut link, &[false, true, false]), [false]);
        assert_eq!(told(&mut link, &[true, false]), [true, false]);
        link.set(true);
        link.restart();
        assert_eq!(told(&mut link, &[]), [true]);
    }
}

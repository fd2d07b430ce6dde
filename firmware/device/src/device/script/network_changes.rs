//! What the script has to be told of the network: in order, and each change once.

/// The network, up or down, and what the script knows of it. However often it has come and gone
/// until the script has its turn, at most two events wait, and they end with what is so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NetworkChanges {
    up: bool,
    /// What the script was told last.
    told: bool,
    /// It is as the script was told, and was otherwise meanwhile.
    flapped: bool,
}

impl NetworkChanges {
    /// The network came up or was lost.
    pub(super) fn set(&mut self, up: bool) {
        if up != self.up {
            self.up = up;
            self.flapped = up == self.told;
        }
    }

    /// Another script starts, which knows nothing yet.
    pub(super) fn restart(&mut self) {
        *self = NetworkChanges { up: self.up, ..NetworkChanges::default() };
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

    fn told(network_changes: &mut NetworkChanges, changes: &[bool]) -> Vec<bool> {
        changes.iter().for_each(|up| network_changes.set(*up));
        core::iter::from_fn(|| network_changes.next()).collect()
    }

    #[test]
    fn events_alternate_and_end_with_what_is_so() {
        let mut network_changes = NetworkChanges::default();
        assert_eq!(told(&mut network_changes, &[true]), [true]);
        assert_eq!(told(&mut network_changes, &[true]), []);
        assert_eq!(told(&mut network_changes, &[false, true]), [false, true]);
        assert_eq!(told(&mut network_changes, &[false, true, false, true]), [false, true]);
        assert_eq!(told(&mut network_changes, &[false, true, false]), [false]);
        assert_eq!(told(&mut network_changes, &[true, false]), [true, false]);
        network_changes.set(true);
        network_changes.restart();
        assert_eq!(told(&mut network_changes, &[]), [true]);
    }
}

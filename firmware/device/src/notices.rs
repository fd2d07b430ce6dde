//! Notices which log, console and network share.

/// The notice, with the remedy, when records that keep others out are damaged.
pub(crate) const SETTINGS_DAMAGED: &str = "the saved settings are damaged: nobody is let in over the network. On the serial line set broker_user, broker_password and what else differs, and save (if it is locked, lock and unlock it first); or reset factory";
pub(crate) const SCRIPT_MISSING: &str = "the script whose config lines keep strangers out does not run: they are all kept out. Upload it again, or delete it on the serial line";
pub(crate) const SCRIPT_REFUSED: &str = "a config line of the script has no value that counts, so nobody is let in: set what it reads, then reset";

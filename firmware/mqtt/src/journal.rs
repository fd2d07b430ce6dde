//! What has to outlive a restart: a journal of the changes of stored sessions and retained
//! messages, and the acknowledgements that wait until it is written.
//!
//! With the feature `journal` the broker notes every change as a record of a key and a value, for
//! any store that can write a batch of records as one ([`Batch`], [`Change`]), and makes itself
//! anew from them ([`Restore`]). What was put and deleted before a batch is taken is never written.
//! Without the feature all of this is nothing, in types of no size.
//!
//! An acknowledgement leaves when the changes of its packet are committed: PUBACK, PUBREC, PUBCOMP,
//! SUBACK, UNSUBACK, and the PUBREL that ends a stage. So does a message of QoS 2 to a stored
//! session, whose packet id has to be known after a restart or it would come twice; and a
//! connection sends nothing before all that was changed until its CONNACK is committed. QoS 0 waits
//! for nothing.
//!
//! Of a message for many sessions there is one record, and a short one for each queue it waits in.
//! Messages of QoS 0 that wait for a client that is offline, and wills, are not kept.

#[cfg(feature = "journal")]
mod gate;
#[cfg(feature = "journal")]
mod log;
#[cfg(feature = "journal")]
mod mark;
#[cfg(not(feature = "journal"))]
mod off;
#[cfg(feature = "journal")]
mod on;
#[cfg(feature = "journal")]
mod record;
#[cfg(feature = "journal")]
mod restore;
#[cfg(feature = "journal")]
mod session;

#[cfg(feature = "journal")]
pub(crate) use gate::Gate;
#[cfg(feature = "journal")]
pub(crate) use mark::{EntryMark, MessageMark};
#[cfg(all(feature = "broker", not(feature = "journal")))]
pub(crate) use off::Journal;
#[cfg(not(feature = "journal"))]
pub(crate) use off::{EntryMark, Gate, MessageMark, SessionLog};
#[cfg(feature = "journal")]
pub(crate) use on::Journal;
#[cfg(feature = "journal")]
pub use record::{Batch, Change};
#[cfg(feature = "journal")]
pub use restore::{Restore, RestoreError, Restored};
#[cfg(feature = "journal")]
pub(crate) use session::SessionLog;

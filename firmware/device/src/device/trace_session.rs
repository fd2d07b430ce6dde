//! A trace of the script, and who sees it.

use crate::console::Origin;
use crate::net::ConnId;
use crate::trace::Tracer;

/// A trace and who sees it.
#[derive(Debug)]
pub(super) struct TraceSession {
    pub(super) tracer: Tracer,
    pub(super) origin: Origin,
    /// The session's connection, once that is known: another session may have its number later.
    pub(super) conn: Option<ConnId>,
}

impl TraceSession {
    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        size_of::<TraceSession>() + self.tracer.memory()
    }
}

//! Messages that wait to be handled: those that came while another was. A request that is cancelled
//! before its turn is answered at once.

use std::collections::VecDeque;

use gen_lsp_types::{CancelParams, Id};
use lsp_server::{ErrorCode, Message, RequestId, Response};

/// Most messages that wait; then the client does.
pub(super) const MAX_WAITING: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Message>,
}

impl Queue {
    /// Whether another one may come.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// Takes a message in; the answer to a request that it cancels.
    pub(super) fn push(&mut self, message: Message) -> Option<Response> {
        if let Message::Notification(notification) = &message
            && notification.method == "$/cancelRequest"
            && let Ok(params) = serde_json::from_value(notification.params.clone())
            && let Some(response) = self.cancel(&request_id(params))
        {
            return Some(response);
        }
        self.waiting.push_back(message);
        None
    }

    fn cancel(&mut self, id: &RequestId) -> Option<Response> {
        let is_it = |message: &Message| matches!(message, Message::Request(it) if it.id == *id);
        let at = self.waiting.iter().position(is_it)?;
        self.waiting.remove(at);
        Some(cancelled(id.clone()))
    }

    /// The next message.
    pub(super) fn pop(&mut self) -> Option<Message> {
        self.waiting.pop_front()
    }
}

/// The id of what is to be cancelled.
pub(super) fn request_id(params: CancelParams) -> RequestId {
    match params.id {
        Id::Int(number) => number.into(),
        Id::String(text) => text.into(),
    }
}

/// The answer to a request that was cancelled.
pub(super) fn cancelled(id: RequestId) -> Response {
    Response::new_err(id, ErrorCode::RequestCanceled as i32, "cancelled".into())
}

#[cfg(test)]
mod tests {
    use lsp_server::{Notification, Request};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_waits_can_be_cancelled() {
        let mut queue = Queue::default();
        let request = |id: i32| Message::Request(Request::new(id.into(), "a".into(), json!({})));
        let cancel = |id: i32| {
            let params = json!({ "id": id });
            Message::Notification(Notification::new("$/cancelRequest".into(), params))
        };
        assert!(queue.push(request(1)).is_none());
        assert!(queue.push(request(2)).is_none());
        let answer = queue.push(cancel(2)).expect("an answer");
        assert_eq!(answer.id, 2.into());
        assert!(queue.push(cancel(7)).is_none());
        assert!(matches!(queue.pop(), Some(Message::Request(request)) if request.id == 1.into()));
        // Whoever has it in work is told.
        assert!(matches!(queue.pop(), Some(Message::Notification(_))));
        assert!(queue.pop().is_none());
    }
}

//! `umqttc lsp`: scripts and their tests in editors, by the language server protocol.
//!
//! What the language knows is in `umqtt-lang`; here are texts, positions and the protocol. A server
//! takes messages and leaves messages: no threads and no streams are in it, but for the files of
//! the workspace.
//!
//! | file | job |
//! |---|---|
//! | `stdio.rs` | the server between standard input and output, and the tests it runs |
//! | `framing.rs` | messages on the wire |
//! | `queue.rs` | messages that wait, and those that are cancelled |
//! | `server.rs`, `state.rs` | what is done with each message; the client's life; what requests look at |
//! | `capabilities.rs` | what the server can do |
//! | `documents.rs`, `positions.rs`, `uri.rs` | texts, places in them, their names |
//! | `script.rs`, `test_file.rs` | what is known of a text |
//! | `workspace.rs` | the scripts of the client's folders |
//! | `options.rs` | the client's settings |
//! | `diagnostics.rs`, `code_action.rs`, `hover.rs`, `completion.rs`, ... | a request each |

mod capabilities;
mod code_action;
mod code_lens;
mod completion;
mod diagnostics;
mod documents;
mod edits;
mod folding;
mod formatting;
mod framing;
mod hover;
mod options;
mod outline;
mod positions;
mod queue;
mod references;
mod rename;
mod script;
mod semantic_tokens;
mod server;
mod state;
mod stdio;
mod test_file;
mod test_run;
mod uri;
mod words;
mod workspace;

pub(crate) use stdio::serve;

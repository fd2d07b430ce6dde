//! Whether the parser takes a word at a place, as an editor asks for each it could propose there.

use umqtt_vm::Profile;

use super::build::Builder;
use super::{MAX_DIAGNOSTICS, explain, grammar, recover};
use crate::budget::MemoryBudget;
use crate::token_stream::TokenStream;

/// Whether a word at `at` is taken, `text` being a statement that ends with that word. What is
/// wrong before is read over as the compiler does.
pub(crate) fn takes(text: &[u8], at: usize, profile: &Profile) -> bool {
    let budget = MemoryBudget::new(None);
    let mut tokens = TokenStream::new(text, profile.nesting, None);
    if !tokens.begin() {
        return false;
    }
    // Each error gets further: recovery goes on behind it or ends.
    for _ in 0..MAX_DIAGNOSTICS {
        let mut build =
            Builder::new(text, profile.temporaries, MAX_DIAGNOSTICS, None, &budget, None);
        let parsed = grammar::StatementParser::new().parse(&mut build, &mut tokens);
        if build.found.iter().any(|found| found.span.start as usize >= at) {
            return false;
        }
        let Err(error) = parsed else {
            return tokens.following().is_none_or(|next| next.span.start as usize >= at);
        };
        // An `endif` that is only implied stands nowhere: there the text ends.
        let refused = tokens.last.filter(|last| !last.span.is_empty()).or(tokens.following());
        match refused {
            Some(refused) if refused.span.start as usize >= at => return false,
            Some(_) => {}
            None => {
                return tokens.before_last.is_some_and(|last| last.span.start as usize >= at);
            }
        }
        let (_, skip) = explain::explain(error, &tokens, profile);
        match recover::recover(&mut tokens, skip) {
            // A word that is skipped stands nowhere.
            Ok(true) if tokens.at() <= at => {}
            Ok(false) => {
                let is_next = tokens.following().is_some_and(|next| next.span.start as usize == at);
                return is_next && tokens.blocks.is_empty();
            }
            _ => return false,
        }
    }
    false
}

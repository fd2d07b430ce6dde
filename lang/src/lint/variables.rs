//! Variables set but never read (W0002), read before anything can have set them (W0003), and names
//! that the original device cannot distinguish (W0016).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, Variable};
use super::{quote, quote_bytes};
use crate::ast::{EventPattern, Span, Trigger};
use crate::diagnostic::{Code, Diagnostic};

/// How many characters of a name, without its `$`, the original device compares.
const COMPARED: usize = 14;

/// W0002, W0003 and W0016.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    // By its first characters: where a name first stands, and the name.
    let mut begins: BTreeMap<&[u8], (Span, &[u8])> = BTreeMap::new();
    let mut by_place: Vec<_> = facts.variables.iter().collect();
    by_place.sort_by_key(|(_, variable)| first_place(variable));
    for (name, variable) in by_place {
        if variable.constant.is_some() {
            continue;
        }
        never_read(facts, variable, found);
        read_before_set(facts, variable, found);
        let Some(begin) = name.get(..COMPARED) else { continue };
        let place = first_place(variable);
        let (first, other) = *begins.entry(begin).or_insert((place, name));
        if other != &**name {
            found.push(
                Diagnostic::new(
                    Code::SimilarNames,
                    place,
                    format!(
                        "{} and {} are equal in their first {COMPARED} characters",
                        quote(facts.source, place),
                        quote(facts.source, first)
                    ),
                )
                .related(first, "the other one")
                .help(format!(
                    "here they are two variables; the original device compares {COMPARED} characters and takes them for \
                     one, {}",
                    quote_bytes(&[b"$", begin].concat())
                )),
            );
        }
    }
}

fn first_place(variable: &Variable<'_>) -> Span {
    let sets = variable.sets.iter().map(|&(span, _)| span);
    sets.chain(variable.reads.iter().map(|&(span, _)| span)).min().unwrap_or_default()
}

/// W0002. Reading a variable only to set it anew is no use of it.
fn never_read(facts: &ScriptFacts<'_>, variable: &Variable<'_>, found: &mut Vec<Diagnostic>) {
    let Some(&(first, _)) = variable.sets.first() else { return };
    let sets_itself = |read: &(Span, Option<usize>)| {
        read.1.is_some_and(|step| variable.sets.binary_search_by_key(&step, |set| set.1).is_ok())
    };
    if !variable.reads.iter().all(sets_itself) {
        return;
    }
    let name = quote(facts.source, first);
    let mut unread = Diagnostic::new(
        Code::NeverRead,
        first,
        if variable.reads.is_empty() {
            format!("{name} is set but never read")
        } else {
            format!("{name} is only read to set it anew")
        },
    )
    .help("use it, or leave out the `setvar`");
    if let Some(&(again, _)) = variable.sets.iter().find(|set| set.0 != first) {
        unread = unread.related(again, "set again here");
    }
    found.push(unread);
}

/// W0003. `init` comes first, so what it reads must have been set in an `init` further up, or in
/// the same loop.
fn read_before_set(facts: &ScriptFacts<'_>, variable: &Variable<'_>, found: &mut Vec<Diagnostic>) {
    if variable.sets.is_empty() {
        return;
    }
    let in_init = |step: usize| {
        matches!(facts.event(&facts.steps[step]), EventPattern::Simple(Trigger::Init))
    };
    for &(span, step) in &variable.reads {
        let Some(step) = step.filter(|&step| in_init(step)) else { continue };
        let own_loop = facts.steps[step].outer_loop;
        let set_before = variable.sets.iter().any(|&(_, set)| {
            in_init(set)
                && (set < step || own_loop.is_some() && facts.steps[set].outer_loop == own_loop)
        });
        if set_before {
            return;
        }
        let name = quote(facts.source, span);
        let mut early = Diagnostic::new(
            Code::ReadBeforeSet,
            span,
            format!("{name} is read before anything can have set it: it is empty here"),
        )
        .help("`init` runs before all other handlers; set the variable further up in it");
        if let Some(&(set, _)) = variable.sets.first() {
            early = early.related(set, "first set here");
        }
        found.push(early);
        // One for each variable is enough.
        return;
    }
}

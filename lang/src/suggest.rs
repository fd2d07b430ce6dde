//! The known name a misspelt one was probably meant to be.

use alloc::vec::Vec;

/// Longest name that is compared, bytes: the work is the product of two lengths.
const MAX_NAME: usize = 64;

/// The candidate that takes the fewest edits (insert, delete, replace, swap neighbours) to reach
/// from `name`, if they are few for its length. The first of equals.
pub fn nearest<'c>(
    name: &[u8],
    candidates: impl IntoIterator<Item = &'c [u8]>,
) -> Option<&'c [u8]> {
    let name = name.to_ascii_lowercase();
    let allowed = match name.len() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let within = |candidate: &&[u8]| {
        candidate.len() <= MAX_NAME && candidate.len().abs_diff(name.len()) <= allowed
    };
    candidates
        .into_iter()
        .filter(within)
        .map(|candidate| (distance(&name, &candidate.to_ascii_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= allowed)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance where neighbours may also be swapped (optimal string alignment).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i);
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = core::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_edits_are_near() {
        let names: [&[u8]; 4] = [b"mqtt_host", b"mqtt_port", b"speed", b"ip"];
        assert_eq!(nearest(b"mqtt_hots", names), Some(&b"mqtt_host"[..]));
        assert_eq!(nearest(b"MQTT_PORT", names), Some(&b"mqtt_port"[..]));
        assert_eq!(nearest(b"sped", names), Some(&b"speed"[..]));
        assert_eq!(nearest(b"ap", names), None);
        assert_eq!(nearest(b"colour", names), None);
    }
}

//! The same for several devices at a time.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// Most devices that are talked to at a time.
const AT_ONCE: usize = 32;

/// Does it for each, several at a time; the results in the order of what was given.
pub(crate) fn for_each<I: Send, T: Send>(items: Vec<I>, act: impl Fn(I) -> T + Sync) -> Vec<T> {
    let workers = items.len().min(AT_ONCE);
    let waiting = Mutex::new(items.into_iter().enumerate());
    let (results, done) = mpsc::channel();
    let mut found: Vec<(usize, T)> = thread::scope(|scope| {
        for _ in 0..workers {
            let (results, waiting, act) = (results.clone(), &waiting, &act);
            let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            scope.spawn(move || {
                while let Some((at, item)) = next() {
                    // It is received below as long as this runs.
                    let _ = results.send((at, act(item)));
                }
            });
        }
        drop(results);
        done.iter().collect()
    });
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::for_each;

    #[test]
    fn each_once_and_in_order() {
        let expected: Vec<usize> = (0..400).step_by(2).collect();
        assert_eq!(for_each((0..200).collect(), |item: usize| item * 2), expected);
        assert!(for_each(Vec::new(), |(): ()| ()).is_empty());
    }
}

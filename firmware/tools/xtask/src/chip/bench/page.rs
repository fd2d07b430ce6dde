//! The page that shows the counts to people, so that what it says stays true.

use anyhow::{Context, Result, ensure};

/// How the first row begins.
const FIRST: &str = "| relay toggled";
/// One part in so many may be between the page and the count: the compiler decides a little of it.
const TOLERANCE: u64 = 50;

/// A row: ours, then the others' in the page's order, with C by hand at the end.
type Row = Vec<u64>;

/// The figures of the page's table.
pub(super) fn rows(page: &str) -> Result<Vec<Row>> {
    let lines = page.lines().skip_while(|line| !line.starts_with(FIRST));
    let rows: Result<Vec<Row>> = lines.take_while(|line| line.starts_with('|')).map(row).collect();
    let rows = rows?;
    ensure!(!rows.is_empty(), "the page has no row {FIRST:?}");
    Ok(rows)
}

fn row(line: &str) -> Result<Row> {
    let cells = line.trim_matches('|').split('|').skip(1);
    let figures: Result<Vec<u64>, _> =
        cells.map(|cell| cell.trim().replace(',', "").parse()).collect();
    figures
        .ok()
        .filter(|figures| !figures.is_empty())
        .with_context(|| format!("no row of figures: {line}"))
}

/// What is wrong with the page's figure, if this one was counted.
pub(super) fn stale(what: &str, shown: u64, counted: u64) -> Option<String> {
    let off = shown.abs_diff(counted);
    (off * TOLERANCE > shown)
        .then(|| format!("the page says {shown} of {what}, it takes {counted}"))
}

#[cfg(test)]
mod tests {
    use super::{rows, stale};

    #[test]
    fn figures_are_read() {
        let page = "text\n| a | 1 |\n\n| relay toggled: x | 2,656 | 1 | 2 | 3 | 4 | 5 |\n| RAM | 7 | 6 | 5 | 4 | 3 | 2 |\n\n| b |\n";
        assert_eq!(rows(page).unwrap(), [vec![2656, 1, 2, 3, 4, 5], vec![7, 6, 5, 4, 3, 2]]);
        assert!(rows("nothing").is_err());
        assert!(rows("| relay toggled | 1 | many |").is_err());
    }

    #[test]
    fn a_figure_that_is_no_longer_true_is_found() {
        assert_eq!(stale("it", 1000, 1015), None);
        let found = stale("it", 1000, 1030).unwrap();
        assert_eq!(found, "the page says 1000 of it, it takes 1030");
        assert!(stale("it", 1000, 970).is_some());
    }
}

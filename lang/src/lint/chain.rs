//! How an unbracketed chain groups, and whether two ways to group it can give different results.
//!
//! A grouping is a list of nodes, children before parents, so nothing here recurses. Its *form* is
//! what it computes, with everything ironed out that cannot change the result: `a + (b - c)` and
//! `(a + b) - c` have one form, since sums wrap; so have `a | (b | c)` and `(a | b) | c`.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use crate::ast::Operator;

/// Most operators of a chain that is looked at; the parser's limit is not above it in any profile.
pub(super) const MAX_OPERATORS: usize = 64;

/// A way to group operands `0..=operators`.
pub(super) struct Grouping {
    /// Children before parents; the last is the whole chain.
    pub(super) nodes: Vec<Node>,
}

/// An operand, or two nodes and the operator between them.
#[derive(Clone, Copy)]
pub(super) struct Node {
    /// First operand it covers.
    pub(super) low: usize,
    /// Last operand it covers.
    pub(super) high: usize,
    /// The operator and the nodes on its sides; `None` for an operand.
    pub(super) pair: Option<(Operator, usize, usize)>,
}

impl Grouping {
    /// From the right, as the device does.
    pub(super) fn from_right(operators: &[Operator]) -> Grouping {
        let mut grouping = Grouping { nodes: Vec::with_capacity(2 * operators.len() + 1) };
        let mut right = grouping.leaf(operators.len());
        for (at, &operator) in operators.iter().enumerate().rev() {
            let left = grouping.leaf(at);
            right = grouping.pair(operator, left, right);
        }
        grouping
    }

    /// With the precedence people know from elsewhere, equals from the left.
    pub(super) fn ordinary(operators: &[Operator]) -> Grouping {
        let mut grouping = Grouping { nodes: Vec::with_capacity(2 * operators.len() + 1) };
        let mut done = vec![grouping.leaf(0)];
        let mut open: Vec<Operator> = Vec::new();
        for (at, &operator) in operators.iter().enumerate() {
            while let Some(before) = open.pop_if(|before| binding(*before) >= binding(operator)) {
                grouping.close(&mut done, before);
            }
            open.push(operator);
            let leaf = grouping.leaf(at + 1);
            done.push(leaf);
        }
        while let Some(operator) = open.pop() {
            grouping.close(&mut done, operator);
        }
        grouping
    }

    fn leaf(&mut self, operand: usize) -> usize {
        self.nodes.push(Node { low: operand, high: operand, pair: None });
        self.nodes.len() - 1
    }

    fn pair(&mut self, operator: Operator, left: usize, right: usize) -> usize {
        let (low, high) = (self.nodes[left].low, self.nodes[right].high);
        self.nodes.push(Node { low, high, pair: Some((operator, left, right)) });
        self.nodes.len() - 1
    }

    fn close(&mut self, done: &mut Vec<usize>, operator: Operator) {
        if let (Some(right), Some(left)) = (done.pop(), done.pop()) {
            let node = self.pair(operator, left, right);
            done.push(node);
        }
    }

    /// How many brackets must open before, and close behind, each operand so that the device groups
    /// like this.
    pub(super) fn brackets(&self) -> (Vec<usize>, Vec<usize>) {
        let operands = self.nodes.len() / 2 + 1;
        let (mut opens, mut closes) = (vec![0; operands], vec![0; operands]);
        // Whether a node reaches to the end of its chain or bracket: then it groups from the right
        // by itself.
        let mut at_end = vec![true; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let Some((operator, left, right)) = node.pair else { continue };
            let mut bracket = |child: usize| {
                opens[self.nodes[child].low] += 1;
                closes[self.nodes[child].high] += 1;
            };
            match self.nodes[left].pair {
                Some((inner, ..)) if inner == operator && is_associative(operator) => {
                    at_end[left] = false;
                }
                Some(_) => bracket(left),
                None => {}
            }
            if !at_end[at] && self.nodes[right].pair.is_some() {
                bracket(right);
            }
        }
        (opens, closes)
    }
}

/// Whether grouping from the right can give another result than the ordinary way.
pub(super) fn is_surprising(operators: &[Operator]) -> bool {
    match operators {
        [] | [_] => false,
        [first, rest @ ..] if is_associative(*first) && rest.iter().all(|op| op == first) => false,
        _ => {
            let mut forms = Forms::default();
            forms.of(&Grouping::from_right(operators)) != forms.of(&Grouping::ordinary(operators))
        }
    }
}

fn is_associative(operator: Operator) -> bool {
    matches!(operator, Operator::Add | Operator::Mul | Operator::Join)
}

/// How tightly an operator would bind elsewhere.
fn binding(operator: Operator) -> u8 {
    match operator {
        Operator::Mul | Operator::Div | Operator::Mod => 4,
        Operator::Add | Operator::Sub => 3,
        Operator::Join => 2,
        _ => 1,
    }
}

/// Forms by number: equal numbers, equal results.
#[derive(Default)]
struct Forms {
    known: BTreeMap<Form, usize>,
    list: Vec<Form>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Operand(usize),
    /// Terms, true where subtracted.
    Sum(Vec<(usize, bool)>),
    Product(Vec<usize>),
    Join(Vec<usize>),
    Other(u8, usize, usize),
}

impl Forms {
    fn of(&mut self, grouping: &Grouping) -> usize {
        let mut numbers: Vec<usize> = Vec::with_capacity(grouping.nodes.len());
        for node in &grouping.nodes {
            let form = match node.pair {
                None => Form::Operand(node.low),
                Some((operator, left, right)) => {
                    self.combine(operator, numbers[left], numbers[right])
                }
            };
            let next = self.list.len();
            let number = *self.known.entry(form.clone()).or_insert(next);
            if number == next {
                self.list.push(form);
            }
            numbers.push(number);
        }
        numbers.last().copied().unwrap_or_default()
    }

    fn combine(&self, operator: Operator, left: usize, right: usize) -> Form {
        match operator {
            Operator::Add | Operator::Sub => {
                let mut terms = self.terms(left);
                let negate = operator == Operator::Sub;
                terms.extend(
                    self.terms(right).into_iter().map(|(term, sign)| (term, sign ^ negate)),
                );
                terms.sort_unstable();
                Form::Sum(terms)
            }
            Operator::Mul => {
                let mut factors = self.parts(left, |form| match form {
                    Form::Product(factors) => Some(factors),
                    _ => None,
                });
                factors.extend(self.parts(right, |form| match form {
                    Form::Product(factors) => Some(factors),
                    _ => None,
                }));
                factors.sort_unstable();
                Form::Product(factors)
            }
            Operator::Join => {
                let join = |form| match form {
                    Form::Join(parts) => Some(parts),
                    _ => None,
                };
                let mut parts = self.parts(left, join);
                parts.extend(self.parts(right, join));
                Form::Join(parts)
            }
            other => Form::Other(other as u8, left, right),
        }
    }

    fn terms(&self, number: usize) -> Vec<(usize, bool)> {
        match &self.list[number] {
            Form::Sum(terms) => terms.clone(),
            _ => vec![(number, false)],
        }
    }

    fn parts(&self, number: usize, of: impl Fn(Form) -> Option<Vec<usize>>) -> Vec<usize> {
        of(self.list[number].clone()).unwrap_or_else(|| vec![number])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Operator::*;

    #[test]
    fn only_what_can_change_the_result_surprises() {
        for (operators, expected) in [
            (&[Add, Add][..], false),
            (&[Join, Join], false),
            (&[Equal, Join], false),
            (&[Join, Add], false),
            (&[Add, Sub], false),
            (&[Add, Mul], false),
            (&[Greater, Add], false),
            (&[Mul, Mul], false),
            (&[Sub, Sub], true),
            (&[Sub, Add], true),
            (&[Mul, Add], true),
            (&[Mul, Div], true),
            (&[Mul, Join], true),
            (&[Add, Join], true),
            (&[Join, Equal], true),
            (&[Equal, Equal], true),
            (&[Join, Add, Join], true),
            (&[Add, Add, Sub], false),
        ] {
            assert_eq!(is_surprising(operators), expected, "{operators:?}");
        }
    }

    #[test]
    fn brackets_make_the_ordinary_grouping() {
        assert_eq!(Grouping::ordinary(&[Sub, Sub]).brackets(), (vec![1, 0, 0], vec![0, 1, 0]));
        assert_eq!(Grouping::ordinary(&[Sub, Mul]).brackets(), (vec![0; 3], vec![0; 3]));
        assert_eq!(
            Grouping::ordinary(&[Join, Add, Join]).brackets(),
            (vec![0, 1, 0, 0], vec![0, 0, 1, 0])
        );
    }
}

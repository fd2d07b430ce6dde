//! What names mean in a test, and its values.

use super::cursor::Cursor;
use super::pattern::Text;
use super::problem::Problem;

/// What names mean in a test.
#[derive(Clone, Copy)]
pub(super) struct Scope<'e> {
    /// The variable of its `each`, without the `$`.
    pub(super) each: Option<&'e str>,
}

impl Scope<'_> {
    /// A value: a word, a string, `#0d0a`, or the variable of `each`.
    pub(super) fn text(
        self,
        cursor: &mut Cursor<'_, '_>,
        what: &str,
        form: &str,
    ) -> Result<Text, Problem> {
        let span = cursor.span();
        let token = cursor.token(what, form)?;
        if token.is_sign() {
            let problem = Problem::new(span, format!("{what} should stand here"));
            return Err(problem.help(format!("as in `{form}`; signs stand in quotes")));
        }
        match token.word().and_then(|word| word.strip_prefix('$')) {
            Some(name) if Some(name) == self.each => Ok(Text::Each),
            Some(name) => {
                let problem = Problem::new(span, format!("`${name}` has no value here"));
                Err(match self.each {
                    Some(each) => problem.help(format!("the variable of `each` is `${each}`")),
                    None => problem.help(format!(
                        "`each {name} in a b c` before the test gives it values; as text it stands in quotes"
                    )),
                })
            }
            None => Ok(Text::Fixed(token.value().into_owned())),
        }
    }
}

//! A script read once: its tree for the linter, its errors, and the image made of it on the way.

use alloc::vec::Vec;

use umqtt_vm::{Profile, Program, VerifyError};

use crate::ast::{Action, ConfigLine, Constant, EventPattern, Expr, Span, Statement};
use crate::budget::MemoryBudget;
use crate::codegen::{Compiler, ConfigValues, EmitOptions, ImageBuilder};
use crate::compile::finish_diagnostics;
use crate::constants::collect;
use crate::diagnostic::{Code, Diagnostic, position};
use crate::lint::{ConfigTable, lint, pedantic};
use crate::named::NamedConstants;
use crate::parse::{MAX_DIAGNOSTICS, Sink, StatementReader, Tree, too_long};

/// A script that was read once: its tree, its diagnostics, and the image if it has no errors.
/// It takes the memory of the whole syntax tree; [`compile_pieces`](crate::compile_pieces) takes
/// that of a statement.
///
/// ```
/// use umqtt_lang::{Analysis, EmitOptions, lint::NoConfig};
/// use umqtt_vm::Profile;
///
/// let source = b"on init do\n println \"hello\"\n";
/// let analysis = Analysis::new(source, &Profile::DESKTOP, EmitOptions::default());
/// assert!(analysis.errors().is_empty());
/// assert!(analysis.warnings(&NoConfig).is_empty());
/// let program = analysis.into_program().expect("there are no errors").expect("it is verified");
/// assert_eq!(program.image().layout().header.handlers, 1);
/// ```
#[derive(Clone, Debug)]
pub struct Analysis<'s> {
    source: &'s [u8],
    profile: Profile,
    statements: Vec<Statement>,
    errors: Vec<Diagnostic>,
    /// All statements could be read.
    whole: bool,
    image: Option<Vec<u8>>,
}

impl<'s> Analysis<'s> {
    /// Reads and compiles a script for a device of this profile.
    pub fn new(source: &'s [u8], profile: &Profile, options: EmitOptions) -> Analysis<'s> {
        Analysis::with_config_values(source, profile, options, None)
    }

    /// The same, values of `config` lines compiled to what `values` makes of them: so a compiler
    /// with more room than a device takes what only it knows, such as names of time zones.
    pub fn with_config_values(
        source: &'s [u8],
        profile: &Profile,
        options: EmitOptions,
        values: Option<&ConfigValues<'_>>,
    ) -> Analysis<'s> {
        let profile = *profile;
        let mut analysis = Analysis {
            source,
            profile,
            statements: Vec::new(),
            errors: Vec::new(),
            whole: false,
            image: None,
        };
        if source.len() > profile.source {
            analysis.errors.push(too_long(source.len(), &profile));
            return analysis;
        }
        let budget = MemoryBudget::new(None);
        let mut made = ImageBuilder::new(&profile, &budget);
        made.config_values = values;
        let named = collect(&mut &*source, &profile, &budget, &mut made).unwrap_or_default();
        let wrong = analysis.read(&budget, &named, &mut made);
        analysis.whole = wrong.is_empty();
        let mut image = Vec::new();
        if analysis.whole {
            made.finish(options, source, &mut |bytes| {
                image.extend_from_slice(bytes);
                true
            });
        }
        match finish_diagnostics(&budget, &mut made, wrong) {
            Ok(()) => analysis.image = Some(image),
            Err(errors) => analysis.errors = errors,
        }
        analysis
    }

    /// Reads all statements, into the tree and into code; what is wrong with those that cannot be
    /// read.
    fn read(
        &mut self,
        budget: &MemoryBudget<'_>,
        named: &NamedConstants,
        made: &mut ImageBuilder<'_>,
    ) -> Vec<Diagnostic> {
        let mut wrong = Vec::new();
        let (len, most) = (self.source.len(), MAX_DIAGNOSTICS);
        let mut reader = StatementReader::new(self.source, len, &self.profile, most, Some(budget));
        let mut compiler = Compiler { source: self.source, base: 0, named, made };
        loop {
            let before = compiler.made.before();
            let mut both = Both { tree: Tree::default(), compiler: &mut compiler };
            match reader.next(&mut both, budget, Some(named)) {
                None => return wrong,
                Some(Ok(())) => self.statements.extend(both.tree.into_statement()),
                Some(Err(found)) => {
                    compiler.made.roll_back(&before);
                    wrong.extend(found);
                }
            }
        }
    }

    /// What is wrong, in the order of the source, at most [`MAX_DIAGNOSTICS`].
    pub fn errors(&self) -> &[Diagnostic] {
        &self.errors
    }

    /// The statements that could be read, in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The linter's warnings. None for what could not be read whole: statements would be missing,
    /// and warnings wrong.
    pub fn warnings(&self, config: &dyn ConfigTable) -> Vec<Diagnostic> {
        let mut found = match self.whole {
            true => lint(self.source, &self.statements, &self.profile, config),
            false => Vec::new(),
        };
        found.retain(|warning| !self.errors.iter().any(|error| self.follows(warning, error)));
        found
    }

    /// The linter's hints for who asks for them; none for what could not be read whole.
    pub fn pedantic(&self) -> Vec<Diagnostic> {
        if self.whole { pedantic(self.source, &self.statements) } else { Vec::new() }
    }

    /// Whether a warning may be there for an error alone: a variable that is read under a name
    /// misspelt is never read, and a quote of another kind cuts a text into words.
    fn follows(&self, warning: &Diagnostic, error: &Diagnostic) -> bool {
        let line =
            |diagnostic: &Diagnostic| position(self.source, diagnostic.span.start as usize).0;
        match warning.code {
            Code::NeverRead => error.code == Code::UndeclaredVariable,
            Code::StrayPunctuation | Code::OperatorAsText => line(warning) == line(error),
            _ => false,
        }
    }

    /// The image, if there are no errors.
    pub fn image(&self) -> Option<&[u8]> {
        self.image.as_deref()
    }

    /// The verified program, if there are no errors.
    pub fn into_program(self) -> Option<Result<Program<Vec<u8>>, VerifyError>> {
        self.image.map(|image| Program::verify(image, &self.profile))
    }
}

/// Gives each part of a statement to the tree and to the compiler.
struct Both<'c, 'm, 'r, 's> {
    tree: Tree,
    compiler: &'c mut Compiler<'s, 'm, 'r>,
}

impl Sink for Both<'_, '_, '_, '_> {
    fn config(&mut self, line: ConfigLine) {
        self.tree.config(line.clone());
        self.compiler.config(line);
    }

    fn constant(&mut self, constant: Constant) {
        self.tree.constant(constant.clone());
        self.compiler.constant(constant);
    }

    fn clause(&mut self, event: EventPattern, event_span: Span) {
        self.tree.clause(event.clone(), event_span);
        self.compiler.clause(event, event_span);
    }

    fn action(&mut self, action: Action) {
        self.tree.action(action.clone());
        self.compiler.action(action);
    }

    fn open_if(&mut self, start: u32, condition: Expr) {
        self.tree.open_if(start, condition.clone());
        self.compiler.open_if(start, condition);
    }

    fn else_if(&mut self, condition: Expr) {
        self.tree.else_if(condition.clone());
        self.compiler.else_if(condition);
    }

    fn otherwise(&mut self) {
        self.tree.otherwise();
        self.compiler.otherwise();
    }

    fn open_while(&mut self, start: u32, condition: Expr) {
        self.tree.open_while(start, condition.clone());
        self.compiler.open_while(start, condition);
    }

    fn end_block(&mut self, span: Span) {
        self.tree.end_block(span);
        self.compiler.end_block(span);
    }

    fn end_clause(&mut self, span: Span) {
        self.tree.end_clause(span);
        self.compiler.end_clause(span);
    }
}

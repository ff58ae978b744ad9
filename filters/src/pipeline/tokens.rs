//! The stages that take session tokens out of a body, in this order and nowhere else.
//!
//! ```text
//! redacted ─▶ by name (JSON, HTML) ─▶ by shape ─▶ by value ─▶ content coding
//! ```
//!
//! By value comes last: whatever the stages before it make, or overlook, no secret of the session passes it.
//! They read what has been redacted, so that a token in a hidden field is not asked about.

use std::fmt;
use std::sync::{Arc, Mutex};

use crate::body_filter::{BodyError, BodyFilter};
use crate::html_tokens::HtmlTokens;
use crate::json_tokens::JsonTokens;
use crate::shape_sweep::ShapeSweep;
use crate::token_rules::{FoundToken, Instead};
use crate::token_sweep::{SecretSweep, Secrets};

/// Whom the stages ask about each token.
type Keeper = Arc<Mutex<dyn FnMut(FoundToken<'_>) -> Instead + Send>>;
/// The same as a stage calls it.
type Asked = Box<dyn FnMut(FoundToken<'_>) -> Instead + Send>;

/// What a body is read as when tokens are looked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedIn {
    /// JSON, one text or many.
    Json,
    /// HTML.
    Html,
    /// Nothing: tokens have no names in it.
    Nothing,
}

/// A body on its way past everything that looks for tokens.
pub struct TokenFilter {
    names: Names,
    shapes: ShapeSweep<Asked>,
    values: SecretSweep,
    /// Between two stages; empty between two calls.
    between: [Vec<u8>; 2],
}

enum Names {
    Json(JsonTokens<Asked>),
    Html(HtmlTokens<Asked>),
    Nothing,
}

impl TokenFilter {
    /// The stages before the first byte of a body. `keeper` is asked about tokens whose values are not among
    /// `secrets` as well as about those that are.
    pub fn new(
        named_in: NamedIn,
        secrets: Arc<Secrets>,
        keeper: impl FnMut(FoundToken<'_>) -> Instead + Send + 'static,
    ) -> Self {
        let keeper: Keeper = Arc::new(Mutex::new(keeper));
        let names = match named_in {
            NamedIn::Json => Names::Json(JsonTokens::new(asked(&keeper))),
            NamedIn::Html => Names::Html(HtmlTokens::new(asked(&keeper))),
            NamedIn::Nothing => Names::Nothing,
        };
        Self {
            names,
            shapes: ShapeSweep::new(asked(&keeper)),
            values: SecretSweep::new(secrets),
            between: [Vec::new(), Vec::new()],
        }
    }

    /// What was taken out so far.
    #[must_use]
    pub fn found(&self) -> FoundTokens {
        FoundTokens {
            by_name: match &self.names {
                Names::Json(json) => json.found(),
                Names::Html(html) => html.found(),
                Names::Nothing => 0,
            },
            by_shape: self.shapes.found(),
            by_value: self.values.found(),
        }
    }
}

/// How many tokens were taken out of a body, by what gave them away. What was found by value stood where no
/// rule looked for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoundTokens {
    /// By the name beside them.
    pub by_name: u64,
    /// By their shape.
    pub by_shape: u64,
    /// By their value.
    pub by_value: u64,
}

fn asked(keeper: &Keeper) -> Asked {
    let keeper = Arc::clone(keeper);
    // Whoever panicked while it was asked cannot be asked again: the token is removed.
    Box::new(move |found| {
        keeper
            .lock()
            .map_or(Instead::Strip, |mut keeper| keeper(found))
    })
}

impl BodyFilter for TokenFilter {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let [named, shaped] = &mut self.between;
        let chunk = match &mut self.names {
            Names::Json(json) => {
                json.push(chunk, named)?;
                named.as_slice()
            }
            Names::Html(html) => {
                html.push(chunk, named)?;
                named.as_slice()
            }
            Names::Nothing => chunk,
        };
        self.shapes.push(chunk, shaped)?;
        self.values.push(shaped, out)?;
        named.clear();
        shaped.clear();
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let [named, shaped] = &mut self.between;
        match &mut self.names {
            Names::Json(json) => json.finish(named)?,
            Names::Html(html) => html.finish(named)?,
            Names::Nothing => {}
        }
        self.shapes.push(named, shaped)?;
        self.shapes.finish(shaped)?;
        self.values.push(shaped, out)?;
        self.values.finish(out)
    }
}

impl fmt::Debug for TokenFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFilter")
            .field("found", &self.found())
            .finish_non_exhaustive()
    }
}

//! The stages that take session tokens out of a body, in this order and nowhere else.
//!
//! ```text
//! redacted ─▶ by name (JSON, HTML, XML, recordings) ─▶ by shape ─▶ by value ─▶ content coding
//!                └────────── what got a placeholder ───────────────▶
//! ```
//!
//! By value comes last: whatever the stages before it make, or overlook, no secret of the session passes it.
//! They read what has been redacted, so that a token in a hidden field is not asked about.

use std::fmt;
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use memchr::memmem;
use postern_config::sessions::TokenNames;

use crate::body_filter::{BodyError, BodyFilter};
use crate::exchange_plan::media_type;
use crate::html_tokens::HtmlTokens;
use crate::json_tokens::JsonTokens;
use crate::pipeline::beginning::Beginning;
use crate::pipeline::fresh_tokens::{FreshTokens, Noted};
use crate::recording::RecordingTokens;
use crate::shape_sweep::ShapeSweep;
use crate::token_rules::{FoundToken, Instead};
use crate::token_sweep::{SecretSweep, Secrets};
use crate::xml_tokens::XmlTokens;

/// Whom the stages ask about each token.
type Keeper = Arc<Mutex<dyn FnMut(FoundToken<'_>) -> Instead + Send>>;
/// The same as a stage calls it.
type Asked = Box<dyn FnMut(FoundToken<'_>) -> Instead + Send>;

/// Media types of what holds JSON: many texts of it, scripts that are data, and streams of events.
const LIKE_JSON: [&str; 13] = [
    "application/ecmascript",
    "application/javascript",
    "application/json-seq",
    "application/jsonl",
    "application/ndjson",
    "application/x-javascript",
    "application/x-json",
    "application/x-jsonlines",
    "application/x-ndjson",
    "text/event-stream",
    "text/javascript",
    "text/json",
    "text/x-json",
];

/// What a body is read as when tokens are looked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedIn {
    /// JSON, one text or many.
    Json,
    /// HTML.
    Html,
    /// XML.
    Xml,
    /// What somebody attached: a recording of a browser loses all credentials, other texts are read like JSON.
    Recording,
    /// Another text, such as a table: tokens have no names in it.
    Text,
    /// Nothing: it is no text.
    Nothing,
}

impl NamedIn {
    /// What the body of an answer with this head is read as. One whose type is missing, general or unreadable is
    /// looked at, and so is JSON that is handed on as a file.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let Ok(Some(media)) = media_type::of(headers) else {
            return Self::Recording;
        };
        let xml = |essence: &str| essence.ends_with("/xml") || essence.ends_with("+xml");
        match media.essence.as_str() {
            "text/html" | "application/xhtml+xml" => Self::Html,
            "application/octet-stream" | "text/plain" | "application/har+json" => Self::Recording,
            _ if media.is_json() && headers.contains_key(CONTENT_DISPOSITION) => Self::Recording,
            // Scripts, events and parts are read like texts of JSON, which they hold.
            essence if media.is_json() || LIKE_JSON.contains(&essence) => Self::Json,
            essence if essence.starts_with("multipart/") => Self::Json,
            essence if xml(essence) => Self::Xml,
            essence if essence.starts_with("text/") => Self::Text,
            _ => Self::Nothing,
        }
    }
}

/// Whether a body of this head is written so that ASCII is in it as it is: in anything else no token would be found.
/// One that names no encoding is taken for one that does.
#[must_use]
pub fn keeps_ascii(headers: &HeaderMap) -> bool {
    match media_type::of(headers) {
        Ok(Some(media)) => media.keeps_ascii(),
        Ok(None) => true,
        Err(_unreadable) => {
            let mut values = headers.get_all(CONTENT_TYPE).iter();
            !values.any(|value| {
                let text = value.as_bytes().to_ascii_lowercase();
                memmem::find(&text, b"charset").is_some()
            })
        }
    }
}

/// A body on its way past everything that looks for tokens.
pub struct TokenFilter {
    beginning: Beginning,
    names: Names,
    shapes: ShapeSweep<Asked>,
    values: SecretSweep,
    fresh: FreshTokens,
    /// Between two stages; empty between two calls.
    between: [Vec<u8>; 2],
}

enum Names {
    Json(JsonTokens<Asked>),
    Html(HtmlTokens<Asked>),
    Xml(XmlTokens<Asked>),
    Recording(RecordingTokens<Asked>),
    Nothing,
}

impl TokenFilter {
    /// The stages before the first byte of a body; `own` are the names that the policy adds. `keeper` is asked about
    /// tokens whose values are not among `secrets` as well as about those that are.
    pub fn new(
        named_in: NamedIn,
        own: Arc<TokenNames>,
        secrets: Arc<Secrets>,
        keeper: impl FnMut(FoundToken<'_>) -> Instead + Send + 'static,
    ) -> Self {
        let keeper: Keeper = Arc::new(Mutex::new(keeper));
        let noting = Noted::default();
        let names = match named_in {
            NamedIn::Json => Names::Json(JsonTokens::new(own, noted(&keeper, &noting))),
            NamedIn::Html => Names::Html(HtmlTokens::new(own, noted(&keeper, &noting))),
            NamedIn::Xml => Names::Xml(XmlTokens::new(own, noted(&keeper, &noting))),
            NamedIn::Recording => {
                Names::Recording(RecordingTokens::new(own, noted(&keeper, &noting)))
            }
            NamedIn::Text | NamedIn::Nothing => Names::Nothing,
        };
        Self {
            beginning: Beginning::new(named_in),
            names,
            shapes: ShapeSweep::new(asked(&keeper)),
            values: SecretSweep::new(Arc::clone(&secrets)),
            fresh: FreshTokens::new(secrets, noting),
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
                Names::Xml(xml) => xml.found(),
                Names::Recording(recording) => recording.found(),
                Names::Nothing => 0,
            },
            by_shape: self.shapes.found(),
            by_value: self.values.found() + self.fresh.found(),
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

/// The same, which notes what became of each token.
fn noted(keeper: &Keeper, noting: &Noted) -> Asked {
    let (mut ask, noting) = (asked(keeper), noting.clone());
    Box::new(move |found| {
        let instead = ask(found);
        noting.note(found, &instead);
        instead
    })
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

impl Names {
    /// What reads a body by its names; none when nothing does.
    fn filter(&mut self) -> Option<&mut dyn BodyFilter> {
        match self {
            Self::Json(json) => Some(json),
            Self::Html(html) => Some(html),
            Self::Xml(xml) => Some(xml),
            Self::Recording(recording) => Some(recording),
            Self::Nothing => None,
        }
    }
}

impl BodyFilter for TokenFilter {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        self.beginning.push(chunk)?;
        let [named, shaped] = &mut self.between;
        for buffer in [&mut *named, &mut *shaped, &mut *out] {
            buffer.reserve(chunk.len());
        }
        let chunk = match self.names.filter() {
            Some(filter) => {
                filter.push(chunk, named)?;
                named.as_slice()
            }
            None => chunk,
        };
        self.shapes.push(chunk, shaped)?;
        self.fresh.take_up()?;
        if self.fresh.is_empty() {
            self.values.push(shaped, out)?;
        } else {
            let mut swept = Vec::with_capacity(shaped.len());
            self.values.push(shaped, &mut swept)?;
            self.fresh.push(&swept, out)?;
        }
        named.clear();
        shaped.clear();
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let [named, shaped] = &mut self.between;
        if let Some(filter) = self.names.filter() {
            filter.finish(named)?;
        }
        self.shapes.push(named, shaped)?;
        self.shapes.finish(shaped)?;
        self.fresh.take_up()?;
        let mut swept = Vec::with_capacity(shaped.len());
        self.values.push(shaped, &mut swept)?;
        self.values.finish(&mut swept)?;
        self.fresh.push(&swept, out)?;
        self.fresh.finish(out)
    }
}

impl fmt::Debug for TokenFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFilter")
            .field("found", &self.found())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

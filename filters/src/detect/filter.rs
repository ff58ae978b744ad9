//! One free text as a body: what a label's action makes of it.
//!
//! Guarantees: the text is UTF-8 or refused; where it is searched it streams, however long it is; where
//! its label is hidden nothing of it leaves, not even its length.

use std::sync::Arc;

use postern_config::Action;

use super::{Detectors, Search, Window};
use crate::body_filter::{BodyError, BodyFilter};
use crate::json::{JsonPlan, LabelId};
use crate::value_action::{JsonKind, decode, replace};

/// A text on its way through the action of one label.
pub(crate) struct TextFilter {
    plan: Arc<JsonPlan>,
    label: LabelId,
    way: Way,
    window: Window,
    /// The first bytes of a character that a chunk's end has cut.
    cut: Vec<u8>,
    /// How many bytes came before them.
    offset: u64,
    withheld: Vec<u64>,
}

/// What becomes of the text.
enum Way {
    Keep,
    Search(Arc<Detectors>),
    Constant,
}

impl TextFilter {
    /// A filter before the first byte of a text with this label.
    pub(crate) fn new(plan: Arc<JsonPlan>, label: LabelId) -> Self {
        let way = match (plan.action(label), plan.detectors(std::iter::once(&label))) {
            (Action::Show, _) => Way::Keep,
            (Action::Detect, Some(detectors)) => Way::Search(Arc::new(detectors)),
            _ => Way::Constant,
        };
        Self {
            withheld: vec![0; plan.settings().actions.len()],
            plan,
            label,
            way,
            window: Window::default(),
            cut: Vec::new(),
            offset: 0,
        }
    }

    /// How many texts were withheld, by label: one, or none.
    pub(crate) fn withheld(&self) -> &[u64] {
        &self.withheld
    }

    fn count(&mut self) {
        if let Some(count) = self.withheld.get_mut(usize::from(self.label)) {
            *count = 1;
        }
    }

    fn take(&mut self, text: &str, out: &mut Vec<u8>) {
        match &self.way {
            Way::Keep => out.extend_from_slice(text.as_bytes()),
            Way::Constant => {}
            Way::Search(detectors) => {
                let pseudonyms = self.plan.settings().pseudonyms.as_deref();
                let search = Search::new(detectors, None, pseudonyms);
                self.window.push_text(search, text, out);
            }
        }
    }

    const fn malformed(&self) -> BodyError {
        BodyError::Malformed {
            format: "UTF-8 text",
            what: "invalid UTF-8",
            offset: self.offset,
        }
    }
}

impl BodyFilter for TextFilter {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let before = out.len();
        let mut bytes = std::mem::take(&mut self.cut);
        bytes.extend_from_slice(chunk);
        let (text, rest) = match std::str::from_utf8(&bytes) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                if error.error_len().is_some() {
                    out.truncate(before);
                    return Err(self.malformed());
                }
                (std::str::from_utf8(valid).unwrap_or_default(), rest)
            }
        };
        self.take(text, out);
        self.offset += text.len() as u64;
        self.cut = rest.to_vec();
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if !self.cut.is_empty() {
            return Err(self.malformed());
        }
        match &self.way {
            Way::Keep => {}
            Way::Search(detectors) => {
                let pseudonyms = self.plan.settings().pseudonyms.as_deref();
                let search = Search::new(detectors, None, pseudonyms);
                if self.window.finish(search, out) > 0 {
                    self.count();
                }
            }
            Way::Constant => {
                let mut json = Vec::new();
                let action = self.plan.action(self.label);
                replace(action, JsonKind::String, b"\"\"", None, &mut json);
                let constant = decode(&json).map_or(json, String::into_bytes);
                out.extend_from_slice(&constant);
                self.count();
            }
        }
        Ok(())
    }
}

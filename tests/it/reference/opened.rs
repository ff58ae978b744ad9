//! Strings that hold documents, in the reference: each is read into the same tree, below the string.
//!
//! Outside of filters a string that has been opened is what its document's root is. Filters see strings.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use postern_config::Embedded;
use postern_config::action::Action;

use super::document::{Document, Kind, NodeId, Refused};
use super::query::Reading;
use super::rewriting::{self, Labels, Rules};

/// How many strings may be open, one inside the other.
const OPENED_MAX: usize = 4;

/// How a string's document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Plainly,
    Standard,
    Url,
    UrlBare,
}

/// What a string holds.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    /// The root of its document.
    pub(crate) root: NodeId,
    /// The document's text.
    pub(crate) text: Rc<str>,
    written: Written,
}

/// Which strings are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Openings {
    /// Those that the role is shown: each must hold a document.
    Shown,
    /// All, hidden ones too; what holds no document stays a string.
    AllThatCan,
}

/// A string that has not been opened, and in how many ways it is said to hold a document.
struct Closed {
    node: NodeId,
    depth: Depth,
    ways: BTreeSet<Embedded>,
}

/// Opens every string that is said to hold a document, until there is none left: what is opened may hold
/// more of them.
pub(super) fn open_strings(
    rules: &Rules,
    document: &mut Document<'_>,
    (reading, ambiguous): (Reading, &Cell<bool>),
    openings: Openings,
) -> Result<(), Refused> {
    let mut tried = BTreeSet::new();
    while rules.embedded.iter().any(Option::is_some) {
        let queries = rewriting::queries(rules, document, reading, ambiguous);
        let labels = rewriting::labels(rules, &queries);
        let mut closed = closed(rules, document, &labels, openings);
        closed.retain(|string| tried.insert(string.node));
        if closed.is_empty() {
            break;
        }
        for string in closed {
            let opened = match string.ways.iter().collect::<Vec<_>>()[..] {
                [how] => document.open(string.node, *how, string.depth, rules.depth_max),
                _ => Err(Refused),
            };
            if openings == Openings::Shown {
                opened?;
            }
        }
    }
    Ok(())
}

fn closed(
    rules: &Rules,
    document: &Document<'_>,
    labels: &Labels,
    openings: Openings,
) -> Vec<Closed> {
    let actions = rewriting::actions(rules, labels);
    let mut closed = Vec::new();
    let mut open = vec![(0, Depth::default(), BTreeSet::new())];
    while let Some((node, depth, around)) = open.pop() {
        let shown = matches!(actions.get(&node), None | Some(Action::Show));
        if openings == Openings::Shown && !shown {
            continue;
        }
        let ways = labels.get(&node).map(|labels| ways(rules, labels));
        // A label covers its children, down to the documents in their strings.
        let ways = ways.filter(|ways| !ways.is_empty()).unwrap_or(around);
        let below = match document.nodes[node].opened {
            None => ways.clone(),
            Some(_) => BTreeSet::new(),
        };
        let is_string =
            matches!(&document.nodes[node].kind, Kind::String(text) if !text.is_empty());
        if is_string && !ways.is_empty() {
            closed.push(Closed { node, depth, ways });
        }
        let mut inside = depth;
        let mut meant = node;
        while let Some(opened) = &document.nodes[meant].opened {
            inside.levels += 1;
            inside.strings += 1;
            meant = opened.root;
        }
        inside.levels += 1;
        let children = document.children(meant).iter();
        open.extend(children.map(|child| (child.node, inside, below.clone())));
    }
    closed
}

/// In which ways a string with these labels holds a document.
fn ways(rules: &Rules, labels: &BTreeSet<u16>) -> BTreeSet<Embedded> {
    let each = labels.iter();
    each.filter_map(|label| rules.embedded.get(usize::from(*label)).copied().flatten())
        .collect()
}

/// Where a string stands: in how many containers and strings, and in how many strings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Depth {
    pub(super) levels: usize,
    pub(super) strings: usize,
}

impl Document<'_> {
    /// Reads a string as a document, and its root too where that is a string again. An empty string
    /// stays one.
    pub(super) fn open(
        &mut self,
        node: NodeId,
        how: Embedded,
        depth: Depth,
        depth_max: usize,
    ) -> Result<(), Refused> {
        let (mut node, mut depth) = (node, depth);
        while let Kind::String(text) = self.nodes[node].kind.clone() {
            if text.is_empty() {
                break;
            }
            if depth.strings >= OPENED_MAX {
                return Err(Refused);
            }
            let (text, written) = match how {
                Embedded::Json => (text, Written::Plainly),
                Embedded::Base64 => decoded(&text)?,
            };
            depth.levels += 1;
            depth.strings += 1;
            let text: Rc<str> = text.into();
            let root = self.graft(&text, depth_max.saturating_sub(depth.levels))?;
            self.nodes[node].opened = Some(Opened {
                root,
                text,
                written,
            });
            node = root;
        }
        Ok(())
    }
}

impl Opened {
    /// The text of a string that holds this document now.
    pub(super) fn string(&self, document: &str) -> String {
        let text = match self.written {
            Written::Plainly => document.to_owned(),
            Written::Standard => STANDARD.encode(document),
            Written::Url => URL_SAFE.encode(document),
            Written::UrlBare => URL_SAFE_NO_PAD.encode(document),
        };
        let escapes = [
            ('\\', "\\\\"),
            ('"', "\\\""),
            ('\n', "\\n"),
            ('\r', "\\r"),
            ('\t', "\\t"),
        ];
        let escaped = escapes
            .iter()
            .fold(text, |text, (plain, escape)| text.replace(*plain, escape));
        format!("\"{escaped}\"")
    }
}

/// Tries every form that a text may have.
fn decoded(text: &str) -> Result<(String, Written), Refused> {
    let url = text.contains('-') || text.contains('_');
    let forms = match url {
        true => [
            (&URL_SAFE, Written::Url),
            (&URL_SAFE_NO_PAD, Written::UrlBare),
        ],
        false => [
            (&STANDARD, Written::Standard),
            (&URL_SAFE_NO_PAD, Written::UrlBare),
        ],
    };
    let (bytes, written) = forms
        .iter()
        .find_map(|(engine, written)| Some((engine.decode(text).ok()?, *written)))
        .ok_or(Refused)?;
    // `AAAA` has no padding in any form; with the second alphabet it counts as bare.
    let bare = url && !text.contains('=');
    let written = if bare { Written::UrlBare } else { written };
    Ok((
        String::from_utf8(bytes).map_err(|_invalid| Refused)?,
        written,
    ))
}

//! What is remembered of each container that is being followed.

use crate::json::automaton::{START, StateId};
use crate::json::held::NodeId;
use crate::json::scanner::Terms;

/// What a frame stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// The document: its one child is the root value.
    Document,
    /// A document inside a string: its one child is what the string stands for, in the string's state.
    Opened,
    Array,
    Object,
}

/// How what is inside a container is covered by a label on it or around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    /// No label that shows it.
    None,
    /// A label shows it, and everything inside that no label hides.
    Shown,
    /// A label lets it be searched, by the verdict of this number, and everything inside that no label
    /// hides.
    Searched(u32),
}

/// Which strings in a container hold documents because a label on it or around it says so, by the verdict of
/// this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Embeds {
    /// None: only those whose own labels say so.
    Nothing,
    /// Of a document inside a string, its root: encoding twice hides nothing. What is deeper in it has labels
    /// of its own.
    Root(u32),
    /// All, however deep.
    Inside(u32),
}

/// A container that is being followed. Positions are in the output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    pub(super) cover: Cover,
    pub(super) embeds: Embeds,
    /// The container's state: its children step from here.
    pub(super) state: StateId,
    /// The index of the next element.
    pub(super) index: u64,
    /// How many elements there are, where a test asks for it.
    pub(super) length: u64,
    /// The next child in a held value.
    pub(super) next: NodeId,
    /// What is wanted to be told in it, where that is known.
    pub(super) terms: Option<Terms>,
    /// Whether something of this container has been kept.
    pub(super) kept_any: bool,
    /// Whether the output from `member_from` on is not decided.
    pub(super) pending: bool,
    /// From where the present member or element, or the one that was last removed with nothing kept
    /// before it, would be cut.
    pub(super) member_from: u64,
    /// From where to cut when the container ends and nothing in it was to be seen.
    pub(super) cut_from: u64,
}

impl Frame {
    /// The frame around the root value. All white space before that is undecided with it.
    pub(super) const fn document() -> Self {
        Self {
            kind: FrameKind::Document,
            cover: Cover::None,
            embeds: Embeds::Nothing,
            state: START,
            index: 0,
            length: 0,
            next: 0,
            terms: None,
            kept_any: false,
            pending: true,
            member_from: 0,
            cut_from: 0,
        }
    }

    /// The frame around the root of a document inside a shown string in this state.
    pub(super) const fn opened(state: StateId) -> Self {
        Self {
            kind: FrameKind::Opened,
            cover: Cover::Shown,
            state,
            ..Self::document()
        }
    }

    /// A frame for a container in this state.
    pub(super) const fn new(kind: FrameKind, state: StateId, cover: Cover) -> Self {
        Self {
            kind,
            cover,
            state,
            pending: false,
            ..Self::document()
        }
    }
}

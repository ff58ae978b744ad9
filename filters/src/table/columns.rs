//! From a table's header row to what happens to the cells of each column.
//!
//! Guarantees: a column is labelled by its header text as a path, by the same text without white space
//! around it, and by the route's `columns`; all these labels are united and the strictest action wins.
//! A column inside something that is hidden is hidden. A header text that nobody named is data too.

use std::sync::Arc;

use postern_config::Action;
use postern_config::routes::{Names, Unlabelled};

use super::cell::constant;
use super::{ColumnLabels, Dialect};
use crate::body_filter::BodyError;
use crate::detect::Detectors;
use crate::json::{ColumnPath, JsonPlan, LabelId};
use crate::value_action::{JsonKind, needs_value};

/// What happens to the cells of a column.
#[derive(Debug, Clone)]
pub(super) enum Cells {
    /// They leave as they are.
    Keep,
    /// They disappear, the header with them.
    Drop,
    /// These bytes take their place, whatever they are.
    Constant(Arc<[u8]>),
    /// What takes their place is made from them.
    Change(Arc<Action>),
    /// They stay but for what is found in them.
    Search(Arc<Detectors>),
}

impl Cells {
    /// Whether nothing takes the cells' place.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Drop)
    }
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) cells: Cells,
    /// The header text leaves as well.
    pub(super) shows_header: bool,
    /// The labels that do not show the cells.
    pub(super) withheld: Box<[LabelId]>,
    /// The rules that this column satisfies.
    pub(super) required: Vec<usize>,
    /// Some rule labels it.
    pub(super) labelled: bool,
    /// A label hides the cells as a whole.
    pub(super) hides: bool,
}

/// What happens to the column under this header text.
///
/// # Errors
/// The text has too many parts, or nobody labelled the column where that refuses the table.
pub(super) fn column(
    header: &str,
    plan: &JsonPlan,
    (dialect, columns): (Dialect, &ColumnLabels),
) -> Result<Column, BodyError> {
    let path = path(header, plan, columns)?;
    let action = |labels: &[LabelId]| {
        let actions = labels.iter().map(|label| plan.action(*label).clone());
        actions.reduce(Action::stricter)
    };
    let around = action(&path.around);
    let covering = around.clone().filter(|action| *action != Action::Show);
    let own = action(&path.labels);
    let decided = match (own, covering.map(of_container)) {
        (Some(own), Some(covering)) => Some(own.stricter(covering)),
        (own, covering) => own.or(covering),
    };
    let labelled = decided.is_some() || around.is_some();
    let unlabelled = match around {
        Some(_) => Unlabelled::Show,
        None => plan.unlabelled(),
    };
    let hides = decided
        .as_ref()
        .is_some_and(|action| !matches!(action, Action::Show | Action::Detect));
    let detectors = plan.detectors(path.labels.iter().chain(&path.around));
    let (cells, shows_header) = match (decided, unlabelled) {
        (Some(Action::Detect), _) if let Some(detectors) = detectors => {
            (Cells::Search(Arc::new(detectors)), path.named)
        }
        (Some(action), _) => {
            let shows_header = path.named || action == Action::Show;
            (of_action(action, dialect), shows_header)
        }
        (None, Unlabelled::Show) => (Cells::Keep, true),
        (None, Unlabelled::Redact) => (of_action(Action::Redact { with: None }, dialect), false),
        (None, Unlabelled::Remove) => (Cells::Drop, false),
        (None, Unlabelled::Deny) => return Err(BodyError::Unlabelled),
    };
    let mut withheld: Vec<LabelId> = path.labels.iter().chain(&path.around).copied().collect();
    withheld.retain(|label| *plan.action(*label) != Action::Show);
    withheld.sort_unstable();
    withheld.dedup();
    Ok(Column {
        cells,
        shows_header,
        withheld: withheld.into(),
        required: path.required,
        labelled,
        hides,
    })
}

/// Whether the cells of the column under this header text name data subjects, and whether something around
/// them does.
///
/// # Errors
/// The text has too many parts.
pub(super) fn subjects(header: &str, plan: &JsonPlan) -> Result<(bool, bool), BodyError> {
    let path = path(header, plan, &Arc::default())?;
    Ok((path.names_subject, path.subject_around))
}

/// Where the column under this header text stands, by every way to read the text.
fn path(header: &str, plan: &JsonPlan, columns: &ColumnLabels) -> Result<ColumnPath, BodyError> {
    const PARTS: BodyError = BodyError::Limit {
        limit: "column_parts",
    };
    let trimmed = trimmed(header);
    let mut path = plan.column(header).ok_or(PARTS)?;
    if trimmed != header {
        unite(&mut path, plan.column(trimmed).ok_or(PARTS)?);
    }
    let same = |known: &str| match plan.names() {
        Names::Exact => known == header || known == trimmed,
        Names::Caseless => {
            known.eq_ignore_ascii_case(header) || known.eq_ignore_ascii_case(trimmed)
        }
    };
    for (_, labels) in columns.iter().filter(|(known, _)| same(known)) {
        path.labels.extend_from_slice(labels);
        path.named = true;
    }
    Ok(path)
}

/// What an action on an object makes of a cell that would be inside it: no more than the object would
/// still say.
fn of_container(action: Action) -> Action {
    match action {
        Action::Show | Action::Detect | Action::Remove | Action::Redact { .. } => action,
        Action::Mask(_) | Action::Generalize(_) | Action::Pseudonym(_) => {
            Action::Redact { with: None }
        }
    }
}

fn of_action(action: Action, dialect: Dialect) -> Cells {
    let changes = |kind| needs_value(&action, kind);
    if action == Action::Show {
        Cells::Keep
    } else if action == Action::Remove {
        Cells::Drop
    } else if changes(JsonKind::String) || changes(JsonKind::Number) {
        Cells::Change(Arc::new(action))
    } else {
        Cells::Constant(constant(&action, dialect).into())
    }
}

/// A header text without what readers may strip from around it.
fn trimmed(header: &str) -> &str {
    header.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

fn unite(path: &mut ColumnPath, mut other: ColumnPath) {
    path.labels.append(&mut other.labels);
    path.around.append(&mut other.around);
    path.required.append(&mut other.required);
    path.named |= other.named;
    path.names_subject |= other.names_subject;
    path.subject_around |= other.subject_around;
}

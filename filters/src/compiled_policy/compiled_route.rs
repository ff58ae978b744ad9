//! One route made ready: everything about it that does not depend on who asks.

use std::sync::Arc;

use postern_config::params::BodyMeaning;
use postern_config::rfc9110::is_safe;
use postern_config::routes::{AuditMode, LongLived, Names, RouteMethod, Unlabelled, Unreadable};
use postern_config::{Label, Route, RouteFormat, Selector};

use crate::compiled_policy::{CompileError, CountedRoute, WriteRules};
use crate::json::{Automaton, JsonRules, LabelId};
use crate::request_guard::query::QueryRules;
use crate::table::ColumnLabels;

/// A route ready to decide and redact.
#[derive(Debug)]
pub(crate) struct CompiledRoute {
    pub(crate) name: String,
    /// Some of its fields may be hidden from somebody.
    pub(crate) labelled: bool,
    /// Its answers must have something somewhere, so they are read for everybody.
    pub(crate) required: bool,
    /// What may be asked; none when anything may.
    pub(crate) query: Option<QueryRules>,
    /// Whether a body writes or asks.
    pub(crate) body: BodyMeaning,
    pub(crate) unlabelled: Unlabelled,
    /// Content types that pass unread.
    pub(crate) unreadable: Vec<String>,
    pub(crate) allow: Vec<LongLived>,
    pub(crate) receipt: bool,
    pub(crate) audit: AuditMode,
    /// The labels its fields carry.
    pub(crate) labels: Vec<LabelId>,
    pub(crate) automaton: Arc<Automaton>,
    /// The formats its answers may have; at least one.
    pub(crate) formats: Vec<RouteFormat>,
    /// The labels of a table's columns by their header text.
    pub(crate) columns: ColumnLabels,
    /// How writes are judged; none where there is nothing to hide or nothing to write.
    pub(crate) write: Option<Arc<WriteRules>>,
    /// What is counted of its answers.
    pub(crate) counted: CountedRoute,
}

impl CompiledRoute {
    /// Compiles a route; `labels` is the policy's list, in order. `records` is where its records are, if
    /// what they hide is searched for.
    ///
    /// # Errors
    /// The selectors are too many.
    pub(crate) fn compile(
        route: &Route,
        labels: &[&Label],
        records: &[Selector],
    ) -> Result<Self, CompileError> {
        let too_large = || CompileError::TooLarge {
            route: route.name.clone(),
        };
        let id = |label: &Label| {
            let place = labels.iter().position(|known| *known == label);
            place.and_then(|place| LabelId::try_from(place).ok())
        };
        let mut rules = Vec::with_capacity(route.rules.len());
        for rule in &route.rules {
            let ids: Option<Vec<LabelId>> = rule.labels.iter().map(id).collect();
            rules.push((&rule.selector, ids.ok_or_else(too_large)?));
        }
        let mut columns = Vec::with_capacity(route.columns.len());
        for column in &route.columns {
            let ids: Option<Vec<LabelId>> = column.labels.iter().map(id).collect();
            columns.push((column.header.clone(), ids.ok_or_else(too_large)?));
        }
        let in_columns = columns.iter().flat_map(|(_, ids)| ids);
        let in_rules = rules.iter().flat_map(|(_, ids)| ids);
        let mut carried: Vec<LabelId> = in_rules.chain(in_columns).copied().collect();
        carried.sort_unstable();
        carried.dedup();
        let rules = JsonRules {
            rules,
            required: route.required.iter().collect(),
            names: route.names,
        };
        let Ok(automaton) = Automaton::compile_with_records(&rules, records) else {
            return Err(too_large());
        };
        let labelled = !carried.is_empty() || route.unlabelled != Unlabelled::Show;
        let write = match labelled && writes(route) {
            true => Some(WriteRules::compile(route, &rules.rules).map_err(|_error| too_large())?),
            false => None,
        };
        Ok(Self {
            name: route.name.clone(),
            labelled,
            required: !route.required.is_empty(),
            query: QueryRules::compile(route, labelled, id),
            body: route.body,
            unlabelled: route.unlabelled,
            unreadable: match &route.unreadable {
                Unreadable::Deny => Vec::new(),
                Unreadable::Allow(types) => types.clone(),
            },
            allow: route.allow.clone(),
            receipt: route.receipt,
            audit: route.audit,
            labels: carried,
            automaton: Arc::new(automaton),
            formats: route.formats.clone(),
            columns: columns.into(),
            write: write.map(Arc::new),
            counted: CountedRoute::default(),
        })
    }
}

impl CompiledRoute {
    /// A route on which nothing is hidden, required, counted or asked.
    ///
    /// # Errors
    /// None: there are no selectors.
    pub(crate) fn open(name: &str) -> Result<Self, CompileError> {
        let rules = JsonRules {
            rules: Vec::new(),
            required: Vec::new(),
            names: Names::default(),
        };
        let automaton = Automaton::compile(&rules).map_err(|_error| CompileError::TooLarge {
            route: name.to_owned(),
        })?;
        Ok(Self {
            name: name.to_owned(),
            labelled: false,
            required: false,
            query: None,
            body: BodyMeaning::Write,
            unlabelled: Unlabelled::Show,
            unreadable: Vec::new(),
            allow: Vec::new(),
            receipt: false,
            audit: AuditMode::default(),
            labels: Vec::new(),
            automaton: Arc::new(automaton),
            formats: Vec::new(),
            columns: Vec::new().into(),
            write: None,
            counted: CountedRoute::default(),
        })
    }
}

/// Whether a route takes a method that may have a body.
fn writes(route: &Route) -> bool {
    route.matches.iter().any(|one| match &one.method {
        RouteMethod::Any => true,
        RouteMethod::Exactly(method) => !is_safe(method),
    })
}

//! What a query may ask: plain parameters, and parameters that ask about fields, for roles that see those
//! fields in full.
//!
//! Guarantees: every parameter is one that the route knows, in a spelling that can mean nothing else;
//! a parameter that filters, sorts, searches or selects by a field is allowed only when every label of the
//! field is shown; what cannot be read is refused. Names are compared after decoding once, `+` as a space.
//! It does not look at plain parameters' values, and it does not rewrite anything.

mod languages;
mod odata;
mod postgrest;
mod spelling;

use postern_config::params::{Asks, Language};
use postern_config::routes::Unlabelled;
use postern_config::{Label, Route};

use crate::form_encoding;
use crate::json::LabelId;
use spelling::Spelled;

/// The most fields that one parameter may name.
pub(crate) const FIELDS_MAX: usize = 64;

/// Why a query is refused. The first is the answer where both hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refused {
    /// It asks what the route does not know, or in a way that could mean two things.
    NotAllowed,
    /// It asks about a field that these roles do not see in full.
    Hidden,
}

/// What a set of roles sees on a route.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// Whether fields of a label are shown in full.
    pub(crate) shows: &'a dyn Fn(LabelId) -> bool,
    /// Whether nothing of the route is hidden.
    pub(crate) everything: bool,
}

/// A parameter that asks about fields, or one field that it may name, and whether somebody may ask it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// `tax_id`, or `sort=customer.name`.
    pub text: String,
    /// Whether it may be asked.
    pub allowed: bool,
}

/// What may be asked on a route.
#[derive(Debug)]
pub(crate) struct QueryRules {
    /// Parameters that anybody may ask.
    plain: Vec<String>,
    params: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    name: String,
    asks: Asked,
}

/// What a parameter asks about.
#[derive(Debug)]
enum Asked {
    /// Fields of these labels.
    About(Vec<LabelId>),
    /// Fields that it names.
    Fields(Language, Vec<Field>),
    /// Whatever it likes.
    Anything,
}

#[derive(Debug)]
struct Field {
    path: String,
    /// What has to be shown; none when the field is hidden from everybody.
    needs: Option<Vec<LabelId>>,
}

impl Field {
    fn is_shown(&self, sight: Sight<'_>) -> bool {
        let needs = self.needs.as_deref();
        needs.is_some_and(|all| all.iter().copied().all(sight.shows))
    }
}

impl QueryRules {
    /// What may be asked on a route; none when anything may. `id` finds a label's place in the policy;
    /// a label without one is hidden from everybody.
    pub(crate) fn compile(
        route: &Route,
        labelled: bool,
        id: impl Fn(&Label) -> Option<LabelId>,
    ) -> Option<Self> {
        let nothing = (labelled || !route.params.is_empty()).then(Vec::new);
        let plain = route.query.clone().or(nothing)?;
        let ids = |labels: &[Label]| labels.iter().map(&id).collect::<Option<Vec<_>>>();
        let params = route.params.iter().map(|param| Rule {
            name: param.name.clone(),
            asks: match &param.asks {
                Asks::About(labels) => match ids(labels) {
                    Some(labels) if !labels.is_empty() => Asked::About(labels),
                    Some(_) | None => Asked::Anything,
                },
                Asks::Anything => Asked::Anything,
                Asks::Fields { language, fields } => {
                    let selects = selects(*language, &param.name);
                    let fields = fields.iter().map(|field| Field {
                        path: field.path.clone(),
                        needs: needs(field, selects, route.unlabelled).and_then(|all| ids(&all)),
                    });
                    Asked::Fields(*language, fields.collect())
                }
            },
        });
        Some(Self {
            params: params.collect(),
            plain,
        })
    }

    /// Judges a raw query, without `?`.
    ///
    /// # Errors
    /// Something in it may not be asked; see [`Refused`].
    pub(crate) fn judge(&self, query: &str, sight: Sight<'_>) -> Result<(), Refused> {
        let mut seen: Vec<String> = Vec::new();
        let mut worst = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                return Err(Refused::NotAllowed);
            };
            let repeated = seen.contains(&name) && !name.ends_with("[]");
            if repeated || hides_another(&value) {
                return Err(Refused::NotAllowed);
            }
            match self.one(&name, &value, sight) {
                Ok(()) => {}
                Err(Refused::NotAllowed) => return Err(Refused::NotAllowed),
                Err(Refused::Hidden) => worst = Some(Refused::Hidden),
            }
            seen.push(name);
        }
        worst.map_or(Ok(()), Err)
    }

    /// Everything that may be asked about fields by somebody, with whether these roles may.
    pub(crate) fn questions(&self, sight: Sight<'_>) -> Vec<Question> {
        let mut questions = Vec::new();
        for rule in &self.params {
            let mut add = |text: String, allowed| questions.push(Question { text, allowed });
            match &rule.asks {
                Asked::About(labels) => {
                    let allowed = labels.iter().copied().all(sight.shows);
                    add(rule.name.clone(), allowed);
                }
                Asked::Anything => add(rule.name.clone(), sight.everything),
                Asked::Fields(_, fields) => {
                    for field in fields {
                        add(
                            format!("{}={}", rule.name, field.path),
                            field.is_shown(sight),
                        );
                    }
                }
            }
        }
        questions
    }

    fn one(&self, name: &str, value: &str, sight: Sight<'_>) -> Result<(), Refused> {
        if self.plain.iter().any(|known| known == name) {
            return Ok(());
        }
        let exact = self.params.iter().find(|rule| rule.name == name);
        let (rule, spelled) = match exact {
            Some(rule) => (rule, Spelled::Plain),
            None => self
                .params
                .iter()
                .find_map(|rule| Some((rule, spelling::beyond(&rule.name, name)?)))
                .ok_or(Refused::NotAllowed)?,
        };
        match &rule.asks {
            Asked::About(labels) => {
                if !spelled.is_operator() {
                    return Err(Refused::NotAllowed);
                }
                visible(labels.iter().copied().all(sight.shows))
            }
            Asked::Anything => visible(sight.everything),
            Asked::Fields(language, fields) => {
                let known = |path: &str| fields.iter().find(|field| field.path == path);
                let is_known = |path: &str| known(path).is_some();
                let named = match language {
                    Language::Sort => languages::sort(&spelled, value),
                    Language::Fields => languages::fields(&spelled, value),
                    Language::Filter => languages::filter(&spelled, &is_known),
                    Language::Odata => odata::read(name, value),
                    Language::Postgrest => postgrest::read(name, value),
                };
                let named = named.filter(|named| named.len() <= FIELDS_MAX);
                let mut all_shown = true;
                for path in named.ok_or(Refused::NotAllowed)? {
                    let field = known(&path).ok_or(Refused::NotAllowed)?;
                    all_shown &= field.is_shown(sight);
                }
                visible(all_shown)
            }
        }
    }
}

fn visible(shown: bool) -> Result<(), Refused> {
    match shown {
        true => Ok(()),
        false => Err(Refused::Hidden),
    }
}

/// Whether a parameter only says which fields the answer holds. What is inside such a field may be hidden:
/// it is redacted where it stands.
fn selects(language: Language, name: &str) -> bool {
    match language {
        Language::Fields => true,
        Language::Odata => ["select", "expand"].contains(&odata::option(name)),
        Language::Postgrest => name == "select",
        Language::Sort | Language::Filter => false,
    }
}

/// The labels that have to be shown for a field to be named.
fn needs(
    field: &postern_config::params::AskedField,
    selects: bool,
    unlabelled: Unlabelled,
) -> Option<Vec<Label>> {
    let holds_visible = selects && !field.within.is_empty();
    // In an allow-list a field that nobody labelled is hidden from everybody.
    if field.labels.is_empty() && unlabelled != Unlabelled::Show && !holds_visible {
        return None;
    }
    let mut all = field.labels.clone();
    if !selects {
        all.extend(field.within.iter().cloned());
    }
    Some(all)
}

/// Whether a reader that decodes before it splits would find a further parameter in a value.
fn hides_another(value: &str) -> bool {
    let rest = value.split_once(['&', ';']);
    rest.is_some_and(|(_, rest)| rest.contains('='))
}

/// The text of a name or value of a query; none when readers could disagree about it.
///
/// A `;`, malformed percent-encoding, encoded control characters and bytes that are not UTF-8 are what
/// readers disagree about.
fn decoded(text: &str) -> Option<String> {
    if text.contains(';') {
        return None;
    }
    form_encoding::decoded_alike(text).filter(|text| !text.contains(char::is_control))
}

#[cfg(test)]
mod tests;

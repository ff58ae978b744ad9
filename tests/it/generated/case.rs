//! One case: a document, rules, what a role may see; and how both redactors are run on it.

use std::fmt;
use std::sync::Arc;

use postern_config::action::{Action, Generalize, Mask, PseudonymScope};
use postern_config::routes::{Names, Unlabelled};
use postern_config::{Embedded, Selector};
use postern_filters::json::{Automaton, JsonPlan, JsonRules, JsonSettings};

use super::documents::{self, Style};
use super::padding::padded;
use super::random::Random;
use super::selectors::{self, Constructs, Filters, Positions};
use super::strings::Vocabulary;
use crate::reference::Rules;

/// The limit on held bytes where none is being tested.
const HELD_BYTES_MAX: usize = 1 << 20;

/// What a generated case may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) style: Style,
    pub(crate) constructs: Constructs,
    pub(crate) rules_max: usize,
}

/// One generated case, as text that a person can read and change.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) document: Vec<u8>,
    /// Selectors with labels by number.
    pub(crate) rules: Vec<(String, Vec<u16>)>,
    pub(crate) required: Vec<String>,
    pub(crate) names: Names,
    /// By label.
    pub(crate) actions: Vec<Action>,
    pub(crate) unlabelled: Unlabelled,
    pub(crate) depth_max: usize,
    /// How a shown string of each label holds a document, by label.
    pub(crate) embedded: Vec<Option<Embedded>>,
}

/// A case whose rules are compiled for both redactors.
pub(crate) struct Ready {
    pub(crate) rules: Rules,
    pub(super) plan: Arc<JsonPlan>,
}

impl Profile {
    /// Anything goes, in a mix that favours small documents.
    pub(crate) fn any(random: &mut Random) -> Self {
        let constructs = Constructs {
            filters: random.choose(&[Filters::Never, Filters::Plain, Filters::Any]),
            positions: random.choose(&[Positions::FromTheStart, Positions::Any]),
        };
        let style = Style {
            duplicates: random.chance(60),
            wide_numbers: random.chance(20),
            canaries: false,
            embedded: match random.chance(30) {
                true => Some(random.choose(&[Embedded::Json, Embedded::Json, Embedded::Base64])),
                false => None,
            },
            values_max: random.choose(&[6, 6, 12, 12, 30, 200]),
        };
        Self {
            style,
            constructs,
            rules_max: random.choose(&[1, 1, 2, 2, 4, 4, 12, 12, 12, 40]),
        }
    }
}

/// What becomes of fields without a label: mostly they are shown.
fn unlabelled(random: &mut Random) -> Unlabelled {
    match random.below(20) {
        0..10 => Unlabelled::Show,
        10..14 => Unlabelled::Remove,
        14..18 => Unlabelled::Redact,
        _ => Unlabelled::Deny,
    }
}

impl Case {
    /// The case of this stream of numbers.
    pub(crate) fn generate(random: &mut Random, profile: Profile) -> Self {
        let vocabulary = Vocabulary::of_case(random);
        let labels = 1 + random.below(5);
        let mut rules: Vec<(String, Vec<u16>)> = (0..1 + random.below(profile.rules_max))
            .map(|_| {
                let count = if random.chance(85) { 1 } else { 2 };
                let carried = (0..count).map(|_| label(random.below(labels)));
                let carried = carried.collect();
                (
                    selectors::selector(random, &vocabulary, profile.constructs),
                    carried,
                )
            })
            .collect();
        let required = match random.chance(8) {
            true => vec![selectors::selector(random, &vocabulary, profile.constructs)],
            false => Vec::new(),
        };
        let document = documents::valid(random, &vocabulary, profile.style);
        let document = match random.chance(10) {
            true => padded(random, document),
            false => document,
        };
        let document = match random.chance(10) {
            true => documents::broken(random, &document),
            false => document.into_bytes(),
        };
        let mut actions: Vec<Action> = (0..labels).map(|_| action(random)).collect();
        // A filter that asks for `$` beside a string that is opened is refused by policies.
        let asks = |text: &String| text.get(1..).is_some_and(|rest| rest.contains('$'));
        let opens = !rules.iter().any(|(text, _)| asks(text)) && !required.iter().any(asks);
        let mut embedded = vec![None; labels];
        if let Some(how) = profile.style.embedded.filter(|_| opens) {
            for (number, action) in actions.iter_mut().enumerate() {
                if number == 0 || random.chance(25) {
                    embedded[number] = Some(how);
                    if random.chance(85) {
                        *action = Action::Show;
                    }
                }
            }
            // Not everywhere: what is innermost holds no document, and would refuse the rest.
            let places = ["$.*", "$.*", "$.*.*", "$[0]", "$..*"];
            rules.push((random.choose(&places).to_owned(), vec![0]));
            let name = vocabulary.name(random);
            if name.bytes().all(|byte| byte.is_ascii_alphabetic()) && !name.is_empty() {
                rules.push((format!("$..{name}"), vec![label(labels - 1)]));
            }
        }
        Self {
            document,
            rules,
            required,
            embedded,
            actions,
            names: random.choose(&[Names::Exact, Names::Exact, Names::Caseless]),
            unlabelled: unlabelled(random),
            depth_max: random.choose(&[4, 8, 16, 128]),
        }
    }

    /// Compiles the rules; a generated selector that is refused is a mistake, here or there.
    pub(crate) fn ready(&self) -> Ready {
        let parse = |text: &String| {
            Selector::parse(text).unwrap_or_else(|error| panic!("`{text}` is refused: {error}"))
        };
        let rules = Rules {
            rules: self
                .rules
                .iter()
                .map(|(text, labels)| (parse(text), labels.clone()))
                .collect(),
            required: self.required.iter().map(parse).collect(),
            names: self.names,
            actions: self.actions.clone(),
            unlabelled: self.unlabelled,
            depth_max: self.depth_max,
            embedded: self.embedded.clone(),
        };
        Ready::new(rules)
    }
}

/// Everything needed to type the case in by hand.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "document: {}", self.document.escape_ascii())?;
        for (selector, labels) in &self.rules {
            writeln!(f, "rule:     {selector} -> {labels:?}")?;
        }
        for selector in &self.required {
            writeln!(f, "required: {selector}")?;
        }
        writeln!(f, "actions:  {:?}", self.actions)?;
        if self.embedded.iter().any(Option::is_some) {
            writeln!(f, "embedded: {:?}", self.embedded)?;
        }
        let (unlabelled, names) = (self.unlabelled, self.names);
        let depth = self.depth_max;
        write!(
            f,
            "unlabelled: {unlabelled:?}, names: {names:?}, depth_max: {depth}"
        )
    }
}

impl Ready {
    /// Compiles rules for the engine.
    pub(crate) fn new(rules: Rules) -> Self {
        Self::holding(rules, HELD_BYTES_MAX)
    }

    /// The same, with a limit on what the engine may hold back.
    pub(crate) fn holding(rules: Rules, held_bytes_max: usize) -> Self {
        let compiled = Automaton::compile(&JsonRules {
            rules: rules
                .rules
                .iter()
                .map(|(selector, labels)| (selector, labels.clone()))
                .collect(),
            required: rules.required.iter().collect(),
            names: rules.names,
        });
        let automaton = compiled.expect("generated rules are few enough for the automaton");
        let settings = JsonSettings {
            actions: rules.actions.clone(),
            unlabelled: rules.unlabelled,
            depth_max: rules.depth_max,
            held_bytes_max,
            pseudonyms: None,
            require: true,
            embedded: rules.embedded.clone(),
        };
        let plan = Arc::new(JsonPlan::new(Arc::new(automaton), settings));
        Self { rules, plan }
    }
}

fn label(number: usize) -> u16 {
    u16::try_from(number).unwrap()
}

/// Any action; the frequent ones are show, redact and remove.
pub(crate) fn action(random: &mut Random) -> Action {
    let with = |text: &str| Action::Redact {
        with: Some(text.to_owned()),
    };
    match random.below(16) {
        0..4 => Action::Show,
        4..7 => Action::Redact { with: None },
        7 => with("\"[REDACTED]\""),
        8 => with("0"),
        9..13 => Action::Remove,
        13 => Action::Mask(Mask::Keep { first: 0, last: 2 }),
        14 => Action::Mask(Mask::ByShape),
        _ => random.choose(&[
            Action::Generalize(Generalize::Prefix(1)),
            Action::Generalize(Generalize::Bucket(10)),
            Action::Pseudonym(PseudonymScope::Tenant),
        ]),
    }
}

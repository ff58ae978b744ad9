//! The rule sets: how many selectors, of which kind, and what happens to the rest.

use postern_config::action::Action;
use postern_config::routes::Unlabelled;

use crate::documents::Input;

/// Selectors that all carry one label.
#[derive(Debug, Clone)]
pub(crate) struct RuleSet {
    pub(crate) name: &'static str,
    pub(crate) selectors: Vec<String>,
    pub(crate) action: Action,
    pub(crate) unlabelled: Unlabelled,
    /// Whether a query and a replacement can express it, as the rival does.
    pub(crate) deny_list: bool,
}

/// Paths of a case list, ten of them selecting about a tenth of the bytes.
const TEN_WILDCARD: &[&str] = &[
    "$.cases[*].customer.name",
    "$.cases[*].customer.email",
    "$.cases[*].customer.phone",
    "$.cases[*].customer.tax_id",
    "$.cases[*].customer.address.street",
    "$.cases[*].payments[*].card_number",
    "$.cases[*].payments[*].holder",
    "$.cases[*].messages[*].from",
    "$.cases[*].internal_note",
    "$.cases[*].session_token",
];

const FIVE_DESCENDANT: &[&str] = &[
    "$..email",
    "$..phone",
    "$..tax_id",
    "$..card_number",
    "$..holder",
];

/// Names that no document has, to fill fifty rules as a large policy would.
const ABSENT: &[&str] = &[
    "passport",
    "iban",
    "birthday",
    "mother",
    "salary",
    "diagnosis",
    "licence",
    "voice_id",
];

/// The rule sets for an input.
pub(crate) fn of(input: &Input) -> Vec<RuleSet> {
    let deny = |name, selectors| RuleSet {
        name,
        selectors,
        action: Action::Redact { with: None },
        unlabelled: Unlabelled::Show,
        deny_list: true,
    };
    if !input.case_list {
        return vec![
            deny("none", Vec::new()),
            deny(
                "5 descendant",
                texts(&["$..email", "$..url", "$..login", "$..html_url", "$..phone"]),
            ),
        ];
    }
    vec![
        deny("none", Vec::new()),
        deny("1 exact", texts(&["$.cases[3].customer.email"])),
        deny("10 wildcard", texts(TEN_WILDCARD)),
        deny("5 descendant", texts(FIVE_DESCENDANT)),
        deny("50 mixed", fifty_mixed()),
        RuleSet {
            action: Action::Remove,
            deny_list: false,
            ..deny("30 % cut", texts(&["$.cases[*].messages[*].body"]))
        },
        RuleSet {
            name: "allow-list",
            selectors: texts(&[
                "$.cases[*].id",
                "$.cases[*].status",
                "$.cases[*].subject",
                "$.cases[*].messages[*].created_at",
                "$.cases[*].payments[*].amount",
            ]),
            action: Action::Show,
            unlabelled: Unlabelled::Remove,
            deny_list: false,
        },
    ]
}

/// Ten wildcard paths, five descendants, five exact ones and thirty that match nothing.
fn fifty_mixed() -> Vec<String> {
    let mut selectors = texts(TEN_WILDCARD);
    selectors.extend(texts(FIVE_DESCENDANT));
    selectors.extend((0..5).map(|at| format!("$.cases[{at}].messages[{at}].body")));
    let absent = ABSENT.iter().cycle().enumerate();
    selectors.extend(absent.take(30).map(|(at, name)| match at % 3 {
        0 => format!("$.cases[*].customer.{name}_{at}"),
        1 => format!("$..{name}_{at}"),
        _ => format!("$.cases[*].payments[*]['{name}','{name}_{at}']"),
    }));
    selectors
}

fn texts(selectors: &[&str]) -> Vec<String> {
    selectors.iter().map(|text| (*text).to_owned()).collect()
}

//! The rule sets: how many selectors, of which kind, and what happens to the rest.

use postern_config::action::Action;
use postern_config::routes::Unlabelled;

use crate::documents::Input;

/// The JSON text in place of whatever is redacted, as a query and a replacement put it.
pub const CONSTANT: &str = "\"[redacted]\"";

/// Selectors that all carry one label.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// What a row of a table calls it.
    pub name: &'static str,
    /// RFC 9535 selectors.
    pub selectors: Vec<String>,
    /// What happens to what they select.
    pub action: Action,
    /// What happens to the rest.
    pub unlabelled: Unlabelled,
}

impl RuleSet {
    /// Whether only what is selected changes, which is what a query and a replacement can express.
    #[must_use]
    pub fn is_deny_list(&self) -> bool {
        self.unlabelled == Unlabelled::Show
    }
}

/// Paths of a case list that select ten values of each case.
const TEN_WILDCARD: &[&str] = &[
    "$.cases[*].customer.name",
    "$.cases[*].customer.email",
    "$.cases[*].customer.phone",
    "$.cases[*].customer.tax_id",
    "$.cases[*].customer.address.street",
    "$.cases[*].payments[*].card_number",
    "$.cases[*].payments[*].holder",
    "$.cases[*].assignee.email",
    "$.cases[*].internal_note",
    "$.cases[*].session_token",
];

/// Ten paths of which four select a value in every message: about fifty values of each case.
const TEN_DENSE: &[&str] = &[
    "$.cases[*].customer.name",
    "$.cases[*].customer.email",
    "$.cases[*].customer.phone",
    "$.cases[*].customer.tax_id",
    "$.cases[*].payments[*].card_number",
    "$.cases[*].payments[*].holder",
    "$.cases[*].messages[*].from",
    "$.cases[*].messages[*].id",
    "$.cases[*].messages[*].created_at",
    "$.cases[*].messages[*].attachments",
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
#[must_use]
pub fn of(input: &Input) -> Vec<RuleSet> {
    if !input.case_list {
        let five = ["$..email", "$..url", "$..login", "$..html_url", "$..phone"];
        return vec![
            deny_list("none", &[]),
            deny_list("1 wildcard", &["$[*].examples[*].sender.login"]),
            deny_list("5 descendant", &five),
        ];
    }
    vec![
        none(),
        one_exact(),
        ten_wildcard(),
        ten_dense(),
        five_descendant(),
        fifty_mixed(),
        thirty_percent(),
        allow_list(),
    ]
}

/// No rule: the document is validated and passes.
#[must_use]
pub fn none() -> RuleSet {
    deny_list("none", &[])
}

/// One path without a wildcard, which selects one value.
#[must_use]
pub fn one_exact() -> RuleSet {
    deny_list("1 exact", &["$.cases[3].customer.email"])
}

/// Ten paths that select about fifty values of each case.
#[must_use]
pub fn ten_dense() -> RuleSet {
    deny_list("10 wildcard, dense", TEN_DENSE)
}

/// Ten paths with wildcards, which select ten values of each case.
#[must_use]
pub fn ten_wildcard() -> RuleSet {
    deny_list("10 wildcard", TEN_WILDCARD)
}

/// Five names at any depth.
#[must_use]
pub fn five_descendant() -> RuleSet {
    deny_list("5 descendant", FIVE_DESCENDANT)
}

/// About 30 % of the bytes are removed.
#[must_use]
pub fn thirty_percent() -> RuleSet {
    RuleSet {
        action: Action::Remove,
        ..deny_list("30 % cut", &["$.cases[*].messages[0:6].body"])
    }
}

/// Five paths are shown and everything else is removed.
#[must_use]
pub fn allow_list() -> RuleSet {
    let shown = [
        "$.cases[*].id",
        "$.cases[*].status",
        "$.cases[*].subject",
        "$.cases[*].messages[*].created_at",
        "$.cases[*].payments[*].amount",
    ];
    RuleSet {
        action: Action::Show,
        unlabelled: Unlabelled::Remove,
        ..deny_list("allow-list", &shown)
    }
}

/// Five rules for a single case.
#[must_use]
pub fn small_body() -> RuleSet {
    let five = [
        "$.customer.name",
        "$.customer.email",
        "$.customer.phone",
        "$.messages[*].from",
        "$.internal_note",
    ];
    deny_list("5 rules", &five)
}

fn deny_list(name: &'static str, selectors: &[&str]) -> RuleSet {
    RuleSet {
        name,
        selectors: texts(selectors),
        action: Action::Redact {
            with: Some(CONSTANT.to_owned()),
        },
        unlabelled: Unlabelled::Show,
    }
}

/// Ten wildcard paths, five descendants, five exact ones and thirty that match nothing.
#[must_use]
pub fn fifty_mixed() -> RuleSet {
    let mut selectors = texts(TEN_WILDCARD);
    selectors.extend(texts(FIVE_DESCENDANT));
    selectors.extend((0..5).map(|at| format!("$.cases[{at}].messages[{at}].body")));
    let absent = ABSENT.iter().cycle().enumerate();
    selectors.extend(absent.take(30).map(|(at, name)| match at % 3 {
        0 => format!("$.cases[*].customer.{name}_{at}"),
        1 => format!("$..{name}_{at}"),
        _ => format!("$.cases[*].payments[*]['{name}','{name}_{at}']"),
    }));
    RuleSet {
        selectors,
        ..deny_list("50 mixed", &[])
    }
}

fn texts(selectors: &[&str]) -> Vec<String> {
    selectors.iter().map(|text| (*text).to_owned()).collect()
}

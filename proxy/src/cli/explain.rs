//! `postern explain`: why one field is shown, masked or removed for whom; or what a code, or the slug of
//! a problem, means.

mod decide;
mod names;
mod problems;
mod reach;

use std::path::PathBuf;

use clap::Args;
use postern_config::policy::error::explanation;
use postern_config::routes::{LabelRule, Route};
use postern_config::{Policy, Role};
use serde_json::{Value, json};

use super::output::{Exit, Format, Output};
use super::{check, wording};

pub(super) use names::{known_role, known_route};
pub(super) use problems::refusal;

use decide::Decision;
use reach::{Certainty, Place, Reach};

/// The arguments of `postern explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A policy; or a code such as PN012; or the slug of a problem such as unreadable-body
    subject: String,
    /// One place in the answer, such as '$.customer.email' or '$.messages[*].body'
    selector: Option<String>,
    /// A role to explain; may be repeated [default: every role]
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// The route whose answer holds the field
    #[arg(long, value_name = "NAME", requires = "selector")]
    route: Option<String>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    match (&arguments.selector, &arguments.route) {
        (None, _) => meaning(&arguments.subject, output),
        (Some(_), None) => {
            output.error("`--route NAME` is missing: in which route's answer is the field?");
            Exit::Unreadable
        }
        (Some(selector), Some(route)) => field(arguments, selector, route, output),
    }
}

/// Explains a code or a slug.
fn meaning(word: &str, output: &Output) -> Exit {
    let (name, title, text) = match (explanation(word), problems::problem(word)) {
        (Some(code), _) => (code.code, code.title, code.explanation),
        (None, Some(problem)) => (problem.slug, problem.title, problem.explanation),
        (None, None) => {
            output.error(format_args!(
                "`{word}` is no code and no problem; a field is explained by \
                 `postern explain POLICY --route NAME SELECTOR`"
            ));
            return Exit::Unreadable;
        }
    };
    if output.format() == Format::Json {
        output.json(&json!({ "name": name, "title": title, "explanation": text }));
    } else {
        output.text(&format!("{name}: {title}\n\n{}\n", wrapped(text)));
    }
    Exit::Fine
}

/// Explains a field.
fn field(arguments: &Arguments, selector: &str, route: &str, output: &Output) -> Exit {
    let path = PathBuf::from(&arguments.subject);
    let loaded = match check::load_offline(&path) {
        Ok(loaded) => loaded,
        Err(error) => return output.load_failure(&error),
    };
    let Some(policy) = loaded.compiled.policy() else {
        return Exit::Unreadable;
    };
    match Answer::find(policy, arguments, selector, route) {
        Ok(answer) => {
            match output.format() {
                Format::Json => output.json(&answer.as_json()),
                Format::Human | Format::Sarif | Format::Junit | Format::Github => {
                    output.text(&answer.as_text());
                }
            }
            Exit::Fine
        }
        Err(reason) => {
            output.error(reason);
            Exit::Unreadable
        }
    }
}

/// Everything there is to say about one field.
struct Answer<'a> {
    policy: &'a Policy,
    route: &'a Route,
    place: Place,
    reaches: Vec<(&'a LabelRule, Reach)>,
    roles: Vec<&'a Role>,
    /// The roles were named, so that what they see together matters.
    together: bool,
}

impl<'a> Answer<'a> {
    fn find(
        policy: &'a Policy,
        arguments: &Arguments,
        selector: &str,
        route: &str,
    ) -> Result<Self, String> {
        let route = known_route(policy, route)?;
        let place = Place::parse(selector)?;
        let named: Result<Vec<_>, _> = arguments
            .role
            .iter()
            .map(|role| known_role(policy, role))
            .collect();
        let named = named?;
        let reaches = route
            .rules
            .iter()
            .map(|rule| (rule, reach::reach(&rule.selector, &place, route.names)))
            .collect();
        Ok(Self {
            policy,
            route,
            place,
            reaches,
            together: named.len() > 1,
            roles: if named.is_empty() {
                policy.roles.values().collect()
            } else {
                named
            },
        })
    }

    fn decisions(&self) -> Vec<(String, Decision)> {
        let decide = |roles: &[&Role]| {
            decide::decide(self.policy, self.route, &self.place, &self.reaches, roles)
        };
        let each = self
            .roles
            .iter()
            .map(|role| (role.name.clone(), decide(&[role])));
        let together = self
            .together
            .then(|| ("together".to_owned(), decide(&self.roles)));
        each.chain(together).collect()
    }

    fn as_text(&self) -> String {
        let matches = self.route.matches.iter().map(wording::route_match);
        let mut text = format!(
            "{} in the answers of `{}` ({})\n\n",
            self.place.text(),
            self.route.name,
            matches.collect::<Vec<_>>().join(", ")
        );
        if self.route.deny {
            text.push_str("the route is denied: every request is answered 403 route-denied\n");
            return text;
        }
        let mut labelled = false;
        for (rule, reach) in &self.reaches {
            let labels = wording::list(rule.labels.iter().map(postern_config::Label::as_str));
            for (depth, certainty) in &reach.at {
                labelled = true;
                let whole = *depth == self.place.steps.len();
                let place = if whole {
                    "it"
                } else {
                    &self.place.prefix(*depth)
                };
                let written = rule.selector.text();
                let doubt = match certainty {
                    Certainty::Certain => "",
                    Certainty::Depends => ", depending on the document",
                };
                text.push_str(&format!("{labels}: `{written}` selects {place}{doubt}\n"));
            }
        }
        if !labelled {
            text.push_str("no rule labels it or what it is in\n");
        }
        for (rule, _) in self.reaches.iter().filter(|(_, reach)| reach.inside) {
            let labels = wording::list(rule.labels.iter().map(postern_config::Label::as_str));
            let written = rule.selector.text();
            text.push_str(&format!(
                "{labels}: `{written}` may select what is inside it\n"
            ));
        }
        let rows: Vec<Vec<String>> = self
            .decisions()
            .into_iter()
            .map(|(role, decision)| vec![role, decision.action, decision.because])
            .collect();
        format!("{text}\n{}", wording::table(&rows))
    }

    fn as_json(&self) -> Value {
        let rules: Vec<Value> = self
            .reaches
            .iter()
            .filter(|(_, reach)| !reach.at.is_empty() || reach.inside)
            .map(|(rule, reach)| {
                let at = reach.at.iter().map(|(depth, certainty)| {
                    json!({
                        "selects": self.place.prefix(*depth),
                        "depends_on_the_document": *certainty == Certainty::Depends,
                    })
                });
                json!({
                    "selector": rule.selector.text(),
                    "written": rule.written,
                    "labels": rule.labels.iter().map(postern_config::Label::as_str).collect::<Vec<_>>(),
                    "at": at.collect::<Vec<_>>(),
                    "inside": reach.inside,
                })
            })
            .collect();
        let roles: serde_json::Map<String, Value> = self
            .decisions()
            .into_iter()
            .map(|(role, decision)| {
                let cell = json!({ "action": decision.action, "because": decision.because });
                (role, cell)
            })
            .collect();
        json!({
            "route": self.route.name,
            "denied": self.route.deny,
            "place": self.place.text(),
            "rules": rules,
            "roles": roles,
        })
    }
}

/// Text broken into lines of at most 80 characters at blanks.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < 80 => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

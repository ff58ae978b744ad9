//! Whether a name that a request uses for a field can mean something that a selector selects.
//!
//! Applications name fields by the end of their path (`customer.email` for `$.cases[*].customer.email`),
//! in other cases (`customerEmail`, `CUSTOMER_EMAIL`) and without array positions. Names are therefore
//! compared without case, `_` and `-`; positions count for nothing; and whatever may precede a name may be
//! left out. A wild card or a filter may stand for any part of a name but its first, unless it looks at
//! descendants.

use super::Selector;
use super::ast::{Pick, Segment};

/// How a named field and what a selector selects lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mention {
    /// The field can be what is selected, or part of it.
    pub is: bool,
    /// What is selected can be inside the field.
    pub holds: bool,
}

/// A step on the way from the root to a selected node.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// A member of this name.
    Name(&'a str),
    /// A member of any name, or an element, that a wild card or a filter of a child segment selects.
    Any,
    /// The same of a descendant segment.
    AnyDescendant,
    /// A member of any name, or an element, on the way of a descendant segment.
    Gap,
    /// An element.
    Element,
}

/// Which parts of the path can have been met on the way so far: at 0 none, at its length all, one past it
/// all and something inside, two past it all with the last one met by a wild card.
#[derive(Clone)]
struct Met(Vec<bool>);

impl Selector {
    /// How a field named by these parts lies to what the selector selects. No part: nothing is named.
    #[must_use]
    pub fn mention(&self, path: &[&str]) -> Mention {
        if path.is_empty() {
            return Mention::default();
        }
        if !self.has_names() {
            // The record itself is selected, and with it every field.
            return Mention {
                is: true,
                holds: false,
            };
        }
        let path: Vec<String> = path.iter().map(|part| folded(part)).collect();
        let mut met = Met::start(path.len());
        for segment in self.segments() {
            let picks = match segment {
                Segment::Child(picks) => picks,
                Segment::Descendant(picks) => {
                    // Each round meets at most one part more; past the path's length nothing is new.
                    for _ in 0..=path.len() {
                        met = met.joined(&met.stepped(Step::Gap, &path));
                    }
                    picks
                }
            };
            let nothing = Met(vec![false; path.len().saturating_add(3)]);
            let descends = matches!(segment, Segment::Descendant(_));
            met = picks.iter().fold(nothing, |all, pick| {
                let step = match pick {
                    Pick::Name(name) => Step::Name(name),
                    Pick::Wildcard | Pick::Filter(_) if descends => Step::AnyDescendant,
                    Pick::Wildcard | Pick::Filter(_) => Step::Any,
                    Pick::Index(_) | Pick::Slice { .. } => Step::Element,
                };
                all.joined(&met.stepped(step, &path))
            });
        }
        Mention {
            is: (1..=path.len()).any(|count| met.at(count)) || met.at(path.len().saturating_add(2)),
            holds: met.at(path.len().saturating_add(1)),
        }
    }

    /// Whether any part of the query names a member or may select one by its value.
    fn has_names(&self) -> bool {
        self.segments().iter().any(|segment| match segment {
            Segment::Descendant(_) => true,
            Segment::Child(picks) => picks.iter().any(|pick| matches!(pick, Pick::Name(_))),
        })
    }
}

impl Met {
    fn start(parts: usize) -> Self {
        let mut met = vec![false; parts.saturating_add(3)];
        if let Some(first) = met.first_mut() {
            *first = true;
        }
        Self(met)
    }

    fn at(&self, count: usize) -> bool {
        self.0.get(count).copied().unwrap_or_default()
    }

    fn joined(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| *a || *b).collect())
    }

    /// What can have been met after one more step.
    fn stepped(&self, step: Step<'_>, path: &[String]) -> Self {
        let mut after = vec![false; self.0.len()];
        let mut set = |count: usize| {
            if let Some(place) = after.get_mut(count) {
                *place = true;
            }
        };
        let all = path.len();
        let (inside, loosely) = (all.saturating_add(1), all.saturating_add(2));
        for (count, _) in self.0.iter().enumerate().filter(|(_, met)| **met) {
            let is_element = !matches!(step, Step::Name(_));
            let is_member = !matches!(step, Step::Element);
            if (is_member && count == 0) || is_element || count == inside {
                // What precedes the name may be anything; elements count for nothing; inside stays inside.
                set(count);
            }
            if is_member && count == all {
                set(inside);
            }
            let Some(part) = path.get(count).filter(|_| is_member) else {
                continue;
            };
            let next = count.saturating_add(1);
            match step {
                Step::Name(name) if folded(name) == *part => set(next),
                // SECURITY: what a wild card meets last is selected only where the query ends there: a field
                // beside `$.payments[*].card` does not hold a card.
                Step::Any if count > 0 && next == all => set(loosely),
                Step::AnyDescendant if next == all => set(loosely),
                Step::Any if count > 0 => set(next),
                // What only happens to lie on the way of `..` does not hold what is selected, or `$..ssn`
                // would make every name one that asks about it.
                Step::AnyDescendant | Step::Gap if next < all => set(next),
                Step::Name(_) | Step::Any | Step::AnyDescendant | Step::Gap | Step::Element => {}
            }
        }
        Self(after)
    }
}

/// Whether a column's header can be what a request calls by this path: its last part, or all of it.
pub(crate) fn is_header(header: &str, path: &[&str]) -> bool {
    let header = folded(&header.replace('.', ""));
    let last = path.last().map(|part| folded(part));
    last.as_ref() == Some(&header) || folded(&path.concat()) == header
}

/// A name as applications take several for one.
fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(selector: &str, path: &str) -> (bool, bool) {
        let path: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
        let found = Selector::parse(selector).unwrap().mention(&path);
        (found.is, found.holds)
    }

    #[test]
    fn a_name_means_every_field_whose_path_ends_in_it() {
        for (selector, path) in [
            ("$.customer.email", "customer.email"),
            ("$.customer.email", "email"),
            ("$.customer.email", "customer.email.domain"),
            ("$.cases[*].customer['email','phone']", "customer.phone"),
            (
                "$.cases[*].customer['email','phone']",
                "cases.customer.email",
            ),
            ("$.tax_id", "taxId"),
            ("$.tax_id", "TAX-ID"),
            ("$..ssn", "customer.ssn"),
            ("$..ssn", "ssn"),
            ("$..customer.ssn", "a.b.customer.ssn"),
            ("$.tags[*]", "tags"),
            ("$.tags[0]", "tags"),
            ("$.customer", "customer.name"),
            ("$..notes", "notes.body.text"),
            ("$.fields[?@.name=='ssn'].value", "fields.value"),
            ("$.customer.*", "customer.name"),
            ("$.customer.*.value", "customer.name.value"),
            ("$..[?@.hidden]", "anything"),
            ("$.*", "anything"),
            ("$..*", "anything.at.all"),
            ("$", "anything"),
            ("$[*]", "anything"),
            ("$[1:2]", "anything"),
        ] {
            assert!(mention(selector, path).0, "{selector} {path}");
        }
    }

    #[test]
    fn a_near_miss_means_something_else() {
        for (selector, path) in [
            ("$.customer.email", "customer.name"),
            ("$.customer.email", "agent.email"),
            ("$.customer.email", "customer.emails"),
            ("$.customer.email", "status"),
            ("$..ssn", "status"),
            ("$..ssn", "ssn4"),
            ("$.cases[*].customer.email", "status"),
            ("$.cases[*].tags[*]", "status"),
            ("$.payments[*].card", "payments.id"),
            ("$..customer.ssn", "customer"),
            ("$.customer.email", ""),
            ("$", ""),
        ] {
            assert!(!mention(selector, path).0, "{selector} {path}");
        }
    }

    #[test]
    fn a_column_is_called_by_its_header_or_by_the_end_of_its_path() {
        for (header, path) in [
            ("E-mail", &["email"][..]),
            ("E-mail", &["customer", "email"]),
            ("customer.email", &["customer", "email"]),
            ("Customer E-mail", &["customer", "email"]),
        ] {
            assert!(is_header(header, path), "{header}");
        }
        assert!(!is_header("E-mail", &["mail"]));
        assert!(!is_header("E-mail", &[]));
    }

    #[test]
    fn a_name_of_a_container_holds_what_is_selected_inside_it() {
        for (selector, path, holds) in [
            ("$.customer.email", "customer", true),
            ("$.cases[*].customer.email", "cases", true),
            ("$.customer..ssn", "customer", true),
            ("$.cases[*].customer.email", "status", false),
            ("$.payments[*].card", "payments.id", false),
            ("$.payments[*].card", "payments", true),
            ("$..ssn", "customer", false),
            ("$.customer.email", "customer.email", false),
            ("$.customer.email", "agent", false),
        ] {
            assert_eq!(mention(selector, path).1, holds, "{selector} {path}");
        }
    }
}

//! What an answer must be: worked out by walking a tree, without anything of the engine that is measured.

use serde_json::Value;

use super::document;
use super::plan::Size;
use super::policy::{CONSTANT, TEN};

/// What the answers of a place must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// The document, byte for byte.
    Whole,
    /// The document with a constant in place of what ten selectors select.
    TenRedacted,
    /// The same members and values in any order, written in any way: what comes of a tree that is written out again.
    TenRedactedAsATree,
    /// The document, in whose message bodies nothing of a customer is found.
    BodiesSearched,
    /// Whatever a deployment answers.
    Anything,
}

impl Expected {
    /// Whether something is withheld.
    pub(super) const fn is_redacted(self) -> bool {
        match self {
            Self::Whole | Self::Anything => false,
            Self::TenRedacted | Self::TenRedactedAsATree | Self::BodiesSearched => true,
        }
    }

    /// Why an answer for this size is not what it must be; none when it is.
    pub(super) fn objection(self, size: Size, answer: &[u8]) -> Option<&'static str> {
        let (wrong, reason) = match self {
            Self::Whole => (
                answer != document::of(size).as_bytes(),
                "the answer is not the document",
            ),
            Self::TenRedacted => (
                ten_redacted(size).is_none_or(|expected| answer != expected.as_bytes()),
                "the answer is not the document with ten fields of each case redacted",
            ),
            Self::TenRedactedAsATree => (
                ten_redacted(size)
                    .and_then(|expected| tree(expected.as_bytes()))
                    .is_none_or(|expected| tree(answer) != Some(expected)),
                "the answer is not the document with ten fields of each case redacted, not even in another order",
            ),
            Self::BodiesSearched => (
                !are_bodies_searched(size, answer).unwrap_or(false),
                "the answer is not the document with its message bodies searched",
            ),
            Self::Anything => (answer.is_empty(), "the answer is empty"),
        };
        wrong.then_some(reason)
    }
}

/// The document with the constant in place of each of the ten values of each case.
fn ten_redacted(size: Size) -> Option<String> {
    let mut document = tree(document::of(size).as_bytes())?;
    for case in document.get_mut("cases")?.as_array_mut()? {
        for path in TEN {
            let pointer = format!("/{}", path.replace("[*]", "/0").replace('.', "/"));
            *case.pointer_mut(&pointer)? = Value::from(CONSTANT);
        }
    }
    Some(document.to_string())
}

/// Whether every message body has lost its customer's address and telephone number, and nothing else changed.
fn are_bodies_searched(size: Size, answer: &[u8]) -> Option<bool> {
    let (mut before, mut after) = (tree(document::of(size).as_bytes())?, tree(answer)?);
    let pairs = before.get_mut("cases")?.as_array_mut()?.iter_mut();
    let pairs = pairs.zip(after.get_mut("cases")?.as_array_mut()?);
    for (case, answered) in pairs {
        let customer = case.get("customer")?;
        let hidden = [customer.get("email")?, customer.get("phone")?];
        let hidden: Vec<String> = hidden.into_iter().filter_map(text).collect();
        let body = answered.pointer_mut(BODY)?;
        let kept = text(body)?;
        if hidden.iter().any(|value| kept.contains(value)) {
            return Some(false);
        }
        *body = case.pointer_mut(BODY)?.take();
        *case.pointer_mut(BODY)? = body.clone();
    }
    Some(before == after)
}

/// Where a case has its message body.
const BODY: &str = "/messages/0/body";

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn tree(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size(4096);

    #[test]
    fn the_document_is_whole_and_nothing_else_is() {
        let document = document::of(SIZE);
        assert_eq!(Expected::Whole.objection(SIZE, document.as_bytes()), None);
        for wrong in [&document.as_bytes()[1..], b"{}", b""] {
            assert!(Expected::Whole.objection(SIZE, wrong).is_some());
        }
    }

    #[test]
    fn a_document_that_was_not_redacted_is_no_answer_of_a_row_that_redacts() {
        let document = document::of(SIZE);
        for expected in [
            Expected::TenRedacted,
            Expected::TenRedactedAsATree,
            Expected::BodiesSearched,
        ] {
            assert!(expected.objection(SIZE, document.as_bytes()).is_some());
            assert!(expected.objection(SIZE, b"{}").is_some());
        }
    }

    #[test]
    fn one_value_that_was_left_is_seen() {
        let whole = ten_redacted(SIZE).unwrap();
        assert_eq!(
            Expected::TenRedacted.objection(SIZE, whole.as_bytes()),
            None
        );
        assert_eq!(whole.matches(CONSTANT).count() % TEN.len(), 0);
        let left = whole.replacen(CONSTANT, "Ada Abara", 1);
        assert!(
            Expected::TenRedacted
                .objection(SIZE, left.as_bytes())
                .is_some()
        );
    }

    #[test]
    fn a_tree_may_be_written_in_another_order_but_says_the_same() {
        let whole = ten_redacted(SIZE).unwrap();
        let Value::Object(members) = tree(whole.as_bytes()).unwrap() else {
            panic!("{whole}")
        };
        let turned: serde_json::Map<String, Value> = members.into_iter().rev().collect();
        let turned = format!("{:#}", Value::Object(turned));
        let objection =
            |expected: Expected, text: &str| expected.objection(SIZE, text.as_bytes()).is_some();
        assert!(objection(Expected::TenRedacted, &turned));
        assert!(!objection(Expected::TenRedactedAsATree, &turned));
        let left = turned.replacen(CONSTANT, "Ada Abara", 1);
        assert!(objection(Expected::TenRedactedAsATree, &left));
    }

    #[test]
    fn a_searched_body_may_say_anything_but_what_is_hidden_and_nothing_else_may_change() {
        let mut answer = tree(document::of(SIZE).as_bytes()).unwrap();
        for case in answer["cases"].as_array_mut().unwrap() {
            case["messages"][0]["body"] = Value::from("write to [email]");
        }
        let check = |answer: &Value| {
            Expected::BodiesSearched.objection(SIZE, answer.to_string().as_bytes())
        };
        assert_eq!(check(&answer), None);
        let email = answer["cases"][0]["customer"]["email"].clone();
        let mut leaking = answer.clone();
        leaking["cases"][0]["messages"][0]["body"] = email;
        assert!(check(&leaking).is_some());
        let mut changed = answer;
        changed["cases"][0]["status"] = Value::Null;
        assert!(check(&changed).is_some());
    }
}

//! The documents: lists of support cases of exactly so many bytes, the same in every process.
//!
//! Everybody in them is invented. Every case has one value for each of the ten selectors of the policy, and a
//! message in which such values stand in free text.

use serde_json::{Value, json};

use crate::demo::random::Choices;

use super::plan::Size;

/// How many different people the cases are about.
const CUSTOMERS: u64 = 500;
/// What stands around the list and the filling.
const FRAME: (&str, &str, &str) = ("{\"page\":1,\"cases\":[", "],\"filling\":\"", "\"}");

const GIVEN: &[&str] = &[
    "Ada", "Bao", "Chidi", "Elif", "Grace", "Ines", "Lars", "Noor",
];
const FAMILY: &[&str] = &["Abara", "Eriksen", "Hollis", "Jansen", "Nakamura", "Petrov"];
const WORDS: &[&str] = &[
    "the", "invoice", "was", "paid", "twice", "and", "nobody", "answers", "since", "Monday,",
    "order", "4711-08", "did", "not", "arrive", "please", "check",
];

/// The text of a list of cases that has exactly this size.
pub(super) fn of(size: Size) -> String {
    let (open, between, close) = FRAME;
    let frame = open.len() + between.len() + close.len();
    let room = size.bytes().saturating_sub(frame);
    let mut text = String::with_capacity(size.bytes());
    text.push_str(open);
    let mut used = 0;
    for number in 0.. {
        let case = case(number).to_string();
        let needed = case.len() + usize::from(number > 0);
        if used + needed > room {
            break;
        }
        text.push_str(if number > 0 { "," } else { "" });
        text.push_str(&case);
        used += needed;
    }
    text.push_str(between);
    text.extend(std::iter::repeat_n('.', room - used));
    text.push_str(close);
    text
}

fn case(number: u64) -> Value {
    let mut choices = Choices::seeded(number);
    let mut customer = Choices::seeded(1_000_000 + choices.below(CUSTOMERS));
    let id = customer.digits(6);
    let name = format!("{} {}", customer.pick(GIVEN), customer.pick(FAMILY));
    let email = format!("c{id}@example.com");
    let phone = format!("+1 212 555 01{}", customer.digits(2));
    let card = card(&mut customer);
    json!({
        "id": 1000 + number,
        "status": "open",
        "subject": text(&mut choices, 3),
        "customer": {
            "id": id,
            "name": name,
            "email": email,
            "phone": phone,
            "tax_id": format!("000-{}-{}", customer.digits(2), customer.digits(4)),
            "birthday": format!("19{}-0{}-1{}", customer.digits(2), 1 + customer.below(9), customer.below(9)),
            "address": { "street": format!("{} Main Street", customer.digits(3)), "country": "US" },
        },
        "assignee": { "group": "desk 2", "email": format!("desk{}@desk.example", choices.digits(2)) },
        "payments": [{ "amount": "12.50", "card_number": card, "holder": name }],
        "messages": [{
            "public": true,
            "body": format!("{} write to {email} or call {phone} {}", text(&mut choices, 9), text(&mut choices, 5)),
        }],
        "internal_note": text(&mut choices, 5),
    })
}

fn text(choices: &mut Choices, words: usize) -> String {
    let words: Vec<&str> = (0..words).map(|_| choices.pick(WORDS)).collect();
    words.join(" ")
}

/// A number that a card might have: the last digit makes the sum of its digits a multiple of ten (Luhn).
fn card(choices: &mut Choices) -> String {
    let mut digits = format!("411111{}", choices.digits(9));
    let doubled = |digit: u32| match digit * 2 {
        double @ 10.. => double - 9,
        double => double,
    };
    let values = digits.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = values
        .enumerate()
        .map(|(at, digit)| match at.is_multiple_of(2) {
            true => doubled(digit),
            false => digit,
        })
        .sum();
    digits.extend(char::from_digit((10 - sum % 10) % 10, 10));
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_exactly_its_size_and_is_the_same_each_time() {
        for size in ["1k", "1025", "10k", "100k"] {
            let size: Size = size.parse().unwrap();
            let text = of(size);
            assert_eq!(text.len(), size.bytes());
            assert_eq!(text, of(size));
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(!value["cases"].as_array().unwrap().is_empty(), "{size}");
        }
    }

    #[test]
    fn most_of_a_document_is_cases() {
        let text = of(Size(10 << 10));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value["filling"].as_str().unwrap().len() < 1000);
    }

    #[test]
    fn a_document_is_written_as_its_tree_would_be() {
        let text = of(Size(20 << 10));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value.to_string(), text);
    }
}

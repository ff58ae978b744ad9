//! The demo's cases: a few hundred support cases as a legacy application would hold them, generated
//! the same on every start.
//!
//! They leak on purpose what legacy applications leak: a session token and an API key in the body,
//! notes for colleagues at several depths, card numbers, absolute addresses of the inner network.

use serde_json::{Value, json};

use super::random::Choices;
use super::words;

/// How many cases the demo has.
pub const COUNT: u64 = 300;

/// The number of the first case.
pub const FIRST_ID: u64 = 1001;

/// How many different customers the cases are about: one customer has several cases.
const CUSTOMERS: u64 = 120;

/// Every case, in order of number.
#[must_use]
pub fn all() -> Vec<Value> {
    (0..COUNT).map(|index| case(FIRST_ID + index)).collect()
}

fn case(id: u64) -> Value {
    let mut choices = Choices::seeded(id);
    let customer = customer(choices.below(CUSTOMERS));
    let card = card_number(&mut choices);
    let opened = timestamp(&mut choices);
    let messages = messages(&mut choices, &customer, &card, &opened);
    let tags: Vec<_> = (0..choices.below(3))
        .map(|_| choices.pick(words::TAGS))
        .collect();
    let assignee = choices.pick(words::ASSIGNEES);
    json!({
        "id": id,
        "version": 1,
        "subject": choices.pick(words::SUBJECTS),
        "status": choices.pick(words::STATUSES),
        "priority": choices.pick(words::PRIORITIES),
        "tags": tags,
        "assignee": assignee,
        "opened_at": opened,
        "customer": customer,
        "payments": payments(&mut choices, &card),
        "messages": messages,
        "internal_note": choices.pick(words::NOTES),
        "links": { "self": format!("/api/v2/cases/{id}"), "origin_url": format!("http://casedesk.internal:3000/api/v2/cases/{id}") },
        "debug": {
            "node": "casedesk-02",
            "session_token": choices.hex(32),
            "upstreams": [{ "name": "billing", "api_key": format!("bk_live_{}", choices.hex(24)) }],
        },
    })
}

/// A customer is the same in each of their cases.
fn customer(number: u64) -> Value {
    let mut choices = Choices::seeded(500_000 + number);
    let given = choices.pick(words::GIVEN);
    let family = choices.pick(words::FAMILY);
    let (town, state, postcode) = {
        let index = usize::try_from(choices.below(words::TOWNS.len() as u64)).unwrap_or(0);
        words::TOWNS.get(index).copied().unwrap_or_default()
    };
    let house = 1 + choices.below(180);
    let street = format!("{house} {}", choices.pick(words::STREETS));
    let area = choices.pick(words::AREA_CODES);
    json!({
        "id": format!("cu-{}", 4000 + number),
        "name": format!("{given} {family}"),
        "email": format!("{}.{}{number}@example.com", ascii(given), ascii(family)),
        "phone": format!("+1 {area} 555 01{}", choices.digits(2)),
        "address": {
            "street": street,
            "city": town,
            "state": state,
            "postcode": format!("{postcode}{}", choices.digits(2)),
            "country": "US",
        },
        // No tax number begins with 000: these belong to nobody.
        "tax_id": format!("000-{}-{}", choices.digits(2), choices.digits(4)),
        "since": format!("20{}-0{}-1{}", 10 + choices.below(15), 1 + choices.below(9), choices.below(9)),
    })
}

fn payments(choices: &mut Choices, card: &str) -> Vec<Value> {
    (0..1 + choices.below(3))
        .map(|_| {
            let cents = 500 + choices.below(40_000);
            let mut payment = json!({
                "id": format!("pay_{}", choices.hex(10)),
                "amount": format!("{}.{:02}", cents / 100, cents % 100),
                "currency": "USD",
                "card_number": card,
                "paid_at": timestamp(choices),
            });
            if let Some(fields) = payment.as_object_mut().filter(|_| choices.once_in(4)) {
                fields.insert(
                    "internal_note".to_owned(),
                    json!(choices.pick(words::NOTES)),
                );
            }
            payment
        })
        .collect()
}

fn messages(choices: &mut Choices, customer: &Value, card: &str, opened: &str) -> Vec<Value> {
    (0..1 + choices.below(4))
        .map(|index| {
            let from_customer = index == 0 || choices.once_in(2);
            let (from, template) = if from_customer {
                ("customer", choices.pick(words::CUSTOMER_LINES))
            } else {
                ("agent", choices.pick(words::AGENT_LINES))
            };
            json!({
                "from": from,
                "at": if index == 0 { opened.to_owned() } else { timestamp(choices) },
                "body": fill(template, customer, card),
                "attachments": if choices.once_in(3) {
                    json!([{ "name": format!("scan-{}.pdf", choices.digits(4)), "bytes": 1024 * (1 + choices.below(900)) }])
                } else {
                    json!([])
                },
            })
        })
        .collect()
}

fn fill(template: &str, customer: &Value, card: &str) -> String {
    let text = |pointer: &str| customer.pointer(pointer).and_then(Value::as_str);
    let last4: String = card.chars().skip(12).collect();
    template
        .replace("{name}", text("/name").unwrap_or_default())
        .replace("{email}", text("/email").unwrap_or_default())
        .replace("{phone}", text("/phone").unwrap_or_default())
        .replace("{street}", text("/address/street").unwrap_or_default())
        .replace("{card}", &last4)
}

/// A card number of the range that payment providers keep for tests, with a valid check digit.
fn card_number(choices: &mut Choices) -> String {
    let body = format!("400000{}", choices.digits(9));
    let sum: u32 = body
        .chars()
        .rev()
        .enumerate()
        .map(|(position, digit)| {
            let value = digit.to_digit(10).unwrap_or(0);
            match position % 2 {
                0 if value > 4 => value * 2 - 9,
                0 => value * 2,
                _ => value,
            }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn timestamp(choices: &mut Choices) -> String {
    format!(
        "2026-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        1 + choices.below(9),
        1 + choices.below(28),
        7 + choices.below(12),
        choices.below(60),
        choices.below(60)
    )
}

fn ascii(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_are_the_same_every_time() {
        assert_eq!(all(), all());
        assert_eq!(all().len(), 300);
    }

    #[test]
    fn every_address_and_number_is_of_a_reserved_range() {
        for case in all() {
            let text = |pointer: &str| case.pointer(pointer).unwrap().as_str().unwrap().to_owned();
            assert!(text("/customer/email").ends_with("@example.com"));
            assert!(text("/customer/phone").contains(" 555 01"));
            assert!(text("/customer/tax_id").starts_with("000-"));
            assert!(text("/payments/0/card_number").starts_with("400000"));
        }
    }

    #[test]
    fn card_numbers_have_a_valid_check_digit() {
        for seed in 0..50 {
            let number = card_number(&mut Choices::seeded(seed));
            let digits = number.chars().rev().filter_map(|digit| digit.to_digit(10));
            let sum: u32 = digits
                .enumerate()
                .map(|(place, digit)| match place % 2 {
                    1 if digit > 4 => digit * 2 - 9,
                    1 => digit * 2,
                    _ => digit,
                })
                .sum();
            assert_eq!(sum % 10, 0, "{number}");
            assert_eq!(number.len(), 16);
        }
    }

    #[test]
    fn some_customers_have_several_cases() {
        let ids: Vec<_> = all()
            .iter()
            .map(|case| case["customer"]["id"].as_str().unwrap().to_owned())
            .collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert!(distinct.len() > 80 && distinct.len() < ids.len());
    }
}

//! Words before a number that say what it is.
//!
//! They are looked for over letters, blanks and light punctuation only, so that neither another number
//! nor what takes the place of something found comes between.

use super::view::View;

/// How far back words count, in bytes.
const REACH: usize = 48;

/// What a word makes of the number after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// A telephone number.
    Phone,
    /// A social security number.
    Ssn,
    /// The number of an order, invoice, ticket: of a thing, not of a person.
    Thing,
    /// A version.
    Version,
}

/// What the nearest telling word before `place` says.
pub(super) fn topic_before(view: View<'_>, place: usize) -> Option<Topic> {
    let mut at = place;
    while place - at < REACH && may_be_between(view.before(at)) {
        at -= 1;
    }
    let text = view.span(at, place);
    let words = text.split(|byte| !is_letter(*byte));
    words.rev().find_map(topic)
}

/// What the word right before `place` says, one blank or a sign between.
pub(super) fn word_before(view: View<'_>, place: usize) -> Option<Topic> {
    let mut end = place;
    while place - end < 2 && matches!(view.before(end), b' ' | b':' | b'=') {
        end -= 1;
    }
    let mut at = end;
    while end - at < REACH && is_letter(view.before(at)) {
        at -= 1;
    }
    topic(view.span(at, end))
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

const fn may_be_between(byte: u8) -> bool {
    is_letter(byte)
        || matches!(
            byte,
            b' ' | b'\n' | b':' | b'.' | b',' | b'-' | b'\'' | b'"' | b'(' | b'=' | b'_'
        )
}

/// Words that stand for themselves only.
const WORDS: [(Topic, &[&str]); 4] = [
    (
        Topic::Phone,
        &[
            "call", "calls", "calling", "cell", "dial", "fax", "gsm", "handy", "mob", "ring",
            "sms", "tel", "tlf", "tlfn", "nummer", "ruf", "numer", "tfno",
        ],
    ),
    (
        Topic::Ssn,
        &["ssn", "ssns", "social", "security", "tin", "itin"],
    ),
    (
        Topic::Thing,
        &[
            "id",
            "ids",
            "item",
            "no",
            "nr",
            "ref",
            "sku",
            "isbn",
            "ean",
            "gtin",
            "upc",
            "imei",
            "lot",
            "part",
            "po",
            "rma",
            "serial",
            "batch",
            "build",
            "case",
            "bug",
            "issue",
            "mrn",
            "vat",
            "amount",
            "total",
            "paid",
            "eur",
            "usd",
            "gbp",
            "pid",
            "port",
            "line",
            "size",
            "bytes",
            "epoch",
            "timestamp",
            "time",
            "date",
            "dob",
            "iban",
            "bic",
            "blz",
            "konto",
        ],
    ),
    (
        Topic::Version,
        &[
            "v", "ver", "rev", "app", "agent", "sdk", "os", "linux", "windows", "chrome", "firefox",
        ],
    ),
];

/// Beginnings of words, and words of languages that write without blanks.
const BEGINNINGS: [(Topic, &[&str]); 4] = [
    (
        Topic::Phone,
        &[
            "phone",
            "telephone",
            "telefon",
            "telefono",
            "telefoon",
            "mobil",
            "cellular",
            "celular",
            "whatsapp",
            "contact",
            "anruf",
            "durchwahl",
            "portable",
            "appele",
            "komórk",
            "móvil",
            "teléfono",
            "téléphone",
            "τηλ",
            "κινητ",
            "тел",
            "моб",
            "звон",
            "电话",
            "電話",
            "手机",
            "手機",
            "携帯",
            "هاتف",
            "جوال",
            "전화",
            "फ़ोन",
            "फोन",
        ],
    ),
    (Topic::Ssn, &["sozialversicherung"]),
    (
        Topic::Thing,
        &[
            "order",
            "invoice",
            "ticket",
            "tracking",
            "shipment",
            "parcel",
            "product",
            "account",
            "article",
            "customer",
            "transaction",
            "reference",
            "number",
            "commande",
            "facture",
            "bestell",
            "rechnung",
            "sendung",
            "auftrag",
            "pedido",
            "factura",
            "zamówien",
            "faktur",
            "ordine",
            "fattura",
            "订单",
            "單號",
            "注文",
            "заказ",
            "طلب",
            "παραγγελ",
            "barcode",
            "postcode",
            "passport",
        ],
    ),
    (
        Topic::Version,
        &[
            "version", "release", "firmware", "driver", "upgrade", "update",
        ],
    ),
];

/// What one word says.
fn topic(word: &[u8]) -> Option<Topic> {
    let text = std::str::from_utf8(word)
        .ok()
        .filter(|text| !text.is_empty())?;
    let text = text.to_lowercase();
    let exact = WORDS
        .iter()
        .find(|(_, words)| words.contains(&text.as_str()));
    let begins = |word: &str| text.starts_with(word) || !word.is_ascii() && text.contains(word);
    let found = exact.or_else(|| {
        BEGINNINGS
            .iter()
            .find(|(_, words)| words.iter().any(|word| begins(word)))
    });
    found.map(|(topic, _)| *topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_telling_word_decides() {
        for (text, expected) in [
            ("my phone is ", Some(Topic::Phone)),
            ("hotel ", None),
            ("phone for order ", Some(Topic::Thing)),
            ("order by phone: ", Some(Topic::Phone)),
            ("phone 12 or ", None),
            ("phone [redacted] or ", None),
            ("Téléphone : ", Some(Topic::Phone)),
            ("我的电话是", Some(Topic::Phone)),
            ("SSN for verification: ", Some(Topic::Ssn)),
        ] {
            let view = View::new(text.as_bytes());
            assert_eq!(topic_before(view, text.len()), expected, "{text}");
        }
        let view = View::new(b"version 1");
        assert_eq!(word_before(view, 8), Some(Topic::Version));
        assert_eq!(word_before(View::new(b"a version of 1"), 13), None);
    }
}

//! The words the demo's cases are made of. Everybody in them is invented; e-mail addresses are under
//! `example.com`, telephone numbers are of the 555-01xx range that is kept for fiction.

/// Given names, some beyond ASCII so that masks meet them.
pub(super) const GIVEN: &[&str] = &[
    "Alice", "Amara", "Anselm", "Bao", "Beatriz", "Chidi", "Daria", "Elif", "Émile", "Fatima",
    "Grace", "Hana", "Ines", "Ivo", "Jonas", "Jörg", "Kamala", "Lars", "Leila", "Mateo", "Mei",
    "Nadia", "Noor", "Olu", "Paula", "Quinn", "Rosa", "Søren", "Tomás", "Uma", "Viktor", "Wanda",
    "Yusuf", "Zoë",
];

/// Family names.
pub(super) const FAMILY: &[&str] = &[
    "Abara",
    "Almeida",
    "Bergström",
    "Castellan",
    "Dvořák",
    "Eriksen",
    "Fairweather",
    "García",
    "Hollis",
    "Ibarra",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Marchetti",
    "Nakamura",
    "Okonkwo",
    "Petrov",
    "Quist",
    "Rahman",
    "Sokolova",
    "Thornbury",
    "Underhill",
    "Varga",
    "Whitlock",
    "Ximenes",
    "Yılmaz",
    "Zielinski",
];

/// Streets.
pub(super) const STREETS: &[&str] = &[
    "Harbour Road",
    "Elm Street",
    "Kiln Lane",
    "Orchard Way",
    "Mill Bank",
    "Station Avenue",
    "Tannery Row",
    "Quarry Hill",
    "Cedar Close",
    "Weaver's Yard",
];

/// Towns, their state and the beginning of their postal codes.
pub(super) const TOWNS: &[(&str, &str, &str)] = &[
    ("Northfield", "OH", "440"),
    ("Eastport", "ME", "046"),
    ("Granite Falls", "MN", "562"),
    ("Marlow Springs", "CO", "809"),
    ("Cedar Bluff", "NE", "687"),
    ("Port Haven", "WA", "983"),
];

/// Area codes for telephone numbers of the fictional range.
pub(super) const AREA_CODES: &[&str] = &["202", "303", "406", "512", "617", "702", "808", "919"];

/// What cases are about.
pub(super) const SUBJECTS: &[&str] = &[
    "Charged twice for one order",
    "Cannot sign in after password reset",
    "Change of address not taken over",
    "Refund has not arrived",
    "Invoice shows the wrong company",
    "Please delete my account",
    "Parcel was left with a neighbour",
    "Data access request",
    "Second factor never arrives",
    "Discount code was not applied",
];

/// What customers write. `{name}`, `{email}`, `{phone}`, `{street}`, `{card}` are filled in.
pub(super) const CUSTOMER_LINES: &[&str] = &[
    "Hello, this is {name}. I was charged twice, the card ends in {card}. Please call me at {phone}.",
    "I still cannot sign in. My address is {email}, and I have moved to {street}.",
    "Could you send the invoice to {email} again? Thank you, {name}",
    "Nobody called back. My number is {phone}; mornings are best.\n\nRegards\n{name}",
    "The refund was promised two weeks ago 😕 — what is going on? {name}",
];

/// What agents answer.
pub(super) const AGENT_LINES: &[&str] = &[
    "Dear {name}, thank you for writing. We have asked the bank about the second charge.",
    "We have sent a new link to {email}. It is valid for one hour.",
    "I tried to reach you at {phone} and will try again tomorrow.",
    "Your refund is on its way; it takes three to five working days.",
];

/// Notes written for colleagues.
pub(super) const NOTES: &[&str] = &[
    "Third complaint this quarter, handle with care. Mother's maiden name checked by phone.",
    "Possible friendly fraud, see chargeback history before refunding.",
    "Agreed a goodwill credit of 20 with the team lead; do not mention it yet.",
    "Customer is rude on the phone; keep it in writing.",
    "Verified by tax number over the phone.",
];

/// States a case may be in.
pub(super) const STATUSES: &[&str] = &["open", "pending", "solved", "closed"];

/// How urgent a case may be.
pub(super) const PRIORITIES: &[&str] = &["low", "normal", "high", "urgent"];

/// Agents a case may be assigned to.
pub(super) const ASSIGNEES: &[&str] = &["agent-03", "agent-07", "agent-12", "agent-21"];

/// What a case may be about, in one word.
pub(super) const TAGS: &[&str] = &["billing", "login", "delivery", "privacy", "vip", "refund"];

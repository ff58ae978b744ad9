//! Each action on each type of value, with near misses; cases are data.

mod properties;

use postern_config::{Action, Generalize, Mask, PseudonymScope};

use super::*;
use crate::pseudonym::PseudonymKeys;
use crate::request_facts::Identity;

const KEEP_LAST_4: Action = Action::Mask(Mask::Keep { first: 0, last: 4 });
const BY_SHAPE: Action = Action::Mask(Mask::ByShape);
const REDACT: Action = Action::Redact { with: None };

fn kind_of(raw: &str) -> JsonKind {
    match raw.as_bytes()[0] {
        b'"' => JsonKind::String,
        b't' | b'f' => JsonKind::Bool,
        b'n' => JsonKind::Null,
        b'[' => JsonKind::Array,
        b'{' => JsonKind::Object,
        _ => JsonKind::Number,
    }
}

fn apply(action: &Action, raw: &str) -> String {
    let mut out = Vec::new();
    replace(action, kind_of(raw), raw.as_bytes(), None, &mut out);
    String::from_utf8(out).unwrap()
}

fn check(action: &Action, cases: &[(&str, &str)]) {
    for (raw, expected) in cases {
        assert_eq!(&apply(action, raw), expected, "{action:?} on {raw}");
    }
}

#[test]
fn redacts_each_type_to_its_constant() {
    let cases = [
        (r#""a""#, r#""[redacted]""#),
        ("1", "null"),
        ("true", "null"),
        ("null", "null"),
        ("[", "[]"),
        ("{", "{}"),
    ];
    check(&REDACT, &cases);
    check(&KEEP_LAST_4, &cases[1..]);
    let constant = Action::Redact {
        with: Some(r#""x""#.to_owned()),
    };
    for (raw, _) in cases {
        assert_eq!(apply(&constant, raw), r#""x""#);
        assert_eq!(apply(&Action::Remove, raw), "");
    }
}

#[test]
fn keeps_whole_graphemes_and_never_a_whole_value() {
    check(
        &KEEP_LAST_4,
        &[
            (r#""4929121200773119""#, r#""•••3119""#),
            (r#""12345""#, r#""•••2345""#),
            (r#""1234""#, r#""•••""#),
            (r#""""#, r#""•••""#),
            (r#""ab\"cd""#, r#""•••b\"cd""#),
            (r#""a\\b\nc\u0001""#, r#""•••b\nc\u0001""#),
            (
                r#""xxne\u0301e\u0301e\u0301e\u0301""#,
                "\"•••e\u{301}e\u{301}e\u{301}e\u{301}\"",
            ),
            (r#""x👨‍👩‍👧\ud83c\udde9\ud83c\uddeaab""#, "\"•••👨‍👩‍👧🇩🇪ab\""),
        ],
    );
    check(
        &Action::Mask(Mask::Keep { first: 2, last: 2 }),
        &[(r#""abcde""#, r#""ab•••de""#), (r#""abcd""#, r#""•••""#)],
    );
}

#[test]
fn masks_by_shape() {
    check(
        &BY_SHAPE,
        &[
            (r#""jane@example.com""#, r#""j•••@example.com""#),
            (r#""j@example.com""#, r#""•••@example.com""#),
            (r#""jane@localhost""#, r#""•••""#),
            (r#""a@b@c.de""#, r#""•••""#),
            (r#""Jane <jane@example.com>""#, r#""•••""#),
            (r#""jane doe@example.com""#, r#""•••""#),
            (r#""+1 555 010 4417""#, r#""+1•••4417""#),
            (r#""+15550104417""#, r#""+1•••4417""#),
            (r#""+49 (30) 901820""#, r#""+49•••1820""#),
            (r#""+353 1 234 5678""#, r#""+353•••5678""#),
            (r#""0171/2345678""#, r#""•••5678""#),
            (r#""5550107""#, r#""•••0107""#),
            (r#""555010""#, r#""•••""#),
            (r#""55501070""#, r#""•••1070""#),
            (r#""20240517""#, r#""•••""#),
            (r#""17051990""#, r#""•••""#),
            (r#""20243217""#, r#""•••3217""#),
            (r#""+4955501""#, r#""•••5501""#),
            (r#""4929121200773119""#, r#""•••""#),
            (r#""1980-05-17""#, r#""•••""#),
            (r#""17.05.1980""#, r#""•••""#),
            (r#""192.168.10.20""#, r#""•••""#),
            (r#""Main Street 5""#, r#""•••""#),
        ],
    );
}

#[test]
fn generalizes_dates_and_redacts_what_is_none() {
    let redacted = r#""[redacted]""#;
    check(
        &Action::Generalize(Generalize::Year),
        &[
            (r#""2024-05-17""#, r#""2024""#),
            (r#""2024-05-17T08:00:00.5+02:00""#, r#""2024""#),
            (r#""2024""#, r#""2024""#),
            (r#""2024-02-29""#, r#""2024""#),
            (r#""2023-02-29""#, redacted),
            (r#""2024-13-01""#, redacted),
            (r#""2024-05-17T25:00Z""#, redacted),
            (r#""2024-05-17 Jane""#, redacted),
            (r#""17.05.2024""#, redacted),
            (r#""20240""#, redacted),
            ("2024", "null"),
        ],
    );
    check(
        &Action::Generalize(Generalize::Month),
        &[
            (r#""2024-05-17""#, r#""2024-05""#),
            (r#""2024-05""#, r#""2024-05""#),
            (r#""2024""#, redacted),
            (r#""2024-05-17 08:00""#, r#""2024-05""#),
        ],
    );
}

#[test]
fn generalizes_numbers_to_the_lower_bound_of_their_bucket() {
    check(
        &Action::Generalize(Generalize::Bucket(10)),
        &[
            ("0", "0"),
            ("9", "0"),
            ("10", "10"),
            ("19.99", "10"),
            ("-0.1", "-10"),
            ("-10", "-10"),
            ("-10.5", "-20"),
            ("1.25e2", "120"),
            ("1e-400", "0"),
            ("123456789012345678901234567", "123456789012345678901234560"),
            ("1e39", "null"),
            ("-170141183460469231731687303715884105728", "null"),
            ("1e99999999999999999999", "null"),
            (r#""12""#, r#""[redacted]""#),
        ],
    );
    check(&Action::Generalize(Generalize::Bucket(0)), &[("5", "null")]);
}

#[test]
fn generalizes_strings_to_a_true_prefix() {
    check(
        &Action::Generalize(Generalize::Prefix(3)),
        &[
            (r#""12345""#, r#""123""#),
            (r#""123""#, r#""[redacted]""#),
            ("12345", "null"),
        ],
    );
}

fn reader(subject: &str, tenant: &str) -> Identity {
    Identity {
        issuer: "idp".to_owned(),
        subject: subject.to_owned(),
        tenant: Some(tenant.to_owned()),
        groups: Vec::new(),
    }
}

fn token(scope: PseudonymScope, who: &Identity, roles: &[&str], raw: &str) -> String {
    let keys = PseudonymKeys::for_offline_use();
    let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    let made_by = Pseudonymizer::new(&keys, who, &roles).unwrap();
    let mut out = Vec::new();
    let action = Action::Pseudonym(scope);
    replace(
        &action,
        kind_of(raw),
        raw.as_bytes(),
        Some(&made_by),
        &mut out,
    );
    String::from_utf8(out).unwrap()
}

#[test]
fn pseudonyms_are_equal_for_equal_values_only() {
    let who = reader("a", "t");
    let of = |raw: &str| token(PseudonymScope::Identity, &who, &["r"], raw);
    let one = of("1");
    assert!(
        one.starts_with("\"~test.") && one.len() == "\"~test.\"".len() + 22,
        "{one}"
    );
    for same in ["1.0", "1e0", "10e-1", "0.1E+1", "1.000"] {
        assert_eq!(of(same), one, "{same}");
    }
    for other in [
        r#""1""#,
        r#""1e0""#,
        "-1",
        "10",
        "1.00000000000000000000001",
    ] {
        assert_ne!(of(other), one, "{other}");
    }
    assert_eq!(of("-0"), of("0e5"));
    assert_eq!(of(r#""a\u0062c""#), of(r#""abc""#));
    assert_ne!(of(r#""abc""#), of(r#""abd""#));
    assert_eq!(of("true"), "null");
    assert_eq!(of("[1]"), "[]");
    assert_eq!(of("1e99999999999999999999"), "null");
}

#[test]
fn pseudonyms_differ_between_scopes_and_holders() {
    let (a, b) = (reader("a", "t"), reader("b", "t"));
    let elsewhere = reader("a", "u");
    let value = r#""jane""#;
    let of = |scope, who, roles: &[&str]| token(scope, who, roles, value);
    let identity = |who| of(PseudonymScope::Identity, who, &["r"]);
    assert_ne!(identity(&a), identity(&b));
    let tenant = |who| of(PseudonymScope::Tenant, who, &["r"]);
    assert_eq!(tenant(&a), tenant(&b));
    assert_ne!(tenant(&a), tenant(&elsewhere));
    let role = |who, roles: &[&str]| of(PseudonymScope::Role, who, roles);
    assert_eq!(role(&a, &["r", "s"]), role(&b, &["s", "r"]));
    assert_ne!(role(&a, &["r"]), role(&a, &["r", "s"]));
    assert_ne!(identity(&a), tenant(&a));
}

#[test]
fn a_pseudonym_without_a_key_is_a_redaction() {
    check(
        &Action::Pseudonym(PseudonymScope::Tenant),
        &[(r#""a""#, r#""[redacted]""#), ("1", "null")],
    );
    assert!(Pseudonymizer::new(&PseudonymKeys::default(), &reader("a", "t"), &[]).is_none());
}

#[test]
fn reads_the_value_only_where_the_action_depends_on_it() {
    let pseudonym = Action::Pseudonym(PseudonymScope::Tenant);
    let bucket = Action::Generalize(Generalize::Bucket(5));
    let kinds = [
        JsonKind::String,
        JsonKind::Number,
        JsonKind::Bool,
        JsonKind::Null,
        JsonKind::Array,
        JsonKind::Object,
    ];
    let reads = |action: &Action| kinds.map(|kind| needs_value(action, kind));
    assert_eq!(
        reads(&KEEP_LAST_4),
        [true, false, false, false, false, false]
    );
    assert_eq!(reads(&bucket), [false, true, false, false, false, false]);
    assert_eq!(reads(&pseudonym), [true, true, false, false, false, false]);
    for action in [&REDACT, &Action::Remove, &Action::Show] {
        assert_eq!(reads(action), [false; 6]);
    }
}

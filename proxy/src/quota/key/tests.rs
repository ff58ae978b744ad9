//! Whose count a key is, and which keys a filter means.

use super::*;
use crate::quota::samples;
use crate::quota::terms::Unit;

fn key(per: Per, subject: &str) -> QuotaKey {
    let who = Who {
        subject,
        ..samples::who("x")
    };
    QuotaKey::new(&samples::quota(Unit::Records, per), &who)
}

#[test]
fn aliases_of_one_account_share_one_key() {
    let plain = key(Per::Identity, "ana@example.com");
    for alias in [
        "Ana@Example.com",
        "ana@example.com.",
        "ana+export@example.com",
        "ANA+a+b@EXAMPLE.COM..",
        "\u{ff41}na@example.com",
        " ana@example.com ",
        "a\u{200b}na@example\u{ad}.com",
    ] {
        assert_eq!(key(Per::Identity, alias), plain, "{alias}");
    }
    assert_ne!(key(Per::Identity, "ana.b@example.com"), plain);
    assert_ne!(key(Per::Identity, "anab@example.com"), plain);
    assert_ne!(
        key(Per::Identity, "+@example.com"),
        key(Per::Identity, "@example.com")
    );
    assert_ne!(key(Per::Identity, "..."), key(Per::Identity, ""));
    assert_eq!(
        key(Per::Identity, "cafe\u{301}"),
        key(Per::Identity, "CAF\u{c9}")
    );
    for [one, other] in [
        ["stra\u{df}e", "STRASSE"],
        ["\u{3c3}\u{3b1}\u{3c2}", "\u{3a3}\u{391}\u{3a3}"],
        ["ann  smith", "ann\u{a0}smith"],
    ] {
        assert_eq!(key(Per::Identity, one), key(Per::Identity, other), "{one}");
    }
    assert_ne!(
        key(Per::Identity, "ann smith"),
        key(Per::Identity, "annsmith")
    );
    assert_ne!(
        key(Per::Identity, "a+b"),
        key(Per::Identity, "a"),
        "no address"
    );
}

#[test]
fn parts_never_run_into_each_other() {
    let quota = samples::quota(Unit::Records, Per::Identity);
    let one = Who {
        issuer: "a",
        subject: "b\",\"c",
        ..samples::who("x")
    };
    let other = Who {
        issuer: "a\",\"b",
        subject: "c",
        ..samples::who("x")
    };
    assert_ne!(QuotaKey::new(&quota, &one), QuotaKey::new(&quota, &other));
    let colon = Who {
        issuer: "a:b",
        subject: "c",
        ..samples::who("x")
    };
    let after = Who {
        issuer: "a",
        subject: "b:c",
        ..samples::who("x")
    };
    let (colon, after) = (QuotaKey::new(&quota, &colon), QuotaKey::new(&quota, &after));
    assert_ne!(colon.digest(), after.digest());
}

#[test]
fn a_session_is_kept_as_a_hash_only() {
    let quota = samples::quota(Unit::Requests, Per::Session);
    let who = Who {
        session: Some(b"secret-credential"),
        ..samples::who("ana")
    };
    let key = QuotaKey::new(&quota, &who);
    assert!(!key.text().contains("secret") && !key.text().contains("ana"));
    let bare = QuotaKey::new(&quota, &samples::who("ana"));
    assert!(
        bare.text().contains("ana"),
        "no credential: the identity is counted"
    );
}

#[test]
fn roles_are_a_set() {
    let quota = samples::quota(Unit::Records, Per::Role);
    let roles = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let (ab, ba) = (roles(&["a", "b"]), roles(&["b", "a", "b"]));
    let key = |roles: &[String]| {
        QuotaKey::new(
            &quota,
            &Who {
                roles,
                ..samples::who("x")
            },
        )
    };
    assert_eq!(key(&ab), key(&ba));
    assert_ne!(key(&ab), key(&roles(&["a"])));
}

#[test]
fn a_filter_finds_every_spelling() {
    let key = key(Per::Identity, "ana@example.com");
    let by = |who: &str| Filter {
        quota: None,
        who: Some(who.to_owned()),
    };
    assert!(by("Ana+x@example.com").matches(&key));
    assert!(!by("bob@example.com").matches(&key));
    assert!(Filter::default().matches(&key));
    let other = Filter {
        quota: Some("other".to_owned()),
        who: None,
    };
    assert!(!other.matches(&key));
}

#[test]
fn a_filter_means_whom_it_names_and_not_all_for_whom_the_same_issuer_vouches() {
    let by = |who: &str| Filter {
        quota: None,
        who: Some(who.to_owned()),
    };
    let issuer = samples::who("x").issuer;
    for per in [Per::Identity, Per::Session] {
        assert!(by("ana").matches(&key(per, "ana")), "{}", per.word());
        assert!(!by(issuer).matches(&key(per, "ana")), "{}", per.word());
    }
    let (quota, tenants, roles) = (
        samples::quota(Unit::Requests, Per::Session),
        samples::quota(Unit::Requests, Per::Tenant),
        samples::quota(Unit::Requests, Per::Role),
    );
    let held = ["agent".to_owned(), "lead".to_owned()];
    let who = Who {
        session: Some(b"credential"),
        tenant: Some("North"),
        roles: &held,
        ..samples::who("ana")
    };
    let session = QuotaKey::new(&quota, &who);
    let hash = session.parts().unwrap().who;
    assert!(by(&hash[0]).matches(&session) && !by("ana").matches(&session));
    assert!(by("north").matches(&QuotaKey::new(&tenants, &who)));
    for role in &held {
        assert!(by(role).matches(&QuotaKey::new(&roles, &who)), "{role}");
    }
}

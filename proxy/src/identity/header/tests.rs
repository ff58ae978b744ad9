//! Who is believed, and what of.

use std::net::SocketAddr;

use http::HeaderValue;
use postern_config::identity::IdentityRule;

use super::super::samples::rule;
use super::*;

fn reader() -> HeaderReader {
    let text = "{ from: header, subject: X-Subject, tenant: X-Tenant, roles: X-Roles, \
                trusted: [unix, 127.0.0.0/30, '::1/128'], without_a_role: deny }";
    let IdentityRule::Header(rule) = rule(text) else {
        panic!("not a header rule");
    };
    HeaderReader::new(&rule).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(*name, value);
    }
    headers
}

fn from(address: &str) -> PeerFacts {
    PeerFacts {
        address: Some(address.parse::<SocketAddr>().unwrap()),
        ..PeerFacts::default()
    }
}

fn unix() -> PeerFacts {
    PeerFacts {
        unix: true,
        ..PeerFacts::default()
    }
}

#[test]
fn believes_the_listed_peers_and_no_other() {
    let headers = headers(&[("x-subject", "ann"), ("x-roles", "agent")]);
    for peer in [
        unix(),
        from("127.0.0.1:1"),
        from("127.0.0.3:1"),
        from("[::1]:1"),
        from("[::ffff:127.0.0.1]:1"),
    ] {
        let identity = reader().read(&headers, &peer).unwrap();
        assert_eq!(
            (identity.issuer.as_str(), identity.subject.as_str()),
            ("header", "ann")
        );
    }
    for peer in [
        PeerFacts::default(),
        from("127.0.0.4:1"),
        from("10.0.0.1:1"),
        from("[::ffff:10.0.0.1]:1"),
        from("[::2]:1"),
        from("0.0.0.0:1"),
    ] {
        assert_eq!(reader().read(&headers, &peer), Err(IdentityError::Invalid));
    }
    let untrusted = reader().read(&HeaderMap::new(), &from("10.0.0.1:1"));
    assert_eq!(
        untrusted,
        Err(IdentityError::Invalid),
        "even with nothing to believe"
    );
}

#[test]
fn a_prefix_of_zero_still_means_loopback_only() {
    let any = "0.0.0.0".parse().unwrap();
    assert!(within("127.9.9.9".parse().unwrap(), any, 0));
    assert!(!within("10.0.0.1".parse().unwrap(), any, 0));
    assert!(!within("::1".parse().unwrap(), any, 0));
}

#[test]
fn splits_roles_at_commas() {
    for (roles, expected) in [
        ("agent", vec!["agent"]),
        ("agent, auditor\t,,x y", vec!["agent", "auditor", "x y"]),
        ("", vec![]),
        (" , ", vec![]),
    ] {
        let headers = headers(&[
            ("x-subject", "ann"),
            ("x-roles", roles),
            ("x-tenant", "north"),
        ]);
        let identity = reader().read(&headers, &unix()).unwrap();
        assert_eq!(identity.groups, expected);
        assert_eq!(identity.tenant.as_deref(), Some("north"));
    }
    let none = reader()
        .read(&headers(&[("x-subject", "ann")]), &unix())
        .unwrap();
    assert!(none.groups.is_empty() && none.tenant.is_none());
}

#[test]
fn refuses_headers_that_come_twice_or_hold_what_no_name_holds() {
    let read = |pairs: &[(&'static str, &str)]| reader().read(&headers(pairs), &unix());
    let long = "x".repeat(257);
    let many = vec!["a"; GROUPS_MAX + 1].join(",");
    for pairs in [
        vec![("x-subject", "ann"), ("x-subject", "ann")],
        vec![
            ("x-subject", "ann"),
            ("x-roles", "agent"),
            ("x-roles", "admin"),
        ],
        vec![("x-subject", "ann"), ("x-tenant", "a"), ("x-tenant", "b")],
        vec![("x-subject", &long)],
        vec![("x-subject", "a\tb")],
        vec![("x-subject", "ann"), ("x-roles", &many)],
    ] {
        assert_eq!(read(&pairs), Err(IdentityError::Invalid));
    }
    assert_eq!(read(&[("x-roles", "agent")]), Err(IdentityError::Missing));
    assert_eq!(read(&[("x-subject", "")]), Err(IdentityError::Missing));
    let most = vec!["a"; GROUPS_MAX].join(",");
    assert!(read(&[("x-subject", &"é".repeat(256)), ("x-roles", &most)]).is_ok());

    let mut invalid = HeaderMap::new();
    invalid.append("x-subject", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(
        reader().read(&invalid, &unix()),
        Err(IdentityError::Invalid)
    );
}

#[test]
fn names_every_header_that_carries_identity() {
    let names: Vec<String> = reader().names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["x-subject", "x-tenant", "x-roles"]);
}

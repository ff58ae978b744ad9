//! Certificates made on the spot, and what their names say.

use postern_config::identity::IdentityRule;
use rcgen::{CertificateParams, DnType, KeyPair, SanType};

use super::super::samples::rule;
use super::*;

fn reader(subject: &str) -> CertificateReader {
    let text = format!(
        "{{ from: mtls, subject: {subject}, roles: {{ 'spiffe://desk/agent/*': [agent], \
         'spiffe://desk/*/ann': [agent], '*.desk.example': [agent], 'ann@*': [agent] }}, without_a_role: deny }}"
    );
    let IdentityRule::Mtls(rule) = rule(&text) else {
        panic!("not an mtls rule");
    };
    CertificateReader::new(&rule)
}

fn peer(names: Vec<SanType>, common_name: Option<&str>) -> PeerFacts {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = common_name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    let key = KeyPair::generate().unwrap();
    PeerFacts {
        certificate: Some(params.self_signed(&key).unwrap().der().to_vec()),
        ..PeerFacts::default()
    }
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().unwrap())
}

fn email(text: &str) -> SanType {
    SanType::Rfc822Name(text.try_into().unwrap())
}

#[test]
fn reads_the_name_the_policy_asks_for() {
    let peer = peer(
        vec![
            dns("a.desk.example"),
            dns("b.desk.example"),
            uri("spiffe://desk/agent/ann"),
            email("ann@example.com"),
        ],
        Some("ann"),
    );
    for (subject, expected, groups) in [
        ("san.uri", "spiffe://desk/agent/ann", 1),
        ("san.dns", "a.desk.example", 1),
        ("san.email", "ann@example.com", 1),
        ("cn", "ann", 0),
    ] {
        let identity = reader(subject).read(&peer).unwrap();
        assert_eq!(identity.issuer, "mtls");
        assert_eq!(identity.subject, expected);
        assert_eq!(identity.groups, vec!["agent"; groups]);
    }
}

#[test]
fn refuses_a_certificate_that_names_nobody_or_several() {
    let refused = |subject: &str, peer: &PeerFacts| {
        assert_eq!(reader(subject).read(peer), Err(IdentityError::Invalid));
    };
    refused("san.uri", &peer(vec![dns("a.example")], Some("ann")));
    refused(
        "san.uri",
        &peer(vec![uri("spiffe://a"), uri("spiffe://b")], None),
    );
    refused("san.dns", &peer(vec![], Some("ann")));
    refused("cn", &peer(vec![dns("a.example")], None));
    refused("cn", &peer(vec![], Some("a\u{1b}b")));
    refused("cn", &peer(vec![], Some(&"x".repeat(257))));
}

#[test]
fn no_certificate_is_missing_and_garbage_is_invalid() {
    let none = reader("cn").read(&PeerFacts::default());
    assert_eq!(none, Err(IdentityError::Missing));
    let mut trailing = peer(vec![], Some("ann"));
    trailing.certificate.as_mut().unwrap().push(0);
    let garbage = PeerFacts {
        certificate: Some(vec![0x30, 0x82]),
        ..PeerFacts::default()
    };
    for peer in [trailing, garbage] {
        assert_eq!(reader("cn").read(&peer), Err(IdentityError::Invalid));
    }
}

//! `from: header`: identity headers, and the neighbours that are believed.

use core::net::IpAddr;

use super::needed;
use crate::document::read::{At, OneOrMany};
use crate::document::section::Section;
use crate::identity::{HeaderRule, TrustedPeer};
use crate::policy::error::Problems;
use crate::policy::file::{IdentityFile, RolesFile};
use crate::rfc9110::is_token;

pub(super) fn rule(file: &IdentityFile, problems: &mut Problems) -> Option<HeaderRule> {
    let subject = needed(&file.subject, "subject", file.place(), problems);
    let subject = subject.and_then(|at| header_name(&at.value, at, problems));
    let tenant = file.tenant.found.as_ref();
    let tenant = tenant.and_then(|at| header_name(&at.value, at, problems));
    let roles = needed(&file.roles, "roles", file.place(), problems);
    let roles = roles.and_then(|at| match &at.value {
        RolesFile::Text(name) => header_name(name, at, problems),
        RolesFile::ByPattern(_) => {
            let message = "with `from: header`, `roles` is the name of a header";
            problems
                .add("PN031", at.place, message)
                .help("its value is the roles, separated by commas");
            None
        }
    });
    let trusted = needed(&file.trusted, "trusted", file.place(), problems)?;
    let OneOrMany(peers) = &trusted.value;
    let peers: Vec<_> = peers
        .iter()
        .filter_map(|peer| trusted_peer(peer, problems))
        .collect();
    let (subject, roles) = (subject?, roles?);
    let all: Vec<&String> = [Some(&subject), Some(&roles), tenant.as_ref()]
        .into_iter()
        .flatten()
        .collect();
    let repeated = all.iter().enumerate().any(|(at, name)| {
        let later = all.iter().skip(at + 1);
        later
            .into_iter()
            .any(|other| other.eq_ignore_ascii_case(name))
    });
    if repeated {
        problems
            .add("PN031", file.place(), "two identity keys name one header")
            .help("subject, tenant and roles come in headers of their own");
        return None;
    }
    Some(HeaderRule {
        subject,
        tenant,
        roles,
        trusted: peers,
    })
}

/// A field name of RFC 9110 section 5.1.
///
/// SECURITY: an underscore is refused, since many servers cannot tell `X_Roles` from `X-Roles`.
fn header_name<T>(name: &str, at: &At<T>, problems: &mut Problems) -> Option<String> {
    let fits = is_token(name) && !name.contains('_');
    if !fits {
        problems
            .add("PN031", at.place, format!("`{name}` is no header name"))
            .help("letters, digits and `-`, such as `X-Roles`");
        return None;
    }
    Some(name.to_owned())
}

/// `unix`, an address, or a range of addresses, all of this host.
fn trusted_peer(peer: &At<String>, problems: &mut Problems) -> Option<TrustedPeer> {
    if peer.value == "unix" {
        return Some(TrustedPeer::Unix);
    }
    let found = network(&peer.value);
    if found.is_none() {
        let message = format!("`{}` is no loopback address and not `unix`", peer.value);
        problems.add("PN032", peer.place, message).help(
            "use `unix`, `127.0.0.1/32` or `::1/128`; for peers elsewhere use `jwt` or `mtls`",
        );
    }
    found
}

/// A network within loopback: `127.0.0.0/8` or a part of it, or `::1`.
fn network(text: &str) -> Option<TrustedPeer> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let (least, most) = match address {
        IpAddr::V4(_) => (8, 32),
        IpAddr::V6(_) => (128, 128),
    };
    let prefix = match prefix {
        None => most,
        Some(digits) => digits
            .parse::<u8>()
            .ok()
            .filter(|_| !digits.starts_with('+'))?,
    };
    let fits = address.is_loopback() && (least..=most).contains(&prefix);
    fits.then_some(TrustedPeer::Net { address, prefix })
}

//! Identity from headers that a trusted neighbour sets.
//!
//! Only a peer that the policy lists is believed; from any other the exchange is refused, whether or
//! not it brings such headers. A header that comes twice is refused. Spellings that some servers fold
//! into the same name (`X_Subject`) are refused by the request hygiene before this is asked.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use postern_config::identity::{HeaderRule, TrustedPeer};
use postern_filters::Identity;

use super::{AuthenticatorError, GROUPS_MAX, IdentityError, PeerFacts, is_name, refuse};

/// Reads the identity headers of trusted peers.
pub(super) struct HeaderReader {
    subject: HeaderName,
    tenant: Option<HeaderName>,
    roles: HeaderName,
    trusted: Vec<TrustedPeer>,
}

impl HeaderReader {
    pub(super) fn new(rule: &HeaderRule) -> Result<Self, AuthenticatorError> {
        Ok(Self {
            subject: header_name(&rule.subject)?,
            tenant: rule.tenant.as_deref().map(header_name).transpose()?,
            roles: header_name(&rule.roles)?,
            trusted: rule.trusted.clone(),
        })
    }

    pub(super) fn names(&self) -> Vec<HeaderName> {
        [Some(&self.subject), self.tenant.as_ref(), Some(&self.roles)]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    pub(super) fn read(
        &self,
        headers: &HeaderMap,
        peer: &PeerFacts,
    ) -> Result<Identity, IdentityError> {
        if !self.trusted.iter().any(|trusted| believes(trusted, peer)) {
            return Err(refuse("untrusted-peer"));
        }
        let tenant = match &self.tenant {
            Some(name) => only(headers, name)?,
            None => None,
        };
        let roles = only(headers, &self.roles)?;
        let Some(subject) = only(headers, &self.subject)? else {
            return Err(IdentityError::Missing);
        };
        if !is_name(subject) || tenant.is_some_and(|tenant| !is_name(tenant)) {
            return Err(refuse("name"));
        }
        let groups: Vec<String> = roles
            .unwrap_or_default()
            .split(',')
            .map(|role| role.trim_matches([' ', '\t']))
            .filter(|role| !role.is_empty())
            .map(ToOwned::to_owned)
            .collect();
        if groups.len() > GROUPS_MAX {
            return Err(refuse("too-many-groups"));
        }
        Ok(Identity {
            issuer: "header".to_owned(),
            subject: subject.to_owned(),
            tenant: tenant.map(ToOwned::to_owned),
            groups,
        })
    }
}

fn header_name(name: &str) -> Result<HeaderName, AuthenticatorError> {
    name.parse()
        .map_err(|_invalid| AuthenticatorError::HeaderName {
            name: name.to_owned(),
        })
}

/// The one value of a header: none when it is absent or empty, refused when it comes twice or is not
/// UTF-8.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, IdentityError> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(refuse("duplicate-header"));
    }
    let Some(value) = first else {
        return Ok(None);
    };
    let Ok(text) = std::str::from_utf8(value.as_bytes()) else {
        return Err(refuse("header-not-utf8"));
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn believes(trusted: &TrustedPeer, peer: &PeerFacts) -> bool {
    match trusted {
        TrustedPeer::Unix => peer.unix,
        TrustedPeer::Net { address, prefix } => peer.address.is_some_and(|peer| {
            !peer.ip().is_unspecified() && within(peer.ip(), *address, *prefix)
        }),
    }
}

/// Whether an address lies in a network. IPv4 addresses that arrive on an IPv6 socket count as IPv4;
/// only loopback addresses ever count.
fn within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let address = address.to_canonical();
    if !address.is_loopback() {
        return false;
    }
    match (address, network.to_canonical()) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let kept = u32::MAX
                .checked_shl(32_u32.saturating_sub(u32::from(prefix)))
                .unwrap_or(0);
            address.to_bits() & kept == network.to_bits() & kept
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let kept = u128::MAX
                .checked_shl(128_u32.saturating_sub(u32::from(prefix)))
                .unwrap_or(0);
            address.to_bits() & kept == network.to_bits() & kept
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests;

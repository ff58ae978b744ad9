//! Identity from a bearer JSON Web Token (RFC 7519, RFC 6750), read as RFC 8725 advises.
//!
//! A token is refused unless it is one compact JWS in one `Authorization: Bearer` header, its key is in
//! the set the policy names, its algorithm is the one that key is for, its signature verifies, and its
//! claims are of the right types, for us, and in time. Credentials anywhere else are not looked at.
//! Tokens that name their own key (`jwk`, `jku`, `x5u`) gain nothing: only `kid` is used, as a word to
//! compare. Encrypted tokens are not read.

mod claims;
mod compact;

use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, header};
use postern_config::identity::JwtRule;
use postern_filters::Identity;
use serde_json::Value;

use super::jwks::{Keys, RemoteKeys};
use super::selected::ClaimSelector;
use super::{AuthenticatorError, Credential, IdentityError, Recognised, is_name, refuse};
use crate::jws::strict_json;
use claims::Expected;
use compact::Compact;

/// Verifies tokens of one issuer and reads who they are about.
pub(super) struct TokenVerifier {
    expected: Expected,
    subject: ClaimSelector,
    tenant: Option<ClaimSelector>,
    roles: ClaimSelector,
    keys: Keys,
}

impl TokenVerifier {
    pub(super) fn new(rule: &JwtRule, keys: Keys) -> Result<Self, AuthenticatorError> {
        Ok(Self {
            expected: Expected {
                issuer: rule.issuer.clone(),
                audience: rule.audience.clone(),
            },
            subject: ClaimSelector::new(&rule.subject)?,
            tenant: rule.tenant.as_ref().map(ClaimSelector::new).transpose()?,
            roles: ClaimSelector::new(&rule.roles)?,
            keys,
        })
    }

    pub(super) fn remote_keys(&self) -> Option<&Arc<RemoteKeys>> {
        self.keys.as_remote()
    }

    pub(super) async fn verify(
        &self,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Result<Recognised, IdentityError> {
        let text = bearer(headers)?;
        let token = Compact::parse(text)?;
        let set = self.keys.holding(token.kid()).await?;
        token.verified_by(&set)?;
        let claims = strict_json::object(token.payload()).ok_or_else(|| refuse("payload"))?;
        self.expected.check(&claims, now)?;
        let claims = Value::Object(claims);
        Ok(Recognised {
            identity: self.identity(&claims)?,
            credential: Some(Credential::of_token(text, &claims)),
        })
    }

    fn identity(&self, claims: &Value) -> Result<Identity, IdentityError> {
        let subject = match self.subject.select(claims).as_slice() {
            [Value::String(subject)] if is_name(subject) => subject.clone(),
            _ => return Err(refuse("subject")),
        };
        let tenant = match &self.tenant {
            None => None,
            Some(selector) => match selector.select(claims).as_slice() {
                [] => None,
                [Value::String(tenant)] if is_name(tenant) => Some(tenant.clone()),
                _ => return Err(refuse("tenant")),
            },
        };
        Ok(Identity {
            issuer: self.expected.issuer.clone(),
            subject,
            tenant,
            groups: self.roles.groups(claims)?,
        })
    }
}

/// The token of the one `Authorization: Bearer` header (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, IdentityError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(IdentityError::Missing)?;
    if values.next().is_some() {
        return Err(refuse("several-authorization-headers"));
    }
    let Ok(text) = value.to_str() else {
        return Err(refuse("authorization-not-ascii"));
    };
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        Some(_) | None => Err(refuse("authorization-scheme")),
    }
}

#[cfg(test)]
mod tests;

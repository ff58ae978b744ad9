//! The fields of a request that bring a token of the upstream's: those in which a client sends back what it
//! holds instead.
//!
//! Guarantees: a field goes up only where its value holds a placeholder of this session, and then with the true
//! token in it; whatever else a client writes into such fields stays below, as do the proxy's own handles. No
//! field goes up that says who is asking, or that belongs to one connection, whatever the policy calls a token.

use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memmem;
use postern_config::sessions::TokenNames;

use crate::exchange_plan::header_lists::{connection_options, says_who_asks};
use crate::placeholder::{Handle, Placeholder, SwapError, swap_field};

/// The fields in which applications take tokens, besides those of the policy, in lower case.
const BRING_TOKENS: [&str; 8] = [
    "authorization",
    "x-csrf-token",
    "x-xsrf-token",
    "x-csrftoken",
    "x-auth-token",
    "x-access-token",
    "x-session-id",
    "x-api-key",
];

/// The fields to send upstream besides those that pass anyway, with true tokens in the places of placeholders.
/// They are marked as sensitive.
///
/// `lookup` says which token a placeholder stands for, in this session. A field with a placeholder that it does
/// not know, a field that comes more than once and one with a handle are left out.
///
/// # Errors
/// A token cannot be written in a field.
pub fn request_header_tokens(
    client: &HeaderMap,
    names: &TokenNames,
    mut lookup: impl FnMut(&Placeholder) -> Option<Vec<u8>>,
) -> Result<HeaderMap, SwapError> {
    let hop_by_hop = connection_options(client);
    let mut fields = HeaderMap::new();
    for name in client.keys() {
        if !brings_token(name, names) || hop_by_hop.contains(name.as_str()) {
            continue;
        }
        let mut values = client.get_all(name).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            continue;
        };
        if memmem::find(value.as_bytes(), Handle::BEGINS.as_bytes()).is_some() {
            continue;
        }
        let (text, found) = swap_field(value.as_bytes(), &mut lookup)?;
        let Some(text) = text.filter(|_| found.unknown == 0) else {
            continue;
        };
        let mut value = HeaderValue::from_bytes(&text).map_err(|_unwritable| SwapError::Control)?;
        value.set_sensitive(true);
        fields.insert(name.clone(), value);
    }
    Ok(fields)
}

/// Whether applications take tokens in this field.
fn brings_token(name: &HeaderName, names: &TokenNames) -> bool {
    let name = name.as_str();
    let own = || names.headers.iter().any(|own| own.matches_caseless(name));
    BRING_TOKENS.contains(&name) || own() && !says_who_asks(name)
}

#[cfg(test)]
mod tests;

//! The tokens of a session that clients hold placeholders for, with the names they were found under.
//!
//! Guarantees: a token has one placeholder; there are no more than [`TOKENS_MAX`] tokens with [`TOKENS_BYTES_MAX`]
//! bytes, of which what was given or used last stays, and what a login gave longest.

use postern_config::sessions::TokenNames;
use postern_filters::placeholder::Placeholder;
use postern_filters::token_rules::{is_added, is_sent_under, looks_random, name_letters};
use serde::{Deserialize, Serialize};

/// The most tokens that clients hold placeholders for.
pub const TOKENS_MAX: usize = 128;
/// What their values take together: what looks for all of their spellings takes some hundred times as much, and has
/// a bound past which nothing of a session leaves.
pub const TOKENS_BYTES_MAX: usize = 16 << 10;
/// So many names are kept with a token; a client sends it back under one of the first.
const NAMES_MAX: usize = 4;

/// Where an answer gave a token. `Debug` does not show under which name.
#[derive(Clone, Default)]
pub struct FoundUnder {
    /// The name as it is compared.
    letters: Option<String>,
    at_login: bool,
    is_added: bool,
}

/// See the module's documentation.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeldTokens(Vec<Held>);

/// One token. What is known of where it was found is not in older jars.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    placeholder: String,
    value: Vec<u8>,
    #[serde(default)]
    names: Vec<String>,
    /// Whoever brings it from outside has taken it.
    #[serde(default)]
    is_watched: bool,
    /// A login gave it.
    #[serde(default)]
    at_login: bool,
}

impl FoundUnder {
    /// A token beside this name in an answer, which is one of a login or not; `names` are those that the policy adds.
    #[must_use]
    pub fn new(name: Option<&[u8]>, names: &TokenNames, at_login: bool) -> Self {
        Self {
            letters: name.and_then(name_letters),
            at_login,
            is_added: name.is_some_and(|name| is_added(name, names)),
        }
    }

    /// Whether it is a secret that nobody guesses: a login gave it, or the policy names it, and it looks random.
    ///
    /// SECURITY: whoever brings what is watched for can end its session. What merely stands beside the name of a token
    /// may be written there by whoever writes to an agent.
    #[must_use]
    pub fn watches(&self, value: &[u8]) -> bool {
        (self.at_login || self.is_added) && looks_random(value)
    }
}

impl HeldTokens {
    /// The placeholder that a token has.
    #[must_use]
    pub fn placeholder_of(&self, value: &[u8]) -> Option<&str> {
        let mut tokens = self.0.iter();
        let held = tokens.find(|held| held.value == value)?;
        Some(&held.placeholder)
    }

    /// Whether it changes anything worth keeping that a token of this placeholder was found there, or used: it was not
    /// known yet, or the token would leave before those that nobody needs any more.
    #[must_use]
    pub fn is_news(&self, placeholder: &Placeholder, found: &FoundUnder) -> bool {
        let Some(at) = self.index(placeholder) else {
            return true;
        };
        // PERF: who uses one token again and again moves it once for each half of all that there is room for.
        let is_full = self.0.len() >= TOKENS_MAX / 2 || self.bytes() >= TOKENS_BYTES_MAX / 2;
        let is_old = is_full && at < self.0.len() / 2;
        is_old || self.0.get(at).is_some_and(|held| held.learns(found))
    }

    /// Holds a token for which a client has this placeholder already, or gets it in a moment. It is the last to leave
    /// now.
    pub fn hold_as(&mut self, placeholder: &Placeholder, value: &[u8], found: &FoundUnder) {
        if let Some(at) = self.index(placeholder) {
            let mut held = self.0.remove(at);
            held.learn(found);
            self.0.push(held);
            return;
        }
        let mut bytes = self.bytes();
        while self.0.len() >= TOKENS_MAX || bytes + value.len() > TOKENS_BYTES_MAX {
            if self.0.is_empty() {
                break;
            }
            let first = self.0.iter().position(|held| !held.at_login);
            bytes -= self.0.remove(first.unwrap_or(0)).value.len();
        }
        let mut held = Held {
            placeholder: placeholder.as_str().to_owned(),
            value: value.to_vec(),
            names: Vec::new(),
            is_watched: false,
            at_login: false,
        };
        held.learn(found);
        self.0.push(held);
    }

    /// The token that a placeholder stands for, in a field that brings tokens.
    #[must_use]
    pub fn held(&self, placeholder: &Placeholder) -> Option<&[u8]> {
        self.find(placeholder).map(|held| held.value.as_slice())
    }

    /// The same, as the value of this name: it was found under it, or it is one for tokens. `names` are those that the
    /// policy adds.
    #[must_use]
    pub fn held_under(
        &self,
        placeholder: &Placeholder,
        name: &[u8],
        names: &TokenNames,
    ) -> Option<&[u8]> {
        let held = self.find(placeholder)?;
        is_sent_under(name, &held.value, &held.names, names).then_some(&held.value)
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|held| held.value.as_slice())
    }

    /// Those that nobody may bring from outside.
    pub fn watched(&self) -> impl Iterator<Item = &[u8]> {
        let watched = self.0.iter().filter(|held| held.is_watched);
        watched.map(|held| held.value.as_slice())
    }

    /// Those that are looked for by their value, with their placeholders. A word that stands beside such a name stands in
    /// many texts, and somebody may have put it there for that.
    pub fn looked_for(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let random = self.0.iter().filter(|held| looks_random(&held.value));
        random.map(|held| (held.value.as_slice(), held.placeholder.as_bytes()))
    }

    fn find(&self, placeholder: &Placeholder) -> Option<&Held> {
        self.0.get(self.index(placeholder)?)
    }

    fn index(&self, placeholder: &Placeholder) -> Option<usize> {
        let mut tokens = self.0.iter();
        tokens.position(|held| held.placeholder == placeholder.as_str())
    }

    fn bytes(&self) -> usize {
        self.values().map(<[u8]>::len).sum()
    }
}

impl Held {
    fn learns(&self, found: &FoundUnder) -> bool {
        self.new_name(found).is_some()
            || found.at_login && !self.at_login
            || !self.is_watched && found.watches(&self.value)
    }

    fn learn(&mut self, found: &FoundUnder) {
        let name = self.new_name(found).cloned();
        self.names.extend(name);
        self.at_login |= found.at_login;
        self.is_watched |= found.watches(&self.value);
    }

    fn new_name<'f>(&self, found: &'f FoundUnder) -> Option<&'f String> {
        let letters = found.letters.as_ref();
        letters.filter(|letters| self.names.len() < NAMES_MAX && !self.names.contains(letters))
    }
}

impl std::fmt::Debug for HeldTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeldTokens({})", self.0.len())
    }
}

impl std::fmt::Debug for FoundUnder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundUnder")
            .field("at_login", &self.at_login)
            .field("is_added", &self.is_added)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use postern_config::Sessions;

    use super::*;

    const RANDOM: &[u8] = b"c4VnEu1yD9hQkXwZt7rB2pLm";

    fn found(name: &str) -> FoundUnder {
        FoundUnder::new(Some(name.as_bytes()), &TokenNames::default(), false)
    }

    #[test]
    fn a_token_has_one_placeholder_and_the_oldest_goes_first() {
        let mut tokens = HeldTokens::default();
        let first = Placeholder::new([0; 16]);
        tokens.hold_as(&first, b"first", &found("t"));
        tokens.hold_as(&first, b"first", &found("t"));
        assert_eq!(tokens.placeholder_of(b"first"), Some(first.as_str()));
        assert_eq!(tokens.0.len(), 1);
        for n in 1..=TOKENS_MAX {
            let n = u8::try_from(n).unwrap();
            tokens.hold_as(&Placeholder::new([n; 16]), &[n; 8], &found("t"));
        }
        assert_eq!(tokens.held(&first), None);
        assert_eq!(tokens.0.len(), TOKENS_MAX);
    }

    #[test]
    fn what_a_login_gave_leaves_last_and_what_is_in_use_stays() {
        let mut tokens = HeldTokens::default();
        let [login, used, page] = [250, 251, 252].map(|n| Placeholder::new([n; 16]));
        let at_login = FoundUnder::new(Some(b"access_token"), &TokenNames::default(), true);
        tokens.hold_as(&login, RANDOM, &at_login);
        tokens.hold_as(&used, b"used", &found("csrf"));
        tokens.hold_as(&page, b"page", &found("csrf"));
        let again = FoundUnder::default();
        let mut stored = 0;
        for n in 0..240 {
            let new = Placeholder::new([n; 16]);
            tokens.hold_as(&new, &[n; 8], &found("csrf"));
            if tokens.is_news(&used, &again) {
                tokens.hold_as(&used, b"used", &again);
                stored += 1;
            }
        }
        assert_eq!(tokens.held(&login), Some(RANDOM));
        assert_eq!(tokens.held(&used), Some(b"used".as_slice()));
        assert_eq!(tokens.held(&page), None);
        assert!((1..6).contains(&stored), "{stored}");
        // Nothing else is left to leave for it.
        let last = Placeholder::new([253; 16]);
        tokens.hold_as(&last, &vec![b'x'; TOKENS_BYTES_MAX], &found("csrf"));
        assert_eq!(tokens.values().count(), 1);
    }

    #[test]
    fn watched_for_is_what_a_login_gave_or_the_policy_names_and_nobody_guesses() {
        let added = TokenNames::default();
        let watched = |name: &str, at_login: bool, value: &[u8]| {
            let found = FoundUnder::new(Some(name.as_bytes()), &added, at_login);
            let mut tokens = HeldTokens::default();
            tokens.hold_as(&Placeholder::new([1; 16]), value, &found);
            assert_eq!(tokens.watched().count() == 1, found.watches(value));
            found.watches(value)
        };
        assert!(watched("access_token", true, RANDOM));
        assert!(!watched("access_token", true, b"function"));
        assert!(!watched("access_token", false, RANDOM));
        let mut tokens = HeldTokens::default();
        let placeholder = Placeholder::new([1; 16]);
        tokens.hold_as(&placeholder, RANDOM, &found("token"));
        let at_login = FoundUnder::new(Some(b"token"), &added, true);
        assert!(tokens.is_news(&placeholder, &at_login));
        tokens.hold_as(&placeholder, RANDOM, &at_login);
        assert_eq!(tokens.watched().count(), 1);
    }

    #[test]
    fn a_token_goes_back_under_the_names_it_was_found_under_and_under_those_of_tokens() {
        let mut tokens = HeldTokens::default();
        let placeholder = Placeholder::new([1; 16]);
        tokens.hold_as(&placeholder, RANDOM, &found("desk-ref"));
        let names = Sessions::default().token;
        let under = |tokens: &HeldTokens, name: &str| {
            let held = tokens.held_under(&placeholder, name.as_bytes(), &names);
            held.is_some_and(|value| value == RANDOM)
        };
        for (name, goes) in [
            ("deskRef", true),
            ("access_token", true),
            ("comment", false),
        ] {
            assert_eq!(under(&tokens, name), goes, "{name}");
        }
        for number in 2..=NAMES_MAX + 1 {
            let again = found(&format!("name{number}"));
            assert_eq!(tokens.is_news(&placeholder, &again), number <= NAMES_MAX);
            tokens.hold_as(&placeholder, RANDOM, &again);
            assert_eq!(
                under(&tokens, &format!("NAME_{number}")),
                number <= NAMES_MAX
            );
        }
        for name in ["desk_ref", "\u{e9}", &"n".repeat(65)] {
            assert!(!tokens.is_news(&placeholder, &found(name)), "{name}");
        }
    }
}

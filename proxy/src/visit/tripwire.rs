//! H09: a request brings a token of the application that lies in a vault. No client of ours has ever seen one, so it
//! was taken elsewhere, and the session that it belongs to is in danger, whoever brings it.
//!
//! It guarantees that a value which is found does not go up. It looks at the head of a request, and at no body; a
//! request that brings nothing which could be a token asks the store nothing.

use http::HeaderMap;
use http::header::COOKIE;
use postern_config::Sessions;
use postern_config::sessions::RuleAction;
use postern_filters::placeholder;
use postern_filters::token_rules::without_scheme;
use postern_filters::url_tokens::without_tokens;
use postern_filters::{Instead, SessionLine};
use zeroize::Zeroizing;

use super::begin::{problem_of, problem_of_vault};
use super::{Visit, lock};
use crate::respond::Problem;
use crate::session::client_cookies::foreign_cookies;
use crate::session::jar::is_secret;
use crate::session::judge::{Finding, Refusal, Scheme};
use crate::session::{Decoys, OpenSession};

/// So many values of one request are looked up; nobody who has a token of the application brings more.
pub(super) const LOOKED_UP_MAX: usize = 16;

/// Values that a request brings. `Debug` shows nothing of them.
#[derive(Default)]
pub(super) struct Brought(Vec<Zeroizing<Vec<u8>>>);

/// What came of looking.
#[derive(Debug, Default)]
pub(super) struct Tripped {
    /// The sessions that something of the request belongs to.
    owners: Vec<String>,
    /// Whether nobody else gets anywhere with it.
    refuses: bool,
}

impl Visit {
    /// Looks for tokens of the application in a request, and does what the rule says to the sessions that they
    /// belong to.
    ///
    /// # Errors
    /// Nobody can tell, or what the rule says cannot be done.
    pub(super) async fn watch(&self, headers: &HeaderMap) -> Result<Tripped, Problem> {
        let brought = self.brought(headers);
        if brought.0.is_empty() {
            return Ok(Tripped::default());
        }
        let held = self.vault.holders(&brought.0).await;
        let held = held.map_err(|none| Problem::from(problem_of(none)))?;
        let finding = Finding::upstream_token(&self.terms.sessions);
        let mut tripped = Tripped {
            owners: Vec::new(),
            refuses: finding.action != RuleAction::Observe,
        };
        for (value, record) in held {
            lock(&self.tripped).add(value);
            if !tripped.owners.contains(&record.sid) {
                let of = (record.sid.as_str(), &record.holder);
                self.keeper.found(finding, Some(of));
                self.do_to(&record.sid, finding).await?;
                tripped.owners.push(record.sid);
            }
        }
        *lock(&self.brought) = brought;
        Ok(tripped)
    }

    /// Refuses a request with what belongs to another session than its own; whoever logs in begins anew.
    ///
    /// # Errors
    /// It is one.
    pub(super) fn pass(&self, tripped: &Tripped) -> Result<(), Problem> {
        if tripped.owners.is_empty() || self.line == Some(SessionLine::Login) || !tripped.refuses {
            return Ok(());
        }
        let open = lock(&self.open);
        let own = open.as_ref().map(OpenSession::record);
        match own.is_some_and(|own| tripped.owners.contains(&own.sid)) {
            true => Ok(()),
            false => Err(self.refused(Refusal::SessionMissing, Scheme::Bearer)),
        }
    }

    /// A target without what was found; none when nothing of it is in there.
    pub(super) fn without_found(&self, target: &str) -> Option<Vec<u8>> {
        let tripped = lock(&self.tripped);
        if tripped.0.is_empty() {
            return None;
        }
        without_tokens(
            target.as_bytes(),
            &self.terms.names,
            &mut |found| match tripped.holds(found.value) {
                true => Instead::Strip,
                false => Instead::Keep,
            },
        )
    }

    /// Does to a session, which need not be the request's, what the rule says.
    pub(super) async fn do_to(&self, sid: &str, finding: Finding) -> Result<(), Problem> {
        match finding.action {
            RuleAction::Observe | RuleAction::Refuse => Ok(()),
            RuleAction::StepUp | RuleAction::Downgrade => {
                let taught = self.vault.teach(sid, &finding.lesson()).await;
                taught.map_err(|error| problem_of_vault(error).into())
            }
            RuleAction::Revoke => self.revoke(sid, finding.rule).await,
        }
    }

    /// What of a request could be a token of the application: where it asks for, credentials, and cookies that
    /// are neither ours nor let through.
    fn brought(&self, headers: &HeaderMap) -> Brought {
        let sessions = &self.terms.sessions;
        let names = &self.terms.names;
        let mut brought = Brought::default();
        // PERF: most targets have no parameter, whose sign may be encoded.
        if self.target.contains(['=', '%']) {
            without_tokens(self.target.as_bytes(), names, &mut |found| {
                brought.add(found.value);
                Instead::Keep
            });
        }
        let fields = headers.iter().filter(|(name, _)| *name != COOKIE);
        for (_, value) in fields.filter(|(name, _)| names.is_request_header(name.as_str())) {
            brought.add(without_scheme(value.as_bytes()));
        }
        let decoys = self.keeper.decoys(sessions);
        for (name, value) in cookies(headers, sessions) {
            let is_decoy = |decoys: &Decoys| decoys.is_one(name, value);
            if !decoys.as_ref().is_some_and(is_decoy) {
                brought.add(value);
            }
        }
        brought
    }
}

/// The cookies that could be the application's session.
fn cookies<'h>(
    headers: &'h HeaderMap,
    sessions: &'h Sessions,
) -> impl Iterator<Item = (&'h [u8], &'h [u8])> {
    let foreign = foreign_cookies(headers).into_iter();
    foreign.filter(|(name, value)| is_secret(name, value, sessions))
}

impl Brought {
    /// Adds a value, unless it is one of ours or there are enough.
    fn add(&mut self, value: &[u8]) {
        let own = [
            placeholder::Handle::BEGINS,
            placeholder::Placeholder::BEGINS,
        ];
        let is_own = own.iter().any(|own| value.starts_with(own.as_bytes()));
        if !is_own && !self.holds(value) && self.0.len() < LOOKED_UP_MAX {
            self.0.push(Zeroizing::new(value.to_vec()));
        }
    }

    pub(super) fn holds(&self, value: &[u8]) -> bool {
        self.0.iter().any(|known| known.as_slice() == value)
    }
}

impl std::fmt::Debug for Brought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Brought({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_is_not_looked_up_and_nothing_twice_or_without_end() {
        let mut brought = Brought::default();
        for own in ["pnh_0123456789", "pnp_0123456789"] {
            brought.add(own.as_bytes());
        }
        assert_eq!(brought.0.len(), 0);
        for n in 0..=LOOKED_UP_MAX {
            let value = format!("value-{n}");
            brought.add(value.as_bytes());
            brought.add(value.as_bytes());
        }
        assert_eq!(brought.0.len(), LOOKED_UP_MAX);
        assert!(brought.holds(b"value-15") && !brought.holds(b"value-16"));
    }

    #[test]
    fn cookies_are_those_that_could_be_a_session() {
        let mut sessions = Sessions::default();
        sessions.passthrough.push("theme".to_owned());
        let text = "__Host-Http-pn=pnh_x; sid=short8xy; theme=a-rather-long-name-of-a-theme; lang=en; other=0123456789abcdef";
        let headers = HeaderMap::from_iter([(COOKIE, text.parse().unwrap())]);
        let names: Vec<&[u8]> = cookies(&headers, &sessions).map(|(name, _)| name).collect();
        assert_eq!(names, [b"sid".as_slice(), b"other"]);
    }
}

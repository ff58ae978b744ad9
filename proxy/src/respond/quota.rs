//! What a client is told when a quota does not allow an answer: 429 with `Retry-After`, `RateLimit-Policy` and
//! `RateLimit` (draft-ietf-httpapi-ratelimit-headers), or a step-up challenge (RFC 9470 section 3).
//! It names the quota, its unit, limit, window, reset and what is left, and nothing about the data.

use std::time::Duration;

use http::StatusCode;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use pingora::http::ResponseHeader;
use postern_config::quota::Unit;
use sfv::{Integer, ItemSerializer, KeyRef, StringRef};

use super::faces::{Face, face};

/// How long ago somebody may have signed in to go on past a quota that asks for it.
pub(crate) const STEP_UP_AGE_MAX: Duration = Duration::from_secs(300);

/// A window is counted in this many buckets.
const BUCKETS: u32 = 24;

/// The largest integer of a structured field (RFC 9651 section 3.3.1).
const FIELD_INTEGER_MAX: u64 = 999_999_999_999_999;

/// A quota that does not allow an answer, and what the client may do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuotaRefusal {
    /// The quota's name in the policy.
    pub(crate) name: String,
    /// What it counts.
    pub(crate) unit: Unit,
    /// How much of it there is in a window.
    pub(crate) limit: u64,
    /// How much of that is left.
    pub(crate) left: u64,
    /// The answer would fit into an empty window: waiting helps.
    pub(crate) fits: bool,
    /// How long the window is.
    pub(crate) window: Duration,
    /// When as much as was asked for will be left, at the earliest; where that never is, when all of it is
    /// left again.
    pub(crate) reset: Duration,
    /// Signing in again opens more.
    pub(crate) step_up: bool,
}

impl QuotaRefusal {
    /// What the problem looks like.
    pub(super) fn face(&self) -> Face {
        let (unit, limit) = (self.unit.word(), self.limit);
        let (window, reset) = (seconds(self.window), seconds(self.reset));
        let why = self.why();
        let shown = match self.step_up {
            true => face(
                StatusCode::UNAUTHORIZED,
                "step-up-required",
                "A quota is used up until you sign in again",
                format!("{why}; sign in again to go on, or wait"),
            ),
            false => face(
                StatusCode::TOO_MANY_REQUESTS,
                "quota-exceeded",
                "A quota does not allow this",
                match (self.fits, self.left) {
                    (true, 0) => format!("{why}; try again in {reset} s"),
                    (true, 1..) => format!("{why}; ask for less, or try again in {reset} s"),
                    (false, _) if limit > 0 => format!("{why}; ask for less"),
                    (false, _) => why,
                },
            ),
        };
        Face {
            quota: Some(serde_json::json!({
                "name": self.name,
                "unit": unit,
                "limit": limit,
                "left": self.left,
                "window_seconds": window,
                "bucket_seconds": (self.window / BUCKETS).as_secs_f64(),
                "reset_seconds": reset,
            })),
            ..shown
        }
    }

    /// Why the answer does not leave. It never says how much it holds.
    fn why(&self) -> String {
        let (unit, limit, window) = (self.unit.word(), self.limit, seconds(self.window));
        match (self.fits, self.left) {
            (true, 0) => format!("{limit} {unit} in {window} s are used up"),
            (true, left) => format!(
                "this answer needs more than the {left} left of {limit} {unit} in {window} s"
            ),
            (false, _) if limit > 0 => format!(
                "this answer needs more than the {limit} {unit} that may leave in {window} s"
            ),
            (false, _) => format!("no {unit} may leave"),
        }
    }

    /// The header fields that belong to it.
    ///
    /// # Errors
    /// A field cannot be written.
    pub(super) fn add_fields(&self, head: &mut ResponseHeader) -> pingora::Result<()> {
        if self.step_up {
            let challenge = format!(
                "Bearer error=\"insufficient_user_authentication\", \
                 error_description=\"a quota is used up until you sign in again\", max_age=\"{}\"",
                STEP_UP_AGE_MAX.as_secs()
            );
            head.insert_header(WWW_AUTHENTICATE, challenge)?;
        }
        head.insert_header(RETRY_AFTER, seconds(self.reset))?;
        let window = ("w", seconds(self.window));
        if let Some(policy) = self.field(&[("q", self.limit), window], Some(self.unit)) {
            head.insert_header("RateLimit-Policy", policy)?;
        }
        if let Some(state) = self.field(&[("r", self.left), ("t", seconds(self.reset))], None) {
            head.insert_header("RateLimit", state)?;
        }
        Ok(())
    }

    /// A list of one item (RFC 9651 section 3.1): the quota's name with parameters.
    fn field(&self, numbers: &[(&str, u64)], unit: Option<Unit>) -> Option<String> {
        let name = StringRef::from_str(&self.name).ok()?;
        let mut item = ItemSerializer::new().bare_item(name);
        for (key, number) in numbers {
            let number = Integer::try_from((*number).min(FIELD_INTEGER_MAX)).ok()?;
            item = item.parameter(KeyRef::from_str(key).ok()?, number);
        }
        if let Some(unit) = unit {
            let word = StringRef::from_str(unit.word()).ok()?;
            item = item.parameter(KeyRef::from_str("qu").ok()?, word);
        }
        Some(item.finish())
    }
}

/// Whole seconds, rounded up, at least one: a client that waits so long does not come too early.
fn seconds(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(part).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(step_up: bool) -> QuotaRefusal {
        QuotaRefusal {
            name: "subjects-a-day".to_owned(),
            unit: Unit::Subjects,
            limit: 200,
            left: 0,
            fits: true,
            window: Duration::from_secs(86_400),
            reset: Duration::from_millis(41_200),
            step_up,
        }
    }

    fn fields(refusal: &QuotaRefusal) -> Vec<(String, String)> {
        let mut head = ResponseHeader::build(429, None).unwrap();
        refusal.add_fields(&mut head).unwrap();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let fields = head.headers.iter();
        fields
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect()
    }

    #[test]
    fn says_how_much_how_long_and_when_again() {
        let said = fields(&refusal(false));
        let expected = [
            ("retry-after", "42"),
            (
                "ratelimit-policy",
                "\"subjects-a-day\";q=200;w=86400;qu=\"subjects\"",
            ),
            ("ratelimit", "\"subjects-a-day\";r=0;t=42"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(said, expected);
        let shown = refusal(false).face();
        assert_eq!((shown.status.as_u16(), shown.slug), (429, "quota-exceeded"));
    }

    #[test]
    fn says_what_is_left_and_whether_waiting_helps() {
        let part = QuotaRefusal {
            left: 3,
            ..refusal(false)
        };
        let shown = part.face();
        assert_eq!(
            shown.detail,
            "this answer needs more than the 3 left of 200 subjects in 86400 s; ask for less, or try again in 42 s"
        );
        assert_eq!(shown.quota.unwrap()["left"], 3);
        let state = (
            "ratelimit".to_owned(),
            "\"subjects-a-day\";r=3;t=42".to_owned(),
        );
        assert!(fields(&part).contains(&state));
        let never = QuotaRefusal {
            fits: false,
            ..part
        };
        assert_eq!(
            never.face().detail,
            "this answer needs more than the 200 subjects that may leave in 86400 s; ask for less"
        );
        let nothing = QuotaRefusal {
            limit: 0,
            left: 0,
            ..never
        };
        assert_eq!(nothing.face().detail, "no subjects may leave");
    }

    #[test]
    fn asks_to_sign_in_again_where_that_opens_more() {
        let said = fields(&refusal(true));
        let challenge = said.iter().find(|(name, _)| name == "www-authenticate");
        let challenge = &challenge.unwrap().1;
        assert!(challenge.starts_with("Bearer error=\"insufficient_user_authentication\""));
        assert!(challenge.ends_with("max_age=\"300\""));
        assert_eq!(refusal(true).face().status.as_u16(), 401);
    }

    #[test]
    fn a_limit_that_no_field_can_hold_is_told_as_the_largest_that_can() {
        let most = QuotaRefusal {
            limit: u64::MAX,
            ..refusal(false)
        };
        let said = fields(&most);
        assert!(
            said.iter()
                .any(|(_, value)| value.contains("q=999999999999999;"))
        );
    }
}

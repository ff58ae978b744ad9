//! Whether a request comes from the session's holder: what it proves, which rules it breaks, and whether the
//! exchange goes on.
//!
//! ```text
//!  request ─▶ Shown ─┐
//!  vault ──▶ Record ─┼─▶ judge ─▶ Judgement { level, findings, outcome, learned } ─▶ needs(level) ─▶ go on
//!  this process ▶ Recent                                 └─▶ raise(finding), by whoever notices more later
//! ```
//!
//! It guarantees that a request has no level which it did not prove itself, that what a session is bound to
//! is asked for until it ends, and that only a request that goes on teaches anything a session is judged by
//! later. It does no IO and knows no time of its own; who carries out its outcome is elsewhere.

mod fetch;
mod finding;
mod interstitial;
mod proofs;
mod recent;
mod refusal;
mod request_dpop;
mod shown;
mod surroundings;

use postern_config::Sessions;
use postern_config::sessions::{Binding as Binds, BindingLevel, RuleAction, RuleId};

use super::binding::Lesson;
use super::context::Difference;
use super::decoy::Decoy;
use super::record::Record;
use crate::clock::millis;

pub use fetch::{Fetch, Purpose, Sender};
pub use finding::Finding;
pub use interstitial::{interstitial, is_deep_link};
pub use recent::{CASES_A_MINUTE, Recent};
pub use refusal::{Refusal, Scheme, step_up_challenge};
pub use request_dpop::{DPOP, DPOP_NONCE, DpopRefusal, DpopRequest, ShownDpop, shown_dpop};
pub use shown::{Asked, Carrier, Shown, Skipped};

/// What is to be done with an exchange; the later ones take the place of the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Go,
    /// It is sent to its own target again (307), and the bound cookie is taken from the browser, which then
    /// proves its device and asks again, with its body.
    Prove,
    /// It is refused until the holder has authenticated anew ([`step_up_challenge`]).
    StepUp,
    /// It is refused.
    Refuse(Refusal),
    /// The session ends, for this rule.
    Revoke(RuleId),
}

impl Outcome {
    const fn rank(self) -> u8 {
        match self {
            Self::Go => 0,
            Self::Prove => 1,
            Self::StepUp => 2,
            Self::Refuse(_) => 3,
            Self::Revoke(_) => 4,
        }
    }
}

/// What is to be thought of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What the request has proven. It is an input to what it may see and do.
    pub level: BindingLevel,
    /// What the rules noticed of this session.
    pub findings: Vec<Finding>,
    /// What is to be done with it.
    pub outcome: Outcome,
    /// What it teaches about the session's binding: to be written to the record unless it is empty.
    pub learned: Lesson,
    /// When its device was proved that it shows the cookie of, in milliseconds since 1970.
    pub proved: Option<u64>,
    /// Another session, by its id, and the finding of H11 that is about that one and not this: its jar was
    /// copied, and what the finding's rule does is done to it ([`Finding::lesson`] or revocation).
    pub betrayed: Option<(String, Finding)>,
    /// It has level 0 whatever it proves, until it ends.
    is_downgraded: bool,
}

impl Judgement {
    fn new(record: &Record) -> Self {
        Self {
            level: BindingLevel::Unbound,
            findings: Vec::new(),
            outcome: Outcome::Go,
            learned: Lesson::default(),
            proved: None,
            betrayed: None,
            is_downgraded: record.binding.downgraded,
        }
    }

    /// Notes what a rule has noticed, and does what its action says. Also for what is noticed after the
    /// request was judged: H09, H10, H14, H15.
    pub fn raise(&mut self, finding: Finding) {
        self.findings.push(finding);
        match finding.action {
            RuleAction::Observe => {}
            RuleAction::Refuse => self.refuse(Refusal::of(finding.rule)),
            RuleAction::StepUp => self.settle(Outcome::StepUp),
            RuleAction::Downgrade => {
                self.is_downgraded = true;
                self.level = BindingLevel::Unbound;
            }
            RuleAction::Revoke => self.settle(Outcome::Revoke(finding.rule)),
        }
        let lesson = finding.lesson();
        self.learned.downgrade |= lesson.downgrade;
        self.learned.step_up |= lesson.step_up;
    }

    /// H14: notes that the request is about a case. Beyond [`CASES_A_MINUTE`] different ones the rule fires,
    /// once a minute.
    pub fn note_case(&mut self, of: (&Sessions, &Record), case: &str, recent: &Recent, now: u64) {
        let (sessions, record) = of;
        if recent.is_one_case_too_many(&record.sid, case, now) {
            self.raise(Finding::new(sessions, RuleId::H14, "cases-in-a-minute"));
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.settle(Outcome::Refuse(refusal));
    }

    fn settle(&mut self, outcome: Outcome) {
        if outcome.rank() > self.outcome.rank() {
            self.outcome = outcome;
        }
    }

    /// The request has proven this much, if the policy lets it count.
    fn reach(&mut self, scene: &Scene<'_>, by: Binds) {
        if scene.sessions.bind.contains(&by) {
            self.level = self.level.max(by.level());
        }
    }

    fn conclude(&mut self, record: &Record) {
        let binding = &record.binding;
        if binding.must_step_up {
            self.settle(Outcome::StepUp);
        }
        // What the record says already needs no writing.
        self.learned.step_up &= !binding.must_step_up;
        self.learned.downgrade &= !binding.downgraded;
        if self.is_downgraded {
            self.level = BindingLevel::Unbound;
        }
        if self.outcome != Outcome::Go {
            self.learned.distrust();
        }
    }
}

/// What is judged.
struct Scene<'a> {
    sessions: &'a Sessions,
    record: &'a Record,
    shown: &'a Shown,
    recent: &'a Recent,
    now: u64,
}

impl Scene<'_> {
    /// Whether the login was a moment ago: the time in which a session may be bound, and in which requests
    /// that left before it was are let in.
    fn is_young(&self) -> bool {
        let age = self.now.saturating_sub(self.record.times.created);
        age < millis(self.sessions.unbound_for)
    }

    /// How the surroundings differ from those in which the session was used before; none when nobody knows.
    fn difference(&self) -> Option<Difference> {
        let last = &self.record.binding.last;
        let is_known = *last != super::context::Context::default();
        is_known.then(|| self.shown.context.difference_from(last))
    }
}

/// Judges a request that shows the handle of a session. `now` is in milliseconds since 1970.
///
/// It is not for requests to Postern's own paths with which a holder logs in or out, authenticates anew, or
/// proves the device.
#[must_use]
pub fn judge(
    sessions: &Sessions,
    record: &Record,
    shown: &Shown,
    recent: &Recent,
    now: u64,
) -> Judgement {
    let scene = Scene {
        sessions,
        record,
        shown,
        recent,
        now,
    };
    let mut judgement = Judgement::new(record);
    fetch::judge(&scene, &mut judgement);
    proofs::judge(&scene, &mut judgement);
    judge_decoy(&scene, &mut judgement);
    judgement.conclude(record);
    judgement
}

/// H11: the decoy of another session, or this one's in a jar that has moved to another browser elsewhere.
fn judge_decoy(scene: &Scene<'_>, judgement: &mut Judgement) {
    let Decoy::Of(sid) = &scene.shown.decoy else {
        return;
    };
    if *sid == scene.record.sid {
        if scene.difference() == Some(Difference::Everything) {
            let finding = Finding::new(scene.sessions, RuleId::H11, "decoy-from-elsewhere");
            judgement.raise(finding);
        }
        return;
    }
    let finding = Finding::new(scene.sessions, RuleId::H11, "decoy-of-another-session");
    judgement.betrayed = Some((sid.clone(), finding));
    if finding.action != RuleAction::Observe {
        judgement.refuse(Refusal::SessionMissing);
    }
}

/// H11 for a request that shows no handle: the id of the session whose decoy it shows, and the finding. The
/// decoy is set, sent and taken back with the handle, so it comes alone only out of a copied jar.
#[must_use]
pub fn lone_decoy(sessions: &Sessions, shown: &Shown) -> Option<(String, Finding)> {
    match (&shown.decoy, shown.carrier) {
        (Decoy::Of(sid), Carrier::Nothing) => {
            let finding = Finding::new(sessions, RuleId::H11, "decoy-alone");
            Some((sid.clone(), finding))
        }
        (Decoy::Of(_) | Decoy::None, _) => None,
    }
}

/// What a request lacks for what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// A stronger binding: 401 `binding-required`.
    Binding,
    /// That its holder authenticates anew: 401 `step-up-required`.
    StepUp,
    /// A proof of the device that is made for it: [`Outcome::Prove`].
    Proof,
}

/// Whether a request has proven as much as it needs.
///
/// # Errors
/// What the client must do: to authenticate anew where that brings the level back, and else to bind the
/// session with what it was begun with, or with a new login.
pub fn needs(
    sessions: &Sessions,
    judgement: &Judgement,
    needed: BindingLevel,
) -> Result<(), Unmet> {
    if judgement.level >= needed {
        return Ok(());
    }
    // A step-up makes where it happened the place that the session is used from.
    let helps = needed <= BindingLevel::Context && sessions.bind.contains(&Binds::Context);
    match helps && !judgement.is_downgraded {
        true => Err(Unmet::StepUp),
        false => Err(Unmet::Binding),
    }
}

/// Whether a request comes with a proof of its device that was made for it; for exports and the like. A
/// session that proves a key with each request has that, and one that no device binds has nothing to prove.
///
/// # Errors
/// It must be sent to prove the device, or was a moment ago and did not.
pub fn needs_proof(
    record: &Record,
    shown: &Shown,
    judgement: &Judgement,
    recent: &Recent,
    now: u64,
) -> Result<(), Unmet> {
    let binding = &record.binding;
    if binding.proves_each_request() || !binding.has_device() {
        return Ok(());
    }
    let sent = recent.sent_to_prove(&record.sid, &shown.target, now);
    match (sent, judgement.proved) {
        (None, _) => Err(Unmet::Proof),
        (Some(sent), Some(proved)) if proved >= sent => {
            recent.has_proved(&record.sid, &shown.target, now);
            Ok(())
        }
        (Some(_), Some(_) | None) => Err(Unmet::Binding),
    }
}

#[cfg(test)]
mod tests;

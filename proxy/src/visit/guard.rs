//! Whether a request comes from the session's holder, and what is done when it does not: the judge's word is
//! carried out here, before anything is decided about the request and again when it is known what it asks for.

use http::header::{SET_COOKIE, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use postern_config::identity::IdentityRule;
use postern_config::sessions::{BindingLevel, RuleId};
use postern_filters::{DenyReason, ExchangePlan};

use super::begin::{problem_of, problem_of_vault};
use super::mine::unrevoked;
use super::{Visit, lock};
use crate::clock::unix_millis;
use crate::identity::{Credential, Recognised};
use crate::respond::{Problem, SessionProblem, SessionRefusal};
use crate::session::client_cookies::forgetting_bound_field;
use crate::session::judge::{
    self, DPOP_NONCE, Finding, Judgement, Outcome, Refusal, Scheme, Shown, Unmet,
};
use crate::session::{OpenSession, Record, Revoker};

/// Times of authentication are told in whole seconds.
const SIGNED_IN_WITHIN: u64 = 999;

/// What was thought of a request.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) shown: Shown,
    pub(super) judgement: Judgement,
}

impl Visit {
    /// Judges a request that opened a session, and carries out what the judge says.
    ///
    /// # Errors
    /// The exchange does not go on.
    pub(super) async fn judge(&self, shown: Shown) -> Result<(), Problem> {
        let recent = self.keeper.recent();
        let sessions = &self.terms.sessions;
        let (judgement, scheme) = {
            let open = lock(&self.open);
            let Some(record) = open.as_ref().map(OpenSession::record) else {
                return Ok(());
            };
            let judgement = judge::judge(sessions, record, &shown, recent, self.began_ms);
            self.report(&judgement.findings, record);
            (judgement, Scheme::of(record, &shown))
        };
        if let Some((sid, finding)) = &judgement.betrayed {
            self.betray(sid, *finding).await?;
        }
        let outcome = judgement.outcome;
        self.learn(&judgement).await?;
        *lock(&self.judged) = Some(Judged { shown, judgement });
        // When who asks has last authenticated is not known yet where something else names them.
        match outcome == Outcome::StepUp && !self.names_people() {
            true => Ok(()),
            false => self.carry_out(outcome, scheme).await,
        }
    }

    /// Whether whoever something else than the session names has authenticated anew, where a rule demands it.
    ///
    /// # Errors
    /// They have not: the client is told so. Where nothing says when they did, the session is over: they begin
    /// another one, with nothing of the application in it.
    pub(crate) async fn stepped_up(&self, recognised: &Recognised) -> Result<(), Problem> {
        let is_due = |judged: &Judged| judged.judgement.outcome == Outcome::StepUp;
        let scheme = {
            let (judged, open) = (lock(&self.judged), lock(&self.open));
            match (
                judged.as_ref().filter(|judged| is_due(judged)),
                open.as_ref(),
            ) {
                (Some(judged), Some(open)) if !self.is_logout() => {
                    Scheme::of(open.record(), &judged.shown)
                }
                (_, _) => return Ok(()),
            }
        };
        let credential = recognised.credential.as_ref();
        let Some(signed_in) = credential.and_then(Credential::signed_in) else {
            self.end_own("step-up").await?;
            return Err(SessionProblem::Revoked.into());
        };
        let signed_in = unix_millis(signed_in);
        let is_enough = |session: &mut OpenSession| {
            signed_in.saturating_add(SIGNED_IN_WITHIN) >= session.record().binding.demanded
        };
        let Some(session) = lock(&self.open).take_if(is_enough) else {
            return Err(self.step_up(scheme));
        };
        let context = self.context.clone();
        let changing = self.vault.change(session, move |record, _jar| {
            record.binding.step_up(context.clone(), signed_in);
        });
        let session = changing
            .await
            .map_err(|error| Problem::from(problem_of_vault(error)))?;
        self.put_back(session);
        Ok(())
    }

    /// Whether the request has proven what it takes for what it asks for.
    ///
    /// # Errors
    /// It has not: the client is told what to do.
    pub(crate) async fn may(&self, plan: &ExchangePlan, method: &Method) -> Result<(), Problem> {
        let judged = lock(&self.judged).take();
        // Logging in and out belongs to no route.
        if self.line.is_some() {
            return Ok(());
        }
        let sessions = &self.terms.sessions;
        let policy = self.compiled.policy();
        let mut routes = policy.into_iter().flat_map(|policy| &policy.routes);
        let Some(route) = routes.find(|route| route.name == plan.route()) else {
            return Err(Problem::Denied(DenyReason::RouteDenied));
        };
        let needed = sessions
            .required
            .level(method.as_str(), route, plan.roles());
        let Some(mut judged) = judged.filter(|_| lock(&self.open).is_some()) else {
            return self.may_without_session(needed);
        };
        if let Some(case) = plan.case() {
            self.note_case(&mut judged, case).await?;
        }
        let Judged { shown, judgement } = &judged;
        let (met, scheme) = {
            let open = lock(&self.open);
            let Some(record) = open.as_ref().map(OpenSession::record) else {
                return self.may_without_session(needed);
            };
            let (recent, now) = (self.keeper.recent(), self.began_ms);
            let proof = || match route.is_export() {
                true => judge::needs_proof(record, shown, judgement, recent, now),
                false => Ok(()),
            };
            let met = judge::needs(sessions, judgement, needed).and_then(|()| proof());
            (met, Scheme::of(record, shown))
        };
        match met {
            Ok(()) => Ok(()),
            Err(Unmet::Proof) => Err(self.prove()),
            Err(Unmet::Binding) => Err(self.refused(Refusal::BindingRequired, scheme)),
            Err(Unmet::StepUp) => Err(self.step_up(scheme)),
        }
    }

    /// SECURITY: whoever has stolen what names somebody shows no session. Nothing binds that to its holder but a
    /// client certificate that is itself what names them.
    fn may_without_session(&self, needed: BindingLevel) -> Result<(), Problem> {
        let identity = self.compiled.policy().map(|policy| &policy.identity);
        let level = match identity {
            Some(IdentityRule::Mtls(_)) => BindingLevel::Certificate,
            Some(IdentityRule::Jwt(_) | IdentityRule::Header(_) | IdentityRule::Session(_))
            | None => BindingLevel::Unbound,
        };
        match level >= needed {
            true => Ok(()),
            false => Err(self.refused(Refusal::BindingRequired, Scheme::Bearer)),
        }
    }

    /// H14: the request is about this case. One too many is carried out.
    async fn note_case(&self, judged: &mut Judged, case: &str) -> Result<(), Problem> {
        let Judged { shown, judgement } = judged;
        let (known, before) = (judgement.findings.len(), judgement.outcome);
        let scheme = {
            let open = lock(&self.open);
            let Some(record) = open.as_ref().map(OpenSession::record) else {
                return Ok(());
            };
            let of = (&self.terms.sessions, record);
            judgement.note_case(of, case, self.keeper.recent(), self.began_ms);
            self.report(judgement.findings.get(known..).unwrap_or_default(), record);
            Scheme::of(record, shown)
        };
        if judgement.findings.len() > known {
            self.learn(judgement).await?;
        }
        match judgement.outcome == before {
            true => Ok(()),
            false => self.carry_out(judgement.outcome, scheme).await,
        }
    }

    /// Adds what a judgement teaches to the session's record.
    async fn learn(&self, judgement: &Judgement) -> Result<(), Problem> {
        if judgement.learned.is_empty() {
            return Ok(());
        }
        let Some(session) = self.take_open() else {
            return Ok(());
        };
        let (learned, now) = (judgement.learned.clone(), self.began_ms);
        let changing = self.vault.change(session, move |record, _jar| {
            learned.apply(&mut record.binding, now);
        });
        let session = changing
            .await
            .map_err(|error| Problem::from(problem_of_vault(error)))?;
        self.put_back(session);
        Ok(())
    }

    async fn carry_out(&self, outcome: Outcome, scheme: Scheme) -> Result<(), Problem> {
        match outcome {
            Outcome::Go => Ok(()),
            // Whoever may do nothing else in a session may still end it.
            Outcome::Prove | Outcome::StepUp if self.is_logout() => Ok(()),
            Outcome::Prove => Err(self.prove()),
            Outcome::StepUp => Err(self.step_up(scheme)),
            Outcome::Refuse(refusal) => Err(self.refused(refusal, scheme)),
            Outcome::Revoke(rule) => {
                if let Some(session) = self.leave() {
                    self.revoke(&session.record().sid, rule).await?;
                }
                Err(SessionProblem::Revoked.into())
            }
        }
    }

    pub(super) fn refused(&self, refusal: Refusal, scheme: Scheme) -> Problem {
        tracing::info!(target: "postern::session", reason = refusal.reason(), "a request was refused");
        let problem = SessionProblem::from(refusal);
        let mut told = SessionRefusal::from(problem);
        if problem.status() == StatusCode::UNAUTHORIZED {
            told = told.with(WWW_AUTHENTICATE, &refusal.challenge(scheme));
        }
        if let (Refusal::Dpop(_), Some(nonce)) = (refusal, self.keeper.dpop_nonce()) {
            told = told.with(DPOP_NONCE, &nonce);
        }
        told.into()
    }

    /// What somebody is told whose login is not fresh enough for what they ask.
    pub(crate) fn fresh_login(&self) -> Problem {
        self.step_up(Scheme::Bearer)
    }

    fn step_up(&self, scheme: Scheme) -> Problem {
        let challenge = judge::step_up_challenge(scheme, self.terms.sessions.step_up_for);
        SessionRefusal::from(SessionProblem::StepUpRequired)
            .with(WWW_AUTHENTICATE, &challenge)
            .into()
    }

    /// The same request again, with its body, after the browser has proved its device (specification 04
    /// section 6).
    fn prove(&self) -> Problem {
        SessionRefusal::from(SessionProblem::BindingRequired)
            .with(SET_COOKIE, &forgetting_bound_field())
            .sending(StatusCode::TEMPORARY_REDIRECT, self.target.clone())
            .into()
    }

    /// H11: a decoy without its handle. The finding is about the session that the decoy was made for, and so is
    /// what it does.
    pub(super) async fn betray(&self, sid: &str, finding: Finding) -> Result<(), Problem> {
        // It is told even where nobody can say any more whose session it was.
        let record = self.vault.record(sid).await.ok().flatten();
        let holder = record.map(|record| record.holder).unwrap_or_default();
        self.keeper.found(finding, Some((sid, &holder)));
        self.do_to(sid, finding).await
    }

    /// Ends a session for a rule: that is on record first.
    pub(super) async fn revoke(&self, sid: &str, rule: RuleId) -> Result<(), Problem> {
        let record = self.vault.record(sid).await;
        let record = record.map_err(|none| Problem::from(problem_of(none)))?;
        let now = self.vault.now();
        let Some(record) = record.filter(|record| record.is_alive(now)) else {
            return Ok(());
        };
        let by = Revoker::Rule(rule);
        let revoked = self.keeper.revoke(&self.vault, &record, by).await;
        revoked.map(drop).map_err(|error| unrevoked(&error))
    }

    /// Tells operators.
    pub(super) fn report(&self, findings: &[Finding], record: &Record) {
        for finding in findings {
            self.keeper
                .found(*finding, Some((&record.sid, &record.holder)));
        }
    }
}

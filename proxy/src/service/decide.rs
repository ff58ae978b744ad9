//! Who is asking, and what may happen.

use postern_filters::{DenyReason, ExchangePlan, RequestFacts, Verdict};

use super::Service;
use crate::exchange::Exchange;
use crate::hygiene::{CleanRequest, DeclaredBody};
use crate::identity::{IdentityError, PeerFacts, Recognised};
use crate::metering::Meter;
use crate::policy_store::Snapshot;
use crate::respond::Problem;
use crate::visit::{Arriving, Visit};

impl Service {
    /// Decides about a request: who is asking, and what may happen.
    pub(super) async fn decide(
        &self,
        (request, peer): (&CleanRequest, &PeerFacts),
        visit: Option<&Visit>,
        snapshot: &Snapshot,
        exchange: &mut Exchange,
    ) -> Result<Box<ExchangePlan>, Problem> {
        let recognised = match visit.filter(|visit| visit.names_people()) {
            Some(visit) => visit.recognised()?,
            None => self.recognise(request, peer, snapshot).await?,
        };
        let identity = &recognised.identity;
        if let Some(visit) = visit.filter(|visit| !visit.names_people()) {
            visit.belongs_to(identity);
            Box::pin(visit.stepped_up(&recognised)).await?;
        }
        exchange.note_identity(identity);
        let facts = RequestFacts {
            method: request.method.as_str(),
            path: &request.path,
            query: request.query.as_deref(),
            headers: &request.headers,
            upgrade: request.upgrade,
            has_body: request.body != DeclaredBody::None,
            identity,
        };
        match snapshot.compiled.decide(&facts) {
            Verdict::Allow(plan) => {
                exchange.note_plan(&plan);
                if let Some(visit) = visit {
                    Box::pin(visit.may(&plan, &request.method)).await?;
                    // Nobody can take tokens out of frames whose lengths are written before them.
                    if request.upgrade {
                        return Err(Problem::Denied(DenyReason::UpgradeRefused));
                    }
                }
                self.metered(plan, &recognised, exchange).await
            }
            Verdict::Deny(reason) => {
                let (route, roles) = snapshot.compiled.place_of(&facts);
                exchange.note_place(route, roles);
                Err(Problem::Denied(reason))
            }
        }
    }
}

impl Service {
    /// Recognises who asks by what the request itself brings.
    pub(super) async fn recognise(
        &self,
        request: &CleanRequest,
        peer: &PeerFacts,
        snapshot: &Snapshot,
    ) -> Result<Recognised, Problem> {
        let recognised = match &snapshot.authenticator {
            // Before the first policy there is nobody to recognise, and everything is refused.
            None => Ok(Recognised::default()),
            Some(authenticator) => {
                let now = self.clock.wall();
                authenticator
                    .authenticate(&request.headers, peer, now)
                    .await
            }
        };
        recognised.map_err(|error| {
            self.metrics.identity_failed(match error {
                IdentityError::Missing => "missing",
                IdentityError::Invalid => "invalid",
                IdentityError::Unavailable => "unavailable",
            });
            Problem::Identity(error)
        })
    }

    /// What a visit begins with; none where the policy has no sessions.
    pub(super) fn arriving<'a>(
        &'a self,
        (request, peer): (&'a CleanRequest, &'a PeerFacts),
        snapshot: &'a Snapshot,
        exchange: &'a Exchange,
    ) -> Option<Arriving<'a>> {
        let compiled = &snapshot.compiled;
        Some(Arriving {
            compiled,
            terms: snapshot.sessions.as_ref()?,
            keeper: &self.sessions,
            request,
            peer,
            line: compiled.session_line(request.method.as_str(), &request.path),
            host: self.upstream.host(),
            cut: exchange.cut(),
        })
    }

    /// Charges the request to the quotas that apply, and lets the plan count what they count.
    async fn metered(
        &self,
        plan: Box<ExchangePlan>,
        recognised: &Recognised,
        exchange: &mut Exchange,
    ) -> Result<Box<ExchangePlan>, Problem> {
        let now = self.clock.wall();
        let Some(meter) = Meter::begin(&self.quotas, &plan, recognised, now).await? else {
            return Ok(plan);
        };
        let counted = meter.counted();
        exchange.set_meter(Some(meter));
        Ok(Box::new(plan.counting(counted)))
    }
}

//! What a request proves: the certificate, the key, the device, or else its surroundings. And the rules
//! about proofs: H01, H02, H04, H08.

use postern_config::sessions::{Binding as Binds, RuleId};

use super::fetch::Purpose;
use super::finding::Finding;
use super::refusal::Refusal;
use super::request_dpop::{DpopRefusal, ShownDpop};
use super::shown::Carrier;
use super::{Judgement, Outcome, Scene, surroundings};
use crate::session::client_cookies::Carried;
use crate::session::context::{Context, Difference};
use crate::session::dbsc::Presented;
use crate::session::record::Client;

/// The first version of Chrome on Windows that binds sessions to the device.
const BINDING_CHROME: u32 = 146;

pub(super) fn judge(scene: &Scene<'_>, judgement: &mut Judgement) {
    let by_certificate = certificate(scene, judgement);
    let by_key = key(scene, judgement);
    if by_certificate || by_key {
        // The proof was made for this very request: wherever it comes from, its holder sent it.
        surroundings::follow(scene, judgement);
        return;
    }
    surroundings::judge(scene, judgement);
    device(scene, judgement);
    never_registered(scene, judgement);
}

/// Whether the request comes with the session's certificate.
fn certificate(scene: &Scene<'_>, judgement: &mut Judgement) -> bool {
    let shown = scene.shown.certificate.as_ref();
    let reason = match (&scene.record.binding.certificate, shown) {
        (Some(bound), Some(shown)) if bound == shown => {
            judgement.reach(scene, Binds::Mtls);
            return true;
        }
        (Some(_), Some(_)) => "other-certificate",
        (Some(_), None) => "no-certificate",
        (None, Some(shown)) => {
            let binds = may_bind(scene, Binds::Mtls);
            if binds {
                judgement.learned.certificate = Some(shown.clone());
                judgement.reach(scene, Binds::Mtls);
            }
            return binds;
        }
        (None, None) => return false,
    };
    judgement.raise(Finding::new(scene.sessions, RuleId::H01, reason));
    false
}

/// Whether the request comes with a proof of the session's key.
fn key(scene: &Scene<'_>, judgement: &mut Judgement) -> bool {
    let carrier = scene.shown.carrier;
    let Some(bound) = &scene.record.binding.key else {
        return first_key(scene, judgement);
    };
    let reason = match (carrier, &scene.shown.dpop) {
        // RFC 9449 section 7.2: refused whatever the rule does.
        (Carrier::Bearer, _) => {
            judgement.refuse(Refusal::InvalidToken);
            "key-bound-as-bearer"
        }
        (_, ShownDpop::Proven(shown)) if shown == bound => {
            judgement.reach(scene, Binds::Dpop);
            return true;
        }
        (_, ShownDpop::Proven(_) | ShownDpop::Refused(DpopRefusal::OtherKey)) => {
            judgement.refuse(Refusal::Dpop(DpopRefusal::OtherKey));
            "other-key"
        }
        (_, ShownDpop::Refused(refusal)) => {
            refuse_proof(scene, judgement, *refusal);
            return false;
        }
        (Carrier::Dpop, ShownDpop::Absent) => {
            judgement.refuse(Refusal::Dpop(DpopRefusal::Proof));
            "no-proof"
        }
        (Carrier::Cookie | Carrier::Nothing, ShownDpop::Absent) => "no-proof",
    };
    judgement.raise(Finding::new(scene.sessions, RuleId::H01, reason));
    false
}

/// The same for a session that no key binds yet.
fn first_key(scene: &Scene<'_>, judgement: &mut Judgement) -> bool {
    let as_key_bound = scene.shown.carrier == Carrier::Dpop;
    match &scene.shown.dpop {
        ShownDpop::Proven(shown) if may_bind(scene, Binds::Dpop) => {
            judgement.learned.key = Some(shown.clone());
            judgement.reach(scene, Binds::Dpop);
            return true;
        }
        ShownDpop::Refused(refusal) if as_key_bound => {
            refuse_proof(scene, judgement, *refusal);
        }
        // RFC 9449 section 7.1: the token must be bound to the key.
        ShownDpop::Proven(_) | ShownDpop::Absent if as_key_bound => {
            judgement.refuse(Refusal::InvalidToken);
        }
        // What the application's own pages prove to the application is not for us.
        ShownDpop::Proven(_) | ShownDpop::Refused(_) | ShownDpop::Absent => {}
    }
    false
}

/// A proof that does not hold is refused whatever a rule does. H04: it was used before, too often.
fn refuse_proof(scene: &Scene<'_>, judgement: &mut Judgement, refusal: DpopRefusal) {
    judgement.refuse(Refusal::Dpop(refusal));
    let sid = &scene.record.sid;
    if refusal == DpopRefusal::Replay && scene.recent.is_replayed_often(sid, scene.now) {
        judgement.raise(Finding::new(scene.sessions, RuleId::H04, "proof-replayed"));
    }
}

/// Whether the request may bind its session. SECURITY: only just after the login and from where that was;
/// later whoever has a copy of the handle could bind the session to a key of their own.
fn may_bind(scene: &Scene<'_>, by: Binds) -> bool {
    let binding = &scene.record.binding;
    let from_there = scene.shown.context.difference_from(&binding.began) == Difference::None;
    let is_stronger = match by {
        Binds::Mtls => binding.certificate.is_none(),
        Binds::Dpop | Binds::Dbsc | Binds::Context => {
            !binding.proves_each_request() && !binding.has_device()
        }
    };
    scene.sessions.bind.contains(&by) && scene.is_young() && from_there && is_stronger
}

/// Looks at the bound cookie of a session that is bound to its device.
fn device(scene: &Scene<'_>, judgement: &mut Judgement) {
    let (shown, now) = (scene.shown, scene.now);
    let device = scene.record.binding.device.as_ref();
    let Some(device) = device.filter(|device| device.is_bound()) else {
        return;
    };
    let presented = match &shown.bound {
        Carried::Once(cookie) => device.presents(cookie, now),
        Carried::Absent | Carried::Unsound => Presented::Unknown,
    };
    match presented {
        Presented::Current(proved) => hold(scene, judgement, proved),
        Presented::Grace(proved) => {
            let difference = scene.difference().unwrap_or(Difference::None);
            if difference != Difference::None {
                let reason = "replaced-cookie-from-elsewhere";
                judgement.raise(Finding::new(scene.sessions, RuleId::H02, reason));
            }
            hold(scene, judgement, proved);
        }
        Presented::Superseded => {
            unproven(scene, judgement);
            judgement.raise(Finding::new(scene.sessions, RuleId::H02, "replaced-cookie"));
        }
        Presented::Expired | Presented::Unknown => unproven(scene, judgement),
    }
}

fn hold(scene: &Scene<'_>, judgement: &mut Judgement, proved: u64) {
    judgement.proved = Some(proved);
    judgement.reach(scene, Binds::Dbsc);
}

/// The session is bound to its device, and the request does not show it.
fn unproven(scene: &Scene<'_>, judgement: &mut Judgement) {
    let (shown, sid) = (scene.shown, &scene.record.sid);
    let is_page = shown.fetch.purpose == Purpose::Page;
    // Requests that left before the browser was told of the binding are on their way.
    if scene.is_young() {
        return;
    }
    if shown.skipped.is_some() {
        judgement.refuse(Refusal::BindingSkipped);
    } else if is_page
        && scene
            .recent
            .sent_to_prove(sid, &shown.target, scene.now)
            .is_none()
    {
        judgement.settle(Outcome::Prove);
    } else {
        judgement.refuse(Refusal::BindingRequired);
    }
}

/// H08: the session was offered to be bound to its device, to a browser that can, and the time for it is
/// over.
fn never_registered(scene: &Scene<'_>, judgement: &mut Judgement) {
    let record = scene.record;
    let is_offered = record.client == Client::Browser
        && scene.sessions.bind.contains(&Binds::Dbsc)
        && record.binding.device.is_some();
    if !is_offered || record.binding.has_device() || scene.is_young() {
        return;
    }
    let (holder, sid) = (&record.holder, &record.sid);
    let counted = can_bind(&scene.shown.context)
        && scene.recent.is_often_unregistered(holder, sid, scene.now);
    if counted {
        judgement.raise(Finding::new(
            scene.sessions,
            RuleId::H08,
            "never-registered",
        ));
    }
}

fn can_bind(context: &Context) -> bool {
    context.family == "chrome"
        && context.platform == "windows"
        && context
            .version
            .is_some_and(|version| version >= BINDING_CHROME)
}

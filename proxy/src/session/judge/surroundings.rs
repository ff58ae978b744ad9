//! Where a request comes from, against where the session was used before: level 1, and H05a, H05b, H06, H07.
//!
//! What a rule only observes, or takes a session down for, is believed from then on: the next request from
//! there is as usual. What it refuses, demands a step-up or ends the session for is not.

use postern_config::sessions::{Binding as Binds, RuleAction, RuleId};

use super::finding::Finding;
use super::{Judgement, Scene};
use crate::session::context::Difference;

/// A request that was proven by itself: no rule asks where it comes from, and the session follows it.
pub(super) fn follow(scene: &Scene<'_>, judgement: &mut Judgement) {
    match scene.difference() {
        Some(Difference::None) => judgement.reach(scene, Binds::Context),
        None | Some(Difference::Network | Difference::Everything | Difference::Browser) => {}
    }
    remember(scene, judgement);
}

pub(super) fn judge(scene: &Scene<'_>, judgement: &mut Judgement) {
    let sid = &scene.record.sid;
    let rule = match scene.difference() {
        // A record from before bindings: it begins to be bound to where it is used.
        None => None,
        Some(Difference::None) => {
            judgement.reach(scene, Binds::Context);
            None
        }
        Some(Difference::Network) => Some((RuleId::H05a, "other-network")),
        Some(Difference::Everything) => Some((RuleId::H05b, "other-network-and-browser")),
        Some(Difference::Browser) => Some((RuleId::H07, "other-or-older-browser")),
    };
    let believed = match rule {
        None => true,
        Some((rule, reason)) => {
            changed(scene, judgement, Finding::new(scene.sessions, rule, reason))
        }
    };
    if believed {
        remember(scene, judgement);
    }
    if scene
        .recent
        .is_in_turns(sid, &scene.shown.context, scene.now)
    {
        judgement.raise(Finding::new(
            scene.sessions,
            RuleId::H06,
            "two-places-in-turns",
        ));
    }
}

/// Raises a finding about a change, and says whether the change is believed. A step-up that is demanded
/// already is not demanded again with every request.
fn changed(scene: &Scene<'_>, judgement: &mut Judgement, finding: Finding) -> bool {
    match finding.action {
        RuleAction::StepUp if scene.record.binding.must_step_up => false,
        RuleAction::Observe | RuleAction::Downgrade => {
            judgement.raise(finding);
            true
        }
        RuleAction::StepUp | RuleAction::Refuse | RuleAction::Revoke => {
            judgement.raise(finding);
            false
        }
    }
}

/// The session is used from here now, if that is anything new: a later version of the browser is.
fn remember(scene: &Scene<'_>, judgement: &mut Judgement) {
    let here = &scene.shown.context;
    if *here != scene.record.binding.last {
        judgement.learned.context = Some(here.clone());
    }
}

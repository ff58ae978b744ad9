//! One of every problem that there is, for tests that must not forget any.

use std::time::Duration;

use http::StatusCode;
use postern_config::quota::Unit;
use postern_filters::DenyReason;

use super::{Problem, QuotaRefusal, SessionProblem};
use crate::hygiene::Refusal;
use crate::identity::IdentityError;

/// Lists of samples by pattern, as one list. Without a pattern for each variant this does not compile, and each
/// pattern has a sample.
macro_rules! each {
    ($type:ty { $($pattern:pat => $samples:expr,)+ }) => {{
        let samples: Vec<$type> = [$(Vec::from($samples)),+].concat();
        for sample in &samples {
            match sample {
                $($pattern => {})+
            }
        }
        $(assert!(samples.iter().any(|sample| matches!(sample, $pattern)));)+
        samples
    }};
}

/// Every problem, with the status that it is sent with.
pub(crate) fn each_problem() -> Vec<(Problem, StatusCode)> {
    let problems = each!(Problem {
        Problem::Refusal(_) => mapped(each_refusal(), Problem::Refusal),
        Problem::RequestTimeout => [Problem::RequestTimeout],
        Problem::BodyTooLarge => [Problem::BodyTooLarge],
        Problem::Identity(_) => mapped(each_identity_error(), Problem::Identity),
        Problem::Denied(_) => mapped(each_reason(), Problem::Denied),
        Problem::WriteConflict => [Problem::WriteConflict],
        Problem::Session(_) => mapped(each_session_problem(), Problem::from),
        Problem::Overloaded => [Problem::Overloaded],
        Problem::Quota(_) => [used_up(false), used_up(true)],
        Problem::AuditUnavailable => [Problem::AuditUnavailable],
        Problem::ProofUnavailable => [Problem::ProofUnavailable],
        Problem::StoreUnavailable => [Problem::StoreUnavailable],
        Problem::UnreadableBody => [Problem::UnreadableBody],
        Problem::UpstreamUnavailable => [Problem::UpstreamUnavailable],
        Problem::UpstreamTimeout => [Problem::UpstreamTimeout],
    });
    mapped(problems, |problem| {
        let status = problem.face().status;
        (problem, status)
    })
}

fn mapped<T, U>(samples: Vec<T>, problem: impl Fn(T) -> U) -> Vec<U> {
    samples.into_iter().map(problem).collect()
}

fn each_refusal() -> Vec<Refusal> {
    each!(Refusal {
        Refusal::Ambiguous(_) => [Refusal::Ambiguous("two hosts")],
        Refusal::Misdirected => [Refusal::Misdirected],
        Refusal::Outdated => [Refusal::Outdated],
        Refusal::TargetTooLong => [Refusal::TargetTooLong],
        Refusal::HeadersTooLarge => [Refusal::HeadersTooLarge],
        Refusal::Version => [Refusal::Version],
        Refusal::Expectation => [Refusal::Expectation],
        Refusal::Method => [Refusal::Method],
    })
}

fn each_identity_error() -> Vec<IdentityError> {
    each!(IdentityError {
        IdentityError::Missing => [IdentityError::Missing],
        IdentityError::Invalid => [IdentityError::Invalid],
        IdentityError::Unavailable => [IdentityError::Unavailable],
    })
}

fn each_reason() -> Vec<DenyReason> {
    let (allow, labels) = (Vec::new(), Vec::new());
    each!(DenyReason {
        DenyReason::PolicyUnavailable => [DenyReason::PolicyUnavailable],
        DenyReason::RouteDenied => [DenyReason::RouteDenied],
        DenyReason::MethodNotAllowed { .. } => [DenyReason::MethodNotAllowed { allow }],
        DenyReason::NoRole => [DenyReason::NoRole],
        DenyReason::QueryNotAllowed => [DenyReason::QueryNotAllowed],
        DenyReason::QueryOnHiddenField => [DenyReason::QueryOnHiddenField],
        DenyReason::WriteOfHiddenField { .. } => [DenyReason::WriteOfHiddenField { labels }],
        DenyReason::UpgradeRefused => [DenyReason::UpgradeRefused],
        DenyReason::UnsupportedMediaType => [DenyReason::UnsupportedMediaType],
        DenyReason::NotAcceptable => [DenyReason::NotAcceptable],
    })
}

fn each_session_problem() -> Vec<SessionProblem> {
    each!(SessionProblem {
        SessionProblem::Missing => [SessionProblem::Missing],
        SessionProblem::Expired => [SessionProblem::Expired],
        SessionProblem::Revoked => [SessionProblem::Revoked],
        SessionProblem::BindingRequired => [SessionProblem::BindingRequired],
        SessionProblem::StepUpRequired => [SessionProblem::StepUpRequired],
        SessionProblem::Csrf => [SessionProblem::Csrf],
        SessionProblem::CaseGrantRequired => [SessionProblem::CaseGrantRequired],
        SessionProblem::Limit => [SessionProblem::Limit],
        SessionProblem::Unwritable => [SessionProblem::Unwritable],
        SessionProblem::UnreadableRecording => [SessionProblem::UnreadableRecording],
        SessionProblem::Unknown => [SessionProblem::Unknown],
        SessionProblem::StoreDown => [SessionProblem::StoreDown],
    })
}

fn used_up(step_up: bool) -> Problem {
    Problem::Quota(Box::new(QuotaRefusal {
        name: "subjects-a-day".to_owned(),
        unit: Unit::Subjects,
        limit: 200,
        left: 0,
        fits: true,
        window: Duration::from_secs(86_400),
        reset: Duration::from_secs(60),
        step_up,
    }))
}

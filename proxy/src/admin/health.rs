//! Whether the process lives, has started, and should be sent requests.

use std::fmt::Write;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;

use super::AdminState;

/// `/livez`: the process answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// `/startupz`: the first policy has loaded.
pub(super) async fn startupz(State(state): State<AdminState>) -> (StatusCode, String) {
    answer(&[policy(&state)], false)
}

/// `/readyz`: a policy is in force and the process is not stopping. `?verbose` lists the checks.
pub(super) async fn readyz(
    State(state): State<AdminState>,
    RawQuery(query): RawQuery,
) -> (StatusCode, String) {
    let verbose = query.is_some_and(|query| {
        query
            .split('&')
            .any(|pair| pair == "verbose" || pair.starts_with("verbose="))
    });
    answer(
        &[policy(&state), accepting(&state), last_reload(&state)],
        verbose,
    )
}

/// One thing that was looked at.
struct Check {
    name: &'static str,
    /// What is wrong; none when it is fine.
    wrong: Option<String>,
    /// Whether the process can serve all the same.
    tolerable: bool,
}

fn policy(state: &AdminState) -> Check {
    Check {
        name: "policy",
        wrong: (!state.store.is_loaded()).then(|| "none has been loaded yet".to_owned()),
        tolerable: false,
    }
}

fn accepting(state: &AdminState) -> Check {
    Check {
        name: "accepting",
        wrong: state
            .vitals
            .is_draining()
            .then(|| "the process is stopping".to_owned()),
        tolerable: false,
    }
}

/// A refused reload leaves a good policy in force: it is told, and does not make the process unready.
fn last_reload(state: &AdminState) -> Check {
    Check {
        name: "last-reload",
        wrong: state.store.status().last_error,
        tolerable: true,
    }
}

fn answer(checks: &[Check], verbose: bool) -> (StatusCode, String) {
    let ready = checks
        .iter()
        .all(|check| check.wrong.is_none() || check.tolerable);
    let mut text = String::new();
    if verbose {
        for check in checks {
            let line = match &check.wrong {
                None => writeln!(text, "[+] {} ok", check.name),
                Some(wrong) => writeln!(text, "[-] {} failed: {}", check.name, wrong.trim_end()),
            };
            // Writing to a string does not fail.
            debug_assert!(line.is_ok());
        }
    }
    if ready {
        text.push_str("ok\n");
        (StatusCode::OK, text)
    } else {
        text.push_str("not ready\n");
        (StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

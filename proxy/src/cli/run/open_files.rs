//! How many files the process may open, raised to what the server file's limits may need. Many systems
//! give a process 1024 at first and let it ask for more; each exchange takes two.

use postern_config::Server;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open beside connections: files, the admin listener's connections, the runtime's own.
const OTHERS: usize = 256;

/// Raises the limit as far as it is needed and allowed; says so when that is not far enough.
pub(super) fn raise(server: &Server) {
    let needed = needed(server);
    let before = getrlimit(Resource::Nofile);
    let Some(wanted) = raised(&before, needed) else {
        return;
    };
    let granted = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => wanted.current,
        Err(_refused) => before.current,
    };
    if let Some(granted) = granted.filter(|granted| *granted < needed) {
        tracing::warn!(
            granted,
            needed,
            "the process may open fewer files than `limits.connections`, `limits.exchanges` and \
             `upstream.pool` may need; raise its limit (`ulimit -Hn`, `LimitNOFILE=`)"
        );
    }
}

fn needed(server: &Server) -> u64 {
    let connections = [
        server.limits.connections,
        server.limits.exchanges,
        server.upstream.pool,
        OTHERS,
    ];
    let sum = connections.into_iter().fold(0, usize::saturating_add);
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// The limit to ask for; none when there is enough already. No bound is written as none.
fn raised(before: &Rlimit, needed: u64) -> Option<Rlimit> {
    let current = before.current.filter(|current| *current < needed)?;
    let allowed = before.maximum.unwrap_or(needed);
    Some(Rlimit {
        current: Some(needed.min(allowed).max(current)),
        maximum: before.maximum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(current: Option<u64>, maximum: Option<u64>) -> Rlimit {
        Rlimit { current, maximum }
    }

    #[test]
    fn asks_for_what_is_needed_as_far_as_it_is_allowed() {
        for (before, wanted) in [
            (limit(Some(1024), Some(4096)), Some(3000)),
            (limit(Some(1024), Some(2048)), Some(2048)),
            (limit(Some(1024), None), Some(3000)),
            (limit(Some(2999), Some(4096)), Some(3000)),
            (limit(Some(3000), Some(4096)), None),
            (limit(None, None), None),
        ] {
            let asked = raised(&before, 3000);
            assert_eq!(asked.and_then(|asked| asked.current), wanted);
            assert!(asked.is_none_or(|asked| asked.maximum == before.maximum));
        }
    }
}

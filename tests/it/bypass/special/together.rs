//! Many clients at once who may see different things.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::bypass::catalogue::Entry;
use crate::bypass::client::Sending;
use crate::bypass::exchange::{self, Run, Suite};
use crate::bypass::messages::{Fill, message};
use crate::bypass::scan::Views;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::wire;

use super::{Result, ensure};

/// B-235: agent and administrator ask for the same thing at the same time; each gets their own view,
/// and the upstream is asked once for each of them.
pub(super) async fn two_identities_at_once(suite: &Suite, entry: &Entry) -> Result {
    let stage = Arc::new(Stage::start(&Setting::policy("redact")).await);
    let run = Run {
        entry,
        variant: None,
        credential: None,
        body: None,
    };
    let host = stage.host();
    let agent = exchange::fill(suite, &run, &host);
    let admin = Fill {
        as_admin: true,
        ..exchange::fill(suite, &run, &host)
    };
    stage.upstream.play(exchange::script(&run, &agent));
    let clients = entry
        .parallel
        .as_ref()
        .map_or(100, |parallel| parallel.clients);
    let mut asking = JoinSet::new();
    for number in 0..clients {
        let is_admin = number % 2 == 1;
        let bytes = message(&entry.request.parts, if is_admin { &admin } else { &agent });
        let stage = Arc::clone(&stage);
        asking.spawn(async move {
            let sending = Sending {
                bytes,
                ..Sending::default()
            };
            (is_admin, stage.send(&sending, false).await)
        });
    }
    for (is_admin, capture) in asking.join_all().await {
        let answer = wire::read(&capture.bytes, "GET", true)?;
        ensure(
            answer.status() == 200,
            format!("status {}", answer.status()),
        )?;
        let views = Views::of(&capture.bytes, &answer.body);
        for canary in &entry.must_not_contain {
            let seen = views.find(canary).is_some();
            ensure(
                seen == is_admin,
                format!("administrator {is_admin}, canary seen {seen}"),
            )?;
        }
    }
    let asked = stage.upstream.seen().requests.len();
    ensure(
        asked == clients,
        format!("{clients} clients, {asked} upstream requests"),
    )?;
    stage.still_serves(&suite.tokens).await?;
    Ok("redacted")
}

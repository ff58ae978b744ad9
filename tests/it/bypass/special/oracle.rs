//! Questions that are no single exchange: a search asked in four places, and the time an answer takes.

use std::time::Duration;

use postern_proxy::clock::{Clock as _, SystemClock};

use crate::bypass::bodies;
use crate::bypass::catalogue::Entry;
use crate::bypass::client::Sending;
use crate::bypass::exchange::Suite;
use crate::bypass::scan::Views;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::upstream::Script;
use crate::bypass::wire::{self, Answer};

use super::{Result, ensure};

/// How many answers of each kind are timed; `POSTERN_SAMPLES` says otherwise.
const SAMPLES: usize = 400;
/// The difference of two medians that the entry allows.
const ALLOWED: Duration = Duration::from_micros(50);

/// B-210: a search by a hidden field, in the body, in a header field, in a cookie and in a cursor.
///
/// The body and the cursor are refused. The header field and the cookie never go up, so that they ask
/// nothing; a search that carries one is refused like every posted search, and a list that carries one is
/// answered as if it were not there.
pub(super) async fn a_search_in_other_places(suite: &Suite, entry: &Entry) -> Result {
    let mut stage = Stage::start(&Setting::policy("oracle")).await;
    stage.upstream.play(Script {
        bytes: bodies::json(r#"[{"id":1,"subject":"hit"}]"#),
        ..Script::default()
    });
    let filter = r#"{"$or":[{"customer.ssn":{"$regex":"^9"}}]}"#;
    let search = "POST /api/cases/search";
    for variant in &entry.variants {
        let (line, field, body) = match variant.split_once([' ', '=']) {
            None => (search.to_owned(), String::new(), filter),
            Some(("header", field)) => (search.to_owned(), format!("{field}\r\n"), "{}"),
            Some(("cookie", pair)) => (search.to_owned(), format!("Cookie: {pair}\r\n"), "{}"),
            Some((name, value)) => (format!("GET /api/cases?{name}={value}"), String::new(), ""),
        };
        let answer = ask(suite, &stage, &line, &field, body).await?;
        ensure(
            [400, 403].contains(&answer.status()) && answer.problem().is_some(),
            format!("{variant}: status {}", answer.status()),
        )?;
        let seen = stage.upstream.seen().requests.len();
        ensure(seen == 0, format!("{variant}: the upstream was asked"))?;
    }
    for field in ["X-Filter: ssn=9\r\n", "Cookie: filter=ssn:9\r\n"] {
        ask(suite, &stage, "GET /api/cases", field, "").await?;
        let seen = stage.upstream.seen().requests.concat();
        let seen = String::from_utf8_lossy(&seen).to_lowercase();
        ensure(
            !seen.is_empty() && !seen.contains("filter"),
            format!("{field:?} went up"),
        )?;
    }
    stage.still_serves(&suite.tokens).await?;
    stage.stopped().await?;
    Ok("blocked")
}

/// B-225: the median time of answers with the hidden field and without it.
///
/// Both kinds are asked in turn, so that whatever else the machine does meets both alike. The entry allows
/// a difference of 50 microseconds; one that is larger counts when it is also more than four times the
/// error with which the medians can be told at all.
pub(super) async fn takes_as_long_without_the_field(suite: &Suite, entry: &Entry) -> Result {
    let mut stage = Stage::start(&Setting::policy("redact")).await;
    let customer = r#""customer":{"name":"Ann","email":"zq7.victim@leak.example"}"#;
    let with = format!(r#"{{"id":1,"subject":"Login problem","ssn":"912-04-7731",{customer}}}"#);
    let without = format!(r#"{{"id":1,"subject":"Login problem",{customer}}}"#);
    let samples = std::env::var("POSTERN_SAMPLES").map_or(SAMPLES, |text| {
        text.parse().expect("POSTERN_SAMPLES is a number")
    });
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for round in 0..samples {
        // The order changes too: the second of a pair could profit from the first.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for kind in order {
            let body = if kind == 0 { &with } else { &without };
            stage.upstream.play(Script {
                bytes: bodies::json(body),
                ..Script::default()
            });
            let line = format!("GET /api/cases/{}", kind + 1);
            let sent = SystemClock.monotonic();
            let answer = ask(suite, &stage, &line, "", "").await?;
            times[kind].push(sent.elapsed().as_secs_f64());
            ensure(
                answer.status() == 200,
                format!("status {}", answer.status()),
            )?;
            let hidden = &entry.must_not_contain[0];
            let seen = Views::of(&answer.body, &answer.body).find(hidden).is_some();
            ensure(!seen, "the field was seen")?;
        }
    }
    let difference = (median(&mut times[0]) - median(&mut times[1])).abs();
    let error = (spread(&mut times[0]).powi(2) + spread(&mut times[1]).powi(2)).sqrt();
    println!(
        "B-225: {samples} answers of each kind, medians {:.1} and {:.1} microseconds, difference {:.1}, error {:.1}",
        1e6 * median(&mut times[0]),
        1e6 * median(&mut times[1]),
        1e6 * difference,
        1e6 * error,
    );
    ensure(
        difference < ALLOWED.as_secs_f64() || difference < 4.0 * error,
        format!("the medians differ by {:.1} microseconds", 1e6 * difference),
    )?;
    stage.stopped().await?;
    Ok("delivered")
}

async fn ask(
    suite: &Suite,
    stage: &Stage,
    line: &str,
    field: &str,
    body: &str,
) -> std::result::Result<Answer, String> {
    let (host, token) = (stage.host(), suite.tokens.good("agent"));
    let head = format!("{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n");
    let kind = match body.is_empty() {
        true => String::new(),
        false => format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        ),
    };
    let bytes = format!("{head}{kind}{field}Connection: close\r\n\r\n{body}").into_bytes();
    let sending = Sending {
        bytes,
        expects_close: true,
        ..Sending::default()
    };
    let method = sending.method();
    let capture = stage.send(&sending, false).await;
    wire::read(&capture.bytes, &method, true)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The standard error of a median, from the quartiles: 0.93 of their distance over the root of the count.
fn spread(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let quarter = times.len() / 4;
    let count = u32::try_from(times.len()).expect("few samples");
    0.93 * (times[3 * quarter] - times[quarter]) / f64::from(count).sqrt()
}

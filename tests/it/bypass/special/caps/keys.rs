//! Whose cap it is: the verified issuer and subject say so, in whatever spelling, and nothing else does.

use serde_json::{Value, json};

use crate::bypass::also::CAP;
use crate::bypass::catalogue::Entry;
use crate::bypass::exchange::Suite;
use crate::bypass::stage::{Setting, Stage};

use super::{
    Result, answer_of, ask, ask_times, charged, ensure, nearly_all, request, used, used_by, within,
};

/// The entry names a thousand values; a bucket for each of these would show as well.
const VALUES: u32 = 100;

/// Another spelling of `plain`, or other claims beside it, for one of the entry's variants.
fn alias(variant: &str, plain: &str) -> std::result::Result<(String, Value), String> {
    let same = plain.to_owned();
    Ok(match variant {
        "case" => (plain.to_uppercase(), json!({})),
        "plus-tag" => (plain.replacen('@', "+export@", 1), json!({})),
        "trailing-dot" => (format!("{plain}."), json!({})),
        "unicode-nfkc" => (plain.replacen("anna", "\u{ff41}nn\u{ff41}", 1), json!({})),
        "token-refresh" => (same, json!({ "jti": "second", "auth_time": 1 })),
        "second-device" => (same, json!({ "sid": "telephone", "azp": "app" })),
        "impersonation" => (same, json!({ "act": { "sub": "boss" } })),
        "service-account" => (same, json!({ "client_id": "batch", "azp": "batch" })),
        other => return Err(format!("no alias {other}")),
    })
}

/// B-350: two credentials of one account use up one cap.
pub(super) async fn aliases(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("cap")).await;
    stage.upstream.play(answer_of(10));
    for variant in &entry.variants {
        let plain = format!("anna-{variant}@desk.example");
        let (other, claims) = alias(variant, &plain)?;
        let first = suite.tokens.of(&plain, &json!({}));
        let second = suite.tokens.of(&other, &claims);
        ensure(
            first != second,
            format!("{variant}: one credential, not two"),
        )?;
        let [first, second] =
            [first, second].map(|token| request(suite, &stage, entry, (Some(variant), &token)));
        let own = ask_times(&stage, &first, 6).await?;
        ensure(own == 60, format!("{variant}: {own} of 60 were delivered"))?;
        let sum = own + ask_times(&stage, &second, 10).await?;
        let sum = sum + ask_times(&stage, &first, 2).await?;
        within(variant, sum, CAP, used_by(&stage, &plain).await?)?;
        let refused = ask(&stage, &second).await?;
        ensure(refused.is_capped(), format!("{variant}: {refused:?}"))?;
    }
    let stranger = suite.tokens.of("hannah@desk.example", &json!({}));
    let stranger = request(suite, &stage, entry, (Some("case"), &stranger));
    let own = ask_times(&stage, &stranger, 10).await?;
    nearly_all("a stranger", own)?;
    Ok("capped")
}

/// B-427, with a tenth of its values: one bucket, whatever header fields and body say.
pub(super) async fn what_a_client_says(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("cap")).await;
    stage.upstream.play(answer_of(10));
    let token = suite.tokens.of("searcher", &json!({}));
    let mut sum = 0;
    for number in 0..VALUES {
        // Five characters, as the entry's Content-Length says.
        let value = format!("{:05x}", number.wrapping_mul(0x9_e377) & 0xf_ffff);
        let sending = request(suite, &stage, entry, (Some(&value), &token));
        let told = ask(&stage, &sending).await?;
        sum += told.served_or_capped()?;
        ensure(
            number < 10 || told.is_capped(),
            format!("request {number} after ten that use up the cap: {told:?}"),
        )?;
    }
    within("all values", sum, CAP, charged(&stage).await)?;
    let counts = used(&stage, None).await?;
    ensure(
        counts.len() == 1,
        format!("{} buckets for one identity", counts.len()),
    )?;
    stage.still_serves(&suite.tokens).await?;
    Ok("capped")
}

//! Sessions over more than one exchange: what is chosen for somebody, taken from somebody, or has ended opens nothing.

use crate::bypass::catalogue::Entry;
use crate::bypass::exchange::{self, Run, Suite};
use crate::bypass::messages::{Fill, find};
use crate::bypass::observed::Observed;
use crate::bypass::scan::Views;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::tokens::proofs::{For, KeyHolder};
use crate::bypass::upstream::Script;
use crate::bypass::visitors::{self, Handles};

use super::proofs::{now, target};
use super::{Result, ensure};

/// The browser of somebody whose cookies are copied.
const BROWSER: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/146.0.0.0\r\nSec-Fetch-Site: same-origin\r\n";

/// Runs one entry.
pub(super) async fn run(suite: &Suite, entry: &Entry) -> Result {
    match entry.id.as_str() {
        "B-314" => two_identities(suite, entry).await,
        "B-318" => fixation(suite, entry).await,
        "B-319" => copied(suite, entry).await,
        "B-320" => told_in_a_body(suite, entry).await,
        "B-325" => cookies_of_our_name(suite, entry).await,
        "B-327" => ended(suite, entry).await,
        other => Err(format!("{other} has no driver")),
    }
}

/// Sends the entry's request with these handles, and judges it.
async fn judged(
    suite: &Suite,
    stage: &Stage,
    entry: &Entry,
    handles: Option<&Handles>,
    change: impl FnOnce(Script) -> Script,
) -> (Observed, Result) {
    let run = Run {
        entry,
        variant: None,
        credential: None,
        body: None,
    };
    let host = stage.host();
    let fill = Fill {
        handles,
        ..exchange::fill(suite, &run, &host)
    };
    let script = change(exchange::script(&run, &fill));
    exchange::judged(suite, stage, &stage.policy, (&run, &fill), script).await
}

/// The status of a request for a case with nothing but a handle.
async fn status_with(stage: &Stage, handle: &str) -> std::result::Result<u16, String> {
    let answer = visitors::ask_for_a_case(stage, &visitors::cookie(handle)).await?;
    Ok(answer.status())
}

/// B-314: an agent's token beside an administrator's handle: the agent sees what an agent may, and nothing of the
/// administrator's session goes up.
async fn two_identities(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("session_jwt")).await;
    let handles = Handles::of_entry(suite, &stage, entry).await?;
    let (observed, outcome) = judged(suite, &stage, entry, handles.as_ref(), |script| script).await;
    let outcome = outcome?;
    ensure(
        observed.upstream_field("cookie").is_empty(),
        "the administrator's session went up with the agent's request",
    )?;
    visitors::all_are_still_in(suite, &stage).await?;
    visitors::are_secret(suite, &stage).await?;
    Ok(outcome)
}

/// B-318: whatever handle somebody brings to a login, it is another one afterwards, and the one that was brought is
/// worth nothing: a word, the handle of a session of nobody, and that of a session of somebody else.
async fn fixation(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("session")).await;
    let no_login = Script {
        bytes: crate::bypass::bodies::json(r#"{"form":"login"}"#),
        ..Script::default()
    };
    stage.upstream.play(no_login);
    let page = visitors::ask(&stage, "GET /login/callback", "").await?;
    let nobodys = visitors::handle_in(&page).ok_or("a page of the login gave no handle")?;
    let attackers = visitors::sign_in(&stage, &suite.tokens, "admin", "").await?;
    for chosen in ["attackerchosen", &nobodys, &attackers] {
        let mut entry = entry.clone();
        for part in &mut entry.request.parts {
            part.data = part.data.replace("attackerchosen", chosen);
        }
        entry.must_not_contain = vec![chosen.to_owned()];
        let handles = Some(Handles::default());
        let named = |script: Script| script.named("agent");
        let (observed, outcome) = judged(suite, &stage, &entry, handles.as_ref(), named).await;
        outcome?;
        let new = visitors::handle_in(&observed.answer).ok_or("a login gave no handle")?;
        ensure(new != chosen, "a login kept the handle that was chosen")?;
        stage.visitors.note(&new);
        let statuses = (
            status_with(&stage, chosen).await?,
            status_with(&stage, &new).await?,
        );
        ensure(
            statuses == (401, 200),
            format!("the chosen handle and the new one got {statuses:?}"),
        )?;
    }
    visitors::are_secret(suite, &stage).await?;
    Ok("normalised")
}

/// B-319: a cookie that was copied: without the key that the session is bound to, with another key, and by another
/// browser where surroundings bind. What the policy does to the session then is done.
async fn copied(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("bound")).await;
    let target = target(&stage);
    for has_key in [false, true] {
        let (holder, thief) = (KeyHolder::new(), KeyHolder::new());
        let handle = visitors::sign_in(&stage, &suite.tokens, "agent", "").await?;
        let of = For {
            target: &target,
            handle: &handle,
            now: now(),
        };
        let own = |holder: &KeyHolder| {
            format!(
                "{}DPoP: {}\r\n",
                visitors::cookie(&handle),
                holder.proof(of)
            )
        };
        for time in ["first", "second"] {
            let status = visitors::ask_for_a_case(&stage, &own(&holder))
                .await?
                .status();
            ensure(
                status == 200,
                format!("the holder's {time} proof got {status}"),
            )?;
        }
        let mut entry = entry.clone();
        if has_key {
            let proof = format!("\r\nDPoP: {}\r\n\r\n", thief.proof(of));
            entry.request.parts[0].data = entry.request.parts[0].data.replace("\r\n\r\n", &proof);
        }
        let handles = Handles::one("agent", &handle);
        let (_, outcome) = judged(suite, &stage, &entry, Some(&handles), |script| script).await;
        outcome?;
        let answer = visitors::ask_for_a_case(&stage, &own(&holder)).await?;
        let problem = answer.problem().unwrap_or_default();
        ensure(
            problem == "session-revoked",
            format!(
                "the session that was in two hands: {} {problem}",
                answer.status()
            ),
        )?;
    }
    finding(&stage, "H01").await?;
    visitors::are_secret(suite, &stage).await?;
    by_another_browser(suite, entry).await
}

async fn by_another_browser(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("session")).await;
    let handle = visitors::sign_in(&stage, &suite.tokens, "agent", BROWSER).await?;
    let own = format!("{}{BROWSER}", visitors::cookie(&handle));
    let status = visitors::ask_for_a_case(&stage, &own).await?.status();
    ensure(status == 200, format!("the browser itself got {status}"))?;
    let handles = Handles::one("agent", &handle);
    let (_, outcome) = judged(suite, &stage, entry, Some(&handles), |script| script).await;
    let outcome = outcome?;
    finding(&stage, "H07").await?;
    visitors::are_secret(suite, &stage).await?;
    Ok(outcome)
}

/// Operators were told.
async fn finding(stage: &Stage, rule: &str) -> std::result::Result<(), String> {
    let metrics = String::from_utf8_lossy(&stage.metrics().await).into_owned();
    let mut told = metrics
        .lines()
        .filter(|line| line.contains(&format!("rule=\"{rule}\"")));
    ensure(
        told.any(|line| !line.ends_with(" 0")),
        format!("{rule} was not found"),
    )
}

/// B-320: the application tells its session in an answer, under names and in a link. It leaves for nobody, whatever
/// labels let them see: neither where the vault has had it for a while, nor in the very answer that brings it.
async fn told_in_a_body(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("session_jwt")).await;
    for who in ["agent", "admin"] {
        let mut asked = entry.clone();
        let head = &mut asked.request.parts[0].data;
        *head = head.replace("{{TOKEN:agent}}", &format!("{{{{TOKEN:{who}}}}}"));
        let mut bringing = asked.clone();
        let head = &mut bringing.upstream_response.parts[0].data;
        let set = format!("\r\nSet-Cookie: sid={}; Path=/", visitors::APPLICATIONS);
        *head = head.replace("\r\nContent-Length", &format!("{set}\r\nContent-Length"));
        let head = &mut asked.request.parts[0].data;
        *head = head.replace("\r\n\r\n", "\r\nCookie: __Host-sid={{SESSION:own}}\r\n\r\n");
        let handle = visitors::sign_in(&stage, &suite.tokens, who, "").await?;
        let handles = Handles::one("own", &handle);
        for entry in [&asked, &bringing] {
            let (_, outcome) = judged(suite, &stage, entry, Some(&handles), |script| script).await;
            outcome.map_err(|reason| format!("{who}: {reason}"))?;
        }
    }
    visitors::are_secret(suite, &stage).await?;
    Ok("redacted")
}

/// B-325: the application sets cookies of the names that we use. The client never has them; what an honest
/// application may set goes into the jar, and back to the application. (The entry's other cookie is kept each time:
/// the name that its `Domain` gives the application is its own affair.)
async fn cookies_of_our_name(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("session_jwt")).await;
    let ours = Some(Handles::default());
    let token = format!("Authorization: Bearer {}\r\n", suite.tokens.good("agent"));
    // As it is written, and with the name that our cookie really has; and so that a jar may keep it.
    for (handles, attribute, kept) in [
        (None, "", true),
        (ours.as_ref(), "", false),
        (ours.as_ref(), "; HttpOnly", true),
    ] {
        let mut entry = entry.clone();
        for part in &mut entry.upstream_response.parts {
            part.data = part
                .data
                .replace("; Secure\r\n", &format!("; Secure{attribute}\r\n"));
        }
        let (observed, outcome) = judged(suite, &stage, &entry, handles, |script| script).await;
        outcome?;
        let Some(handle) = visitors::handle_in(&observed.answer) else {
            ensure(!kept, "nothing was kept")?;
            continue;
        };
        stage.visitors.note(&handle);
        let fields = format!("{}{token}", visitors::cookie(&handle));
        let answer = visitors::ask_for_a_case(&stage, &fields).await?;
        let up = stage.upstream.seen().requests.concat();
        let mut names = [&b"__Host-sid=evil"[..], b"__Host-Http-pn=evil"].into_iter();
        let is_back = names.any(|name| find(&up, name).is_some());
        ensure(
            answer.status() == 200 && is_back == kept,
            format!(
                "with the handle: {}, the cookie went back: {is_back}",
                answer.status()
            ),
        )?;
        ensure(find(&up, handle.as_bytes()).is_none(), "the handle went up")?;
    }
    visitors::are_secret(suite, &stage).await?;
    Ok("redacted")
}

/// B-327: a session does not outlive a logout, the end of the application's own, or the role that was taken away.
async fn ended(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("session")).await;
    let handles = Handles::of_entry(suite, &stage, entry).await?;
    let (_, outcome) = judged(suite, &stage, entry, handles.as_ref(), |script| script).await;
    let outcome = outcome?;
    // The application has ended its own session, as it does when a password is reset.
    let handle = visitors::sign_in(&stage, &suite.tokens, "agent", "").await?;
    stage.upstream.play(Script {
        bytes: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_vec(),
        ..Script::default()
    });
    let cookie = visitors::cookie(&handle);
    let gone = visitors::ask(&stage, "GET /api/cases/1", &cookie).await?;
    ensure(
        gone.status() == 401,
        format!("it was told {}", gone.status()),
    )?;
    let handles = Handles::one("loggedout", &handle);
    let (_, after) = judged(suite, &stage, entry, Some(&handles), |script| script).await;
    after?;
    demoted(suite, &stage, entry).await?;
    visitors::are_secret(suite, &stage).await?;
    Ok(outcome)
}

/// Whoever is no administrator any more sees what they may see now, in the session that they have.
async fn demoted(suite: &Suite, stage: &Stage, entry: &Entry) -> std::result::Result<(), String> {
    let handle = visitors::sign_in(stage, &suite.tokens, "admin", "").await?;
    let cookie = visitors::cookie(&handle);
    let before = visitors::ask_for_a_case(stage, &cookie).await?;
    let sees = |body: &[u8]| {
        let views = Views::of(body, body);
        let mut canaries = entry.must_not_contain.iter();
        canaries.any(|canary| views.find(canary).is_some())
    };
    ensure(
        sees(&before.body),
        "an administrator does not see the canary",
    )?;
    let policy = stage.folder.path().join("policy.yaml");
    let policy = std::fs::read_to_string(policy).map_err(|error| error.to_string())?;
    let changed = policy.replace("admin: admin", "admin: agent");
    ensure(changed != policy, "the policy gives nobody a role by name")?;
    let reloaded = stage.reload(&changed).await;
    ensure(
        reloaded.bytes.starts_with(b"HTTP/1.1 200 "),
        "the policy did not load",
    )?;
    let after = visitors::ask_for_a_case(stage, &cookie).await?;
    ensure(
        matches!(after.status(), 200 | 401 | 403) && !sees(&after.body),
        format!(
            "a role that was taken away still shows all: {}",
            after.status()
        ),
    )
}

//! Two support desks that nobody here wrote, worked in as an agent, by a program and in Chromium: what the desk's
//! session is does not leave Postern, and nothing that a client holds opens the desk.
//!
//! `cargo test --test it -- applications --nocapture` prints the figures; pictures are under `target/desks/pictures`.

mod agent;
mod bound;
mod browsing;
mod desk;
mod forms;
mod messages;
mod presented;
mod relay;
mod secrets;
mod site;
mod starter;
mod tokens;
mod webdriver;
mod work;

use desk::Desk;
use relay::{Connection, Onward, Relay};
use secrets::{Kind, Secrets, leaks, said_to_clients};
use site::Site;
use webdriver::Browser;

use crate::postern::Setting;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helpdesk_keeps_its_session_behind_postern() {
    if let Some(site) = Site::of(Desk::Helpdesk).await {
        without_postern(&site).await;
        behind_postern(&site).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roundup_keeps_its_session_behind_postern() {
    if let Some(site) = Site::of(Desk::Roundup).await {
        without_postern(&site).await;
        behind_postern(&site).await;
    }
}

/// Works in a desk that nothing stands in front of: what the checks look for is found there.
async fn without_postern(site: &Site) {
    let behind = Relay::plain(site.application.address()).await;
    site.door.front.lead_to(Onward::Plain(behind.address()));
    let mut agent = site.door.agent();
    work::mistype(site.desk, &mut agent).await;
    work::log_in(site.desk, &mut agent).await;
    work::work(site.desk, &mut agent).await;
    let secrets = secrets_of(&behind.kept());
    let told = site.door.front.kept();
    let found = leaks(&secrets, &told);
    for kind in [Kind::Cookie, Kind::Csrf] {
        let kind = format!("{kind:?}");
        let any = found.iter().any(|one| one.starts_with(&kind));
        assert!(any, "the search finds no {kind}: {found:?}");
    }
    let held = said_to_clients(&told);
    assert!(
        !accepted(site, &held).await.is_empty(),
        "the desk does not take what it gave"
    );
    work::log_out(site.desk, &mut agent).await;
    assert_eq!(
        accepted(site, &held).await,
        Vec::<String>::new(),
        "after logging out"
    );
    println!(
        "{}, without Postern: {} secrets leave, {} ways",
        site.desk.name(),
        secrets.len(),
        found.len()
    );
    site.door.front.forget();
}

/// Works in a desk behind Postern, by program and in Chromium.
async fn behind_postern(site: &Site) {
    let behind = Relay::plain(site.application.address()).await;
    let setting = Setting {
        patience: "60s",
        ..Setting::default()
    };
    let policy = site.desk.policy(&site.door.origin());
    let _stage = site.door.guard(policy, &behind, setting).await;
    let mut agent = site.door.agent();
    work::mistype(site.desk, &mut agent).await;
    work::log_in(site.desk, &mut agent).await;
    work::work(site.desk, &mut agent).await;
    if site.desk == Desk::Helpdesk {
        tokens::are_usable_and_never_seen(&mut agent, &behind).await;
    }
    nothing_left(site, &behind, "by program").await;
    work::log_out(site.desk, &mut agent).await;
    work::is_out(site.desk, &mut agent).await;

    if let Some(browser) = Browser::start(&site.door.trusted(), &[]).await {
        browsing::log_in(site.desk, &browser, &site.door.origin()).await;
        browsing::work(site.desk, &browser, &site.door.origin()).await;
        nothing_left(site, &behind, "in Chromium").await;
    }
}

/// Nothing that the desk gave is in what clients were told, and nothing that they were told opens the desk.
async fn nothing_left(site: &Site, behind: &Relay, how: &str) {
    let (given, told) = (behind.kept(), site.door.front.kept());
    let secrets = secrets_of(&given);
    let mut cookies = secrets.clone();
    cookies.retain(|_, (kind, _)| *kind == Kind::Cookie);
    assert!(
        !accepted(site, &cookies).await.is_empty(),
        "the desk's own session does not open it"
    );
    assert_eq!(
        leaks(&secrets, &told),
        std::collections::BTreeSet::new(),
        "{how}"
    );
    let held = said_to_clients(&told);
    for ours in ["pnh_", "pnp_"] {
        let any = held.keys().any(|value| value.starts_with(ours));
        assert!(any, "clients hold no {ours}");
    }
    assert_eq!(accepted(site, &held).await, Vec::<String>::new(), "{how}");
    for ours in ["pnh_", "pnp_"] {
        let reached = given.iter().any(|one| holds(&one.up, ours));
        assert!(!reached, "{ours} went up to the desk");
    }
    let bytes: usize = told.iter().map(|one| one.down.len()).sum();
    println!(
        "{}, {how}: {} secrets of the desk, 0 in {bytes} bytes to clients; {} values held, 0 open the desk",
        site.desk.name(),
        secrets.len(),
        held.len()
    );
}

/// What the desk has given that must stay: its cookies and what its forms send back are there at least.
fn secrets_of(given: &[Connection]) -> Secrets {
    let mut secrets = said_to_clients(given);
    secrets.retain(|_, (kind, _)| *kind != Kind::Held);
    for wanted in [Kind::Cookie, Kind::Csrf] {
        let said = secrets.values().any(|(kind, _)| *kind == wanted);
        assert!(said, "the desk gave no {wanted:?}");
    }
    secrets
}

async fn accepted(site: &Site, held: &Secrets) -> Vec<String> {
    presented::accepted(site.desk, site.application.address(), held).await
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

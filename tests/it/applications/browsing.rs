//! An agent's day in Chromium: the same as in `work`, by clicking and typing.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::desk::Desk;
use super::webdriver::Browser;
use super::work::{FILE, NOTE};

/// Logs in.
pub(super) async fn log_in(desk: Desk, browser: &Browser, origin: &str) {
    let places = desk.places();
    let (page, _, [user, password]) = places.login;
    browser.open(&format!("{origin}{page}")).await;
    browser.type_into(&named("input", user), "agent").await;
    browser
        .type_into(&named("input", password), "agentpw")
        .await;
    browser.click(places.login_button).await;
    browser.wait_for_text(places.inside).await;
}

/// Lists, opens, comments with a file and exports. Pictures of the pages are kept.
pub(super) async fn work(desk: Desk, browser: &Browser, origin: &str) {
    let places = desk.places();
    let (list, _, listed) = places.list;
    browser.open(&format!("{origin}{list}")).await;
    browser.wait_for(listed).await;
    browser.picture(&picture(desk, "list")).await;

    let (ticket, _) = places.ticket;
    let [note, file] = places.comment;
    let attached = tempfile::tempdir().unwrap();
    let attached = attached.path().join(FILE);
    std::fs::write(&attached, "what the customer sent").unwrap();
    browser.open(&format!("{origin}{ticket}")).await;
    if let Some(tab) = places.comment_tab {
        browser.click(tab).await;
    }
    browser
        .type_into(&named("textarea", note), &format!("{NOTE} By browser."))
        .await;
    browser
        .type_into(&named("input", file), attached.to_str().unwrap())
        .await;
    browser.click(places.comment_button).await;
    let page = browser.wait_for_text(&format!("{NOTE} By browser.")).await;
    assert!(page.contains(FILE), "the file is not there");
    browser.picture(&picture(desk, "ticket")).await;

    let rows = export(desk, browser, &page).await;
    assert_eq!(rows["status"], 200, "{rows}");
    let lines = rows["text"].as_str().unwrap().lines().count();
    assert!(lines > 20, "{lines} rows");
}

/// Asks for the export as a script of the page does.
async fn export(desk: Desk, browser: &Browser, page: &str) -> Value {
    let (target, body, kind) = match desk.export(page) {
        (target, None) => (target.to_owned(), Value::Null, String::new()),
        (_, Some(form)) => {
            let (kind, body) = form.encoded();
            (form.action, json!(String::from_utf8(body).unwrap()), kind)
        }
    };
    let asked = match body.is_null() {
        true => json!({}),
        false => json!({ "method": "POST", "body": body, "headers": { "Content-Type": kind } }),
    };
    fetch(browser, &target, &asked).await
}

/// What a script of the page is answered: `status` and `text`, or why it is not.
pub(super) async fn fetch(browser: &Browser, target: &str, asked: &Value) -> Value {
    let target = json!(target);
    let script = format!(
        "fetch({target}, {asked}).then(\
         async answer => done({{ status: answer.status, text: await answer.text() }}), \
         error => done({{ failed: String(error) }}));"
    );
    browser.run(&script).await
}

fn named(element: &str, name: &str) -> String {
    format!("{element}[name=\"{name}\"]")
}

fn picture(desk: Desk, of: &str) -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    repository
        .join("target/desks/pictures")
        .join(format!("{}-{of}.png", desk.name()))
}

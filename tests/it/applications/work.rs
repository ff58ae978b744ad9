//! An agent's day: log in, list, open, comment, attach, export, log out. Each step says what it expects.

use super::agent::Agent;
use super::desk::Desk;
use super::forms::Form;
use super::messages::Message;

/// What the agent writes.
pub(super) const NOTE: &str = "Called back, and sent the form once more.";
/// The name of the file that goes with it.
pub(super) const FILE: &str = "evidence.txt";

/// Logs in, and opens what the desk leads to.
pub(super) async fn log_in(desk: Desk, agent: &mut Agent) -> Message {
    let (page, form, [user, password]) = desk.places().login;
    let answer = expected(agent.open(page).await, page, form);
    let form = Form::with(&answer.text(), form).unwrap();
    let form = form.set(user, "agent").set(password, "agentpw");
    let answer = agent.submit(page, &form).await;
    expected(answer, "after the login", desk.places().inside)
}

/// A password that is wrong lets nobody in.
pub(super) async fn mistype(desk: Desk, agent: &mut Agent) {
    let (page, form, [user, password]) = desk.places().login;
    let answer = expected(agent.open(page).await, page, form);
    let wrong = Form::with(&answer.text(), form).unwrap();
    let wrong = wrong.set(user, "agent").set(password, "wrong");
    expected(agent.submit(page, &wrong).await, "a wrong password", form);
    is_out(desk, agent).await;
}

/// Lists, opens, comments with a file, reads a record and exports.
pub(super) async fn work(desk: Desk, agent: &mut Agent) {
    let places = desk.places();
    let (list, listed, _) = places.list;
    expected(agent.get(list).await, list, listed);
    let (ticket, form) = places.ticket;
    let page = expected(agent.get(ticket).await, ticket, form);
    let form = Form::with(&page.text(), form).unwrap();
    let [note, file] = places.comment;
    let form = form
        .set(note, NOTE)
        .attach(file, FILE, b"what the customer sent");
    let page = agent.submit(ticket, &form).await;
    let page = expected(page, "after the comment", NOTE);
    assert!(page.text().contains(FILE), "the file is not there");
    let (record, says) = places.record;
    expected(agent.get(record).await, record, says);
    let answer = export(desk, agent, &page).await;
    let rows = expected(answer, "the export", "title")
        .text()
        .lines()
        .count();
    assert!(rows > 20, "{rows} rows");
}

/// Asks for the export, with a page of the desk to take its form from.
pub(super) async fn export(desk: Desk, agent: &mut Agent, page: &Message) -> Message {
    match desk.export(&page.text()) {
        (target, None) => agent.get(target).await,
        (from, Some(form)) => agent.post(from, &form).await,
    }
}

/// Logs out.
pub(super) async fn log_out(desk: Desk, agent: &mut Agent) {
    let (list, ..) = desk.places().list;
    let page = agent.get(list).await;
    let answer = match desk.logout(&page.text()) {
        (target, None) => agent.get(target).await,
        (from, Some(form)) => agent.post(from, &form).await,
    };
    assert!((200..400).contains(&answer.status()), "{}", shown(&answer));
}

/// Whoever has logged out, or whose session is over, does not get at the list.
pub(super) async fn is_out(desk: Desk, agent: &mut Agent) {
    let answer = agent.open(desk.places().list.0).await;
    assert!(!desk.let_in(&answer), "still inside: {}", shown(&answer));
}

/// The answer, if it is a good one that says this.
pub(super) fn expected(answer: Message, what: &str, says: &str) -> Message {
    let good = answer.status() == 200 && answer.text().contains(says);
    assert!(good, "{what} does not say `{says}`: {}", shown(&answer));
    answer
}

/// The status, the names of the fields and the beginning of the body.
pub(super) fn shown(answer: &Message) -> String {
    let names: Vec<&str> = answer
        .fields
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let text: String = answer.text().chars().take(400).collect();
    format!("{} [{}] {text}", answer.first, names.join(", "))
}

//! What the demo says when it is ready: where everything is, who sees what, and what to try.

use super::cases;
use super::{Demo, ROLES};

/// The demo's first words. `matrix` is the table of who sees what.
#[must_use]
pub fn welcome(demo: &Demo, matrix: &str) -> String {
    let addresses = demo.addresses;
    let mut text = format!(
        "Postern {version}, demo\n\n\
         \x20 clients  http://{listen}   through Postern\n\
         \x20 case API http://{api}   behind it; {count} invented cases, and it shows everything\n\
         \x20 admin    http://{admin}\n\
         \x20 policy   {policy}   edit and save: it reloads\n",
        version = env!("CARGO_PKG_VERSION"),
        listen = addresses.listen,
        api = addresses.api,
        admin = addresses.admin,
        count = cases::COUNT,
        policy = demo.folder.policy.display(),
    );
    for note in &demo.notes {
        text.push_str(&format!("  note     {note}\n"));
    }
    text.push_str("\nWho sees what:\n\n");
    for line in matrix.lines() {
        let line = format!("  {line}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str("\nTokens, valid for 12 hours; paste these first:\n\n");
    for (role, token) in &demo.tokens {
        text.push_str(&format!("{role}={token}\n"));
    }
    text.push_str("\nThe same case, four views:\n\n");
    for role in ROLES {
        text.push_str(&curl(demo, role, "", "/api/v2/cases/1001"));
    }
    text.push_str(
        "\nA list; an export as CSV and as NDJSON; a search and a write that are refused; a write that is \
         not:\n\n",
    );
    push_others(demo, &mut text);
    text.push_str("\nThe same case without Postern:\n\n");
    text.push_str(&format!(
        "curl -s 'http://{}/api/v2/cases/1001'; echo\n",
        addresses.api
    ));
    push_watching(demo, &mut text);
    text.push_str("\nCtrl-C stops everything.\n");
    text
}

/// What operators and auditors look at.
fn push_watching(demo: &Demo, text: &mut String) {
    let server_file = demo.folder.server_file.display();
    text.push_str(
        "\nFrom another shell in this folder: decisions as they are made, what is busiest, what is on record:\n\n",
    );
    for command in ["tap", "top --once", "audit verify"] {
        text.push_str(&format!("postern -c {server_file} {command}\n"));
    }
}

/// The requests that are not about one case as it is shown.
fn push_others(demo: &Demo, text: &mut String) {
    text.push_str(&curl(demo, "agent", "", "/api/v2/cases?page=1&per_page=2"));
    text.push_str(&curl(demo, "supervisor", "", "/api/v2/cases/export"));
    text.push_str(&curl(
        demo,
        "agent",
        "",
        "/api/v2/cases/export?format=ndjson",
    ));
    text.push_str(&curl(demo, "agent", "", "/api/v2/search?q=000-"));
    let write = "-X PATCH -H 'Content-Type: application/json' ";
    text.push_str(&curl(
        demo,
        "agent",
        &format!("{write}-d '{{\"customer\":{{\"phone\":\"+1 202 555 0100\"}}}}' "),
        "/api/v2/cases/1001",
    ));
    text.push_str(&curl(
        demo,
        "agent",
        &format!("{write}-d '{{\"status\":\"solved\"}}' "),
        "/api/v2/cases/1001/status",
    ));
}

fn curl(demo: &Demo, role: &str, options: &str, target: &str) -> String {
    format!(
        "curl -s {options}-H \"Authorization: Bearer ${role}\" 'http://{}{target}'; echo\n",
        demo.addresses.listen
    )
}

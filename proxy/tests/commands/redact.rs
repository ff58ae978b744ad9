//! `postern redact`: what leaves, and above all what does not.

use super::runner::{Folder, Ran};

const CASE: &str = r#"{"id":7,"customer":{"name":"Ada","email":"ada@example.com","tax_id":"000-12-3456"},"payments":[{"card_number":"4000001234567899"}],"messages":[{"body":"hi"}],"internal_note":"vip","debug":{"session_token":"s3cr3t"}}"#;

fn redact(folder: &Folder, role: &str, rest: &[&str], input: &[u8]) -> Ran {
    let mut arguments = vec!["redact", "--policy", "policy.yaml", "--role", role];
    arguments.extend(rest);
    folder.postern_fed(&arguments, input)
}

#[test]
fn a_document_is_redacted_as_the_role_may_see_it() {
    let folder = Folder::new();
    let ran = redact(&folder, "agent", &["--route", "case.read"], CASE.as_bytes()).exits(0);
    assert_eq!(
        ran.out,
        r#"{"id":7,"customer":{"name":"Ada","email":"a•••@example.com","tax_id":"•••3456"},"payments":[{"card_number":"•••7899"}],"messages":[{"body":"[redacted]"}],"internal_note":"vip","debug":{}}"#
    );
    assert!(ran.err.is_empty());
    let ran = redact(
        &folder,
        "contractor",
        &["--route", "case.read"],
        CASE.as_bytes(),
    )
    .exits(0);
    assert_eq!(
        ran.out,
        r#"{"id":7,"customer":{},"payments":[{}],"messages":[{"body":"[redacted]"}],"debug":{}}"#
    );
}

#[test]
fn a_request_finds_its_route_or_is_refused() {
    let folder = Folder::new();
    let request = |request| redact(&folder, "agent", &["--request", request], CASE.as_bytes());
    assert!(
        request("GET /api/v2/cases/7")
            .exits(0)
            .out
            .contains("•••3456")
    );
    for (line, reason) in [
        ("GET /api/v2/search", "route-denied"),
        ("GET /elsewhere", "route-denied"),
        ("DELETE /api/v2/cases/7", "method-not-allowed"),
        ("GET /api/v2/cases?sort=email", "query-not-allowed"),
        ("PUT /api/v2/cases/7", "write-of-hidden-field"),
        ("GET /api/../x", "ambiguous"),
        ("GET", "--request"),
    ] {
        let ran = request(line).exits(2);
        assert!(
            ran.out.is_empty() && ran.err.contains(reason),
            "{line}: {ran:#?}"
        );
        assert_eq!(ran.err.lines().count(), 1, "{line}: {ran:#?}");
    }
}

#[test]
fn several_roles_together_see_what_the_stricter_sees() {
    let folder = Folder::new();
    let rest = ["--role", "contractor", "--route", "case.read"];
    let ran = redact(&folder, "supervisor", &rest, CASE.as_bytes()).exits(0);
    assert!(!ran.out.contains("Ada") && !ran.out.contains("card_number"));
}

#[test]
fn readers_have_pseudonyms_of_their_own() {
    let folder = Folder::new();
    let read = |identity| {
        let rest = ["--route", "case.read", "--identity", identity];
        let ran = redact(&folder, "auditor", &rest, CASE.as_bytes()).exits(0);
        assert!(
            ran.err
                .starts_with("pseudonyms are made with the fixed test key")
        );
        assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
        ran.out
    };
    let ada = read("ada");
    assert!(ada.contains(r#""name":"~"#), "{ada}");
    assert_eq!(ada, read("ada"));
    assert_ne!(ada, read("bob"));
}

#[test]
fn nothing_leaves_of_a_document_that_cannot_be_read() {
    let folder = Folder::new();
    let broken = CASE.trim_end_matches('}');
    for input in [
        broken.as_bytes(),
        b"",
        b"{\"customer\":{\"name\":\"\xff\"}}",
        b"[1,]",
        b"{\"customer\":{}} trailing",
        b"<html></html>",
    ] {
        let ran = redact(&folder, "agent", &["--route", "case.read"], input).exits(2);
        assert!(ran.out.is_empty(), "{ran:#?}");
        assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
        assert!(!ran.err.contains("Ada"));
    }
}

#[test]
fn an_answer_without_what_the_route_requires_is_refused() {
    let folder = Folder::new();
    let ran = redact(&folder, "agent", &["--route", "case.read"], b"{\"id\":7}").exits(2);
    assert!(
        ran.out.is_empty() && ran.err.contains("requires"),
        "{ran:#?}"
    );
}

#[test]
fn a_long_document_streams_and_a_fault_late_in_it_exits_2_without_hidden_values() {
    let folder = Folder::new();
    let filler = "x".repeat(1000);
    let cases: Vec<String> = (0..300)
        .map(|id| {
            format!(r#"{{"id":{id},"filler":"{filler}","customer":{{"name":"canary-{id}"}}}}"#)
        })
        .collect();
    let whole = format!(r#"{{"cases":[{}]}}"#, cases.join(","));
    let read = |input: &str| {
        redact(
            &folder,
            "contractor",
            &["--route", "case.list"],
            input.as_bytes(),
        )
    };
    let ran = read(&whole).exits(0);
    assert!(ran.out.len() > 300_000 && !ran.out.contains("canary"));

    let cut = read(whole.strip_suffix("]}").unwrap()).exits(2);
    assert!(!cut.out.contains("canary"));
    assert!(ran.out.starts_with(&cut.out) && !cut.out.is_empty());

    let early = read(&format!("{}!", whole.get(..60_000).unwrap())).exits(2);
    assert!(early.out.is_empty(), "{} bytes left", early.out.len());
}

#[test]
fn a_removed_root_prints_nothing_and_is_no_error() {
    let folder = Folder::new();
    let policy = postern_proxy::demo::POLICY.replace(
        "      $.customer.name:                       pii.name\n",
        "      $: secret\n",
    );
    let policy = policy.replace("    required: [$.customer] ", "    # ");
    folder.write("policy.yaml", &policy);
    let ran = redact(&folder, "agent", &["--route", "case.read"], CASE.as_bytes()).exits(0);
    assert!(ran.out.is_empty(), "{ran:#?}");
}

#[test]
fn lines_and_tables_are_redacted_as_the_route_declares_them() {
    let folder = Folder::new();
    let lines =
        "{\"id\":7,\"customer\":{\"email\":\"ada@example.com\"},\"internal_note\":\"vip\"}\n";
    let table = "id,customer.email,internal_note,x\r\n7,ada@example.com,vip,y\r\n";
    for (format, input, left) in [
        (
            "ndjson",
            lines,
            "{\"id\":7,\"customer\":{\"email\":\"a•••@example.com\"},\"internal_note\":\"vip\"}\n",
        ),
        (
            "csv",
            table,
            "id,customer.email,internal_note\r\n7,a•••@example.com,vip\r\n",
        ),
    ] {
        let rest = ["--route", "case.export", "--format", format];
        let ran = redact(&folder, "agent", &rest, input.as_bytes()).exits(0);
        assert_eq!(ran.out, left, "{format}");
        let broken = input.get(..input.len() - 4).unwrap();
        let ran = redact(&folder, "agent", &rest, broken.as_bytes()).exits(2);
        assert!(ran.out.is_empty() && !ran.err.contains("ada"), "{ran:#?}");
    }
    // JSON is what comes when nothing else is said, and a route's only format is known.
    let ran = redact(
        &folder,
        "agent",
        &["--route", "case.export"],
        b"[{\"id\":7,\"x\":1}]",
    )
    .exits(0);
    assert_eq!(ran.out, "[{\"id\":7}]");
}

#[test]
fn unknown_roles_routes_and_formats_are_refused() {
    let folder = Folder::new();
    for (role, rest, word) in [
        ("agnet", &["--route", "case.read"][..], "agent"),
        ("agent", &["--route", "case.raed"], "case.read"),
        ("agent", &["--route", "case.search"], "route-denied"),
        (
            "agent",
            &["--route", "case.read", "--format", "csv"],
            "json",
        ),
    ] {
        let ran = redact(&folder, role, rest, CASE.as_bytes()).exits(2);
        assert!(ran.out.is_empty() && ran.err.contains(word), "{ran:#?}");
    }
}

/// A policy in which an agent sees two labels through `detect`, one of them on each route.
const SEARCHING: &str = r#"policy: v1
name: text
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { text.free: Messages, text.note: Notes, pii: Personal }
routes:
  one: { match: GET /one, label: { $.body: text.free, $.name: pii } }
  two: { match: GET /two, label: { $.body: text.free, $.note: text.note } }
  none: { match: GET /none, label: { $.name: pii } }
  everything_else: { match: "ANY /{path...}", deny: true }
detect: { text: { find: [email, card], then: redact } }
roles:
  agent: { sees: { text: detect, pii: mask } }
  guest: { sees: { pii: mask, text: remove } }
  chief: { sees: { text: show, pii: show } }
"#;

#[test]
fn one_free_text_is_searched_as_the_policy_says() {
    let folder = Folder::new();
    folder.write("policy.yaml", SEARCHING);
    let text = "mail j@x.com, card 4111 1111 1111 1111, order 4111 1111 1111 1112";
    let left = "mail [redacted], card [redacted], order 4111 1111 1111 1112";
    let run = |role: &str, rest: &[&str]| {
        let arguments: Vec<&str> = ["--format", "text"].iter().chain(rest).copied().collect();
        redact(&folder, role, &arguments, text.as_bytes())
    };
    assert_eq!(run("agent", &["--route", "one"]).exits(0).out, left);
    assert_eq!(run("chief", &["--route", "one"]).exits(0).out, text);
    assert_eq!(run("guest", &["--route", "one"]).exits(0).out, "");
    let named = ["--route", "two", "--label", "text.note"];
    assert_eq!(run("agent", &named).exits(0).out, left);
    for (rest, reason) in [
        (&["--route", "two"][..], "`--label`"),
        (&["--route", "none"][..], "`--label`"),
        (&["--route", "one", "--label", "nothing"][..], "no label"),
    ] {
        let ran = run("agent", rest).exits(2);
        assert!(ran.out.is_empty() && ran.err.contains(reason), "{ran:#?}");
    }
}

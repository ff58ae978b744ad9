//! What authors are told about slips that are common, in their words and not in those of the YAML reader.

use postern_config::{Policy, PolicyErrors, Server};

/// A policy that loads, but for the line that takes the place of `HERE`.
const POLICY: &str = r#"policy: v1
name: case
identity: { from: mtls, subject: cn, roles: { x: agent } }
labels: { pii: Personal }
routes:
  one: { match: GET /one, label: { $.name: pii }, records: $ }
  everything_else: { match: "ANY /{path...}", deny: true }
roles: { agent: { sees: { pii: mask } } }
HERE
"#;

const SERVER: &str =
    "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\npolicy: policy.yaml\nHERE\n";

/// The only error: its message and its help.
#[track_caller]
fn told<T>(read: Result<T, PolicyErrors>) -> (String, String) {
    let errors = read.err().unwrap().errors;
    let [error] = errors.as_slice() else {
        panic!("{errors:#?}");
    };
    let help = error.help.clone().unwrap_or_default();
    (error.message.clone(), help)
}

#[track_caller]
fn of_policy(here: &str) -> (String, String) {
    told(Policy::parse("p", &POLICY.replace("HERE", here)))
}

#[track_caller]
fn of_server(here: &str) -> (String, String) {
    told(Server::parse("s", &SERVER.replace("HERE", here)))
}

#[test]
fn what_is_no_plain_document_is_told_without_the_words_of_its_reader() {
    let deep = format!("x: {}", "[".repeat(40) + &"]".repeat(40));
    for (here, message, help) in [
        (
            "---\npolicy: v1",
            "this is not YAML that Postern reads: it holds several documents, divided by `---`",
            "keep one of them in this file",
        ),
        (
            "~: c",
            "this is not YAML that Postern reads: a key is empty",
            "every key is a text; one that is called `~` or `null` goes in quotes",
        ),
        (
            "x: &x { a: b }\ny: { <<: *x }",
            "this is not YAML that Postern reads: `<<` merges maps, which no file of Postern may",
            "write out what is merged",
        ),
        (
            deep.as_str(),
            "this is not YAML that Postern reads: it is nested more than 32 deep",
            "no section of a policy or server file goes that deep",
        ),
    ] {
        assert_eq!(of_policy(here), (message.to_owned(), help.to_owned()));
    }
}

#[test]
fn a_file_without_anything_is_told_what_to_write() {
    for text in ["", "# later\n", "---\n", "~\n"] {
        let (message, help) = told(Policy::parse("p", text));
        assert_eq!(message, "this file says nothing", "{text:?}");
        assert_eq!(
            help,
            "a policy says `policy: v1`, `name`, `identity`, `routes` and `roles`"
        );
        let (message, help) = told(Server::parse("s", text));
        assert_eq!(message, "this file says nothing", "{text:?}");
        assert_eq!(help, "a server file says `listen`, `upstream` and `policy`");
    }
}

#[test]
fn the_other_kind_of_file_is_told_to_be_one() {
    let policy = POLICY.replace("HERE", "");
    let server = SERVER.replace("HERE", "nonsense: s3cret");
    let (message, help) = told(Policy::parse("p", &server));
    assert_eq!(
        message,
        "this looks like a server file, and a policy is expected here"
    );
    assert!(help.contains("`postern check -c FILE`"), "{help}");
    let (message, help) = told(Server::parse("s", &policy));
    assert_eq!(
        message,
        "this looks like a policy, and a server file is expected here"
    );
    assert!(help.contains("`postern check FILE`"), "{help}");
    // What has keys of both is judged as what it is read as.
    let both = format!("{policy}listen: 127.0.0.1:0\n");
    let (message, _) = told(Policy::parse("p", &both));
    assert_eq!(message, "`listen` is no key here");
}

#[test]
fn a_text_between_brackets_that_ends_early_is_told_to_be_quoted() {
    for here in [
        "x: [PATCH /api/tickets/{id}/, GET /api]",
        "x: [GET /{id}, GET /api]",
        "x: { match: GET /api/{id}/ }",
        "x: { match: GET /api/{id}, deny: true }",
    ] {
        let (message, help) = of_policy(here);
        assert!(message.starts_with("this is not YAML"), "{message}");
        assert!(help.contains("goes in quotes"), "{here}: {message}: {help}");
    }
}

#[test]
fn an_option_that_stands_alone_is_shown_in_its_place() {
    for (here, help) in [
        ("{ generalize: year }", "{ generalize: { date: year } }"),
        ("{ generalize: month }", "{ generalize: { date: month } }"),
        ("{ generalize: [] }", "{ generalize: { date: year } }"),
        ("{ pseudonym: role }", "{ pseudonym: { scope: role } }"),
        ("{ mask: 4 }", "{ mask: { keep_last: 4 } }"),
        ("{ redact: x }", "{ redact: { with: \"x\" } }"),
    ] {
        let (message, told) = of_policy(&format!("always: {{ pii: {here} }}"));
        assert!(message.starts_with("expected a map"), "{message}");
        assert_eq!(told, format!("for example `{help}`"));
    }
    let (_, help) = of_policy("always: { pii: { generalize: { epoch: seconds } } }");
    assert!(help.contains("`epoch`"), "{help}");
}

#[test]
fn a_word_that_was_once_a_boolean_is_told_which_one_it_is() {
    for (word, help) in [
        ("yes", "write `true`"),
        ("On", "write `true`"),
        ("no", "write `false`"),
        ("perhaps", ""),
    ] {
        let text = POLICY.replace("deny: true", &format!("deny: {word}"));
        let (message, told) = told(Policy::parse("p", &text.replace("HERE", "")));
        assert_eq!(message, "expected `true` or `false`, found a text");
        assert_eq!(told, help);
    }
}

#[test]
fn a_method_that_was_misspelt_is_told_the_one_that_was_meant() {
    let text = POLICY.replace("GET /one", "GTE /one/:id");
    let policy = Policy::parse("p", &text.replace("HERE", "")).unwrap();
    let [method, path] = policy.lints().errors.as_slice() else {
        panic!("{}", policy.lints().render(false));
    };
    assert_eq!(method.did_you_mean.as_deref(), Some("GET"));
    assert_eq!(path.help.as_deref(), Some("write `{id}`"));
}

#[test]
fn a_name_that_is_too_long_is_told_its_length() {
    let long = "n".repeat(200);
    let text = POLICY.replace("name: case", &format!("name: {long}"));
    let (message, help) = told(Policy::parse("p", &text.replace("HERE", "")));
    assert_eq!(message, format!("`{long}` is no policy name"));
    assert_eq!(help, "a name has at most 128 characters, this one has 200");
}

#[test]
fn a_number_without_a_unit_is_told_the_unit() {
    let quota = |window: &str| {
        format!(
            "quotas: {{ q: {{ unit: records, per: identity, window: {window}, limit: {{ \"*\": 9 }}, on_exceed: deny }} }}"
        )
    };
    assert_eq!(
        of_policy(&quota("60")),
        (
            "expected a duration with its unit, found a number".to_owned(),
            "write `60s`, or another of `ms`, `s`, `m`, `h` and `d`".to_owned()
        )
    );
    for (here, number) in [("drain: 25", "25s"), ("audit: { checkpoint: 1 }", "1s")] {
        let (message, help) = of_server(here);
        assert_eq!(message, "expected a duration with its unit, found a number");
        assert!(help.starts_with(&format!("write `{number}`")), "{help}");
    }
    assert_eq!(
        of_server("limits: { request_body: 65536 }"),
        (
            "expected a size with its unit, found a number".to_owned(),
            "write `65536B`, or another of `B`, `KiB`, `MiB` and `GiB`".to_owned()
        )
    );
    let (message, _) = of_server("drain: -1.5");
    assert_eq!(message, "expected a duration with its unit, found a number");
}

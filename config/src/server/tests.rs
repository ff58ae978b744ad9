//! Defaults, limits at and past their ends.

use super::*;

const SHORT: &str = "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:3000\npolicy: p.yaml\n";

#[test]
fn a_short_file_has_every_default() {
    let server = Server::parse("postern.yaml", SHORT).unwrap();
    assert_eq!(server.admin, "127.0.0.1:9090");
    assert_eq!(server.state, "state");
    assert_eq!(server.drain, Duration::from_secs(25));
    assert_eq!(
        server.store,
        StoreAddress::Embedded("state/postern.redb".into())
    );
    assert_eq!(server.limits, Limits::default());
    assert!(server.pseudonym_keys.is_empty());
}

#[test]
fn each_limit_loads_at_its_ends_and_not_one_past_them() {
    let cases = [
        ("header_bytes", ["1023B", "1KiB", "1MiB", "1048577B"]),
        ("target_bytes", ["255B", "256B", "64KiB", "65537B"]),
        ("held_bytes", ["1023B", "1KiB", "64MiB", "67108865B"]),
        ("request_body", ["1023B", "1KiB", "1GiB", "1073741825B"]),
        ("header_count", ["7", "8", "1000", "1001"]),
        ("header_seconds", ["0", "1", "120", "121"]),
        ("json_depth", ["3", "4", "1024", "1025"]),
        ("expand_ratio", ["1", "2", "10000", "10001"]),
        ("connections", ["0", "1", "1000000", "1000001"]),
        ("exchanges", ["0", "1", "1000000", "1000001"]),
    ];
    for (key, values) in cases {
        for (value, fits) in values.into_iter().zip([false, true, true, false]) {
            let text = format!("{SHORT}limits: {{ {key}: {value} }}\n");
            let read = Server::parse("s", &text);
            assert_eq!(read.is_ok(), fits, "{key}: {value}");
            if let Err(errors) = read {
                assert_eq!(errors.errors[0].code, "PN007", "{key}: {value}");
            }
        }
    }
}

#[test]
fn a_limit_that_is_written_is_the_one_that_holds() {
    let text = format!(
        "{SHORT}limits: {{ header_bytes: 2KiB, header_count: 9, target_bytes: 300B, \
         header_seconds: 3, json_depth: 5, held_bytes: 6KiB, expand_ratio: 7, \
         request_body: 8KiB, connections: 10, exchanges: 11 }}\n"
    );
    let expected = Limits {
        header_bytes: 2048,
        header_count: 9,
        target_bytes: 300,
        header_seconds: 3,
        json_depth: 5,
        held_bytes: 6144,
        expand_ratio: 7,
        request_body: 8192,
        connections: 10,
        exchanges: 11,
    };
    assert_eq!(Server::parse("s", &text).unwrap().limits, expected);
}

#[test]
fn a_secret_written_out_is_refused_and_not_repeated() {
    let secret = "correct-horse-battery";
    let text = format!("{SHORT}keys: {{ pseudonym: [{{ id: K!, secret: {secret} }}] }}\n");
    let errors = Server::parse("s", &text).unwrap_err();
    let codes: Vec<_> = errors.errors.iter().map(|error| error.code).collect();
    assert_eq!(codes, ["PN043", "PN033"]);
    assert!(!errors.render(false).contains(secret));
    assert!(
        errors
            .errors
            .iter()
            .all(|error| !error.message.contains(secret))
    );
}

#[test]
fn names_the_hosts_that_are_served() {
    let file = |listen: &str| {
        let text = format!("listen: {listen}\nupstream: http://127.0.0.1:1\npolicy: p.yaml\n");
        Server::parse("postern.yaml", &text)
    };
    let served =
        file("{ address: '127.0.0.1:0', hosts: [Desk.example, 'a:80', '[::1]'] }").unwrap();
    assert_eq!(served.listen.hosts, ["desk.example", "a:80", "[::1]"]);
    assert!(file("127.0.0.1:0").unwrap().listen.hosts.is_empty());
    for bad in ["https://a", "a/b", "u@a", "", "a b"] {
        let errors = file(&format!("{{ address: '127.0.0.1:0', hosts: '{bad}' }}")).unwrap_err();
        assert_eq!(errors.errors[0].code, "PN040", "{bad}");
    }
}

#[test]
fn the_store_follows_the_state_folder_until_it_is_named() {
    let read = |more: &str| Server::parse("s", &format!("{SHORT}{more}")).unwrap().store;
    let file = |path: &str| StoreAddress::Embedded(path.into());
    assert_eq!(
        read("state: /var/lib/postern\n"),
        file("/var/lib/postern/postern.redb")
    );
    assert_eq!(read("state: s\nstore: redb:q.redb\n"), file("q.redb"));
    let long =
        "store: { url: valkeys://cache, username: postern, password: file:cache.password }\n";
    let StoreAddress::Shared(shared) = read(long) else {
        panic!("a server is shared")
    };
    assert_eq!(shared.username.as_deref(), Some("postern"));
    assert_eq!(
        shared.password,
        Some(Reference::File("cache.password".to_owned()))
    );
    assert_eq!(
        (shared.host.as_str(), shared.port, shared.tls),
        ("cache", 6379, true)
    );
}

#[test]
fn a_password_in_the_url_of_a_store_is_refused_and_not_repeated() {
    for store in [
        "redis://:correct-horse@a:1",
        "'redis://a?password=correct-horse'",
        "{ url: redis://a, password: correct-horse }",
    ] {
        let errors = Server::parse("s", &format!("{SHORT}store: {store}\n")).unwrap_err();
        assert_eq!(errors.errors[0].code, "PN033", "{store}");
        assert!(!errors.render(false).contains("correct-horse"), "{store}");
    }
}

#[test]
fn no_report_repeats_a_secret_wherever_it_was_written() {
    let at_most = "listen: 127.0.0.1:1\npolicy: p.yaml\nupstream: ";
    for (codes, text) in [
        (
            &["PN041"][..],
            format!("{at_most}{{ url: \"http://user:hunter2@127.0.0.1:3901\" }}\n"),
        ),
        (&["PN041"], format!("{at_most}user:hunter2@127.0.0.1:1\n")),
        (
            &["PN046", "PN046"],
            format!(
                "{SHORT}audit: {{ witnesses: [ {{ url: \"https://u:hunter2@w.example\", key: no }} ] }}\n"
            ),
        ),
        (
            &["PN003"],
            format!("{SHORT}store: {{ url: \"redis://127.0.0.1:1\", pasword: hunter2 }}\n"),
        ),
        (
            &["PN003"],
            format!("{SHORT}stor: {{ url: \"redis://a\", password: 'hunter2', a: [hunter2] }}\n"),
        ),
        (
            &["PN003"],
            format!("{SHORT}pasword: \"é\\\"hunter2\" # why\n"),
        ),
        (
            &["PN002"],
            format!("{SHORT}store: {{ url: redis://a, password: env:A, password: hunter2 }}\n"),
        ),
        (
            &["PN005"],
            format!("{SHORT}store: {{ url: redis://a, password: [hunter2] }}\n"),
        ),
        (
            &["PN040"],
            format!("{SHORT}admin: user:hunter2@127.0.0.1:1\n"),
        ),
        (&["PN005"], format!("{SHORT}audit: https://u:hunter2@a\n")),
    ] {
        let errors = Server::parse("s", &text).unwrap_err();
        let found: Vec<_> = errors.errors.iter().map(|error| error.code).collect();
        assert_eq!(found, codes, "{text}");
        assert!(
            !errors.render(false).contains("hunter2"),
            "{}",
            errors.render(false)
        );
        let messages = format!("{:?}", errors.errors);
        assert!(!messages.contains("hunter2"), "{messages}");
    }
}

#[test]
fn a_line_with_a_withheld_value_still_shows_where_and_what() {
    let text = format!("{SHORT}store: {{ url: \"redis://a\", pasword: hunter2 }}\n");
    let report = Server::parse("s", &text).unwrap_err().render(false);
    let line = "store: { url: \"redis://a\", pasword: ••••••• }";
    let marks = format!("{}^^^^^^^\n", " ".repeat(27));
    assert!(
        report.contains(&format!("| {line}\n  | {marks}")),
        "{report}"
    );
    assert!(report.contains("did you mean `password`?"), "{report}");
}

/// What is written below its key, where the rest of the key's line says nothing.
#[test]
fn no_report_repeats_a_secret_of_the_wrong_type() {
    let store = |password: &str| format!("{SHORT}store:\n  url: redis://a\n  password:{password}");
    let keys = |keys: &str| format!("{SHORT}keys:{keys}");
    for text in [
        store("\n    - hunter2\n"),
        store("\n    value: hunter2\n"),
        store("\n    hunter2: 1\n"),
        store("\n    ? hunter2\n"),
        store(" [\n    { a: [hunter2] } ] # hunter2\n"),
        store(" {hunter2} # hunter2\n"),
        store(" &hunter2 [a] # hunter2\n"),
        store(" # hunter2\n"),
        store(" true # hunter2\n").replace("true", "0xABCDEF"),
        store("\n    - |\n      x\n      hunter2\n"),
        format!("{SHORT}listen:\n  tls:\n    key:\n      - hunter2\n").replacen(
            "listen: 127.0.0.1:8080\n",
            "",
            1,
        ),
        SHORT.replace(
            "upstream: http://127.0.0.1:3000",
            "upstream:\n  url: http://127.0.0.1:3000\n  credential:\n    token: hunter2",
        ),
        keys("\n  pseudonym:\n    - id: k1\n      secret:\n        value: hunter2\n"),
        keys(" { pseudonym: [ { id: k1, secret: [hunter2] } ] }\n"),
        keys(" { pseudonym: hunter2 }\n"),
        keys(" { pseudonym: { k1: hunter2 } }\n"),
        keys(" { pseudonym: [hunter2] }\n"),
        keys(" hunter2\n"),
        keys(" [hunter2]\n"),
    ] {
        let report = Server::parse("s", &text).unwrap_err().render(false);
        let is_shown = report.contains("hunter2") || report.contains("0xABCDEF");
        assert!(!is_shown, "{text}\n{report}");
    }
    let report = Server::parse("s", &store("\n    - hunter2\n")).unwrap_err();
    let report = report.render(false);
    assert!(
        report.contains("\n7 |     •••••••••\n  |     ^\n"),
        "{report}"
    );
}

#[test]
fn what_follows_an_unknown_key_is_withheld_to_its_last_key_and_comment() {
    for text in [
        "pasword: {hunter2}\n",
        "pasword: {hunter2: , a: {\"hunter2\"}} # hunter2\n",
        "pasword: hunter2 # hunter2\n",
        "pasword: # hunter2\n",
        "pasword:\t# hunter2\n",
        "pasword: ~ # hunter2\n",
        "pasword: &hunter2 a\n",
        "pasword: !!str hunter2\n",
        "{ pasword: a } # hunter2\n",
        "policy: p.yaml # hunter2\n",
        "x: &a [hunter2]\npasword: *a # hunter2\n",
        "x: &hunter2 [a]\ny: [*hunter2]\npasword: {a: *hunter2} # hunter2\n",
        "x: a\u{85}pasword: hunter2\n",
        "x: a\u{2028}pasword: hunter2\n",
        "x: a # \u{2028}\npasword: hunter2\n",
        "pasword: |+ # hunter2\n  a\n\n  hunter2\n\npaswort: >-\n  hunter2\n",
        "pasword: a\n  hunter2\n",
        "pasword:\n- hunter2\n- - hunter2\n",
        "pasword:\n  -\n  -\n    hunter2:\n",
        "pasword: ? hunter2\n",
        "listn: x\rpasword: hunter2\n",
        "listn: x\r\npasword: \"a\r\n  hunter2\"\rpaswort: hunter2\r\n",
        "pasword: 'a\r\n  b\r\n hunter2' # hunter2\r\n",
    ] {
        for before in ["", "\u{feff}"] {
            let whole = format!("{before}{SHORT}{text}");
            let whole = if text.starts_with('{') { text } else { &whole };
            let errors = Server::parse("s", whole).unwrap_err();
            let report = errors.render(false);
            assert!(!report.contains("hunter2"), "{text:?}\n{report}");
        }
    }
}

#[test]
fn a_line_that_is_no_yaml_shows_its_key_and_nothing_behind_it() {
    for line in [
        "store: { url: \"redis://a\", password: hunter2",
        "password: \"hunter2 }",
        "password: %hunter2",
        "password: @hunter2",
        "password: *hunter2",
        "password: a: hunter2",
        "password: \"a\\hunter2\"",
        "password: !x hunter2",
        "<<: { password: hunter2 }",
        "password: \"a\0hunter2\"",
        "password: hunter2\0",
        "\"password\":hunter2: a",
        "password:\n  @hunter2",
        "password:\n  - \"a\\hunter2\"",
        "password: [\n  %hunter2 ]",
    ] {
        let text = format!("{SHORT}{line}\n");
        for errors in [
            Server::parse("s", &text).unwrap_err(),
            crate::Policy::parse("p", &text).unwrap_err(),
        ] {
            let report = errors.render(false);
            assert_eq!(errors.errors[0].code, "PN001", "{line}\n{report}");
            assert!(!report.contains("hunter2"), "{line}\n{report}");
            assert!(
                !format!("{:?}", errors.errors).contains("hunter2"),
                "{errors:?}"
            );
        }
    }
    let errors = Server::parse("s", "a: 1\nstore: { url: \"redis://a\", @x }\n").unwrap_err();
    let report = errors.render(false);
    assert!(
        report.contains("\n2 | store: • •••• •••••••••••• •• •\n"),
        "{report}"
    );
}

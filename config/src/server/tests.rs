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

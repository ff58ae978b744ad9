//! Names of secrets that are words of a language too, and values that stand beside a name without a sign.

use super::*;

fn check(cases: &[(&str, &str)]) {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    for (text, expected) in cases {
        assert_eq!(detect_text(search, text), *expected, "{text}");
    }
}

#[test]
fn a_word_that_may_mean_more_names_a_secret_before_a_sign_and_a_chosen_value() {
    check(&[
        ("pass: hunter2x", "pass: [redacted]"),
        (
            "user bob, Pass : hunter2x, ok",
            "user bob, Pass : [redacted], ok",
        ),
        ("DB_PASS=hunter2x", "DB_PASS=[redacted]"),
        ("login/pass: bob/hunter2x", "login/pass: [redacted]"),
        (r#"{"pass": "hunter2x"}"#, r#"{"pass": "[redacted]"}"#),
        ("'pass' = 'hunter2x'", "'pass' = '[redacted]'"),
        (
            "la clave: hunter2x. Gracias",
            "la clave: [redacted]. Gracias",
        ),
        ("CLAVE=Sevilla24", "CLAVE=[redacted]"),
    ]);
}

#[test]
fn a_word_that_may_mean_more_is_left_in_its_other_meanings() {
    check(&[
        ("bypass: hunter2x", "bypass: hunter2x"),
        ("two-pass: hunter2x", "two-pass: hunter2x"),
        ("pass hunter2x on", "pass hunter2x on"),
        ("pass: 12345678", "pass: 12345678"),
        ("boarding pass: x7k2pq", "boarding pass: x7k2pq"),
        ("pass: AB123456", "pass: AB123456"),
        ("pass: https://a.example/t/1", "pass: https://a.example/t/1"),
        ("pass: forgotten", "pass: forgotten"),
        ("palabras clave: iphone15", "palabras clave: iphone15"),
        ("Palabra-clave: iphone15", "Palabra-clave: iphone15"),
        ("enclave: hunter2x", "enclave: hunter2x"),
        ("la clave: paciencia", "la clave: paciencia"),
    ]);
}

#[test]
fn a_session_behind_a_blank_is_found_where_nobody_wrote_it_as_a_word() {
    check(&[
        (
            "sessionid 1b2c3d4e5f60718293a4b5c6d7e8f901 expired",
            "sessionid [redacted] expired",
        ),
        (
            "JSESSIONID 8F3KQ02MX71ZPW9A4HD6. Done",
            "JSESSIONID [redacted]. Done",
        ),
        (
            "session_id 0a6f3b1e-9c1d-4d2e-8f30-5b7a9c1d2e3f",
            "session_id [redacted]",
        ),
        ("(sessionid 1b2c3d4e5f6071829)", "(sessionid [redacted]"),
    ]);
    for text in [
        "session_id user_session_2024",
        "sessionid authentication-v2",
        "sessionid my_session_2_of_10_a",
        "session-id 12345678901234567890",
        "sessionid 2024-01-01T12:00:00Z",
        "sessionid /api/v2/t1/a2b3c4d5e6",
        "sessionid 1b2c3d4e",
    ] {
        check(&[(text, text)]);
    }
}

#[test]
fn what_a_name_is_followed_by_in_guillemets_is_its_value() {
    check(&[
        ("password «geheim123»", "password «[redacted]»"),
        ("Passwort »geheim123«.", "Passwort »[redacted]«."),
        (
            "mot de passe « geheim123 » !",
            "mot de passe « [redacted] » !",
        ),
        ("mot de passe : ‹geheim!x›", "mot de passe : ‹[redacted]›"),
        ("пароль: «забытый1», да", "пароль: «[redacted]», да"),
    ]);
    for text in [
        "password «forgotten»",
        "mot de passe « oublié »",
        "password «geheim123 and more»",
        "password «geheim123",
        "the page «geheim123»",
    ] {
        check(&[(text, text)]);
    }
}

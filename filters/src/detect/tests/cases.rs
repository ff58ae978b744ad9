//! What is found and what stays, kind by kind, and long texts at the ends of the window.

use super::*;

#[test]
fn what_is_found_is_replaced_and_the_rest_stays() {
    for (text, expected) in [
        ("write to j.doe@example.com.", "write to [redacted]."),
        ("card 4111 1111 1111 1111!", "card [redacted]!"),
        ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
        (
            "to DE89 3704 0044 0532 0130 00 please",
            "to [redacted] please",
        ),
        ("SSN 123-45-6789.", "SSN [redacted]."),
        (
            "from 95.206.171.119, version 1.2.3.4",
            "from [redacted], version 1.2.3.4",
        ),
        (
            "2001:db8::8a2e:370:7334 at 12:30:45",
            "[redacted] at 12:30:45",
        ),
        ("my phone is 726 794 355.", "my phone is [redacted]."),
        (
            "call +1 (286) 556-1381 or 001-479-826-7964x009",
            "call [redacted] or [redacted]",
        ),
        (
            "bld-2144-00-0852 on 2024-05-17",
            "bld-2144-00-0852 on 2024-05-17",
        ),
        ("password: hunter22", "password: [redacted]"),
        ("the password: forgotten", "the password: forgotten"),
        ("пароль: забытый!", "пароль: [redacted]"),
        ("geheim€: пароль: geheim€", "geheim€: пароль: [redacted]"),
        (
            "пароль: забытый, mot de passe : oublié…",
            "пароль: забытый, mot de passe : oublié…",
        ),
        ("logo@2x.png", "logo@2x.png"),
    ] {
        let detectors = redacting();
        let search = Search::new(&detectors, None, None);
        assert_eq!(detect_text(search, text), expected);
    }
}

#[test]
fn a_token_longer_than_the_window_leaves_nothing_of_itself() {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    let long = "aB3dE6gH9".repeat(2000);
    for (text, expected) in [
        (
            format!("see eyJhbGci{long}.x now"),
            "see [redacted] now".to_owned(),
        ),
        (format!("token={long}; a"), "token=[redacted]; a".to_owned()),
        (
            format!("-----BEGIN PRIVATE KEY-----\n{long}\n-----END PRIVATE KEY----- ok"),
            "[redacted] ok".to_owned(),
        ),
        (
            format!("-----BEGIN PRIVATE KEY-----\n{long}"),
            "[redacted]".to_owned(),
        ),
        (format!("id {long} a@b.co"), format!("id {long} [redacted]")),
    ] {
        for shift in [0, 1, 700, 1279, 1280, 1281, 2047, 2048, 2049] {
            let before = "- ".repeat(shift);
            let found = detect_text(search, &format!("{before}{text}")).into_owned();
            assert_eq!(found, format!("{before}{expected}"), "{shift}");
        }
    }
}

#[test]
fn what_is_found_at_any_place_of_the_window_is_found_whole() {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    for piece in [
        "j.doe@example.com",
        "4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
    ] {
        for shift in 0..2200 {
            let text = format!("{}{piece}{}", "w ".repeat(shift), " w".repeat(600));
            let expected = text.replace(piece, "[redacted]");
            assert_eq!(detect_text(search, &text), expected, "{piece} at {shift}");
        }
    }
}

#[test]
fn what_shows_nothing_or_ends_a_line_hides_no_number_and_no_word() {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    for between in [
        "\0", "\u{8}", "\u{1f}", "\u{7f}", "\u{80}", "\u{9f}", "\u{ad}", "\u{115f}", "\u{3164}",
        "\u{ffa0}", "\u{2800}", "\u{85}", "\u{2028}", "\t", "\n", "\r\n",
    ] {
        let card = format!("a 4111{between}1111{between}1111{between}1111 b");
        assert_eq!(detect_text(search, &card), "a [redacted] b", "{between:?}");
        let other = format!("a 4111{between}1111{between}1111{between}1112 b");
        assert_eq!(detect_text(search, &other), other, "{between:?}");
    }
    for word in [
        "pass\u{ad}word",
        "pass\u{34f}word",
        "to\u{212a}en",
        "ＰＡＳＳＷＯＲＤ",
        "ПаРоЛь",
        "pass\u{8}word",
        "ΚωΔικός",
        "パスワード",
    ] {
        let text = format!("{word}: geheim!x");
        assert_eq!(detect_text(search, &text), format!("{word}: [redacted]"));
        let text = format!("{word}s geheim x");
        assert_eq!(detect_text(search, &text), text);
    }
}

#[test]
fn a_private_key_is_found_behind_any_number_of_dashes() {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
    for dashes in ["", "-", "-----", "- "] {
        let text = format!("a {dashes}{key} b");
        assert_eq!(
            detect_text(search, &text),
            format!("a {dashes}[redacted] b")
        );
    }
    let certificate = "------BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----";
    assert_eq!(detect_text(search, certificate), certificate);
}

#[test]
fn names_are_found_however_their_case_is_written() {
    let detectors = redacting();
    let values = ["Strauß", "Γιώργος", "İpek", "aaaa", "aaa aaaa", "Weiss"];
    let names = Names::of(values.into_iter()).ok().flatten().unwrap();
    let search = Search::new(&detectors, Some(&names), None);
    for (text, expected) in [
        (
            "STRAUSS, STRAUẞ, strauß",
            "[redacted], [redacted], [redacted]",
        ),
        ("ΓΙΏΡΓΟΣ", "[redacted]"),
        (
            "İPEK ipek IPEK ıpek",
            "[redacted] [redacted] [redacted] [redacted]",
        ),
        ("Weiß Strausse", "[redacted] Strausse"),
        ("aaaaa aaa aaaa, aaaaa", "aaaaa [redacted], aaaaa"),
    ] {
        assert_eq!(detect_text(search, text), expected, "{text}");
    }
}

#[test]
fn what_is_said_of_a_thing_somewhere_else_hides_no_telephone_number() {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    for before in [
        "Where is my order? ",
        "Ann Smith, Customer Success\r\n",
        "Re: your ticket!\r\nAnn Smith\r\n",
        "Any update?\r\nAnn ",
        "Ann Smith | customer | ",
        "Ann\tcustomer\t",
        "Ann (customer) ",
        "Customer:&nbsp;",
        "Is this the right number? ",
        "Is that my id; ",
        "ticket #x ",
    ] {
        for number in ["212-555-0187", "(212) 555-0187"] {
            let text = format!("{before}{number}");
            let expected = format!("{before}[redacted]");
            assert_eq!(detect_text(search, &text), expected, "{text}");
        }
    }
    for kept in [
        "order #4155550102",
        "ticket: 212-555-0187",
        "order number [4155550102]",
    ] {
        assert_eq!(detect_text(search, kept), kept);
    }
}

#[test]
fn characters_without_a_width_do_not_pile_up() {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    let invisible = |count: usize| "\u{200b}".repeat(count);
    for count in [1, 16, 17, 5000] {
        let card = format!(
            "a 4111{}1111{}11111111 b",
            invisible(count),
            invisible(count)
        );
        assert_eq!(detect_text(search, &card), "a [redacted] b", "{count}");
        let text = format!("x@y 1{}z", invisible(count));
        let kept = format!("x@y 1{}z", invisible(count.min(16)));
        assert_eq!(detect_text(search, &text), kept, "{count}");
    }
    // Between others they stay, however many there are.
    let text = format!("x@y {}", format!("1{}", invisible(3)).repeat(40));
    assert_eq!(detect_text(search, &text), text);
}

#[test]
fn names_are_found_as_whole_words_in_any_case() {
    let detectors = redacting();
    let values = [
        "Ana Maria de Lima",
        "郭东",
        "33, avenue Foch",
        "Li",
        "[redacted]",
        "ab",
        "x•••y",
    ];
    let names = Names::of(values.into_iter()).ok().flatten().unwrap();
    let search = Search::new(&detectors, Some(&names), None);
    for (text, expected) in [
        ("ANA MARIA DE LIMA", "[redacted]"),
        ("Ana, maria: Lima's", "[redacted], [redacted]: [redacted]'s"),
        ("banana climate de Li", "banana climate de Li"),
        ("你好郭东先生", "你好[redacted]先生"),
        (
            "at 33, Avenue Foch today, avenue of 33",
            "at [redacted] today, avenue of 33",
        ),
        ("avenue Foch 12, 33", "[redacted] 12, 33"),
        ("[redacted] abc", "[redacted] abc"),
        ("Ma\u{ad}ria", "[redacted]"),
    ] {
        assert_eq!(detect_text(search, text), expected, "{text}");
    }
}

#[test]
fn names_are_found_however_a_letter_with_marks_is_written() {
    let detectors = redacting();
    for values in [
        ["José García", "Müller", "김민수", "प्रिया"],
        [
            "Jose\u{301} Garci\u{301}a",
            "Mu\u{308}ller",
            "\u{1100}\u{1175}\u{11b7}민수",
            "प्रिया",
        ],
    ] {
        let names = Names::of(values.into_iter()).ok().flatten().unwrap();
        let search = Search::new(&detectors, Some(&names), None);
        for (text, expected) in [
            ("José, GARCÍA", "[redacted], [redacted]"),
            ("Jose\u{301}, GARCI\u{301}A", "[redacted], [redacted]"),
            ("Müller MU\u{308}LLER!", "[redacted] [redacted]!"),
            (
                "김민수가 \u{1100}\u{1175}\u{11b7}민수가",
                "[redacted]가 [redacted]가",
            ),
            ("श्री प्रिया", "श्री [redacted]"),
            // Other letters than those of the names.
            ("Jose Garciá Garcia Muller", "Jose Garciá Garcia Muller"),
            ("José\u{323} x\u{30c}müller", "José\u{323} x\u{30c}müller"),
        ] {
            assert_eq!(detect_text(search, text), expected, "{text}");
        }
    }
}

#[test]
fn a_name_with_marks_is_found_whole_at_any_place_of_the_window() {
    let detectors = redacting();
    let names = Names::of(["García"].into_iter()).ok().flatten().unwrap();
    let search = Search::new(&detectors, Some(&names), None);
    for shift in (630..650).chain(1015..1030) {
        for before in ["", "w"] {
            let before = format!("{before}{}", "w ".repeat(shift));
            let text = format!("{before}Garci\u{301}a{}", " w".repeat(600));
            let expected = text.replace("Garci\u{301}a", "[redacted]");
            assert_eq!(detect_text(search, &text), expected, "{shift}");
        }
    }
}

#[test]
fn the_halves_of_double_names_are_found() {
    let detectors = redacting();
    let values = ["Anna-Lena Meyer-Landrut", "Jo-Li O'Neill-de-Witt"];
    let names = Names::of(values.into_iter()).ok().flatten().unwrap();
    let search = Search::new(&detectors, Some(&names), None);
    for (text, expected) in [
        (
            "Mrs Meyer called, Landrut too, Anna as well",
            "Mrs [redacted] called, [redacted] too, [redacted] as well",
        ),
        ("Meyer-Landrut, lena", "[redacted], [redacted]"),
        ("o'neill, WITT", "[redacted], [redacted]"),
        ("Jo and Li de Meyers", "Jo and Li de Meyers"),
    ] {
        assert_eq!(detect_text(search, text), expected, "{text}");
    }
}

#[test]
fn addresses_cards_and_credentials_are_found_however_they_are_escaped() {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    for (text, expected) in [
        ("ann@exa\u{301}mple.com", "[redacted]"),
        ("zoe\u{308}@example.com", "[redacted]"),
        (
            "?id=1&email=ann%40example.com&x",
            "?id=1&email=[redacted]&x",
        ),
        ("<ann&#64;example.com>", "<[redacted]>"),
        (
            "lodash%404.17.21 50%40 a&#64;b",
            "lodash%404.17.21 50%40 a&#64;b",
        ),
        ("4111&nbsp;1111&nbsp;1111&#160;1111.", "[redacted]."),
        (
            "4111&nbsp;1111&nbsp;1111&nbsp;1112",
            "4111&nbsp;1111&nbsp;1111&nbsp;1112",
        ),
        (
            "DE89&nbsp;3704&nbsp;0044&nbsp;0532&nbsp;0130&nbsp;00",
            "[redacted]",
        ),
        (
            "phone:&nbsp;415&nbsp;555&nbsp;0102",
            "phone:&nbsp;[redacted]",
        ),
        (
            "%B4111111111111111^DOE/ANN^2712",
            "%B[redacted]^DOE/ANN^2712",
        ),
        (
            "%B4111111111111112^ xB4111111111111111",
            "%B4111111111111112^ xB4111111111111111",
        ),
    ] {
        assert_eq!(detect_text(search, text), expected, "{text}");
    }
}

#[test]
fn credentials_and_numbers_are_found_by_what_stands_before_them() {
    let detectors = redacting();
    let search = Search::new(&detectors, None, None);
    for (text, expected) in [
        (
            "Authorization: Basic YWRtaW46YWRtaW4=",
            "Authorization: Basic [redacted]",
        ),
        (
            "Basic authentication, basic OverrideRule1",
            "Basic authentication, basic OverrideRule1",
        ),
        (
            "mot de passe : geheim!x, ça passe : geheim!x",
            "mot de passe : [redacted], ça passe : geheim!x",
        ),
        (
            "JSESSIONID=8F3KQ02MX71ZPW9A4HD6; a",
            "JSESSIONID=[redacted]; a",
        ),
        (
            "session_id: 12345678901234567",
            "session_id: 12345678901234567",
        ),
        ("phone #4155550102", "phone #[redacted]"),
        (
            "order #4155550102 #0171234567",
            "order #4155550102 #0171234567",
        ),
        ("call me at # 415-555-0102", "call me at # [redacted]"),
    ] {
        assert_eq!(detect_text(search, text), expected, "{text}");
    }
}

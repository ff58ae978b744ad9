//! Fields of real applications, of old intermediaries, and of nobody: each has the reading of RFC 6265bis.

use proptest::prelude::*;

use super::*;

fn one(field: &str) -> SetCookie {
    let cookies = set_cookies(field.as_bytes());
    assert_eq!(cookies.len(), 1, "{field}");
    cookies.into_iter().next().expect("one")
}

fn pairs(cookies: &[SetCookie]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pair = |cookie: &SetCookie| (text(&cookie.name), text(&cookie.value));
    cookies.iter().map(pair).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn reads_what_real_applications_set() {
    let django = one(
        "sessionid=2r5cxvp7hj3jfe31dnlrm4hquqgrix8y; expires=Sun, 06 Dec 2026 03:03:18 GMT; HttpOnly; \
         Max-Age=1209600; Path=/; SameSite=Lax",
    );
    assert_eq!(django.name, b"sessionid");
    assert_eq!(django.value, b"2r5cxvp7hj3jfe31dnlrm4hquqgrix8y");
    assert_eq!(django.expires, Some(1_796_526_198));
    assert_eq!(django.max_age_seconds, Some(1_209_600));
    assert_eq!(django.path.as_deref(), Some(&b"/"[..]));
    assert!(django.http_only && !django.secure);
    let roundup = one("roundup_session_Supportdesk=s22U/9AOy; Path=/; SameSite=Lax; HttpOnly;");
    assert_eq!(roundup.value, b"s22U/9AOy");
}

#[test]
fn takes_names_and_values_apart_as_browsers_do() {
    let cases = [
        ("a=b", "a", "b"),
        (" a\t= b c ;x", "a", "b c"),
        ("=b", "", "b"),
        ("b", "", "b"),
        ("a=", "a", ""),
        ("a=b=c", "a", "b=c"),
        ("a=\"b\"", "a", "\"b\""),
        ("a=b,c=d", "a", "b,c=d"),
        ("a=b, c", "a", "b, c"),
    ];
    for (field, name, value) in cases {
        let read = one(field);
        assert_eq!(
            (read.name.as_slice(), read.value.as_slice()),
            (name.as_bytes(), value.as_bytes())
        );
    }
    for ignored in [
        "",
        ";",
        "=",
        " ; Path=/",
        "a=b\0c",
        "a\r=b",
        "a=b; Path=/\x7F",
    ] {
        assert_eq!(set_cookies(ignored.as_bytes()), [], "{ignored:?}");
    }
    assert_eq!(set_cookies(b"a=\xFF\xC3\xA4")[0].value, b"\xFF\xC3\xA4");
}

#[test]
fn a_cookie_has_at_most_4096_bytes_and_an_attribute_1024() {
    let fits = format!("a={}", "x".repeat(4095));
    assert_eq!(set_cookies(fits.as_bytes()).len(), 1);
    assert_eq!(set_cookies(format!("{fits}x").as_bytes()), []);
    let path = format!("/{}", "p".repeat(1023));
    assert!(one(&format!("a=b; Path={path}")).path.is_some());
    assert_eq!(one(&format!("a=b; Path={path}p")).path, None);
}

#[test]
fn the_last_attribute_of_a_name_counts_and_a_broken_one_does_not() {
    assert_eq!(
        one("a=b; path=/x; PATH=/y").path.as_deref(),
        Some(&b"/y"[..])
    );
    assert_eq!(one("a=b; Path=/x; Path=y").path, None);
    assert_eq!(one("a=b; Max-Age=5; max-age=x").max_age_seconds, Some(5));
    assert_eq!(one("a=b; Max-Age=-7").max_age_seconds, Some(-7));
    for broken in ["", "-", "+5", "5.0", "5x"] {
        assert_eq!(one(&format!("a=b; Max-Age={broken}")).max_age_seconds, None);
    }
    assert_eq!(
        one(&format!("a=b; Max-Age={}", "9".repeat(40))).max_age_seconds,
        Some(i64::MAX)
    );
    assert_eq!(
        one("a=b; Domain=.Desk.Example").domain.as_deref(),
        Some(&b"desk.example"[..])
    );
    assert_eq!(one("a=b; Domain=").domain, None);
    assert!(one("a=b; sEcUrE=0; httponly").secure);
}

#[test]
fn reads_every_way_of_writing_a_date() {
    let same = 1_445_412_480;
    for date in [
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "Wednesday, 21-Oct-15 07:28:00 GMT",
        "Wed Oct 21 07:28:00 2015",
        "21 oct 2015 7:28:0",
        "2015 21 October 07:28:00 +0200",
    ] {
        assert_eq!(
            one(&format!("a=b; Expires={date}")).expires,
            Some(same),
            "{date}"
        );
    }
    for none in [
        "",
        "0",
        "Wed, 21 Oct 2015",
        "Wed, 21 Oct 2015 24:00:00 GMT",
        "Wed, 31 Feb 2015 07:28:00 GMT",
        "Wed, 21 Oct 1600 07:28:00 GMT",
        "Wed, 21 Oct 20155 07:28:00 GMT",
        "Wed, 121 Oct 15 07:28:00",
    ] {
        assert_eq!(one(&format!("a=b; Expires={none}")).expires, None, "{none}");
    }
    assert_eq!(
        one("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT").expires,
        Some(0)
    );
    assert_eq!(one("a=b; Expires=01 Jan 70 00:00:00").expires, Some(0));
    assert_eq!(
        one("a=b; Expires=01 Jan 69 00:00:00").expires,
        Some(3_124_224_000)
    );
}

#[test]
fn joined_fields_come_apart_after_an_attribute() {
    let joined = "a=1,x; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Path=/, b=2; Path=/b,c=3";
    let cookies = set_cookies(joined.as_bytes());
    assert_eq!(
        pairs(&cookies),
        [pair("a", "1,x"), pair("b", "2"), pair("c", "3")]
    );
    assert_eq!(cookies[0].expires, Some(1_445_412_480));
    assert_eq!(cookies[1].path.as_deref(), Some(&b"/b"[..]));
}

#[test]
fn many_joined_cookies_end_somewhere() {
    let field = "a=1; x, ".repeat(500);
    assert_eq!(set_cookies(field.as_bytes()).len(), COOKIES_OF_A_FIELD_MAX);
}

#[test]
fn reads_set_cookie_2() {
    let field =
        b"Part=\"Rocket, 1; x\"; Version=\"1\"; Path=\"/acme\"; Secure, Ship=FedEx; Max-Age=\"60\"";
    let cookies = set_cookies2(field);
    assert_eq!(
        pairs(&cookies),
        [pair("Part", "\"Rocket, 1; x\""), pair("Ship", "FedEx")]
    );
    assert_eq!(cookies[0].path.as_deref(), Some(&b"/acme"[..]));
    assert!(cookies[0].secure);
    assert_eq!(cookies[1].max_age_seconds, Some(60));
}

proptest! {
    #[test]
    fn no_field_panics_or_makes_a_control_character(field: Vec<u8>) {
        for cookie in set_cookies(&field).iter().chain(&set_cookies2(&field)) {
            let text = [cookie.name.as_slice(), &cookie.value].concat();
            prop_assert!(!text.is_empty() && text.len() <= NAME_AND_VALUE_BYTES_MAX);
            prop_assert!(!text.iter().any(|byte| *byte < b' ' && *byte != b'\t'));
        }
    }

    #[test]
    fn dates_do_not_panic(text in "[0-9:a-zA-Z ,/-]{0,40}") {
        let _date = one(&format!("a=b; Expires={text}"));
    }
}

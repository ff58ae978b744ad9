//! What a jar takes, what it gives, and what it never does.

use super::*;
use crate::set_cookie::set_cookies;

const NOW: u64 = 1_800_000_000_000;

fn at<'o>(host: &'o str, path: &'o str) -> Origin<'o> {
    Origin {
        host,
        path: path.as_bytes(),
        secure: true,
    }
}

const DESK: &str = "desk.corp.example";

fn store(jar: &mut CookieJar, field: &str, origin: Origin<'_>, began_ms: u64) -> Stored {
    let set = set_cookies(field.as_bytes())
        .into_iter()
        .next()
        .expect("a cookie");
    jar.store(set, origin, began_ms)
}

fn set(jar: &mut CookieJar, field: &str) -> Stored {
    store(jar, field, at(DESK, "/app/login"), NOW)
}

fn sent(jar: &CookieJar, origin: Origin<'_>, now_ms: u64) -> String {
    let field = jar.header(origin, now_ms).unwrap_or_default();
    String::from_utf8(field).expect("text")
}

#[test]
fn a_cookie_goes_where_it_belongs() {
    let mut jar = CookieJar::default();
    for field in [
        "host=1",
        "wide=2; Domain=corp.example; Path=/",
        "deep=3; Path=/app/login",
        "all=4; Path=/",
    ] {
        assert_eq!(set(&mut jar, field), Stored::Kept);
    }
    let cases = [
        (DESK, "/app/login", "deep=3; host=1; wide=2; all=4"),
        (DESK, "/app/x", "host=1; wide=2; all=4"),
        (DESK, "/app", "host=1; wide=2; all=4"),
        (DESK, "/apple", "wide=2; all=4"),
        (DESK, "/", "wide=2; all=4"),
        ("corp.example", "/app", "wide=2"),
        ("x.desk.corp.example", "/app", "wide=2"),
        ("evilcorp.example", "/app", ""),
        ("example", "/app", ""),
    ];
    for (host, path, expected) in cases {
        assert_eq!(sent(&jar, at(host, path), NOW), expected, "{host}{path}");
    }
}

#[test]
fn a_secure_cookie_needs_a_secure_connection() {
    let mut jar = CookieJar::default();
    let plain = |path| Origin {
        secure: false,
        ..at(DESK, path)
    };
    assert_eq!(set(&mut jar, "sid=1; Secure; Path=/app"), Stored::Kept);
    assert_eq!(sent(&jar, plain("/app"), NOW), "");
    let refused = Stored::Refused(CookieRefusal::Insecure);
    assert_eq!(store(&mut jar, "x=1; Secure", plain("/"), NOW), refused);
    assert_eq!(
        store(&mut jar, "sid=2; Path=/app/login", plain("/"), NOW),
        refused
    );
    assert_eq!(
        store(&mut jar, "sid=2; Path=/", plain("/"), NOW),
        Stored::Kept
    );
    assert_eq!(sent(&jar, at(DESK, "/app"), NOW), "sid=1; sid=2");
}

#[test]
fn what_a_browser_would_not_take_is_refused() {
    let cases = [
        ("a=b; Domain=other.example", CookieRefusal::Domain),
        ("a=b; Domain=x.desk.corp.example", CookieRefusal::Domain),
        ("a=b; Domain=example", CookieRefusal::Domain),
        ("a=b; Domain=sk.corp.example", CookieRefusal::Domain),
        ("a=b; Domain=ü.example", CookieRefusal::Domain),
        ("__Secure-a=b", CookieRefusal::Prefix),
        ("__Host-a=b; Secure", CookieRefusal::Prefix),
        (
            "__hOst-a=b; Secure; Path=/; Domain=corp.example",
            CookieRefusal::Prefix,
        ),
        ("__Http-a=b; Secure", CookieRefusal::Prefix),
        ("__Host-Http-a=b; Secure; Path=/", CookieRefusal::Prefix),
        ("=__Host-a=b; Secure; Path=/", CookieRefusal::Prefix),
    ];
    let mut jar = CookieJar::default();
    for (field, refusal) in cases {
        assert_eq!(set(&mut jar, field), Stored::Refused(refusal), "{field}");
    }
    for field in [
        "__Secure-a=b; Secure",
        "__Host-a=b; Secure; Path=/",
        "__Host-Http-a=b; Secure; Path=/; HttpOnly",
    ] {
        assert_eq!(set(&mut jar, field), Stored::Kept, "{field}");
    }
    let address = at("10.1.2.3", "/");
    let refused = Stored::Refused(CookieRefusal::Domain);
    assert_eq!(store(&mut jar, "a=b; Domain=2.3", address, NOW), refused);
    assert_eq!(
        store(&mut jar, "a=b; Domain=10.1.2.3", address, NOW),
        Stored::Kept
    );
    let local = at("localhost", "/");
    assert_eq!(
        store(&mut jar, "l=b; Domain=localhost", local, NOW),
        Stored::Kept
    );
    assert_eq!(sent(&jar, at("x.localhost", "/"), NOW), "");
}

#[test]
fn a_cookie_ends_when_it_says_and_after_400_days_at_most() {
    let mut jar = CookieJar::default();
    assert_eq!(
        set(
            &mut jar,
            "a=1; Max-Age=60; Expires=Wed, 21 Oct 2015 07:28:00 GMT"
        ),
        Stored::Kept
    );
    assert_eq!(set(&mut jar, "b=1; Max-Age=9999999999"), Stored::Kept);
    assert_eq!(set(&mut jar, "c=1"), Stored::Kept);
    let origin = at(DESK, "/app");
    assert_eq!(sent(&jar, origin, NOW + 59_999), "a=1; b=1; c=1");
    assert_eq!(sent(&jar, origin, NOW + 60_000), "b=1; c=1");
    assert_eq!(sent(&jar, origin, NOW + LIFE_MS_MAX - 1), "b=1; c=1");
    assert_eq!(sent(&jar, origin, NOW + LIFE_MS_MAX), "c=1");
}

#[test]
fn the_answer_that_began_later_counts() {
    let mut jar = CookieJar::default();
    let origin = at(DESK, "/");
    assert_eq!(store(&mut jar, "a=2", origin, NOW + 20), Stored::Kept);
    assert_eq!(store(&mut jar, "a=1", origin, NOW + 10), Stored::Superseded);
    assert_eq!(
        store(&mut jar, "a=; Max-Age=0", origin, NOW + 30),
        Stored::Removed
    );
    assert_eq!(sent(&jar, origin, NOW + 30), "");
    assert_eq!(store(&mut jar, "a=2", origin, NOW + 20), Stored::Superseded);
    assert_eq!(sent(&jar, origin, NOW + 30), "");
    assert!(jar.cookies().iter().all(|cookie| cookie.value.is_empty()));
    assert_eq!(store(&mut jar, "a=3", origin, NOW + 40), Stored::Kept);
    assert_eq!(sent(&jar, origin, NOW + 40), "a=3");
}

#[test]
fn a_removed_cookie_is_forgotten_in_the_end() {
    let mut jar = CookieJar::default();
    assert_eq!(set(&mut jar, "a=1; Max-Age=0"), Stored::Removed);
    let origin = at(DESK, "/app/login");
    store(&mut jar, "b=1", origin, NOW + REMEMBERED_MS - 1);
    assert_eq!(jar.cookies().len(), 2);
    store(&mut jar, "b=1", origin, NOW + REMEMBERED_MS);
    assert_eq!(jar.cookies().len(), 1);
}

#[test]
fn a_new_value_keeps_its_place_in_the_order() {
    let mut jar = CookieJar::default();
    let origin = at(DESK, "/");
    for (field, began) in [("a=1", 0), ("b=1", 1), ("a=2", 2)] {
        store(&mut jar, field, origin, NOW + began);
    }
    assert_eq!(sent(&jar, origin, NOW + 3), "a=2; b=1");
}

#[test]
fn a_jar_is_bounded_in_cookies_and_in_bytes() {
    let mut jar = CookieJar::default();
    let origin = at(DESK, "/");
    store(&mut jar, "gone=1; Max-Age=0", origin, NOW + 500);
    for number in 0..COOKIES_MAX as u64 {
        store(&mut jar, &format!("c{number}=v"), origin, NOW + number);
    }
    assert_eq!(jar.cookies().len(), COOKIES_MAX);
    assert!(jar.cookies().iter().all(|cookie| cookie.name != b"gone"));
    store(&mut jar, "one-more=v", origin, NOW + 501);
    assert_eq!(jar.cookies().len(), COOKIES_MAX);
    assert!(jar.cookies().iter().all(|cookie| cookie.name != b"c0"));
    for number in 0..20 {
        let large = format!("large{number}={}", "x".repeat(4000));
        store(&mut jar, &large, origin, NOW + 600 + number);
    }
    let bytes: usize = jar.cookies().iter().map(Cookie::bytes).sum();
    assert!(bytes <= JAR_BYTES_MAX && bytes > JAR_BYTES_MAX - 4100);
    let again = CookieJar::from_cookies(jar.cookies().to_vec());
    assert!(again == jar);
}

#[test]
fn nothing_of_a_cookie_is_shown() {
    let mut jar = CookieJar::default();
    set(&mut jar, "name=value");
    let shown = format!("{jar:?} {:?} {:?}", jar.cookies(), at("host", "/path"));
    assert_eq!(shown, "CookieJar(1 cookies) [Cookie] Origin");
}

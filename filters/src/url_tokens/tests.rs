//! URLs as applications write them, encoded once and again, each with what is left of it.

use super::*;
use crate::token_rules::samples::{names, none};

const TOKEN: &str = "A1b2C3d4E5f6G7h8I9j0K";

fn with(url: &str, instead: &Instead) -> String {
    let left = without_tokens(url.as_bytes(), &none(), &mut |_| instead.clone());
    String::from_utf8(left.unwrap_or_else(|| url.into())).expect("text")
}

fn stripped(url: &str) -> String {
    with(&url.replace("TOKEN", TOKEN), &Instead::Strip)
}

#[test]
fn parameters_that_carry_a_session_are_stripped() {
    let cases = [
        ("/cases;jsessionid=TOKEN", "/cases"),
        ("/cases;JSESSIONID=TOKEN/7;v=1?q=2", "/cases/7;v=1?q=2"),
        ("/cases;jsessionid=TOKEN?q=2", "/cases?q=2"),
        (
            "https://desk.example/a;sid=TOKEN#top",
            "https://desk.example/a#top",
        ),
        ("/a?sid=TOKEN", "/a"),
        ("/a?sid=TOKEN&b=1", "/a?b=1"),
        ("/a?b=1&sid=TOKEN", "/a?b=1"),
        ("/a?b=1&access_token=TOKEN&c=2", "/a?b=1&c=2"),
        ("/a?b=1;sid=TOKEN;c=2", "/a?b=1;c=2"),
        (
            "/cb#access_token=TOKEN&token_type=bearer",
            "/cb#token_type=bearer",
        ),
        ("/app#/view?token=TOKEN&x=1", "/app#/view?x=1"),
        ("?code=TOKEN&state=TOKEN&x=1", "?x=1"),
        ("/a?%73id=TOKEN", "/a"),
        ("/a?token=ab%2Fcd%3D%3D1&b=2", "/a?b=2"),
        ("/a%3Bjsessionid%3DTOKEN", "/a"),
        ("/a%253bjsessionid%253dTOKEN", "/a"),
        (
            "/login?next=%2Fa%3Bjsessionid%3DTOKEN%3Fx%3D1&y=2",
            "/login?next=%2Fa%3Fx%3D1&y=2",
        ),
        (
            "/login?next=%252Fa%253Fsid%253DTOKEN%2526x%253D1",
            "/login?next=%252Fa%253Fx%253D1",
        ),
        ("sid=TOKEN", ""),
    ];
    for (url, left) in cases {
        assert_eq!(stripped(url), left, "{url}");
    }
}

#[test]
fn a_parameter_of_a_path_is_told_from_one_of_a_query() {
    let path = [
        "/cases;sid=TOKEN",
        "/a;v=1;sid=TOKEN/b?x=1",
        "/login?next=%2Fa%3Bsid%3DTOKEN",
        "/a?u=%2F%3Fb&v=%2Fc%3Bsid%3DTOKEN",
    ];
    let elsewhere = [
        "/a?sid=TOKEN",
        "/a?b=1;sid=TOKEN",
        "/a#b;sid=TOKEN",
        "sid=TOKEN",
        "/a?n=%2Fb%3Fc%3D1%3Bsid%3DTOKEN",
    ];
    let all = path.map(|url| (url, Why::PathParameter)).into_iter();
    for (url, why) in all.chain(elsewhere.map(|url| (url, Why::Name))) {
        let url = url.replace("TOKEN", TOKEN);
        let mut found = Vec::new();
        without_tokens(url.as_bytes(), &none(), &mut |token| {
            found.push(token.why);
            Instead::Strip
        });
        assert_eq!(found, [why], "{url}");
    }
}

#[test]
fn a_token_is_known_by_its_shape_under_any_name() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYl";
    assert_eq!(with(&format!("/a?x={jwt}&y=1"), &Instead::Strip), "/a?y=1");
}

#[test]
fn what_is_no_token_stays() {
    for url in [
        "/cases?state=open&code=DE&key=name&ticket=HELP-1",
        "/cases;v=1/7?sid=&token=",
        "/cases?side=TOKEN&page_token=TOKEN",
        "/sid/TOKEN",
        "/100%/%zz%2/a%3",
        "mailto:a@b.example",
        "",
    ] {
        let url = url.replace("TOKEN", TOKEN);
        assert_eq!(
            without_tokens(url.as_bytes(), &none(), &mut |_| Instead::Strip),
            None,
            "{url}"
        );
    }
}

#[test]
fn a_text_takes_the_place_of_a_value_in_its_encoding() {
    let text = Instead::Text("pnp_x/y".to_owned());
    assert_eq!(with("/a?sid=abcdef&b=1", &text), "/a?sid=pnp_x%2Fy&b=1");
    assert_eq!(
        with("/a?n=%3Fsid%3Dabcdef", &text),
        "/a?n=%3Fsid%3Dpnp_x%252Fy"
    );
    assert_eq!(with("/a?sid=abcdef", &Instead::Keep), "/a?sid=abcdef");
}

#[test]
fn the_keeper_sees_decoded_names_and_values() {
    let mut seen = Vec::new();
    let url = b"/a?next=%2Fb%3Faccess%255Ftoken%3Dx%252Fy%253D123";
    without_tokens(url, &none(), &mut |found| {
        seen.push((
            found.name.unwrap_or_default().to_vec(),
            found.value.to_vec(),
        ));
        Instead::Keep
    });
    assert_eq!(seen, [(b"access_token".to_vec(), b"x/y=123".to_vec())]);
}

#[test]
fn header_fields_are_searched_where_their_urls_are() {
    let url = "/a;jsessionid=abcdef";
    let cases = [
        ("location", url.to_owned(), Some("/a".to_owned())),
        (
            "Refresh",
            format!("5; URL={url}"),
            Some("5; URL=/a".to_owned()),
        ),
        ("Refresh", "5".to_owned(), None),
        (
            "Link",
            format!("<{url}>; rel=next, </b>; title=\"sid=abcdef\""),
            Some("</a>; rel=next, </b>; title=\"sid=abcdef\"".to_owned()),
        ),
        ("hx-push-url", url.to_owned(), Some("/a".to_owned())),
        ("X-Other", url.to_owned(), None),
    ];
    for (name, value, expected) in cases {
        let left = header_without_tokens(name, value.as_bytes(), &none(), &mut |_| Instead::Strip);
        let left = left.map(|left| String::from_utf8(left).expect("text"));
        assert_eq!(left, expected, "{name}: {value}");
    }
}

#[test]
fn a_parameter_that_the_policy_names_is_a_token_in_paths_and_queries() {
    let own = names("{ query: [desk-ref, 'pass_*'] }");
    let url = "/a;desk-ref=agent-7?x=1&PASS_key=agent-8&desk_ref=agent-9&page=agent-10";
    let left = without_tokens(url.as_bytes(), &own, &mut |_| Instead::Strip).expect("tokens");
    let left = String::from_utf8(left).expect("text");
    assert_eq!(left, "/a?x=1&desk_ref=agent-9&page=agent-10");
    let location = header_without_tokens("Location", url.as_bytes(), &own, &mut |_| Instead::Strip);
    assert_eq!(location.as_deref(), Some(left.as_bytes()));
    let builtin = without_tokens(url.as_bytes(), &none(), &mut |_| Instead::Strip);
    assert_eq!(builtin, None);
}

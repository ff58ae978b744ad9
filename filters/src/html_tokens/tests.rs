//! Pages of real applications, and tags written in every way HTML has.

use super::*;
use crate::token_rules::samples::{names, none};

const TOKEN: &str = "57HloGzEswmMEM4r7A2DRyZWklAjbtioFPrKXEaUtMg9V21eh6rEP5Nb2Yh9DGO4";

fn swept(chunks: &[&[u8]]) -> String {
    let mut sweep = HtmlTokens::new(none(), |_: FoundToken<'_>| {
        Instead::Text("pnp\"&".to_owned())
    });
    let mut out = Vec::new();
    for chunk in chunks {
        sweep.push(chunk, &mut out).expect("not spent");
        assert!(sweep.held.len() <= TAG_BYTES_MAX);
    }
    sweep.finish(&mut out).expect("not spent");
    String::from_utf8(out).expect("text")
}

fn whole(text: &str) -> String {
    swept(&[text.as_bytes()])
}

/// A text, where `@T` is a token, and what is left of it: `@P` a placeholder, `@U` one in a URL, `@J` one in JSON.
const FOUND: [(&str, &str); 17] = [
    (
        r#"<script type="application/json">{"csrfToken": "@T"}</script><b>"#,
        r#"<script type="application/json">{"csrfToken": "@J"}</script><b>"#,
    ),
    (
        r#"<input type="hidden" name="csrfmiddlewaretoken" value="@T">"#,
        r#"<input type="hidden" name="csrfmiddlewaretoken" value="@P">"#,
    ),
    (
        "<p>a <INPUT VALUE='@T' NAME=csrfToken/> b",
        "<p>a <INPUT VALUE='@P' NAME=csrfToken/> b",
    ),
    (
        r#"<input id="@csrf" name="@csrf" type="hidden" value="@T">"#,
        r#"<input id="@csrf" name="@csrf" type="hidden" value="@P">"#,
    ),
    (
        "<input name=csrf value=@T>",
        r#"<input name=csrf value="@P">"#,
    ),
    (
        "<input id=session_token value=@T disabled>",
        r#"<input id=session_token value="@P" disabled>"#,
    ),
    (
        r#"<meta name="csrf-token" content="@T" />"#,
        r#"<meta name="csrf-token" content="@P" />"#,
    ),
    (
        r#"<meta http-equiv=refresh content="3; url=/a?sid=@T">"#,
        r#"<meta http-equiv=refresh content="3; url=/a?sid=@U">"#,
    ),
    (
        r#"<body data-api-key = "@T">"#,
        r#"<body data-api-key = "@P">"#,
    ),
    (
        r#"<form action="/a;jsessionid=@T" method=post>"#,
        r#"<form action="/a;jsessionid=@U" method=post>"#,
    ),
    (
        "<a href='/a?x=1&amp;sid=@T&amp;y=2'>",
        "<a href='/a?x=1&amp;sid=@U&amp;y=2'>",
    ),
    ("<a\nhref = /a?sid=@T>", "<a\nhref = \"/a?sid=@U\">"),
    (
        r#"<script src="/a.js?access_token=@T">if (a<b) '<input name=csrf value=@T>'</script>"#,
        r#"<script src="/a.js?access_token=@U">if (a<b) '<input name=csrf value=@T>'</script>"#,
    ),
    (
        r#"<!-- <input name=csrf value=@T> --><input name=csrf value="@T">"#,
        r#"<!-- <input name=csrf value=@T> --><input name=csrf value="@P">"#,
    ),
    (
        r#"<textarea><a href=?sid=@T></textarea ><a href="?sid=@T">"#,
        r#"<textarea><a href=?sid=@T></textarea ><a href="?sid=@U">"#,
    ),
    (
        r#"<title></titles></title><a href="?sid=@T">"#,
        r#"<title></titles></title><a href="?sid=@U">"#,
    ),
    (
        r#"a < b <> </ > <1 <img alt='>' src="?sid=@T""#,
        r#"a < b <> </ > <1 <img alt='>' src="?sid=@U""#,
    ),
];

fn filled(text: &str) -> String {
    text.replace("@T", TOKEN)
        .replace("@P", "pnp&#34;&amp;")
        .replace("@U", "pnp%22%26")
        .replace("@J", "pnp\\\"&")
}

#[test]
fn tokens_are_found_in_tags_and_nowhere_else() {
    for (text, left) in FOUND {
        let (text, left) = (filled(text), filled(left));
        assert_eq!(whole(&text), left);
    }
}

#[test]
fn splitting_does_not_matter() {
    for (text, left) in FOUND {
        let (text, left) = (filled(text), filled(left));
        for split in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(split);
            assert_eq!(swept(&[first, second]), left, "split at {split}");
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(swept(&bytes), left);
    }
}

#[test]
fn everything_else_stays_byte_for_byte() {
    for text in [
        "<input type=hidden name=__VIEWSTATE value=\"@T\">",
        "<input name=q value=\"@T\"><input name=csrf value=\"\"><script nonce=\"@T\">",
        "<meta name=description content=\"@T\"><a href=\"/cases?state=open\">@T</a>",
        "<!DOCTYPE html><br/><a b='c\"d' e = f g>&amp;&#x3c;</a ><",
        "<a href=\"unended",
        "<!--",
        "</",
        "",
    ] {
        let text = filled(text);
        assert_eq!(whole(&text), text);
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(swept(&bytes), text);
    }
}

#[test]
fn a_value_that_is_too_long_streams_by() {
    for quote in ["\"", ""] {
        let picture = format!("data:image/png;base64,{}", "A/".repeat(TAG_BYTES_MAX));
        let text = format!("<img src={quote}{picture}{quote} data-token=\"{TOKEN}\"><b>");
        let left = text.replace(TOKEN, "pnp&#34;&amp;");
        assert_eq!(whole(&text), left);
        for size in [1000, 4096, 70_000] {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(swept(&chunks), left);
        }
    }
}

#[test]
fn the_keeper_sees_values_without_references() {
    let mut seen = Vec::new();
    let mut sweep = HtmlTokens::new(none(), |found: FoundToken<'_>| {
        seen.push(found.value.to_vec());
        Instead::Strip
    });
    let mut out = Vec::new();
    let text = b"<input name=csrf value=\"a&#x2F;b&amp;c&#43;&eacute;\"><i>";
    sweep.push(text, &mut out).expect("not spent");
    sweep.finish(&mut out).expect("not spent");
    assert_eq!(sweep.push(b"", &mut out), Err(BodyError::Spent));
    assert_eq!(out, b"<input name=csrf value=\"\"><i>");
    assert_eq!(seen, [b"a/b&c+&eacute;"]);
}

#[test]
fn what_the_policy_names_is_a_token_in_fields_attributes_urls_and_scripts() {
    let own = names("{ json: desk_ref, query: entry, cookies: desk_cookie }");
    let text = r#"<input type=hidden name="deskRef" value="agent-7"><meta name=desk_cookie content="agent-8">
        <input name=entry value="agent-9"><b data-desk-ref="agent-7">x</b><a href="/a?entry=agent-7&amp;b=1">y</a>
        <script>let a = {"desk_ref": "agent-7", "entry": "stays"};</script><input name=desk value="agent-7">"#;
    let read = |names| {
        let mut sweep = HtmlTokens::new(names, |_: FoundToken<'_>| Instead::Strip);
        let mut out = Vec::new();
        sweep.push(text.as_bytes(), &mut out).expect("not spent");
        sweep.finish(&mut out).expect("not spent");
        String::from_utf8(out).expect("text")
    };
    let expected = r#"<input type=hidden name="deskRef" value=""><meta name=desk_cookie content="">
        <input name=entry value=""><b data-desk-ref="">x</b><a href="/a?b=1">y</a>
        <script>let a = {"desk_ref": "", "entry": "stays"};</script><input name=desk value="agent-7">"#;
    assert_eq!(read(own), expected);
    assert_eq!(read(none()), text);
}

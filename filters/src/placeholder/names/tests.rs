//! Texts as clients and as whoever wants a token in a wrong place write them, each with the name beside its placeholder.

use super::*;

/// The name beside the first placeholder, which `P` stands for.
fn name(place: Place, text: &str) -> Option<String> {
    let placeholder = Placeholder::new([7; 16]).to_string();
    let text = text.replace('P', &placeholder);
    let at = text.find(&placeholder).expect("a placeholder");
    let names = Names::of(place, text.as_bytes());
    let name = names.beside(at)?;
    Some(String::from_utf8(name.into_owned()).expect("text"))
}

fn is(place: Place, text: &str, expected: &str) {
    assert_eq!(name(place, text).as_deref(), Some(expected), "{text}");
}

fn is_none(place: Place, text: &str) {
    assert_eq!(name(place, text), None, "{text}");
}

#[test]
fn a_member_is_named_by_the_string_before_its_colon() {
    is(Place::Json, r#"{"refresh_token":"P"}"#, "refresh_token");
    is(Place::Json, "{\"a\":1,\"t\" \r\n:\t\"P\"}", "t");
    is(Place::Json, r#"[{"x":[{"t":"Bearer P"}]}]"#, "t");
    is(Place::Json, r#"{"a\"b\\":"P"}"#, r#"a"b\"#);
    is(Place::Json, r#"{"\u0074oken":"P"}"#, "token");
    is(Place::Json, r#"{"t":"x","t":"P"}"#, "t");
    is(Place::Json, "{}\n{\"t\":\"P\"}\n", "t");
    is(Place::Json, r#"{"":"P"}"#, "");
    let long = "n".repeat(NAME_BYTES_MAX + 1);
    is(Place::Json, &format!(r#"{{"{long}":"P"}}"#), &long);
    let quotes = r#"\""#.repeat(NAME_BYTES_MAX);
    is_none(Place::Json, &format!(r#"{{"{quotes}":"P"}}"#));
}

#[test]
fn what_only_looks_like_a_member_has_no_name() {
    for text in [
        r#"{"comment":"{\"token\":\"P\"}"}"#,
        r#"{"comment":"\",\"token\":\"P"}"#,
        r#"{"comment":"\\\",\\\"token\\\":\\\"P"}"#,
        r#"{"comment":"token: P"}"#,
        r#"{"token":" P"}"#,
        r#"{"token":"P "}"#,
        r#"{"token":"PP"}"#,
        r#"{"token":"Bearer  P"}"#,
        r#"{"token":"Beard P"}"#,
        r#"{"P":"token"}"#,
        r#"{"token":["P"]}"#,
        r#"["token","P"]"#,
        r#"["token",":","P"]"#,
        r#""P""#,
        r#"{"comment":'","token":"P"'}"#,
        r#"{"comment":"x"/*","token":"P"*/}"#,
        r#"comment=","token":"P""#,
        r#"{"comment":"x":"P"}"#,
        r#"{"token":"P""#,
        r#""token":"P""#,
    ] {
        is_none(Place::Json, text);
    }
}

#[test]
fn a_pair_is_named_by_what_stands_before_its_first_equals_sign() {
    for (text, expected) in [
        ("csrf=P", "csrf"),
        ("a=1&csrf=P&b=2", "csrf"),
        ("user%5Ftoken=P", "user_token"),
        ("my+token=Bearer+P", "my token"),
        ("t=Token%20P", "t"),
        ("a=?token=P&t=P", ""),
    ] {
        match expected {
            "" => is_none(Place::Form, text),
            expected => is(Place::Form, text, expected),
        }
    }
    is(Place::Url, "/a?sid=P&tab=1", "sid");
    is(Place::Url, "/a?b=c?d&sid=P", "sid");
    is(Place::Url, "/?a/b=1&%73id=P", "sid");
}

#[test]
fn what_only_looks_like_a_pair_has_no_name() {
    for text in [
        "P",
        "comment=token=P",
        "comment=x%26token%3DP",
        "comment=x;token=P",
        "x;token=P",
        "comment=x%0Atoken=P",
        "token=P+",
        "token=P%00",
        "token=P;a=1",
        "token=P#",
        "token=+P",
        "token=PP",
        "P=token",
    ] {
        is_none(Place::Form, text);
        is_none(Place::Url, &format!("/a?{text}"));
    }
    is_none(Place::Form, &format!("{}=P", "n".repeat(NAME_BYTES_MAX)));
    for text in [
        "/token=P",
        "/a&token=P",
        "/P?x",
        "/a;sid=P?x",
        "/a?next=/b?sid=P",
        "/a?next=%2Fb%3Fsid%3DP",
    ] {
        is_none(Place::Url, text);
    }
}

#[test]
fn an_element_and_an_attribute_have_their_local_names() {
    for text in [
        "<t>P</t>",
        "<?xml version=\"1.0\"?>\n<a><b/><!-- <x> --><s:t xmlns:s='u'>\n P\n</s:t></a>",
        "<a t=\"P\"/>",
        "<a b='>' x:t='Bearer P'>c</a>",
        "<a><![CDATA[<x>]]><t>P</t></a>",
        "<a>x<t>P</t>y</a>",
    ] {
        is(Place::Xml, text, "t");
    }
}

#[test]
fn what_only_looks_like_an_element_has_no_name() {
    for text in [
        "P",
        "<comment>&lt;t>P&lt;/t></comment>",
        "<comment>t=\"P\"</comment>",
        "<comment><![CDATA[<t>P</t>]]></comment>",
        "<comment><![CDATA[<a t=\"P\"/>]]></comment>",
        "<comment text='t=\"P\"'/>",
        "<comment text='<t>P</t>'/>",
        "<comment><!--><t>P</t>--></comment>",
        "<comment><!-- <t>P</t>",
        "<?x <t>P</t>?>",
        "<!doctype a [<!ENTITY x '<t>P</t>'>]><a>&x;<t>P</t></a>",
        "<t>x P</t>",
        "<t>P<b/></t>",
        "<t>P</tt>",
        "<t>P",
        "<t/>P</t>",
        "</t>P</t>",
        "<a t=P>",
    ] {
        is_none(Place::Xml, text);
    }
}

#[test]
fn no_other_text_says_what_its_values_are_called() {
    for place in [Place::Plain, Place::Header] {
        is_none(place, "token=P");
        is_none(place, r#"{"token":"P"}"#);
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    let placeholder = Placeholder::new([7; 16]).to_string();
    for (place, piece) in [
        (Place::Form, format!("t={placeholder}x")),
        (Place::Url, format!("?t={placeholder}x")),
        (
            Place::Json,
            format!("\"{}{placeholder}\",", "\\\\".repeat(30)),
        ),
        (Place::Xml, format!("<t>{placeholder}<b a='")),
    ] {
        let text = format!("[{}1]", piece.repeat(20_000));
        let names = Names::of(place, text.as_bytes());
        let found =
            memmem::find_iter(text.as_bytes(), "pnp_").filter(|at| names.beside(*at).is_some());
        assert_eq!(found.count(), 0);
    }
}

//! XML as services write it, split everywhere.

use super::*;
use crate::token_rules::samples::{names, none};

const TOKEN: &str = "A1b2C3d4E5f6G7h8I9j0K";

fn swept(chunks: &[&[u8]]) -> Result<String, BodyError> {
    let instead = |_: FoundToken<'_>| Instead::Text("pnp\"<".to_owned());
    let mut filter = XmlTokens::new(none(), instead);
    let mut out = Vec::new();
    for chunk in chunks {
        filter.push(chunk, &mut out)?;
    }
    filter.finish(&mut out)?;
    Ok(String::from_utf8(out).expect("text"))
}

/// What is left of a text, however it is split.
fn whole(text: &str) -> Result<String, BodyError> {
    let left = swept(&[text.as_bytes()]);
    for split in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(split);
        assert_eq!(swept(&[first, second]), left, "{split} of {text}");
    }
    assert_eq!(swept(&text.as_bytes().chunks(1).collect::<Vec<_>>()), left);
    left
}

#[test]
fn tokens_are_found_by_the_names_of_elements_and_attributes() {
    let cases = [
        "<wsse:BinarySecurityToken EncodingType=\"x\">TOKEN</wsse:BinarySecurityToken>",
        "<a><b/><SessionID> TOKEN\n</SessionID></a>",
        "<ns1:sessionHeader xmlns:ns1='u'>TOKEN</ns1:sessionHeader>",
        "<SessionHeader><sessionId>TOKEN</sessionId><x>1</x></SessionHeader>",
        "<token><![CDATA[TOKEN]]></token>",
        "<login ok=\"true\" token=\"TOKEN\" user='x'/>",
        "<login s:sessionID='TOKEN'>text</login>",
        "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><!-- > --><csrf_token>TOKEN</csrf_token>",
    ];
    for text in cases {
        let left = whole(&text.replace("TOKEN", TOKEN)).expect("complete");
        let expected = text
            .replace("<![CDATA[TOKEN]]>", "TOKEN")
            .replace(" TOKEN\n", "TOKEN")
            .replace("TOKEN", "pnp&#34;&lt;");
        assert_eq!(left, expected);
    }
    let lines = "<BinarySecurityToken>A1b2C3d4\r\n  E5f6</BinarySecurityToken>";
    let expected = "<BinarySecurityToken>pnp&#34;&lt;</BinarySecurityToken>";
    assert_eq!(whole(lines).as_deref(), Ok(expected));
}

#[test]
fn what_is_no_token_stays_byte_for_byte() {
    for text in [
        "",
        "no XML < at > all & more",
        "<a>A1b2C3d4E5f6G7h8I9j0K</a>",
        "<token>This field is required.</token>",
        "<token/>A1b2C3d4E5f6G7h8I9j0K",
        "<token></token>",
        "<sessionId>abc</sessionId>",
        "<sessionHeader>\n <user>A1b2C3d4E5</user>\n</sessionHeader>",
        "<!-- <token>A1b2C3d4E5f6G7h8I9j0K</token> -->",
        "<a><![CDATA[<token>A1b2C3d4E5f6G7h8I9j0K</token>]]></a>",
        "<a token=\"is required\" state=\"open\" b = 'c>d'/>",
        "<Assertion>the <b>text</b> of a test</Assertion>",
        "<svg><path d=\"M0 0\"/></svg",
        "</token>A1b2C3d4E5f6G7h8I9j0K<",
    ] {
        assert_eq!(whole(text).as_deref(), Ok(text));
    }
}

#[test]
fn an_assertion_leaves_empty() {
    let inside = "<saml:Subject>x</saml:Subject><!-- </saml:Assertion> --><saml:Assertion>y<token>A1b2C3d4</token>\
        </saml:Assertion><saml:Assertion/><![CDATA[</saml:Assertion>]]>";
    let text = format!("<r><saml:Assertion ID=\"1\">{inside}</saml:Assertion><b>c</b></r>");
    let expected = "<r><saml:Assertion ID=\"1\"></saml:Assertion><b>c</b></r>";
    assert_eq!(whole(&text).as_deref(), Ok(expected));
    let declared =
        "<EncryptedAssertion xmlns='urn:oasis:names:tc:SAML:2.0:assertion'>x</EncryptedAssertion>";
    assert_eq!(whole(declared), Ok(declared.replace(">x<", "><")));
}

#[test]
fn what_has_not_ended_does_not_leave() {
    for text in [
        "<token>A1b2C3d4E5f6G7h8I9j0K",
        "<token>A1b2C3d4E5f6G7h8I9j0K<",
        "<saml:Assertion>A1b2C3d4E5f6G7h8I9j0K</saml:Asser",
    ] {
        assert_eq!(whole(text), Err(BodyError::Incomplete), "{text}");
    }
    let mut filter = XmlTokens::new(none(), |_: FoundToken<'_>| Instead::Keep);
    let mut out = Vec::new();
    filter.push(b"<token>A1b2", &mut out).expect("not spent");
    assert_eq!(out, b"<token>");
    assert_eq!(filter.finish(&mut out), Err(BodyError::Incomplete));
    assert_eq!(filter.push(b"<", &mut out), Err(BodyError::Spent));
}

#[test]
fn what_is_held_is_bounded() {
    let picture = "A/".repeat(TAG_BYTES_MAX);
    let cases = [
        (
            format!("<i d=\"{picture}>\" e='>'><token>{TOKEN}</token>"),
            format!("<i d=\"{picture}>\" e='>'><token>pnp&#34;&lt;</token>"),
        ),
        (
            format!("<token>{picture}</token><token>{TOKEN}</token>"),
            "<token></token><token>pnp&#34;&lt;</token>".to_owned(),
        ),
    ];
    for (text, expected) in cases {
        for size in [1000, 4096, 70_000, usize::MAX] {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(swept(&chunks).as_ref(), Ok(&expected), "{size}");
        }
    }
}

#[test]
fn the_keeper_sees_values_as_they_are_read() {
    let mut seen = Vec::new();
    let mut filter = XmlTokens::new(none(), |found: FoundToken<'_>| {
        let name = found.name.unwrap_or_default().to_vec();
        seen.push((name, found.value.to_vec()));
        Instead::Keep
    });
    let text = b"<a:sid>a&#x2F;b<![CDATA[<&amp;]]>&amp;c</a:sid><b x:token='1&quot;2345'/>";
    let mut out = Vec::new();
    filter.push(text, &mut out).expect("not spent");
    filter.finish(&mut out).expect("complete");
    assert_eq!(out, text);
    let expected = [
        (b"sid".to_vec(), b"a/b<&amp;&c".to_vec()),
        (b"token".to_vec(), b"1\"2345".to_vec()),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn an_element_or_an_attribute_that_the_policy_names_is_a_token() {
    let own = names("{ json: desk_ref }");
    let text = "<a><ns:DeskRef>agent-7</ns:DeskRef><b desk-ref=\"agent-8\" ref=\"agent-9\"/><desk>agent-7</desk></a>";
    let read = |names| {
        let mut filter = XmlTokens::new(names, |_: FoundToken<'_>| Instead::Strip);
        let mut out = Vec::new();
        filter.push(text.as_bytes(), &mut out).expect("not spent");
        filter.finish(&mut out).expect("complete");
        String::from_utf8(out).expect("text")
    };
    let expected =
        "<a><ns:DeskRef></ns:DeskRef><b desk-ref=\"\" ref=\"agent-9\"/><desk>agent-7</desk></a>";
    assert_eq!(read(own), expected);
    assert_eq!(read(none()), text);
}

//! Tables of offers and answers, with the key and the answer that RFC 6455 section 1.3 gives.

use super::*;
use crate::hygiene::{HeadLimits, HostRule, clean_h1};

const OFFER: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const CHOICES: &str = "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Protocol: plain\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
const ANSWER: &str = "Connection: upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

fn read(lines: &str) -> Result<Handshake, Refusal> {
    let limits = HeadLimits {
        header_bytes: 4096,
        header_count: 32,
        target_bytes: 64,
    };
    let raw = format!("GET /x HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n");
    let request = clean_h1(raw.as_bytes(), limits, &HostRule::default()).unwrap();
    Handshake::read(&request)
}

fn judge(offer: &str, status: u16, lines: &str) -> Result<Accepted, Unsound> {
    let raw = format!("HTTP/1.1 {status} X\r\n{lines}\r\n");
    let head = ResponseHead::read(raw.as_bytes()).unwrap();
    read(offer).unwrap().accepted(&head)
}

#[test]
fn tells_an_offer_in_one_form() {
    let mut head = HeaderMap::new();
    let offer = read(&format!("{OFFER}{CHOICES}")).unwrap();
    offer.offer(&mut head).unwrap();
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "chat, superchat, plain"),
        (
            "sec-websocket-extensions",
            "permessage-deflate; client_max_window_bits",
        ),
    ] {
        let values: Vec<_> = head.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name}");
    }
}

#[test]
fn refuses_offers_that_are_no_handshake() {
    for (from, to) in [
        ("keep-alive, Upgrade", "keep-alive"),
        ("Upgrade: WebSocket", "Upgrade: h2c"),
        ("Upgrade: WebSocket", "Upgrade: WebSocket, h2c"),
        ("Version: 13", "Version: 8"),
        ("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="),
        ("Sec-WebSocket-Key", "X-Key"),
    ] {
        assert!(OFFER.contains(from));
        assert!(read(&OFFER.replace(from, to)).is_err(), "{to}");
    }
    for more in [
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Protocol: chat,,plain\r\n",
        "Sec-WebSocket-Protocol: \u{e9}\r\n",
        "Transfer-Encoding: chunked\r\n",
    ] {
        assert!(read(&format!("{OFFER}{more}")).is_err(), "{more}");
    }
}

#[test]
fn passes_on_what_the_upstream_chose_from_the_offer() {
    let offer = format!("{OFFER}{CHOICES}");
    let plain = judge(&offer, 101, ANSWER).unwrap();
    assert_eq!((plain.protocol, plain.extensions), (None, None));
    let lines = format!(
        "{ANSWER}Sec-WebSocket-Protocol: plain\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\
         Set-Cookie: a=b\r\n"
    );
    let mut head = ResponseHeader::build(101, None).unwrap();
    judge(&offer, 101, &lines).unwrap().tell(&mut head).unwrap();
    assert_eq!(head.headers["sec-websocket-protocol"], "plain");
    assert_eq!(
        head.headers["sec-websocket-extensions"],
        "permessage-deflate"
    );
    assert_eq!(
        head.headers["sec-websocket-accept"],
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
    assert!(!head.headers.contains_key("set-cookie"));
}

#[test]
fn believes_no_answer_to_another_offer() {
    let offer = format!("{OFFER}{CHOICES}");
    for more in [
        "Sec-WebSocket-Protocol: other\r\n",
        "Sec-WebSocket-Protocol: Chat\r\n",
        "Sec-WebSocket-Protocol: chat, plain\r\n",
        "Sec-WebSocket-Extensions: x-unheard\r\n",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n",
    ] {
        let judged = judge(&offer, 101, &format!("{ANSWER}{more}"));
        assert!(judged.is_err(), "{more}");
    }
    for (from, to) in [
        (
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "s3pplmbitxaq9kygzzhzrbk+xoo=",
        ),
        ("Sec-WebSocket-Accept", "X-Accept"),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("Connection: upgrade", "Connection: close"),
    ] {
        assert!(ANSWER.contains(from));
        assert!(
            judge(&offer, 101, &ANSWER.replace(from, to)).is_err(),
            "{to}"
        );
    }
    assert!(judge(&offer, 200, ANSWER).is_err());
    let nothing_offered = format!("{ANSWER}Sec-WebSocket-Protocol: chat\r\n");
    assert!(judge(OFFER, 101, &nothing_offered).is_err());
}

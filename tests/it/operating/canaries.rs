//! Strings that are sent somewhere and must come up nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// One canary for each place of a request or an answer, so that a find says where it came from.
pub(super) const CANARIES: [(&str, &str); 18] = [
    ("a path", "canaryinpath01"),
    ("a query", "canaryinquery02"),
    ("a header", "canaryinheader03"),
    ("a cookie", "canaryincookie04"),
    ("a user agent", "canaryinuseragent05"),
    ("a forwarded address", "canaryinforwarded06"),
    ("a JSON body", "canaryinjson07"),
    ("a form", "canaryinform08"),
    ("a token that is none", "canaryintoken09"),
    ("a malformed request", "canaryinrequest10"),
    ("a hidden value", "canaryinhidden11"),
    ("a shown value", "canaryinshown12"),
    ("a session token", "canaryinsession13"),
    ("an upstream's header", "canaryinupheader14"),
    ("an upstream's error", "canaryinuperror15"),
    ("an upstream's malformed head", "canaryinuphead16"),
    ("a body that breaks off", "canaryinbroken17"),
    ("a member's name", "canaryinmember18"),
];

/// The canary of a place.
pub(super) fn canary(place: &str) -> &'static str {
    let found = CANARIES.iter().find(|(name, _)| *name == place);
    found.unwrap_or_else(|| panic!("{place}")).1
}

/// Whether some bytes hold a text: as it is, in hexadecimal, or in base64 from any place on.
pub(super) fn is_in(bytes: &[u8], text: &str) -> bool {
    let told = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let mut spellings = spellings(text).into_iter();
    spellings.any(|spelling| told.contains(&spelling.to_ascii_lowercase()))
}

fn spellings(text: &str) -> Vec<String> {
    let mut spellings = vec![text.to_owned(), hex::encode(text)];
    for shift in 0..3 {
        let padded = format!("{}{text}", "x".repeat(shift));
        let coded = STANDARD_NO_PAD.encode(&padded);
        // The first and the last characters also depend on what is around the text.
        let inside = coded.get(4..coded.len() - 4);
        spellings.extend(inside.filter(|text| text.len() >= 8).map(str::to_owned));
    }
    spellings
}

#[test]
fn a_canary_is_found_in_any_spelling() {
    let canary = CANARIES[0].1;
    for told in [
        format!("a {} b", canary.to_uppercase()),
        hex::encode(format!("ab{canary}c")),
        STANDARD_NO_PAD.encode(format!("some{canary}thing")),
        STANDARD_NO_PAD.encode(format!("thing {canary} else")),
    ] {
        assert!(is_in(told.as_bytes(), canary), "{told}");
    }
    assert!(!is_in(b"canaryinpath", canary));
}

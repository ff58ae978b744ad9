//! Files with live credentials come out clean, and those of other kinds as they are.

use super::*;
use crate::token_rules::samples::none;
use crate::token_sweep::Secret;

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYl";
const SECRET: &str = "s22UNeq1DdVSOPqJFiD9/AOy";

fn secrets(instead: &Placeholder) -> Arc<Secrets> {
    let secret = Secret {
        value: SECRET.as_bytes(),
        instead: instead.as_str().as_bytes(),
    };
    Arc::new(Secrets::new(&[secret]).expect("within the limits"))
}

fn handle() -> String {
    Handle::new([9; 32]).text()
}

fn cleaned(content: &[u8]) -> Option<Cleaned> {
    let placeholder = Placeholder::new([7; 16]);
    without_credentials(content, &none(), &secrets(&placeholder)).expect("readable")
}

#[test]
fn a_log_loses_tokens_secrets_and_our_own_names() {
    let placeholder = Placeholder::new([8; 16]);
    let log = format!(
        "GET /a {JWT}\r\nsid={SECRET} s22UNeq1DdVSOPqJFiD9%2FAOy\n{} and {placeholder} caf\u{e9}\n",
        handle()
    );
    let expected = "GET /a ***\r\nsid=*** ***\n*** and *** caf\u{e9}\n";
    let file = cleaned(log.as_bytes()).expect("changed");
    assert_eq!(String::from_utf8_lossy(&file.content), expected);
    assert!(!file.recording);
    assert_eq!(file.removed, 4);
    assert_eq!(cleaned(expected.as_bytes()), None);
    // Whatever keeps ASCII as it is is a text.
    let latin1 = [b"caf\xE9 \x1B[1m".as_slice(), SECRET.as_bytes()].concat();
    assert_eq!(
        cleaned(&latin1).expect("changed").content,
        b"caf\xE9 \x1B[1m***"
    );
}

#[test]
fn a_recording_loses_what_names_give_away_as_well() {
    let recording = format!(
        "\u{feff} {{\"log\":{{\"entries\":[{{\"request\":{{\"cookies\":[{{\"name\":\"a\",\"value\":\"live\"}}]}},\
         \"comment\":\"{SECRET} {} {JWT}\"}}]}}}}",
        handle()
    );
    let file = cleaned(recording.as_bytes()).expect("changed");
    let expected = "{\"log\":{\"entries\":[{\"request\":{\"cookies\":[{\"name\":\"a\",\"value\":\"[redacted]\"}]},\
         \"comment\":\"*** *** eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.redacted\"}]}}";
    assert_eq!(String::from_utf8_lossy(&file.content), expected);
    assert!(file.recording);
    assert_eq!(file.removed, 4);
    // As a text it is no different.
    assert_eq!(cleaned(format!("-{expected}").as_bytes()), None);
}

#[test]
fn a_recording_that_cannot_be_read_is_not_handed_on() {
    let secrets = Arc::new(Secrets::none());
    let broken = b"{\"log\":{\"entries\":[";
    assert_eq!(
        without_credentials(broken, &none(), &secrets),
        Err(HarError::Malformed)
    );
    // What only speaks of such words is a text.
    assert_eq!(
        without_credentials(b"see \"log\" and \"entries\" {", &none(), &secrets),
        Ok(None)
    );
}

#[test]
fn files_of_other_kinds_stay_byte_for_byte() {
    let mut picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0".to_vec();
    picture.extend_from_slice(SECRET.as_bytes());
    let wide: Vec<u8> = SECRET.bytes().flat_map(|byte| [byte, 0]).collect();
    for file in [b"".as_slice(), b"a text", b"{\"a\":1}", &picture, &wide] {
        assert_eq!(cleaned(file), None);
    }
}

#[test]
fn a_control_character_in_a_hundred_makes_no_picture_of_a_text() {
    let mut text = vec![b'a'; 176];
    text.extend_from_slice(SECRET.as_bytes());
    text[0] = 0;
    text[1] = 0;
    assert!(cleaned(&text).is_some());
    text[2] = 0;
    assert_eq!(cleaned(&text), None);
}

#[test]
fn only_what_is_a_name_of_ours_is_taken_for_one() {
    let (handle, placeholder) = (handle(), Placeholder::new([8; 16]));
    let text = format!("x{handle}{handle}{placeholder}pnp_");
    let (without, removed) = without_own_names(text.as_bytes()).expect("changed");
    assert_eq!(
        (without.as_slice(), removed),
        (b"x*********pnp_".as_slice(), 3)
    );
    let (without, removed) = without_handles(text.as_bytes()).expect("changed");
    let expected = format!("x******{placeholder}pnp_");
    assert_eq!((without, removed), (expected.into_bytes(), 2));
    let near = handle.replace("pnh_", "pnh_0");
    assert_eq!(without_own_names(near.as_bytes()), None);
    assert_eq!(without_own_names(&handle.as_bytes()[..52]), None);
}

//! JSON that is one line for every reader of lines, whatever names it holds: JSON itself escapes only
//! ASCII's control characters.

/// Escapes what Unicode calls a control character or the end of a line. In JSON text such a character can
/// only be within a string, where an escape stands for the same character.
pub(crate) fn one_line(json: String) -> String {
    // PERF: every byte is looked at, without a branch for each: almost no line has one of these (`postern bench`).
    let may = json
        .bytes()
        .fold(false, |found, byte| found | may_break(byte));
    if !may || !json.contains(breaks) {
        return json;
    }
    let escaped = json.chars().map(|c| match breaks(c) {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    });
    escaped.collect()
}

/// Whether such a character may begin with this byte.
const fn may_break(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, 0x7f | 0xc2 | 0xe2)
}

/// All of them are in Unicode's first plane, so that four digits name them.
fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_the_same_and_breaks_no_line() {
        for name in [
            "plain",
            "é\u{1F600}",
            "a\u{2028}b\u{2029}c",
            "d\u{7f}e\u{85}f",
            "g\r\n\u{1b}",
        ] {
            let json = serde_json::json!({ "name": name }).to_string();
            let line = one_line(json.clone());
            assert!(!line.chars().any(breaks), "{line:?}");
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(read["name"], name);
            assert_eq!(line == json, !json.chars().any(breaks));
        }
    }
}

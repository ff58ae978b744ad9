//! Upstream answers that are made rather than written down: many members, deep chains, bombs.
//!
//! Sizes that a case does not depend on are scaled down to what a test machine does in a second.

use std::fmt::Write as _;
use std::io::Write as _;

use super::catalogue::Generator;

/// The most members, and the most plain bytes of a bomb, that are made here.
const MEMBERS_MAX: usize = 100_000;
const BOMB_BYTES_MAX: usize = 128 << 20;

/// The whole upstream message of a generator; none when the kind is made elsewhere.
pub(super) fn response(generator: &Generator) -> Option<Vec<u8>> {
    match generator.kind.as_str() {
        "many_members" => Some(json(&many_members(generator))),
        "rows" => Some(json(&rows(generator.count))),
        "nested_chain" => Some(json(&nested_chain(generator))),
        "gzip_bomb" => Some(coded("gzip", &gzip_bomb(generator))),
        "zstd_window" => Some(coded("zstd", &zstd_window(generator.window_log))),
        _ => None,
    }
}

/// A complete JSON answer.
pub(super) fn json(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    format!("{head}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let coding = format!("Content-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), coding.as_bytes(), body].concat()
}

/// A list of records, each an object that begins with its number.
pub(super) fn rows(count: usize) -> String {
    let row = |id| format!(r#"{{"id":{id},"subject":"case {id}"}}"#);
    let rows: Vec<String> = (0..count).map(row).collect();
    format!("[{}]", rows.join(","))
}

fn members_of(value: Option<&serde_json::Value>) -> String {
    let text = value.expect("a value to plant").to_string();
    text.trim_start_matches('{')
        .trim_end_matches('}')
        .to_owned()
}

fn many_members(generator: &Generator) -> String {
    let mut body = String::from("{");
    for number in 0..generator.count.min(MEMBERS_MAX) {
        write!(body, "\"member{number}\":{number},").expect("text");
    }
    body + &members_of(generator.last.as_ref()) + "}"
}

/// Objects within objects, named `a` and `b` in turn so that descendants of descendants multiply,
/// each with `width` further members; the innermost holds the leaf.
fn nested_chain(generator: &Generator) -> String {
    let siblings: String = (0..generator.width)
        .map(|number| format!("\"w{number}\":0,"))
        .collect();
    let mut body = String::new();
    for level in 0..generator.depth {
        let name = if level % 2 == 0 { "a" } else { "b" };
        write!(body, "{{{siblings}\"{name}\":").expect("text");
    }
    body += &format!("{{{}}}", members_of(generator.leaf.as_ref()));
    body + &"}".repeat(generator.depth)
}

fn gzip_bomb(generator: &Generator) -> Vec<u8> {
    let plain = generator.plain_bytes.min(BOMB_BYTES_MAX);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(generator.prefix.as_bytes())
        .expect("memory");
    let block = vec![b'x'; 1 << 20];
    for _ in 0..plain / block.len() {
        encoder.write_all(&block).expect("memory");
    }
    encoder.finish().expect("memory")
}

/// A zstd frame that declares a window of 2^`log` bytes and holds one raw block (RFC 8878 3.1.1).
fn zstd_window(log: u8) -> Vec<u8> {
    let body = br#"{"id":1}"#;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3];
    let block_header = u32::try_from(body.len()).expect("small") << 3 | 1;
    frame.extend(&block_header.to_le_bytes()[..3]);
    frame.extend(body);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generator(kind: &str) -> Generator {
        let leaf = Some(serde_json::json!({"ssn": "x"}));
        let (count, depth, width) = (3, 4, 2);
        Generator {
            kind: kind.to_owned(),
            count,
            depth,
            width,
            last: leaf.clone(),
            leaf,
            ..Generator::default()
        }
    }

    #[test]
    fn generated_documents_are_json_and_hold_what_was_planted() {
        for kind in ["many_members", "nested_chain"] {
            let bytes = response(&generator(kind)).expect("known");
            let text = String::from_utf8(bytes).expect("text");
            let (_, body) = text.split_once("\r\n\r\n").expect("a head");
            let document: serde_json::Value = serde_json::from_str(body).expect(kind);
            assert!(document.to_string().contains(r#""ssn":"x""#), "{kind}");
        }
    }

    #[test]
    fn a_small_window_is_a_frame_that_the_library_reads() {
        let plain = zstd::decode_all(&zstd_window(20)[..]).expect("a zstd frame");
        assert_eq!(plain, br#"{"id":1}"#);
    }
}

//! The scanners against one another where blocks and windows begin and end.

use super::*;

/// What is put at every place around a border.
const PIECES: &[&str] = &[
    r#""text""#,
    r#""""#,
    r#""\"""#,
    r#""\\""#,
    r#""\\\\\"""#,
    r#""\u0041\ud83d\ude00\n""#,
    r#""\ud83d\ude00\ud83d\ude00""#,
    r#""é€😀é""#,
    "-12.5e+7",
    "0",
    "1234567",
    "12345678901234567890",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    r#"{"a":1,"b":[2,{"c":"d"}]}"#,
    r#"{"na\"me":"x"}"#,
    "  [ 1 ,\t2\r\n]  ",
    r#"{"ssn":"078-05-1120","b":1}"#,
    r#"{"b":1,"ssn":[1,2]}"#,
    // Wrong ones.
    r#""\x""#,
    r#""\ud83d""#,
    r#""\ud83dx""#,
    r#""\ude00""#,
    r#""\u12""#,
    r#""\u12G4""#,
    "\"\u{1}\"",
    "\"\u{1f}\"",
    "01",
    "1.",
    "-",
    "tru",
    "nulll",
    "1 2",
    "[1 2]",
    "[1,]",
    "{,}",
    r#"{"a"}"#,
    r#"{"a":1,}"#,
    r#"{"a":1 "b":2}"#,
    r#"["a":1]"#,
    "[}",
    "{]",
    ":",
    "\u{c}",
    "\u{1a}",
    "\u{b}",
    "{\"a\":1}}",
    "]]]]]]]",
    "a\\\"b",
];

/// Where a piece begins, counted from a border.
fn places() -> impl Iterator<Item = usize> {
    (0..132).chain(4080..4104)
}

/// A document in which `piece` begins at `place` of a skipped array.
fn document(piece: &str, place: usize, filler: &str) -> Vec<u8> {
    let head = "{\"skipped\":[\"";
    let mut text = head.as_bytes().to_vec();
    while text.len() + filler.len() + 2 <= place {
        text.extend_from_slice(filler.as_bytes());
    }
    while text.len() + 2 < place {
        text.push(b'x');
    }
    text.extend_from_slice(b"\",");
    text.extend_from_slice(piece.as_bytes());
    text.extend_from_slice(br#","tail"],"ssn":"078-05-1120","last":[{"ssn":1,"email":"a@b.c"}]}"#);
    text
}

#[test]
fn every_engine_reads_alike_wherever_a_piece_stands_in_a_block_or_window() {
    let plans = [
        Setup::new(&[]).plan(),
        Setup::new(&[("$.ssn", "redact"), ("$.last[*].email", "mask")]).plan(),
        Setup::new(&[("$..ssn", "remove"), ("$..email", "mask")]).plan(),
    ];
    for piece in PIECES {
        for place in places() {
            for filler in ["x", "é", "\\n", "\\\\", "\\\"", "a\",\"", "],[\"b\",\""] {
                if place > 200 && filler != "x" && filler != "],[\"b\",\"" {
                    continue;
                }
                let text = document(piece, place, filler);
                for plan in &plans {
                    let (_, whole) = run_chunks(plan, [&text[..]].into_iter());
                    let split = |at: usize| [&text[..at], &text[at..]].into_iter();
                    for back in [0, 1, 3, 7] {
                        let at = place.saturating_add(back).min(text.len());
                        assert_eq!(run_chunks(plan, split(at)).1, whole, "{piece} at {place}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_split_of_a_document_longer_than_a_window_gives_the_same() {
    let mut text = String::from("{\"skipped\":[");
    for number in 0..60 {
        text.push_str(&format!(
            "{{\"id\":{number},\"text\":\"caf\u{e9} \\\"{number}\\\" \\u00e9\\ud83d\\ude00\",\"on\":true,\
             \"list\":[1.5,-2e3,null]}},"
        ));
    }
    text.push_str("0],\"ssn\":\"078-05-1120\"}");
    assert!(text.len() > 4200);
    for rules in [&[][..], &[("$.ssn", "remove")], &[("$..id", "redact")]] {
        let plan = Setup::new(rules).plan();
        let text = text.as_bytes();
        let whole = run_chunks(&plan, [text].into_iter());
        assert!(whole.1.is_ok());
        for at in 0..text.len() {
            let split = run_chunks(&plan, [&text[..at], &text[at..]].into_iter());
            assert_eq!(split, whole, "split at {at}");
        }
        for size in [1, 2, 3, 63, 64, 65, 127, 129, 1000] {
            assert_eq!(
                run_chunks(&plan, text.chunks(size)),
                whole,
                "in pieces of {size}"
            );
        }
    }
}

#[test]
fn a_name_may_be_as_long_as_the_limit_wherever_windows_end() {
    let plan = Setup::new(&[("$.ssn", "remove")]).plan();
    for (length, readable) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        for before in [0, 1, 40, 63, 64, 65, 4000] {
            let text = format!(
                "{{\"skipped\":{{\"{}\":1,\"{}\":2}}}}",
                "p".repeat(before),
                "n".repeat(length)
            );
            let text = text.as_bytes();
            let (_, whole) = run_chunks(&plan, [text].into_iter());
            assert_eq!(whole.is_ok(), readable, "{length} after {before}");
            for size in [4096, 10_000, 65_536] {
                assert_eq!(run_chunks(&plan, text.chunks(size)).1, whole, "{size}");
            }
        }
    }
}

#[test]
fn brackets_may_nest_as_deep_as_the_limit_in_any_engine() {
    for depth_max in [1, 2, 63, 64, 65, 127, 128, 1024] {
        let setup = Setup {
            depth_max,
            ..Setup::new(&[("$.ssn", "remove")])
        };
        let plan = setup.plan();
        for depth in [depth_max, depth_max + 1] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
                let levels = depth / open.matches(['[', '{']).count();
                let text = format!("{}1{}", open.repeat(levels), close.repeat(levels));
                let levels = levels * open.matches(['[', '{']).count();
                let (_, whole) = run_chunks(&plan, [text.as_bytes()].into_iter());
                assert_eq!(whole.is_ok(), levels <= depth_max, "{depth} of {depth_max}");
            }
        }
    }
}

#[test]
fn an_array_whose_length_decides_is_held_from_its_name_on() {
    let plan = Setup::new(&[("$.*[-1]", "remove"), ("$[*][-1]", "redact")]).plan();
    for text in [
        "{\"\":[1,2]}",
        "[[],[1,2],[3]]",
        "[1e-7,[1]]",
        "{\"a\":1,\"b\":[[2]]}",
    ] {
        let text = text.as_bytes();
        for at in 0..text.len() {
            let (out, done) = run_chunks(&plan, [&text[..at], &text[at..]].into_iter());
            assert!(done.is_ok(), "{}", String::from_utf8_lossy(&out));
            let mut filter = JsonFilter::with_engine(Arc::clone(&plan), Engine::Scalar);
            let mut reference = Vec::new();
            filter.push(&text[..at], &mut reference).unwrap();
            for engine in [Engine::Simd, Engine::SimdAlways] {
                let mut filter = JsonFilter::with_engine(Arc::clone(&plan), engine);
                let mut early = Vec::new();
                filter.push(&text[..at], &mut early).unwrap();
                assert_eq!(early, reference, "{engine:?}, the first {at} bytes");
            }
        }
    }
}

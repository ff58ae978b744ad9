//! Secrets are put everywhere, in every spelling that other writers make of them, and texts are split
//! everywhere: nothing of them may leave, and nothing else may change.

mod spelled;

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use spelled::{SECRETS, spelled};

const INSTEAD: &[u8] = b"pnp_ZYXWVUTSRQPONMLKJIHGFEDCBA98";

fn secrets(values: &[&[u8]]) -> Arc<Secrets> {
    let secret = |value| Secret {
        value,
        instead: INSTEAD,
    };
    let all: Vec<Secret<'_>> = values.iter().copied().map(secret).collect();
    Arc::new(Secrets::new(&all).expect("within the limits"))
}

fn swept<'c>(secrets: &Arc<Secrets>, chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<u8> {
    let mut sweep = SecretSweep::new(Arc::clone(secrets));
    let mut out = Vec::new();
    for chunk in chunks {
        sweep.push(chunk, &mut out).expect("not spent");
    }
    sweep.finish(&mut out).expect("not spent");
    out
}

/// Text around a secret that begins like it, and ends like it.
fn surroundings(secret: &[u8]) -> Vec<u8> {
    let mut text = b"{\"a\":\"".to_vec();
    text.extend_from_slice(&secret[..secret.len().min(9) - 1]);
    text.extend_from_slice(b" & 100% <\\");
    text
}

#[test]
fn injected_anywhere_in_any_spelling_split_anywhere_it_never_leaves() {
    let (mut runs, mut texts) = (0u64, 0u64);
    for secret in SECRETS {
        let secrets = secrets(&[secret]);
        let around = surroundings(secret);
        for spelled in spelled(secret) {
            let mut expected_middle = spelled.text[..spelled.secret.start].to_vec();
            expected_middle.extend_from_slice(if spelled.faithful { INSTEAD } else { REMOVED });
            expected_middle.extend_from_slice(&spelled.text[spelled.secret.end..]);
            for at in 0..=around.len() {
                let (before, after) = around.split_at(at);
                let text = [before, &spelled.text, after].concat();
                let expected = [before, &expected_middle, after].concat();
                texts += 1;
                for split in 0..=text.len() {
                    let (first, second) = text.split_at(split);
                    runs += 1;
                    assert!(
                        swept(&secrets, [first, second]) == expected,
                        "{} at {at} split at {split}",
                        spelled.name
                    );
                }
                runs += 1;
                assert!(swept(&secrets, text.chunks(1)) == expected, "byte by byte");
                assert!(secrets.contains(&text));
            }
        }
    }
    println!("{runs} runs over {texts} texts: 0 leaks");
    assert!(runs > 100_000);
}

#[test]
fn a_near_miss_survives() {
    for secret in SECRETS {
        // Bytes in the middle differ, so that no part is long enough to stand for the whole.
        let mut near = secret.to_vec();
        for place in (3..near.len()).step_by(7) {
            near[place] = if near[place] == b'Q' { b'R' } else { b'Q' };
        }
        let secrets = secrets(&[secret]);
        for near in [near.as_slice(), &secret[1..secret.len().min(15)]] {
            assert_eq!(swept(&secrets, [near]), near);
            assert!(!secrets.contains(near));
            assert_eq!(secrets.rewrite(near), None);
        }
    }
}

#[test]
fn without_secrets_a_buffer_leaves_as_it_came() {
    let mut sweep = SecretSweep::new(Arc::new(Secrets::none()));
    let chunk = Bytes::from_static(b"anything at all");
    let left = sweep.push_bytes(chunk.clone()).expect("not spent");
    assert_eq!(left.as_ptr(), chunk.as_ptr());
    assert_eq!(left, chunk);
    assert_eq!(sweep.held.capacity(), 0);
}

#[test]
fn a_buffer_without_a_secret_is_not_copied() {
    let secrets = secrets(&[SECRETS[0]]);
    let mut sweep = SecretSweep::new(secrets);
    let chunk = Bytes::from(b"a long text, with nothing in it ".repeat(9));
    let left = sweep.push_bytes(chunk.clone()).expect("not spent");
    assert_eq!(left.as_ptr(), chunk.as_ptr());
    assert_eq!(left, chunk);
}

#[test]
fn what_cannot_be_told_from_ordinary_text_is_reported() {
    let values: [&[u8]; 4] = [b"1234567", b"--------------", b"12345678", b"abcabcabcabc"];
    let secrets = secrets(&values);
    let reasons = [
        (0, Unswept::TooShort),
        (1, Unswept::TooUniform),
        (3, Unswept::TooUniform),
    ];
    assert_eq!(secrets.unswept(), reasons);
    assert!(secrets.contains(b"x12345678x"));
    assert!(!secrets.contains(b"x1234567x"));
}

#[test]
fn more_than_an_automaton_may_hold_is_an_error() {
    let letters = b"abcdefghijklmnopqrstuvw".iter().copied().cycle();
    let long: Vec<u8> = letters.take(SECRET_BYTES_MAX + 1).collect();
    let of = |value| Secret {
        value,
        instead: REMOVED,
    };
    let error = Secrets::new(&[of(&long)]).expect_err("too long");
    assert_eq!(error, SecretsError::TooLong);
    assert!(Secrets::new(&[of(&long[1..])]).is_ok());
    let many: Vec<Vec<u8>> = (0u8..10).map(|n| [&[n], &long[2..]].concat()).collect();
    let many: Vec<Secret<'_>> = many.iter().map(|value| of(value)).collect();
    let error = Secrets::new(&many).expect_err("too many");
    assert_eq!(error, SecretsError::TooMany);
}

#[test]
fn secrets_that_overlap_are_taken_out_as_one() {
    let secrets = secrets(&[b"abcdefgh12", b"gh12ijklmnopqrst", b"ijklmnop"]);
    let text = b"<abcdefgh12ijklmnopqrst>";
    for split in 0..=text.len() {
        let (first, second) = text.split_at(split);
        let left = swept(&secrets, [first, second]);
        assert_eq!(left, [b"<", INSTEAD, b">"].concat());
    }
}

#[test]
fn what_repeats_without_end_is_not_held() {
    let secrets = secrets(&[b"abcdabcd"]);
    let mut sweep = SecretSweep::new(secrets);
    let mut out = Vec::new();
    for _ in 0..10_000 {
        sweep.push(b"abcd", &mut out).expect("not spent");
        assert!(sweep.held.len() < sweep.secrets.longest_bytes());
    }
    sweep.finish(&mut out).expect("not spent");
    assert_eq!(out, INSTEAD);
    assert_eq!(sweep.found(), 1);
    assert_eq!(sweep.found_by_secret(), [1]);
}

#[test]
fn a_text_that_cannot_begin_a_secret_leaves_at_once() {
    let mut sweep = SecretSweep::new(secrets(SECRETS));
    let mut out = Vec::new();
    sweep
        .push(b"data: {\"open\": 3}\n\n", &mut out)
        .expect("not spent");
    assert_eq!(out, b"data: {\"open\": 3}\n\n");
}

#[test]
fn an_ended_sweep_is_spent() {
    let mut sweep = SecretSweep::new(secrets(SECRETS));
    let mut out = Vec::new();
    sweep.finish(&mut out).expect("not spent");
    assert_eq!(sweep.push(b"x", &mut out), Err(BodyError::Spent));
    assert_eq!(sweep.finish(&mut out), Err(BodyError::Spent));
    assert_eq!(sweep.push_bytes(Bytes::new()), Err(BodyError::Spent));
}

#[test]
fn nothing_shows_a_secret() {
    let secrets = secrets(SECRETS);
    let sweep = SecretSweep::new(Arc::clone(&secrets));
    let shown = format!("{secrets:?} {sweep:?}");
    assert!(!secrets.contains(shown.as_bytes()), "{shown}");
}

proptest! {
    #[test]
    fn splitting_does_not_matter_and_nothing_found_is_left(
        pieces in prop::collection::vec(0usize..9, 0..40),
        splits in prop::collection::vec(1usize..30, 1..20),
    ) {
        let values: [&[u8]; 3] = [b"abcdefgh", b"efghijkl0123456789", b"cdefghij"];
        let parts: [&[u8]; 9] = [
            b"abcd", b"efgh", b"ijkl", b"0123456789", b"cdefghij", b" ", b"abcdefgh", b"x", b"YWJj",
        ];
        let text: Vec<u8> = pieces.iter().flat_map(|piece| parts[*piece].to_vec()).collect();
        let secrets = secrets(&values);
        let whole = swept(&secrets, [text.as_slice()]);
        let (mut chunks, mut rest) = (Vec::new(), text.as_slice());
        for length in splits.iter().cycle() {
            if rest.is_empty() { break; }
            let (chunk, after) = rest.split_at((*length).min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        prop_assert_eq!(&swept(&secrets, chunks.iter().copied()), &whole);
        let mut sweep = SecretSweep::new(Arc::clone(&secrets));
        let mut shared = Vec::new();
        for chunk in &chunks {
            shared.extend(sweep.push_bytes(Bytes::copy_from_slice(chunk)).expect("not spent"));
        }
        sweep.finish(&mut shared).expect("not spent");
        prop_assert_eq!(&shared, &whole);
        prop_assert!(!secrets.contains(&whole));
        prop_assert_eq!(secrets.rewrite(&text).unwrap_or(text), whole);
    }
}

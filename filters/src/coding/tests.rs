//! Codings: every split, every kind of damage, every limit.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::*;

const TEXT: &[u8] = br#"{"id":1,"name":"Jane","tags":["a","a","a","a","a","a","a","a","a"]}"#;
const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

fn encode(coding: Coding, text: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Coding::Gzip | Coding::Brotli | Coding::Zstd => {
            let mut encoder = Encoder::new(coding).unwrap();
            let mut bytes = encoder.push(text).unwrap();
            bytes.extend(encoder.finish().unwrap());
            bytes
        }
    }
}

fn decode_chunks<'a>(
    codings: &[Coding],
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, BodyError> {
    let mut decoder = Decoder::new(codings, 100)?;
    let mut out = Vec::new();
    for chunk in chunks {
        decoder.push(chunk, &mut |bytes| {
            assert!(bytes.len() <= STEP_BYTES);
            out.extend_from_slice(bytes);
            Ok(())
        })?;
    }
    decoder.finish()?;
    Ok(out)
}

fn decode(codings: &[Coding], bytes: &[u8]) -> Result<Vec<u8>, BodyError> {
    decode_chunks(codings, [bytes])
}

fn raw_deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn fails(codings: &[Coding], bytes: &[u8]) -> bool {
    matches!(
        decode(codings, bytes),
        Err(BodyError::ContentCoding { .. } | BodyError::Incomplete)
    )
}

#[test]
fn decodes_each_coding_at_every_split_and_byte_by_byte() {
    let bodies: Vec<(Vec<Coding>, Vec<u8>)> = ALL
        .iter()
        .map(|coding| (vec![*coding], encode(*coding, TEXT)))
        .chain([
            (vec![Coding::Deflate], raw_deflate(TEXT)),
            (
                vec![Coding::Gzip, Coding::Brotli],
                encode(Coding::Brotli, &encode(Coding::Gzip, TEXT)),
            ),
            (
                vec![Coding::Zstd, Coding::Zstd],
                encode(Coding::Zstd, &encode(Coding::Zstd, TEXT)),
            ),
        ])
        .collect();
    for (codings, body) in bodies {
        assert_eq!(
            decode_chunks(&codings, body.chunks(1)).unwrap(),
            TEXT,
            "{codings:?}"
        );
        for at in 0..=body.len() {
            let (a, b) = body.split_at(at);
            assert_eq!(
                decode_chunks(&codings, [a, b]).unwrap(),
                TEXT,
                "{codings:?} at {at}"
            );
        }
    }
}

#[test]
fn refuses_every_truncation() {
    for coding in ALL {
        let body = encode(coding, TEXT);
        for length in 0..body.len() {
            let cut = body.get(..length).unwrap();
            assert_eq!(
                decode(&[coding], cut),
                Err(BodyError::Incomplete),
                "{coding:?} {length}"
            );
        }
    }
}

#[test]
fn refuses_trailing_bytes_but_reads_every_member_and_frame() {
    for coding in ALL {
        let mut garbage = encode(coding, TEXT);
        garbage.push(b'\n');
        assert!(fails(&[coding], &garbage), "{coding:?}");
        let mut twice = encode(coding, TEXT);
        twice.extend(encode(coding, b"tail"));
        let joined = [TEXT, b"tail"].concat();
        match coding {
            Coding::Gzip | Coding::Zstd => {
                assert_eq!(decode(&[coding], &twice).unwrap(), joined);
                assert_eq!(decode_chunks(&[coding], twice.chunks(1)).unwrap(), joined);
            }
            Coding::Deflate | Coding::Brotli => assert!(fails(&[coding], &twice), "{coding:?}"),
        }
    }
}

#[test]
fn refuses_damage_that_a_checksum_shows() {
    let gzip = encode(Coding::Gzip, TEXT);
    for back in 1..=8 {
        let mut body = gzip.clone();
        let at = body.len() - back;
        body[at] ^= 1;
        assert!(fails(&[Coding::Gzip], &body), "gzip trailer byte -{back}");
    }
    let mut zlib = encode(Coding::Deflate, TEXT);
    let last = zlib.len() - 1;
    zlib[last] ^= 1;
    assert!(fails(&[Coding::Deflate], &zlib));
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(TEXT).unwrap();
    let mut frame = encoder.finish().unwrap();
    assert_eq!(decode(&[Coding::Zstd], &frame).unwrap(), TEXT);
    let last = frame.len() - 1;
    frame[last] ^= 1;
    assert!(fails(&[Coding::Zstd], &frame));
}

/// A gzip member with this flag byte and these optional fields around raw deflate data.
fn member(flags: u8, fields: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
    bytes.extend_from_slice(fields);
    bytes.extend(raw_deflate(TEXT));
    let mut crc = flate2::Crc::new();
    crc.update(TEXT);
    bytes.extend(crc.sum().to_le_bytes());
    bytes.extend(crc.amount().to_le_bytes());
    bytes
}

#[test]
fn reads_every_optional_field_of_a_gzip_header() {
    let crc_of = |flags: u8, fields: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]);
        crc.update(fields);
        crc.sum().to_le_bytes()[..2].to_vec()
    };
    let all = [b"\x03\0abc".as_slice(), b"name\0comment\0"].concat();
    let with_crc = [all.as_slice(), &crc_of(0x1e, &all)].concat();
    let wrong_crc = [all.as_slice(), &[0, 0]].concat();
    for (flags, fields, fits) in [
        (0x00, b"".to_vec(), true),
        (0x01, b"".to_vec(), true),
        (0x04, b"\x00\x00".to_vec(), true),
        (0x04, b"\x02\x00ab".to_vec(), true),
        (0x08, b"name\0".to_vec(), true),
        (0x10, b"\0".to_vec(), true),
        (0x02, crc_of(0x02, b""), true),
        (0x1e, with_crc, true),
        (0x1e, wrong_crc, false),
        (0x20, b"".to_vec(), false),
        (0x80, b"".to_vec(), false),
    ] {
        let body = member(flags, &fields);
        assert_eq!(decode(&[Coding::Gzip], &body).is_ok(), fits, "{flags:#x}");
        let bytewise = decode_chunks(&[Coding::Gzip], body.chunks(1));
        assert_eq!(bytewise.is_ok(), fits, "{flags:#x} byte by byte");
    }
}

#[test]
fn bounds_the_header_of_a_gzip_member() {
    let named = |length: usize| member(0x08, &[vec![b'n'; length - 11], vec![0]].concat());
    assert!(decode(&[Coding::Gzip], &named(64 << 10)).is_ok());
    assert!(fails(&[Coding::Gzip], &named((64 << 10) + 1)));
}

#[test]
fn stops_where_a_body_expands_too_far() {
    let limit = Err(BodyError::Limit {
        limit: "expand_ratio",
    });
    let small = usize::try_from(SMALL_BODY_BYTES).unwrap();
    for coding in ALL {
        // Half the ratio's worth of real content is enough to see both sides of the limit.
        let fits = encode(coding, &vec![b'a'; small]);
        assert!(decode(&[coding], &fits).is_ok(), "{coding:?}");
        let bomb = encode(coding, &vec![b'a'; 40 << 20]);
        assert!(bomb.len() * 100 + small < 40 << 20, "{coding:?}");
        assert_eq!(decode(&[coding], &bomb), limit, "{coding:?}");
        let nested = encode(Coding::Gzip, &bomb);
        assert_eq!(
            decode(&[coding, Coding::Gzip], &nested),
            limit,
            "{coding:?}"
        );
    }
}

#[test]
fn the_expansion_limit_is_exact() {
    // A body whose decoded length is exactly what its coded length allows.
    let small = usize::try_from(SMALL_BODY_BYTES).unwrap();
    let ratio = 3;
    let coded = |length: usize| encode(Coding::Gzip, &vec![b'a'; length]);
    let length = std::iter::successors(Some(small), |length| {
        Some(small + ratio * coded(*length).len())
    })
    .find(|length| *length == small + ratio * coded(*length).len())
    .unwrap();
    let run = |length: usize| {
        let mut decoder = Decoder::new(&[Coding::Gzip], ratio).unwrap();
        decoder.push(&coded(length), &mut |_| Ok(()))
    };
    assert_eq!(coded(length + 1).len(), coded(length).len());
    assert_eq!(run(length), Ok(()));
    let limit = "expand_ratio";
    assert_eq!(run(length + 1), Err(BodyError::Limit { limit }));
}

#[test]
fn refuses_zstd_windows_beyond_eight_mebibytes() {
    let frame = |window_log: u8| {
        // No checksum, no size, no single segment; one last raw block of two bytes.
        let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (window_log - 10) << 3];
        bytes.extend([0x11, 0, 0, b'{', b'}']);
        bytes
    };
    assert_eq!(decode(&[Coding::Zstd], &frame(23)).unwrap(), b"{}");
    assert!(fails(&[Coding::Zstd], &frame(24)));
    assert!(fails(&[Coding::Zstd], &frame(31)));
}

#[test]
fn skips_skippable_zstd_frames_and_refuses_legacy_ones() {
    let mut body = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'x', b'y', b'z'];
    body.extend(encode(Coding::Zstd, TEXT));
    assert_eq!(decode(&[Coding::Zstd], &body).unwrap(), TEXT);
    assert_eq!(
        decode_chunks(&[Coding::Zstd], body.chunks(1)).unwrap(),
        TEXT
    );
    // A whole frame of the format's version 0.7: a raw block of two bytes and an end block.
    let old = [
        0x27, 0xb5, 0x2f, 0xfd, 0, 0, 0x40, 0, 2, b'{', b'}', 0xc0, 0, 0,
    ];
    assert!(fails(&[Coding::Zstd], &old));
}

#[test]
fn reads_the_coding_list_of_a_head() {
    let parse = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        codings_of(&headers)
    };
    let (gzip, br) = (Coding::Gzip, Coding::Brotli);
    for (values, expected) in [
        (&[][..], vec![]),
        (&[""], vec![]),
        (&["identity"], vec![]),
        (&["GZIP"], vec![gzip]),
        (&["x-gzip"], vec![gzip]),
        (&["\tgzip ,"], vec![gzip]),
        (&["identity, gzip"], vec![gzip]),
        (&["gzip, br"], vec![gzip, br]),
        (&["gzip", "br"], vec![gzip, br]),
        (&["deflate"], vec![Coding::Deflate]),
        (&["zstd"], vec![Coding::Zstd]),
    ] {
        assert_eq!(parse(values).unwrap(), expected, "{values:?}");
    }
    for refused in [
        "compress",
        "dcb",
        "dcz",
        "foo",
        "aws-chunked",
        "gzip;q=1",
        "gzip br",
        "*",
        "gzip, foo",
        "gzip,gzip,gzip",
    ] {
        assert!(
            matches!(parse(&[refused]), Err(BodyError::ContentCoding { .. })),
            "{refused}"
        );
    }
}

proptest! {
    #[test]
    fn encoding_and_decoding_is_the_identity(
        text in proptest::collection::vec(any::<u8>(), 0..4_000),
        chunk in 1_usize..500,
        which in 0_usize..4,
    ) {
        let coding = ALL[which];
        let body = encode(coding, &text);
        prop_assert_eq!(decode_chunks(&[coding], body.chunks(chunk)).unwrap(), text);
    }

    #[test]
    fn any_bytes_end_in_a_result(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        flip in any::<(usize, u8)>(),
        which in 0_usize..4,
    ) {
        let coding = ALL[which];
        let garbage = decode(&[coding], &bytes);
        prop_assert!(garbage.is_err() || garbage.is_ok());
        let mut body = encode(coding, TEXT);
        let at = flip.0 % body.len();
        body[at] ^= flip.1;
        let damaged = decode(&[coding], &body);
        prop_assert!(damaged.is_err() || damaged.is_ok());
    }
}

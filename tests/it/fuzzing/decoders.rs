//! Claim: a content coding decodes to what the coding's own library reads, or is an error; within the
//! bound on expansion; and the split makes no difference.
//!
//! The first byte chooses the coding, and whether the rest is encoded data or text to be encoded
//! first; the second is the seed of the splits.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use postern_filters::coding::{Coding, Decoder, SMALL_BODY_BYTES};

use super::{Finding, seeds};
use crate::generated::{Chunking, Random};

const EXPAND_RATIO: usize = 20;

/// Checks one input.
pub(crate) fn check(input: &[u8]) -> Finding {
    let Some((head, rest)) = input.split_at_checked(2) else {
        return Ok(());
    };
    let coding = CODINGS[usize::from(head[0] & 3)];
    let wrapped = head[0] & 4 == 0;
    let from_text = head[0] & 8 != 0;
    let body = match from_text {
        true => encoded(coding, wrapped, rest),
        false => rest.to_vec(),
    };
    let whole = decoded(&[coding], &body, Chunking::Whole);
    let bytes_max = body.len() as u64 * EXPAND_RATIO as u64 + SMALL_BODY_BYTES;
    if whole
        .as_ref()
        .is_ok_and(|bytes| bytes.len() as u64 > bytes_max)
    {
        return Err(format!("{coding:?}: expands beyond the bound"));
    }
    if from_text && whole.as_deref() != Ok(rest) && rest.len() as u64 <= SMALL_BODY_BYTES {
        return Err(format!(
            "{coding:?}: what was encoded does not decode: {whole:?}"
        ));
    }
    by_the_library(coding, &body, &whole)?;
    let mut random = Random::of_case(u64::from(head[1]), 0);
    for chunking in Chunking::few(&mut random, body.len()) {
        let split = decoded(&[coding], &body, chunking);
        if split.is_ok() != whole.is_ok() || split.is_ok() && split != whole {
            return Err(format!(
                "{coding:?} {chunking:?}: the split makes a difference"
            ));
        }
    }
    stacked(coding, &body, &whole)
}

const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

/// Two codings on top of each other decode to the same.
fn stacked(coding: Coding, body: &[u8], whole: &Result<Vec<u8>, String>) -> Finding {
    let outer = encoded(Coding::Gzip, true, body);
    let twice = decoded(
        &[coding, Coding::Gzip],
        &outer,
        Chunking::Random {
            seed: 7,
            longest: 9,
        },
    );
    match (whole, twice) {
        (Ok(once), Ok(twice)) if *once == twice => Ok(()),
        // The bound is on what came in, which is smaller under another coding.
        (_, Err(_)) => Ok(()),
        (_, Ok(_)) => Err(format!("{coding:?}: stacked it decodes to something else")),
    }
}

/// Runs our decoder.
fn decoded(codings: &[Coding], body: &[u8], chunking: Chunking) -> Result<Vec<u8>, String> {
    let mut decoder = Decoder::new(codings, EXPAND_RATIO).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    for piece in chunking.pieces(body) {
        let pushed = decoder.push(piece, &mut |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        });
        pushed.map_err(|error| error.to_string())?;
    }
    decoder.finish().map_err(|error| error.to_string())?;
    Ok(out)
}

/// What we decode, the library decodes too, to the same bytes.
fn by_the_library(coding: Coding, body: &[u8], ours: &Result<Vec<u8>, String>) -> Finding {
    let Ok(ours) = ours else {
        return Ok(());
    };
    let mut theirs = Vec::new();
    let read = match coding {
        Coding::Gzip => MultiGzDecoder::new(body).read_to_end(&mut theirs),
        Coding::Deflate => {
            let zlib = ZlibDecoder::new(body).read_to_end(&mut theirs);
            zlib.or_else(|_bare| {
                theirs.clear();
                DeflateDecoder::new(body).read_to_end(&mut theirs)
            })
        }
        Coding::Brotli => brotli::Decompressor::new(body, 4096).read_to_end(&mut theirs),
        Coding::Zstd => zstd::stream::read::Decoder::new(body)
            .and_then(|mut decoder| decoder.read_to_end(&mut theirs)),
    };
    match read {
        Ok(_) if theirs == *ours => Ok(()),
        Ok(_) => Err(format!("{coding:?}: the library reads something else")),
        Err(error) => Err(format!("{coding:?}: the library refuses it: {error}")),
    }
}

/// Encodes a text by the coding's own library.
fn encoded(coding: Coding, wrapped: bool, text: &[u8]) -> Vec<u8> {
    let level = Compression::new(if wrapped { 6 } else { 1 });
    match coding {
        Coding::Gzip => written(GzEncoder::new(Vec::new(), level), text, GzEncoder::finish),
        Coding::Deflate if wrapped => written(
            ZlibEncoder::new(Vec::new(), level),
            text,
            ZlibEncoder::finish,
        ),
        Coding::Deflate => written(
            DeflateEncoder::new(Vec::new(), level),
            text,
            DeflateEncoder::finish,
        ),
        Coding::Brotli => {
            let mut out = Vec::new();
            let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 4, 18);
            writer.write_all(text).unwrap();
            drop(writer);
            out
        }
        Coding::Zstd => zstd::encode_all(text, 1).unwrap(),
    }
}

fn written<W: Write>(
    mut writer: W,
    text: &[u8],
    finish: fn(W) -> std::io::Result<Vec<u8>>,
) -> Vec<u8> {
    writer.write_all(text).unwrap();
    finish(writer).unwrap()
}

/// Texts, and what each coding makes of them.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut documents = seeds::documents();
    documents.truncate(40);
    let mut all = Vec::new();
    for document in &documents {
        for (coding, number) in CODINGS.into_iter().zip(0..) {
            for wrapped in [true, false] {
                let flags = number | if wrapped { 0 } else { 4 };
                let body = encoded(coding, wrapped, document);
                all.push([&[flags, number][..], &body].concat());
                all.push([&[flags | 8, number][..], document].concat());
            }
        }
    }
    let two_members = [
        encoded(Coding::Gzip, true, b"a"),
        encoded(Coding::Gzip, true, b"b"),
    ];
    all.push([&[0, 0][..], &two_members.concat()].concat());
    let two_frames = [
        encoded(Coding::Zstd, true, b"a"),
        encoded(Coding::Zstd, true, b"b"),
    ];
    all.push([&[3, 0][..], &two_frames.concat()].concat());
    all
}

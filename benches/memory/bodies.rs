//! Bodies of any length: a piece again and again, between a head and a tail.

use std::iter;

use postern_benches::documents;

/// A MiB.
const MIB: usize = 1 << 20;

/// A body that is never in memory as a whole.
pub(crate) struct Body {
    head: Vec<u8>,
    piece: Vec<u8>,
    times: usize,
    tail: &'static [u8],
}

impl Body {
    /// A list of cases, of so many MiB.
    pub(crate) fn cases(mib: usize) -> Self {
        let list = documents::ascii_cases().text;
        let (before, cases) =
            list.split_at(list.iter().position(|byte| *byte == b'[').unwrap() + 1);
        let cases = cases.strip_suffix(b"]}").unwrap();
        let piece = [b",", cases].concat();
        Self {
            head: [before, cases].concat(),
            times: (mib * MIB).div_ceil(piece.len()),
            piece,
            tail: b"]}",
        }
    }

    /// An object with one string of so many MiB: words, escapes and letters of several bytes.
    pub(crate) fn one_string(mib: usize) -> Self {
        let words = "the invoice \\\"4711\\\" für Größe \\u00e9 \\n żółć 💶 paid ";
        let piece = words.repeat(MIB / words.len() + 1);
        Self {
            head: b"{\"id\":1,\"text\":\"".to_vec(),
            piece: piece.into_bytes(),
            times: mib,
            tail: b"\",\"end\":true}",
        }
    }

    /// The body from its start to its end.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        iter::once(self.head.as_slice())
            .chain(iter::repeat_n(self.piece.as_slice(), self.times))
            .chain(iter::once(self.tail))
    }

    /// How long it is.
    pub(crate) fn bytes(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }
}

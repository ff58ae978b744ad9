//! How a body is split into chunks.

use super::random::Random;

/// One way to split a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunking {
    Whole,
    ByteByByte,
    /// In two, here.
    At(usize),
    /// Into pieces of 0 to `longest` bytes, from this seed.
    Random {
        seed: u64,
        longest: usize,
    },
}

impl Chunking {
    /// The chunkings that a document is tried with: always whole and byte by byte, every split in
    /// two of a small one, some random ones.
    pub(crate) fn several(random: &mut Random, length: usize) -> Vec<Self> {
        let mut several = vec![Self::Whole];
        if length <= 1000 || random.chance(20) {
            several.push(Self::ByteByByte);
        }
        let lengths: &[usize] = match length {
            0..=200 => &[3, 16],
            _ => &[3, 16, 100, 5000],
        };
        for longest in lengths.iter().copied() {
            let seed = random.next();
            several.push(Self::Random { seed, longest });
        }
        if length <= 64 {
            several.extend((1..length).map(Self::At));
        } else {
            several.extend((0..4).map(|_| Self::At(random.below(length))));
            several.push(Self::near_a_border(random, length));
        }
        several
    }

    /// A few chunkings for one input of a fuzz target: whole, and three that the numbers choose, one of
    /// them near the end of a block or window.
    pub(crate) fn few(random: &mut Random, length: usize) -> Vec<Self> {
        let (seed, longest) = (random.next(), random.choose(&[2, 7, 70, 5000]));
        vec![
            Self::Whole,
            if length <= 300 && random.chance(50) {
                Self::ByteByByte
            } else {
                Self::Random { seed, longest }
            },
            Self::At(random.below(length + 1)),
            Self::near_a_border(random, length),
        ]
    }

    /// In two, within two bytes of where a scanner may end a block or a window.
    fn near_a_border(random: &mut Random, length: usize) -> Self {
        let border = random.choose(&[64, 4096]) * (1 + random.below(4));
        Self::At((border + random.below(5) - 2).min(length))
    }

    /// The pieces, in order.
    pub(crate) fn pieces<'b>(&self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        match *self {
            Self::Whole => vec![bytes],
            Self::ByteByByte => bytes.chunks(1).collect(),
            Self::At(at) => {
                let (left, right) = bytes.split_at(at.min(bytes.len()));
                vec![left, right]
            }
            Self::Random { seed, longest } => {
                let mut random = Random::of_case(seed, 0);
                let mut rest = bytes;
                let mut pieces = Vec::new();
                while !rest.is_empty() {
                    let (piece, left) = rest.split_at(random.below(longest + 1).min(rest.len()));
                    pieces.push(piece);
                    rest = left;
                }
                pieces
            }
        }
    }
}

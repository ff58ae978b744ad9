//! The Huffman code of HPACK (RFC 7541 appendix B), from its code lengths alone: the code is canonical.

/// The length of each symbol's code, in bits; the last is the end of the string.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// Decodes a string; stops at what is not a code.
pub(super) fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut code, mut length) = (0_u32, 0_u8);
    for bit in bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1))
    {
        code = code << 1 | u32::from(bit);
        length += 1;
        match symbol(code, length) {
            Some(symbol) => {
                let Ok(byte) = u8::try_from(symbol) else {
                    return out;
                };
                out.push(byte);
                (code, length) = (0, 0);
            }
            None if length >= 30 => return out,
            None => {}
        }
    }
    out
}

/// The symbol of a code: codes are given out by length, then by symbol, counting up.
fn symbol(code: u32, length: u8) -> Option<usize> {
    let mut first = 0_u32;
    for shorter in 1..length {
        let count = LENGTHS.iter().filter(|own| **own == shorter).count();
        first = (first + u32::try_from(count).expect("at most 257")) << 1;
    }
    let rank = usize::try_from(code.checked_sub(first)?).expect("32 bits");
    let mut of_length = LENGTHS
        .iter()
        .enumerate()
        .filter(|(_, own)| **own == length);
    of_length.nth(rank).map(|(symbol, _)| symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7541 appendix C.4.1 and C.6.1.
    #[test]
    fn decodes_the_examples_of_the_standard() {
        let examples = [
            ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
            ("6402", "302"),
            ("aec3771a4b", "private"),
        ];
        for (code, text) in examples {
            assert_eq!(decode(&hex::decode(code).expect("hex")), text.as_bytes());
        }
    }
}

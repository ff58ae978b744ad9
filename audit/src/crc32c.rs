//! CRC-32C (Castagnoli, as RFC 3720 appendix B.4 has it): tells a torn write from a whole one. It is
//! no protection against anybody; the signatures are.

const TABLE: [u32; 256] = table();

/// The checksum of the parts in a row.
pub(crate) fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        let [low, ..] = (crc ^ u32::from(*byte)).to_le_bytes();
        // INVARIANT: a byte is always within the table of 256.
        let step = TABLE.get(usize::from(low)).copied().unwrap_or_default();
        crc = step ^ (crc >> 8);
    }
    !crc
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "INVARIANT: evaluated at compile time with an index below 256"
)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn agrees_with_the_examples_of_rfc_3720() {
        assert_eq!(crc32c(&[&[0; 32]]), 0x8a91_36aa);
        assert_eq!(crc32c(&[&[0xff; 32]]), 0x62a8_ab43);
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xe306_9283);
    }
}

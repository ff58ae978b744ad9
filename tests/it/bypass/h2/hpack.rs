//! HPACK (RFC 7541): fields written as literals, and a reader of what a server writes.

use std::collections::VecDeque;

use super::huffman;

/// Writes every field as a literal that is not indexed, names included, exactly as given.
pub(super) fn encode(fields: &[(String, String)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            number(text.len(), 7, 0, &mut block);
            block.extend(text.as_bytes());
        }
    }
    block
}

// RFC 7541 section 5.1.
fn number(value: usize, prefix: u32, flags: u8, out: &mut Vec<u8>) {
    let most = (1_usize << prefix) - 1;
    let byte = |n: usize| u8::try_from(n).expect("masked");
    if value < most {
        out.push(flags | byte(value));
        return;
    }
    out.push(flags | byte(most));
    let mut rest = value - most;
    while rest >= 128 {
        out.push(byte(rest % 128) | 0x80);
        rest /= 128;
    }
    out.push(byte(rest));
}

/// The reader's side; our SETTINGS allow no dynamic table, but a server may fill it before it knows.
#[derive(Default)]
pub(crate) struct Decoder {
    dynamic: VecDeque<(String, String)>,
}

impl Decoder {
    /// The fields of a block, as far as it can be read.
    pub(crate) fn decode(&mut self, block: &[u8]) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let mut rest = block;
        while !rest.is_empty() {
            match self.field(&mut rest) {
                Some(Some(field)) => fields.push(field),
                Some(None) => {}
                None => break,
            }
        }
        fields
    }

    fn field(&mut self, rest: &mut &[u8]) -> Option<Option<(String, String)>> {
        let first = *rest.first()?;
        if first & 0x80 != 0 {
            let index = read_number(rest, 7)?;
            return Some(Some(self.entry(index)?));
        }
        if first & 0xe0 == 0x20 {
            read_number(rest, 5)?;
            return Some(None);
        }
        let indexed = first & 0x40 != 0;
        let index = read_number(rest, if indexed { 6 } else { 4 })?;
        let name = if index == 0 {
            read_string(rest)?
        } else {
            self.entry(index)?.0
        };
        let field = (name, read_string(rest)?);
        if indexed {
            self.dynamic.push_front(field.clone());
        }
        Some(Some(field))
    }

    fn entry(&self, index: usize) -> Option<(String, String)> {
        let position = index.checked_sub(1)?;
        if let Some((name, value)) = STATIC.get(position) {
            return Some(((*name).to_owned(), (*value).to_owned()));
        }
        self.dynamic.get(position - STATIC.len()).cloned()
    }
}

fn read_number(rest: &mut &[u8], prefix: u32) -> Option<usize> {
    let most = (1_usize << prefix) - 1;
    let (&first, after) = rest.split_first()?;
    *rest = after;
    let mut value = usize::from(first) & most;
    if value < most {
        return Some(value);
    }
    let mut shift = 0;
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value += usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}

fn read_string(rest: &mut &[u8]) -> Option<String> {
    let huffman = *rest.first()? & 0x80 != 0;
    let length = read_number(rest, 7)?;
    let bytes = rest.get(..length)?;
    *rest = &rest[length..];
    let bytes = if huffman {
        huffman::decode(bytes)
    } else {
        bytes.to_vec()
    };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// RFC 7541 appendix A.
#[rustfmt::skip]
const STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
    ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""),
    ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
    ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""),
    ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_what_the_standard_shows() {
        let fields = vec![
            (":path".to_owned(), "/a".to_owned()),
            ("x".to_owned(), "v".repeat(300)),
        ];
        assert_eq!(Decoder::default().decode(&encode(&fields)), fields);
        // RFC 7541 appendix C.6.1, the first two fields.
        let block = hex::decode("488264025885aec3771a4b").expect("hex");
        let fields = Decoder::default().decode(&block);
        assert_eq!(fields[0], (":status".to_owned(), "302".to_owned()));
        assert_eq!(
            fields[1],
            ("cache-control".to_owned(), "private".to_owned())
        );
    }
}

//! What RFC 9110 (HTTP Semantics) says of names and methods, for every crate that reads or checks them.

/// Whether a byte may stand in a token, which names of methods, fields and parameters are: `tchar` of section 5.6.2.
#[must_use]
pub const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether a text is a token (section 5.6.2): at least one `tchar` and nothing else.
#[must_use]
pub fn is_token(text: impl AsRef<[u8]>) -> bool {
    let text = text.as_ref();
    !text.is_empty() && text.iter().all(|byte| is_tchar(*byte))
}

/// Whether a method cannot change anything (section 9.2.1). `TRACE`, which is never served, is not among them.
#[must_use]
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_every_character_that_divides_nothing_and_no_other() {
        let divides = |byte: &u8| b"\"(),/:;<=>?@[\\]{}".contains(byte);
        for byte in 0..=u8::MAX {
            assert_eq!(is_tchar(byte), byte.is_ascii_graphic() && !divides(&byte));
            assert_eq!(is_token([b'a', byte]), is_tchar(byte));
        }
        assert!(!is_token(""));
    }

    #[test]
    fn a_method_is_safe_only_as_it_is_written() {
        for safe in ["GET", "HEAD", "OPTIONS"] {
            assert!(is_safe(safe), "{safe}");
        }
        for other in ["get", "POST", "TRACE", "QUERY", "GET ", ""] {
            assert!(!is_safe(other), "{other}");
        }
    }
}

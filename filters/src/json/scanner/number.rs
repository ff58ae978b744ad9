//! Reads a number (RFC 8259 section 6) in pieces.
//!
//! It checks the grammar and nothing else: a number is never converted, so no lexeme is too large.

/// How far into a number the text has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Number {
    /// Before its first byte.
    #[default]
    Begin,
    /// After the minus.
    Minus,
    /// After a leading zero: no digit may follow.
    Zero,
    /// Within the integer part.
    Whole,
    /// After the point: a digit must follow.
    Point,
    /// Within the fraction.
    Fraction,
    /// After `e`: a sign or a digit must follow.
    E,
    /// After the exponent's sign: a digit must follow.
    Sign,
    /// Within the exponent.
    Exponent,
}

impl Number {
    /// Reads on at `at`: where the number ends, or none when it may go on in the next chunk.
    ///
    /// # Errors
    /// The position of a byte that can neither continue the number nor follow it.
    #[inline]
    pub(super) fn read(&mut self, chunk: &[u8], at: usize) -> Result<Option<usize>, usize> {
        let mut at = at;
        while let Some(byte) = chunk.get(at) {
            match self.after(*byte) {
                Some(next) => *self = next,
                None if self.may_end() => return Ok(Some(at)),
                None => return Err(at),
            }
            at += 1;
        }
        Ok(None)
    }

    /// Whether the number is complete as it is.
    pub(super) const fn may_end(self) -> bool {
        match self {
            Self::Zero | Self::Whole | Self::Fraction | Self::Exponent => true,
            Self::Begin | Self::Minus | Self::Point | Self::E | Self::Sign => false,
        }
    }

    #[inline]
    const fn after(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Begin, b'-') => Some(Self::Minus),
            (Self::Begin | Self::Minus, b'0') => Some(Self::Zero),
            (Self::Begin | Self::Minus | Self::Whole, b'0'..=b'9') => Some(Self::Whole),
            (Self::Zero | Self::Whole, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Some(Self::E),
            (Self::E, b'+' | b'-') => Some(Self::Sign),
            (Self::E | Self::Sign | Self::Exponent, b'0'..=b'9') => Some(Self::Exponent),
            _ => None,
        }
    }
}

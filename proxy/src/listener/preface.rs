//! The preface of an HTTP/2 client (RFC 9113 section 3.4): 24 fixed octets, then a SETTINGS frame.
//!
//! The library checks the fixed octets and would take any frame after them. Neither it nor pingora has a
//! deadline for either, so the watch follows both. What the SETTINGS say is the library's business.

/// The fixed octets.
const FIXED: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Where the first frame's type and flags are, from the start of the connection.
const TYPE_AT: usize = FIXED.len() + 3;
const FLAGS_AT: usize = FIXED.len() + 4;
/// The type of SETTINGS, and its only flag: an acknowledgement, which comes later if at all.
const SETTINGS: u8 = 4;
const ACK: u8 = 1;

/// A preface as far as it has arrived.
#[derive(Debug, Default)]
pub(super) struct Preface {
    arrived: usize,
}

impl Preface {
    /// Follows what arrived; false when it can be no preface any more. Octets after it are not looked at.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if self.is_whole() {
                return true;
            }
            if !fits(self.arrived, *byte) {
                return false;
            }
            self.arrived = self.arrived.saturating_add(1);
        }
        true
    }

    /// Everything that makes it a preface was there.
    pub(super) const fn is_whole(&self) -> bool {
        self.arrived > FLAGS_AT
    }
}

fn fits(at: usize, byte: u8) -> bool {
    match (FIXED.get(at), at) {
        (Some(fixed), _) => *fixed == byte,
        (None, TYPE_AT) => byte == SETTINGS,
        (None, FLAGS_AT) => byte & ACK == 0,
        (None, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SETTINGS with one parameter, and a PING after it.
    const FRAMES: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\xff\xff\0\0\x08\x06\0\0\0\0\0";

    #[test]
    fn follows_a_preface_at_every_split() {
        let all = [FIXED, FRAMES].concat();
        for at in 0..all.len() {
            let mut preface = Preface::default();
            assert!(preface.follow(&all[..at]), "split at {at}");
            assert_eq!(preface.is_whole(), at > FLAGS_AT, "split at {at}");
            assert!(preface.follow(&all[at..]) && preface.is_whole());
        }
    }

    #[test]
    fn refuses_one_octet_that_is_wrong() {
        let all = [FIXED, FRAMES].concat();
        for at in (0..FIXED.len()).chain([TYPE_AT, FLAGS_AT]) {
            let mut wrong = all.clone();
            wrong[at] ^= 1;
            assert!(!Preface::default().follow(&wrong), "octet {at}");
        }
        let mut longer = all;
        longer[FIXED.len()] ^= 1;
        assert!(
            Preface::default().follow(&longer),
            "its length is the library's"
        );
    }
}

//! Entry bundles (C2SP tlog-tiles): up to 256 entries, each after its length as a big-endian `u16`.

/// An entry has at most this many bytes: what the length prefix can say.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// The length prefix.
const PREFIX_BYTES: usize = 2;

/// Appends an entry to a bundle. INVARIANT: the entry has at most [`ENTRY_BYTES_MAX`] bytes, which the
/// log makes sure of when it is appended; the length of a longer one would be cut.
pub(crate) fn put(bundle: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// The entries of a bundle, and whether it ends where the last of them does.
#[must_use]
pub fn entries(bundle: &[u8]) -> (Vec<&[u8]>, bool) {
    let mut found = Vec::new();
    let mut rest = bundle;
    while let Some((prefix, after)) = rest.split_first_chunk::<PREFIX_BYTES>() {
        let Some((entry, next)) = after.split_at_checked(usize::from(u16::from_be_bytes(*prefix)))
        else {
            return (found, false);
        };
        found.push(entry);
        rest = next;
    }
    (found, rest.is_empty())
}

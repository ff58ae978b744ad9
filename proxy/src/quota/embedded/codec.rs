//! A book as bytes: numbers of eight bytes, the lowest first.
//!
//! ```text
//!  id │ generation │ window │ last end │ warned until │ exceeded until │ named │ (end, units) …
//! ```

use std::collections::BTreeMap;

use crate::quota::book::Book;
use crate::quota::ledger::StoreError;

/// The bytes of a book.
pub(super) fn encode(book: &Book) -> Vec<u8> {
    let head = [
        book.id,
        book.generation,
        book.window_ms,
        book.last_end_ms,
        book.warned_until_ms,
        book.exceeded_until_ms,
        book.named,
    ];
    let buckets = book.buckets.iter().flat_map(|(end, units)| [*end, *units]);
    head.into_iter()
        .chain(buckets)
        .flat_map(u64::to_le_bytes)
        .collect()
}

/// The book of these bytes.
///
/// # Errors
/// [`StoreError::Corrupt`] when they are none of a book.
pub(super) fn decode(bytes: &[u8]) -> Result<Book, StoreError> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    let numbers: Vec<u64> = numbers.iter().copied().map(u64::from_le_bytes).collect();
    let Some((
        [
            id,
            generation,
            window_ms,
            last_end_ms,
            warned,
            exceeded,
            named,
        ],
        buckets,
    )) = numbers.split_first_chunk::<7>()
    else {
        return Err(StoreError::Corrupt);
    };
    let (pairs, odd) = buckets.as_chunks::<2>();
    if !rest.is_empty() || !odd.is_empty() {
        return Err(StoreError::Corrupt);
    }
    let buckets: BTreeMap<u64, u64> = pairs.iter().map(|[end, units]| (*end, *units)).collect();
    Ok(Book {
        id: *id,
        generation: *generation,
        window_ms: *window_ms,
        last_end_ms: *last_end_ms,
        warned_until_ms: *warned,
        exceeded_until_ms: *exceeded,
        named: *named,
        buckets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_refuses_everything_else() {
        let mut book = Book::new(1, 2);
        book.buckets = BTreeMap::from([(10, 3), (20, u64::MAX)]);
        book.named = 7;
        let bytes = encode(&book);
        assert_eq!(decode(&bytes), Ok(book));
        for length in 0..bytes.len() {
            let whole = length == 56 || length == 72;
            assert_eq!(decode(&bytes[..length]).is_err(), !whole, "{length}");
        }
    }
}

//! Header compression (RFC 7541), octet for octet: every representation is read, and each that makes no
//! sense ends the connection, since both sides no longer know the same table.

use crate::bypass::h2::frames::headers;

use super::case::code::{COMPRESSION, PROTOCOL};
use super::case::{Case, case};
use super::given::Given;

/// `x-test` and `custom`, written plainly and in the Huffman code (RFC 7541 appendix B).
const PLAIN: (&[u8], &[u8]) = (b"\x06x-test", b"\x06custom");
const CODED: (&[u8], &[u8]) = (
    &[0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff],
    &[0x85, 0x25, 0xa8, 0x49, 0xe9, 0x5b],
);
/// The index of the newest entry of the dynamic table.
const NEWEST: u8 = 62;

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [
        indices(given),
        tables(given),
        literals(given),
        numbers(given),
        strings(given),
        sizes(given),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn asks(given: &Given, stream: u32, further: &[u8]) -> Vec<u8> {
    headers(stream, &[&given.get(), further].concat(), true)
}

/// A row whose block ends with these octets.
fn ends_with(given: &Given, section: &'static str, claim: &'static str, octets: &[u8]) -> Case {
    case(section, claim).sends(asks(given, 1, octets))
}

/// The codes for a table that is lost. RFC 7541 asks for COMPRESSION_ERROR.
const LOST: &[u32] = &[COMPRESSION, PROTOCOL];

fn indices(given: &Given) -> Vec<Case> {
    let bad =
        |section, claim, octets: &[u8]| ends_with(given, section, claim, octets).goes_away(LOST);
    vec![
        bad("7541 2.3.3", "an index beyond both tables", &[0xc6]),
        bad(
            "7541 2.3.3",
            "an index just beyond an empty table",
            &[0x80 | NEWEST],
        ),
        bad(
            "7541 2.3.3",
            "a name beyond both tables, indexed",
            &[0x7f, 0x07, 0],
        ),
        bad(
            "7541 2.3.3",
            "a name beyond both tables, not indexed",
            &[0x0f, 0x37, 0],
        ),
        bad(
            "7541 2.3.3",
            "a name beyond both tables, never indexed",
            &[0x1f, 0x37, 0],
        ),
        bad("7541 6.1", "an index of 0", &[0x80]),
        ends_with(
            given,
            "7541 6.1",
            "an entry of the static table",
            &[0x80 | 16],
        )
        .serves(1),
    ]
}

/// What one block teaches, the next may use.
fn tables(given: &Given) -> Vec<Case> {
    let entry = [&[0x40][..], PLAIN.0, PLAIN.1].concat();
    let named = [&[0x40 | NEWEST][..], PLAIN.1].concat();
    vec![
        ends_with(
            given,
            "7541 2.3.2",
            "an entry of the same block",
            &[&entry[..], &[0x80 | NEWEST]].concat(),
        )
        .serves(1),
        case("7541 2.3.2", "an entry of the block before")
            .sends(asks(given, 1, &entry))
            .sends(asks(given, 3, &[0x80 | NEWEST]))
            .serves(3),
        case("7541 2.3.2", "a name of the block before")
            .sends(asks(given, 1, &entry))
            .sends(asks(given, 3, &named))
            .serves(3),
        case("7541 2.2", "a table is not shared by connections")
            .sends(asks(given, 1, &[0x80 | NEWEST]))
            .goes_away(LOST),
        case("7541 2.2", "a refused request leaves the table as it says")
            .sends(asks(
                given,
                1,
                &[&entry[..], &[0], b"\x02te", b"\x04gzip"].concat(),
            ))
            .sends(asks(given, 3, &[0x80 | NEWEST]))
            .serves(3),
    ]
}

fn literals(given: &Given) -> Vec<Case> {
    let row =
        |claim, parts: &[&[u8]]| ends_with(given, "7541 6.2", claim, &parts.concat()).serves(1);
    // Index 58 of the static table is `user-agent`; a prefix of 4 bits needs a second octet for it.
    let (agent, short): (&[u8], &[u8]) = (&[0x40 | 58], &[0x0f, 43]);
    vec![
        row("indexed, new name", &[&[0x40], PLAIN.0, PLAIN.1]),
        row("indexed, new name, coded", &[&[0x40], CODED.0, CODED.1]),
        row("indexed, known name", &[agent, PLAIN.1]),
        row("indexed, known name, coded", &[agent, CODED.1]),
        row("not indexed, new name", &[&[0], PLAIN.0, PLAIN.1]),
        row("not indexed, new name, coded", &[&[0], CODED.0, CODED.1]),
        row("not indexed, known name", &[short, PLAIN.1]),
        row("never indexed, new name", &[&[0x10], PLAIN.0, PLAIN.1]),
        row(
            "never indexed, new name, coded",
            &[&[0x10], CODED.0, CODED.1],
        ),
        row("never indexed, known name", &[&[0x1f, 43], PLAIN.1]),
        row("a coded name and a plain value", &[&[0], CODED.0, PLAIN.1]),
    ]
}

fn numbers(given: &Given) -> Vec<Case> {
    let bad = |claim, octets: &[u8]| ends_with(given, "7541 5.1", claim, octets).goes_away(LOST);
    vec![
        bad("a number that does not end", &[0xff]),
        bad(
            "a number that does not end after many octets",
            &[[0xff; 30]].concat(),
        ),
        bad(
            "a number beyond what fits",
            &[
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
            ],
        ),
        ends_with(
            given,
            "7541 5.1",
            "a number that is longer than it need be",
            &[0x0f, 0xab, 0x00, 0],
        )
        .serves(1),
    ]
}

fn strings(given: &Given) -> Vec<Case> {
    let bad = |claim, octets: &[u8]| {
        let field = [&[0][..], PLAIN.0, octets].concat();
        ends_with(given, "7541 5.2", claim, &field).goes_away(LOST)
    };
    vec![
        bad("a string that is cut", &[5, b'a']),
        bad("a coded string that is cut", &[0x85, 0x25]),
        bad("a string without its length", &[]),
        // `test` is 49 50 9f: five, five, five and five bits and four of padding.
        bad(
            "padding of more than 7 bits",
            &[0x84, 0x49, 0x50, 0x9f, 0xff],
        ),
        bad("padding of zeros", &[0x83, 0x49, 0x50, 0x90]),
        bad(
            "the end of the string within it",
            &[0x87, 0x49, 0x51, 0xff, 0xff, 0xff, 0xfa, 0x7f],
        ),
        bad("nothing but padding", &[0x81, 0xff]),
    ]
}

fn sizes(given: &Given) -> Vec<Case> {
    let first = |section, claim, octets: &[u8]| {
        let block = [octets, &given.get()].concat();
        case(section, claim).sends(headers(1, &block, true))
    };
    let entry = [&[0x40][..], PLAIN.0, PLAIN.1].concat();
    let emptied = [&[0x20][..], &given.get(), &[0x80 | NEWEST]].concat();
    vec![
        first("7541 6.3", "a size of nothing is taken", &[0x20]).serves(1),
        first("7541 6.3", "a size of 128 is taken", &[0x3f, 0x61]).serves(1),
        first(
            "7541 6.3",
            "the size that was allowed is taken",
            &[0x3f, 0xe1, 0x1f],
        )
        .serves(1),
        first("7541 6.3", "a size of one more is not", &[0x3f, 0xe2, 0x1f]).goes_away(LOST),
        first(
            "7541 6.3",
            "a size of very much more is not",
            &[0x3f, 0xff, 0xff, 0xff, 0x7f],
        )
        .goes_away(LOST),
        first(
            "7541 4.2",
            "two sizes are taken",
            &[0x3f, 0x61, 0x3f, 0xe1, 0x1f],
        )
        .serves(1),
        ends_with(
            given,
            "7541 4.2",
            "a size at the end of a block is not taken",
            &[0x21],
        )
        .goes_away(LOST),
        ends_with(
            given,
            "7541 4.2",
            "a size within a block is not taken",
            &[&[0x20, 0][..], PLAIN.0, PLAIN.1].concat(),
        )
        .goes_away(LOST),
        case("7541 4.3", "a smaller table forgets")
            .sends(asks(given, 1, &entry))
            .sends(headers(3, &emptied, true))
            .goes_away(LOST),
    ]
}

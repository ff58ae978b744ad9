//! Makes documents long, so that what matters stands where a block or a window of a scanner ends.

use super::random::Random;

/// Where scanners may end a block, a window or a chunk, in bytes.
const BORDERS: &[usize] = &[64, 64, 64, 64, 4096, 4096, 16_384];

/// What strings are filled with: plain, escaped, of several bytes.
const FILLERS: &[&str] = &[
    "x",
    "x",
    " ",
    "é",
    "€",
    "😀",
    "\\\\",
    "\\\"",
    "\\u00e9",
    "\\ud83d\\ude00",
    "{",
    "\\n",
];

/// A place where something may be put in without making a document invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before or after a structural character: white space.
    Between(usize),
    /// After a string's opening quote: text.
    Within(usize),
}

/// The same document, with white space and text put in at some places, each time so much that what
/// follows stands within a few bytes of a border.
pub(crate) fn padded(random: &mut Random, document: String) -> String {
    let mut padded = document;
    for _ in 0..1 + random.below(3) {
        let places = places(&padded);
        if places.is_empty() {
            return padded;
        }
        let place = random.choose(&places);
        let (Place::Between(at) | Place::Within(at)) = place;
        let border = random.choose(BORDERS);
        let next = (at / border + 1) * border;
        let length = (next + random.below(8)).saturating_sub(at + 4);
        let filling = match place {
            Place::Between(_) => random.choose(&[" ", "\n", " \t", "\r\n"]),
            Place::Within(_) => random.choose(FILLERS),
        };
        let mut filling = filling.repeat(length / filling.len());
        if let Place::Within(_) = place {
            filling.push_str(&"y".repeat(length - filling.len()));
        }
        padded.insert_str(at, &filling);
    }
    padded
}

fn places(document: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in document.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                in_string = !in_string;
                if in_string {
                    places.push(Place::Within(at + 1));
                }
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' if !in_string => {
                places.extend([Place::Between(at), Place::Between(at + 1)]);
            }
            _ => {}
        }
    }
    places
}

//! How a secret may be spelled in a text: one table of encodings, and what each makes of the bytes.
//!
//! | form | spellings |
//! |---|---|
//! | raw | as it is |
//! | percent | every set of bytes that common encoders keep, hex digits in both cases, a space as `%20` and as `+`, once and twice (`%252F`) |
//! | JSON | `\"`, `\\`, `\/`, `\u00xx` for the sets that common writers escape, in both cases; JSON inside a JSON string |
//! | script | the same with `\xhh` |
//! | HTML | names, `&#47;`, `&#047;`, `&#x2f;`, `&#x2F;` for the sets that common writers escape; every name (`&sol;`) |
//! | quoted-printable | `=3D` alone, and `=hh` for all that is no letter or digit; not broken over lines |
//! | base64 | the two alphabets, padded or not, at all three alignments inside a longer text |
//! | hex | in both cases |
//! | decoded | the secret is itself percent-encoded or quoted: what is inside, as it is |
//! | core | a long run of bytes that no encoder changes, whatever became of the bytes around it |
//!
//! Letters and digits are never escaped: no encoder that a legacy application uses does that. Spellings
//! that come out the same are one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode;

/// The shortest run of unchanged bytes that is looked for on its own.
const CORE_BYTES_MIN: usize = 16;
/// How many different bytes such a run has at least.
const CORE_DIFFERENT_MIN: usize = 10;

/// What encoders of URLs keep besides letters and digits.
const PERCENT_KEPT: [&[u8]; 12] = [
    b"-._~",
    b"-._~/",
    b"-._",
    b"-._/",
    b"-._*",
    b"-._~$&+=:@",
    b"-._~$&+,/:;=@",
    b"-._~!*'()",
    b"-._~!$&'()*+,;=:@",
    b"-._~!$&'()*+,;=:@/?",
    b"-._~!*'();/?:@&=+$,#",
    b"",
];

/// What writers of JSON and scripts escape as `\u00xx` besides control characters.
const JSON_ESCAPED: [&[u8]; 5] = [b"", b"<>&", b"<>&'", b"<>&'\"+`", b"<>&'\"=-;`"];

/// What OWASP's and Twig's writers of scripts keep besides letters and digits.
const SCRIPT_KEPT: &[u8] = b",._";
/// What older Go templates escape as `\xhh`.
const SCRIPT_ESCAPED: &[u8] = b"\"'&+<>";

/// What writers of HTML escape.
const HTML_ESCAPED: [&[u8]; 5] = [b"&<>\"", b"&<>\"'", b"&<>\"'/", b"&<>\"'+", b"&<>\"'/=`+"];

/// In which form a secret was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// As it is.
    Raw,
    /// In a URL or a form.
    Percent,
    /// In a JSON string or a script.
    Json,
    /// In HTML or XML.
    Html,
    /// In a mail, quoted-printable.
    Quoted,
    /// In base64, perhaps inside a longer text.
    Base64,
    /// In hex digits.
    Hex,
    /// Without the encoding or the quotes that it has itself.
    Decoded,
    /// A part that stands for it.
    Core,
}

impl Form {
    /// Whether what stands there is read as the secret itself, so that another text can take its place.
    #[must_use]
    pub const fn is_faithful(self) -> bool {
        match self {
            Self::Raw | Self::Percent | Self::Json | Self::Html | Self::Quoted => true,
            Self::Base64 | Self::Hex | Self::Decoded | Self::Core => false,
        }
    }
}

/// In which case hex digits are written.
#[derive(Clone, Copy)]
enum Digits {
    Lower,
    Upper,
}

const BOTH: [Digits; 2] = [Digits::Lower, Digits::Upper];

impl Digits {
    fn pair(self, byte: u8) -> String {
        match self {
            Self::Lower => format!("{byte:02x}"),
            Self::Upper => format!("{byte:02X}"),
        }
    }
}

/// All spellings of a secret, each with the first form of the table that makes it.
pub(super) fn spellings(secret: &[u8]) -> BTreeMap<Vec<u8>, Form> {
    let mut all = BTreeMap::new();
    let mut add = |form: Form, spelling: Vec<u8>| {
        all.entry(spelling).or_insert(form);
    };
    escapes(secret, &mut add);
    for spelling in in_base64(secret) {
        add(Form::Base64, spelling);
    }
    for digits in BOTH {
        add(Form::Hex, by_byte(secret, |byte| digits.pair(byte).into()));
    }
    for inside in insides(secret) {
        escapes(&inside, &mut |_, spelling| add(Form::Decoded, spelling));
    }
    for core in cores(secret) {
        add(Form::Core, core.to_vec());
    }
    all
}

/// The spellings that escape single bytes.
fn escapes(secret: &[u8], add: &mut impl FnMut(Form, Vec<u8>)) {
    add(Form::Raw, secret.to_vec());
    if secret.iter().all(u8::is_ascii_alphanumeric) {
        return;
    }
    for kept in PERCENT_KEPT {
        for digits in BOTH {
            for space in ["%20", "+"] {
                let once = percent(secret, kept, digits, space);
                add(Form::Percent, percent(&once, kept, digits, "%20"));
                add(Form::Percent, percent(&once, b"-._~", digits, "%20"));
                add(Form::Percent, once);
            }
        }
    }
    for escaped in JSON_ESCAPED {
        for digits in BOTH {
            for slash in [false, true] {
                let once = json(secret, |byte| escaped.contains(&byte), digits, slash);
                add(Form::Json, json(&once, |_| false, digits, slash));
                add(Form::Json, json(&once, |_| false, digits, false));
                add(Form::Json, once);
            }
        }
    }
    let unkept = |byte| is_special(byte) && !SCRIPT_KEPT.contains(&byte);
    for digits in BOTH {
        add(Form::Json, json(secret, is_special, digits, false));
        add(Form::Json, json(secret, unkept, digits, false));
        add(Form::Json, script(secret, is_special, digits));
        add(Form::Json, script(secret, unkept, digits));
        let go = script(secret, |byte| SCRIPT_ESCAPED.contains(&byte), digits);
        add(Form::Json, go);
        add(Form::Quoted, quoted(secret, |byte| byte == b'=', digits));
        add(Form::Quoted, quoted(secret, is_special, digits));
    }
    add(Form::Html, by_byte(secret, by_name));
    for numeral in NUMERALS {
        for named in [true, false] {
            for escaped in HTML_ESCAPED {
                let html = html(secret, |byte| escaped.contains(&byte), numeral, named);
                add(Form::Html, html);
            }
            add(Form::Html, html(secret, is_special, numeral, named));
        }
    }
}

const fn is_special(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric()
}

fn by_byte(text: &[u8], spell: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
    text.iter().flat_map(|byte| spell(*byte)).collect()
}

fn percent(text: &[u8], kept: &[u8], digits: Digits, space: &str) -> Vec<u8> {
    by_byte(text, |byte| match byte {
        b' ' => space.into(),
        _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => vec![byte],
        _ => format!("%{}", digits.pair(byte)).into(),
    })
}

fn json(text: &[u8], escaped: impl Fn(u8) -> bool, digits: Digits, slash: bool) -> Vec<u8> {
    by_byte(text, |byte| match byte {
        _ if escaped(byte) => format!("\\u00{}", digits.pair(byte)).into(),
        b'"' | b'\\' => vec![b'\\', byte],
        b'/' if slash => vec![b'\\', byte],
        b'\n' => b"\\n".to_vec(),
        b'\r' => b"\\r".to_vec(),
        b'\t' => b"\\t".to_vec(),
        0..=0x1F => format!("\\u00{}", digits.pair(byte)).into(),
        _ => vec![byte],
    })
}

fn script(text: &[u8], escaped: impl Fn(u8) -> bool, digits: Digits) -> Vec<u8> {
    by_byte(text, |byte| match byte {
        _ if escaped(byte) => format!("\\x{}", digits.pair(byte)).into(),
        b'/' | b'\\' => vec![b'\\', byte],
        _ => vec![byte],
    })
}

/// RFC 2045 section 6.7.
fn quoted(text: &[u8], escaped: impl Fn(u8) -> bool, digits: Digits) -> Vec<u8> {
    by_byte(text, |byte| match escaped(byte) {
        true => format!("={}", digits.pair(byte)).into(),
        false => vec![byte],
    })
}

/// How a character reference names a number.
const NUMERALS: [fn(u8) -> String; 4] = [
    |byte| format!("&#{byte};"),
    |byte| format!("&#{byte:03};"),
    |byte| format!("&#x{byte:x};"),
    |byte| format!("&#x{byte:X};"),
];

fn html(
    text: &[u8],
    escaped: impl Fn(u8) -> bool,
    numeral: fn(u8) -> String,
    named: bool,
) -> Vec<u8> {
    by_byte(text, |byte| match byte {
        _ if !escaped(byte) => vec![byte],
        b'&' if named => b"&amp;".to_vec(),
        b'<' if named => b"&lt;".to_vec(),
        b'>' if named => b"&gt;".to_vec(),
        b'"' if named => b"&quot;".to_vec(),
        _ => numeral(byte).into(),
    })
}

/// A byte as the reference that has a name for it (HTML, section 13.5), where there is one.
fn by_name(byte: u8) -> Vec<u8> {
    let named = NAMES.iter().find(|(character, _)| *character == byte);
    match named {
        Some((_, name)) => [b"&", name.as_bytes(), b";"].concat(),
        None => vec![byte],
    }
}

const NAMES: [(u8, &str); 30] = [
    (b'!', "excl"),
    (b'"', "quot"),
    (b'#', "num"),
    (b'$', "dollar"),
    (b'%', "percnt"),
    (b'&', "amp"),
    (b'\'', "apos"),
    (b'(', "lpar"),
    (b')', "rpar"),
    (b'*', "ast"),
    (b'+', "plus"),
    (b',', "comma"),
    (b'.', "period"),
    (b'/', "sol"),
    (b':', "colon"),
    (b';', "semi"),
    (b'<', "lt"),
    (b'=', "equals"),
    (b'>', "gt"),
    (b'?', "quest"),
    (b'@', "commat"),
    (b'[', "lbrack"),
    (b'\\', "bsol"),
    (b']', "rbrack"),
    (b'^', "Hat"),
    (b'_', "lowbar"),
    (b'`', "grave"),
    (b'{', "lbrace"),
    (b'|', "vert"),
    (b'}', "rbrace"),
];

/// What base64 makes of a secret after 0, 1 and 2 bytes of something else: the digits that depend on
/// nothing but the secret. The digits at both edges, which hold at most four of its bits each, stay out.
///
/// ```text
/// bytes    │ ? │ s0 │ s1 │ s2 │        one byte before: two digits are not the secret's alone
/// digits   │ ? ? │ d │ d │ d │ …
/// ```
fn in_base64(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for before in 0..3 {
        let mut text = vec![0; before];
        text.extend_from_slice(secret);
        let first = (before * 8).div_ceil(6);
        let end = text.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            all.extend(encoded.as_bytes().get(first..end).map(<[u8]>::to_vec));
        }
    }
    // In URLs and JSON the standard alphabet's own signs are escaped.
    let escaped: Vec<Vec<u8>> = all
        .iter()
        .filter(|digits| digits.iter().any(|digit| matches!(digit, b'+' | b'/')))
        .flat_map(|digits| {
            let percent = BOTH.into_iter().flat_map(|case| {
                [&b"-._~"[..], b"-._~/"].map(|kept| percent(digits, kept, case, "+"))
            });
            let json = json(digits, |_| false, Digits::Upper, true);
            let dotnet = json_plus(digits);
            percent.chain([json, dotnet])
        })
        .collect();
    all.extend(escaped);
    all
}

fn json_plus(digits: &[u8]) -> Vec<u8> {
    json(digits, |byte| byte == b'+', Digits::Upper, false)
}

/// What is inside a secret's own quotes or percent-encoding.
fn insides(secret: &[u8]) -> Vec<Vec<u8>> {
    let quoted = secret
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""));
    let bare = quoted.unwrap_or(secret);
    let decoded: Vec<u8> = percent_decode(bare).collect();
    let inside = |text: &[u8]| text != secret && super::secrets::refusal(text).is_none();
    [bare.to_vec(), decoded]
        .into_iter()
        .filter(|text| inside(text))
        .collect()
}

/// The runs of bytes that no encoder changes, if they are long and look random. A secret that has no
/// other bytes has none.
fn cores(secret: &[u8]) -> impl Iterator<Item = &[u8]> {
    let kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    secret
        .split(move |byte| !kept(byte))
        .filter(|run| run.len() >= CORE_BYTES_MIN && is_random(run))
}

fn is_random(run: &[u8]) -> bool {
    run.iter().any(u8::is_ascii_digit)
        && run.iter().any(u8::is_ascii_alphabetic)
        && super::secrets::different(run) >= CORE_DIFFERENT_MIN
}

//! `Accept-Encoding` (RFC 9110 section 12.5.3): which coding the client gets.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use crate::coding::Coding;

/// The codings we put on, the preferred first among equally wanted ones.
const OFFERED: [Coding; 3] = [Coding::Zstd, Coding::Brotli, Coding::Gzip];

/// What the client is to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// No coding.
    Identity,
    /// This coding.
    Coded(Coding),
    /// The client refuses everything that we could send.
    Nothing,
}

/// Chooses among the codings that the client names; `*` only when it names none that we have.
/// Weights are in thousandths; an element that is malformed counts as not there.
pub(crate) fn choose(headers: &HeaderMap) -> Chosen {
    let mut wanted: Vec<(String, u16)> = Vec::new();
    for value in headers.get_all(ACCEPT_ENCODING) {
        let text = value.to_str().unwrap_or_default();
        wanted.extend(text.split(',').filter_map(element));
    }
    let weight = |name: &str| {
        let of = |name: &str| wanted.iter().find(|(known, _)| known == name);
        of(name).map(|(_, weight)| *weight)
    };
    let star = weight("*");
    let identity = weight("identity");
    let named = |coding: &Coding| match coding {
        Coding::Gzip => weight("gzip").max(weight("x-gzip")),
        Coding::Deflate | Coding::Brotli | Coding::Zstd => weight(coding.name()),
    };
    let best = OFFERED
        .iter()
        .filter_map(|coding| Some((*coding, named(coding)?)))
        .filter(|(_, weight)| *weight > 0)
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    if let Some((coding, weight)) = best
        && identity.is_none_or(|plain| plain <= weight)
    {
        return Chosen::Coded(coding);
    }
    if identity.or(star).is_none_or(|weight| weight > 0) {
        return Chosen::Identity;
    }
    let by_star = OFFERED.iter().find(|coding| named(coding).is_none());
    match (star, by_star) {
        (Some(1..), Some(coding)) => Chosen::Coded(*coding),
        (Some(_) | None, Some(_) | None) => Chosen::Nothing,
    }
}

/// `coding [;q=weight]`.
fn element(text: &str) -> Option<(String, u16)> {
    let trim = |text: &str| text.trim_matches([' ', '\t']).to_ascii_lowercase();
    let (name, weight) = match text.split_once(';') {
        Some((name, parameter)) => (name, qvalue(trim(parameter).strip_prefix("q=")?)?),
        None => (text, 1000),
    };
    let name = trim(name);
    (!name.is_empty()).then_some((name, weight))
}

/// RFC 9110 section 12.4.2: `0` to `1` with at most three decimals.
fn qvalue(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn chooses_by_weight_then_by_our_order() {
        let (gzip, br, zstd) = (
            Chosen::Coded(Coding::Gzip),
            Chosen::Coded(Coding::Brotli),
            Chosen::Coded(Coding::Zstd),
        );
        for (value, expected) in [
            ("", Chosen::Identity),
            ("identity", Chosen::Identity),
            ("*", Chosen::Identity),
            ("gzip", gzip),
            ("GZip", gzip),
            ("x-gzip", gzip),
            ("gzip, br, zstd", zstd),
            ("gzip, deflate, br", br),
            ("gzip;q=1.0, br;q=0.9, zstd;q=0.8", gzip),
            ("gzip;q=0.5, br;q=0.501", br),
            ("gzip;q=0", Chosen::Identity),
            ("gzip;q=0.5, identity", Chosen::Identity),
            ("gzip;q=0.5, identity;q=0.5", gzip),
            ("deflate", Chosen::Identity),
            ("compress, foo", Chosen::Identity),
            ("identity;q=0, gzip;q=0.5, *;q=0", gzip),
            ("identity;q=0", Chosen::Nothing),
            ("*;q=0", Chosen::Nothing),
            ("*;q=0, br", br),
            ("*;q=0, identity;q=0.1", Chosen::Identity),
            ("identity;q=0, *", zstd),
            ("identity;q=0, zstd;q=0, *;q=0.2", br),
            ("gzip;q=2", Chosen::Identity),
            ("gzip;q=0.0001", Chosen::Identity),
            ("gzip;q=", Chosen::Identity),
            ("gzip ; Q=0.3", gzip),
            (",, gzip ,", gzip),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(choose(&headers), expected, "{value}");
        }
        assert_eq!(choose(&HeaderMap::new()), Chosen::Identity);
    }

    #[test]
    fn reads_every_line_of_the_field() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.1"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        assert_eq!(choose(&headers), Chosen::Coded(Coding::Brotli));
    }
}

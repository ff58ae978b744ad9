//! Which route a request belongs to: the most specific line whose method and path fit.
//!
//! Guarantees: the answer depends on the canonical path and the method alone, and on the order of
//! the file only where the policy has already been refused. Literals are compared after decoding what
//! a path may hold unencoded (RFC 3986 sections 3.3 and 6.2.2.2), and a slash at the end leads to no
//! other route: no spelling that an application takes for the same path gets under a wider route.
//! It says nothing about who may use a route.

use std::borrow::Cow;

use postern_config::routes::{PathPart, RouteMethod};
use postern_config::{Route, RouteMatch};

/// Methods that no route can list: D8.
const NEVER: [&str; 2] = ["CONNECT", "TRACE"];

/// Every `match` line of a policy, the most specific first.
#[derive(Debug, Default)]
pub(crate) struct RouteMatcher {
    lines: Vec<Line>,
    /// Whether some line ends in a slash.
    slashes: bool,
}

/// What a request matches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Matched {
    /// The route at this place in the policy's list.
    Route(usize),
    /// The path fits, the method does not; these would.
    OtherMethods(Vec<String>),
    /// Nothing fits.
    Nothing,
}

#[derive(Debug)]
struct Line {
    route: usize,
    denied: bool,
    /// With its literals normalised.
    fits: RouteMatch,
}

impl RouteMatcher {
    /// The lines of these routes, and of what comes after them.
    pub(crate) fn with_others(routes: &[Route], others: &[&[RouteMatch]]) -> Self {
        let of_routes = routes
            .iter()
            .map(|route| (route.matches.as_slice(), route.deny));
        let of_others = others.iter().map(|lines| (*lines, false));
        let mut lines: Vec<Line> = of_routes
            .chain(of_others)
            .enumerate()
            .flat_map(|(route, (lines, denied))| {
                lines.iter().map(move |line| Line {
                    route,
                    denied,
                    fits: normalised(line.clone()),
                })
            })
            .collect();
        lines.sort_by(|a, b| b.fits.cmp_specificity(&a.fits));
        let slashes = lines.iter().any(Line::ends_in_slash);
        Self { lines, slashes }
    }

    /// The route of a request, by its method and its canonical path.
    ///
    /// SECURITY: many applications do not look at a slash at the end. Where the path with the slash and the
    /// path without it would belong to different routes, the two readings differ, and nothing matches: but a
    /// line that ends in a slash itself says that the application tells them apart, and is believed as long
    /// as no other line but the catch-all knows the path without it.
    pub(crate) fn find(&self, method: &str, path: &str) -> Matched {
        let found = self.find_spelled(method, path);
        match path.strip_suffix('/') {
            Some("") => found,
            Some(bare) if self.declares_slash(path) => match self.is_known(bare) {
                true => Matched::Nothing,
                false => found,
            },
            Some(bare) if self.find_spelled(method, bare) != found => Matched::Nothing,
            None if self.slashes && self.declares_slash(&format!("{path}/")) => Matched::Nothing,
            Some(_) | None => found,
        }
    }

    /// Whether a line that ends in a slash fits this path.
    fn declares_slash(&self, path: &str) -> bool {
        self.slashes && self.any_fits(path, Line::ends_in_slash)
    }

    /// Whether a line other than the catch-all fits this path.
    fn is_known(&self, path: &str) -> bool {
        self.any_fits(path, |line| !line.is_catch_all())
    }

    fn any_fits(&self, path: &str, counts: impl Fn(&Line) -> bool) -> bool {
        segments(path).is_some_and(|segments| {
            let mut lines = self.lines.iter().filter(|line| counts(line));
            lines.any(|line| line.fits_path(&segments))
        })
    }

    /// What a parameter of the line that a request matches stands for, in canonical form; none where
    /// the line has no such parameter, or nothing matches.
    pub(crate) fn parameter(&self, method: &str, path: &str, name: &str) -> Option<String> {
        let segments = segments(path)?;
        let fits = |line: &&Line| line.fits_path(&segments) && line.fits_method(method);
        // INVARIANT: lines are sorted, so the first that fits is the one that `find` names.
        let line = self.lines.iter().find(fits)?;
        let is_it = |part: &PathPart| matches!(part, PathPart::Parameter(own) if own == name);
        let place = line.fits.path.iter().position(is_it)?;
        segments.get(place).map(|segment| segment.to_string())
    }

    fn find_spelled(&self, method: &str, path: &str) -> Matched {
        let Some(segments) = segments(path) else {
            return Matched::Nothing;
        };
        let fitting: Vec<&Line> = self
            .lines
            .iter()
            .filter(|line| line.fits_path(&segments))
            .collect();
        let (narrow, catch_all): (Vec<&Line>, Vec<&Line>) =
            fitting.into_iter().partition(|line| !line.is_catch_all());
        let considered = if narrow.is_empty() { catch_all } else { narrow };
        if let Some(line) = considered.iter().find(|line| line.fits_method(method)) {
            return Matched::Route(line.route);
        }
        let mut listed: Vec<String> = considered
            .iter()
            .filter(|line| !line.denied)
            .filter_map(|line| match &line.fits.method {
                RouteMethod::Exactly(name) => Some(name.clone()),
                RouteMethod::Any => None,
            })
            .collect();
        listed.sort_unstable();
        listed.dedup();
        match listed.is_empty() {
            true => Matched::Nothing,
            false => Matched::OtherMethods(listed),
        }
    }
}

impl Line {
    /// Whether the line is the one that fits every path.
    fn is_catch_all(&self) -> bool {
        matches!(self.fits.path.as_slice(), [PathPart::Rest(_)])
    }

    fn ends_in_slash(&self) -> bool {
        matches!(self.fits.path.last(), Some(PathPart::Literal(text)) if text.is_empty())
    }

    fn fits_method(&self, method: &str) -> bool {
        match &self.fits.method {
            RouteMethod::Any => !NEVER.contains(&method),
            RouteMethod::Exactly(name) => name == method,
        }
    }

    fn fits_path(&self, segments: &[Cow<'_, str>]) -> bool {
        let mut left = segments.iter();
        for part in &self.fits.path {
            let fits = match (part, left.next()) {
                (PathPart::Rest(_), _) => return true,
                (PathPart::Literal(text), Some(segment)) => text == segment,
                (PathPart::Parameter(_), Some(segment)) => !segment.is_empty(),
                (PathPart::Literal(_) | PathPart::Parameter(_), None) => false,
            };
            if !fits {
                return false;
            }
        }
        left.next().is_none()
    }
}

fn normalised(mut line: RouteMatch) -> RouteMatch {
    for part in &mut line.path {
        if let PathPart::Literal(text) = part {
            *text = decode_plain(text).into_owned();
        }
    }
    line
}

/// The segments of an absolute path; none of `/`.
fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    Some(path.split('/').map(decode_plain).collect())
}

/// Decodes what a segment may hold unencoded (`pchar` of RFC 3986 section 3.3, without `;`), and writes
/// the rest with upper-case digits.
fn decode_plain(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut text = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let decoded = after
            .get(..2)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match decoded {
            Some(byte) => {
                if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte) {
                    text.push(char::from(byte));
                } else {
                    text.push_str(&format!("%{byte:02X}"));
                }
                after.get(2..).unwrap_or_default()
            }
            None => {
                text.push('%');
                after
            }
        };
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_only_what_need_not_be_encoded() {
        for (segment, decoded) in [
            ("a%62c", "abc"),
            ("%7e%2E%2d%5F", "~.-_"),
            ("a%2fb%2F", "a%2Fb%2F"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%25%34%31", "%2541"),
            ("v1%3asearch%40%2B", "v1:search@+"),
            ("%3B%20%22", "%3B%20%22"),
        ] {
            assert_eq!(decode_plain(segment), decoded, "{segment}");
        }
    }
}

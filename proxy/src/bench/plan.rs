//! What is measured, for how long, and how often.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use http::{HeaderMap, Uri};

use super::peers::Peer;

/// The smallest document: one case and what is around it.
const BYTES_MIN: usize = 1024;
/// The largest document.
const BYTES_MAX: usize = 64 << 20;

/// What one run does.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How often everything is measured in turns.
    pub rounds: usize,
    /// How long one measurement takes.
    pub time: Duration,
    /// How many connections ask at once.
    pub connections: usize,
    /// Requests a second at a fixed rate; none: half of what the slowest row can do.
    pub rate: Option<f64>,
    /// How large the documents are.
    pub sizes: Vec<Size>,
    /// The set-ups of Postern.
    pub rows: Vec<Row>,
    /// The proxies of others.
    pub peers: Vec<Peer>,
    /// How many threads each process works with.
    pub threads: usize,
    /// What runs already and is measured instead of rows.
    pub deployment: Option<Deployment>,
}

/// Something that runs already.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    /// What is measured.
    pub target: Uri,
    /// What it is compared with: the same without Postern.
    pub baseline: Option<Uri>,
    /// The fields that every request brings.
    pub fields: HeaderMap,
}

/// One set-up of Postern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// A role that sees every field
    HidesNothing,
    /// Ten selectors, whose values are redacted
    TenRules,
    /// Message bodies searched for cards, addresses, numbers and secrets
    FreeText,
    /// Ten rules, and sessions that are bound
    Sessions,
    /// Ten rules, and records and data subjects counted
    Quotas,
    /// Ten rules, and the audit log
    Audit,
    /// Ten rules, sessions, quotas and the audit log
    Everything,
}

impl Row {
    /// What is measured when nothing is named.
    pub(crate) const USUAL: [Self; 6] = [
        Self::HidesNothing,
        Self::TenRules,
        Self::FreeText,
        Self::Sessions,
        Self::Quotas,
        Self::Audit,
    ];

    /// What tables call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HidesNothing => "hides-nothing",
            Self::TenRules => "ten-rules",
            Self::FreeText => "free-text",
            Self::Sessions => "sessions",
            Self::Quotas => "quotas",
            Self::Audit => "audit",
            Self::Everything => "everything",
        }
    }
}

/// How large a document is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(super) usize);

impl Size {
    /// The number of bytes.
    pub(crate) const fn bytes(self) -> usize {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let (digits, unit) = match (lower.strip_suffix('k'), lower.strip_suffix('m')) {
            (Some(digits), _) => (digits, 1 << 10),
            (None, Some(digits)) => (digits, 1 << 20),
            (None, None) => (lower.as_str(), 1),
        };
        let count: Option<usize> = digits.parse().ok();
        count
            .and_then(|count| count.checked_mul(unit))
            .filter(|bytes| (BYTES_MIN..=BYTES_MAX).contains(bytes))
            .map(Self)
            .ok_or_else(|| "a size is from `1k` to `64m`".to_owned())
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        match bytes {
            _ if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => {
                write!(f, "{}m", bytes >> 20)
            }
            _ if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => {
                write!(f, "{}k", bytes >> 10)
            }
            _ => write!(f, "{bytes}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_they_are_written() {
        for text in ["1k", "10k", "100k", "10m", "64m", "1025"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
        assert_eq!("1024".parse::<Size>().unwrap().to_string(), "1k");
        assert_eq!("10M".parse::<Size>().unwrap().bytes(), 10 << 20);
    }

    #[test]
    fn a_size_that_is_none_or_out_of_bounds_is_refused() {
        for text in [
            "",
            "k",
            "1",
            "1023",
            "65m",
            "-1k",
            "1.5k",
            "10g",
            "99999999999999999999m",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_row_is_called_as_it_is_named_on_the_command_line() {
        for row in Row::value_variants() {
            let named = row.to_possible_value().unwrap();
            assert_eq!(named.get_name(), row.name());
        }
    }
}

//! System query options of OData 4.01 (Part 2, section 5.1): `$filter`, `$orderby`, `$select`, `$expand`.
//!
//! Of an expression only what it names is kept, after a check that operands and operators alternate and
//! that brackets balance. Lambdas, casts, aliases (`@x`), `$it` and nested options are not read.

use super::languages;

/// Operators between two operands (ABNF `eqExpr` to `modExpr`, `andExpr`, `orExpr`, `inExpr`).
const OPERATORS: [&str; 17] = [
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "and",
    "or",
    "in",
    "has",
    "add",
    "sub",
    "mul",
    "div",
    "divby",
    "mod",
    "matchesPattern",
];
/// Operands that are no fields.
const CONSTANTS: [&str; 5] = ["true", "false", "null", "INF", "NaN"];
/// Functions that tell nothing but what their arguments name.
const FUNCTIONS: [&str; 28] = [
    "concat",
    "contains",
    "endswith",
    "indexof",
    "length",
    "startswith",
    "substring",
    "substringof",
    "matchesPattern",
    "tolower",
    "toupper",
    "trim",
    "date",
    "day",
    "fractionalseconds",
    "hour",
    "maxdatetime",
    "mindatetime",
    "minute",
    "month",
    "now",
    "second",
    "time",
    "totaloffsetminutes",
    "year",
    "ceiling",
    "floor",
    "round",
];

/// The option that a parameter is, without `$`.
pub(super) fn option(name: &str) -> &str {
    name.strip_prefix('$').unwrap_or(name)
}

/// The fields that an option names; none when it cannot be read.
pub(super) fn read(name: &str, value: &str) -> Option<Vec<String>> {
    match option(name) {
        "filter" => Expression::new(value).fields(),
        "orderby" => languages::sorted(value),
        "select" | "expand" => languages::listed(value),
        _ => None,
    }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// An operand, or the end of an argument list that has none.
    OperandOrNone,
    /// An operand.
    Operand,
    /// An operator, a comma, a closing bracket or the end.
    Operator,
}

struct Expression<'a> {
    rest: &'a str,
    open: usize,
    next: Next,
    named: Vec<String>,
}

impl<'a> Expression<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            open: 0,
            next: Next::Operand,
            named: Vec::new(),
        }
    }

    fn fields(mut self) -> Option<Vec<String>> {
        loop {
            self.rest = self.rest.trim_start_matches(' ');
            let Some(first) = self.rest.chars().next() else {
                break;
            };
            match self.next {
                Next::Operator => self.after_operand(first)?,
                Next::Operand | Next::OperandOrNone => self.operand(first)?,
            }
        }
        (self.open == 0 && self.next == Next::Operator).then_some(self.named)
    }

    fn operand(&mut self, first: char) -> Option<()> {
        match first {
            '(' => {
                self.take(1);
                self.open = self.open.checked_add(1)?;
                self.next = Next::Operand;
            }
            ')' if self.next == Next::OperandOrNone => self.close()?,
            '\'' => self.text()?,
            '0'..='9' | '-' => {
                let literal = self.word(|c| c.is_ascii_alphanumeric() || "-+.:".contains(c));
                is_literal(literal).then_some(())?;
                self.next = Next::Operator;
            }
            _ => {
                let word = self.word(|c| c.is_alphanumeric() || matches!(c, '_' | '/'));
                self.named_operand(word)?;
            }
        }
        Some(())
    }

    fn named_operand(&mut self, word: &str) -> Option<()> {
        if word == "not" {
            self.next = Next::Operand;
        } else if self.rest.starts_with('(') {
            FUNCTIONS.contains(&word).then_some(())?;
            self.take(1);
            self.open = self.open.checked_add(1)?;
            self.next = Next::OperandOrNone;
        } else {
            if !CONSTANTS.contains(&word) {
                self.named.push(languages::path(word)?);
            }
            self.next = Next::Operator;
        }
        Some(())
    }

    fn after_operand(&mut self, first: char) -> Option<()> {
        match first {
            ')' => self.close()?,
            ',' if self.open > 0 => {
                self.take(1);
                self.next = Next::Operand;
            }
            _ => {
                let word = self.word(|c| c.is_ascii_alphabetic());
                OPERATORS.contains(&word).then_some(())?;
                self.next = Next::Operand;
            }
        }
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        self.take(1);
        self.open = self.open.checked_sub(1)?;
        self.next = Next::Operator;
        Some(())
    }

    /// A text in single quotes, where a quote is doubled. A backslash is refused: some readers take it for
    /// an escape, and would see the end elsewhere.
    fn text(&mut self) -> Option<()> {
        self.take(1);
        loop {
            let (inside, after) = self.rest.split_once('\'')?;
            if inside.contains('\\') {
                return None;
            }
            match after.strip_prefix('\'') {
                Some(after) => self.rest = after,
                None => {
                    self.rest = after;
                    self.next = Next::Operator;
                    return Some(());
                }
            }
        }
    }

    fn word(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn take(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// A number, a date, a time or a GUID: nothing in it can be a field.
fn is_literal(text: &str) -> bool {
    let digits = |c: char| c.is_ascii_digit();
    let when = |c: char| digits(c) || "-+:.TZ".contains(c);
    let number = text.parse::<f64>().is_ok_and(f64::is_finite);
    let groups: Vec<&str> = text.split('-').collect();
    let is_guid = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    number || is_guid || (text.starts_with(digits) && text.chars().all(when))
}

//! Filter expressions of RFC 9535 section 2.3.5: `||`, `&&`, `!`, tests and comparisons.
//!
//! `!` binds tightest, then comparisons, then `&&`, then `||`. A literal must be compared; only a
//! singular query may be.

use super::functions::{self, Typed};
use super::reader::Reader;
use super::{SelectorError, segments, strings};
use crate::selector::ast::{FilterQuery, Literal, Logical, Operand, Operator, Pick, Root, Segment};

/// `logical-or-expr`.
pub(super) fn logical(reader: &mut Reader) -> Result<Logical, SelectorError> {
    let parts = joined(reader, "||", |inner| {
        let parts = joined(inner, "&&", basic)?;
        Ok(one_or(parts, Logical::And))
    })?;
    Ok(one_or(parts, Logical::Or))
}

/// One or more of `part`, joined by `operator`. Blank space after the last is left unread.
fn joined(
    reader: &mut Reader,
    operator: &str,
    part: impl Fn(&mut Reader) -> Result<Logical, SelectorError>,
) -> Result<Vec<Logical>, SelectorError> {
    let mut parts = vec![part(reader)?];
    loop {
        let before = reader.position();
        reader.blank();
        if !reader.eat_str(operator) {
            reader.rewind(before);
            return Ok(parts);
        }
        reader.blank();
        parts.push(part(reader)?);
    }
}

fn one_or(mut parts: Vec<Logical>, several: impl Fn(Vec<Logical>) -> Logical) -> Logical {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            several(parts)
        }
        None => several(parts),
    }
}

/// `basic-expr`: a parenthesis, a comparison or a test.
fn basic(reader: &mut Reader) -> Result<Logical, SelectorError> {
    if !reader.eat('!') {
        return match reader.peek() {
            Some('(') => parenthesis(reader),
            _ => comparison_or_test(reader),
        };
    }
    reader.blank();
    let start = reader.position();
    let negated = match reader.peek() {
        Some('(') => parenthesis(reader)?,
        _ => comparison_or_test(reader)?,
    };
    if matches!(negated, Logical::Compare { .. }) && !starts_parenthesis(reader, start) {
        let message = "`!` negates a test or a parenthesis; write `!(a == b)` or `a != b`";
        return Err(SelectorError::at(start + 1, message));
    }
    Ok(Logical::Not(Box::new(negated)))
}

fn starts_parenthesis(reader: &mut Reader, start: usize) -> bool {
    let here = reader.position();
    reader.rewind(start);
    let found = reader.peek() == Some('(');
    reader.rewind(here);
    found
}

fn parenthesis(reader: &mut Reader) -> Result<Logical, SelectorError> {
    reader.bump();
    reader.descend(|inner| {
        inner.blank();
        let logical = logical(inner)?;
        inner.blank();
        if inner.eat(')') {
            Ok(logical)
        } else {
            Err(inner.unexpected("`)`, `&&` or `||`"))
        }
    })
}

/// Reads something and decides by what follows it whether it is compared or tested.
fn comparison_or_test(reader: &mut Reader) -> Result<Logical, SelectorError> {
    let start = reader.position();
    let left = term(reader)?;
    let before = reader.position();
    reader.blank();
    let Some(operator) = operator(reader) else {
        if reader.peek() == Some('=') {
            return Err(reader.unexpected("`==`, which compares"));
        }
        reader.rewind(before);
        return left.into_test(start);
    };
    let left = left.into_operand(start)?;
    reader.blank();
    let start = reader.position();
    let right = term(reader)?.into_operand(start)?;
    Ok(Logical::Compare {
        left,
        operator,
        right,
    })
}

/// A literal, a query or a function call, wherever one may stand.
pub(super) fn term(reader: &mut Reader) -> Result<Typed, SelectorError> {
    match reader.peek() {
        Some('@') => query(reader, Root::Current).map(Typed::Query),
        Some('$') => query(reader, Root::Document).map(Typed::Query),
        Some('\'' | '"') => Ok(Typed::Literal(Literal::String(strings::literal(reader)?))),
        Some('-' | '0'..='9') => Ok(Typed::Literal(Literal::Number(number(reader)?))),
        Some('a'..='z') => word(reader),
        _ => Err(reader.unexpected("`@`, `$`, a literal, a function, `!` or `(`")),
    }
}

fn query(reader: &mut Reader, root: Root) -> Result<FilterQuery, SelectorError> {
    reader.bump();
    let segments = segments(reader)?;
    Ok(FilterQuery { root, segments })
}

/// `true`, `false`, `null` or a function call.
fn word(reader: &mut Reader) -> Result<Typed, SelectorError> {
    let start = reader.position();
    let name = reader.take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if reader.peek() == Some('(') {
        return functions::call(reader, &name, start).map(Typed::Function);
    }
    match name.as_str() {
        "true" => Ok(Typed::Literal(Literal::Bool(true))),
        "false" => Ok(Typed::Literal(Literal::Bool(false))),
        "null" => Ok(Typed::Literal(Literal::Null)),
        _ => {
            let message = format!(
                "`{name}` is no literal; quote a string, write a member `@.{name}`, and a function with its `(`"
            );
            Err(SelectorError::at(start + 1, message))
        }
    }
}

/// `number` (2.3.5.1): as JSON's, and kept as written.
fn number(reader: &mut Reader) -> Result<String, SelectorError> {
    let start = reader.position();
    let mut text = String::new();
    if reader.eat('-') {
        text.push('-');
    }
    let whole = reader.take_while(|c| c.is_ascii_digit());
    if whole.is_empty() {
        return Err(reader.unexpected("a digit"));
    }
    if whole.len() > 1 && whole.starts_with('0') {
        let message = "a number has no leading zero";
        return Err(SelectorError::at(start + 1, message));
    }
    text.push_str(&whole);
    if reader.eat('.') {
        text.push('.');
        text.push_str(&digits(reader)?);
    }
    if let Some(e @ ('e' | 'E')) = reader.peek() {
        reader.bump();
        text.push(e);
        if let Some(sign @ ('-' | '+')) = reader.peek() {
            reader.bump();
            text.push(sign);
        }
        text.push_str(&digits(reader)?);
    }
    Ok(text)
}

fn digits(reader: &mut Reader) -> Result<String, SelectorError> {
    let digits = reader.take_while(|c| c.is_ascii_digit());
    if digits.is_empty() {
        return Err(reader.unexpected("a digit"));
    }
    Ok(digits)
}

fn operator(reader: &mut Reader) -> Option<Operator> {
    // Longer operators first: `<=` begins with `<`.
    const OPERATORS: [(&str, Operator); 6] = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    let found = OPERATORS.iter().find(|(text, _)| reader.eat_str(text));
    found.map(|(_, operator)| *operator)
}

impl Typed {
    /// As a side of a comparison or an argument of ValueType.
    pub(super) fn into_operand(self, start: usize) -> Result<Operand, SelectorError> {
        match self {
            Self::Literal(literal) => Ok(Operand::Literal(literal)),
            Self::Query(query) if is_singular(&query.segments) => Ok(Operand::Singular(query)),
            Self::Query(_) => {
                let message = "this query can select several values; a value here comes from names and single indexes only, or from `value(...)` or `count(...)`";
                Err(SelectorError::at(start + 1, message))
            }
            Self::Function(function) if functions::gives_value(&function) => {
                Ok(Operand::Function(Box::new(function)))
            }
            Self::Function(_) => {
                let message = "`match` and `search` are true or false by themselves and give no value; drop the comparison or the call around them";
                Err(SelectorError::at(start + 1, message))
            }
        }
    }

    /// As a test on its own.
    fn into_test(self, start: usize) -> Result<Logical, SelectorError> {
        match self {
            Self::Query(query) => Ok(Logical::Exists(query)),
            Self::Function(function) if !functions::gives_value(&function) => {
                Ok(Logical::Holds(function))
            }
            Self::Function(_) => {
                let message = "`length`, `count` and `value` give a value, which must be compared";
                Err(SelectorError::at(start + 1, message))
            }
            Self::Literal(_) => {
                let message = "a literal is no test by itself; compare it";
                Err(SelectorError::at(start + 1, message))
            }
        }
    }
}

/// A singular query (2.3.5.1): every segment is one name or one index.
fn is_singular(segments: &[Segment]) -> bool {
    segments.iter().all(|segment| match segment {
        Segment::Child(picks) => {
            matches!(picks.as_slice(), [Pick::Name(_) | Pick::Index(_)])
        }
        Segment::Descendant(_) => false,
    })
}

//! Function calls of RFC 9535 section 2.4: the five standard functions, and the types of their
//! arguments. Other functions do not exist here: a policy means the same to every reader.

use super::SelectorError;
use super::filters;
use super::reader::Reader;
use crate::selector::ast::{FilterQuery, Function, Literal, Operand};

/// What an expression is before its place says what it must be.
pub(super) enum Typed {
    Literal(Literal),
    Query(FilterQuery),
    Function(Function),
}

const NAMES: [&str; 5] = ["length", "count", "match", "search", "value"];

/// Whether the function's result is a ValueType; otherwise it is a LogicalType.
pub(super) fn gives_value(function: &Function) -> bool {
    match function {
        Function::Length(_) | Function::Count(_) | Function::Value(_) => true,
        Function::Match(..) | Function::Search(..) => false,
    }
}

/// Reads a call; the reader is at its `(`, and `start` is where the name began.
pub(super) fn call(
    reader: &mut Reader,
    name: &str,
    start: usize,
) -> Result<Function, SelectorError> {
    if !NAMES.contains(&name) {
        let known = "the functions are `length`, `count`, `match`, `search` and `value`";
        let message = format!("`{name}` is no function; {known}");
        return Err(SelectorError::at(start + 1, message));
    }
    reader.bump();
    let arguments = reader.descend(arguments)?;
    let wrong_count = |wanted: &str| {
        let message = format!("`{name}` takes {wanted}, here it has {}", arguments.len());
        SelectorError::at(start + 1, message)
    };
    if matches!(name, "match" | "search") {
        let Ok([value, pattern]) = <[Argument; 2]>::try_from(arguments) else {
            return Err(SelectorError::at(
                start + 1,
                format!("`{name}` takes two arguments: a value and a pattern"),
            ));
        };
        let (value, pattern) = (value.operand()?, pattern.operand()?);
        return Ok(match name {
            "match" => Function::Match(value, pattern),
            _ => Function::Search(value, pattern),
        });
    }
    let error = wrong_count("one argument");
    let Ok([only]) = <[Argument; 1]>::try_from(arguments) else {
        return Err(error);
    };
    match name {
        "length" => Ok(Function::Length(only.operand()?)),
        "count" => Ok(Function::Count(only.query(name)?)),
        _ => Ok(Function::Value(only.query(name)?)),
    }
}

/// An argument and where it began.
struct Argument {
    typed: Typed,
    start: usize,
}

impl Argument {
    /// As a ValueType (2.4.3).
    fn operand(self) -> Result<Operand, SelectorError> {
        self.typed.into_operand(self.start)
    }

    /// As a NodesType (2.4.3).
    fn query(self, function: &str) -> Result<FilterQuery, SelectorError> {
        match self.typed {
            Typed::Query(query) => Ok(query),
            Typed::Literal(_) | Typed::Function(_) => {
                let message =
                    format!("the argument of `{function}` is a query such as `@.items[*]`");
                Err(SelectorError::at(self.start + 1, message))
            }
        }
    }
}

/// The arguments up to the closing parenthesis, which is read too.
fn arguments(reader: &mut Reader) -> Result<Vec<Argument>, SelectorError> {
    let mut arguments = Vec::new();
    reader.blank();
    if reader.eat(')') {
        return Ok(arguments);
    }
    loop {
        reader.blank();
        let start = reader.position();
        let typed = filters::term(reader)?;
        arguments.push(Argument { typed, start });
        reader.blank();
        if reader.eat(')') {
            return Ok(arguments);
        }
        if !reader.eat(',') {
            return Err(reader.unexpected("`,` or `)`"));
        }
    }
}

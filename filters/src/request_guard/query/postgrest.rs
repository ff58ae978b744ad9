//! The lists and trees of PostgREST: `select`, `order`, and the logical operators `or` and `and`.
//!
//! Aliases (`a:email`), casts (`::text`), aggregates (`.max()`), spreads (`...customer(email)`), hints
//! (`!fk`), arrows in a selection and quoted names are not read: they rename, compute, or hide a name.

use super::languages;

/// Operators (PostgREST, "Horizontal filtering").
const OPERATORS: [&str; 25] = [
    "eq",
    "gt",
    "gte",
    "lt",
    "lte",
    "neq",
    "like",
    "ilike",
    "match",
    "imatch",
    "in",
    "is",
    "isdistinct",
    "fts",
    "plfts",
    "phfts",
    "wfts",
    "cs",
    "cd",
    "ov",
    "sl",
    "sr",
    "nxr",
    "nxl",
    "adj",
];

/// The fields that a parameter names; none when it cannot be read.
pub(super) fn read(name: &str, value: &str) -> Option<Vec<String>> {
    match name {
        "select" => selected(value),
        "order" => languages::sorted(value),
        "or" | "and" | "not.or" | "not.and" => Tree::new(value).fields(),
        _ => None,
    }
}

/// `id,customer(name,address(city))`: the fields with what they are part of.
fn selected(value: &str) -> Option<Vec<String>> {
    let (mut above, mut named) = (Vec::new(), Vec::new());
    let mut rest = value;
    let mut item_follows = true;
    while item_follows || !rest.is_empty() {
        if item_follows {
            let end = rest.find([',', '(', ')']).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end)?;
            let is_plain = |c: char| c.is_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_plain) {
                return None;
            }
            above.push(name);
            match after.strip_prefix('(') {
                Some(inside) => rest = inside,
                None => {
                    named.push(above.join("."));
                    above.pop();
                    item_follows = false;
                    rest = after;
                }
            }
        } else if let Some(after) = rest.strip_prefix(')') {
            above.pop()?;
            rest = after;
        } else {
            rest = rest.strip_prefix(',')?;
            item_follows = true;
        }
    }
    above.is_empty().then_some(named)
}

/// `(status.eq.open,or(name.ilike.a*,not.id.in.(1,2)))`.
struct Tree<'a> {
    rest: &'a str,
    open: usize,
    named: Vec<String>,
}

impl<'a> Tree<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            open: 0,
            named: Vec::new(),
        }
    }

    fn fields(mut self) -> Option<Vec<String>> {
        self.skip("(").then_some(())?;
        self.open = 1;
        loop {
            self.skip("not.");
            if self.skip("and(") || self.skip("or(") {
                self.open = self.open.checked_add(1)?;
                continue;
            }
            self.condition()?;
            while self.skip(")") {
                self.open = self.open.checked_sub(1)?;
                if self.open == 0 {
                    return self.rest.is_empty().then_some(self.named);
                }
            }
            self.skip(",").then_some(())?;
        }
    }

    /// `customer->>name.not.ilike.a*`.
    fn condition(&mut self) -> Option<()> {
        let column = self.until(&['.', ',', '(', ')'])?;
        self.named.push(languages::path(column)?);
        self.skip(".").then_some(())?;
        self.skip("not.");
        let operator = self.until(&['.', ',', '(', ')'])?;
        OPERATORS.contains(&operator).then_some(())?;
        self.skip(".").then_some(())?;
        match (operator, self.rest.chars().next()) {
            ("in", Some('(')) => self.enclosed('(', ')'),
            ("in", _) => None,
            (_, Some('{')) => self.enclosed('{', '}'),
            (_, Some('"')) => self.enclosed('"', '"'),
            _ => {
                let value = self.until(&[',', ')'])?;
                (!value.contains(['(', '"', '{', '\\'])).then_some(())
            }
        }
    }

    /// A list or a quoted text. A backslash is refused, since it may hide the end; so is a quote in a list
    /// whose text would hold a bracket.
    fn enclosed(&mut self, open: char, close: char) -> Option<()> {
        let inside = self.rest.strip_prefix(open)?;
        let (text, after) = inside.split_once(close)?;
        let quotes = text.matches('"').count() % 2 == 1;
        if text.contains(['\\', '(', '{']) || quotes {
            return None;
        }
        self.rest = after;
        after.starts_with([',', ')']).then_some(())
    }

    fn until(&mut self, ends: &[char]) -> Option<&'a str> {
        let end = self.rest.find(ends)?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(text)
    }

    fn skip(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

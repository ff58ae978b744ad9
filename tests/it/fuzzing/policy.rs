//! Claim: any text is a policy or a list of errors, the same list every time, and each error has a
//! code that is explained and a place that is in the text. The same for server files.

use postern_config::policy::error::explanation;
use postern_config::policy::format;
use postern_config::{Policy, PolicyErrors, Server};

use super::{Finding, seeds};

/// Checks one input.
pub(crate) fn check(input: &[u8]) -> Finding {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(());
    };
    let parsed = Policy::parse("policy.yaml", text);
    let again = Policy::parse("policy.yaml", text);
    match (&parsed, &again) {
        (Ok(policy), Ok(_)) => findings(policy.lints(), text)?,
        (Err(errors), Err(others)) => {
            if errors.errors.is_empty() {
                return Err("refused without an error".to_owned());
            }
            if errors.errors != others.errors {
                return Err("other errors the second time".to_owned());
            }
            findings(errors, text)?;
        }
        _ => return Err("accepted only once".to_owned()),
    }
    formatted(text, parsed.is_ok())?;
    match Server::parse("postern.yaml", text) {
        Ok(_) => Ok(()),
        Err(errors) => findings(&errors, text),
    }
}

/// Every finding has a known code, a message, and a line of the text; the report can be written.
fn findings(found: &PolicyErrors, text: &str) -> Finding {
    // To YAML a carriage return alone ends a line as well.
    let lines = text.matches(['\n', '\r']).count() + 1;
    for error in &found.errors {
        if explanation(error.code).is_none() {
            return Err(format!("the code `{}` is not explained", error.code));
        }
        if error.message.is_empty() || error.line > lines {
            return Err(format!("{} points to line {}", error.code, error.line));
        }
    }
    if found.render(false).contains('\u{1b}') {
        return Err("the report holds a control character of the text".to_owned());
    }
    Ok(())
}

/// What is laid out anew means the same, and is laid out already.
fn formatted(text: &str, valid: bool) -> Finding {
    let Ok(once) = format(text) else {
        return if valid {
            Err("valid, and cannot be formatted".to_owned())
        } else {
            Ok(())
        };
    };
    if format(&once).ok().as_ref() != Some(&once) {
        return Err("formatting twice is not formatting once".to_owned());
    }
    if Policy::parse("policy.yaml", &once).is_ok() != valid {
        return Err("formatting makes a difference".to_owned());
    }
    Ok(())
}

/// Every policy and server file of the repository.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    seeds::policies()
}

//! The JSON Schema and the loader agree: a small validator of the schema's dialect judges every case.

use serde_json::Value;

use super::files::{expected, files, is_server};

/// Codes of errors that a schema can see wherever they occur.
const STRUCTURAL: [&str; 3] = ["PN003", "PN005", "PN006"];

fn value(text: &str) -> Option<Value> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).ok()
}

#[test]
fn whatever_loads_is_valid_by_the_schema() {
    let schema = postern_config::policy::schema();
    for folder in [
        "tests/cases/policy/good",
        "tests/cases/policy/lint",
        "docs/examples",
    ] {
        for (name, text) in files(folder) {
            if !is_server(&text) {
                let judged = check(&schema, &schema, &value(&text).unwrap(), "$");
                assert_eq!(judged, Ok(()), "{name}");
            }
        }
    }
}

#[test]
fn unknown_keys_wrong_forms_and_unknown_words_are_refused_by_the_schema_too() {
    let schema = postern_config::policy::schema();
    let mut refused = 0;
    for (name, text) in files("tests/cases/policy/bad") {
        let codes = expected(&name, &text);
        let structural = codes.iter().any(|code| STRUCTURAL.contains(&code.as_str()));
        let Some(value) = value(&text).filter(|_| structural) else {
            continue;
        };
        refused += 1;
        assert!(check(&schema, &schema, &value, "$").is_err(), "{name}");
    }
    assert!(refused >= 8, "only {refused} structural cases");
}

#[test]
fn every_section_of_the_schema_refuses_unknown_keys() {
    let schema = postern_config::policy::schema();
    let mut sections = vec![("policy", &schema)];
    let definitions = schema["$defs"].as_object().unwrap();
    sections.extend(
        definitions
            .iter()
            .map(|(name, schema)| (name.as_str(), schema)),
    );
    for (name, section) in sections {
        if section.get("properties").is_some() {
            assert_eq!(section["additionalProperties"], false, "{name}");
        }
    }
}

/// Judges a value by the keywords that our schema uses; any other keyword is an error.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(keywords) = schema else {
        return if *schema == Value::Bool(true) {
            Ok(())
        } else {
            Err(format!("{at}: not allowed"))
        };
    };
    for (keyword, rule) in keywords {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" | "format" => true,
            "properties" | "additionalProperties" => {
                members(root, keywords, value, at)?;
                true
            }
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                check(root, root.pointer(pointer).unwrap(), value, at)?;
                true
            }
            "anyOf" => {
                let forms = rule.as_array().unwrap();
                forms
                    .iter()
                    .any(|form| check(root, form, value, at).is_ok())
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(root, rule, item, at)?;
                }
                true
            }
            "type" => {
                let several = rule.as_array().map(Vec::as_slice);
                let types = several.unwrap_or_else(|| std::slice::from_ref(rule));
                types.iter().any(|one| is_of(one, value))
            }
            "required" => value.as_object().is_none_or(|members| {
                let keys = rule.as_array().unwrap();
                keys.iter()
                    .all(|key| members.contains_key(key.as_str().unwrap()))
            }),
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "minItems" => value
                .as_array()
                .is_none_or(|a| a.len() as u64 >= rule.as_u64().unwrap()),
            "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| {
                regex::Regex::new(rule.as_str().unwrap())
                    .unwrap()
                    .is_match(text)
            }),
            other => panic!("the validator does not know `{other}`"),
        };
        if !holds {
            return Err(format!("{at}: `{keyword}` does not hold"));
        }
    }
    Ok(())
}

fn members(
    root: &Value,
    keywords: &serde_json::Map<String, Value>,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let known = keywords.get("properties").and_then(Value::as_object);
    let others = keywords.get("additionalProperties");
    for (key, member) in value.as_object().into_iter().flatten() {
        let place = format!("{at}.{key}");
        match (known.and_then(|known| known.get(key)), others) {
            (Some(schema), _) | (None, Some(schema)) => check(root, schema, member, &place)?,
            (None, None) => {}
        }
    }
    Ok(())
}

fn is_of(one: &Value, value: &Value) -> bool {
    match one.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the validator does not know the type `{other}`"),
    }
}

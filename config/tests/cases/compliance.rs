//! Selectors against the JSONPath compliance suite, which is read where it lies.

use postern_config::Selector;

use super::files::repository;

/// The compliance suite, or `None` with a message where the corpus may be absent.
fn compliance_suite() -> Option<serde_json::Value> {
    let folder = std::env::var("POSTERN_CORPUS").unwrap_or_else(|_| {
        let root = repository();
        root.join("../shared/corpus").display().to_string()
    });
    let path = std::path::Path::new(&folder).join("jsonpath-cts/cts.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        let required = std::env::var("POSTERN_REQUIRE_CORPUS").is_ok_and(|v| v == "1");
        assert!(
            !required,
            "the corpus is required and `cts.json` is not there"
        );
        println!("skipped: no compliance suite; set POSTERN_CORPUS");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn accepts_and_refuses_what_the_compliance_suite_says() {
    let Some(suite) = compliance_suite() else {
        return;
    };
    let (mut valid, mut invalid, mut wrong) = (0, 0, Vec::new());
    for case in suite["tests"].as_array().unwrap() {
        let selector = case["selector"].as_str().unwrap();
        let refused = case["invalid_selector"] == true;
        let read = Selector::parse(selector);
        if refused {
            invalid += 1;
        } else {
            valid += 1;
        }
        if read.is_err() != refused {
            wrong.push(format!("{selector:?}: {read:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!((valid, invalid), (456, 247));
}

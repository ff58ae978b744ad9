//! What `postern run` says about variables of OpenTelemetry that it cannot use.

use super::runner::{Folder, command};

#[test]
fn a_variable_that_cannot_be_used_ends_the_start_and_is_named() {
    let folder = Folder::new();
    for (name, value) in [
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no pair, of secrets"),
    ] {
        let ran = command(folder.path())
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
            .env(name, value)
            .arg("run")
            .output()
            .unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("`{name}`")), "{told}");
        assert!(!told.contains("secrets"), "{told}");
    }
}

//! The public suites, through the engine and through the reference: the JSONPath Compliance Test
//! Suite as redactions, and JSONTestSuite as documents.
//!
//! The suites are read where they lie (`POSTERN_CORPUS`) and are not part of this repository.

mod json_test_suite;
mod jsonpath;

//! The `detect` section as it is written.

use crate::detect::Detector;
use crate::document::read::{At, OneOrMany, Word, Words};
use crate::document::section::section;
use crate::policy::file::ActionFile;

section! {
    /// What is searched for in free text, and what happens to it.
    DetectFile, required: ["find", "then"] {
        /// The kinds of data that are searched for.
        find: "find" => OneOrMany<Word<Detector>>,
        /// What happens to each piece of text that is found.
        then: "then" => At<ActionFile>,
    }
}

impl Words for Detector {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Email.word(), Self::Email),
        (Self::Phone.word(), Self::Phone),
        (Self::Card.word(), Self::Card),
        (Self::Iban.word(), Self::Iban),
        (Self::UsSsn.word(), Self::UsSsn),
        (Self::Secret.word(), Self::Secret),
        (Self::Ip.word(), Self::Ip),
        (Self::NamesInThisResponse.word(), Self::NamesInThisResponse),
    ];
}

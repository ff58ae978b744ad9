use super::*;

#[test]
fn what_is_found_is_replaced_and_the_rest_stays() {
    for (text, expected) in [
        ("write to j.doe@example.com.", "write to [redacted]."),
        ("card 4111 1111 1111 1111!", "card [redacted]!"),
        ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
        (
            "to DE89 3704 0044 0532 0130 00 please",
            "to [redacted] please",
        ),
        ("SSN 123-45-6789.", "SSN [redacted]."),
        (
            "from 95.206.171.119, version 1.2.3.4",
            "from [redacted], version 1.2.3.4",
        ),
        (
            "2001:db8::8a2e:370:7334 at 12:30:45",
            "[redacted] at 12:30:45",
        ),
        ("my phone is 726 794 355.", "my phone is [redacted]."),
        (
            "call +1 (286) 556-1381 or 001-479-826-7964x009",
            "call [redacted] or [redacted]",
        ),
        (
            "bld-2144-00-0852 on 2024-05-17",
            "bld-2144-00-0852 on 2024-05-17",
        ),
        ("password: hunter22", "password: [redacted]"),
        ("the password: forgotten", "the password: forgotten"),
        ("logo@2x.png", "logo@2x.png"),
    ] {
        let detectors = redacting();
        let search = Search::new(&detectors, None, None);
        assert_eq!(detect_text(search, text), expected);
    }
}

//! The table of rules and the names that are tokens.

use super::*;

#[test]
fn every_rule_does_what_the_table_says_until_a_policy_says_otherwise() {
    let table = "\
H01 revoke, H02 revoke, H03 observe, H04 revoke, H05a step_up, H05b revoke, H06 revoke, H07 step_up, \
H08 observe, H09 revoke, H10 observe, H11 revoke, H12 refuse, H13 refuse, H14 downgrade, H15 refuse";
    let all = |sessions: &Sessions| {
        let each = RuleId::ALL.map(|rule| {
            let action = sessions.for_rule(rule).word();
            format!("{} {action}", rule.word())
        });
        each.join(", ")
    };
    assert_eq!(all(&Sessions::default()), table);
    let usual = RuleId::ALL.map(|rule| format!("{} {}", rule.word(), rule.usual_action().word()));
    assert_eq!(usual.join(", "), table);
}

#[test]
fn on_mismatch_speaks_for_the_rules_about_another_holder_and_for_no_other() {
    let mut sessions = Sessions {
        on_mismatch: OnMismatch::Alert,
        ..Sessions::default()
    };
    for rule in RuleId::ALL {
        let expected = match rule.is_mismatch() {
            true => RuleAction::Observe,
            false => rule.usual_action(),
        };
        assert_eq!(sessions.for_rule(rule), expected, "{rule:?}");
    }
    sessions.rules.insert(RuleId::H02, RuleAction::StepUp);
    assert_eq!(sessions.for_rule(RuleId::H02), RuleAction::StepUp);
    assert_eq!(sessions.for_rule(RuleId::H01), RuleAction::Observe);
}

#[test]
fn the_usual_tokens_are_known_in_either_case_and_their_neighbours_are_not() {
    let names = TokenNames::default();
    for name in [
        "JSESSIONID",
        "jsessionid",
        "sid",
        "SESSION_ID",
        "remember_me",
    ] {
        assert!(names.is_cookie(name), "{name}");
    }
    for name in ["theme", "sidebar", "mysession", "remember", "xjsessionid"] {
        assert!(!names.is_cookie(name), "{name}");
    }
    for name in [
        "authorization",
        "x-amzn-oidc-data",
        "CF-Access-Jwt-Assertion",
    ] {
        assert!(names.is_request_header(name), "{name}");
    }
    for name in ["accept", "x-amzn-trace-id", "x-my-token"] {
        assert!(!names.is_request_header(name), "{name}");
    }
    for name in ["x-my-token-2", "X-Session", "x-csrf-", "set-authorization"] {
        assert!(names.is_response_header(name), "{name}");
    }
    for name in ["www-authenticate", "x-request-id", "token", "x-csrf"] {
        assert!(!names.is_response_header(name), "{name}");
    }
    for name in ["access_token", "samlresponse", "KEY"] {
        assert!(names.is_parameter(name), "{name}");
    }
    for name in ["keyword", "accesstoken", "page"] {
        assert!(!names.is_parameter(name), "{name}");
    }
    for name in [
        "access_token",
        "accessToken",
        "Access-Token",
        "SID",
        "api_key",
    ] {
        assert!(names.is_member(name), "{name}");
    }
    for name in ["tokens", "side", "customer_id", "session"] {
        assert!(!names.is_member(name), "{name}");
    }
}

#[test]
fn every_usual_member_is_written_as_members_are_compared() {
    for name in hot_names::MEMBERS {
        assert_eq!(*name, folded(name));
    }
}

#[test]
fn levels_have_the_numbers_that_policies_write() {
    for number in 0..4 {
        let level = BindingLevel::of_number(number).unwrap();
        assert_eq!(u64::from(level.number()), number);
    }
    assert_eq!(BindingLevel::of_number(4), None);
    assert_eq!(
        Sessions::default().reachable_level(),
        BindingLevel::Certificate
    );
}

#[test]
fn what_an_empty_section_means_lies_within_every_bound() {
    let usual = Sessions::default();
    for (duration, (least, most)) in [
        (usual.idle, IDLE_SECONDS),
        (usual.longest, LONGEST_SECONDS),
        (usual.rotate, ROTATE_SECONDS),
        (usual.bound_for, BOUND_FOR_SECONDS),
        (usual.unbound_for, UNBOUND_FOR_SECONDS),
        (usual.step_up_for, STEP_UP_FOR_SECONDS),
    ] {
        assert!((least..=most).contains(&duration.as_secs()));
    }
    assert!(usual.idle <= usual.longest);
}

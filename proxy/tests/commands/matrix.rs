//! `postern matrix`: the table, and the lock that holds a policy to it.

use super::runner::Folder;

#[test]
fn the_matrix_shows_roles_across_and_labels_down() {
    let folder = Folder::new();
    let ran = folder.postern(&["matrix", "policy.yaml"]).exits(0);
    let rows: Vec<Vec<&str>> = ran
        .out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["agent", "auditor", "contractor", "supervisor"]);
    let contact = rows.iter().find(|row| row.first() == Some(&"pii.contact"));
    assert_eq!(
        contact.unwrap()[1..],
        ["mask", "pseudonym/identity", "remove", "show"]
    );
    let secret = rows.iter().find(|row| row.first() == Some(&"secret"));
    assert_eq!(secret.unwrap()[1..], ["remove"; 4]);
    assert!(ran.out.contains("without a label: show (case.read"));
}

#[test]
fn the_matrix_as_json_says_why() {
    let folder = Folder::new();
    let json = folder
        .postern(&["matrix", "policy.yaml", "-o", "json"])
        .exits(0)
        .json();
    let cell = &json["labels"]["pii.gov_id"]["roles"]["contractor"];
    assert_eq!(cell["action"], "remove");
    assert_eq!(cell["because"], "`contractor` rules on pii");
}

#[test]
fn the_matrix_says_who_may_ask_what() {
    let folder = Folder::new();
    let asked = postern_proxy::demo::POLICY.replace(
        "    query: [page, per_page, status]",
        "    params: { tax_id: pii.gov_id, sort: { asks: sort, of: [created_at, customer.email] } }\n    query: [page, per_page, status]",
    );
    folder.write("policy.yaml", &asked);
    let ran = folder.postern(&["matrix", "policy.yaml"]).exits(0);
    let row = |start: &str| -> Vec<String> {
        let line = ran.out.lines().find(|line| line.starts_with(start));
        let cells = line.unwrap_or_else(|| panic!("no {start}: {}", ran.out));
        let cells = cells.trim_start_matches(start).replace("may ask", "yes");
        cells.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(row("case.list ?tax_id"), ["-"; 4]);
    assert_eq!(row("case.list ?sort=created_at"), ["yes"; 4]);
    assert_eq!(
        row("case.list ?sort=customer.email"),
        ["-", "-", "-", "yes"]
    );
    let json = folder
        .postern(&["matrix", "policy.yaml", "-o", "json"])
        .exits(0)
        .json();
    let asked = &json["questions"]["case.list"];
    assert_eq!(
        asked["sort=customer.email"],
        serde_json::json!(["supervisor"])
    );
    assert_eq!(asked["tax_id"], serde_json::json!([]));
}

#[test]
fn the_lock_holds_until_a_cell_changes() {
    let folder = Folder::new();
    let locked = || folder.postern(&["matrix", "policy.yaml", "--locked"]);
    assert!(locked().exits(1).err.contains("--write"));
    folder
        .postern(&["matrix", "policy.yaml", "--write"])
        .exits(0);
    assert!(locked().exits(0).out.is_empty());

    let looser = postern_proxy::demo::POLICY.replace("pii.contact:   mask", "pii.contact:   show");
    folder.write("policy.yaml", &looser);
    let ran = locked().exits(1);
    assert_eq!(
        ran.out,
        "- pii.contact agent mask\n+ pii.contact agent show\n"
    );
}

#[test]
fn the_matrix_and_its_lock_show_how_much_may_leave() {
    let folder = Folder::new();
    let write = |auditor: u32| {
        let quotas = format!(
            "\nquotas:\n  burst: {{ unit: records, per: identity, window: 60s, \
             limit: {{ auditor: {auditor}, \"*\": 300 }} }}\n"
        );
        folder.write(
            "policy.yaml",
            &(postern_proxy::demo::POLICY.to_owned() + &quotas),
        );
    };
    write(20);
    let ran = folder.postern(&["matrix", "policy.yaml"]).exits(0);
    let row = ran.out.lines().find(|line| line.starts_with("burst "));
    let cells: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(
        cells[1..],
        [
            "records", "identity", "1m", "deny", "300", "20", "300", "300"
        ]
    );
    folder
        .postern(&["matrix", "policy.yaml", "--write"])
        .exits(0);
    write(2000);
    let ran = folder
        .postern(&["matrix", "policy.yaml", "--locked"])
        .exits(1);
    let line = |limit| {
        format!(
            "(quota:burst) auditor {limit} records per identity in 1m, deny, store down: deny\n"
        )
    };
    assert_eq!(ran.out, format!("- {}+ {}", line(20), line(2000)));
}

#[test]
fn a_policy_that_does_not_load_has_no_matrix() {
    let folder = Folder::new();
    folder.write("policy.yaml", "policy: v2\n");
    let ran = folder.postern(&["matrix", "policy.yaml"]).exits(2);
    assert!(ran.out.is_empty() && ran.err.contains("error["), "{ran:#?}");
    folder.postern(&["matrix"]).exits(2);
    folder
        .postern(&["matrix", "policy.yaml", "-o", "junit"])
        .exits(2);
}

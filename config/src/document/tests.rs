//! Places, bounds and refusals of the document reader.

use super::*;

fn read(text: &str) -> (Option<Node>, Vec<&'static str>) {
    let mut problems = Problems::default();
    let node = Node::read(text, &mut problems);
    let codes = problems.into_list().iter().map(|p| p.code).collect();
    (node, codes)
}

fn entries(node: &Node) -> &[Entry] {
    let Kind::Map(entries) = &node.kind else {
        panic!("{}", node.described());
    };
    entries
}

#[test]
fn keys_and_values_know_their_line_column_and_width() {
    let (node, codes) = read("a: 1\nbé:\n  - 'x y'\n  - {c: true, \"d\": ~}\n");
    let node = node.unwrap();
    assert!(codes.is_empty());
    let map = entries(&node);
    let place = |line, column, width| Place {
        line,
        column,
        width,
    };
    assert_eq!(map[1].key_place, place(2, 1, 2));
    let Kind::List(items) = &map[1].value.kind else {
        panic!()
    };
    assert_eq!(items[0].place, place(3, 5, 5));
    let inner = entries(&items[1]);
    assert_eq!(inner[0].value.place, place(4, 9, 4));
    assert_eq!(inner[1].key_place, place(4, 15, 3));
    assert!(matches!(inner[1].value.kind, Kind::Null));
}

#[test]
fn only_true_and_false_are_booleans() {
    let (node, _) = read("[on, off, yes, no, y, n, true]");
    let Kind::List(items) = &node.unwrap().kind else {
        panic!()
    };
    let texts = items.iter().filter(|i| matches!(i.kind, Kind::Text(_)));
    assert_eq!(texts.count(), 6);
}

#[test]
fn every_duplicate_is_reported_at_every_depth() {
    let (_, codes) = read("a: {b: 1, b: 2}\nc: [{d: 1, d: 1, d: 1}]\na: 3\n");
    assert_eq!(codes, ["PN002"; 4]);
}

#[test]
fn what_is_no_plain_document_is_refused() {
    let bomb = "a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n".to_owned()
        + "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
        + "e: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
    for text in [
        "a: [1",
        "a: 1\n---\nb: 2\n",
        "x: &x {a: 1}\ny: {<<: *x}\n",
        "a: !custom 1\n",
        "a: *nowhere\n",
        "a:\n\tb: 1",
        "a: 1e999\n",
        &bomb,
    ] {
        let (node, codes) = read(text);
        assert!(node.is_none(), "{text}");
        assert_eq!(codes, ["PN001"], "{text}");
    }
}

#[test]
fn nesting_at_the_bound_is_read_and_one_deeper_is_refused() {
    let nested = |depth: usize| read(&("[".repeat(depth) + &"]".repeat(depth))).0;
    assert!(nested(DEPTH_MAX).is_some());
    assert!(nested(DEPTH_MAX + 1).is_none());
    assert!(nested(100_000).is_none());
}

#[test]
fn a_text_of_the_largest_size_is_read_and_one_larger_is_refused() {
    let sized = |bytes: usize| read(&format!("a: 1\n#{}", " ".repeat(bytes - 6))).0;
    assert!(sized(TEXT_BYTES_MAX).is_some());
    assert!(sized(TEXT_BYTES_MAX + 1).is_none());
}

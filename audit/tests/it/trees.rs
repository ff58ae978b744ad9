//! Trees against the definition of RFC 6962, which is slow and plain; paths and notes against what their
//! specifications show.

use postern_audit::{
    CompactRange, Hash, HashReader, Note, NoteError, PolicyFile, ProofFile, TileBuilder, TileId,
    TileKind, VerifierKey, is_consistent, is_included, prove_consistency, prove_inclusion,
};

use crate::stage::place;

/// RFC 6962 section 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of_nothing(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            Hash::of_node(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

struct Leaves(Vec<Hash>);

impl HashReader for Leaves {
    type Error = ();

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, ()> {
        let (from, width) = (place(index << level), 1 << level);
        self.0.get(from..from + width).map(mth).ok_or(())
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|n| Hash::of_leaf(&n.to_be_bytes()))
        .collect()
}

#[test]
fn every_proof_of_every_small_tree_holds_and_no_other() {
    let all = leaves(33);
    let mut checks = 0;
    for size in 0..=33_u64 {
        let mut reader = Leaves(all[..place(size)].to_vec());
        let root = mth(&reader.0);
        assert_eq!(CompactRange::load(size, &mut reader).unwrap().root(), root);
        assert_eq!(prove_inclusion(size, size, &mut reader), Ok(None));
        for index in 0..size {
            let proof = prove_inclusion(index, size, &mut reader).unwrap().unwrap();
            for leaf in 0..size {
                let holds = is_included(all[place(leaf)], index, &proof, size, &root);
                assert_eq!(holds, leaf == index, "leaf {leaf} at {index} of {size}");
                let holds = is_included(all[place(index)], leaf, &proof, size, &root);
                assert_eq!(holds, leaf == index, "{index} as {leaf} of {size}");
                checks += 2;
            }
            let longer = [proof.as_slice(), &[root]].concat();
            assert!(!is_included(all[place(index)], index, &longer, size, &root));
        }
        for old in 0..=size {
            let old_root = mth(&all[..place(old)]);
            let proof = prove_consistency(old, size, &mut reader).unwrap().unwrap();
            for claimed in 0..=size {
                let claimed_root = mth(&all[..place(claimed)]);
                let holds = is_consistent((claimed, &claimed_root), (size, &root), &proof);
                let is_it =
                    claimed == old || (proof.is_empty() && (claimed == 0 || claimed == size));
                assert_eq!(holds, is_it, "{claimed} as {old} of {size}");
                checks += 1;
            }
            if old > 0 && old < size {
                let other = Hash::of_leaf(b"other");
                assert!(!is_consistent((old, &other), (size, &root), &proof));
                assert!(!is_consistent((old, &old_root), (size, &other), &proof));
                assert!(!is_consistent((old, &old_root), (size, &root), &proof[1..]));
            }
        }
    }
    println!("{checks} proofs checked");
}

#[test]
fn tiles_hold_the_tree_on_every_level() {
    let all = leaves(65_536 + 300);
    let mut builder = TileBuilder::default();
    let mut range = CompactRange::default();
    let mut tiles = Vec::new();
    for leaf in &all {
        builder.push(*leaf, &mut tiles);
        range.push(*leaf);
    }
    tiles.extend(builder.partial());
    assert_eq!(range.root(), mth(&all));
    let mut levels = [0; 3];
    for (tile, bytes) in &tiles {
        let TileKind::Hashes(level) = tile.kind else {
            panic!()
        };
        levels[usize::from(level)] += 1;
        let covered = 256_usize.pow(u32::from(level));
        let first = place(tile.first_leaf());
        for (at, hash) in bytes.chunks(32).enumerate().step_by(97) {
            let from = first + at * covered;
            assert_eq!(hash, mth(&all[from..from + covered]).as_bytes());
        }
    }
    assert_eq!(levels, [258, 2, 1]);
}

#[test]
fn paths_are_spelled_as_the_specification_spells_them() {
    let tile = |kind, index, width| TileId { kind, index, width };
    let cases = [
        (
            tile(TileKind::Hashes(0), 1_234_067, 256),
            "tile/0/x001/x234/067",
        ),
        (tile(TileKind::Hashes(3), 5, 17), "tile/3/005.p/17"),
        (tile(TileKind::Entries, 1000, 256), "tile/entries/x001/000"),
    ];
    for (tile, path) in cases {
        assert_eq!(tile.path(), path);
        assert_eq!(TileId::from_path(path), Some(tile));
    }
    for path in [
        "tile/0/5",
        "tile/0/005.p/256",
        "tile/0/005.p/0",
        "tile/0/x000/005",
        "tile/00/005",
    ] {
        assert_eq!(TileId::from_path(path), None, "{path}");
    }
}

/// The example in the documentation of Go's package.
const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn a_note_that_go_signed_verifies_and_a_changed_one_does_not() {
    let key = VerifierKey::parse(KEY).unwrap();
    assert_eq!(key.to_string(), KEY);
    let note = Note::parse(NOTE.as_bytes()).unwrap();
    assert_eq!(note.to_string(), NOTE);
    note.verified_by(std::slice::from_ref(&key)).unwrap();
    assert_eq!(note.verified_by(&[]), Err(NoteError::Unsigned));
    let changed = Note::parse(NOTE.replace("your", "mine").as_bytes()).unwrap();
    assert_eq!(changed.verified_by(&[key]), Err(NoteError::Forged));
    for malformed in [
        "",
        "text\n",
        "text\n\n",
        "text\n\nnot a signature\n",
        "te\tx\n\n— a AAAAAAA=\n",
    ] {
        assert_eq!(
            Note::parse(malformed.as_bytes()),
            Err(NoteError::Malformed),
            "{malformed:?}"
        );
    }
}

#[test]
fn proof_files_are_read_as_they_are_written() {
    let text = format!(
        "c2sp.org/tlog-proof@v1\nindex 7\n{}\n\n{NOTE}",
        Hash::of_nothing()
    );
    let proof = ProofFile::parse(text.as_bytes()).unwrap();
    assert_eq!(proof.to_string(), text);
    let extra = text.replace("index", "extra AAAA\nindex");
    assert_eq!(ProofFile::parse(extra.as_bytes()), Some(proof));
    for (from, to) in [
        ("@v1", "@v2"),
        ("index 7", "index 07"),
        ("index 7", "index"),
    ] {
        assert_eq!(
            ProofFile::parse(text.replace(from, to).as_bytes()),
            None,
            "{to}"
        );
    }
}

#[test]
fn policies_say_whose_word_is_enough() {
    use postern_audit::{KeyKind, Signer};
    let keys: Vec<VerifierKey> = (0..3)
        .map(|n| {
            Signer::from_seed("w", KeyKind::Witness, &[n; 32])
                .unwrap()
                .key()
                .clone()
        })
        .collect();
    let witnesses = format!(
        "witness a {}\nwitness b {} https://b.example/\n",
        keys[0], keys[1]
    );
    let witnesses = format!("# two of three\n\n{witnesses}\twitness  c {} \n", keys[2]);
    let parse = |rest: &str| PolicyFile::parse(format!("log {KEY}\n{witnesses}{rest}").as_bytes());
    let two = parse("group g 2 a b c\nquorum g\n").unwrap();
    assert!(!two.is_quorum(&[&keys[0]]) && two.is_quorum(&[&keys[0], &keys[2]]));
    assert!(
        !two.is_quorum(&[&keys[0], &keys[0]]),
        "one witness counts once"
    );
    let nested = parse("group g any a b\ngroup h all g c\nquorum h").unwrap();
    assert!(nested.is_quorum(&[&keys[1], &keys[2]]) && !nested.is_quorum(&[&keys[0], &keys[1]]));
    assert!(parse("quorum none\n").unwrap().is_quorum(&[]));
    for (rest, line) in [
        ("", 7),
        ("quorum d\n", 7),
        ("quorum a\nquorum b\n", 8),
        ("group g 3 a b\nquorum g\n", 7),
        ("group g 0 a b\nquorum g\n", 7),
        ("group g any a\ngroup h any a\nquorum h\n", 8),
        ("group a any b\nquorum a\n", 7),
        ("group g any none\nquorum g\n", 7),
        ("witness none x\nquorum none\n", 7),
        ("unknown\n", 7),
        ("quorum\rnone\n", 7),
    ] {
        assert_eq!(parse(rest).unwrap_err().line, line, "{rest}");
    }
    let twice = format!("log {KEY}\nlog {KEY}\nquorum none\n");
    assert_eq!(PolicyFile::parse(twice.as_bytes()).unwrap_err().line, 2);
}

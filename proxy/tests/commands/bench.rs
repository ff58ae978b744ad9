//! `postern bench` from end to end: everything it starts, every row, and what it writes. Never how fast.

use serde_json::Value;

use super::runner::{Folder, Ran};

/// Every set-up of Postern, and what it is compared with.
const ROWS: [&str; 9] = [
    "upstream",
    "passthrough",
    "hides-nothing",
    "ten-rules",
    "free-text",
    "sessions",
    "quotas",
    "audit",
    "everything",
];

/// A run that is as short as can be.
const SHORT: [&str; 9] = [
    "bench",
    "--rounds",
    "1",
    "--seconds",
    "0.02",
    "--connections",
    "2",
    "--sizes",
    "1k",
];

fn short(folder: &Folder, more: &[&str]) -> Ran {
    folder.postern(&[&SHORT, more].concat())
}

#[track_caller]
fn is_finite(figure: &Value) {
    let median = figure["median"].as_f64();
    assert!(median.is_some_and(f64::is_finite), "{figure:#}");
}

#[test]
fn every_row_answers_as_it_should_and_has_its_figures() {
    let folder = Folder::new();
    let rows = ROWS[2..].join(",");
    let files = ["--json", "figures.json", "--plot", "plot.svg"];
    let ran = short(&folder, &[&["--rows", &rows], &files[..]].concat()).exits(0);
    let report: Value = serde_json::from_str(&folder.read("figures.json")).unwrap();
    let size = &report["sizes"][0];
    assert_eq!(size["bytes"], 1024);
    let measured = size["rows"].as_array().unwrap();
    let named: Vec<&str> = measured
        .iter()
        .filter_map(|row| row["row"].as_str())
        .collect();
    assert_eq!(named, ROWS);
    let picture = folder.read("plot.svg");
    for row in measured {
        let name = row["row"].as_str().unwrap();
        assert!(ran.out.contains(name) && picture.contains(name), "{name}");
        is_finite(&row["requests_per_second"]);
        is_finite(&row["alone_p50_us"]);
        assert!(row["at_rate"]["requests"].as_u64() >= Some(1), "{row:#}");
        assert!(row["at_rate"]["latency_us"]["p50"].is_number(), "{row:#}");
        if name == "upstream" || name == "passthrough" {
            continue;
        }
        for against in ["against_upstream", "against_passthrough"] {
            is_finite(&row[against]["throughput_ratio"]);
            is_finite(&row[against]["added_us"]["p50"]);
        }
        // Ten fields of a case are shorter once they are redacted, so that the length tells which it was.
        let whole = row["answer_bytes"] == 1024;
        assert_eq!(whole, name == "hides-nothing", "{row:#}");
    }
    assert!(ran.err.contains("1k: round 1 of 1"), "{ran:#?}");
}

/// A list of peers, written to `peers.json`. Each is a proxy of ours that passes everything on, or a program that is
/// not there.
fn listed(folder: &Folder, peers: &[(&str, &str, bool)]) {
    let ours = env!("CARGO_BIN_EXE_postern");
    let proxy = r#"exec "$0" bench serve-passthrough --upstream "$BENCH_UPSTREAM" --listen "$BENCH_LISTEN""#;
    let peers = peers.iter().map(|(name, answers, is_there)| {
        let start = match is_there {
            true => serde_json::json!(["sh", "-c", proxy, ours]),
            false => serde_json::json!(["/no/such/program"]),
        };
        serde_json::json!({ "name": name, "start": start, "answers": answers })
    });
    folder.write("peers.json", &Value::from_iter(peers).to_string());
}

#[test]
fn a_peer_is_measured_and_one_that_answers_something_else_or_nothing_is_left_out() {
    let folder = Folder::new();
    let peers = [
        ("plain", "whole", true),
        ("careless", "redacted", true),
        ("absent", "whole", false),
    ];
    listed(&folder, &peers);
    let rows = ["--peers", "peers.json", "--rows", "hides-nothing,ten-rules"];
    let ran = short(&folder, &[&rows[..], &["--json", "figures.json"]].concat()).exits(0);
    let report: Value = serde_json::from_str(&folder.read("figures.json")).unwrap();
    let size = &report["sizes"][0];
    let [_, bare, whole, redacting, plain] = &size["rows"].as_array().unwrap()[..] else {
        panic!("{size:#}")
    };
    assert_eq!(plain["row"], "plain");
    for ours in [bare, whole, redacting] {
        let against = &ours["against_peers"]["plain"];
        is_finite(&against["throughput_ratio"]);
        is_finite(&against["alone_p50_ratio"]);
    }
    assert_eq!(report["left_out"][0]["peer"], "absent");
    assert_eq!(size["left_out"][0]["peer"], "careless");
    let judged = report["hard_documents"].as_array().unwrap();
    let [ours, careless] = &judged[..] else {
        panic!("{judged:#?}")
    };
    assert_eq!(
        (&ours["row"], &careless["row"]),
        (&"ten-rules".into(), &"careless".into())
    );
    for (name, verdict) in ours["verdicts"].as_object().unwrap() {
        let expected = match name.as_str() {
            "cut-off" => "refuses (502)",
            _ => "exact",
        };
        assert_eq!(verdict, expected, "{name}");
        let leaks = careless["verdicts"][name].as_str().unwrap();
        assert!(leaks.starts_with("LEAKS hidden-"), "{name}: {leaks}");
    }
    for told in [
        "1k, divided by",
        "hard documents",
        "left out: `absent`",
        "left out at 1k: `careless`",
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
}

#[test]
fn a_list_of_peers_that_is_none_exits_2_and_starts_nothing() {
    let folder = Folder::new();
    let ran = folder.postern(&["bench", "--peers", "peers.json"]).exits(2);
    assert!(ran.err.contains("`peers.json`"), "{ran:#?}");
    listed(
        &folder,
        &[("plain", "whole", true), ("plain", "whole", true)],
    );
    let ran = folder.postern(&["bench", "--peers", "peers.json"]).exits(2);
    assert!(ran.err.contains("twice") && ran.out.is_empty(), "{ran:#?}");
}

#[test]
fn a_deployment_is_measured_where_it_runs() {
    let folder = Folder::new();
    let url = answering();
    let ran = folder.postern(
        &[
            &SHORT[..7],
            &[
                "--target",
                &url,
                "--baseline",
                &url,
                "--header",
                "X-Roles: agent",
                "-o",
                "json",
            ],
        ]
        .concat(),
    );
    let report = ran.exits(0).json();
    let [baseline, target] = &report["sizes"][0]["rows"].as_array().unwrap()[..] else {
        panic!("{report:#}")
    };
    assert_eq!(
        (&baseline["row"], &target["row"]),
        (&"baseline".into(), &"target".into())
    );
    is_finite(&target["against_upstream"]["throughput_ratio"]);
    assert!(
        target["cpu_us_per_request"].is_null(),
        "whose process it is, nobody knows"
    );
}

#[test]
fn a_deployment_that_is_not_there_or_refuses_has_no_figures() {
    let folder = Folder::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    folder.postern(&["bench", "--target", &url]).exits(3);
    let refused = answering().replace("/case", "/refused");
    let ran = folder.postern(&["bench", "--target", &refused]).exits(3);
    assert!(ran.err.contains("403") && ran.out.is_empty(), "{ran:#?}");
    let ran = folder
        .postern(&["bench", "--target", "https://127.0.0.1/"])
        .exits(2);
    assert!(ran.err.contains("http://HOST"), "{ran:#?}");
}

#[test]
fn arguments_that_cannot_be_used_exit_2_and_start_nothing() {
    let folder = Folder::new();
    for arguments in [
        &["--rounds", "0"][..],
        &["--rounds", "three"],
        &["--seconds", "0"],
        &["--seconds", "nan"],
        &["--connections", "0"],
        &["--rate", "-1"],
        &["--rate", "inf"],
        &["--sizes", "10g"],
        &["--sizes", "10"],
        &["--sizes", ""],
        &["--rows", "no-such-row"],
        &["--threads", "0"],
        &["--baseline", "http://127.0.0.1/"],
        &["--header", "X: y"],
        &["--target", "http://127.0.0.1/", "--rows", "audit"],
        &["--target", "http://127.0.0.1/", "--header", "no field"],
        &["-o", "junit"],
        &["serve-upstream", "--sizes", "x"],
    ] {
        let ran = folder.postern(&[&["bench"], arguments].concat()).exits(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{ran:#?}");
    }
}

#[test]
fn help_does_not_name_what_a_bench_starts_for_itself() {
    let folder = Folder::new();
    let help = folder.postern(&["bench", "--help"]).exits(0);
    assert!(!help.out.contains("serve-"), "{}", help.out);
    let help = folder.postern(&["run", "--help"]).exits(0);
    assert!(!help.out.contains("supervised"), "{}", help.out);
}

/// A server that answers `/case` with 200 and anything else with 403, until the test ends.
fn answering() -> String {
    use std::io::{BufRead as _, BufReader, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
                while let Some(first) = lines.next() {
                    let _fields = lines.by_ref().take_while(|line| !line.is_empty()).count();
                    let status = match first.starts_with("GET /case ") {
                        true => "200 OK",
                        false => "403 Forbidden",
                    };
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}");
                    if writer.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("http://{address}/case")
}

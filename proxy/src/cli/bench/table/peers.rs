//! What is said of proxies of others: ours against each of them, what each makes of documents that are hard to
//! redact, and who was left out.

use crate::bench::{AtSize, LeftOut, Report, hard_documents as names};

use super::super::super::wording;
use super::{or_none, ratio};

/// Ours against each peer at one size; nothing where there are none.
pub(super) fn against(size: &AtSize) -> String {
    let head = ["row", "against", "throughput", "CPU/request", "alone p50"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    for figures in &size.places {
        for (peer, over) in &figures.over_peers {
            table.push(vec![
                figures.name.clone(),
                peer.clone(),
                or_none(over.throughput, ratio),
                or_none(over.work, ratio),
                or_none(over.alone_ratio, ratio),
            ]);
        }
    }
    if table.len() == 1 {
        return String::new();
    }
    format!("\n{}, divided by\n{}", size.size, wording::table(&table))
}

/// One line for each document, one column for each who redacts; nothing where nobody was asked.
pub(super) fn hard_documents(report: &Report) -> String {
    if report.judged.is_empty() {
        return String::new();
    }
    let head = report.judged.iter().map(|judged| judged.name.clone());
    let mut table = vec![["document".to_owned()].into_iter().chain(head).collect()];
    for (index, name) in names().enumerate() {
        let verdicts = report.judged.iter().map(|judged| {
            let verdict = judged.verdicts.get(index);
            or_none(verdict, ToString::to_string)
        });
        table.push([name.to_owned()].into_iter().chain(verdicts).collect());
    }
    format!("\nhard documents\n{}", wording::table(&table))
}

/// One line for each peer that has no figures.
pub(super) fn left_out(report: &Report) -> String {
    let line = |at: &str, peer: &LeftOut| format!("left out{at}: {}\n", peer.reason);
    let all = report.left_out.iter().map(|peer| line("", peer));
    let at_sizes = report.sizes.iter().flat_map(|size| {
        let at = format!(" at {}", size.size);
        size.left_out.iter().map(move |peer| line(&at, peer))
    });
    let lines: String = all.chain(at_sizes).collect();
    match lines.is_empty() {
        true => lines,
        false => format!("\n{lines}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::bench::{sample_report, sample_report_with_peers};

    #[test]
    fn ours_stand_beside_each_peer_that_does_no_more() {
        let report = sample_report_with_peers();
        assert_eq!(
            super::against(&report.sizes[0]),
            "
1k, divided by
row          against         throughput           CPU/request          alone p50
passthrough  plain-peer      1.00 (1.00 to 1.00)  1.00 (1.00 to 1.00)  1.00 (1.00 to 1.00)
ten-rules    plain-peer      0.50 (0.50 to 0.50)  3.00 (3.00 to 3.00)  2.00 (2.00 to 2.00)
ten-rules    redacting-peer  2.00 (2.00 to 2.00)  0.50 (0.50 to 0.50)  0.50 (0.50 to 0.50)
"
        );
        assert_eq!(super::against(&sample_report().sizes[0]), "");
    }

    #[test]
    fn each_who_redacts_has_a_column_for_hard_documents() {
        let text = super::hard_documents(&sample_report_with_peers());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "hard documents");
        assert_eq!(lines[2], "document        ten-rules  redacting-peer");
        assert!(
            lines.contains(&"decimals        exact      loses 12.50"),
            "{text}"
        );
        assert_eq!(super::hard_documents(&sample_report()), "");
    }

    #[test]
    fn who_was_left_out_is_told_with_the_reason() {
        let text = super::left_out(&sample_report_with_peers());
        assert_eq!(text, "\nleft out: nobody has it\n");
        assert_eq!(super::left_out(&sample_report()), "");
    }
}

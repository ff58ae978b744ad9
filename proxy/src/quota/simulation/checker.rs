//! What was delivered, and whether that was allowed: simple code of its own, over simple events.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// Something that left.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// When, in milliseconds that are at least as many as those of ledger time.
    pub(super) at_ms: u64,
    /// Whose count it is on.
    pub(super) holder: String,
    /// How many units; of data subjects, those without a name.
    pub(super) units: u64,
    /// The data subjects with a name.
    pub(super) subjects: Vec<u64>,
}

/// What one holder was charged, as far as the store confirmed it, and what may have been lost.
#[derive(Debug, Clone, Default)]
pub(super) struct Charged {
    /// Units that were granted and not returned; of data subjects, those without a name.
    pub(super) units: i128,
    /// The data subjects that were admitted.
    pub(super) subjects: HashSet<u64>,
    /// Units or data subjects that were in flight when something ended badly.
    pub(super) in_flight: i128,
    /// What the store answered, in order, to be read when something is wrong.
    pub(super) history: Vec<String>,
}

/// What one life came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    pub(super) delivered: u64,
    pub(super) people: u64,
    pub(super) over: u64,
    pub(super) refused: u64,
    pub(super) cut: u64,
    pub(super) failed: u64,
    pub(super) kills: u64,
    pub(super) pauses: u64,
    pub(super) restarts: u64,
    pub(super) steps: u64,
}

impl Totals {
    pub(super) fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.people += other.people;
        self.over += other.over;
        self.refused += other.refused;
        self.cut += other.cut;
        self.failed += other.failed;
        self.kills += other.kills;
        self.pauses += other.pauses;
        self.restarts += other.restarts;
        self.steps += other.steps;
    }

    /// Whether enough happened for the judgement to mean something.
    pub(super) fn is_lively(&self) -> bool {
        self.delivered > 0 && self.refused > 0 && self.kills > 0
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} units and {} data subjects delivered, {} charged beyond; {} refused, {} cut, {} \
             failed; {} kills, {} pauses, {} restarts, {} clock steps; never over",
            self.delivered,
            self.people,
            self.over,
            self.refused,
            self.cut,
            self.failed,
            self.kills,
            self.pauses,
            self.restarts,
            self.steps
        )
    }
}

/// Judges one life: the limit of each holder, its window, what left, and what was charged.
pub(super) fn judge(
    limits: &BTreeMap<String, u64>,
    window_ms: u64,
    events: &[Event],
    charged: &HashMap<String, Charged>,
) -> Result<Totals, String> {
    let mut totals = Totals::default();
    for (holder, limit) in limits {
        let mine: Vec<&Event> = events
            .iter()
            .filter(|event| event.holder == *holder)
            .collect();
        let charged = charged.get(holder).cloned().unwrap_or_default();
        within_limit(holder, *limit, window_ms, &mine)
            .map_err(|offence| format!("{offence}; {:#?}", charged.history))?;
        let over = covered(holder, &mine, &charged)?;
        totals.over += u64::try_from(over).unwrap();
        totals.delivered += mine.iter().map(|event| event.units).sum::<u64>();
        totals.people += mine
            .iter()
            .map(|event| event.subjects.len() as u64)
            .sum::<u64>();
    }
    Ok(totals)
}

/// Over every window that ends with an event, the most that can be in one.
fn within_limit(holder: &str, limit: u64, window_ms: u64, events: &[&Event]) -> Result<(), String> {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|event| event.at_ms);
    for (last, event) in sorted.iter().enumerate() {
        let mut units = 0;
        let mut people: HashSet<u64> = HashSet::new();
        for earlier in sorted[..=last].iter().rev() {
            if earlier.at_ms + window_ms <= event.at_ms {
                break;
            }
            units += earlier.units;
            people.extend(&earlier.subjects);
        }
        let delivered = units + people.len() as u64;
        if delivered > limit {
            return Err(format!(
                "{holder}: {delivered} of {limit} left within one window of {window_ms} ms: {:#?}",
                &sorted[..=last]
            ));
        }
    }
    Ok(())
}

/// What was charged beyond what was delivered: never less than nothing, never more than what was in
/// flight.
fn covered(holder: &str, events: &[&Event], charged: &Charged) -> Result<i128, String> {
    let units: i128 = events.iter().map(|event| i128::from(event.units)).sum();
    let people: HashSet<u64> = events
        .iter()
        .flat_map(|event| event.subjects.clone())
        .collect();
    if !people.is_subset(&charged.subjects) {
        return Err(format!(
            "{holder}: a data subject left that was not charged"
        ));
    }
    if charged.units < units {
        let charged = charged.units;
        return Err(format!(
            "{holder}: {units} left, and only {charged} were charged"
        ));
    }
    let unseen = i128::try_from(charged.subjects.difference(&people).count()).unwrap();
    let over = charged.units - units + unseen;
    if over > charged.in_flight {
        let in_flight = charged.in_flight;
        return Err(format!(
            "{holder}: {over} were charged beyond, and only {in_flight} in flight"
        ));
    }
    Ok(over)
}

#[test]
fn finds_what_is_over_and_what_was_not_charged() {
    let event = |at_ms, units, subjects: &[u64]| Event {
        at_ms,
        holder: "ana".to_owned(),
        units,
        subjects: subjects.to_vec(),
    };
    let limits = BTreeMap::from([("ana".to_owned(), 10)]);
    let judged = |events: &[Event], units, subjects: &[u64], in_flight| {
        let subjects = subjects.iter().copied().collect();
        let charged = Charged {
            units,
            subjects,
            in_flight,
            history: Vec::new(),
        };
        judge(
            &limits,
            100,
            events,
            &HashMap::from([("ana".to_owned(), charged)]),
        )
        .is_ok()
    };
    assert!(judged(&[event(0, 5, &[]), event(50, 5, &[])], 10, &[], 0));
    assert!(!judged(&[event(0, 5, &[]), event(99, 6, &[])], 11, &[], 0));
    assert!(judged(&[event(0, 5, &[]), event(100, 6, &[])], 11, &[], 0));
    assert!(
        !judged(&[event(0, 5, &[])], 4, &[], 9),
        "delivered and not charged"
    );
    assert!(
        !judged(&[event(0, 5, &[])], 8, &[], 2),
        "charged for nothing"
    );
    assert!(judged(&[event(0, 5, &[])], 8, &[], 3));
    assert!(judged(
        &[event(0, 0, &[1, 2]), event(1, 8, &[2, 1])],
        8,
        &[1, 2],
        0
    ));
    assert!(!judged(
        &[event(0, 0, &[1, 2]), event(1, 8, &[3])],
        8,
        &[1, 2, 3],
        0
    ));
    assert!(!judged(&[event(0, 0, &[1, 2])], 0, &[1], 0));
}

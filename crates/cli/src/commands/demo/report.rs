//! What a demo came to, as a table, and how to look at what it left.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::agents::Plan;
use super::ledger::{Ledger, Verb};
use super::verify::{Verdict, Wrong};
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Paint, Style, line};

/// How many findings the text shows; JSON has all of them.
const SHOWN: usize = 20;

/// What a demo came to.
pub(super) struct Report {
    pub plan: Plan,
    pub ledger: Ledger,
    pub verdict: Verdict,
    pub took: Duration,
    /// What was made for it, and is left.
    pub folder: PathBuf,
}

/// Times of acknowledged writes, in microseconds.
struct Latency {
    p50: u64,
    p95: u64,
    max: u64,
}

impl Report {
    fn latency(&self) -> Latency {
        let answers = self.ledger.acknowledged.iter();
        let mut micros: Vec<_> = answers.map(|(_, answer)| answer.micros).collect();
        micros.sort_unstable();
        let at = |percent: usize| {
            let place = (micros.len() * percent / 100).min(micros.len().saturating_sub(1));
            micros.get(place).copied().unwrap_or(0)
        };
        Latency { p50: at(50), p95: at(95), max: at(100) }
    }

    /// The writes of the agent that came to write least and of the one that came to write most.
    fn extremes(&self) -> (usize, usize) {
        let writes = || self.ledger.by_agent.iter().copied();
        (writes().min().unwrap_or(0), writes().max().unwrap_or(0))
    }

    fn fairness(&self) -> f64 {
        let (least, most) = self.extremes();
        if most == 0 { 0.0 } else { least as f64 / most as f64 }
    }

    fn holds(&self) -> bool {
        self.verdict.findings.is_empty() && self.ledger.failures.is_empty()
    }

    fn rows(&self) -> Vec<Row> {
        let Self { plan, ledger, verdict, .. } = self;
        let count = |verb| ledger.count(verb);
        let (least, most) = self.extremes();
        let Latency { p50, p95, max } = self.latency();
        let acknowledged = ledger.acknowledged.len();
        let unanswered = ledger.unanswered.len();
        let there = verdict.unanswered_there;
        let mut rows = vec![
            Row::new(
                "processes",
                ledger.processes,
                format!("{}, and one more for each killed", counted(plan.agents, "agent")),
            ),
            Row::new(
                "operations",
                acknowledged,
                format!(
                    "{} created, {} started, {} noted, {} completed",
                    count(Verb::Create),
                    count(Verb::Start),
                    count(Verb::Note),
                    count(Verb::Complete)
                ),
            ),
            Row::new("conflicts", ledger.conflicts, "refused with an error: another was faster"),
            Row::new(
                "kills",
                ledger.kills,
                format!(
                    "SIGKILL; {unanswered} before the answer: {there} writes whole, {} not made",
                    unanswered - there
                ),
            ),
            Row::found(
                "lost",
                verdict.count(Wrong::Lost),
                format!("of {acknowledged} acknowledged writes"),
            ),
            Row::found("duplicate ids", verdict.count(Wrong::Duplicate), String::new()),
            Row::found(
                "unreadable",
                verdict.count(Wrong::Unreadable),
                format!("of {} now, or by any agent meanwhile", counted(verdict.files, "file")),
            ),
            Row::new(
                "latency",
                millis(p50),
                format!("p50; p95 {}, max {}", millis(p95), millis(max)),
            ),
            Row::new(
                "fairness",
                format!("{:.2}", self.fairness()),
                format!("min/max: {least} to {most} operations an agent"),
            ),
        ];
        if !ledger.failures.is_empty() {
            rows.push(Row::found("failures", ledger.failures.len(), String::new()));
        }
        rows
    }

    fn findings(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let findings = self.verdict.findings.iter().map(|finding| {
            let kind = match finding.wrong {
                Wrong::Lost => "lost",
                Wrong::Duplicate => "duplicate",
                Wrong::Unreadable => "unreadable",
            };
            (kind, finding.message.as_str())
        });
        findings.chain(self.ledger.failures.iter().map(|message| ("failure", message.as_str())))
    }

    fn how_to_look(&self) -> [String; 3] {
        let program = std::env::args_os().next().unwrap_or_else(|| "jerry".into());
        let program = quoted(&program.to_string_lossy());
        let store = quoted(&self.plan.store.display().to_string());
        let first = self.ledger.acknowledged.first();
        let show = first.map_or_else(|| "ready".to_owned(), |(_, it)| format!("show {}", it.id));
        ["list --all", &show, "doctor"]
            .map(|command| format!("{program} --store {store} {command}"))
    }
}

/// `text` as a shell reads it as one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:\\".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

struct Row {
    name: &'static str,
    value: String,
    remark: String,
    paint: Paint,
}

impl Row {
    fn new(name: &'static str, value: impl ToString, remark: impl Into<String>) -> Self {
        Self { name, value: value.to_string(), remark: remark.into(), paint: Paint::Plain }
    }

    /// A count that has to be 0.
    fn found(name: &'static str, count: usize, remark: String) -> Self {
        let paint = if count == 0 { Paint::Green } else { Paint::Red };
        Self { paint, ..Self::new(name, count, remark) }
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn millis(micros: u64) -> String {
    format!("{:.1} ms", micros as f64 / 1000.0)
}

impl Answer for Report {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let Self { plan, ledger, verdict, .. } = self;
        let Latency { p50, p95, max } = self.latency();
        let (least, most) = self.extremes();
        let count = |verb| ledger.count(verb);
        json.answer(
            "demo",
            &json!({
                "store": plan.store.display().to_string(),
                "journal": plan.journal.display().to_string(),
                "agents": plan.agents,
                "items": plan.items,
                "processes": ledger.processes,
                "operations": {
                    "created": count(Verb::Create),
                    "started": count(Verb::Start),
                    "noted": count(Verb::Note),
                    "completed": count(Verb::Complete),
                    "total": ledger.acknowledged.len(),
                },
                "conflicts": ledger.conflicts,
                "kills": ledger.kills,
                "unanswered": { "made": verdict.unanswered_there, "total": ledger.unanswered.len() },
                "lost": verdict.count(Wrong::Lost),
                "duplicate_ids": verdict.count(Wrong::Duplicate),
                "unreadable": verdict.count(Wrong::Unreadable),
                "findings": verdict.findings,
                "failures": ledger.failures,
                "latency_us": { "p50": p50, "p95": p95, "max": max },
                "fairness": { "min": least, "max": most, "ratio": self.fairness() },
                "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            }),
        )
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let Self { plan, ledger, .. } = self;
        writeln!(
            out,
            "{} worked at once on {} for {:.1} s; killed meanwhile: {}.\n",
            counted(plan.agents, "agent"),
            counted(ledger.count(Verb::Create), "item"),
            self.took.as_secs_f64(),
            ledger.kills
        )?;
        for Row { name, value, remark, paint } in self.rows() {
            let value = style.paint(paint, &format!("{value:>8}"));
            writeln!(out, "{}", format!("  {name:<14}{value}  {remark}").trim_end())?;
        }
        writeln!(out)?;
        for (kind, message) in self.findings().take(SHOWN) {
            writeln!(out, "{}  {}", style.paint(Paint::Red, kind), line(message))?;
        }
        match self.findings().count() {
            0 => writeln!(
                out,
                "Every acknowledged write is in the store, which is left for you to look at:"
            )?,
            all if all > SHOWN => writeln!(
                out,
                "… and {} more\n\nThe store is left for you to look at:",
                all - SHOWN
            )?,
            _ => writeln!(out, "\nThe store is left for you to look at:")?,
        }
        for command in self.how_to_look() {
            writeln!(out, "  {}", line(&command))?;
        }
        let journal = plan.journal.display().to_string();
        let folder = quoted(&self.folder.display().to_string());
        writeln!(out, "What each agent was told: {}", line(&journal))?;
        writeln!(out, "To remove all of it: rm -r {}", line(&folder))
    }

    fn complaint(&self) -> Option<Failure> {
        if self.holds() {
            return None;
        }
        let count = |wrong| self.verdict.count(wrong);
        let message = format!(
            "the store does not hold what was acknowledged: {} lost, {} duplicate, {} unreadable; \
             {} failures",
            count(Wrong::Lost),
            count(Wrong::Duplicate),
            count(Wrong::Unreadable),
            self.ledger.failures.len()
        );
        Some(Failure::new(Code::Unhealthy, message))
    }
}

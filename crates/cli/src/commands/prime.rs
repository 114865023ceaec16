//! `prime`: what an agent must know before it begins, in under 1,000 tokens.

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::{Args, ValueEnum};
use jerry_application::{Overview, Situation};
use jerry_contract::Primed;
use jerry_domain::{Actor, Gate, Gates, Status, Summary, WorkId, to_the_second};

use super::Outcome;
use crate::exit::Failure;
use crate::output::{Answer, Json, Style, count, line, report_unreadable};
use crate::session::Session;

/// What `prime` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// For whom: one that chooses its work, or one that was given an item (JERRY_ITEM)
    #[arg(long = "for", value_enum, value_name = "WHOM", default_value_t)]
    audience: Audience,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Audience {
    #[default]
    Agent,
    Subagent,
}

/// How many items of each list are named.
const NAMED: usize = 5;

/// How many bytes of a title, or of an actor's name, are shown: about as many as in a line of Latin
/// letters; other letters take more bytes, and more tokens.
const SHOWN: usize = 60;

const FOR_AN_AGENT: &str = "\
Work here is tracked with jerry. Items are JSON files in .jerry/ that many agents share: change them
only through jerry. Exit status 0 means it is done and durable. Add --json to read answers by program.

Take one item at a time
  jerry claim --next --json         the most urgent that is ready; exit 7: nothing to claim
  jerry claim ID --json             that one
Keep claim.fence of the answer: show it with --fence N at each change of the item (or export JERRY_ITEM
and JERRY_FENCE). It proves that the claim is yours; each write renews it.
  jerry show ID                     what is to be done, and what others noted
  jerry note ID TEXT                what you found, so that nobody has to find it again
  jerry check ID AC-ID --evidence TEXT   tick a criterion
  jerry complete ID                 done
  jerry release ID --note TEXT      not done: for somebody else to go on
New work
  jerry create TITLE -d TEXT -p high --needs ID --parent ID
  jerry dep add ID --discovered-from ID   say where you came upon it
Look and wait
  jerry ready --limit 5    jerry why ID    jerry list --mine    jerry search TEXT
  jerry watch --once --timeout 5m --json    wait for a change; go on with --since CURSOR
When it is refused
  exit 5: another has the item, or wrote to it: look again, or take another item
  exit 6: busy: run it again. Every error has a hint. Do not use --force unless a person says so.
  After a kill or exit 9 repeat the command with the same --request-id NAME: it is done once.
";

const FOR_A_SUBAGENT: &str = "\
Work here is tracked with jerry; its files in .jerry/ are changed only through it.
  jerry show ID                what is to be done
  jerry note ID TEXT           what you found
  jerry check ID AC-ID --evidence TEXT   tick a criterion
  jerry create TITLE -d TEXT   work that you came upon
The one who sent you claims and completes. Exit 5: somebody else has the item; say so and stop.
";

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let actor = session.actor()?;
        let ports = session.ports()?;
        let gates = asked(&ports.gates);
        let situation = Overview::new(ports).of(&actor, NAMED).await?;
        report_unreadable(&situation.unreadable);
        let text = match self.audience {
            Audience::Agent => format!("{FOR_AN_AGENT}\n{}", of_agent(&actor, &situation, &gates)),
            Audience::Subagent => {
                let item = session.own_item()?;
                if let Some(id) = &item {
                    // Nobody works on what is not there.
                    session.query()?.show(id).await.map_err(|error| {
                        let failure = Failure::from(error);
                        let message = format!("JERRY_ITEM: {}", failure.message);
                        Failure { message, ..failure }
                    })?;
                }
                format!("{FOR_A_SUBAGENT}\n{}", of_subagent(&actor, item.as_ref(), &situation))
            }
        };
        Ok(Box::new(Prime { text, actor, situation }))
    }
}

/// What settings ask for before items are completed, in a line; empty for nothing.
fn asked(gates: &Gates) -> String {
    let all = |gates: &[Gate]| {
        let gates: Vec<_> = gates.iter().map(Gate::to_string).collect();
        if gates.is_empty() { "nothing".to_owned() } else { gates.join(", ") }
    };
    let default = (!gates.default.is_empty()).then(|| all(&gates.default));
    let of_types = gates.of_type.iter().map(|(of, gates)| format!("of a {of} {}", all(gates)));
    default.into_iter().chain(of_types).collect::<Vec<_>>().join("; ")
}

fn of_agent(actor: &Actor, situation: &Situation, gates: &str) -> String {
    let Situation { counts, held, ready, ready_total, .. } = situation;
    let mut text = "Now\n".to_owned();
    let open = counts.iter().filter(|(status, _)| !status.is_closed()).map(|(_, count)| count);
    let of = |status| counts.get(&status).copied().unwrap_or_default();
    let _ = writeln!(
        text,
        "  {} open: {} pending, {} in progress, {} blocked; {} closed",
        open.sum::<usize>(),
        of(Status::Pending),
        of(Status::InProgress),
        of(Status::Blocked),
        of(Status::Completed) + of(Status::Cancelled),
    );
    list(&mut text, &format!("  held by {}", short(actor.as_str())), held, held.len(), |item| {
        let end = item.claim.as_ref().and_then(|claim| claim.expires_at);
        end.map_or_else(String::new, |end| format!(" (until {})", to_the_second(end)))
    });
    list(&mut text, "  ready for you", ready, *ready_total, |_| String::new());
    if !gates.is_empty() {
        let _ = writeln!(text, "  complete asks for: {}; see gates in show ID", short(gates));
    }
    text
}

fn of_subagent(actor: &Actor, item: Option<&WorkId>, situation: &Situation) -> String {
    match item {
        Some(id) => format!("You work on {id}, as {}.\n", short(actor.as_str())),
        None => {
            let mut text = String::new();
            let held = &situation.held;
            let heading = format!("held by {}", short(actor.as_str()));
            list(&mut text, &heading, held, held.len(), |_| String::new());
            text
        }
    }
}

fn list(
    text: &mut String,
    heading: &str,
    items: &[Summary],
    total: usize,
    remark: impl Fn(&Summary) -> String,
) {
    if total == 0 {
        let _ = writeln!(text, "{heading}: nothing");
        return;
    }
    let _ = writeln!(text, "{heading}: {}", count(total, "item"));
    for item in items.iter().take(NAMED) {
        let title = short(item.title.as_str());
        let _ = writeln!(text, "    {} {} {title}{}", item.id, item.priority, remark(item));
    }
    if total > NAMED {
        let _ = writeln!(text, "    and {} more", total - NAMED);
    }
}

fn short(text: &str) -> String {
    let text = line(text);
    if text.len() <= SHOWN {
        return text.into_owned();
    }
    format!("{}…", text[..text.floor_char_boundary(SHOWN - "…".len())].trim_end())
}

struct Prime {
    text: String,
    actor: Actor,
    situation: Situation,
}

impl Answer for Prime {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let held = self.situation.held.get(..NAMED).unwrap_or(&self.situation.held);
        json.say(&Primed::new(&self.text, &self.actor, held, &self.situation))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        out.write_all(self.text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::Parser;
    use jerry_domain::{Prefix, Stamp, Timestamp, Title, Uid, WorkItem};

    use super::*;

    /// At least as many as any tokenizer in use makes of it: three and a half bytes of English are a
    /// token or less.
    fn tokens(text: &str) -> usize {
        text.len() * 2 / 7
    }

    fn item(number: u64) -> Summary {
        let id = WorkId::new(Prefix::new("WORKWORKWORKWORK").expect("valid"), number);
        let title = Title::new(&"\u{1F980} ".repeat(200)).expect("valid");
        let stamp = Stamp::new(Timestamp::UNIX_EPOCH, actor());
        let uid = Uid::try_from(number).expect("valid");
        let item = WorkItem::create(id.expect("valid"), uid, title, &[], &stamp);
        Summary::from(&item.expect("valid"))
    }

    fn actor() -> Actor {
        Actor::new(&"\u{1F980}".repeat(200)).expect("valid")
    }

    fn situation(items: u64) -> Situation {
        let all: Vec<_> = (0..items).map(|number| item(100_000_000_000 + number)).collect();
        Situation {
            counts: BTreeMap::from([(Status::Pending, usize::MAX / 2), (Status::Completed, 9)]),
            ready: all.iter().take(NAMED).cloned().collect(),
            held: all,
            ready_total: usize::MAX,
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn an_agent_is_primed_in_under_1000_tokens_whatever_the_store_holds() {
        let text = format!(
            "{FOR_AN_AGENT}\n{}",
            of_agent(&actor(), &situation(500), &"\u{1F980}".repeat(99))
        );
        assert!(tokens(&text) < 1000, "{} tokens:\n{text}", tokens(&text));
        assert_eq!(text.matches("…").count(), 2 + 2 * NAMED);
    }

    /// Whoever does what it is told must not be told that it is wrong.
    #[test]
    fn every_command_that_is_told_is_one() {
        let mut told = 0;
        for text in [FOR_AN_AGENT, FOR_A_SUBAGENT, crate::commands::setup::FOR_AGENTS] {
            let commands = text.split(['\n', '`']).flat_map(|part| part.split("    "));
            for command in commands.map(str::trim).filter(|part| part.starts_with("jerry ")) {
                let command = command.split("   ").next().expect("a first part");
                let words = command.split_whitespace().map(|word| match word {
                    "ID" => "WORK-001",
                    "AC-ID" => "AC-001.1",
                    "COMMAND" => "show",
                    word => word,
                });
                let words: Vec<_> = words.collect();
                if words[1] != "help" {
                    let parsed = crate::Cli::try_parse_from(words);
                    assert!(parsed.is_ok(), "{command}: {}", parsed.expect_err("no command"));
                }
                told += 1;
            }
        }
        assert!(told > 20, "{told} were found");
    }

    #[test]
    fn a_subagent_is_told_less() {
        let held = of_subagent(&actor(), None, &situation(500));
        let text = format!("{FOR_A_SUBAGENT}\n{held}");
        assert!(tokens(&text) < 400, "{} tokens:\n{text}", tokens(&text));
        assert!(tokens(FOR_A_SUBAGENT) * 2 < tokens(FOR_AN_AGENT));
    }
}

//! The processes of a demo: starts them, listens to what they say, kills some while they write
//! and puts others in their place.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use super::fault::Fault;
use super::ledger::{Ledger, Message, Operation, Verb};
use super::worker::random;
use crate::exit::{Code, Failure};

/// How many writes an item takes at least: one to create, start and complete it, some notes.
const WRITES_PER_ITEM: usize = 5;

/// The most that a kill is put off.
const MOST_DELAY: Duration = Duration::from_millis(100);

/// What the agents are to do.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub agents: usize,
    pub items: usize,
    pub kills: usize,
    pub fault: Option<Fault>,
    /// The store's root.
    pub store: PathBuf,
    /// Where to keep what they say.
    pub journal: PathBuf,
    pub lock_timeout: Option<String>,
}

/// Lets the agents work until all is done.
///
/// # Errors
/// When processes cannot be started or listened to. Those that run are ended then.
pub(super) fn run(plan: &Plan) -> Result<Ledger, Failure> {
    let journal = std::fs::File::create(&plan.journal).map_err(|error| unkept(plan, &error))?;
    let (voice, ears) = mpsc::channel();
    let mut demo = Demo {
        plan,
        voice,
        seats: Vec::new(),
        ledger: Ledger { by_agent: vec![0; plan.agents], ..Ledger::default() },
        journal: BufWriter::new(journal),
    };
    for number in 0..plan.agents {
        let items = plan.items / plan.agents + usize::from(number < plan.items % plan.agents);
        let mut seat = Seat { number, generation: 1, items, process: None, begun: None };
        demo.start(&mut seat, Stdio::piped())?;
        demo.seats.push(seat);
    }
    for process in demo.seats.iter_mut().filter_map(|seat| seat.process.as_mut()) {
        drop(process.child.stdin.take());
    }
    demo.listen(&ears)?;
    demo.journal.flush().map_err(|error| unkept(plan, &error))?;
    Ok(demo.ledger)
}

fn unkept(plan: &Plan, error: &io::Error) -> Failure {
    Failure::io(format_args!("cannot write {}", plan.journal.display()), error)
}

struct Demo<'a> {
    plan: &'a Plan,
    voice: Sender<Said>,
    seats: Vec<Seat>,
    ledger: Ledger,
    journal: BufWriter<std::fs::File>,
}

/// The place of one agent, taken by one process after the other.
struct Seat {
    number: usize,
    generation: usize,
    /// How many items are still to be created from here.
    items: usize,
    process: Option<Process>,
    /// What its process began and has not told the end of.
    begun: Option<Operation>,
}

/// A process that does not outlive its owner.
struct Process {
    child: Child,
    killed: bool,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Said {
    seat: usize,
    /// A line, or `None` when there will be no more.
    line: Option<io::Result<String>>,
}

impl Demo<'_> {
    fn start(&mut self, seat: &mut Seat, stdin: Stdio) -> Result<(), Failure> {
        let unstarted = |error| Failure::io("cannot start an agent", &error);
        let mut child = command(self.plan, seat)
            .and_then(|mut command| command.stdin(stdin).stdout(Stdio::piped()).spawn())
            .map_err(unstarted)?;
        let words = child.stdout.take();
        seat.process = Some(Process { child, killed: false });
        self.ledger.processes += 1;
        let words = words.ok_or_else(|| Failure::new(Code::Internal, "an agent has no voice"))?;
        let (number, voice) = (seat.number, self.voice.clone());
        thread::spawn(move || pass_on(number, words, &voice));
        Ok(())
    }

    fn listen(&mut self, ears: &Receiver<Said>) -> Result<(), Failure> {
        let progress = progress(self.plan.items * WRITES_PER_ITEM);
        let mut running = self.seats.len();
        while running > 0 {
            let Ok(Said { seat, line }) = ears.recv() else { break };
            match line {
                Some(line) => self.heard(seat, line)?,
                None if self.replaced(seat)? => {}
                None => running -= 1,
            }
            progress.set_position(self.ledger.acknowledged.len() as u64);
        }
        progress.finish_and_clear();
        Ok(())
    }

    fn heard(&mut self, number: usize, line: io::Result<String>) -> Result<(), Failure> {
        let unheard = |error| Failure::io("cannot understand an agent", &error);
        let line = line.map_err(unheard)?;
        writeln!(self.journal, "{line}").map_err(|error| unkept(self.plan, &error))?;
        let message = serde_json::from_str(&line).map_err(|error| unheard(error.into()))?;
        let seat = &mut self.seats[number];
        match message {
            Message::Begins(operation) => {
                seat.begun = Some(operation);
                self.kill_if_due(number);
            }
            Message::Acknowledged(answer) => {
                let Some(operation) = seat.begun.take() else {
                    return Err(Failure::new(Code::Internal, "an agent ended what it never began"));
                };
                seat.items -= usize::from(operation.verb == Verb::Create);
                self.ledger.by_agent[number] += 1;
                self.ledger.acknowledged.push((operation, answer));
            }
            Message::Conflict(_) => {
                seat.begun = None;
                self.ledger.conflicts += 1;
            }
            Message::Unreadable(message) => self.ledger.unreadable.push(message),
            Message::Failed(message) => {
                seat.begun = None;
                self.ledger.failures.push(format!("{}: {message}", name(number)));
            }
        }
        Ok(())
    }

    /// Kills an agent that has just begun to write when it is time for the next kill. The kills
    /// are spread over the writes that there will be at least, so that each comes.
    fn kill_if_due(&mut self, number: usize) {
        let marked = |seat: &Seat| seat.process.as_ref().is_some_and(|process| process.killed);
        let kills = self.ledger.kills + self.seats.iter().filter(|seat| marked(seat)).count();
        let writes = self.plan.items * WRITES_PER_ITEM;
        let due = writes * (kills + 1) / (self.plan.kills + 2);
        if kills >= self.plan.kills || self.ledger.acknowledged.len() < due {
            return;
        }
        if let Some(process) = &mut self.seats[number].process {
            // At any point of the write, which takes about as long as others do now.
            let usual = self.ledger.acknowledged.last().map_or(0, |(_, answer)| answer.micros);
            let delay = Duration::from_micros(random(usual));
            thread::sleep(delay.min(MOST_DELAY));
            // One that has ended by itself meanwhile is seen by its exit status.
            process.killed = process.child.kill().is_ok();
        }
    }

    /// Whether another process took the place of the one that ended.
    fn replaced(&mut self, number: usize) -> Result<bool, Failure> {
        let Some(mut process) = self.seats[number].process.take() else { return Ok(false) };
        let status = process
            .child
            .wait()
            .map_err(|error| Failure::io("cannot tell how an agent ended", &error))?;
        let begun = self.seats[number].begun.take();
        if status.success() {
            return Ok(false);
        }
        self.ledger.unanswered.extend(begun);
        if !process.killed {
            self.ledger.failures.push(format!("{} ended with {status}", name(number)));
            return Ok(false);
        }
        self.ledger.kills += 1;
        let Seat { generation, items, .. } = self.seats[number];
        let generation = generation + 1;
        let mut seat = Seat { number, generation, items, process: None, begun: None };
        self.start(&mut seat, Stdio::null())?;
        self.seats[number] = seat;
        Ok(true)
    }
}

/// Shown on standard error, where that is a terminal.
fn progress(writes: usize) -> ProgressBar {
    let bar = ProgressBar::new(writes as u64);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} writes") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn pass_on(seat: usize, words: ChildStdout, voice: &Sender<Said>) {
    let lines = BufReader::new(words).lines().map(Some).chain(std::iter::once(None));
    for line in lines {
        // When nobody listens any more, the demo is over.
        if voice.send(Said { seat, line }).is_err() {
            return;
        }
    }
}

fn command(plan: &Plan, seat: &Seat) -> io::Result<Command> {
    let agent = name(seat.number);
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--store").arg(&plan.store).args(["--actor", &agent]);
    if let Some(timeout) = &plan.lock_timeout {
        command.args(["--lock-timeout", timeout]);
    }
    command.args(["demo-agent", "--name", &format!("{agent}.{}", seat.generation)]);
    command.args(["--create", &seat.items.to_string()]);
    // Fewer items than agents, so that several work on one.
    command.args(["--choice", &(plan.agents / 2).max(1).to_string()]);
    if let Some(value) = plan.fault.and_then(|fault| fault.to_possible_value()) {
        command.args(["--fault", value.get_name()]);
    }
    Ok(command)
}

fn name(number: usize) -> String {
    format!("agent-{:02}", number + 1)
}

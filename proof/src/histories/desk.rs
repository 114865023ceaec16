//! Where operations are asked for: the services over the real adapters, or the program itself.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jerry_application::{Create, Delete, Filter, Modify, NewItem, Ports, Query, Ready, Request};
use jerry_cli::exit::Failure;
use jerry_domain::{Actor, Edit, Prefix, Stamp, Summary, Title, Transition, WorkId, WorkItem};
use serde_json::Value;

use super::event::{Condition, Content, Seen, Shown};
use super::fault::Fault;
use super::record::{Row, Said};

/// What is asked for, and how the asker shows who it is.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) ask: Ask,
    pub(super) shown: Shown,
}

impl Asked {
    fn condition(&self) -> Condition {
        Condition { expected: self.ask.expected(), shown: self.shown }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Create(String),
    Claim(WorkId),
    Note(WorkId, String),
    NoteIf(WorkId, String, u64),
    Move(WorkId, Transition),
    Delete(WorkId),
    Get(WorkId),
    All,
    Ready,
}

impl Ask {
    fn id(&self) -> Option<&WorkId> {
        match self {
            Self::Note(id, _) | Self::NoteIf(id, ..) | Self::Move(id, _) => Some(id),
            Self::Claim(id) | Self::Delete(id) | Self::Get(id) => Some(id),
            Self::Create(_) | Self::All | Self::Ready => None,
        }
    }

    fn expected(&self) -> Option<u64> {
        match self {
            Self::NoteIf(_, _, version) => Some(*version),
            _ => None,
        }
    }
}

/// The program, a process for each operation.
pub(super) struct Program {
    pub(super) jerry: PathBuf,
    pub(super) store: PathBuf,
}

impl Program {
    pub(super) fn ask(&self, asked: &Asked) -> io::Result<Said> {
        let ask = &asked.ask;
        let mut command = Command::new(&self.jerry);
        command.env_clear().stdin(Stdio::null());
        command.args(["--json", "--yes", "--actor", "histories", "--store"]).arg(&self.store);
        match ask {
            Ask::Create(title) => command.args(["create", title]),
            Ask::Claim(id) => command.args(["claim", &id.to_string()]),
            Ask::Note(id, text) => command.args(["note", &id.to_string(), text]),
            Ask::NoteIf(id, text, version) => {
                command.args(["note", &id.to_string(), text, "--if-version", &version.to_string()])
            }
            Ask::Move(id, transition) => command.args([transition.as_str(), &id.to_string()]),
            Ask::Delete(id) => command.args(["delete", &id.to_string()]),
            Ask::Get(id) => command.args(["show", &id.to_string()]),
            Ask::All => command.args(["list", "--all", "--limit", "0"]),
            Ask::Ready => command.args(["ready", "--limit", "0"]),
        };
        match asked.shown {
            Shown::Nothing => {}
            Shown::Fence(fence) => drop(command.args(["--fence", &fence.to_string()])),
            Shown::Force => drop(command.arg("--force")),
        }
        let output = command.output()?;
        let answer: Value = serde_json::from_slice(&output.stdout)?;
        let said = match answer["kind"].as_str() {
            Some("error") => of_error(asked, &answer["error"]),
            Some("items") => rows(ask, &answer),
            Some("item" | "deleted") => match serde_json::from_value(answer["item"].clone()) {
                Ok(item) => Some(of_item(asked, &item)?),
                Err(_) => None,
            },
            _ => None,
        };
        Ok(said.unwrap_or_else(|| Said::Strange(format!("{ask:?} was answered {answer}"))))
    }
}

fn rows(ask: &Ask, answer: &Value) -> Option<Said> {
    if !answer["unreadable"].as_array()?.is_empty() {
        return None;
    }
    let rows = serde_json::from_value(answer["items"].clone()).ok()?;
    Some(if matches!(ask, Ask::Ready) { Said::Ready(rows) } else { Said::All(rows) })
}

/// The services, in this process.
pub(super) struct Services {
    ports: Ports,
    create: Create,
    modify: Modify,
    delete: Delete,
    query: Query,
    ready: Ready,
    actor: Actor,
    fault: Option<Fault>,
    /// What a faulty desk remembers of earlier answers.
    stale: HashMap<Option<WorkId>, Said>,
    asked: u64,
}

impl Services {
    pub(super) fn new(ports: Ports, fault: Option<Fault>) -> io::Result<Self> {
        let prefix = Prefix::new("WORK").map_err(io::Error::other)?;
        Ok(Self {
            create: Create::new(ports.clone(), prefix),
            modify: Modify::new(ports.clone()),
            delete: Delete::new(ports.clone()),
            query: Query::new(ports.clone()),
            ready: Ready::new(ports.clone()),
            actor: Actor::new("histories").map_err(io::Error::other)?,
            ports,
            fault,
            stale: HashMap::new(),
            asked: 0,
        })
    }

    pub(super) async fn ask(&mut self, asked: &Asked) -> io::Result<Said> {
        self.asked += 1;
        let answered = match self.fault {
            None | Some(Fault::NoLocks) => self.serve(asked).await,
            Some(fault) => self.serve_wrongly(fault, asked).await,
        };
        match answered {
            Ok(said) => Ok(said),
            Err(failure) => {
                let error = serde_json::to_value(failure.answer().error)?;
                let strange = || Said::Strange(format!("{asked:?} was answered {error}"));
                Ok(of_error(asked, &error).unwrap_or_else(strange))
            }
        }
    }

    async fn serve(&self, asked: &Asked) -> Result<Said, Failure> {
        self.serve_as(asked, asked.shown).await
    }

    /// Answers as it should be, to somebody who shows this.
    async fn serve_as(&self, asked: &Asked, shown: Shown) -> Result<Said, Failure> {
        let ask = &asked.ask;
        let mut request = Request::new(self.actor.clone());
        request.if_version = ask.expected();
        match shown {
            Shown::Nothing => {}
            Shown::Fence(fence) => request.credentials.fence = Some(fence),
            Shown::Force => request.credentials.force = true,
        }
        let item = match ask {
            Ask::Create(title) => {
                let new = NewItem { title: Title::new(title)?, edits: Vec::new() };
                self.create.create(vec![new], &request).await?.pop()
            }
            Ask::Claim(id) => {
                Some(self.edit(id, Edit::Claim { lease: None, lock: None }, &request).await?)
            }
            Ask::Note(id, text) | Ask::NoteIf(id, text, _) => {
                Some(self.edit(id, Edit::Note(text.clone()), &request).await?)
            }
            Ask::Move(id, transition) => {
                Some(self.edit(id, Edit::Move(*transition), &request).await?)
            }
            Ask::Delete(id) => Some(self.delete.delete(id, &request).await?.item),
            Ask::Get(id) => Some(self.query.show(id).await?),
            Ask::All => {
                let all = Filter { include_closed: true, limit: 0, ..Filter::default() };
                let page = self.query.list(&all).await?;
                return Ok(listed(page.items, &page.unreadable, Said::All));
            }
            Ask::Ready => {
                let ready =
                    self.ready.ready(None, &Filter { limit: 0, ..Filter::default() }).await?;
                return Ok(listed(ready.items, &ready.unreadable, Said::Ready));
            }
        };
        let said = item.map(|item| of_item(asked, &item)).transpose();
        let said = said.map_err(|error| Failure::io("cannot encode", &error.into()))?;
        Ok(said.unwrap_or_else(|| Said::Strange(format!("{asked:?} was answered nothing"))))
    }

    async fn edit(&self, id: &WorkId, edit: Edit, by: &Request) -> Result<WorkItem, Failure> {
        Ok(self.modify.edit(id, vec![edit], by).await?.into_item())
    }

    /// Answers, now and then, as a desk with this fault would.
    async fn serve_wrongly(&mut self, fault: Fault, asked: &Asked) -> Result<Said, Failure> {
        let Asked { ask, shown } = asked;
        let now_and_then = self.asked.is_multiple_of(4);
        match (fault, ask) {
            (Fault::StaleReads, Ask::Get(_)) | (Fault::StaleLists, Ask::All | Ask::Ready) => {
                let about = ask.id().cloned();
                let kind = matches!(ask, Ask::Ready);
                let same = |said: &&Said| matches!(said, Said::Ready(_)) == kind;
                if let Some(said) = self.stale.get(&about).filter(same).filter(|_| now_and_then) {
                    return Ok(said.clone());
                }
                let said = self.serve(asked).await?;
                self.stale.insert(about, said.clone());
                Ok(said)
            }
            (Fault::DroppedWrites, Ask::Note(id, text)) if now_and_then => {
                let item = self.query.show(id).await?;
                let stamp = Stamp::new(self.ports.clock.now(), self.actor.clone());
                match item.apply(&[Edit::Note(text.clone())], &stamp) {
                    Ok(Some(next)) => of_item(asked, &next)
                        .map_err(|error| Failure::io("cannot encode", &error.into())),
                    _ => self.serve(asked).await,
                }
            }
            (Fault::DroppedDeletes, Ask::Delete(id)) if now_and_then => {
                let item = self.query.show(id).await?;
                Ok(Said::One(id.clone(), Seen::Removed(item.version, *shown)))
            }
            (Fault::CheckOutsideTheLock, Ask::NoteIf(id, text, expected)) => {
                let item = self.query.show(id).await?;
                if item.version != *expected {
                    return self.serve(asked).await;
                }
                let request = Request::new(self.actor.clone());
                let item = self.edit(id, Edit::Note(text.clone()), &request).await?;
                of_item(asked, &item).map_err(|error| Failure::io("cannot encode", &error.into()))
            }
            (
                Fault::ClaimOutsideTheLock,
                Ask::Claim(id) | Ask::Note(id, _) | Ask::NoteIf(id, ..) | Ask::Move(id, _),
            ) if *shown == Shown::Nothing => match self.query.show(id).await?.claim {
                Some(_) => self.serve(asked).await,
                None => self.serve_as(asked, Shown::Force).await,
            },
            (Fault::FenceNotCompared, _) if matches!(shown, Shown::Fence(_)) => {
                self.serve_as(asked, Shown::Force).await
            }
            _ => self.serve(asked).await,
        }
    }
}

fn listed(
    items: Vec<Summary>,
    unreadable: &[impl std::fmt::Display],
    said: impl Fn(Vec<Row>) -> Said,
) -> Said {
    if let Some(unreadable) = unreadable.first() {
        return Said::Strange(format!("a list could not read {unreadable}"));
    }
    let row = |Summary { id, version, status, .. }| Row { id, version, status };
    said(items.into_iter().map(row).collect())
}

fn of_item(asked: &Asked, item: &WorkItem) -> serde_json::Result<Said> {
    let content = Content::of(item)?;
    let seen = match asked.ask {
        Ask::Create(_) => Seen::Made(content),
        Ask::Get(_) => Seen::Read(content),
        Ask::Delete(_) => Seen::Removed(content.version, asked.shown),
        _ => Seen::Wrote(content, asked.condition()),
    };
    Ok(Said::One(item.id.clone(), seen))
}

/// What a refusal tells of the item; `None` for one that should never come.
fn of_error(asked: &Asked, error: &Value) -> Option<Said> {
    let (ask, context) = (&asked.ask, &error["context"]);
    let fence = context["claim"]["fence"].as_u64();
    let seen = match error["code"].as_str()? {
        "not_found" => Seen::Unknown,
        "deleted" => Seen::Gone,
        "version_conflict" => {
            Seen::Conflict { found: context["found"].as_u64()?, expected: ask.expected()? }
        }
        "invalid_transition" => Seen::Forbidden(context["status"].as_str()?.parse().ok()?),
        "claimed" if asked.shown == Shown::Nothing => Seen::Held(fence?),
        "stale_fence" => match asked.shown {
            Shown::Fence(shown) => Seen::Stale { shown, found: fence },
            _ => return None,
        },
        _ => return None,
    };
    Some(Said::One(ask.id()?.clone(), seen))
}

/// The folder of locks of one process, when nobody is to exclude anybody.
pub(super) fn own_locks(folder: &Path) -> PathBuf {
    folder.join(format!("locks-{}", std::process::id()))
}

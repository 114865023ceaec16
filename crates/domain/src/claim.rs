//! Who works on an item now, and who may write to it meanwhile.
//!
//! While a claim stands, only its holder writes to the item. A holder is known by the fence of the
//! claim, or as the same actor in the same session; the actor alone proves nothing, because all
//! agents of one user are one actor. See `docs/adr/0017-claims-are-fenced-by-version.md`.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Edit, Extra, Record, Refusal, SessionName, Stamp, Status, Transition, to_the_second,
};

/// One actor's hold on an item. While it stands the item is not ready for anyone else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Who holds the item.
    pub holder: Actor,
    /// Which of the holder's sessions, where one actor runs several.
    #[serde(default)]
    pub session: Option<SessionName>,
    /// The version of the item that the claim made, which no other claim of the item has.
    pub fence: u64,
    /// When the item was claimed.
    pub since: Timestamp,
    /// For how many seconds after each write by the holder the claim stands; `null` for ever.
    #[serde(default)]
    pub lease_seconds: Option<u64>,
    /// When the claim lapses unless it is renewed; `null` for never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Who handed the item over to the holder, who has not claimed it yet.
    #[serde(default)]
    pub handed_over_by: Option<Actor>,
    /// Where the lock [`LockName::work`](crate::ports::LockName::work) is held for as long as somebody
    /// works on the item, which decides instead of the lease whoever can see it; `null` for a claim
    /// by lease alone.
    #[serde(default)]
    pub lock: Option<Reach>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Where a lock means something: on one boot of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reach {
    /// Names the boot.
    pub boot: String,
    /// Names the machine, if it has a name of its own.
    #[serde(default)]
    pub machine: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a writer shows to be taken for the holder of a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The session that it belongs to.
    pub session: Option<SessionName>,
    /// The fence of the claim under which it acts. Any other claim, or none, refuses it.
    pub fence: Option<u64>,
    /// To write all the same; recorded in the history.
    pub force: bool,
    /// The fence of a claim of which the writer knows that whoever worked under it is gone.
    pub outlived: Option<u64>,
}

impl Claim {
    /// The claim that the next write of `record` makes for `holder`.
    fn of(record: &Record, holder: Actor, lease_seconds: Option<u64>, stamp: &Stamp) -> Self {
        Self {
            holder,
            session: None,
            fence: record.version + 1,
            since: stamp.at,
            lease_seconds,
            expires_at: lease_seconds.map(|lease| after(stamp.at, lease)),
            handed_over_by: None,
            lock: None,
            extra: Extra::new(),
        }
    }

    /// Whether nobody need heed it any more at `now`. A claim with a lock does not lapse with time:
    /// whoever sees that nobody works under it any more says so by [`Credentials::outlived`].
    #[must_use]
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        self.lock.is_none() && lease_has_ended(self.expires_at, now)
    }

    fn is_held_by(&self, stamp: &Stamp) -> bool {
        match stamp.credentials.fence {
            Some(fence) => fence == self.fence,
            None => {
                self.session.is_some()
                    && self.session == stamp.credentials.session
                    && self.holder == stamp.actor
            }
        }
    }

    /// Lets it stand for another lease. Never shortens it: clocks differ.
    fn renew(&mut self, at: Timestamp) {
        let end = self.lease_seconds.map(|lease| after(at, lease));
        self.expires_at = end.map(|end| self.expires_at.map_or(end, |before| before.max(end)));
    }
}

/// `Ada, session s1, since …, until …`.
impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.holder)?;
        if let Some(session) = &self.session {
            write!(f, ", session {session}")?;
        }
        write!(f, ", since {}", to_the_second(self.since))?;
        match self.expires_at {
            Some(end) => write!(f, ", until {}", to_the_second(end)),
            None => Ok(()),
        }
    }
}

/// As what somebody writes to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody holds the item.
    Free,
    /// The holder.
    Holder,
    /// Against the holder.
    Forced,
}

/// As what the writer of `stamp` makes `edits`, with `claim` on the item.
pub(crate) fn standing(
    claim: Option<&Claim>,
    edits: &[Edit],
    stamp: &Stamp,
) -> Result<Standing, Refusal> {
    let claims = edits.iter().any(|edit| matches!(edit, Edit::Claim { .. }));
    let is_mine =
        |claim: &Claim| claims && claim.handed_over_by.is_some() && claim.holder == stamp.actor;
    // Who claims under the lock holds it, so that nobody works under an earlier claim any more.
    let holds_lock_of = |own: &Reach| {
        edits.iter().any(|edit| match edit {
            Edit::Claim { lock: Some(lock), .. } => lock.boot == own.boot,
            _ => false,
        })
    };
    let stands = |claim: &Claim| {
        !claim.has_lapsed(stamp.at)
            && stamp.credentials.outlived != Some(claim.fence)
            && !claim.lock.as_ref().is_some_and(holds_lock_of)
    };
    match (claim, stamp.credentials.fence) {
        (Some(claim), _) if claim.is_held_by(stamp) => Ok(Standing::Holder),
        (Some(claim), _) if stamp.credentials.force && stands(claim) => Ok(Standing::Forced),
        // Who claims what nobody holds begins anew, whatever it held before.
        (claim, _) if claims && !claim.is_some_and(stands) => Ok(Standing::Free),
        (_, Some(fence)) if !stamp.credentials.force => {
            Err(Refusal::StaleFence { fence, claim: claim.cloned().map(Box::new) })
        }
        (Some(claim), _) if stands(claim) && !is_mine(claim) => {
            Err(Refusal::Claimed(Box::new(claim.clone())))
        }
        _ => Ok(Standing::Free),
    }
}

/// Renews the claim under which its holder wrote, unless the write ended it.
pub(crate) fn renew(before: &Record, after: &mut Record, at: Timestamp) {
    let fence = before.claim.as_ref().map(|claim| claim.fence);
    if let Some(claim) = after.claim.as_mut().filter(|claim| Some(claim.fence) == fence) {
        claim.renew(at);
    }
}

/// Claims the item and begins it where it is not begun.
pub(crate) fn take(
    record: &mut Record,
    lease: Option<Duration>,
    lock: Option<Reach>,
    stamp: &Stamp,
) -> Result<(), Refusal> {
    let (from, transition) = (record.status, Transition::Start);
    if from != Status::InProgress {
        record.status = from
            .after(transition)
            .filter(|_| !from.is_closed())
            .ok_or(Refusal::Transition { from, transition })?;
    }
    record.started_at.get_or_insert(stamp.at);
    record.assignee = Some(stamp.actor.clone());
    let lease_seconds = lease.map(|lease| lease.as_secs());
    record.claim = Some(Claim {
        session: stamp.credentials.session.clone(),
        lock,
        ..Claim::of(record, stamp.actor.clone(), lease_seconds, stamp)
    });
    Ok(())
}

/// Passes the claim on. `to` holds the item from then on, and writes to it once it has claimed it.
pub(crate) fn hand_over(record: &mut Record, to: Actor, stamp: &Stamp) -> Result<(), Refusal> {
    let Some(claim) = &record.claim else {
        return Err(Refusal::Rule("nobody has claimed it; assign it instead".to_owned()));
    };
    let lease_seconds = claim.lease_seconds;
    record.assignee = Some(to.clone());
    record.claim = Some(Claim {
        handed_over_by: Some(stamp.actor.clone()),
        ..Claim::of(record, to, lease_seconds, stamp)
    });
    Ok(())
}

/// Ends the claim, and leaves the item where it stands.
pub(crate) fn end(record: &mut Record) -> Result<(), Refusal> {
    match record.claim.take() {
        Some(_) => Ok(()),
        None => Err(Refusal::Rule("nobody has claimed it".to_owned())),
    }
}

/// Whether a lease that runs until `expires_at` has ended at `now`.
pub(crate) fn lease_has_ended(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|end| end <= now)
}

/// The end of time is late enough.
fn after(at: Timestamp, seconds: u64) -> Timestamp {
    at.checked_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

//! What three versions of a field come to.

use jiff::Timestamp;
use serde_json::Value;

use crate::history::HistoryEntry;
use crate::record::{Extra, Record};

/// One of the two sides.
pub(super) struct Side<'a> {
    pub(super) record: &'a Record,
    /// Its history since the two went their own ways.
    pub(super) since: &'a [HistoryEntry],
}

impl Side<'_> {
    /// When it last wrote the field whose changes are `wanted`; as a whole, where no entry says.
    fn written_at(&self, wanted: impl Fn(&str) -> bool) -> Timestamp {
        let writes = |entry: &&HistoryEntry| entry.changes.iter().any(|own| wanted(&own.field));
        let last = self.since.iter().rev().find(writes);
        last.map_or(self.record.updated_at, |entry| entry.at)
    }
}

/// Which side's word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Main,
    Other,
}

/// Both sides and what they came from.
pub(super) struct Three<'a> {
    pub(super) base: Option<&'a Record>,
    pub(super) main: Side<'a>,
    pub(super) other: Side<'a>,
}

/// Fields with one value.
pub(super) struct Scalars<'a>(&'a Three<'a>);

impl Scalars<'_> {
    /// The field `name`.
    pub(super) fn of<T: Clone + PartialEq>(&self, name: &str, field: impl Fn(&Record) -> &T) -> T {
        let Self(three) = self;
        three.pick(
            name,
            three.base.map(&field),
            field(three.main.record),
            field(three.other.record),
        )
    }
}

impl<'a> Three<'a> {
    pub(super) fn scalars(&'a self) -> Scalars<'a> {
        Scalars(self)
    }

    /// The side that last wrote `field`, or something in it.
    pub(super) fn later(&self, field: &str) -> Whose {
        self.later_where(|path| path.strip_prefix(field).is_some_and(ends_a_step))
    }

    /// The side whose last write of what is `wanted` is the later one; the main line, if both are of
    /// one time.
    pub(super) fn later_where(&self, wanted: impl Fn(&str) -> bool) -> Whose {
        match self.other.written_at(&wanted) > self.main.written_at(&wanted) {
            true => Whose::Other,
            false => Whose::Main,
        }
    }

    /// What one side changed; of what both changed, the later write of `field`.
    pub(super) fn pick<T: Clone + PartialEq>(
        &self,
        field: &str,
        base: Option<&T>,
        main: &T,
        other: &T,
    ) -> T {
        if main == other || base == Some(other) {
            main.clone()
        } else if base == Some(main) {
            other.clone()
        } else {
            self.later(field).of(main, other).clone()
        }
    }

    /// A sorted set: what is on both sides, and what one of them added.
    pub(super) fn set<T: Clone + Ord>(&self, field: impl Fn(&Record) -> &Vec<T>) -> Vec<T> {
        let base = self.base.map(|base| field(base).as_slice()).unwrap_or_default();
        let (main, other) = (field(self.main.record), field(self.other.record));
        let kept = main.iter().filter(|own| other.contains(own) || !base.contains(own));
        let added = other.iter().filter(|own| !main.contains(own) && !base.contains(own));
        let mut all: Vec<T> = kept.chain(added).cloned().collect();
        all.sort_unstable();
        all
    }

    /// A list of elements that are known again by `same`; one that both sides have is what `join`
    /// makes of it.
    pub(super) fn list<T: Clone + PartialEq>(
        &self,
        field: impl Fn(&Record) -> &Vec<T>,
        same: impl Fn(&T, &T) -> bool,
        join: impl Fn(Option<&T>, &T, &T) -> T,
    ) -> Vec<T> {
        let base = self.base.map(|base| field(base).as_slice()).unwrap_or_default();
        let (main, other) = (field(self.main.record), field(self.other.record));
        let (old, new) = unite(base, main, other, same, join);
        old.into_iter().chain(new).collect()
    }

    /// A list whose elements do not change.
    pub(super) fn united<T: Clone + PartialEq>(
        &self,
        field: impl Fn(&Record) -> &Vec<T>,
    ) -> Vec<T> {
        self.list(field, T::eq, |_, main, _| main.clone())
    }

    /// As [`Three::united`], what is new on both sides in the order of time.
    pub(super) fn by_time<T: Clone + PartialEq>(
        &self,
        field: impl Fn(&Record) -> &Vec<T>,
        at: impl Fn(&T) -> Timestamp,
    ) -> Vec<T> {
        let base = self.base.map(|base| field(base).as_slice()).unwrap_or_default();
        let (main, other) = (field(self.main.record), field(self.other.record));
        let (mut all, new) = unite(base, main, other, T::eq, |_, main, _| main.clone());
        let first = all.iter().take_while(|own| base.contains(own)).count();
        let mut own = all.split_off(first).into_iter().peekable();
        // Each side's are in its own order, whatever its clock did.
        for element in new {
            all.extend(std::iter::from_fn(|| own.next_if(|own| at(own) <= at(&element))));
            all.push(element);
        }
        all.extend(own);
        all
    }

    /// A moment that came into being once: where the sides differ about it, the first.
    pub(super) fn earliest_of(
        &self,
        field: impl Fn(&Record) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let (main, other) = (field(self.main.record), field(self.other.record));
        match self.base.map(&field) {
            Some(base) if base == other => main,
            Some(base) if base == main => other,
            _ => main.into_iter().chain(other).min(),
        }
    }

    /// JSON of which jerry knows nothing.
    pub(super) fn json(
        &self,
        field: &str,
        value: impl Fn(&Record) -> Option<&Value>,
    ) -> Option<Value> {
        let (main, other) = (value(self.main.record), value(self.other.record));
        self.json_values(field, self.base.and_then(&value), main, other)
    }

    /// The fields that jerry does not know.
    pub(super) fn unknown(&self) -> Extra {
        let (main, other) = (&self.main.record.extra, &self.other.record.extra);
        // No history says when one was written.
        self.object("", self.base.map(|base| &base.extra), main, other)
    }

    /// Key by key, those of the main line first.
    pub(super) fn object(
        &self,
        field: &str,
        base: Option<&Extra>,
        main: &Extra,
        other: &Extra,
    ) -> Extra {
        let added = other.keys().filter(|key| !main.contains_key(*key));
        let value = |key: &String| {
            let base = base.and_then(|base| base.get(key));
            Some((key.clone(), self.json_values(field, base, main.get(key), other.get(key))?))
        };
        main.keys().chain(added).filter_map(value).collect()
    }

    fn json_values(
        &self,
        field: &str,
        base: Option<&Value>,
        main: Option<&Value>,
        other: Option<&Value>,
    ) -> Option<Value> {
        match (main, other) {
            (Some(Value::Object(main)), Some(Value::Object(other))) => {
                let base = base.and_then(Value::as_object);
                Some(Value::Object(self.object(field, base, main, other)))
            }
            // What one side added to nothing, the other did not take away.
            (Some(own), None) | (None, Some(own)) if base.is_none() => Some(own.clone()),
            _ => self.pick(field, Some(&base.cloned()), &main.cloned(), &other.cloned()),
        }
    }
}

/// As [`Three::united`], of lists that stand anywhere.
pub(super) fn united<T: Clone + PartialEq>(base: &[T], main: &[T], other: &[T]) -> Vec<T> {
    let (old, new) = unite(base, main, other, T::eq, |_, main, _| main.clone());
    old.into_iter().chain(new).collect()
}

/// What stays of the main line's list, and what the other line's adds to it. Taken away is what one
/// side took away and the other left as it was.
fn unite<T: Clone + PartialEq>(
    base: &[T],
    main: &[T],
    other: &[T],
    same: impl Fn(&T, &T) -> bool,
    join: impl Fn(Option<&T>, &T, &T) -> T,
) -> (Vec<T>, Vec<T>) {
    let (of_main, of_other) = (matches(main, base, &same), matches(other, base, &same));
    let in_other = matches(main, other, &same);
    let is_kept = |own: &T, in_base: Option<usize>| in_base.is_none_or(|at| base[at] != *own);
    let old = main.iter().enumerate().filter_map(|(at, own)| match in_other[at] {
        Some(found) => Some(join(of_main[at].map(|at| &base[at]), own, &other[found])),
        None => is_kept(own, of_main[at]).then(|| own.clone()),
    });
    let is_new = |at: &usize| !in_other.contains(&Some(*at)) && is_kept(&other[*at], of_other[*at]);
    let new = (0..other.len()).filter(is_new).map(|at| other[at].clone());
    (old.collect(), new.collect())
}

/// For each of `elements` which of `known` it is, each at most once.
fn matches<T>(elements: &[T], known: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<Option<usize>> {
    let mut used = vec![false; known.len()];
    let find = |element: &T| {
        let found = (0..known.len()).find(|at| !used[*at] && same(element, &known[*at]))?;
        used[found] = true;
        Some(found)
    };
    elements.iter().map(find).collect()
}

fn ends_a_step(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

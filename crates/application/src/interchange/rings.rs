//! Keeps imported references from closing a ring.

/// A reference from one item to another, by their places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) to: usize,
    /// Whether the import brings it, so that it may be left out.
    pub(super) new: bool,
    /// Whether it has to be left out.
    pub(super) cut: bool,
}

impl Edge {
    pub(super) fn old(to: usize) -> Self {
        Self { to, new: false, cut: false }
    }

    pub(super) fn new(to: usize) -> Self {
        Self { to, new: true, cut: false }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Cuts new edges until no ring goes through any of them. In a ring of new edges alone, the one
/// is cut that closes it when the items are gone through in order. Rings of old edges stay, the
/// doctor names them; around them an edge may go that closes none.
///
/// One pass over all edges, and one more for each ring that a new edge closes by way of old ones.
pub(super) fn cut(edges: &mut [Vec<Edge>]) {
    let groups = groups(edges);
    // The edges of each group: from which item, at which place.
    let mut leaving = vec![Vec::new(); edges.len()];
    for (from, own) in edges.iter_mut().enumerate() {
        for (place, edge) in own.iter_mut().enumerate() {
            if groups[from] != groups[edge.to] || from == edge.to && edge.new {
                leaving[groups[from]].push((from, place));
            } else {
                edge.cut = edge.new;
            }
        }
    }
    while !pass(edges, &groups, &leaving) {}
}

/// For each item its group, by the first item in it. Items on rings of old edges, and between
/// such rings, are one group; every other item is its own. Without the rings within the group no
/// ring is left that has no new edge.
fn groups(edges: &[Vec<Edge>]) -> Vec<usize> {
    let old = |own: &Vec<Edge>| own.iter().filter(|edge| !edge.new).map(|edge| edge.to).collect();
    let forwards: Vec<Vec<usize>> = edges.iter().map(old).collect();
    let mut backwards = vec![Vec::new(); edges.len()];
    for (from, own) in forwards.iter().enumerate() {
        own.iter().for_each(|to| backwards[*to].push(from));
    }
    let (into, out_of) = (left_over(&forwards), left_over(&backwards));
    let ringed: Vec<_> = (0..edges.len()).map(|item| into[item] && out_of[item]).collect();
    let first = ringed.iter().position(|ringed| *ringed).unwrap_or_default();
    ringed.iter().enumerate().map(|(item, ringed)| if *ringed { first } else { item }).collect()
}

/// The items that are left when those to which no edge leads are taken away again and again.
fn left_over(edges: &[Vec<usize>]) -> Vec<bool> {
    let mut arriving = vec![0usize; edges.len()];
    edges.iter().flatten().for_each(|to| arriving[*to] += 1);
    let mut left = vec![true; edges.len()];
    let mut free: Vec<_> = (0..edges.len()).filter(|item| arriving[*item] == 0).collect();
    while let Some(item) = free.pop() {
        left[item] = false;
        for to in &edges[item] {
            arriving[*to] -= 1;
            if arriving[*to] == 0 {
                free.push(*to);
            }
        }
    }
    left
}

/// Depth-first with an explicit stack: a chain may be as long as the store. Whether it came to
/// the end; it stops where it cut an edge that it had already gone along.
fn pass(edges: &mut [Vec<Edge>], groups: &[usize], leaving: &[Vec<(usize, usize)>]) -> bool {
    let mut marks = vec![Mark::New; edges.len()];
    for start in 0..edges.len() {
        if groups[start] != start || marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        // Where the search stands, and which of its edges comes next.
        let mut path = vec![(start, 0)];
        while let Some((group, next)) = path.last_mut() {
            let Some((from, place)) = leaving[*group].get(*next) else {
                marks[*group] = Mark::Done;
                path.pop();
                continue;
            };
            *next += 1;
            let edge = &mut edges[*from][*place];
            if edge.cut {
                continue;
            }
            let to = groups[edge.to];
            match marks[to] {
                Mark::Done => {}
                Mark::New => {
                    marks[to] = Mark::Open;
                    path.push((to, 0));
                }
                Mark::Open if edge.new => edge.cut = true,
                Mark::Open => {
                    let gone = path.iter().rev().map(|(group, next)| leaving[*group][*next - 1]);
                    for (from, place) in gone {
                        if edges[from][place].new {
                            edges[from][place].cut = true;
                            return false;
                        }
                    }
                }
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cuts(edges: &[Vec<Edge>]) -> Vec<(usize, usize)> {
        let all = edges.iter().enumerate();
        all.flat_map(|(from, own)| own.iter().filter(|e| e.cut).map(move |e| (from, e.to)))
            .collect()
    }

    #[test]
    fn the_closing_edge_goes() {
        let mut edges = vec![vec![Edge::new(1)], vec![Edge::new(2)], vec![Edge::new(0)]];
        cut(&mut edges);
        assert_eq!(cuts(&edges), [(2, 0)]);
    }

    #[test]
    fn an_item_cannot_wait_for_itself() {
        let mut edges = vec![vec![Edge::new(0)]];
        cut(&mut edges);
        assert_eq!(cuts(&edges), [(0, 0)]);
    }

    #[test]
    fn a_new_edge_goes_and_an_old_one_stays() {
        // 0 → 1 is new; 1 → 0 is old and is what closes the ring.
        let mut edges = vec![vec![Edge::new(1)], vec![Edge::old(0)]];
        cut(&mut edges);
        assert_eq!(cuts(&edges), [(0, 1)]);
    }

    #[test]
    fn a_ring_that_was_there_stays() {
        let mut edges = vec![vec![Edge::old(1)], vec![Edge::old(0)], vec![Edge::new(0)]];
        cut(&mut edges);
        assert_eq!(cuts(&edges), []);
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        let mut edges: Vec<_> = (1..200_000).map(|to| vec![Edge::new(to)]).collect();
        edges.push(vec![Edge::new(0)]);
        cut(&mut edges);
        assert_eq!(cuts(&edges), [(199_999, 0)]);
    }

    /// Whether `to` is reachable from `from` without cut edges.
    fn reaches(edges: &[Vec<Edge>], from: usize, to: usize) -> bool {
        let mut seen = vec![false; edges.len()];
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                open.extend(edges[at].iter().filter(|e| !e.cut).map(|e| e.to));
            }
        }
        false
    }

    proptest! {
        #[test]
        fn no_new_edge_lies_on_a_ring(
            drawn in prop::collection::vec((0usize..8, 0usize..8, any::<bool>()), 0..30),
        ) {
            let mut edges = vec![Vec::new(); 8];
            for (from, to, new) in drawn {
                edges[from].push(Edge { to, new, cut: false });
            }
            cut(&mut edges);
            for from in 0..8 {
                for edge in &edges[from] {
                    prop_assert!(edge.new || !edge.cut);
                    if edge.new && !edge.cut {
                        prop_assert!(!reaches(&edges, edge.to, from));
                    }
                }
            }
        }
    }
}

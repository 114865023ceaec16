//! Texts that nearly are what they should be.

use super::corpus::Corpus;
use crate::dice::Dice;

/// The most bytes of a mutation: what takes long is looked at elsewhere.
const MOST: usize = 1 << 14;

/// A text of the corpus with a few things changed.
pub(super) fn one_of(corpus: &Corpus, dice: &mut Dice) -> Vec<u8> {
    let mut text = dice.pick(&corpus.texts).cloned().unwrap_or_default();
    for _ in 0..=dice.below(4) {
        change(&mut text, corpus, dice);
    }
    text.truncate(MOST);
    text
}

fn change(text: &mut Vec<u8>, corpus: &Corpus, dice: &mut Dice) {
    const BYTES: &[u8] = b"\0\n\r\t \"'\\{}[]:,.|`#*-+019eE\x7f\x80\xc3\xef\xff";
    let (start, end) = part(text, dice);
    match dice.below(8) {
        0 => drop(text.drain(start..end)),
        1 => {
            let copy = text[start..end].to_vec();
            let at = place(text, dice);
            text.splice(at..at, copy);
        }
        2 | 3 => {
            let word = dice.pick(corpus.target.words).copied().unwrap_or_default();
            text.splice(start..start, word.bytes());
        }
        4 => {
            let word = dice.pick(corpus.target.words).copied().unwrap_or_default();
            text.splice(start..end, word.bytes());
        }
        5 => text.extend(dice.pick(BYTES)),
        6 => {
            let byte = dice.pick(BYTES).copied().unwrap_or_default();
            match text.get_mut(start) {
                Some(own) => *own = byte,
                None => text.push(byte),
            }
        }
        _ => {
            let other = dice.pick(&corpus.texts).cloned().unwrap_or_default();
            let (from, to) = part(&other, dice);
            text.splice(start..end, other[from..to].iter().copied());
        }
    }
}

/// A part of a text: a few bytes, a word, or a whole line.
fn part(text: &[u8], dice: &mut Dice) -> (usize, usize) {
    let at = place(text, dice);
    if dice.one_in(2) {
        let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_+-.\"".contains(byte);
        let before = text[..at].iter().rev().take_while(|byte| in_word(byte)).count();
        let after = text[at..].iter().take_while(|byte| in_word(byte)).count();
        return (at - before, at + after);
    }
    if dice.one_in(3) {
        let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |it| it + 1);
        let end =
            text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |it| at + it + 1);
        return (start, end);
    }
    let length = dice.below(12) as usize;
    (at, (at + length).min(text.len()))
}

fn place(text: &[u8], dice: &mut Dice) -> usize {
    dice.below(text.len() as u64 + 1) as usize
}

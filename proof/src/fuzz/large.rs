//! Texts of a great size: something that stands in a text of the corpus, over and over.

use super::corpus::Corpus;
use crate::dice::Dice;

/// A text of a great size, and what makes it so.
pub(super) struct Large {
    pub(super) name: String,
    pub(super) text: Vec<u8>,
}

/// One of at most `size` bytes.
pub(super) fn one_of(corpus: &Corpus, size: usize, dice: &mut Dice) -> Large {
    let text = dice.pick(&corpus.texts).cloned().unwrap_or_default();
    let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let line = dice.below(lines.len() as u64) as usize;
    let own = lines.get(line).copied().unwrap_or_default();
    let start: usize = lines.iter().take(line).map(|line| line.len()).sum();
    let room = size.saturating_sub(text.len());
    match dice.below(4) {
        0 => {
            let many = own.repeat(room / own.len().max(1));
            grown(&text, start, many, format!("line {} over and over", line + 1))
        }
        1 => {
            let many = numbered(own, room);
            grown(&text, start, many, format!("line {} with other numbers", line + 1))
        }
        2 => {
            let at = start + dice.below(own.len() as u64) as usize;
            let word = dice.pick(corpus.target.words).copied().unwrap_or_default();
            let many = word.repeat(room / word.len().max(1)).into_bytes();
            grown(&text, at, many, format!("{word:?} over and over at byte {at}"))
        }
        _ => {
            let at = text.iter().position(|byte| *byte == b'{').map_or(start, |at| at + 1);
            let (what, field) = dice.pick(&FIELDS).copied().unwrap_or(("nothing", |_| Vec::new()));
            grown(&text, at, field(room), format!("a field that is {what}"))
        }
    }
}

fn grown(text: &[u8], at: usize, many: Vec<u8>, name: String) -> Large {
    Large { name, text: [&text[..at], &many, &text[at..]].concat() }
}

/// `line` again and again, its numbers counted up.
fn numbered(line: &[u8], room: usize) -> Vec<u8> {
    let mut many = Vec::with_capacity(room);
    for count in 1_usize.. {
        let before = many.len();
        let mut in_number = false;
        for byte in line {
            match byte {
                b'0'..=b'9' if in_number => {}
                b'1'..=b'9' => many.extend(format!("{count:03}").bytes()),
                byte => many.push(*byte),
            }
            in_number = byte.is_ascii_digit();
        }
        if many.len() > room || many.len() == before {
            many.truncate(before);
            break;
        }
    }
    many
}

/// What a field of an object may be, within some bytes.
type Field = fn(usize) -> Vec<u8>;

const FIELDS: [(&str, Field); 7] = [
    ("a deep list", |room| around("[", "]", room)),
    ("a deep object", |room| around("{\"a\":", "}", room)),
    ("a list that nothing closes", |room| [b"\"x\":".to_vec(), b"[".repeat(room)].concat()),
    ("a long list", |room| [b"\"x\":[0", ",0".repeat(room / 2).as_bytes(), b"],"].concat()),
    ("a long number", |room| [b"\"x\":1", "0".repeat(room).as_bytes(), b","].concat()),
    ("a long text", |room| [b"\"x\":\"", "\\u0041".repeat(room / 6).as_bytes(), b"\","].concat()),
    ("one of many", |room| {
        let fields = (0..room / 12).map(|count| format!("\"x{count}\":{count},"));
        fields.collect::<String>().into_bytes()
    }),
];

fn around(open: &str, close: &str, room: usize) -> Vec<u8> {
    let depth = room / (open.len() + close.len());
    format!("\"x\":{}0{},", open.repeat(depth), close.repeat(depth)).into_bytes()
}

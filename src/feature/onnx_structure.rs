//! Is a file built as an ONNX model, before a runtime reads it?
//!
//! A model is a Protocol Buffers message of messages, each with its length in front. A length that leads beyond the end
//! of the file makes the runtime look for its end for ever, so that every length is compared with what is there.

/// Graphs within graphs; more than models have.
const MOST_DEPTH: usize = 64;

/// The messages whose parts the runtime reads.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Other,
}

impl Kind {
    /// What a field of this message holds, if a message. Numbers are those of `onnx.proto`.
    fn part(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::ValueInfo,
            (Self::Node, 5) => Self::Attribute,
            (Self::ValueInfo, 2) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Shape, 1) | (Self::Model, 8 | 14) | (Self::Tensor, 13) => Self::Other,
            _ => return None,
        })
    }
}

/// Whether every length in the file stays within its message.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    holds(bytes, Kind::Model, 0)
}

fn holds(mut rest: &[u8], kind: Kind, depth: usize) -> bool {
    while !rest.is_empty() {
        let Some(tag) = varint(&mut rest) else { return false };
        let size = match tag & 7 {
            0 => varint(&mut rest).map(|_| 0),
            1 => Some(8),
            2 => varint(&mut rest),
            5 => Some(4),
            _ => None,
        };
        let Some(part) = size.and_then(|size| rest.split_off(..usize::try_from(size).ok()?)) else {
            return false;
        };
        if tag & 7 == 2
            && let Some(inner) = kind.part(tag >> 3)
            && (depth == MOST_DEPTH || !holds(part, inner, depth + 1))
        {
            return false;
        }
    }
    true
}

/// A number of up to 64 bits, seven a byte, the lowest first.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *rest.split_off_first()?;
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_lead_beyond_the_end_are_seen_at_every_depth() {
        let message = |field: u8, inner: &[u8]| [&[field << 3 | 2, inner.len() as u8][..], inner].concat();
        let name = message(3, b"relu");
        for (inner, whole) in [(&name[..], true), (&name[..4], false), (&[0x0A, 0x7F], false), (&[], true)] {
            let graph = message(1, inner);
            let model = [&[0x08, 0x07][..], &message(7, &graph)].concat();
            assert_eq!(is_whole(&model), whole, "{inner:?}");
            assert!(!is_whole(&model[..model.len() - 1]) || model.len() == 6 && whole);
        }
        let endless = [0xFF; 64];
        assert!(!is_whole(&endless) && is_whole(&[]) && !is_whole(&[0x0B]) && !is_whole(&[0x3A, 0xFF, 0x7F]));
        let deep = (0..200).fold(Vec::new(), |inner: Vec<u8>, _| {
            let length = [(inner.len() & 0x7F) as u8 | 0x80, (inner.len() >> 7) as u8];
            [&[0x32][..], &length, &inner].concat()
        });
        assert!(!holds(&deep, Kind::Attribute, MOST_DEPTH));
    }
}

//! Cutting a long run of messages where one message ends and the next begins.

use retrostep_record_python_wire::PUSH_MAX_BYTES;
use retrostep_record_python_wire::message::{self, Cursor, put, tag};

/// The longest run that the ring takes at once.
pub(crate) const MAX_BYTES: usize = PUSH_MAX_BYTES;

/// The length of a part of a message that the ring does not take.
const PART_BYTES: usize = 1 << 18;
/// `trace::ObjectKind::Opaque`, as a number of the wire.
const OPAQUE: u8 = 18;

/// The length of the longest run of whole messages at the start of `bytes` that the ring takes; the
/// first message's, if that alone is longer.
pub(crate) fn first(bytes: &[u8]) -> usize {
    let mut cursor = Cursor::new(bytes);
    let mut end = 0;
    while !cursor.is_empty() {
        if skip_message(&mut cursor).is_none() {
            return bytes.len();
        }
        if cursor.position() > MAX_BYTES {
            return if end == 0 { cursor.position() } else { end };
        }
        end = cursor.position();
    }
    end
}

fn numbers(cursor: &mut Cursor<'_>, count: usize) -> Option<()> {
    for _ in 0..count {
        cursor.number()?;
    }
    Some(())
}

fn texts(cursor: &mut Cursor<'_>, count: u64) -> Option<()> {
    for _ in 0..count {
        cursor.text()?;
    }
    Some(())
}

fn skip_value(cursor: &mut Cursor<'_>) -> Option<()> {
    match cursor.byte()? {
        tag::INT | tag::OBJECT => numbers(cursor, 1),
        tag::BIG_INT => texts(cursor, 1),
        tag::FLOAT => cursor.take(8).map(|_| ()),
        tag::COMPLEX => cursor.take(16).map(|_| ()),
        tag::STR | tag::BYTES => {
            numbers(cursor, 1)?;
            texts(cursor, 1)
        }
        tag::UNAVAILABLE => cursor.byte().map(|_| ()),
        _ => Some(()),
    }
}

fn skip_content(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.byte()?;
    numbers(cursor, 2)?;
    for _ in 0..cursor.number()? {
        skip_value(cursor)?;
    }
    for _ in 0..cursor.number()? {
        skip_value(cursor)?;
        skip_value(cursor)?;
    }
    for _ in 0..cursor.number()? {
        cursor.number()?;
        skip_value(cursor)?;
    }
    cursor.number()?;
    if cursor.byte()? != 0 {
        numbers(cursor, 1)?;
        texts(cursor, 1)?;
    }
    Some(())
}

/// A message that the ring does not take, in parts that it takes. Of contents that are too long even for
/// that only the object's type is told; any other such message is left out.
pub(crate) fn parts(long: &[u8]) -> Vec<u8> {
    if long.len() > message::LONG_MAX_BYTES {
        return without_contents(long).unwrap_or_default();
    }
    let mut out = Vec::with_capacity(long.len() + (long.len() / PART_BYTES + 1) * 16);
    let mut left = long.len();
    for part in long.chunks(PART_BYTES) {
        left -= part.len();
        out.push(message::PART);
        put::number(&mut out, left as u64);
        put::text(&mut out, part);
    }
    out
}

fn without_contents(long: &[u8]) -> Option<Vec<u8>> {
    let mut cursor = Cursor::new(long);
    let kind = cursor.byte()?;
    if !matches!(kind, message::OBJECT_NEW | message::OBJECT_REPLACE) {
        return None;
    }
    let object = cursor.number()?;
    cursor.byte()?;
    let type_id = cursor.number()?;
    let mut out = vec![kind];
    put::number(&mut out, object);
    out.push(OPAQUE);
    put::number(&mut out, type_id);
    out.extend_from_slice(&[0; 6]);
    Some(out)
}

fn skip_message(cursor: &mut Cursor<'_>) -> Option<()> {
    match cursor.byte()? {
        message::SOURCE | message::NAME | message::PART => {
            numbers(cursor, 1)?;
            texts(cursor, 1)
        }
        message::FUNCTION => {
            numbers(cursor, 3)?;
            cursor.byte()?;
            texts(cursor, 2)?;
            for _ in 0..cursor.number()? {
                cursor.text()?;
                cursor.byte()?;
            }
            for _ in 0..cursor.number()? {
                cursor.number()?;
            }
            Some(())
        }
        message::TYPE => {
            numbers(cursor, 2)?;
            texts(cursor, 2)?;
            let fields = cursor.number()?;
            texts(cursor, fields)
        }
        message::THREAD
        | message::CLOCK
        | message::REDACTED
        | message::TASK_SWITCH
        | message::TASK_END
        | message::LINE
        | message::RESUME
        | message::POP
        | message::CLEAR => numbers(cursor, 1),
        message::NOTE | message::THREAD_START => texts(cursor, 1),
        message::STARTED | message::MARK => texts(cursor, 2),
        message::TASK_START => {
            numbers(cursor, 1)?;
            texts(cursor, 1)
        }
        message::THREAD_END => Some(()),
        message::CALL => numbers(cursor, 4),
        message::RETURN | message::YIELD | message::RAISE | message::UNWIND => skip_value(cursor),
        message::WRITE | message::APPEND | message::SET_CELL | message::DELETE_KEY => {
            numbers(cursor, 1)?;
            skip_value(cursor)
        }
        message::OUTPUT => {
            cursor.byte()?;
            texts(cursor, 1)
        }
        message::EXTERNAL => {
            texts(cursor, 3)?;
            numbers(cursor, 1)
        }
        message::OBJECT_NEW | message::OBJECT_REPLACE => {
            numbers(cursor, 1)?;
            skip_content(cursor)
        }
        message::SET_ITEM | message::SET_ATTRIBUTE => {
            numbers(cursor, 2)?;
            skip_value(cursor)
        }
        message::SET_KEY => {
            numbers(cursor, 1)?;
            skip_value(cursor)?;
            skip_value(cursor)
        }
        message::DELETE_ATTRIBUTE => numbers(cursor, 2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_is_cut_between_messages() {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for _ in 0..3 {
            bytes.extend_from_slice(&[message::WRITE, 1]);
            put::string(&mut bytes, tag::STR, 3 << 20, &vec![b'x'; 3 << 20]);
            ends.push(bytes.len());
        }
        assert_eq!(first(&bytes), ends[1]);
        assert_eq!(first(&bytes[ends[1]..]), ends[2] - ends[1]);
    }

    #[test]
    fn a_long_message_is_sent_in_parts() {
        let mut long = vec![message::WRITE, 1];
        put::string(&mut long, tag::STR, 9 << 20, &vec![b'x'; 9 << 20]);
        let parts = parts(&long);
        let mut whole = Vec::new();
        let mut cursor = Cursor::new(&parts);
        while let Some(kind) = cursor.byte() {
            assert_eq!(kind, message::PART);
            let left = cursor.number().unwrap();
            whole.extend_from_slice(cursor.text().unwrap());
            assert_eq!(whole.len() as u64 + left, long.len() as u64);
        }
        assert_eq!(whole, long);
        assert!(first(&parts) <= MAX_BYTES);
    }

    #[test]
    fn contents_that_no_recording_takes_are_left_out() {
        let mut long = vec![message::OBJECT_REPLACE, 7, 0, 3, 1, 1];
        let len = message::LONG_MAX_BYTES;
        put::string(&mut long, tag::STR, len as u64, &vec![b'x'; len]);
        long.extend_from_slice(&[0; 4]);
        let expected = [message::OBJECT_REPLACE, 7, OPAQUE, 3, 0, 0, 0, 0, 0, 0];
        assert_eq!(parts(&long), expected);
    }
}

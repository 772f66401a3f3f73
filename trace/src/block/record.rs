//! A frame's state at a block boundary, as bytes: differences from the record before it.

use crate::varint::{Decoded, Input, Malformed, put_signed};
use crate::walker::FrameRecord;
use crate::{FrameId, FunctionId, ObjectId, ThreadId};

impl FrameRecord {
    /// What the first record of a list differs from.
    pub(crate) fn origin(position: u64) -> FrameRecord {
        FrameRecord {
            frame: FrameId(0),
            function: FunctionId(0),
            thread: ThreadId(0),
            caller: None,
            depth: 0,
            call: position,
            start: position,
            line: 0,
            line_position: position,
            globals: None,
            locals: None,
            block: 0,
        }
    }

    pub(crate) fn put(&self, last: &mut FrameRecord, out: &mut Vec<u8>) {
        let mut number = |now: u64, before: u64| put_signed(out, now.wrapping_sub(before) as i64);
        number(self.frame.0, last.frame.0);
        number(u64::from(self.function.0), u64::from(last.function.0));
        number(u64::from(self.thread.0), u64::from(last.thread.0));
        number(u64::from(self.depth), u64::from(last.depth));
        number(self.call, last.call);
        number(self.start, self.call);
        number(u64::from(self.line), u64::from(last.line));
        number(self.line_position, self.start);
        number(u64::from(self.block), u64::from(last.block));
        // A frame is never its own caller: 0 is free to mean none.
        number(
            self.caller.map_or(self.frame.0, |caller| caller.0),
            self.frame.0,
        );
        for (now, before) in [(self.globals, last.globals), (self.locals, last.locals)] {
            let number = |object: Option<ObjectId>| {
                object.map_or(0, |object| object.0.wrapping_add(1)) as i64
            };
            put_signed(out, number(now).wrapping_sub(number(before)));
        }
        *last = self.clone();
    }

    pub(crate) fn decode(last: &mut FrameRecord, input: &mut Input<'_>) -> Decoded<FrameRecord> {
        let mut number =
            |before: u64| -> Decoded<u64> { Ok(before.wrapping_add(input.signed()? as u64)) };
        let frame = FrameId(number(last.frame.0)?);
        let function = FunctionId(narrow(number(u64::from(last.function.0))?)?);
        let thread = ThreadId(narrow(number(u64::from(last.thread.0))?)?);
        let depth = narrow(number(u64::from(last.depth))?)?;
        let call = number(last.call)?;
        let start = number(call)?;
        let line = narrow(number(u64::from(last.line))?)?;
        let line_position = number(start)?;
        let block = narrow(number(u64::from(last.block))?)?;
        let caller = Some(FrameId(number(frame.0)?)).filter(|caller| *caller != frame);
        let mut object = |before: Option<ObjectId>| -> Decoded<Option<ObjectId>> {
            let before = before.map_or(0, |object| object.0.wrapping_add(1));
            let number = before.wrapping_add(input.signed()? as u64);
            Ok(number.checked_sub(1).map(ObjectId))
        };
        let record = FrameRecord {
            frame,
            function,
            thread,
            caller,
            depth,
            call,
            start,
            line,
            line_position,
            globals: object(last.globals)?,
            locals: object(last.locals)?,
            block,
        };
        *last = record.clone();
        Ok(record)
    }
}

fn narrow(number: u64) -> Decoded<u32> {
    u32::try_from(number).map_err(|_| Malformed("a number of a frame has more than 32 bits"))
}

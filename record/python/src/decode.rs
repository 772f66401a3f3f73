//! Reading the recorder's messages.
//!
//! The recorder runs inside a program that can do anything to its memory, so nothing a message says
//! is believed: a message that contradicts itself or an earlier one is [`Malformed`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use retrostep_record_python_wire::message::{self, Cursor, tag};
use retrostep_trace::{
    Call, Change, Content, Event, FrameId, Function, FunctionId, FunctionKind, ObjectId,
    ObjectKind, SourceId, Stream, TaskId, Text, ThreadId, Type, TypeId, Unavailable, Value,
    Variable, VariableKind,
};

/// What a message says.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// A source file ran; its text is still to be read.
    Source(Arc<str>),
    /// A function exists.
    Function(Function),
    /// A type exists.
    Type(Type),
    /// The following events belong to this thread.
    Thread(ThreadId),
    /// The time of the next event.
    Clock(u64),
    /// A sentence for the user.
    Note(String),
    /// The recorder has started.
    Started { self_check: String, version: String },
    /// So many values were redacted.
    Redacted(u64),
    /// Something happened in the program.
    Event(Event),
    /// Said to the decoder itself.
    Nothing,
}

/// A message that cannot be right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The kind of message.
    pub(crate) kind: u8,
}

/// Reads messages, knowing what the ones before defined.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    texts: Texts,
    names: Vec<Arc<str>>,
    sources: u64,
    functions: u64,
    types: u64,
    frames: u64,
    objects: u64,
    /// The parts of a long message that came so far.
    parts: Vec<u8>,
}

/// Who is told of the most frequent messages. They are not put together as [`Message`]s, which are
/// large and would be copied for each.
pub(crate) trait Follow {
    /// A frame of a function begins.
    fn call(&mut self, call: Call);
    /// A line is about to run.
    fn line(&mut self, line: u32);
    /// A local got a value, or none.
    fn write(&mut self, slot: u32, value: Option<Value>);
    /// The frame returns.
    fn leave(&mut self, value: Value);
    /// An object is seen first or changes.
    fn change(&mut self, object: ObjectId, change: Change);
}

/// Texts that came lately: most come again, and then take no memory of their own.
#[derive(Debug, Default)]
struct Texts {
    recent: Vec<Text>,
}

impl Texts {
    /// Longer texts are not looked for.
    const LEN_MAX: usize = 64;
    /// How many are kept: a power of two.
    const COUNT: usize = 2048;

    fn text(&mut self, kept: &[u8], len: u64) -> Text {
        let new = || Text {
            kept: kept.into(),
            len,
        };
        if kept.len() > Texts::LEN_MAX {
            return new();
        }
        if self.recent.is_empty() {
            let empty = Text {
                kept: Arc::from([]),
                len: 0,
            };
            self.recent = vec![empty; Texts::COUNT];
        }
        let mut mixed = kept.len() as u64;
        for chunk in kept.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            mixed = (mixed.rotate_left(23) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        let place = (mixed >> 40) as usize & (Texts::COUNT - 1);
        let Some(recent) = self.recent.get_mut(place) else {
            return new();
        };
        if recent.len != len || *recent.kept != *kept {
            *recent = new();
        }
        recent.clone()
    }
}

impl Decoder {
    /// Tells of the next message if it is one of the frequent ones; else nothing is read.
    #[inline(always)]
    pub(crate) fn frequent(&mut self, cursor: &mut Cursor<'_>, to: &mut impl Follow) -> Option<()> {
        let mut ahead = *cursor;
        match ahead.byte()? {
            message::LINE => to.line(small(&mut ahead)?),
            message::WRITE => {
                let slot = small(&mut ahead)?;
                let mut rest = ahead;
                // Each arm writes a value that the compiler knows the shape of.
                match rest.byte()? {
                    tag::NONE => to.write(slot, Some(Value::None)),
                    tag::FALSE => to.write(slot, Some(Value::Bool(false))),
                    tag::TRUE => to.write(slot, Some(Value::Bool(true))),
                    tag::INT => to.write(slot, Some(Value::Int(rest.signed()?))),
                    tag::FLOAT => to.write(slot, Some(Value::Float(float(&mut rest)?))),
                    tag::OBJECT => to.write(slot, Some(Value::Object(ObjectId(rest.number()?)))),
                    _ => {
                        rest = ahead;
                        to.write(slot, self.value_or_unbound(&mut rest)?);
                    }
                }
                ahead = rest;
            }
            message::RETURN => to.leave(self.value(&mut ahead)?),
            message::CALL => to.call(self.call(&mut ahead)?),
            kind @ message::OBJECT_NEW..=message::CLEAR => {
                let (object, change) = self.object_change(kind, &mut ahead)?;
                to.change(object, change);
            }
            _ => return None,
        }
        *cursor = ahead;
        Some(())
    }

    /// The next message, or `None` at the end.
    pub(crate) fn next(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Message>, Malformed> {
        let Some(kind) = cursor.byte() else {
            return Ok(None);
        };
        match self.read(kind, cursor) {
            Some(message) => Ok(Some(message)),
            None => Err(Malformed { kind }),
        }
    }

    fn read(&mut self, kind: u8, cursor: &mut Cursor<'_>) -> Option<Message> {
        let event = match kind {
            message::SOURCE => {
                defines(&mut self.sources, cursor)?;
                return Some(Message::Source(text(cursor)?));
            }
            message::FUNCTION => {
                defines(&mut self.functions, cursor)?;
                return Some(Message::Function(self.function(cursor)?));
            }
            message::TYPE => return self.type_(cursor).map(Message::Type),
            message::NAME => {
                let mut known = self.names.len() as u64;
                defines(&mut known, cursor)?;
                self.names.push(text(cursor)?);
                return Some(Message::Nothing);
            }
            message::THREAD => return Some(Message::Thread(ThreadId(small(cursor)?))),
            message::CLOCK => return cursor.number().map(Message::Clock),
            message::NOTE => return Some(Message::Note(text(cursor)?.to_string())),
            message::STARTED => {
                return Some(Message::Started {
                    self_check: text(cursor)?.to_string(),
                    version: text(cursor)?.to_string(),
                });
            }
            message::REDACTED => return cursor.number().map(Message::Redacted),
            message::PART => return self.part(cursor),
            message::OBJECT_NEW..=message::CLEAR => {
                let (object, change) = self.object_change(kind, cursor)?;
                Event::Object { object, change }
            }
            _ => self.event(kind, cursor)?,
        };
        Some(Message::Event(event))
    }

    /// Reads a part of a long message; the message, with the last one.
    fn part(&mut self, cursor: &mut Cursor<'_>) -> Option<Message> {
        let left = usize::try_from(cursor.number()?).ok()?;
        self.parts.extend_from_slice(cursor.text()?);
        if self.parts.len().checked_add(left)? > message::LONG_MAX_BYTES {
            return None;
        }
        if left > 0 {
            return Some(Message::Nothing);
        }
        let long = std::mem::take(&mut self.parts);
        let mut cursor = Cursor::new(&long);
        let kind = cursor.byte().filter(|kind| *kind != message::PART)?;
        let message = self.read(kind, &mut cursor)?;
        cursor.is_empty().then_some(message)
    }

    fn event(&mut self, kind: u8, cursor: &mut Cursor<'_>) -> Option<Event> {
        Some(match kind {
            message::LINE => Event::Line {
                line: small(cursor)?,
            },
            message::WRITE => Event::Write {
                slot: small(cursor)?,
                value: self.value_or_unbound(cursor)?,
            },
            message::CALL => self.call(cursor)?.into(),
            message::RETURN => Event::Return {
                value: self.value(cursor)?,
            },
            message::YIELD => Event::Yield {
                value: self.value(cursor)?,
            },
            message::RESUME => {
                let frame = cursor.number()?;
                if frame >= self.frames {
                    return None;
                }
                Event::Resume {
                    frame: FrameId(frame),
                }
            }
            message::RAISE => Event::Raise {
                exception: self.value(cursor)?,
            },
            message::UNWIND => Event::Unwind {
                exception: self.value(cursor)?,
            },
            message::OUTPUT => Event::Output {
                stream: match cursor.byte()? {
                    1 => Stream::Stdout,
                    2 => Stream::Stderr,
                    _ => return None,
                },
                bytes: cursor.text()?.into(),
            },
            message::MARK => Event::Mark {
                kind: text(cursor)?,
                name: text(cursor)?,
            },
            message::EXTERNAL => Event::External {
                kind: text(cursor)?,
                target: text(cursor)?,
                status: text(cursor)?,
                duration_ns: cursor.number()?,
            },
            message::THREAD_START => Event::ThreadStart {
                name: text(cursor)?,
            },
            message::THREAD_END => Event::ThreadEnd,
            message::TASK_START => Event::TaskStart {
                task: TaskId(small(cursor)?),
                name: text(cursor)?,
            },
            message::TASK_SWITCH => Event::TaskSwitch {
                task: match optional(cursor)? {
                    Some(task) => Some(TaskId(task.try_into().ok()?)),
                    None => None,
                },
            },
            message::TASK_END => Event::TaskEnd {
                task: TaskId(small(cursor)?),
            },
            _ => return None,
        })
    }

    #[inline]
    fn call(&mut self, cursor: &mut Cursor<'_>) -> Option<Call> {
        let call = Call {
            frame: FrameId(cursor.number()?),
            function: FunctionId(below(self.functions, cursor)?),
            globals: optional(cursor)?.map(ObjectId),
            locals: optional(cursor)?.map(ObjectId),
        };
        if call.frame.0 != self.frames {
            return None;
        }
        self.frames += 1;
        Some(call)
    }

    fn object_change(&mut self, kind: u8, cursor: &mut Cursor<'_>) -> Option<(ObjectId, Change)> {
        let object = cursor.number()?;
        if kind == message::OBJECT_NEW {
            self.objects = self.objects.max(object.checked_add(1)?);
        } else if object >= self.objects {
            return None;
        }
        Some((ObjectId(object), self.change(kind, cursor)?))
    }

    fn change(&mut self, kind: u8, cursor: &mut Cursor<'_>) -> Option<Change> {
        Some(match kind {
            message::OBJECT_NEW => Change::New(Box::new(self.content(cursor)?)),
            message::OBJECT_REPLACE => Change::Replace(Box::new(self.content(cursor)?)),
            message::SET_ITEM => Change::SetItem {
                index: cursor.number()?,
                value: self.value(cursor)?,
            },
            message::APPEND => Change::Append {
                value: self.value(cursor)?,
            },
            message::POP => Change::Pop,
            message::SET_KEY => Change::SetKey {
                key: self.value(cursor)?,
                value: self.value(cursor)?,
            },
            message::DELETE_KEY => Change::DeleteKey {
                key: self.value(cursor)?,
            },
            message::SET_ATTRIBUTE => Change::SetAttribute {
                name: self.name(cursor)?,
                value: self.value(cursor)?,
            },
            message::DELETE_ATTRIBUTE => Change::DeleteAttribute {
                name: self.name(cursor)?,
            },
            message::SET_CELL => Change::SetCell {
                value: self.value_or_unbound(cursor)?,
            },
            message::CLEAR => Change::Clear,
            _ => return None,
        })
    }

    fn content(&mut self, cursor: &mut Cursor<'_>) -> Option<Content> {
        let kind = object_kind(cursor.byte()?)?;
        let type_id = TypeId(below(self.types, cursor)?);
        let mut content = Content {
            len: cursor.number()?,
            ..Content::new(kind, type_id)
        };
        for _ in 0..cursor.number()? {
            content.items.push(self.value(cursor)?);
        }
        for _ in 0..cursor.number()? {
            content
                .entries
                .push((self.value(cursor)?, self.value(cursor)?));
        }
        for _ in 0..cursor.number()? {
            content
                .attributes
                .push((self.name(cursor)?, self.value(cursor)?));
        }
        content.attributes_omitted = cursor.number()?;
        content.sparse = BTreeMap::new();
        content.text = match cursor.byte()? {
            0 => None,
            1 => Some(self.cut_text(cursor)?),
            _ => return None,
        };
        Some(content)
    }

    fn function(&self, cursor: &mut Cursor<'_>) -> Option<Function> {
        let source = SourceId(below(self.sources, cursor)?);
        let first_line = small(cursor)?;
        let kind = function_kind(cursor.byte()?)?;
        let name = text(cursor)?;
        let qualified_name = text(cursor)?;
        let mut variables = Vec::new();
        for _ in 0..cursor.number()? {
            variables.push(Variable {
                name: text(cursor)?,
                kind: variable_kind(cursor.byte()?)?,
            });
        }
        let mut lines = Vec::new();
        let mut line = 0_u32;
        for _ in 0..cursor.number()? {
            line = line.checked_add(small(cursor)?)?;
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
        Some(Function {
            name,
            qualified_name,
            source,
            first_line,
            kind,
            variables,
            lines,
        })
    }

    fn type_(&mut self, cursor: &mut Cursor<'_>) -> Option<Type> {
        let known = self.types;
        defines(&mut self.types, cursor)?;
        let base = match optional(cursor)? {
            Some(base) if base < known => Some(TypeId(base.try_into().ok()?)),
            Some(_) => return None,
            None => None,
        };
        let module = text(cursor)?;
        let qualified_name = text(cursor)?;
        let mut fields = Vec::new();
        for _ in 0..cursor.number()? {
            fields.push(text(cursor)?);
        }
        Some(Type {
            module,
            qualified_name,
            fields,
            base,
        })
    }

    fn name(&self, cursor: &mut Cursor<'_>) -> Option<Arc<str>> {
        let id = usize::try_from(cursor.number()?).ok()?;
        self.names.get(id).cloned()
    }

    fn value(&mut self, cursor: &mut Cursor<'_>) -> Option<Value> {
        self.value_or_unbound(cursor)?
    }

    fn cut_text(&mut self, cursor: &mut Cursor<'_>) -> Option<Text> {
        let len = cursor.number()?;
        Some(self.texts.text(cursor.text()?, len))
    }

    /// A value, or none for [`tag::UNBOUND`].
    fn value_or_unbound(&mut self, cursor: &mut Cursor<'_>) -> Option<Option<Value>> {
        Some(Some(match cursor.byte()? {
            tag::NONE => Value::None,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::INT => Value::Int(cursor.signed()?),
            tag::BIG_INT => Value::BigInt(cursor.text()?.into()),
            tag::FLOAT => Value::Float(float(cursor)?),
            tag::COMPLEX => Value::Complex(float(cursor)?, float(cursor)?),
            tag::STR => Value::Str(self.cut_text(cursor)?),
            tag::BYTES => Value::Bytes(self.cut_text(cursor)?),
            tag::ELLIPSIS => Value::Ellipsis,
            tag::NOT_IMPLEMENTED => Value::NotImplemented,
            tag::OBJECT => Value::Object(ObjectId(cursor.number()?)),
            tag::UNAVAILABLE => Value::Unavailable(unavailable(cursor.byte()?)?),
            tag::UNBOUND => return Some(None),
            _ => return None,
        }))
    }
}

#[inline]
fn float(cursor: &mut Cursor<'_>) -> Option<f64> {
    let bytes = cursor.take(8)?.try_into().ok()?;
    Some(f64::from_le_bytes(bytes))
}

/// The text of a source file, when there is a file.
pub(crate) fn source_text(path: &str, working_directory: &Path) -> Option<Arc<[u8]>> {
    const LARGEST_BYTES: u64 = 64 << 20;
    if path.is_empty() || path.starts_with('<') {
        return None;
    }
    let path = working_directory.join(path);
    let facts = path.metadata().ok()?;
    if !facts.is_file() || facts.len() > LARGEST_BYTES {
        return None;
    }
    std::fs::read(path).ok().map(Arc::from)
}

/// An id that is defined now: the next one.
fn defines(known: &mut u64, cursor: &mut Cursor<'_>) -> Option<()> {
    if cursor.number()? != *known {
        return None;
    }
    *known += 1;
    Some(())
}

/// An id that was defined before.
fn below(known: u64, cursor: &mut Cursor<'_>) -> Option<u32> {
    let id = cursor.number()?;
    if id >= known {
        return None;
    }
    id.try_into().ok()
}

/// A number stored one higher, with 0 for none.
fn optional(cursor: &mut Cursor<'_>) -> Option<Option<u64>> {
    Some(cursor.number()?.checked_sub(1))
}

#[inline]
fn small(cursor: &mut Cursor<'_>) -> Option<u32> {
    cursor.number()?.try_into().ok()
}

fn text(cursor: &mut Cursor<'_>) -> Option<Arc<str>> {
    Some(String::from_utf8_lossy(cursor.text()?).into())
}

fn unavailable(number: u8) -> Option<Unavailable> {
    const ORDER: [Unavailable; 6] = [
        Unavailable::TooDeep,
        Unavailable::TooLarge,
        Unavailable::Redacted,
        Unavailable::OptimisedOut,
        Unavailable::Unreadable,
        Unavailable::Unknown,
    ];
    ORDER.get(usize::from(number)).copied()
}

fn object_kind(number: u8) -> Option<ObjectKind> {
    use ObjectKind as Kind;
    const ORDER: [ObjectKind; 19] = [
        Kind::List,
        Kind::Tuple,
        Kind::Dict,
        Kind::Set,
        Kind::FrozenSet,
        Kind::Deque,
        Kind::ByteArray,
        Kind::Cell,
        Kind::Namespace,
        Kind::Instance,
        Kind::Exception,
        Kind::Function,
        Kind::Class,
        Kind::Module,
        Kind::Generator,
        Kind::Enum,
        Kind::Literal,
        Kind::Array,
        Kind::Opaque,
    ];
    ORDER.get(usize::from(number)).copied()
}

fn function_kind(number: u8) -> Option<FunctionKind> {
    const ORDER: [FunctionKind; 6] = [
        FunctionKind::Function,
        FunctionKind::Generator,
        FunctionKind::Coroutine,
        FunctionKind::AsyncGenerator,
        FunctionKind::Module,
        FunctionKind::Class,
    ];
    ORDER.get(usize::from(number)).copied()
}

fn variable_kind(number: u8) -> Option<VariableKind> {
    const ORDER: [VariableKind; 5] = [
        VariableKind::Argument,
        VariableKind::Local,
        VariableKind::Cell,
        VariableKind::Free,
        VariableKind::CellArgument,
    ];
    ORDER.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests;

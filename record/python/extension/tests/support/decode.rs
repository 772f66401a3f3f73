//! Messages as text.

use std::collections::HashMap;

use retrostep_record_python_wire::message::{self, Cursor, tag};

/// The decoded stream.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) events: Vec<String>,
    pub(super) self_check: String,
    pub(super) notes: Vec<String>,
}

#[derive(Default)]
struct Decoder {
    functions: HashMap<u64, (String, Vec<String>)>,
    sources: HashMap<u64, String>,
    types: HashMap<u64, String>,
    names: HashMap<u64, String>,
    frames: HashMap<u64, u64>,
    stacks: HashMap<u64, Vec<u64>>,
    thread: u64,
    contents: HashMap<u64, String>,
}

fn string(cursor: &mut Cursor<'_>) -> String {
    String::from_utf8_lossy(cursor.text().unwrap()).into_owned()
}

fn number(cursor: &mut Cursor<'_>) -> u64 {
    cursor.number().unwrap()
}

/// Decodes whole messages; panics on anything that is not one.
pub(super) fn text(bytes: &[u8]) -> Decoded {
    let mut cursor = Cursor::new(bytes);
    let mut decoder = Decoder::default();
    let mut decoded = Decoded::default();
    while !cursor.is_empty() {
        let kind = cursor.byte().unwrap();
        decoder.message(kind, &mut cursor, &mut decoded);
    }
    decoded
}

impl Decoder {
    fn slots(&self) -> Option<&Vec<String>> {
        let frame = self.stacks.get(&self.thread)?.last()?;
        let function = self.frames.get(frame)?;
        Some(&self.functions.get(function)?.1)
    }

    fn prefix(&self) -> String {
        if self.thread == 0 {
            String::new()
        } else {
            format!("[{}] ", self.thread)
        }
    }

    fn value(&self, cursor: &mut Cursor<'_>) -> String {
        match cursor.byte().unwrap() {
            tag::NONE => "None".into(),
            tag::FALSE => "False".into(),
            tag::TRUE => "True".into(),
            tag::INT => cursor.signed().unwrap().to_string(),
            tag::BIG_INT => format!("big{:?}", cursor.text().unwrap()),
            tag::FLOAT => {
                let bytes = cursor.take(8).unwrap().try_into().unwrap();
                format!("{:?}", f64::from_le_bytes(bytes))
            }
            tag::COMPLEX => {
                cursor.take(16).unwrap();
                "complex".into()
            }
            tag::STR => {
                number(cursor);
                format!("'{}'", string(cursor))
            }
            tag::BYTES => {
                number(cursor);
                format!("b'{}'", string(cursor))
            }
            tag::ELLIPSIS => "...".into(),
            tag::NOT_IMPLEMENTED => "NotImplemented".into(),
            tag::OBJECT => {
                let id = number(cursor);
                self.contents
                    .get(&id)
                    .cloned()
                    .unwrap_or_else(|| panic!("object {id} is referred to before it is defined"))
            }
            tag::UNAVAILABLE => format!("<unavailable {}>", cursor.byte().unwrap()),
            tag::UNBOUND => "<unbound>".into(),
            other => panic!("unknown tag {other}"),
        }
    }

    fn content(&mut self, cursor: &mut Cursor<'_>) -> String {
        cursor.byte().unwrap();
        let type_id = number(cursor);
        number(cursor);
        let items: Vec<String> = (0..number(cursor)).map(|_| self.value(cursor)).collect();
        let entries: Vec<String> = (0..number(cursor))
            .map(|_| format!("{}: {}", self.value(cursor), self.value(cursor)))
            .collect();
        let attributes: Vec<String> = (0..number(cursor))
            .map(|_| {
                let name = number(cursor);
                let value = self.value(cursor);
                format!("{}={value}", self.names[&name])
            })
            .collect();
        number(cursor);
        if cursor.byte().unwrap() != 0 {
            number(cursor);
            cursor.text().unwrap();
        }
        let mut parts = items;
        parts.extend(entries);
        parts.extend(attributes);
        format!("{}({})", self.types[&type_id], parts.join(", "))
    }

    fn message(&mut self, kind: u8, cursor: &mut Cursor<'_>, decoded: &mut Decoded) {
        let prefix = self.prefix();
        let mut say = |text: String| decoded.events.push(format!("{prefix}{text}"));
        match kind {
            message::SOURCE => {
                let id = number(cursor);
                let path = string(cursor);
                self.sources.insert(id, path);
            }
            message::FUNCTION => {
                let id = number(cursor);
                assert!(self.sources.contains_key(&number(cursor)));
                number(cursor);
                cursor.byte().unwrap();
                string(cursor);
                let name = string(cursor);
                let slots = (0..number(cursor))
                    .map(|_| {
                        let name = string(cursor);
                        cursor.byte().unwrap();
                        name
                    })
                    .collect();
                for _ in 0..number(cursor) {
                    number(cursor);
                }
                self.functions.insert(id, (name, slots));
            }
            message::TYPE => {
                let id = number(cursor);
                number(cursor);
                string(cursor);
                let name = string(cursor);
                for _ in 0..number(cursor) {
                    string(cursor);
                }
                self.types.insert(id, name);
            }
            message::NAME => {
                let id = number(cursor);
                let name = string(cursor);
                self.names.insert(id, name);
            }
            message::THREAD => self.thread = number(cursor),
            message::CLOCK | message::REDACTED => {
                number(cursor);
            }
            message::NOTE => decoded.notes.push(string(cursor)),
            message::STARTED => {
                decoded.self_check = string(cursor);
                string(cursor);
            }
            message::THREAD_START => {
                let name = string(cursor);
                if self.thread != 0 {
                    say(format!("thread {name}"));
                }
            }
            message::THREAD_END => say("thread ends".into()),
            message::TASK_START => {
                let task = number(cursor);
                let name = string(cursor);
                say(format!("task {task} {name}"));
            }
            message::TASK_SWITCH => match number(cursor) {
                0 => say("no task".into()),
                task => say(format!("in task {}", task - 1)),
            },
            message::TASK_END => {
                let task = number(cursor);
                say(format!("task {task} ends"));
            }
            message::CALL => {
                let frame = number(cursor);
                let function = number(cursor);
                number(cursor);
                number(cursor);
                self.frames.insert(frame, function);
                self.stacks.entry(self.thread).or_default().push(frame);
                say(format!("call {}", self.functions[&function].0));
            }
            message::RESUME => {
                let frame = number(cursor);
                self.stacks.entry(self.thread).or_default().push(frame);
                say(format!("resume {}", self.functions[&self.frames[&frame]].0));
            }
            message::LINE => {
                let line = number(cursor);
                say(format!("line {line}"));
            }
            message::RETURN | message::YIELD | message::UNWIND => {
                let word = match kind {
                    message::RETURN => "return",
                    message::YIELD => "yield",
                    _ => "unwind",
                };
                let value = self.value(cursor);
                assert!(self.stacks.entry(self.thread).or_default().pop().is_some());
                say(format!("{word} {value}"));
            }
            message::RAISE => {
                let value = self.value(cursor);
                say(format!("raise {value}"));
            }
            message::WRITE => {
                let slot = usize::try_from(number(cursor)).unwrap();
                let value = self.value(cursor);
                let name = self.slots().unwrap()[slot].clone();
                say(format!("{name} = {value}"));
            }
            message::OUTPUT => {
                let stream = cursor.byte().unwrap();
                let text = string(cursor);
                say(format!("output {stream} {text:?}"));
            }
            message::MARK => {
                string(cursor);
                let name = string(cursor);
                say(format!("mark {name}"));
            }
            message::OBJECT_NEW | message::OBJECT_REPLACE => {
                let id = number(cursor);
                self.contents.entry(id).or_insert_with(|| "self".into());
                let content = self.content(cursor);
                self.contents.insert(id, content.clone());
                say(format!("object {id} {content}"));
            }
            message::SET_ITEM | message::SET_ATTRIBUTE => {
                let id = number(cursor);
                let key = number(cursor);
                let value = self.value(cursor);
                let key = self
                    .names
                    .get(&key)
                    .filter(|_| kind == message::SET_ATTRIBUTE)
                    .cloned()
                    .unwrap_or(key.to_string());
                say(format!("object {id} {key} = {value}"));
            }
            message::APPEND => {
                let id = number(cursor);
                let value = self.value(cursor);
                say(format!("object {id} append {value}"));
            }
            message::POP | message::CLEAR => {
                let id = number(cursor);
                say(format!("object {id} pop or clear"));
            }
            message::SET_KEY => {
                let id = number(cursor);
                let key = self.value(cursor);
                let value = self.value(cursor);
                say(format!("object {id} [{key}] = {value}"));
            }
            message::DELETE_KEY => {
                let id = number(cursor);
                let key = self.value(cursor);
                say(format!("object {id} del [{key}]"));
            }
            message::DELETE_ATTRIBUTE => {
                let id = number(cursor);
                let name = number(cursor);
                say(format!("object {id} del {}", self.names[&name]));
            }
            message::SET_CELL => {
                let id = number(cursor);
                let value = self.value(cursor);
                say(format!("cell {value}"));
                self.contents.insert(id, format!("cell({value})"));
            }
            other => panic!("unknown message {other}"),
        }
    }
}

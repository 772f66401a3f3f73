//! A small reader of the recorder's messages: what every variable shows at `mark()`, compared with
//! the copies that `check()` gets.

use std::collections::HashMap;

use retrostep_record_python_wire::message::{self, Cursor, tag};

/// A value as a message carries it.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Unbound,
    Scalar(Vec<u8>),
    Object(u64),
    Unavailable(u8),
}

#[derive(Clone, Debug, Default)]
struct Content {
    kind: u8,
    class: u64,
    len: u64,
    items: HashMap<u64, Value>,
    entries: Vec<(Value, Value)>,
    attributes: Vec<(u64, Value)>,
    text: Option<Vec<u8>>,
}

/// A value with everything it refers to, at one moment.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Scalar(Vec<u8>),
    Unavailable(u8),
    Again,
    Node(Box<Node>),
}

#[derive(Clone, Debug, PartialEq)]
struct Node {
    kind: u8,
    class: String,
    len: u64,
    items: Vec<(u64, Tree)>,
    entries: Vec<(Tree, Tree)>,
    attributes: Vec<(String, Tree)>,
    text: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct Frame {
    function: usize,
    globals: u64,
    slots: Vec<Value>,
    checked: bool,
}

#[derive(Debug, Default)]
struct Function {
    name: String,
    variables: Vec<String>,
}

/// Everything that was read so far.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    functions: Vec<Function>,
    types: HashMap<u64, String>,
    names: HashMap<u64, String>,
    objects: HashMap<u64, Content>,
    threads: HashMap<u64, Vec<Frame>>,
    suspended: HashMap<u64, Frame>,
    frames: HashMap<u64, u64>,
    thread: u64,
    stack_ids: HashMap<u64, Vec<u64>>,
    shown: HashMap<String, Tree>,
    line: u64,
    /// How many looks were compared.
    pub(crate) checked: usize,
    /// What did not agree.
    pub(crate) wrong: Vec<String>,
    /// Values that were redacted.
    pub(crate) redacted: u64,
    /// What was read of text values, to look for what must not be there.
    pub(crate) texts: Vec<String>,
    /// What the variables of each function showed at its last mark.
    marked: HashMap<(String, String), Tree>,
}

impl Reader {
    /// Reads whole messages; gives the number of bytes used.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> usize {
        let mut cursor = Cursor::new(bytes);
        let mut used = 0;
        while !cursor.is_empty() {
            match self.message(&mut cursor) {
                Some(()) => used = cursor.position(),
                None => break,
            }
        }
        used
    }

    /// What a variable of a function showed at the function's last mark.
    pub(crate) fn marked(&self, function: &str, variable: &str) -> String {
        match self.marked.get(&(function.to_owned(), variable.to_owned())) {
            Some(tree) => describe(tree),
            None => "nothing".into(),
        }
    }

    fn frame(&mut self) -> Option<&mut Frame> {
        self.threads.get_mut(&self.thread)?.last_mut()
    }

    fn value(&mut self, cursor: &mut Cursor<'_>) -> Option<Value> {
        let kind = cursor.byte()?;
        let mut scalar = vec![kind];
        Some(match kind {
            tag::OBJECT => {
                let id = cursor.number()?;
                if !self.objects.contains_key(&id) {
                    self.wrong
                        .push(format!("object {id} is used before it is defined"));
                }
                Value::Object(id)
            }
            tag::UNAVAILABLE => Value::Unavailable(cursor.byte()?),
            tag::UNBOUND => Value::Unbound,
            tag::INT => {
                scalar.extend(cursor.number()?.to_le_bytes());
                Value::Scalar(scalar)
            }
            tag::BIG_INT => {
                scalar.extend(cursor.text()?);
                Value::Scalar(scalar)
            }
            tag::FLOAT => {
                scalar.extend(cursor.take(8)?);
                Value::Scalar(scalar)
            }
            tag::COMPLEX => {
                scalar.extend(cursor.take(16)?);
                Value::Scalar(scalar)
            }
            tag::STR | tag::BYTES => {
                scalar.extend(cursor.number()?.to_le_bytes());
                let text = cursor.text()?;
                self.texts.push(String::from_utf8_lossy(text).into_owned());
                scalar.extend(text);
                Value::Scalar(scalar)
            }
            _ => Value::Scalar(scalar),
        })
    }

    fn content(&mut self, cursor: &mut Cursor<'_>) -> Option<Content> {
        let mut content = Content {
            kind: cursor.byte()?,
            class: cursor.number()?,
            len: cursor.number()?,
            ..Content::default()
        };
        for index in 0..cursor.number()? {
            let value = self.value(cursor)?;
            content.items.insert(index, value);
        }
        for _ in 0..cursor.number()? {
            let key = self.value(cursor)?;
            let value = self.value(cursor)?;
            content.entries.push((key, value));
        }
        for _ in 0..cursor.number()? {
            let name = cursor.number()?;
            let value = self.value(cursor)?;
            content.attributes.push((name, value));
        }
        cursor.number()?;
        if cursor.byte()? == 1 {
            cursor.number()?;
            let text = cursor.text()?;
            self.texts.push(String::from_utf8_lossy(text).into_owned());
            content.text = Some(text.to_vec());
        }
        Some(content)
    }

    fn text(cursor: &mut Cursor<'_>) -> Option<String> {
        Some(String::from_utf8_lossy(cursor.text()?).into_owned())
    }

    fn message(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let kind = cursor.byte()?;
        match kind {
            message::SOURCE => {
                cursor.number()?;
                cursor.text()?;
            }
            message::FUNCTION => {
                cursor.number()?;
                cursor.number()?;
                cursor.number()?;
                cursor.byte()?;
                let mut function = Function {
                    name: Self::text(cursor)?,
                    ..Function::default()
                };
                cursor.text()?;
                for _ in 0..cursor.number()? {
                    function.variables.push(Self::text(cursor)?);
                    cursor.byte()?;
                }
                for _ in 0..cursor.number()? {
                    cursor.number()?;
                }
                self.functions.push(function);
            }
            message::TYPE => {
                let id = cursor.number()?;
                cursor.number()?;
                let module = Self::text(cursor)?;
                let name = Self::text(cursor)?;
                for _ in 0..cursor.number()? {
                    cursor.text()?;
                }
                self.types.insert(id, format!("{module}.{name}"));
            }
            message::NAME => {
                let id = cursor.number()?;
                let name = Self::text(cursor)?;
                self.names.insert(id, name);
            }
            message::THREAD => self.thread = cursor.number()?,
            message::REDACTED => self.redacted += cursor.number()?,
            message::CLOCK | message::TASK_SWITCH | message::TASK_END => {
                cursor.number()?;
            }
            message::NOTE | message::THREAD_START => {
                cursor.text()?;
            }
            message::STARTED | message::MARK => {
                cursor.text()?;
                cursor.text()?;
            }
            message::THREAD_END => {}
            message::TASK_START => {
                cursor.number()?;
                cursor.text()?;
            }
            message::OUTPUT => {
                cursor.byte()?;
                cursor.text()?;
            }
            message::CALL => self.call(cursor)?,
            message::RESUME => {
                let id = cursor.number()?;
                if let Some(frame) = self.suspended.remove(&id) {
                    self.threads.entry(self.thread).or_default().push(frame);
                    self.stack_ids.entry(self.thread).or_default().push(id);
                }
            }
            message::LINE => {
                self.line = cursor.number()?;
                self.look();
            }
            message::RETURN | message::UNWIND => {
                self.value(cursor)?;
                self.threads.entry(self.thread).or_default().pop();
                self.stack_ids.entry(self.thread).or_default().pop();
            }
            message::YIELD => {
                self.value(cursor)?;
                let frame = self.threads.entry(self.thread).or_default().pop();
                let id = self.stack_ids.entry(self.thread).or_default().pop();
                if let (Some(frame), Some(id)) = (frame, id) {
                    self.suspended.insert(id, frame);
                }
            }
            message::RAISE => {
                self.value(cursor)?;
            }
            message::WRITE => {
                let slot = cursor.number()? as usize;
                let value = self.value(cursor)?;
                if let Some(frame) = self.frame()
                    && let Some(place) = frame.slots.get_mut(slot)
                {
                    *place = value;
                }
            }
            _ => self.change(kind, cursor)?,
        }
        Some(())
    }

    fn call(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let id = cursor.number()?;
        let function = cursor.number()? as usize;
        let globals = cursor.number()?;
        cursor.number()?;
        if self.functions.get(function)?.name == "mark" {
            self.show();
        }
        let slots = vec![Value::Unbound; self.functions[function].variables.len()];
        let frame = Frame {
            function,
            globals,
            slots,
            checked: false,
        };
        self.frames.insert(id, self.thread);
        self.threads.entry(self.thread).or_default().push(frame);
        self.stack_ids.entry(self.thread).or_default().push(id);
        Some(())
    }

    fn change(&mut self, kind: u8, cursor: &mut Cursor<'_>) -> Option<()> {
        let id = cursor.number()?;
        if kind == message::OBJECT_NEW || kind == message::OBJECT_REPLACE {
            let content = self.content(cursor)?;
            if self.objects.contains_key(&id) == (kind == message::OBJECT_NEW) {
                self.wrong
                    .push(format!("object {id}: message {kind} out of order"));
            }
            self.objects.insert(id, content);
            return Some(());
        }
        let first = match kind {
            message::SET_ITEM | message::SET_ATTRIBUTE | message::DELETE_ATTRIBUTE => {
                Some(cursor.number()?)
            }
            _ => None,
        };
        let value = match kind {
            message::POP | message::CLEAR | message::DELETE_ATTRIBUTE => Value::Unbound,
            _ => self.value(cursor)?,
        };
        let second = match kind {
            message::SET_KEY => Some(self.value(cursor)?),
            _ => None,
        };
        let Some(content) = self.objects.get_mut(&id) else {
            self.wrong
                .push(format!("object {id} is changed before it is defined"));
            return Some(());
        };
        match kind {
            message::SET_ITEM => {
                if first? >= content.len {
                    self.wrong.push(format!("object {id}: item behind the end"));
                }
                content.items.insert(first?, value);
            }
            message::APPEND => {
                content.items.insert(content.len, value);
                content.len += 1;
            }
            message::POP => {
                content.len -= 1;
                content.items.remove(&content.len);
            }
            message::SET_KEY => match content.entries.iter_mut().find(|(key, _)| *key == value) {
                Some(entry) => entry.1 = second?,
                None => {
                    content.entries.push((value, second?));
                    content.len += 1;
                }
            },
            message::DELETE_KEY => {
                let before = content.entries.len();
                content.entries.retain(|(key, _)| *key != value);
                if content.entries.len() == before {
                    self.wrong.push(format!("object {id}: unknown key deleted"));
                }
                content.len -= 1;
            }
            message::SET_ATTRIBUTE => {
                match content
                    .attributes
                    .iter_mut()
                    .find(|(name, _)| Some(*name) == first)
                {
                    Some(attribute) => attribute.1 = value,
                    None => content.attributes.push((first?, value)),
                }
            }
            message::DELETE_ATTRIBUTE => {
                content.attributes.retain(|(name, _)| Some(*name) != first)
            }
            message::SET_CELL => {
                content.items.clear();
                if value != Value::Unbound {
                    content.items.insert(0, value);
                }
            }
            message::CLEAR => {
                content.len = 0;
                content.items.clear();
                content.entries.clear();
            }
            other => panic!("unknown message {other}"),
        }
        Some(())
    }

    /// Keeps what the caller of `mark` shows.
    fn show(&mut self) {
        self.shown.clear();
        let Some(frame) = self
            .threads
            .get(&self.thread)
            .and_then(|stack| stack.last())
            .cloned()
        else {
            return;
        };
        let names = self.functions[frame.function].variables.clone();
        for (name, value) in names.into_iter().zip(&frame.slots) {
            let tree = self.tree(value, &mut Vec::new());
            let function = self.functions[frame.function].name.clone();
            self.marked.insert((function, name.clone()), tree.clone());
            self.shown.insert(name, tree);
        }
        if let Some(namespace) = frame.globals.checked_sub(1)
            && let Some(content) = self.objects.get(&namespace).cloned()
        {
            for (key, value) in &content.entries {
                if let Value::Scalar(bytes) = key {
                    let name = String::from_utf8_lossy(bytes.get(9..).unwrap_or_default());
                    let tree = self.tree(value, &mut Vec::new());
                    self.shown.insert(format!("::{name}"), tree);
                }
            }
        }
    }

    /// Compares when a `check` has its arguments.
    fn look(&mut self) {
        let line = self.line;
        let Some(frame) = self.frame() else {
            return;
        };
        if frame.checked {
            return;
        }
        frame.checked = true;
        let (function, slots) = (frame.function, frame.slots.clone());
        if self.functions[function].name != "check" {
            return;
        }
        let [Value::Scalar(name), expected, ..] = &slots[..] else {
            self.wrong.push("check without arguments".into());
            return;
        };
        let name = String::from_utf8_lossy(name.get(9..).unwrap_or_default()).into_owned();
        let expected = self.tree(expected, &mut Vec::new());
        self.checked += 1;
        let caller = self
            .threads
            .get(&self.thread)
            .and_then(|stack| stack.iter().rev().nth(1))
            .map(|frame| self.functions[frame.function].name.clone());
        match self.shown.get(&name) {
            Some(shown) => {
                if let Some(why) = differ(shown, &expected) {
                    let number = self.checked;
                    self.wrong.push(format!(
                        "{caller:?}, look {number} (line {line}), {name}: {why}\n   shown    {}\n   expected {}",
                        brief(shown),
                        brief(&expected)
                    ));
                }
            }
            None => self.wrong.push(format!("{name} is not shown")),
        }
    }

    fn tree(&self, value: &Value, above: &mut Vec<u64>) -> Tree {
        let id = match value {
            Value::Unbound => return Tree::Unavailable(255),
            Value::Scalar(bytes) => return Tree::Scalar(bytes.clone()),
            Value::Unavailable(reason) => return Tree::Unavailable(*reason),
            Value::Object(id) => *id,
        };
        if above.contains(&id) || above.len() > 12 {
            return Tree::Again;
        }
        let Some(content) = self.objects.get(&id) else {
            return Tree::Unavailable(254);
        };
        const CELL: u8 = 7;
        if content.kind == CELL {
            return match content.items.get(&0) {
                Some(value) => self.tree(value, above),
                None => Tree::Unavailable(255),
            };
        }
        above.push(id);
        let mut items: Vec<(u64, Tree)> = content
            .items
            .iter()
            .map(|(index, value)| (*index, self.tree(value, above)))
            .collect();
        items.sort_by_key(|(index, _)| *index);
        let entries = content
            .entries
            .iter()
            .map(|(key, value)| (self.tree(key, above), self.tree(value, above)))
            .collect();
        let mut attributes: Vec<(String, Tree)> = content
            .attributes
            .iter()
            .map(|(name, value)| (self.names[name].clone(), self.tree(value, above)))
            .collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        above.pop();
        Tree::Node(Box::new(Node {
            kind: content.kind,
            class: self.types.get(&content.class).cloned().unwrap_or_default(),
            len: content.len,
            items,
            entries,
            attributes,
            text: content.text.clone(),
        }))
    }
}

const TOO_DEEP: u8 = 0;
const SET: u8 = 3;

/// Why two trees are not the same; what one of them does not hold is left out.
fn differ(shown: &Tree, expected: &Tree) -> Option<String> {
    match (shown, expected) {
        (Tree::Unavailable(TOO_DEEP), _) | (_, Tree::Unavailable(TOO_DEEP)) => None,
        (Tree::Again, _) | (_, Tree::Again) => None,
        (Tree::Node(shown), Tree::Node(expected)) => {
            if (shown.kind, &shown.class, shown.len)
                != (expected.kind, &expected.class, expected.len)
            {
                return Some(format!(
                    "{} of {} elements, not {} of {}",
                    shown.class, shown.len, expected.class, expected.len
                ));
            }
            if shown.text != expected.text {
                return Some("another text".into());
            }
            if shown.kind == SET {
                let all = |node: &Node| {
                    let mut all: Vec<String> = node
                        .items
                        .iter()
                        .map(|item| format!("{:?}", item.1))
                        .collect();
                    all.sort();
                    all
                };
                return (all(shown) != all(expected)).then(|| "other members".into());
            }
            for (index, item) in &expected.items {
                match shown.items.iter().find(|(at, _)| at == index) {
                    Some((_, shown)) => {
                        if let Some(why) = differ(shown, item) {
                            return Some(format!("[{index}] {why}"));
                        }
                    }
                    None => return Some(format!("[{index}] is not recorded")),
                }
            }
            for (index, (key, value)) in expected.entries.iter().enumerate() {
                let Some((shown_key, shown_value)) = shown.entries.get(index) else {
                    return Some(format!("entry {index} is not recorded"));
                };
                if let Some(why) = differ(shown_key, key).or_else(|| differ(shown_value, value)) {
                    return Some(format!("entry {index}: {why}"));
                }
            }
            let names = |node: &Node| -> Vec<String> {
                node.attributes.iter().map(|a| a.0.clone()).collect()
            };
            if names(shown) != names(expected) {
                return Some(format!(
                    "attributes {:?}, not {:?}",
                    names(shown),
                    names(expected)
                ));
            }
            shown
                .attributes
                .iter()
                .zip(&expected.attributes)
                .find_map(|(shown, expected)| {
                    differ(&shown.1, &expected.1).map(|why| format!(".{} {why}", expected.0))
                })
        }
        (shown, expected) => (shown != expected).then(|| "another value".into()),
    }
}

/// A tree in few words.
fn brief(tree: &Tree) -> String {
    let text = match tree {
        Tree::Scalar(bytes) => match bytes.split_first() {
            Some((&tag::INT, rest)) => {
                let mut number = [0; 8];
                number.copy_from_slice(rest);
                let raw = u64::from_le_bytes(number);
                (((raw >> 1) as i64) ^ -((raw & 1) as i64)).to_string()
            }
            Some((&tag::STR | &tag::BYTES, rest)) => {
                format!(
                    "{:?}",
                    String::from_utf8_lossy(rest.get(8..).unwrap_or_default())
                )
            }
            _ => format!("{bytes:?}"),
        },
        Tree::Unavailable(reason) => format!("<{reason}>"),
        Tree::Again => "...".into(),
        Tree::Node(node) => {
            let mut parts: Vec<String> = node.items.iter().map(|item| brief(&item.1)).collect();
            parts.extend(
                node.entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", brief(key), brief(value))),
            );
            parts.extend(
                node.attributes
                    .iter()
                    .map(|(name, value)| format!("{name}={}", brief(value))),
            );
            format!(
                "{}#{}({})",
                node.class.trim_start_matches("builtins."),
                node.len,
                parts.join(", ")
            )
        }
    };
    if text.len() > 600 {
        format!("{}...", text.chars().take(600).collect::<String>())
    } else {
        text
    }
}

const KINDS: [&str; 19] = [
    "List",
    "Tuple",
    "Dict",
    "Set",
    "FrozenSet",
    "Deque",
    "ByteArray",
    "Cell",
    "Namespace",
    "Instance",
    "Exception",
    "Function",
    "Class",
    "Module",
    "Generator",
    "Enum",
    "Literal",
    "Array",
    "Opaque",
];

fn hexadecimal(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

/// A tree in full, each value so that nothing about it can hide.
fn describe(tree: &Tree) -> String {
    let node = match tree {
        Tree::Unavailable(reason) => return format!("<{reason}>"),
        Tree::Again => return "...".into(),
        Tree::Node(node) => node,
        Tree::Scalar(bytes) => {
            let rest = bytes.get(1..).unwrap_or_default();
            return match bytes.first() {
                Some(&tag::BIG_INT) => {
                    let (low, high) = rest.split_at(8.min(rest.len()));
                    format!(
                        "int {} {}",
                        hexadecimal(low).replace(' ', ""),
                        hexadecimal(high)
                    )
                }
                Some(&tag::FLOAT) => {
                    let mut bits = [0; 8];
                    bits.copy_from_slice(rest);
                    format!("float {:016x}", u64::from_le_bytes(bits))
                }
                Some(&tag::STR | &tag::BYTES) => {
                    let (len, text) = rest.split_at(8);
                    let mut bytes = [0; 8];
                    bytes.copy_from_slice(len);
                    let len = u64::from_le_bytes(bytes);
                    match std::str::from_utf8(text) {
                        Ok(text) => format!("{len} {text:?}"),
                        Err(_) => format!("{len} {}", hexadecimal(text)),
                    }
                }
                _ => brief(tree),
            };
        }
    };
    let mut out = format!("{} {}", KINDS[usize::from(node.kind)], node.class);
    if let Some(text) = &node.text {
        out.push_str(&format!(" '{}'", String::from_utf8_lossy(text)));
    }
    if !node.items.is_empty() {
        let items: Vec<String> = node.items.iter().map(|item| describe(&item.1)).collect();
        out.push_str(&format!(" [{}]", items.join(", ")));
    }
    if !node.entries.is_empty() {
        let entries: Vec<String> = node
            .entries
            .iter()
            .map(|(key, value)| format!("{}: {}", describe(key), describe(value)))
            .collect();
        out.push_str(&format!(" {{{}}}", entries.join(", ")));
    }
    if !node.attributes.is_empty() || KINDS[usize::from(node.kind)] == "Instance" {
        let attributes: Vec<String> = node
            .attributes
            .iter()
            .map(|(name, value)| format!("{name}={}", describe(value)))
            .collect();
        out.push_str(&format!("({})", attributes.join(", ")));
    }
    out
}

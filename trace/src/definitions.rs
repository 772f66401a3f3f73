//! Sources, functions, types, and what a recording says of itself, as bytes.

use std::sync::Arc;

use crate::varint::{Decoded, Input, Malformed, put, put_bytes, put_optional, put_signed};
use crate::{
    Function, FunctionKind, Header, Source, SourceId, Summary, Type, TypeId, Variable, VariableKind,
};

/// Longest text kept of a source file.
const LONGEST_SOURCE: usize = 32 << 20;

/// The first id of each sort that a definitions chunk holds, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DefinitionRange {
    pub(crate) sources: (u32, u32),
    pub(crate) functions: (u32, u32),
    pub(crate) types: (u32, u32),
}

impl DefinitionRange {
    pub(crate) fn words(&self) -> [u64; 5] {
        let word = |(first, count): (u32, u32)| u64::from(first) | u64::from(count) << 32;
        [
            word(self.sources),
            word(self.functions),
            word(self.types),
            0,
            0,
        ]
    }

    pub(crate) fn from_words(words: &[u64; 5]) -> DefinitionRange {
        let [sources, functions, types, ..] = words.map(|word| (word as u32, (word >> 32) as u32));
        DefinitionRange {
            sources,
            functions,
            types,
        }
    }

    /// The range that may follow this one.
    pub(crate) fn next(&self) -> DefinitionRange {
        let after = |(first, count): (u32, u32)| (first.saturating_add(count), 0);
        DefinitionRange {
            sources: after(self.sources),
            functions: after(self.functions),
            types: after(self.types),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sources.1 == 0 && self.functions.1 == 0 && self.types.1 == 0
    }
}

/// The definitions of one chunk.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) sources: Vec<Arc<Source>>,
    pub(crate) functions: Vec<Arc<Function>>,
    pub(crate) types: Vec<Arc<Type>>,
}

impl Definitions {
    pub(crate) fn decode(bytes: &[u8], range: &DefinitionRange) -> Decoded<Definitions> {
        let mut input = Input::new(bytes);
        let mut definitions = Definitions::default();
        for _ in 0..input.count(2)? {
            definitions.sources.push(Arc::new(source(&mut input)?));
        }
        for _ in 0..input.count(5)? {
            definitions.functions.push(Arc::new(function(&mut input)?));
        }
        for _ in 0..input.count(4)? {
            definitions.types.push(Arc::new(type_of(&mut input)?));
        }
        input.end()?;
        let counts = [
            definitions.sources.len(),
            definitions.functions.len(),
            definitions.types.len(),
        ];
        if counts != [range.sources.1, range.functions.1, range.types.1].map(|n| n as usize) {
            return Err(Malformed("a table of definitions has a wrong length"));
        }
        Ok(definitions)
    }
}

/// Definitions that are not yet in the file.
#[derive(Debug, Default)]
pub(crate) struct PendingDefinitions {
    pub(crate) range: DefinitionRange,
    sources: Vec<u8>,
    functions: Vec<u8>,
    types: Vec<u8>,
}

impl PendingDefinitions {
    pub(crate) fn add_source(&mut self, source: &Source) -> SourceId {
        let out = &mut self.sources;
        put_bytes(out, source.path.as_bytes());
        match &source.text {
            Some(text) if text.len() <= LONGEST_SOURCE => {
                out.push(1);
                put_bytes(out, text);
            }
            _ => out.push(0),
        }
        SourceId(count(&mut self.range.sources))
    }

    pub(crate) fn add_function(&mut self, function: &Function) -> u32 {
        let out = &mut self.functions;
        put_bytes(out, function.name.as_bytes());
        put_bytes(out, function.qualified_name.as_bytes());
        put(out, u64::from(function.source.0));
        put(out, u64::from(function.first_line));
        out.push(function.kind as u8);
        put(out, function.variables.len() as u64);
        for variable in &function.variables {
            put_bytes(out, variable.name.as_bytes());
            out.push(variable.kind as u8);
        }
        put(out, function.lines.len() as u64);
        let mut last = 0;
        for &line in &function.lines {
            put_signed(out, i64::from(line) - last);
            last = i64::from(line);
        }
        count(&mut self.range.functions)
    }

    pub(crate) fn add_type(&mut self, ty: &Type) -> TypeId {
        let out = &mut self.types;
        put_bytes(out, ty.module.as_bytes());
        put_bytes(out, ty.qualified_name.as_bytes());
        put(out, ty.fields.len() as u64);
        for field in &ty.fields {
            put_bytes(out, field.as_bytes());
        }
        put_optional(out, ty.base.map(|base| u64::from(base.0)));
        TypeId(count(&mut self.range.types))
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.sources.len() + self.functions.len() + self.types.len()
    }

    /// What is pending as a chunk body before compression, with its range; nothing pends afterwards.
    pub(crate) fn take(&mut self) -> (DefinitionRange, Vec<u8>) {
        let range = self.range;
        let mut out = Vec::with_capacity(self.len_bytes() + 15);
        for (count, bytes) in [
            (range.sources.1, &mut self.sources),
            (range.functions.1, &mut self.functions),
            (range.types.1, &mut self.types),
        ] {
            put(&mut out, u64::from(count));
            out.append(bytes);
        }
        self.range = range.next();
        (range, out)
    }
}

fn count(range: &mut (u32, u32)) -> u32 {
    let id = range.0.saturating_add(range.1);
    range.1 += 1;
    id
}

fn source(input: &mut Input<'_>) -> Decoded<Source> {
    let path = input.text()?.into();
    let text = match input.byte()? {
        0 => None,
        1 => Some(input.bytes()?.into()),
        _ => return Err(Malformed("a source is neither with nor without text")),
    };
    Ok(Source { path, text })
}

fn function(input: &mut Input<'_>) -> Decoded<Function> {
    let name = input.text()?.into();
    let qualified_name = input.text()?.into();
    let source = SourceId(input.number32()?);
    let first_line = input.number32()?;
    let kind = match input.byte()? {
        0 => FunctionKind::Function,
        1 => FunctionKind::Generator,
        2 => FunctionKind::Coroutine,
        3 => FunctionKind::AsyncGenerator,
        4 => FunctionKind::Module,
        5 => FunctionKind::Class,
        _ => return Err(Malformed("a function has an unknown kind")),
    };
    let mut variables = Vec::new();
    for _ in 0..input.count(2)? {
        variables.push(Variable {
            name: input.text()?.into(),
            kind: match input.byte()? {
                0 => VariableKind::Argument,
                1 => VariableKind::Local,
                2 => VariableKind::Cell,
                3 => VariableKind::Free,
                4 => VariableKind::CellArgument,
                _ => return Err(Malformed("a variable has an unknown kind")),
            },
        });
    }
    let mut lines = Vec::new();
    let mut line = 0i64;
    for _ in 0..input.count(1)? {
        line = line.wrapping_add(input.signed()?);
        lines.push(u32::try_from(line).map_err(|_| Malformed("a line is out of range"))?);
    }
    Ok(Function {
        name,
        qualified_name,
        source,
        first_line,
        kind,
        variables,
        lines,
    })
}

fn type_of(input: &mut Input<'_>) -> Decoded<Type> {
    let module = input.text()?.into();
    let qualified_name = input.text()?.into();
    let mut fields = Vec::new();
    for _ in 0..input.count(1)? {
        fields.push(input.text()?.into());
    }
    let base = match input.optional()? {
        None => None,
        Some(base) => {
            Some(TypeId(u32::try_from(base).map_err(|_| {
                Malformed("a type's number has more than 32 bits")
            })?))
        }
    };
    Ok(Type {
        module,
        qualified_name,
        fields,
        base,
    })
}

pub(crate) fn put_header(header: &Header) -> Vec<u8> {
    let mut out = Vec::new();
    for text in [
        &header.recorder,
        &header.recorder_version,
        &header.language,
        &header.name,
        &header.working_directory,
        &header.host,
        &header.git_commit,
        &header.git_branch,
        &header.self_check,
    ] {
        put_bytes(&mut out, text.as_bytes());
    }
    for list in [&header.command, &header.redacted_names, &header.scope] {
        put_list(&mut out, list);
    }
    for number in [
        header.start_unix_ns,
        u64::from(header.git_changed_files),
        header.max_string,
        header.max_children,
        header.depth,
    ] {
        put(&mut out, number);
    }
    out
}

pub(crate) fn header(bytes: &[u8]) -> Decoded<Header> {
    let mut input = Input::new(bytes);
    let mut header = Header::default();
    for text in [
        &mut header.recorder,
        &mut header.recorder_version,
        &mut header.language,
        &mut header.name,
        &mut header.working_directory,
        &mut header.host,
        &mut header.git_commit,
        &mut header.git_branch,
        &mut header.self_check,
    ] {
        *text = input.text()?.to_owned();
    }
    for list in [
        &mut header.command,
        &mut header.redacted_names,
        &mut header.scope,
    ] {
        *list = texts(&mut input)?;
    }
    header.start_unix_ns = input.number()?;
    header.git_changed_files = input.number32()?;
    header.max_string = input.number()?;
    header.max_children = input.number()?;
    header.depth = input.number()?;
    input.end()?;
    Ok(header)
}

pub(crate) fn put_summary(summary: &Summary, out: &mut Vec<u8>) {
    put(out, summary.duration_ns);
    for number in [summary.exit_code, summary.signal] {
        put_optional(out, number.map(|number| u64::from(number as u32)));
    }
    put_list(out, &summary.notes);
    put(out, summary.redacted);
}

pub(crate) fn summary(input: &mut Input<'_>) -> Decoded<Summary> {
    let duration_ns = input.number()?;
    let mut code = || -> Decoded<Option<i32>> {
        match input.optional()? {
            None => Ok(None),
            Some(number) => u32::try_from(number)
                .map(|number| Some(number as i32))
                .map_err(|_| Malformed("an exit code has more than 32 bits")),
        }
    };
    let (exit_code, signal) = (code()?, code()?);
    Ok(Summary {
        duration_ns,
        exit_code,
        signal,
        notes: texts(input)?,
        redacted: input.number()?,
    })
}

fn put_list(out: &mut Vec<u8>, list: &[String]) {
    put(out, list.len() as u64);
    for text in list {
        put_bytes(out, text.as_bytes());
    }
}

fn texts(input: &mut Input<'_>) -> Decoded<Vec<String>> {
    let mut list = Vec::new();
    for _ in 0..input.count(1)? {
        list.push(input.text()?.to_owned());
    }
    Ok(list)
}

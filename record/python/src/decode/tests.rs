use retrostep_record_python_wire::message::put;

use super::*;

/// One of every message a whole program would send, in an order that makes sense.
fn every_message() -> Vec<Vec<u8>> {
    let message = |kind: u8, fill: &dyn Fn(&mut Vec<u8>)| {
        let mut out = vec![kind];
        fill(&mut out);
        out
    };
    let number = put::number;
    vec![
        message(message::STARTED, &|out| {
            put::text(out, b"all good");
            put::text(out, b"3.12.1");
        }),
        message(message::SOURCE, &|out| {
            number(out, 0);
            put::text(out, b"/a.py");
        }),
        message(message::FUNCTION, &|out| {
            number(out, 0);
            number(out, 0);
            number(out, 3);
            out.push(1);
            put::text(out, b"f");
            put::text(out, b"C.f");
            number(out, 1);
            put::text(out, b"x");
            out.push(4);
            number(out, 2);
            number(out, 3);
            number(out, 2);
        }),
        message(message::TYPE, &|out| {
            number(out, 0);
            number(out, 0);
            put::text(out, b"builtins");
            put::text(out, b"list");
            number(out, 1);
            put::text(out, b"field");
        }),
        message(message::NAME, &|out| {
            number(out, 0);
            put::text(out, b"total");
        }),
        message(message::THREAD, &|out| number(out, 0)),
        message(message::THREAD_START, &|out| put::text(out, b"MainThread")),
        message(message::CLOCK, &|out| number(out, 77)),
        message(message::CALL, &|out| {
            number(out, 0);
            number(out, 0);
            number(out, 0);
            number(out, 6);
        }),
        message(message::OBJECT_NEW, &|out| {
            number(out, 5);
            out.push(0);
            number(out, 0);
            number(out, 9_900);
            number(out, 1);
            put::float(out, -0.5);
            number(out, 1);
            put::int(out, -1);
            out.push(tag::NONE);
            number(out, 1);
            number(out, 0);
            out.push(tag::UNAVAILABLE);
            out.push(2);
            number(out, 4);
            out.push(1);
            number(out, 3);
            put::text(out, b"abc");
        }),
        message(message::WRITE, &|out| {
            number(out, 0);
            put::object(out, 5);
        }),
        message(message::LINE, &|out| number(out, 4)),
        message(message::SET_ATTRIBUTE, &|out| {
            number(out, 5);
            number(out, 0);
            put::string(out, tag::STR, 20_000, "é".as_bytes());
        }),
        message(message::SET_CELL, &|out| {
            number(out, 5);
            out.push(tag::UNBOUND);
        }),
        message(message::TASK_SWITCH, &|out| number(out, 0)),
        message(message::OUTPUT, &|out| {
            out.push(2);
            put::text(out, b"oops\n");
        }),
        message(message::YIELD, &|out| out.push(tag::TRUE)),
        message(message::RESUME, &|out| number(out, 0)),
        message(message::RAISE, &|out| put::object(out, 5)),
        message(message::UNWIND, &|out| put::object(out, 5)),
        message(message::NOTE, &|out| {
            put::text(out, b"numpy arrays are not read")
        }),
        message(message::REDACTED, &|out| number(out, 2)),
        message(message::THREAD_END, &|_| {}),
    ]
}

#[test]
fn every_kind_of_message_is_read() {
    let bytes = every_message().concat();
    let mut cursor = Cursor::new(&bytes);
    let mut decoder = Decoder::default();
    let mut read = Vec::new();
    while let Some(message) = decoder.next(&mut cursor).unwrap() {
        read.push(message);
    }
    assert_eq!(read.len(), every_message().len());
    assert_eq!(
        read[2],
        Message::Function(Function {
            name: "f".into(),
            qualified_name: "C.f".into(),
            source: SourceId(0),
            first_line: 3,
            kind: FunctionKind::Generator,
            variables: vec![Variable {
                name: "x".into(),
                kind: VariableKind::CellArgument,
            }],
            lines: vec![3, 5],
        })
    );
    assert_eq!(
        read[8],
        Message::Event(Event::Call {
            frame: FrameId(0),
            function: FunctionId(0),
            globals: None,
            locals: Some(ObjectId(5)),
        })
    );
    let text = |text: &str, len| Text {
        kept: text.as_bytes().into(),
        len,
    };
    assert_eq!(
        read[9],
        Message::Event(Event::Object {
            object: ObjectId(5),
            change: Change::New(Box::new(Content {
                len: 9_900,
                items: vec![Value::Float(-0.5)],
                entries: vec![(Value::Int(-1), Value::None)],
                attributes: vec![("total".into(), Value::Unavailable(Unavailable::Redacted))],
                attributes_omitted: 4,
                text: Some(text("abc", 3)),
                ..Content::new(ObjectKind::List, TypeId(0))
            })),
        })
    );
    assert_eq!(
        read[12],
        Message::Event(Event::Object {
            object: ObjectId(5),
            change: Change::SetAttribute {
                name: "total".into(),
                value: Value::Str(text("é", 20_000)),
            },
        })
    );
    assert_eq!(read[22], Message::Event(Event::ThreadEnd));
}

#[test]
fn a_message_cut_anywhere_is_malformed_or_the_end() {
    let messages = every_message();
    for last in 0..messages.len() {
        let before = messages[..last].concat();
        for cut in 1..messages[last].len() {
            let mut bytes = before.clone();
            bytes.extend_from_slice(&messages[last][..cut]);
            let mut cursor = Cursor::new(&bytes);
            let mut decoder = Decoder::default();
            for _ in 0..last {
                assert!(decoder.next(&mut cursor).unwrap().is_some());
            }
            let kind = messages[last][0];
            assert_eq!(
                decoder.next(&mut cursor),
                Err(Malformed { kind }),
                "cut at {cut}"
            );
        }
    }
}

#[test]
fn a_long_message_comes_in_parts() {
    let mut decoder = Decoder::default();
    let mut next = |bytes: &[u8]| decoder.next(&mut Cursor::new(bytes));
    let mut part = |left: u64, bytes: &[u8]| {
        let mut message = vec![message::PART];
        put::number(&mut message, left);
        put::text(&mut message, bytes);
        next(&message)
    };
    let line = Message::Event(Event::Line { line: 300 });
    let mut whole = vec![message::LINE];
    put::number(&mut whole, 300);
    assert_eq!(part(2, &whole[..1]), Ok(Some(Message::Nothing)));
    assert_eq!(part(1, &whole[1..2]), Ok(Some(Message::Nothing)));
    assert_eq!(part(0, &whole[2..]), Ok(Some(line)));
    let malformed = Err(Malformed {
        kind: message::PART,
    });
    assert_eq!(part(message::LONG_MAX_BYTES as u64, &[0]), malformed);
    assert_eq!(part(0, &[message::LINE, 1, 2]), malformed);
}

#[test]
fn any_damaged_byte_is_survived() {
    let bytes = every_message().concat();
    for at in 0..bytes.len() {
        for change in [0x01, 0x10, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= change;
            let mut cursor = Cursor::new(&damaged);
            let mut decoder = Decoder::default();
            while let Ok(Some(_)) = decoder.next(&mut cursor) {}
        }
    }
}

#[test]
fn ids_that_were_never_defined_are_malformed() {
    let check = |kind: u8, fields: &[u64]| {
        let mut bytes = vec![kind];
        fields
            .iter()
            .for_each(|field| put::number(&mut bytes, *field));
        bytes.extend_from_slice(&[0; 16]);
        assert_eq!(
            Decoder::default().next(&mut Cursor::new(&bytes)),
            Err(Malformed { kind })
        );
    };
    check(message::SOURCE, &[1]);
    check(message::FUNCTION, &[0, 0]);
    check(message::CALL, &[0, 0]);
    check(message::CALL, &[7]);
    check(message::RESUME, &[0]);
    check(message::OBJECT_NEW, &[0, 0, 0]);
    check(message::APPEND, &[0]);
    check(99, &[]);
}

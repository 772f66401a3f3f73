//! Objects that are shown as text: what `repr` gives, where getting it runs no code of the program.

use super::Values;
use super::attributes::slot_of;
use super::capture::PendingError;
use super::classes::Shape;
use super::raw::{self, Object, Type, flag, object_at, type_of, type_offset, word};

/// Longest number, in digits of 30 bits, that is turned into decimal text.
const DIGITS_MAX: usize = 100;

type ToText = unsafe extern "C" fn(Object) -> Object;

impl Values {
    /// The complete `repr` of an object of a known type of the standard library.
    ///
    /// # Safety
    ///
    /// `object` is alive and of that shape.
    pub(super) unsafe fn literal(&self, object: Object, shape: Shape) -> Option<Vec<u8>> {
        // SAFETY: the shape tells the layout; the C functions called read the object only.
        unsafe {
            match shape {
                Shape::Repr => self.own_repr(object),
                Shape::Datetime => self.moment(object, 40),
                Shape::Time => self.moment(object, 32),
                Shape::Range => {
                    for offset in [16, 24, 32] {
                        if type_of(object_at(object, offset)) != self.symbols.int {
                            return None;
                        }
                    }
                    self.own_repr(object)
                }
                Shape::Slice => {
                    for offset in [16, 24, 32] {
                        self.scalar_shadow(object_at(object, offset))?;
                    }
                    self.own_repr(object)
                }
                Shape::Fraction => {
                    let numerator = self.int_text(slot_of(object, b"_numerator")?)?;
                    let denominator = self.int_text(slot_of(object, b"_denominator")?)?;
                    Some([b"Fraction(", &numerator[..], b", ", &denominator, b")"].concat())
                }
                Shape::Uuid => self.uuid(slot_of(object, b"int")?),
                Shape::Path => self.path(object),
                _ => None,
            }
        }
    }

    /// The `repr` of the value that an instance of a subclass of a number or text type holds, when
    /// the subclass does not bring a `repr` of its own.
    ///
    /// # Safety
    ///
    /// `object` is alive.
    pub(super) unsafe fn base_repr(&self, object: Object) -> Option<Vec<u8>> {
        // SAFETY: slots of type objects; the function is that of the C base.
        unsafe {
            let class = type_of(object);
            let base = c_base(class)?;
            let repr = word(class, type_offset::REPR);
            if repr == 0 || repr != word(base, type_offset::REPR) || self.is_huge(object) {
                return None;
            }
            self.text_from(repr, object)
        }
    }

    /// What `str` gives for an exception whose text is made by the interpreter from plain arguments.
    ///
    /// # Safety
    ///
    /// `object` is an exception.
    pub(super) unsafe fn exception_text(&self, object: Object) -> Option<Vec<u8>> {
        const STR: usize = 136;
        // SAFETY: exceptions begin with fixed fields; the function called is that of the C base.
        unsafe {
            let base = c_base(type_of(object))?;
            let to_text = word(type_of(object), STR);
            if to_text == 0 || to_text != word(base, STR) {
                return None;
            }
            let args = object_at(object, 24);
            if args.is_null() || type_of(args) != self.symbols.tuple {
                return None;
            }
            for argument in self.layout.tuple_items(args) {
                self.scalar_shadow(*argument)?;
                if self.is_huge(*argument) {
                    return None;
                }
            }
            if !self.plain_fields(base, object) {
                return None;
            }
            self.text_from(to_text, object)
        }
    }

    /// Whether the fields that an exception has besides its arguments, such as file names, are plain
    /// values too. Types with fields that are not all objects are not looked into.
    unsafe fn plain_fields(&self, base: Type, object: Object) -> bool {
        let head = if self.layout.minor >= 11 { 72 } else { 64 };
        // SAFETY: the fields of these types are objects or null up to the given size.
        unsafe {
            let size = word(base, type_offset::BASIC_SIZE);
            let os_error = is_os_error(base);
            let objects = match std::ffi::CStr::from_ptr(word(base, 24) as *const _).to_bytes() {
                b"StopIteration"
                | b"SystemExit"
                | b"ImportError"
                | b"ModuleNotFoundError"
                | b"AttributeError"
                | b"NameError"
                | b"UnboundLocalError" => (size - head) / 8,
                _ if os_error => 4,
                _ => return size <= head,
            };
            (0..objects).all(|index| {
                let field = object_at(object, head + index * 8);
                field.is_null() || self.scalar_shadow(field).is_some()
            })
        }
    }

    /// Calls the type's own C `repr`.
    unsafe fn own_repr(&self, object: Object) -> Option<Vec<u8>> {
        // SAFETY: the caller knows the type: its `repr` reads the object only.
        unsafe { self.text_from(word(type_of(object), type_offset::REPR), object) }
    }

    unsafe fn text_from(&self, function: usize, object: Object) -> Option<Vec<u8>> {
        if function == 0 {
            return None;
        }
        let pending = PendingError::save(&self.symbols);
        // SAFETY: `tp_repr` and `tp_str` have this signature and give a new reference or null.
        let text = unsafe {
            let function = std::mem::transmute::<usize, ToText>(function);
            let found = function(object);
            if found.is_null() {
                None
            } else {
                let text = if type_of(found) == self.symbols.text {
                    self.text_bytes(found)
                } else {
                    None
                };
                if let Some(decrement) = self.symbols.decrement {
                    decrement(found);
                }
                text
            }
        };
        drop(pending);
        text
    }

    unsafe fn moment(&self, object: Object, zone: usize) -> Option<Vec<u8>> {
        const HAS_ZONE: usize = 24;
        // SAFETY: the C datetime types have a flag at 24, and the zone behind their fields.
        unsafe {
            if *object.cast::<u8>().add(HAS_ZONE) != 0 {
                let zone = object_at(object, zone);
                let name = std::ffi::CStr::from_ptr(word(type_of(zone), 24) as *const _);
                if !matches!(name.to_bytes(), b"datetime.timezone" | b"zoneinfo.ZoneInfo") {
                    return None;
                }
            }
            self.own_repr(object)
        }
    }

    unsafe fn int_text(&self, int: Object) -> Option<Vec<u8>> {
        // SAFETY: only an exact int is asked.
        unsafe {
            if type_of(int) != self.symbols.int || self.is_huge(int) {
                return None;
            }
            self.own_repr(int)
        }
    }

    /// A number whose decimal text would take long to make.
    unsafe fn is_huge(&self, object: Object) -> bool {
        // SAFETY: the flag says that it is an int.
        unsafe {
            if raw::flags_of(type_of(object)) & flag::INT == 0 {
                return false;
            }
            let header = word(object, 16);
            let digits = if self.layout.minor >= 12 {
                header >> 3
            } else {
                (header as isize).unsigned_abs()
            };
            digits > DIGITS_MAX
        }
    }

    unsafe fn uuid(&self, int: Object) -> Option<Vec<u8>> {
        // SAFETY: only an exact int is read.
        unsafe {
            if type_of(int) != self.symbols.int {
                return None;
            }
            let mut value = [0_u8; 16];
            match self.layout.int(int) {
                raw::Int::Small(small) => {
                    value[..8].copy_from_slice(&u64::try_from(small).ok()?.to_le_bytes());
                }
                raw::Int::Big(bytes) => {
                    let len = bytes.len().min(16);
                    value[..len].copy_from_slice(&bytes[..len]);
                }
            }
            let digits = format!("{:032x}", u128::from_le_bytes(value));
            let (a, rest) = digits.split_at(8);
            let (b, rest) = rest.split_at(4);
            let (c, rest) = rest.split_at(4);
            let (d, e) = rest.split_at(4);
            Some(format!("UUID('{a}-{b}-{c}-{d}-{e}')").into_bytes())
        }
    }

    unsafe fn path(&self, object: Object) -> Option<Vec<u8>> {
        // SAFETY: slots of `pathlib` classes, read by the exact types of what they hold.
        unsafe {
            let name = self
                .classes
                .get(&(type_of(object) as usize))
                .map(|class| class.qualified_name.clone())?;
            let text = match slot_of(object, b"_str") {
                Some(text) if type_of(text) == self.symbols.text => self.text_bytes(text)?,
                _ => self.path_text(object)?,
            };
            let quoted = quote(&text);
            Some([&name[..], b"(", &quoted, b")"].concat())
        }
    }

    unsafe fn path_text(&self, object: Object) -> Option<Vec<u8>> {
        // SAFETY: as for `path`.
        unsafe {
            let text = |name: &[u8]| -> Option<Vec<u8>> {
                let found = slot_of(object, name)?;
                if type_of(found) != self.symbols.text {
                    return None;
                }
                self.text_bytes(found)
            };
            let list = |name: &[u8]| -> Option<Vec<Vec<u8>>> {
                let found = slot_of(object, name)?;
                if type_of(found) != self.symbols.list {
                    return None;
                }
                let mut parts = Vec::new();
                for part in self.layout.list_items(found) {
                    if type_of(*part) != self.symbols.text {
                        return None;
                    }
                    parts.push(self.text_bytes(*part)?);
                }
                Some(parts)
            };
            if let Some(parts) = list(b"_parts") {
                let anchor = [text(b"_drv")?, text(b"_root")?].concat();
                let rest = parts.get(usize::from(!anchor.is_empty())..)?.join(&b'/');
                let whole = [anchor, rest].concat();
                return Some(if whole.is_empty() {
                    b".".to_vec()
                } else {
                    whole
                });
            }
            Some(join_path(&list(b"_raw_paths")?))
        }
    }
}

/// The nearest base that is implemented in C.
unsafe fn c_base(class: Type) -> Option<Type> {
    let mut class = class;
    // SAFETY: bases are types or null.
    unsafe {
        while !class.is_null() {
            if raw::flags_of(class) & flag::HEAP_TYPE == 0 {
                return Some(class);
            }
            class = object_at(class, type_offset::BASE);
        }
    }
    None
}

/// Whether a class is `OSError` or derived from it.
unsafe fn is_os_error(class: Type) -> bool {
    let mut class = class;
    // SAFETY: bases are types or null, and their names texts with an end.
    unsafe {
        while !class.is_null() {
            if std::ffi::CStr::from_ptr(word(class, 24) as *const _).to_bytes() == b"OSError" {
                return true;
            }
            class = object_at(class, type_offset::BASE);
        }
    }
    false
}

/// What `str(PurePosixPath(*parts))` is.
fn join_path(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut joined: Vec<u8> = Vec::new();
    for part in parts {
        if part.starts_with(b"/") {
            joined.clear();
        } else if !joined.is_empty() && !joined.ends_with(b"/") {
            joined.push(b'/');
        }
        joined.extend_from_slice(part);
    }
    let root: &[u8] = if joined.starts_with(b"//") && !joined.starts_with(b"///") {
        b"//"
    } else if joined.starts_with(b"/") {
        b"/"
    } else {
        b""
    };
    let names: Vec<&[u8]> = joined
        .split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .collect();
    let whole = [root, &names.join(&b'/')[..]].concat();
    if whole.is_empty() {
        b".".to_vec()
    } else {
        whole
    }
}

/// A text in quotes as `repr` writes paths: control characters and the quote escaped.
fn quote(text: &[u8]) -> Vec<u8> {
    let quote = if text.contains(&b'\'') && !text.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut out = vec![quote];
    for byte in text {
        match *byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte if byte == quote => out.extend_from_slice(&[b'\\', quote]),
            0..=0x1f | 0x7f => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[&str], expected: &str) {
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
        assert_eq!(String::from_utf8_lossy(&join_path(&parts)), expected);
    }

    #[test]
    fn paths_are_joined_as_pathlib_does() {
        check(&["a", "b"], "a/b");
        check(&["/a/", "./b//c"], "/a/b/c");
        check(&["a", "/b"], "/b");
        check(&["//a"], "//a");
        check(&["///a"], "/a");
        check(&[], ".");
        check(&["."], ".");
        check(&["a", ".."], "a/..");
    }

    #[test]
    fn quotes_follow_repr() {
        assert_eq!(quote(b"it's"), b"\"it's\"");
        assert_eq!(quote(b"a\nb"), b"'a\\nb'");
    }
}

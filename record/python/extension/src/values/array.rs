//! Arrays: numpy arrays, `array.array` and memory views, read through the buffer protocol.

use std::ffi::{CStr, c_char, c_int, c_void};

use retrostep_record_python_wire::message::{put, tag};

use super::Values;
use super::capture::PendingError;
use super::content::{Parts, kind};
use super::raw::{Object, type_of, word};

/// `Py_buffer`.
#[repr(C)]
pub(super) struct Buffer {
    data: *mut c_void,
    owner: Object,
    len: isize,
    item_size: isize,
    read_only: c_int,
    dimensions: c_int,
    format: *mut c_char,
    shape: *mut isize,
    strides: *mut isize,
    sub_offsets: *mut isize,
    internal: *mut c_void,
}

/// `PyBUF_RECORDS_RO`: format, shape and strides, without asking to write.
const RECORDS_READ_ONLY: c_int = 0x0018 | 0x0004;

impl Values {
    /// The elements of an array in row order, encoded, and its shape and element type as text.
    ///
    /// # Safety
    ///
    /// `object` is alive and of a C type with the buffer protocol.
    pub(super) unsafe fn array(&self, parts: &mut Parts, object: Object) {
        parts.kind = kind::OPAQUE;
        let (Some(get), Some(release)) =
            (self.symbols.object_get_buffer, self.symbols.buffer_release)
        else {
            return;
        };
        let pending = PendingError::save(&self.symbols);
        // SAFETY: the buffer is released before anything else runs; a failure leaves it empty.
        unsafe {
            let mut buffer = std::mem::zeroed::<Buffer>();
            if get(object, &mut buffer, RECORDS_READ_ONLY) == 0 {
                self.read(parts, &buffer, object);
                release(&mut buffer);
            }
        }
        drop(pending);
    }

    unsafe fn read(&self, parts: &mut Parts, buffer: &Buffer, object: Object) {
        // SAFETY: shape and strides have one entry per dimension, the format is text with an end.
        unsafe {
            let dimensions = usize::try_from(buffer.dimensions).unwrap_or(0);
            let format = if buffer.format.is_null() {
                b"B"
            } else {
                CStr::from_ptr(buffer.format).to_bytes()
            };
            let sizes: Vec<usize> = (0..dimensions)
                .map(|dimension| usize::try_from(*buffer.shape.add(dimension)).unwrap_or(0))
                .collect();
            let total: usize = sizes.iter().product();
            let Some((code, name)) = element(format) else {
                return;
            };
            parts.kind = kind::ARRAY;
            parts.len = total as u64;
            let numpy = CStr::from_ptr(word(type_of(object), 24) as *const _)
                .to_bytes()
                .starts_with(b"numpy");
            parts.text = Some(if numpy {
                describe(&sizes, name).into_bytes()
            } else {
                format!("{} {}", describe(&sizes, "").trim_end(), char::from(code)).into_bytes()
            });
            let count = total.min(self.limits.children);
            let mut index = vec![0_usize; dimensions];
            for _ in 0..count {
                let mut at = buffer.data.cast::<u8>().cast_const();
                for (dimension, position) in index.iter().enumerate() {
                    let stride = if buffer.strides.is_null() {
                        buffer.item_size
                    } else {
                        *buffer.strides.add(dimension)
                    };
                    at = at.offset(stride * *position as isize);
                }
                put_element(&mut parts.encoded.1, code, at);
                for dimension in (0..dimensions).rev() {
                    index[dimension] += 1;
                    if index[dimension] < sizes[dimension] {
                        break;
                    }
                    index[dimension] = 0;
                }
            }
            parts.encoded.0 = count as u64;
        }
    }
}

fn describe(sizes: &[usize], name: &str) -> String {
    let mut text = String::from("(");
    for (index, size) in sizes.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(&size.to_string());
    }
    if sizes.len() == 1 {
        text.push(',');
    }
    text.push_str(") ");
    text.push_str(name);
    text
}

/// The element's code and numpy's name for it; `None` for structures and foreign byte orders.
fn element(format: &[u8]) -> Option<(u8, &'static str)> {
    let format = match format {
        [b'<' | b'=' | b'@', rest @ ..] => rest,
        other => other,
    };
    if format == b"Zd" {
        return Some((b'Z', "complex128"));
    }
    if format == b"Zf" {
        return Some((b'z', "complex64"));
    }
    let [code] = format else {
        return None;
    };
    let name = match code {
        b'?' => "bool",
        b'b' => "int8",
        b'B' => "uint8",
        b'h' => "int16",
        b'H' => "uint16",
        b'i' => "int32",
        b'I' => "uint32",
        b'l' | b'q' | b'n' => "int64",
        b'L' | b'Q' | b'N' => "uint64",
        b'e' => "float16",
        b'f' => "float32",
        b'd' => "float64",
        b'c' => "bytes1",
        b'u' | b'w' => "str",
        _ => return None,
    };
    Some((*code, name))
}

unsafe fn put_element(out: &mut Vec<u8>, code: u8, at: *const u8) {
    // SAFETY: the caller gives the address of one element of this code.
    unsafe {
        match code {
            b'?' => out.push(if *at == 0 { tag::FALSE } else { tag::TRUE }),
            b'b' => put::int(out, i64::from(*at.cast::<i8>())),
            b'B' => put::int(out, i64::from(*at)),
            b'h' => put::int(out, i64::from(at.cast::<i16>().read_unaligned())),
            b'H' => put::int(out, i64::from(at.cast::<u16>().read_unaligned())),
            b'i' => put::int(out, i64::from(at.cast::<i32>().read_unaligned())),
            b'I' => put::int(out, i64::from(at.cast::<u32>().read_unaligned())),
            b'l' | b'q' | b'n' => put::int(out, at.cast::<i64>().read_unaligned()),
            b'L' | b'Q' | b'N' => {
                let value = at.cast::<u64>().read_unaligned();
                match i64::try_from(value) {
                    Ok(value) => put::int(out, value),
                    Err(_) => {
                        out.push(tag::BIG_INT);
                        let mut bytes = value.to_le_bytes().to_vec();
                        bytes.push(0);
                        put::text(out, &bytes);
                    }
                }
            }
            b'e' => put::float(out, half(at.cast::<u16>().read_unaligned())),
            b'f' => put::float(out, f64::from(at.cast::<f32>().read_unaligned())),
            b'd' => put::float(out, at.cast::<f64>().read_unaligned()),
            b'Z' => {
                out.push(tag::COMPLEX);
                out.extend_from_slice(std::slice::from_raw_parts(at, 16));
            }
            b'z' => {
                out.push(tag::COMPLEX);
                for part in 0..2 {
                    let value = f64::from(at.cast::<f32>().add(part).read_unaligned());
                    out.extend_from_slice(&value.to_le_bytes());
                }
            }
            b'c' => put::string(out, tag::BYTES, 1, &[*at]),
            _ => {
                let text = char::from_u32(at.cast::<u32>().read_unaligned())
                    .unwrap_or(char::REPLACEMENT_CHARACTER);
                put::string(out, tag::STR, 1, text.to_string().as_bytes());
            }
        }
    }
}

/// The value of an IEEE half.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((bits >> 10) & 0x1f);
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    sign * match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_exact() {
        assert_eq!(half(0x3c00), 1.0);
        assert_eq!(half(0xc000), -2.0);
        assert_eq!(half(0x0001), 2_f64.powi(-24));
        assert!(half(0x7c01).is_nan());
    }

    #[test]
    fn shapes_read_like_numpy() {
        assert_eq!(describe(&[2, 3], "float64"), "(2, 3) float64");
        assert_eq!(describe(&[4], "int8"), "(4,) int8");
    }
}

//! Places that hold the variables of code: namespaces and closure cells.

use retrostep_record_python_wire::message::{self, put, tag};

use super::content::kind;
use super::raw::{Object, flag, flags_of, object_at, type_of, word};
use super::shadow::Shadow;
use super::{CAPTURED_MAX, UNNUMBERED, Values};

impl Values {
    /// The number of the namespace object of a dict; its contents are recorded at first sight.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and `dict` is alive.
    pub(crate) unsafe fn namespace(&mut self, out: &mut Vec<u8>, dict: Object) -> u64 {
        // SAFETY: the caller's.
        unsafe {
            if self.is_last_namespace(dict) {
                return self.last_namespace.2;
            }
            if self.known_key(dict).is_some() {
                self.refresh_namespace(out, dict);
            } else {
                self.room = CAPTURED_MAX;
                let is_dict = flags_of(type_of(dict)) & flag::DICT != 0;
                self.capture(
                    out,
                    dict,
                    self.limits.depth,
                    is_dict.then_some(kind::NAMESPACE),
                );
            }
            self.tell_redacted(out);
            self.number_of(out, dict)
        }
    }

    /// Records what changed in the namespace of the globals since it was last recorded.
    ///
    /// # Safety
    ///
    /// As [`Values::namespace`].
    #[inline]
    pub(crate) unsafe fn refresh_globals(&mut self, out: &mut Vec<u8>, dict: Object) {
        // SAFETY: the caller's.
        unsafe {
            if self.is_last_namespace(dict) {
                return;
            }
            self.refresh_namespace(out, dict);
            if self.known_key(dict).is_some() {
                // Asking for the version has it watched where that is needed.
                let is_marked = self.layout.dict_version(dict).is_some();
                let mark = if is_marked {
                    self.layout.dict_mark(dict)
                } else {
                    u64::MAX
                };
                let number = self.number_of(out, dict);
                self.last_namespace = (dict as usize, mark, number);
            }
        }
    }

    /// Whether a dict is the namespace that was compared last, and unchanged since.
    #[inline]
    unsafe fn is_last_namespace(&self, dict: Object) -> bool {
        let (address, mark, _) = self.last_namespace;
        // SAFETY: the caller's.
        address == dict as usize
            && mark != u64::MAX
            && mark == unsafe { self.layout.dict_mark(dict) }
    }

    /// Records what changed in a namespace since it was last recorded.
    ///
    /// # Safety
    ///
    /// As [`Values::namespace`].
    pub(crate) unsafe fn refresh_namespace(&mut self, out: &mut Vec<u8>, dict: Object) {
        // SAFETY: the caller's.
        unsafe {
            let known = self.known.get(&(dict as usize));
            let Some(known) = known else {
                return;
            };
            if known.state.version.is_some()
                && known.state.version == self.layout.dict_version(dict)
            {
                return;
            }
            if self.known_key(dict).is_some() {
                self.rescan(out, dict);
                self.tell_redacted(out);
            }
        }
    }

    /// The number of a closure cell; records its content if that changed.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and `cell` is a cell that is alive.
    pub(crate) unsafe fn cell(&mut self, out: &mut Vec<u8>, cell: Object, redacted: bool) -> u64 {
        // SAFETY: the caller's.
        unsafe {
            if self.known_key(cell).is_some() {
                if let Some(known) = self.known.get(&(cell as usize))
                    && !known.state.hidden
                    && known.id != UNNUMBERED
                    && known
                        .state
                        .items
                        .first()
                        .copied()
                        .unwrap_or(Shadow::UNBOUND)
                        == self.look(object_at(cell, 16))
                {
                    return known.id;
                }
                self.rescan(out, cell);
            } else {
                self.capture_cell(out, cell, redacted);
            }
            self.tell_redacted(out);
            self.number_of(out, cell)
        }
    }

    unsafe fn capture_cell(&mut self, out: &mut Vec<u8>, cell: Object, redacted: bool) {
        // SAFETY: the caller's.
        unsafe {
            let as_kind = redacted.then_some(kind::CELL);
            self.capture(out, cell, self.limits.depth + 1, as_kind);
        }
    }

    /// Records whether the cell of a redacted variable has a content, never which.
    pub(super) fn rescan_hidden(&mut self, out: &mut Vec<u8>, cell: Object) {
        // SAFETY: only cells are hidden; they have their content at 16.
        let len = u64::from(unsafe { word(cell, 16) } != 0);
        let Some(known) = self.known.get_mut(&(cell as usize)) else {
            return;
        };
        if known.state.len == len {
            return;
        }
        known.state.len = len;
        out.push(message::SET_CELL);
        put::number(out, known.id);
        if len == 0 {
            out.push(tag::UNBOUND);
        } else {
            self.put_redacted(out);
        }
    }
}
